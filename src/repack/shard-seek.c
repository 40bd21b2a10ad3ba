/* SPDX-License-Identifier: Apache-2.0 */
/* shard-seek.c - a place in the index of one shard. */
#include "config.h"

#include "repack/shard-seek.h"

#include <string.h>

enum rc shard_seek_open(struct shard_seek *ret, struct store *st,
			const char *key, const uint8_t root[SHARD_ROOT_LEN],
			struct err *err)
{
	*ret = (struct shard_seek){ .at_end = true };
	if (raw_shard_open(&ret->shard, st, key, err)) {
		if (err->rc == RC_CORRUPT)
			return err_prefix(err, "%s", key);
		return err->rc;
	}
	if (root && memcmp(ret->shard.footer.root, root, SHARD_ROOT_LEN) != 0)
		return err_set(err, RC_CORRUPT,
			       "%s: its root is not the one the log says", key);
	return RC_OK;
}

void shard_seek_close(struct shard_seek *c)
{
	for (unsigned int i = 0; i < PAGE_LEVELS_MAX; i++)
		page_free(c->pages[i].page);
	*c = (struct shard_seek){ .at_end = true };
}

/* The page of that level, which stays until another takes its place. */
static enum rc load(struct shard_seek *c, unsigned int level,
		    const struct page_ref *ref, struct err *err)
{
	struct shard_seek_page *at = &c->pages[level - 1];
	struct page *page = NULL;

	if (at->page && at->ref.off == ref->off &&
	    !memcmp(at->ref.hash, ref->hash, sizeof(ref->hash)))
		return RC_OK;
	if (raw_shard_page(&c->shard, ref, &page, err))
		return err_prefix(
			err, "%s: index page at %llu", c->shard.key,
			(unsigned long long)(c->shard.footer.index_off +
					     ref->off));
	if (page_kind(page) != (level > 1 ? PAGE_NODE : PAGE_LEAF) ||
	    !page_count(page)) {
		page_free(page);
		return err_set(err, RC_CORRUPT,
			       "%s: an index page is of another kind",
			       c->shard.key);
	}
	page_free(at->page);
	*at = (struct shard_seek_page){ *ref, page };
	return RC_OK;
}

/* What is looked for: a key or an ordinal. */
struct target {
	bool by_ordinal;
	uint64_t ordinal;
	struct span parent, name;
};

static enum rc descend(struct shard_seek *c, const struct target *t,
		       struct err *err)
{
	const struct shard_footer *f = &c->shard.footer;
	struct page_ref ref = f->root_page;
	enum rc rc = load(c, f->levels, &ref, err);

	c->at_end = true;
	c->first = 0;
	for (unsigned int level = f->levels; !rc && level > 1; level--) {
		const struct page *node = c->pages[level - 1].page;
		struct page_child child;

		page_child(
			node,
			t->by_ordinal
				? page_child_for_ordinal(node, t->ordinal)
				: page_child_for_key(node, t->parent, t->name),
			&child);
		if (child.level != level - 1)
			return err_set(err, RC_CORRUPT,
				       "%s: index page of level %u, not %u",
				       c->shard.key, (unsigned int)child.level,
				       level - 1);
		c->first = child.first_ordinal;
		rc = load(c, level - 1, &child.ref, err);
	}
	return rc;
}

static void settle(struct shard_seek *c, uint32_t i)
{
	c->i = i;
	c->at_end = false;
	page_entry(c->pages[0].page, i, &c->e);
}

static enum rc go_to(struct shard_seek *c, uint64_t ordinal, struct err *err)
{
	const struct target t = { .by_ordinal = true, .ordinal = ordinal };

	c->at_end = true;
	if (ordinal >= c->shard.footer.n_entries)
		return RC_OK;
	if (descend(c, &t, err))
		return err->rc;
	if (ordinal < c->first ||
	    ordinal - c->first >= page_count(c->pages[0].page))
		return err_set(err, RC_CORRUPT,
			       "%s: entry %llu is not where it should be",
			       c->shard.key, (unsigned long long)ordinal);
	settle(c, (uint32_t)(ordinal - c->first));
	return RC_OK;
}

enum rc shard_seek_key(struct shard_seek *c, struct span parent,
		       struct span name, struct err *err)
{
	const struct target t = { .parent = parent, .name = name };
	uint32_t i;

	c->at_end = true;
	if (!c->shard.footer.levels)
		return RC_OK;
	if (descend(c, &t, err))
		return err->rc;
	i = page_lower_bound(c->pages[0].page, parent, name);
	if (i >= page_count(c->pages[0].page))
		return go_to(c, c->first + page_count(c->pages[0].page), err);
	settle(c, i);
	return RC_OK;
}

enum rc shard_seek_next(struct shard_seek *c, struct err *err)
{
	if (c->at_end)
		return RC_OK;
	if (c->i + 1 >= page_count(c->pages[0].page))
		return go_to(c, c->first + c->i + 1, err);
	settle(c, c->i + 1);
	return RC_OK;
}

bool shard_seek_is_at(const struct shard_seek *c, struct span parent,
		      struct span name)
{
	return !c->at_end && span_equal(c->e.name, name) &&
	       span_equal(c->e.parent, parent);
}
