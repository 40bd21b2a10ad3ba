/* SPDX-License-Identifier: Apache-2.0 */
/* shard-leaf.c - a leaf page decoded into rows that entries are views of.
 *
 * Rows are kept compact, since the page cache is bounded in bytes: what few
 * entries have stands in side tables.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/rd.h"
#include "shard/shard-columns.h"
#include "shard/shard-format.h"
#include "shard/shard-leaf-backend.h"

#define NO_EXTRA UINT32_MAX

struct leaf_row {
	int64_t created_at;
	int64_t mtime_s;
	uint64_t size;
	uint32_t name; /* offset in names */
	uint32_t mtime_ns, uid, gid;
	uint32_t parent; /* index in parents */
	uint32_t hash;   /* index in hashes, or NO_EXTRA */
	uint32_t extra;  /* index in extras, or NO_EXTRA */
	uint32_t n_blocks, tail_off;
	uint32_t first_block; /* index in blocks; in extents when there are many
			       */
	uint16_t name_len, mode, flags;
};

/* What few entries have. */
struct leaf_extra {
	int64_t opaque_since;
	struct span target, xattrs, meta;
	uint8_t link_group[LINK_GROUP_LEN];
	uint32_t nlink, rdev_major, rdev_minor;
	uint32_t block_size, per_extent, n_extents;
};

struct leaf {
	uint32_t count;
	struct leaf_row *rows;
	struct span *parents;
	uint32_t n_parents;
	struct leaf_extra *extras;
	size_t n_extras, cap_extras;
	struct block_ref *blocks;
	uint32_t n_blocks;
	struct page_ref *extents;
	size_t n_extents, cap_extents;
	/* Copy of the page from its hashes on: they come first, targets and
	 * extended attributes point into what follows.
	 */
	char *hashes;
	size_t hashes_len;
	struct arena dirs; /* the parents, expanded */
	char *names;       /* likewise */
	size_t names_len;
};

static enum rc ill_formed(const char *what, struct err *err)
{
	return err_set(err, RC_CORRUPT, "index page: ill-formed %s", what);
}

static enum rc no_memory(struct err *err)
{
	return err_set(err, RC_NOMEM, "no memory for an index page");
}

static struct leaf_extra *extra_of(struct leaf *l, uint32_t i)
{
	struct leaf_row *row = &l->rows[i];

	if (row->extra == NO_EXTRA) {
		l->extras = mem_grow(l->extras, &l->cap_extras, l->n_extras + 1,
				     sizeof(*l->extras));
		memset(&l->extras[l->n_extras], 0, sizeof(*l->extras));
		row->extra = (uint32_t)l->n_extras++;
	}
	return &l->extras[row->extra];
}

static enum rc read_blocks(struct leaf *l, struct rd *r, struct err *err)
{
	l->n_blocks = (uint32_t)rd_varint_max(r, PAGE_BLOCKS_MAX);
	l->blocks = mem_array(l->n_blocks, sizeof(*l->blocks));
	if (!l->blocks)
		return no_memory(err);
	block_table_decode(r, l->blocks, l->n_blocks);
	return rd_ok(r) ? RC_OK : ill_formed("block table", err);
}

/* Bytes of the parents when they are expanded, at most. */
static size_t parents_size(struct rd r, uint32_t n)
{
	size_t size = 0;

	for (uint32_t i = 0; i < n; i++) {
		rd_varint(&r);
		size += rd_varint_max(&r, UID_MAX_LEN);
		size += string_decode(&r, UID_MAX_LEN).len;
	}
	return size;
}

static enum rc read_parents(struct leaf *l, struct rd *r, struct err *err)
{
	struct span last = { 0 };
	uint64_t row = 0;

	l->n_parents = (uint32_t)rd_varint_max(r, l->count);
	l->parents = xcalloc(l->n_parents, sizeof(*l->parents));
	l->dirs.cap = parents_size(*r, l->n_parents);
	if (l->dirs.cap > PAGE_RAW_MAX)
		return ill_formed("parents", err);
	l->dirs.p = mem_array(l->dirs.cap, 1);
	if (!l->dirs.p)
		return no_memory(err);
	for (uint32_t i = 0; i < l->n_parents; i++) {
		uint64_t n = rd_varint_max(r, l->count - row);

		if (!n || !front_decode(r, last, &l->dirs, &l->parents[i]) ||
		    (i && span_compare(last, l->parents[i]) >= 0))
			return ill_formed("parents", err);
		for (uint64_t k = 0; k < n; k++)
			l->rows[row++].parent = i;
		last = l->parents[i];
	}
	if (!rd_ok(r) || row != l->count)
		return ill_formed("parents", err);
	return RC_OK;
}

/* Lengths first, then all bytes. */
static enum rc read_name_lengths(struct leaf *l, struct rd *r, uint32_t *shared,
				 struct err *err)
{
	struct leaf_row *rows = l->rows;
	size_t total = 0;

	for (uint32_t i = 0; i < l->count; i++)
		shared[i] = (uint32_t)rd_varint_max(r, UID_MAX_LEN);
	for (uint32_t i = 0; i < l->count; i++) {
		bool follows = i && rows[i].parent == rows[i - 1].parent;
		uint64_t len = rd_varint_max(r, UID_MAX_LEN) + shared[i];

		if (shared[i] > (follows ? rows[i - 1].name_len : 0) ||
		    len > UID_MAX_LEN)
			return ill_formed("names", err);
		rows[i].name_len = (uint16_t)len;
		rows[i].name = (uint32_t)total;
		total += len;
		/* Together they take at most what a page may hold raw. */
		if (total > PAGE_RAW_MAX - l->dirs.used)
			return ill_formed("names", err);
	}
	l->names_len = total;
	return rd_ok(r) ? RC_OK : ill_formed("names", err);
}

static enum rc read_names(struct leaf *l, struct rd *r, struct err *err)
{
	CLEANUP_FREE uint32_t *shared = xcalloc(l->count, sizeof(*shared));
	const struct leaf_row *rows = l->rows;

	if (read_name_lengths(l, r, shared, err))
		return err->rc;
	l->names = mem_array(l->names_len, 1);
	if (!l->names)
		return no_memory(err);
	for (uint32_t i = 0; i < l->count; i++) {
		size_t rest = rows[i].name_len - shared[i];
		const uint8_t *p = rd_take(r, rest);
		char *to = l->names + rows[i].name;

		if (!p)
			return ill_formed("names", err);
		if (shared[i])
			memcpy(to, l->names + rows[i - 1].name, shared[i]);
		memcpy(to + shared[i], p, rest);
	}
	return RC_OK;
}

static enum rc read_flags(struct leaf *l, struct rd *r, struct err *err)
{
	uint32_t n_hashes = 0;

	for (uint32_t i = 0; i < l->count; i++) {
		uint32_t flags = (uint32_t)rd_varint_max(r, FLAG_ALL);

		l->rows[i].flags = (uint16_t)flags;
		l->rows[i].extra = NO_EXTRA;
		l->rows[i].hash = flags & FLAG_HASH ? n_hashes++ : NO_EXTRA;
	}
	return rd_ok(r) ? RC_OK : ill_formed("flags", err);
}

static enum rc read_attributes(struct leaf *l, struct rd *r, struct err *err)
{
	struct leaf_row *rows = l->rows;
	uint64_t last = 0;

	for (uint32_t i = 0; i < l->count; i++) {
		last += (uint64_t)rd_zigzag(r);
		rows[i].created_at = (int64_t)last;
	}
	for (uint32_t i = 0; i < l->count; i++)
		rows[i].mode = (uint16_t)rd_varint_max(r, 07777);
	for (uint32_t i = 0; i < l->count; i++)
		rows[i].uid = (uint32_t)rd_varint_max(r, UINT32_MAX);
	for (uint32_t i = 0; i < l->count; i++)
		rows[i].gid = (uint32_t)rd_varint_max(r, UINT32_MAX);
	last = 0;
	for (uint32_t i = 0; i < l->count; i++) {
		last += (uint64_t)rd_zigzag(r);
		rows[i].mtime_s = (int64_t)last;
	}
	for (uint32_t i = 0; i < l->count; i++)
		rows[i].mtime_ns = rd_u32(r);
	for (uint32_t i = 0; i < l->count; i++)
		rows[i].size = rd_varint_max(r, INT64_MAX);
	return rd_ok(r) ? RC_OK : ill_formed("attributes", err);
}

static bool is_type(const struct leaf_row *row, enum entry_type type)
{
	return (row->flags & FLAG_TYPE_MASK) == (uint32_t)type;
}

static void read_extents(struct leaf *l, struct rd *r, uint32_t i)
{
	struct leaf_row *row = &l->rows[i];
	struct leaf_extra *x = extra_of(l, i);

	x->per_extent = (uint32_t)rd_varint_max(r, EXTENT_BLOCKS_MAX);
	if (!x->per_extent) {
		rd_fail(r);
		return;
	}
	x->n_extents = (row->n_blocks - 1) / x->per_extent + 1;
	if (x->n_extents > EXTENTS_MAX) {
		rd_fail(r);
		return;
	}
	row->first_block = (uint32_t)l->n_extents;
	l->extents = mem_grow(l->extents, &l->cap_extents,
			      l->n_extents + x->n_extents, sizeof(*l->extents));
	memset(l->extents + l->n_extents, 0,
	       x->n_extents * sizeof(*l->extents));
	page_refs_decode(r, l->extents + l->n_extents, x->n_extents);
	l->n_extents += x->n_extents;
}

static void read_block_counts(struct leaf *l, struct rd *r)
{
	struct leaf_row *rows = l->rows;

	for (uint32_t i = 0; i < l->count; i++)
		if (is_type(&rows[i], ENTRY_REG))
			rows[i].n_blocks =
				(uint32_t)rd_varint_max(r, INT32_MAX);
	for (uint32_t i = 0; i < l->count; i++)
		if (rows[i].n_blocks > 1)
			extra_of(l, i)->block_size =
				(uint32_t)rd_varint_max(r, BLOCK_SIZE_MAX);
	for (uint32_t i = 0; i < l->count; i++)
		if (rows[i].n_blocks)
			rows[i].tail_off =
				(uint32_t)rd_varint_max(r, BLOCK_SIZE_MAX);
}

static enum rc read_contents(struct leaf *l, struct rd *r, struct err *err)
{
	struct leaf_row *rows = l->rows;
	uint64_t last = 0;

	read_block_counts(l, r);
	for (uint32_t i = 0; i < l->count; i++) {
		uint64_t n = rows[i].n_blocks, at;

		if (!n || n > SHARD_INLINE_BLOCKS)
			continue;
		at = last + (uint64_t)rd_zigzag(r);
		if (at > l->n_blocks || n > l->n_blocks - at)
			return ill_formed("block numbers", err);
		rows[i].first_block = (uint32_t)at;
		last = at + n - 1;
	}
	for (uint32_t i = 0; i < l->count && rd_ok(r); i++)
		if (rows[i].n_blocks > SHARD_INLINE_BLOCKS)
			read_extents(l, r, i);
	return rd_ok(r) ? RC_OK : ill_formed("content", err);
}

/* From here on the reader reads our copy, since what follows points into it. */
static enum rc read_hashes(struct leaf *l, struct rd *r, struct err *err)
{
	size_t n = 0;

	l->hashes_len = r->left;
	l->hashes = mem_array(r->left, 1);
	if (!l->hashes)
		return no_memory(err);
	memcpy(l->hashes, r->p, r->left);
	r->p = (const uint8_t *)l->hashes;
	for (uint32_t i = 0; i < l->count; i++)
		n += l->rows[i].hash != NO_EXTRA;
	return rd_take(r, n * ENTRY_HASH_LEN) ? RC_OK
					      : ill_formed("hashes", err);
}

/* Each list stands once, in the order of first use.  What they are expanded,
 * each entry with its own, is bounded as what the names are.
 */
static enum rc read_xattrs(struct leaf *l, struct rd *r, struct err *err)
{
	size_t n = rd_varint_max(r, l->count), n_used = 0, expanded = 0;
	CLEANUP_FREE struct span *lists = xcalloc(n, sizeof(*lists));

	for (size_t i = 0; i < n; i++)
		lists[i] = string_decode(r, XATTRS_MAX);
	for (uint32_t i = 0; i < l->count; i++) {
		uint64_t k;

		if (!(l->rows[i].flags & FLAG_XATTRS))
			continue;
		k = rd_varint_max(r, n_used);
		if (!rd_ok(r) || k >= n)
			return ill_formed("extended attributes", err);
		n_used += k == n_used;
		expanded += lists[k].len;
		extra_of(l, i)->xattrs = lists[k];
	}
	if (!rd_ok(r) || n_used != n || expanded > PAGE_RAW_MAX)
		return ill_formed("extended attributes", err);
	return RC_OK;
}

static void read_strings(struct leaf *l, struct rd *r)
{
	struct leaf_row *rows = l->rows;

	for (uint32_t i = 0; i < l->count; i++) {
		const uint8_t *p;

		if (!is_type(&rows[i], ENTRY_SYMLINK))
			continue;
		if (rows[i].size > LINK_TARGET_MAX)
			rd_fail(r);
		p = rd_take(r, rows[i].size);
		if (p)
			extra_of(l, i)->target = span_of(p, rows[i].size);
	}
	for (uint32_t i = 0; i < l->count; i++) {
		if (!is_type(&rows[i], ENTRY_CHR) &&
		    !is_type(&rows[i], ENTRY_BLK))
			continue;
		extra_of(l, i)->rdev_major =
			(uint32_t)rd_varint_max(r, UINT32_MAX);
		extra_of(l, i)->rdev_minor =
			(uint32_t)rd_varint_max(r, UINT32_MAX);
	}
}

static void read_link_groups(struct leaf *l, struct rd *r)
{
	for (uint32_t i = 0; i < l->count; i++) {
		const uint8_t *p;

		if (!(l->rows[i].flags & FLAG_GROUP))
			continue;
		p = rd_take(r, LINK_GROUP_LEN);
		if (p)
			memcpy(extra_of(l, i)->link_group, p, LINK_GROUP_LEN);
	}
}

static enum rc read_rare(struct leaf *l, struct rd *r, struct err *err)
{
	struct leaf_row *rows = l->rows;

	for (uint32_t i = 0; i < l->count; i++)
		if (rows[i].flags & FLAG_OPAQUE)
			extra_of(l, i)->opaque_since = rd_zigzag(r);
	read_strings(l, r);
	read_link_groups(l, r);
	for (uint32_t i = 0; i < l->count; i++)
		if (rows[i].flags & FLAG_NLINK)
			extra_of(l, i)->nlink =
				(uint32_t)rd_varint_max(r, UINT32_MAX);
	for (uint32_t i = 0; i < l->count; i++)
		if (rows[i].flags & FLAG_META)
			extra_of(l, i)->meta = string_decode(r, META_MAX);
	return read_xattrs(l, r, err);
}

static enum rc check_entries(const struct leaf *l, struct err *err)
{
	struct entry last, e;

	for (uint32_t i = 0; i < l->count; i++) {
		struct entry probe = { 0 };

		if (!entry_set_flags(&probe, l->rows[i].flags))
			return ill_formed("flags", err);
		leaf_entry(l, i, &e);
		if (entry_flags(&e) != l->rows[i].flags)
			return ill_formed("flags", err);
		if (!entry_is_sound(&e))
			return ill_formed("entry", err);
		if (i && entry_compare(&last, &e) >= 0)
			return err_set(err, RC_CORRUPT,
				       "index page: entries out of order");
		last = e;
	}
	return RC_OK;
}

static enum rc read_columns(struct leaf *l, const uint8_t *raw, size_t len,
			    struct err *err)
{
	struct rd r = { .p = raw, .left = len };
	enum rc rc;

	rc = read_blocks(l, &r, err);
	if (!rc)
		rc = read_parents(l, &r, err);
	if (!rc)
		rc = read_names(l, &r, err);
	if (!rc)
		rc = read_flags(l, &r, err);
	if (!rc)
		rc = read_attributes(l, &r, err);
	if (!rc)
		rc = read_contents(l, &r, err);
	if (!rc)
		rc = read_hashes(l, &r, err);
	if (!rc)
		rc = read_rare(l, &r, err);
	if (!rc && (!rd_ok(&r) || r.left))
		rc = ill_formed("end", err);
	return rc ? rc : check_entries(l, err);
}

static void free_leaf(struct leaf **l)
{
	leaf_free(*l);
}

enum rc leaf_decode(const uint8_t *raw, size_t len, uint32_t count,
		    struct leaf **ret, struct err *err)
{
	CLEANUP(free_leaf) struct leaf *l = NULL;

	/* A row takes more than eight bytes of the page. */
	if (count > len / 8)
		return ill_formed("count", err);
	l = xcalloc(1, sizeof(*l));
	l->count = count;
	l->rows = mem_array(count, sizeof(*l->rows));
	if (!l->rows)
		return no_memory(err);
	memset(l->rows, 0, count * sizeof(*l->rows));
	if (read_columns(l, raw, len, err))
		return err->rc;
	*ret = STEAL_PTR(l);
	return RC_OK;
}

void leaf_free(struct leaf *l)
{
	if (!l)
		return;
	free(l->rows);
	free(l->parents);
	free(l->extras);
	free(l->blocks);
	free(l->extents);
	free(l->hashes);
	free(l->dirs.p);
	free(l->names);
	free(l);
}

size_t leaf_memory(const struct leaf *l)
{
	return sizeof(*l) + l->count * sizeof(*l->rows) +
	       l->n_parents * sizeof(*l->parents) +
	       l->cap_extras * sizeof(*l->extras) +
	       l->n_blocks * sizeof(*l->blocks) +
	       l->cap_extents * sizeof(*l->extents) + l->hashes_len +
	       l->dirs.cap + l->names_len;
}

static void entry_content(const struct leaf *l, const struct leaf_row *row,
			  const struct leaf_extra *x, struct content *ret)
{
	ret->n_blocks = row->n_blocks;
	ret->tail_off = row->tail_off;
	if (!row->n_blocks)
		return;
	if (row->n_blocks <= SHARD_INLINE_BLOCKS) {
		ret->blocks = l->blocks + row->first_block;
		ret->block_size = row->n_blocks > 1 ? x->block_size
						    : ret->blocks->data_len;
		return;
	}
	ret->block_size = x->block_size;
	ret->extents = l->extents + row->first_block;
	ret->n_extents = x->n_extents;
	ret->per_extent = x->per_extent;
}

static struct span row_name(const struct leaf *l, const struct leaf_row *row)
{
	return span_of(l->names + row->name, row->name_len);
}

void leaf_entry(const struct leaf *l, uint32_t i, struct entry *ret)
{
	static const struct leaf_extra none;
	const struct leaf_row *row = &l->rows[i];
	const struct leaf_extra *x =
		row->extra == NO_EXTRA ? &none : &l->extras[row->extra];

	*ret = (struct entry){
		.parent = l->parents[row->parent],
		.name = row_name(l, row),
		.created_at = row->created_at,
		.type = (enum entry_type)(row->flags & FLAG_TYPE_MASK),
		.implicit = row->flags & FLAG_IMPLICIT,
		.has_opaque = row->flags & FLAG_OPAQUE,
		.has_hash = row->flags & FLAG_HASH,
		.mode = row->mode,
		.uid = row->uid,
		.gid = row->gid,
		.mtime_s = row->mtime_s,
		.mtime_ns = row->mtime_ns,
		.size = row->size,
		.opaque_since = x->opaque_since,
		.target = x->target,
		.rdev_major = x->rdev_major,
		.rdev_minor = x->rdev_minor,
		.xattrs = x->xattrs,
		.meta = x->meta,
	};
	ret->nlink =
		row->flags & FLAG_NLINK ? x->nlink : nlink_default(ret->type);
	if (ret->has_hash)
		memcpy(ret->sha256,
		       l->hashes + (size_t)row->hash * ENTRY_HASH_LEN,
		       ENTRY_HASH_LEN);
	memcpy(ret->link_group, x->link_group, LINK_GROUP_LEN);
	entry_content(l, row, x, &ret->content);
}

uint32_t leaf_lower_bound(const struct leaf *l, struct span parent,
			  struct span name)
{
	uint32_t low = 0, high = l->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct leaf_row *row = &l->rows[mid];

		if (entry_key_compare(l->parents[row->parent], row_name(l, row),
				      parent, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
