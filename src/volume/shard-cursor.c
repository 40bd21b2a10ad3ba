/* SPDX-License-Identifier: Apache-2.0 */
/* shard-cursor.c - a place in the index of one shard. */
#include "config.h"

#include "volume/shard-cursor.h"

#include "cache/block-cache.h"

/* What is looked for: a key, or an ordinal. */
struct target {
	bool by_ordinal;
	uint64_t ordinal;
	struct span parent, name;
};

enum rc shard_cursor_open(struct shard_cursor *ret, struct shard_env *env,
			  const struct shard_file *sf, struct err *err)
{
	*ret = (struct shard_cursor){ .at_end = true };
	return shard_handle_open(&ret->h, env, sf, err);
}

static void leave_leaf(struct shard_cursor *c)
{
	block_cache_unref(c->leaf);
	c->leaf = NULL;
	c->page = NULL;
	c->at_end = true;
}

void shard_cursor_close(struct shard_cursor *c)
{
	leave_leaf(c);
	shard_handle_release(&c->h);
}

/* The child to go to.  All versions of a key are looked for from its first, so
 * the child before the one that begins with the key counts, unless all entries
 * of the shard are of one time and so no key has two.
 */
static uint32_t choose_child(const struct shard_cursor *c,
			     const struct page *page,
			     const struct target *target)
{
	const struct shard_footer *f = &c->h.tail->footer;
	struct page_child next;
	uint32_t i;

	if (target->by_ordinal)
		return page_child_for_ordinal(page, target->ordinal);
	i = page_child_for_key(page, target->parent, target->name);
	if (f->created_min == f->created_max && i + 1 < page_count(page)) {
		page_child(page, i + 1, &next);
		if (!entry_key_compare(next.parent, next.name, target->parent,
				       target->name))
			i++;
	}
	return i;
}

/* The reference in a node to follow; *first becomes the ordinal it begins with.
 */
static enum rc follow(const struct shard_cursor *c, const struct page *node,
		      const struct target *target, unsigned int level,
		      struct page_ref *ret, uint64_t *first, struct err *err)
{
	const struct shard_footer *f = &c->h.tail->footer;
	struct page_child child;

	page_child(node, choose_child(c, node, target), &child);
	if (child.level != level - 1)
		return err_set(
			err, RC_CORRUPT,
			"%s: index page at %llu is of level %u, not %u",
			c->h.sf->meta.key,
			(unsigned long long)(f->index_off + child.ref.off),
			(unsigned int)child.level, level - 1);
	*ret = child.ref;
	*first = child.first_ordinal;
	return RC_OK;
}

/* From the root page to a leaf, which the cursor then holds. */
static enum rc descend(struct shard_cursor *c, const struct target *target,
		       struct err *err)
{
	const struct shard_tail *t = c->h.tail;
	struct page_ref ref = t->footer.root_page;
	unsigned int level = t->footer.levels;
	struct block_cache_item *item = NULL;
	enum rc rc = RC_OK;

	leave_leaf(c);
	c->first = 0;
	if (t->root)
		rc = follow(c, t->root, target, level--, &ref, &c->first, err);
	for (; !rc && level > 1; level--) {
		rc = shard_handle_page(&c->h, &ref, PAGE_NODE, &item, err);
		if (rc)
			return rc;
		rc = follow(c, block_cache_object(item), target, level, &ref,
			    &c->first, err);
		block_cache_unref(item);
	}
	if (!rc)
		rc = shard_handle_page(&c->h, &ref, PAGE_LEAF, &item, err);
	if (rc)
		return rc;
	c->leaf = item;
	c->page = block_cache_object(item);
	return RC_OK;
}

static void settle(struct shard_cursor *c, uint32_t i)
{
	c->i = i;
	c->at_end = false;
	page_entry(c->page, i, &c->e);
}

enum rc shard_cursor_goto(struct shard_cursor *c, uint64_t ordinal,
			  struct err *err)
{
	const struct target target = { .by_ordinal = true, .ordinal = ordinal };
	const struct shard_footer *f = &c->h.tail->footer;
	enum rc rc;

	if (ordinal >= f->n_entries || !f->levels) {
		leave_leaf(c);
		return RC_OK;
	}
	rc = descend(c, &target, err);
	if (rc)
		return rc;
	if (ordinal < c->first || ordinal - c->first >= page_count(c->page)) {
		rc = err_set(err, RC_CORRUPT,
			     "%s: entry %llu is not in the page from %llu on",
			     c->h.sf->meta.key, (unsigned long long)ordinal,
			     (unsigned long long)c->first);
		leave_leaf(c);
		return shard_env_note(c->h.env, rc);
	}
	settle(c, (uint32_t)(ordinal - c->first));
	return RC_OK;
}

enum rc shard_cursor_seek(struct shard_cursor *c, struct span parent,
			  struct span name, struct err *err)
{
	const struct target target = { .parent = parent, .name = name };
	uint32_t i;
	enum rc rc;

	if (!c->h.tail->footer.levels) {
		leave_leaf(c);
		return RC_OK;
	}
	rc = descend(c, &target, err);
	if (rc)
		return rc;
	i = page_lower_bound(c->page, parent, name);
	if (i >= page_count(c->page))
		return shard_cursor_goto(c, c->first + page_count(c->page),
					 err);
	settle(c, i);
	return RC_OK;
}

enum rc shard_cursor_next(struct shard_cursor *c, struct err *err)
{
	if (c->at_end)
		return RC_OK;
	if (c->i + 1 >= page_count(c->page))
		return shard_cursor_goto(c, c->first + c->i + 1, err);
	settle(c, c->i + 1);
	return RC_OK;
}

bool shard_cursor_is_at(const struct shard_cursor *c, struct span parent,
			struct span name)
{
	return !c->at_end && span_equal(c->e.name, name) &&
	       span_equal(c->e.parent, parent);
}
