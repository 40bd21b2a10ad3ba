/* SPDX-License-Identifier: Apache-2.0 */
/* volume-changes.c - what a refresh may have changed, and the nodes of a uid.
 */
#include "config.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/compiler.h"
#include "erase/tombstone-set.h"
#include "shard/route.h"
#include "shard/shard-filter.h"
#include "volume/volume-state.h"

bool volume_routes_by_uid(const struct volume *v)
{
	return v->descriptor.route == ROUTE_UID;
}

struct view *volume_mark(struct volume *v)
{
	return volume_view(v);
}

void volume_mark_release(struct view *mark)
{
	view_unref(mark);
}

uint64_t volume_generation(const struct volume *v)
{
	return atomic_load(&v->generation);
}

void volume_mark_deleted(const struct view *before, const struct view *after,
			 volume_uid_fn *fn, void *arg)
{
	struct tombstone_diff ways[] = {
		{ .before = before->deleted, .after = after->deleted },
		{ .before = after->deleted, .after = before->deleted },
	};
	struct tombstone_uid t;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		while (tombstone_diff_next(&ways[i], &t)) {
			if (!fn(arg, t.uid))
				return;
		}
	}
}

/* Ordinals only grow, and a shard gets its own before it is first in a view. */
uint32_t volume_shard_bound(struct volume *v)
{
	CLEANUP_VIEW struct view *view = volume_view(v);
	uint32_t bound = 0;

	for (size_t i = 0; i < view->n_shards; i++) {
		if (view->by_day[i]->ordinal >= bound)
			bound = view->by_day[i]->ordinal + 1;
	}
	return bound;
}

static enum rc walk_shard(struct volume *v, const struct shard_file *sf,
			  volume_change_fn *fn, void *arg, bool *ret_more,
			  struct err *err)
{
	CLEANUP_CURSOR struct shard_cursor c = { 0 };
	enum rc rc;

	rc = shard_cursor_open(&c, &v->env, sf, err);
	if (!rc)
		rc = shard_cursor_goto(&c, 0, err);
	while (!rc && *ret_more && !c.at_end) {
		struct volume_entry ve;

		volume_entry_init(&ve, &c, false);
		*ret_more = fn(arg, &ve);
		volume_entry_release(&ve);
		rc = shard_cursor_next(&c, err);
	}
	return rc;
}

enum rc volume_changes(struct volume *v, uint32_t first, volume_change_fn *fn,
		       void *arg, struct err *err)
{
	CLEANUP_VIEW struct view *view = volume_view(v);
	enum rc worst = RC_OK;
	struct err other;
	bool more = true;

	/* A damaged shard costs its own entries; a store that does not answer
	 * would cost its time for each of them.
	 */
	for (size_t i = 0; i < view->n_shards && more; i++) {
		struct err *one = worst ? &other : err;
		enum rc rc;

		if (view->by_day[i]->ordinal < first)
			continue;
		rc = walk_shard(v, view->by_day[i], fn, arg, &more, one);
		if (rc_is_transient(rc)) {
			*err = *one;
			return rc;
		}
		if (rc && !worst)
			worst = rc;
	}
	return worst;
}

/* All versions of one uid in one shard. */
struct versions {
	struct volume *v;
	struct span parent, name;
	uint64_t hash;
	bool date;
	volume_change_fn *fn;
	void *arg;
};

static enum rc offer_shard(const struct versions *s,
			   const struct shard_file *sf, bool *ret_more,
			   struct err *err)
{
	CLEANUP_CURSOR struct shard_cursor c = { 0 };
	bool may = true;
	enum rc rc;

	if (!shard_file_may_have_key(sf, s->parent, s->name))
		return RC_OK;
	rc = shard_cursor_open(&c, &s->v->env, sf, err);
	if (!rc)
		rc = shard_handle_may_contain(&c.h, s->hash, false, &may, err);
	if (rc || !may)
		return rc;
	rc = shard_cursor_seek(&c, s->parent, s->name, err);
	while (!rc && *ret_more && shard_cursor_is_at(&c, s->parent, s->name)) {
		struct volume_entry ve;

		volume_entry_init(&ve, &c, s->date);
		*ret_more = s->fn(s->arg, &ve);
		volume_entry_release(&ve);
		rc = shard_cursor_next(&c, err);
	}
	return rc;
}

enum rc volume_versions(struct volume *v, struct span uid, uint32_t day,
			volume_change_fn *fn, void *arg, struct err *err)
{
	CLEANUP_VIEW struct view *view = volume_view(v);
	const struct view_day *vd = day ? view_day_find(view, day) : NULL;
	struct versions s = { .v = v, .date = day, .fn = fn, .arg = arg };
	const struct shard_file *sf;
	struct view_walk walk;
	bool more = true;
	enum rc rc = RC_OK;

	entry_split_uid(uid, &s.parent, &s.name);
	s.hash = filter_hash(s.parent, s.name);
	for (size_t i = 0; vd && i < vd->n_shards && more && !rc; i++)
		rc = offer_shard(&s, vd->shards[i], &more, err);
	if (day)
		return rc;
	walk = view_walk_uid(view, uid);
	for (sf = view_walk_next(&walk); sf && more && !rc;
	     sf = view_walk_next(&walk))
		rc = offer_shard(&s, sf, &more, err);
	return rc;
}
