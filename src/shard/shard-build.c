/* SPDX-License-Identifier: Apache-2.0 */
/* shard-build.c - entries in order and their blocks, to the bytes of a shard.
 *
 * Entries wait in the page that is being filled, deep-copied; a full page is
 * encoded and handed to the index end of the sink, and its first key goes to
 * the level above, which is done the same way when the shard is finished.
 */
#include "config.h"

#include "shard/shard-build.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/wr.h"
#include "shard/shard-block.h"
#include "shard/shard-columns.h"
#include "shard/shard-filter.h"
#include "shard/shard-format.h"
#include "shard/shard-page-build.h"
#include "shard/shard-record.h"
#include "shard/unused.h"

/* A node takes this many children before its size is looked at, so that the
 * tree narrows whatever the length of the keys.
 */
#define NODE_CHILDREN_MIN 16u

#define ROW_MAX (4u << 20) /* bytes of an entry, for the logical root */

struct level {
	struct page_child *children; /* keys are owned copies */
	size_t n, cap;
};

/* Where the references of an entry come from. */
struct blocks_source {
	shard_blocks_fn *fn;
	void *arg;
};

struct shard_build {
	struct shard_build_options opts;
	struct shard_sink sink;
	struct shard_footer footer;
	struct entry *page; /* what they point to is in the arena */
	size_t n_page, cap_page, page_size;
	struct arena arena;
	uint64_t page_first; /* ordinal of its first entry */
	uint64_t *hashes;    /* for the filter, one an entry */
	size_t n_hashes, cap_hashes;
	struct level leaves;
	struct unused unused; /* blocks that no entry refers to so far */
	struct sha256 logical;
	struct buf row;     /* of the entry that is added */
	char *first, *last; /* uids */
	size_t first_len, last_len;
	struct entry last_key; /* of the entry added last, in last_bytes */
	struct buf last_bytes;
	bool finished;
};

static void free_level(struct level *l)
{
	for (size_t i = 0; i < l->n; i++) {
		/* parent and name are one allocation, see add_child */
		free((void *)(uintptr_t)l->children[i].parent.p);
	}
	free(l->children);
	*l = (struct level){ 0 };
}

static void clear_page(struct shard_build *b)
{
	arena_clear(&b->arena);
	b->n_page = 0;
	b->page_size = 0;
}

void shard_build_free(struct shard_build *b)
{
	if (!b)
		return;
	clear_page(b);
	free(b->page);
	free(b->hashes);
	unused_release(&b->unused);
	free_level(&b->leaves);
	free(b->first);
	free(b->last);
	buf_release(&b->last_bytes);
	buf_release(&b->row);
	arena_release(&b->arena);
	free(b);
}

static void free_build(struct shard_build **b)
{
	shard_build_free(*b);
}

enum rc shard_build_new(const struct shard_build_options *opts,
			const struct shard_sink *sink, struct shard_build **ret,
			struct err *err)
{
	CLEANUP(free_build) struct shard_build *b = xcalloc(1, sizeof(*b));
	CLEANUP_BUF struct buf head = { .max = SHARD_HEADER_SIZE };
	uint8_t hash[SHA256_LEN];
	enum rc rc;

	b->opts = *opts;
	if (!b->opts.page_raw)
		b->opts.page_raw = PAGE_RAW_DEFAULT;
	if (b->opts.page_raw > PAGE_RAW_WANTED_MAX)
		return err_set(err, RC_USAGE, "index pages of %u bytes",
			       b->opts.page_raw);
	b->sink = *sink;
	b->footer.header = opts->header;
	b->footer.data_off = SHARD_HEADER_SIZE;
	sha256_init(&b->logical);
	buf_init(&b->row, ROW_MAX);
	buf_init(&b->last_bytes, 2 * UID_MAX_LEN);
	shard_header_encode(&opts->header, &head);
	if (!buf_ok(&head))
		return err_set(err, RC_NOMEM, "no memory for a shard header");
	sha256_of(head.p, head.len, hash);
	memcpy(b->footer.header_hash, hash, BLOCK_HASH_LEN);
	rc = sink->data(sink->arg, head.p, head.len, err);
	if (rc)
		return rc;
	*ret = STEAL_PTR(b);
	return RC_OK;
}

enum rc shard_build_block(struct shard_build *b, const void *stored, size_t len,
			  struct block_ref *ref, struct err *err)
{
	enum rc rc;

	ref->off = b->footer.data_off + b->footer.data_len;
	rc = b->sink.data(b->sink.arg, stored, len, err);
	if (rc)
		return rc;
	b->footer.data_len += len;
	b->footer.n_blocks++;
	unused_add(&b->unused, ref->off, ref->off + len);
	return RC_OK;
}

/* --- copies --------------------------------------------------------------- */

static struct span copy_span(struct span s, char **to)
{
	struct span copy = span_of(*to, s.len);

	if (s.len)
		memcpy(*to, s.p, s.len);
	*to += s.len;
	return copy;
}

/* One allocation holds the block references, then the page references, then all
 * strings.
 */
static void copy_entry(struct arena *a, const struct entry *e,
		       const struct page_ref *extents, uint32_t n_extents,
		       uint32_t per_extent, struct entry *ret)
{
	struct content *c = &ret->content;
	size_t n_refs = n_extents ? 0 : e->content.n_blocks;
	size_t blocks = n_refs * sizeof(struct block_ref);
	size_t pages = n_extents * sizeof(struct page_ref);
	size_t strings = e->parent.len + e->name.len + e->target.len +
			 e->xattrs.len + e->meta.len;
	char *to = arena_alloc(a, blocks + pages + strings);

	*ret = *e;
	c->blocks = NULL;
	c->extents = NULL;
	c->n_extents = n_extents;
	c->per_extent = per_extent;
	if (blocks) {
		memcpy(to, e->content.blocks, blocks);
		c->blocks = (struct block_ref *)(void *)to;
	}
	if (pages) {
		memcpy(to, extents, pages);
		c->extents = (struct page_ref *)(void *)to;
	}
	to += blocks + pages;
	ret->parent = copy_span(e->parent, &to);
	ret->name = copy_span(e->name, &to);
	ret->target = copy_span(e->target, &to);
	ret->xattrs = copy_span(e->xattrs, &to);
	ret->meta = copy_span(e->meta, &to);
}

static void add_child(struct level *l, const struct page_ref *ref,
		      unsigned int level, uint64_t ordinal, struct span parent,
		      struct span name)
{
	/* One byte more, so that even an empty key has an address to free. */
	char *keys = xcalloc(1, parent.len + name.len + 1);
	char *to = keys;

	l->children =
		mem_grow(l->children, &l->cap, l->n + 1, sizeof(*l->children));
	l->children[l->n++] = (struct page_child){
		.ref = *ref,
		.level = (uint8_t)level,
		.first_ordinal = ordinal,
		.parent = copy_span(parent, &to),
		.name = copy_span(name, &to),
	};
}

/* --- pages ---------------------------------------------------------------- */

static struct page_build next_page(const struct shard_build *b)
{
	return (struct page_build){ .codec = b->opts.codec,
				    .level = b->opts.level,
				    .off = b->footer.index_len };
}

static enum rc write_page(struct shard_build *b, const struct buf *page,
			  struct err *err)
{
	b->footer.index_len += page->len;
	return b->sink.index(b->sink.arg, page->p, page->len, err);
}

static enum rc flush_leaf(struct shard_build *b, struct err *err)
{
	CLEANUP_BUF struct buf out = { .max = 2 * PAGE_RAW_MAX };
	struct page_build pb = next_page(b);
	struct page_ref ref;
	enum rc rc;

	if (!b->n_page)
		return RC_OK;
	rc = page_build_leaf(&pb, b->page, (uint32_t)b->n_page, &out, &ref,
			     err);
	if (!rc)
		rc = write_page(b, &out, err);
	if (rc)
		return rc;
	add_child(&b->leaves, &ref, 1, b->page_first, b->page[0].parent,
		  b->page[0].name);
	b->page_first += b->n_page;
	clear_page(b);
	return RC_OK;
}

static size_t child_size(const struct page_child *c)
{
	return c->parent.len + c->name.len + 32;
}

/* Turn the children in *l into pages of the next level, and *l into those. */
static enum rc build_level(struct shard_build *b, struct level *l,
			   unsigned int level, struct err *err)
{
	struct level above = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < l->n && !rc;) {
		CLEANUP_BUF struct buf out = { .max = 2 * PAGE_RAW_MAX };
		struct page_build pb = next_page(b);
		size_t end = i, size = 0;
		struct page_ref ref;

		while (end < l->n &&
		       (end - i < NODE_CHILDREN_MIN || size < b->opts.page_raw))
			size += child_size(&l->children[end++]);
		rc = page_build_node(&pb, l->children + i, (uint32_t)(end - i),
				     level, &out, &ref, err);
		if (!rc)
			rc = write_page(b, &out, err);
		if (!rc)
			add_child(&above, &ref, level,
				  l->children[i].first_ordinal,
				  l->children[i].parent, l->children[i].name);
		i = end;
	}
	free_level(l);
	*l = above;
	return rc;
}

/* --- entries -------------------------------------------------------------- */

/* Names count in full: so the expanded names of a page are bounded too. */
static size_t entry_raw_size(const struct entry *e)
{
	size_t size = 40 + e->parent.len / 8 + e->name.len + e->target.len +
		      e->xattrs.len + e->meta.len;

	if (e->has_hash)
		size += ENTRY_HASH_LEN;
	if (link_group_is_set(e->link_group))
		size += LINK_GROUP_LEN;
	if (e->content.n_blocks > SHARD_INLINE_BLOCKS)
		size += 24 * (size_t)e->content.n_extents;
	else
		size += 8 * (size_t)e->content.n_blocks;
	return size;
}

static enum rc check_entry(const struct shard_build *b, const struct entry *e,
			   struct err *err)
{
	if (!entry_is_sound(e))
		return err_set(err, RC_LIMIT,
			       "%.*s%s%.*s: beyond what an entry can hold",
			       (int)(e->parent.len < 200 ? e->parent.len : 200),
			       e->parent.p, e->parent.len ? "/" : "",
			       (int)(e->name.len < 200 ? e->name.len : 200),
			       e->name.p);
	if (b->footer.n_entries && entry_compare(&b->last_key, e) >= 0)
		return err_set(err, RC_USAGE, "%.*s: entry out of order",
			       (int)(e->name.len < 200 ? e->name.len : 200),
			       e->name.p);
	return RC_OK;
}

static char *copy_uid(const struct entry *e, size_t *ret_len)
{
	char *uid = xcalloc(1, entry_uid_len(e->parent, e->name) + 1);

	*ret_len = entry_uid(e->parent, e->name, uid);
	return uid;
}

static enum rc remember_key(struct shard_build *b, const struct entry *e,
			    struct err *err)
{
	struct buf *bytes = &b->last_bytes;
	const char *p;

	buf_clear(bytes);
	buf_append(bytes, e->parent.p, e->parent.len);
	buf_append(bytes, e->name.p, e->name.len);
	if (!buf_ok(bytes))
		return err_set(err, RC_NOMEM, "no memory for a name");
	p = (const char *)bytes->p;
	b->last_key.parent = span_of(p, e->parent.len);
	b->last_key.name = span_of(p + e->parent.len, e->name.len);
	b->last_key.created_at = e->created_at;
	if (!b->first)
		b->first = copy_uid(e, &b->first_len);
	return RC_OK;
}

/* Blocks are shared, and need not be in the order of the entries. */
static void use_blocks(struct shard_build *b, const struct block_ref *refs,
		       uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!block_is_hole(&refs[i]))
			unused_remove(&b->unused, refs[i].off,
				      refs[i].off + refs[i].stored_len);
}

static enum rc count_entry(struct shard_build *b, const struct entry *e,
			   struct err *err)
{
	struct shard_footer *f = &b->footer;
	struct buf *row = &b->row;

	buf_clear(row);
	record_encode_logical(e, row);
	if (!buf_ok(row))
		return err_set(err, RC_NOMEM, "no memory for an entry");
	sha256_update(&b->logical, row->p, row->len);
	b->hashes = mem_grow(b->hashes, &b->cap_hashes, b->n_hashes + 1,
			     sizeof(*b->hashes));
	b->hashes[b->n_hashes++] = filter_hash(e->parent, e->name);
	if (!f->n_entries || e->created_at < f->created_min)
		f->created_min = e->created_at;
	if (!f->n_entries || e->created_at > f->created_max)
		f->created_max = e->created_at;
	f->n_entries++;
	if (e->type == ENTRY_REG) {
		f->n_files++;
		f->plain_bytes += e->size;
	}
	if (e->xattrs.len)
		f->header.compat |= SHARD_COMPAT_XATTRS;
	return RC_OK;
}

/* All blocks are whole ones; the last may be shared with others. */
static bool blocks_are_sound(const struct entry *e, uint32_t first, uint32_t n,
			     const struct block_ref *refs)
{
	const struct content *c = &e->content;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t left = e->size - (uint64_t)(first + i) * c->block_size;

		if (first + i + 1 < c->n_blocks
			    ? refs[i].data_len != c->block_size
			    : refs[i].data_len < c->tail_off + left)
			return false;
	}
	return true;
}

static enum rc read_blocks(struct shard_build *b, const struct entry *e,
			   const struct blocks_source *from, uint32_t i,
			   uint32_t n, struct block_ref *ret, struct err *err)
{
	enum rc rc = from->fn(from->arg, i, n, ret, err);

	if (rc)
		return rc;
	if (!blocks_are_sound(e, i, n, ret))
		return err_set(err, RC_LIMIT, "file of odd blocks");
	use_blocks(b, ret, n);
	return RC_OK;
}

/* Block references beyond the inline ones: into block list pages of their own.
 */
static enum rc write_extents(struct shard_build *b, const struct entry *e,
			     const struct blocks_source *from,
			     struct page_ref **ret, uint32_t *ret_n,
			     uint32_t *ret_per, struct err *err)
{
	const struct content *c = &e->content;
	CLEANUP_FREE struct block_ref *blocks = NULL;
	CLEANUP_FREE struct page_ref *refs = NULL;
	uint32_t per = EXTENT_BLOCKS, n;
	enum rc rc;

	while ((c->n_blocks - 1) / per + 1 > EXTENTS_MAX)
		per *= 2;
	if (per > EXTENT_BLOCKS_MAX)
		return err_set(err, RC_LIMIT, "file of %u blocks", c->n_blocks);
	n = (c->n_blocks - 1) / per + 1;
	refs = xcalloc(n, sizeof(*refs));
	blocks = xcalloc(per, sizeof(*blocks));
	for (uint32_t i = 0; i < n; i++) {
		CLEANUP_BUF struct buf out = { .max = 2 * PAGE_RAW_MAX };
		struct page_build pb = next_page(b);
		uint32_t len = c->n_blocks - i * per;

		if (len > per)
			len = per;
		rc = read_blocks(b, e, from, i * per, len, blocks, err);
		if (!rc)
			rc = page_build_extent(&pb, blocks, len, &out, &refs[i],
					       err);
		if (!rc)
			rc = write_page(b, &out, err);
		if (rc)
			return rc;
	}
	*ret = STEAL_PTR(refs);
	*ret_n = n;
	*ret_per = per;
	return RC_OK;
}

static enum rc add_entry(struct shard_build *b, const struct entry *e,
			 const struct blocks_source *from, struct err *err)
{
	CLEANUP_FREE struct page_ref *extents = NULL;
	uint32_t n_extents = 0, per_extent = 0;
	enum rc rc = RC_OK;

	if (from)
		rc = write_extents(b, e, from, &extents, &n_extents,
				   &per_extent, err);
	else
		use_blocks(b, e->content.blocks, e->content.n_blocks);
	if (!rc)
		rc = count_entry(b, e, err);
	if (rc)
		return rc;
	b->page = mem_grow(b->page, &b->cap_page, b->n_page + 1,
			   sizeof(*b->page));
	copy_entry(&b->arena, e, extents, n_extents, per_extent,
		   &b->page[b->n_page++]);
	b->page_size += entry_raw_size(&b->page[b->n_page - 1]);
	if (b->n_page == 1 || !span_equal(b->last_key.parent, e->parent))
		b->page_size += e->parent.len;
	rc = remember_key(b, e, err);
	if (!rc &&
	    (b->page_size >= b->opts.page_raw || b->n_page >= PAGE_ENTRIES_MAX))
		rc = flush_leaf(b, err);
	return rc;
}

static enum rc read_array(void *arg, uint32_t i, uint32_t n,
			  struct block_ref *ret, struct err *err)
{
	const struct block_ref *blocks = arg;

	(void)err;
	memcpy(ret, blocks + i, n * sizeof(*ret));
	return RC_OK;
}

enum rc shard_build_entry(struct shard_build *b, const struct entry *e,
			  struct err *err)
{
	const struct blocks_source all = {
		read_array, (void *)(uintptr_t)e->content.blocks
	};
	enum rc rc = check_entry(b, e, err);

	if (rc)
		return rc;
	return add_entry(
		b, e, e->content.n_blocks > SHARD_INLINE_BLOCKS ? &all : NULL,
		err);
}

enum rc shard_build_entry_of(struct shard_build *b, const struct entry *e,
			     shard_blocks_fn *fn, void *arg, struct err *err)
{
	const struct blocks_source from = { fn, arg };
	struct block_ref inlined[SHARD_INLINE_BLOCKS];
	struct entry full = *e;
	enum rc rc;

	if (e->content.n_blocks <= SHARD_INLINE_BLOCKS) {
		full.content.blocks = inlined;
		rc = fn(arg, 0, e->content.n_blocks, inlined, err);
		return rc ? rc : shard_build_entry(b, &full, err);
	}
	rc = check_entry(b, e, err);
	return rc ? rc : add_entry(b, e, &from, err);
}

/* --- the end -------------------------------------------------------------- */

static void hash_half(const void *p, size_t len, uint8_t out[BLOCK_HASH_LEN])
{
	uint8_t hash[SHA256_LEN];

	sha256_of(p, len, hash);
	memcpy(out, hash, BLOCK_HASH_LEN);
}

/* The bits into *filter, the hash of each partition into *dir. */
static enum rc build_filter(struct shard_build *b, struct buf *filter,
			    struct buf *dir, struct err *err)
{
	struct shard_footer *f = &b->footer;
	uint32_t n, size;
	uint8_t *bits;

	filter_layout(f->n_entries, &n, &size);
	f->filter.len = (uint64_t)n * size;
	f->filter_dir.len = (uint64_t)n * BLOCK_HASH_LEN;
	bits = buf_reserve(filter, f->filter.len);
	if (!bits)
		return err_set(err, RC_NOMEM, "no memory for a filter");
	memset(bits, 0, f->filter.len);
	for (size_t i = 0; i < b->n_hashes; i++)
		filter_add(bits + (size_t)filter_partition(b->hashes[i], n) *
					   size,
			   size, b->hashes[i]);
	hash_half(bits, f->filter.len, f->filter.hash);
	filter->len += f->filter.len;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t hash[BLOCK_HASH_LEN];

		hash_half(bits + (size_t)i * size, size, hash);
		buf_append(dir, hash, sizeof(hash));
	}
	if (!buf_ok(dir))
		return err_set(err, RC_NOMEM, "no memory for a filter");
	hash_half(dir->p, f->filter_dir.len, f->filter_dir.hash);
	return RC_OK;
}

/* The filter is before the index, so that the upper pages, which come last in
 * it, are near the end of the shard however many entries there are.
 */
static void place_sections(struct shard_footer *f)
{
	f->filter.off = f->data_off + f->data_len;
	f->index_off = f->filter.off + f->filter.len;
	f->filter_dir.off = f->index_off + f->index_len;
	f->info.off = f->filter_dir.off + f->filter_dir.len;
}

/* What follows the filter directory in *tail. */
static enum rc build_tail(struct shard_build *b, struct buf *tail,
			  struct err *err)
{
	struct shard_footer *f = &b->footer;
	struct shard_info info = shard_build_info(b);
	size_t begin = tail->len;

	shard_info_encode(&info, tail);
	if (!buf_ok(tail))
		return err_set(err, RC_NOMEM, "no memory for a shard's tail");
	f->info.len = tail->len - begin;
	hash_half(tail->p + begin, f->info.len, f->info.hash);
	place_sections(f);
	sha256_final(&b->logical, f->logical_root);
	shard_footer_encode(f, tail);
	if (!buf_ok(tail))
		return err_set(err, RC_NOMEM, "no memory for a shard's tail");
	return RC_OK;
}

static enum rc build_tree(struct shard_build *b, struct err *err)
{
	struct shard_footer *f = &b->footer;
	unsigned int level = 1;
	enum rc rc;

	rc = flush_leaf(b, err);
	while (!rc && b->leaves.n > 1)
		rc = build_level(b, &b->leaves, ++level, err);
	if (rc)
		return rc;
	if (b->leaves.n) {
		f->root_page = b->leaves.children[0].ref;
		f->levels = (uint8_t)level;
	}
	return RC_OK;
}

enum rc shard_build_finish(struct shard_build *b, struct shard_footer *ret,
			   uint64_t *ret_size, struct err *err)
{
	/* The filter has ten bits an entry; entries were counted in memory. */
	CLEANUP_BUF struct buf filter = { .max = SIZE_MAX / 2 };
	CLEANUP_BUF struct buf tail = { .max = SIZE_MAX / 2 };
	struct shard_footer *f = &b->footer;
	enum rc rc;

	if (b->finished)
		return err_set(err, RC_USAGE, "shard finished twice");
	b->finished = true;
	rc = build_tree(b, err);
	if (rc)
		return rc;
	if (b->first)
		b->last = copy_uid(&b->last_key, &b->last_len);
	f->dead_bytes = unused_bytes(&b->unused);
	rc = build_filter(b, &filter, &tail, err);
	if (!rc)
		rc = build_tail(b, &tail, err);
	if (!rc && filter.len)
		rc = b->sink.tail(b->sink.arg, filter.p, filter.len, err);
	if (!rc)
		rc = b->sink.flush_index(b->sink.arg, err);
	if (!rc)
		rc = b->sink.tail(b->sink.arg, tail.p, tail.len, err);
	if (rc)
		return rc;
	*ret = *f;
	*ret_size = f->info.off + f->info.len + SHARD_FOOTER_SIZE;
	return RC_OK;
}

struct shard_info shard_build_info(const struct shard_build *b)
{
	return (struct shard_info){ .first = span_of(b->first, b->first_len),
				    .last = span_of(b->last, b->last_len) };
}
