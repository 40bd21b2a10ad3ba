/* SPDX-License-Identifier: Apache-2.0 */
/* volume-list.c - listing a directory of the tree view: shards merged, one of
 * each name.
 */
#include "config.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "shard/shard-filter.h"
#include "volume/volume-hide.h"
#include "volume/volume-list.h"
#include "volume/volume-merge.h"
#include "volume/volume-state.h"

/* A shard with children of a directory has an entry of the directory too, so
 * its filter tells whether to look.
 */
enum rc volume_list_add(struct volume_merge *m, struct volume *v,
			const struct volume_listing *l,
			const struct shard_file *sf, struct span from,
			struct err *err)
{
	CLEANUP_CURSOR struct shard_cursor c = { 0 };
	bool may = true;
	enum rc rc;

	if (!shard_file_may_have_children(sf, l->uid))
		return RC_OK;
	rc = shard_cursor_open(&c, &v->env, sf, err);
	if (!rc && l->uid.len)
		rc = shard_handle_may_contain(
			&c.h, filter_hash(l->dir->e.parent, l->dir->e.name),
			false, &may, err);
	if (!rc && may)
		rc = shard_cursor_seek(&c, l->uid, from, err);
	if (!rc && !c.at_end && span_equal(c.e.parent, l->uid))
		volume_merge_add(m, &c);
	return rc;
}

const struct shard_cursor *volume_list_top(const struct volume_merge *m,
					   const struct volume_listing *l)
{
	const struct shard_cursor *c = volume_merge_top(m);

	return c && span_equal(c->e.parent, l->uid) ? c : NULL;
}

bool volume_list_is_native(const struct shard_cursor *c)
{
	CLEANUP_FREE char *p = NULL;
	struct span uid;

	if (c->e.type != ENTRY_DIR)
		return true;
	p = volume_uid(c->e.parent, c->e.name, &uid);
	return shard_file_owns(c->h.sf, uid);
}

/* Gather all versions of the next name, and show the one that is chosen. */
static enum rc show_next(struct volume *v, const struct view *view,
			 struct volume_merge *m, const struct volume_listing *l,
			 bool *ret_more, struct err *err)
{
	const struct shard_cursor *c = volume_list_top(m, l);
	int64_t since =
		l->dir->e.has_opaque ? l->dir->e.opaque_since : INT64_MIN;
	struct volume_entry first, *ve = NULL;
	struct volume_pick pick = { 0 };
	enum rc rc = RC_OK;

	volume_entry_init(&first, c, false);
	for (; !rc && c && span_equal(c->e.name, first.e.name);
	     c = volume_list_top(m, l)) {
		if (c->e.created_at >= since && volume_list_is_native(c))
			volume_pick_offer(&pick, view, c);
		rc = volume_merge_next(m, err);
	}
	if (!rc)
		rc = volume_pick_choose(v, view, &pick, &ve, err);
	*ret_more = true;
	if (!rc && ve && ve->e.type != ENTRY_WHITEOUT &&
	    volume_name_ok(ve->e.name))
		*ret_more =
			l->fn(l->arg, ve->e.name, ve, volume_cookie(ve->node));
	volume_pick_release(&pick);
	volume_entry_release(&first);
	return rc;
}

/* The least name above the one shown last. */
static struct span name_above(const struct volume_entry *after, char **ret_free)
{
	struct span name = after->e.name;

	*ret_free = xmemdup0(name.p, name.len);
	return span_of(*ret_free, name.len + 1);
}

enum rc volume_tree_list(struct volume *v, const struct view *view,
			 const struct volume_listing *l, struct err *err)
{
	struct view_walk walk = view_walk_children(view, l->uid);
	struct volume_merge m = { 0 };
	const struct shard_file *sf;
	struct span from = span_of("", 0);
	CLEANUP_FREE char *p = NULL;
	bool more = true;
	enum rc rc = RC_OK;

	if (l->after)
		from = name_above(l->after, &p);
	for (sf = view_walk_next(&walk); sf && !rc; sf = view_walk_next(&walk))
		rc = volume_list_add(&m, v, l, sf, from, err);
	while (!rc && more && volume_list_top(&m, l))
		rc = show_next(v, view, &m, l, &more, err);
	volume_merge_release(&m);
	return rc;
}
