/* SPDX-License-Identifier: Apache-2.0 */
/* volume-hide.c - what tombstones hide, and which directories they leave empty.
 *
 * Directories above a file are inferred where nobody packed them; with all
 * that is below them deleted they are no more than names that must go, too.
 * The entries are looked through for one that is left, in every shard that has
 * the directory, but only if a tombstone is below it or of it.
 */
#include "config.h"

#include "volume/volume-hide.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "shard/shard-filter.h"
#include "volume/shard-cursor.h"

void volume_infer(struct entry *e)
{
	e->implicit = true;
	e->xattrs = span_of("", 0);
}

/* --- what is below a directory -------------------------------------------- */

/* A directory, by its uid, and that with a slash: what is below has the one for
 * a parent, or begins its parent with the other.
 */
struct below {
	struct volume *v;
	const struct view *view;
	struct span uid, slash;
	uint64_t hash;
};

static bool begins_with(struct span s, struct span with)
{
	return s.len >= with.len && !memcmp(s.p, with.p, with.len);
}

static bool is_below(const struct below *b, struct span parent)
{
	return span_equal(parent, b->uid) || begins_with(parent, b->slash);
}

/* The first tombstone of a uid that is not less. */
static size_t lower_bound(const struct tombstone_set *s, struct span parent)
{
	size_t low = 0, high = tombstone_set_count(s);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct tombstone_uid t;

		tombstone_set_at(s, mid, &t);
		if (span_compare(t.parent, parent) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool has_tombstones(const struct below *b)
{
	const struct tombstone_set *s = b->view->deleted;
	const struct span from[] = { b->uid, b->slash };

	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		size_t at = lower_bound(s, from[i]);
		struct tombstone_uid t;

		if (at == tombstone_set_count(s))
			continue;
		tombstone_set_at(s, at, &t);
		if (is_below(b, t.parent))
			return true;
	}
	return false;
}

/* Whether the entry keeps the directories above it. */
static bool is_left(const struct below *b, const struct entry *e)
{
	return !e->implicit && e->type != ENTRY_WHITEOUT &&
	       !view_hides(b->view, e);
}

/* From a parent on, as long as it is below. */
static enum rc look_from(const struct below *b, struct shard_cursor *c,
			 struct span parent, bool *ret, struct err *err)
{
	enum rc rc = shard_cursor_seek(c, parent, span_of("", 0), err);

	while (!rc && !c->at_end && is_below(b, c->e.parent)) {
		if (is_left(b, &c->e)) {
			*ret = true;
			return RC_OK;
		}
		rc = shard_cursor_next(c, err);
	}
	return rc;
}

/* A shard with something below a directory has an entry of it, too. */
static enum rc look_in_shard(const struct below *b, const struct shard_file *sf,
			     bool *ret, struct err *err)
{
	CLEANUP_CURSOR struct shard_cursor c = { 0 };
	bool may = true;
	enum rc rc;

	if (span_compare(sf->last_parent, b->uid) < 0 ||
	    (span_compare(sf->first_parent, b->slash) > 0 &&
	     !begins_with(sf->first_parent, b->slash)))
		return RC_OK;
	rc = shard_cursor_open(&c, &b->v->env, sf, err);
	if (!rc)
		rc = shard_handle_may_contain(&c.h, b->hash, false, &may, err);
	if (rc || !may)
		return rc;
	rc = look_from(b, &c, b->uid, ret, err);
	if (!rc && !*ret)
		rc = look_from(b, &c, b->slash, ret, err);
	return rc;
}

static enum rc look(const struct below *b, const struct view_day *day,
		    bool *ret, struct err *err)
{
	const struct shard_file **shards = day ? day->shards : b->view->by_day;
	size_t n = day ? day->n_shards : b->view->n_shards;
	enum rc rc = RC_OK;

	*ret = false;
	while (n-- > 0 && !rc && !*ret)
		rc = look_in_shard(b, shards[n], ret, err);
	return rc;
}

enum rc volume_dir_is_shown(struct volume *v, const struct view *view,
			    const struct view_day *day,
			    const struct volume_entry *dir, bool *ret,
			    struct err *err)
{
	const struct entry *e = &dir->e;
	struct below b = { .v = v, .view = view };
	CLEANUP_FREE char *p = NULL;

	*ret = true;
	if (!view->deleted || !e->implicit || !e->name.len)
		return RC_OK;
	p = volume_uid(e->parent, e->name, &b.uid);
	/* There is a NUL behind it, which goes. */
	p[b.uid.len] = '/';
	b.slash = span_of(p, b.uid.len + 1);
	b.hash = filter_hash(e->parent, e->name);
	if (!view_hides(view, e) && !has_tombstones(&b))
		return RC_OK;
	return look(&b, day, ret, err);
}

/* --- choosing ------------------------------------------------------------- */

enum rc volume_pick_choose(struct volume *v, const struct view *view,
			   struct volume_pick *pick, struct volume_entry **ret,
			   struct err *err)
{
	struct volume_entry *explicit_one =
		pick->explicit_one.hold ? &pick->explicit_one : NULL;
	struct volume_entry *implicit_one =
		pick->implicit_one.hold ? &pick->implicit_one : NULL;
	struct volume_entry *ve = volume_pick_of(explicit_one, implicit_one);
	bool shown = true;
	enum rc rc;

	if (view->deleted && ve && ve == implicit_one) {
		rc = volume_dir_is_shown(v, view, NULL, ve, &shown, err);
		if (rc)
			return rc;
	}
	*ret = shown ? ve : explicit_one;
	return RC_OK;
}

/* --- by node -------------------------------------------------------------- */

static enum rc deleted(const struct entry *e, struct err *err)
{
	return err_set(err, RC_DELETED, "%.*s: deleted",
		       (int)(e->name.len < 256 ? e->name.len : 256),
		       e->name.len ? e->name.p : "");
}

enum rc volume_check_deleted(struct volume *v, const struct entry *e,
			     struct err *err)
{
	CLEANUP_VIEW struct view *view = volume_view(v);

	return view_hides(view, e) ? deleted(e, err) : RC_OK;
}

enum rc volume_admit(struct volume *v, struct volume_entry *ve, struct err *err)
{
	CLEANUP_VIEW struct view *view = volume_view(v);
	const struct view_day *day = NULL;
	bool shown = true;
	enum rc rc;

	if (view_hides(view, &ve->e)) {
		if (ve->e.type != ENTRY_DIR)
			return deleted(&ve->e, err);
		volume_infer(&ve->e);
	}
	if (!ve->e.implicit)
		return RC_OK;
	if (ve->node.date)
		day = view_day_find(view, volume_shard(v, ve->node)->day);
	rc = volume_dir_is_shown(v, view, day, ve, &shown, err);
	return rc || shown ? rc : deleted(&ve->e, err);
}
