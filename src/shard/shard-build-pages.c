/* SPDX-License-Identifier: Apache-2.0 */
/* shard-build-pages.c - entries in order, to leaf pages and the tree above.
 *
 * Entries wait in the page that is being filled, deep-copied; a full page is
 * encoded and handed to the index end of the sink, and its first key goes to
 * the level above, which is done the same way when the shard is finished.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "shard/shard-build-backend.h"
#include "shard/shard-format.h"

/* A node takes this many children before its size is looked at, so that the
 * tree narrows whatever the length of the keys.
 */
#define NODE_CHILDREN_MIN 16u

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

void shard_build_free_pages(struct shard_build *b)
{
	free(b->page);
	arena_release(&b->arena);
	free_level(&b->leaves);
}

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
		       const struct extents *extents, struct entry *ret)
{
	struct content *c = &ret->content;
	size_t n_refs = extents->n ? 0 : e->content.n_blocks;
	size_t blocks = n_refs * sizeof(struct block_ref);
	size_t pages = extents->n * sizeof(struct page_ref);
	size_t strings = e->parent.len + e->name.len + e->target.len +
			 e->xattrs.len + e->meta.len;
	char *to = arena_alloc(a, blocks + pages + strings);

	*ret = *e;
	c->blocks = NULL;
	c->extents = NULL;
	c->n_extents = extents->n;
	c->per_extent = extents->per;
	if (blocks) {
		memcpy(to, e->content.blocks, blocks);
		c->blocks = (struct block_ref *)(void *)to;
	}
	if (pages) {
		memcpy(to, extents->refs, pages);
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

struct page_build shard_build_next_page(const struct shard_build *b)
{
	return (struct page_build){ .codec = b->opts.codec,
				    .level = b->opts.level,
				    .off = b->footer.index_len };
}

enum rc shard_build_write_page(struct shard_build *b, const struct buf *page,
			       struct err *err)
{
	b->footer.index_len += page->len;
	return b->sink.index(b->sink.arg, page->p, page->len, err);
}

static enum rc flush_leaf(struct shard_build *b, struct err *err)
{
	CLEANUP_BUF struct buf out = { .max = 2 * PAGE_RAW_MAX };
	struct page_build pb = shard_build_next_page(b);
	struct page_ref ref;
	enum rc rc;

	if (!b->n_page)
		return RC_OK;
	rc = page_build_leaf(&pb, b->page, (uint32_t)b->n_page, &out, &ref,
			     err);
	if (!rc)
		rc = shard_build_write_page(b, &out, err);
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
		struct page_build pb = shard_build_next_page(b);
		size_t end = i, size = 0;
		struct page_ref ref;

		while (end < l->n &&
		       (end - i < NODE_CHILDREN_MIN || size < b->opts.page_raw))
			size += child_size(&l->children[end++]);
		rc = page_build_node(&pb, l->children + i, (uint32_t)(end - i),
				     level, &out, &ref, err);
		if (!rc)
			rc = shard_build_write_page(b, &out, err);
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

enum rc shard_build_add_to_page(struct shard_build *b, const struct entry *e,
				const struct extents *extents, struct err *err)
{
	struct entry *copy;

	b->page = mem_grow(b->page, &b->cap_page, b->n_page + 1,
			   sizeof(*b->page));
	copy = &b->page[b->n_page++];
	copy_entry(&b->arena, e, extents, copy);
	b->page_size += entry_raw_size(copy);
	if (b->n_page == 1 || !span_equal(b->last_key.parent, e->parent))
		b->page_size += e->parent.len;
	if (b->page_size < b->opts.page_raw && b->n_page < PAGE_ENTRIES_MAX)
		return RC_OK;
	return flush_leaf(b, err);
}

enum rc shard_build_tree(struct shard_build *b, struct err *err)
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
