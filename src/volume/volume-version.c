/* SPDX-License-Identifier: Apache-2.0 */
/* volume-version.c - a version of a file by its uid and the time it is of. */
#include "config.h"

#include "volume/volume-version.h"

#include "base/cleanup.h"
#include "shard/shard-filter.h"
#include "volume/volume-hide.h"
#include "volume/volume-state.h"

/* One uid looked for in one shard after the other. */
struct search {
	struct volume *v;
	const struct view *view;
	const struct volume_when *when;
	struct span parent, name;
	uint64_t hash;
	bool is_exact;                  /* found is of just the time wanted */
	bool has_deleted;               /* some version then is deleted */
	struct volume_entry found, dir; /* hold NULL: none; dir: inferred */
};

static bool is_then(const struct search *s, const struct entry *e)
{
	return !s->when->has_time || (e->created_at >= s->when->first &&
				      e->created_at <= s->when->last);
}

/* Of two shards with the same version either will do. */
static void offer(struct search *s, const struct shard_cursor *c)
{
	struct volume_entry *best = c->e.implicit ? &s->dir : &s->found;
	bool is_exact = s->when->has_time && c->e.created_at == s->when->exact;

	if (!is_then(s, &c->e) ||
	    (s->when->has_time && c->e.type == ENTRY_WHITEOUT))
		return;
	if (view_hides(s->view, &c->e)) {
		s->has_deleted |= c->e.type != ENTRY_WHITEOUT;
		return;
	}
	if (best->hold &&
	    (best->e.created_at >= c->e.created_at || s->is_exact) && !is_exact)
		return;
	volume_entry_release(best);
	volume_entry_init(best, c, false);
	s->is_exact |= is_exact && !c->e.implicit;
}

static enum rc search_shard(struct search *s, const struct shard_file *sf,
			    struct err *err)
{
	CLEANUP_CURSOR struct shard_cursor c = { 0 };
	bool may = true;
	enum rc rc;

	rc = shard_cursor_open(&c, &s->v->env, sf, err);
	if (!rc)
		rc = shard_handle_may_contain(&c.h, s->hash, false, &may, err);
	if (rc || !may)
		return rc;
	rc = shard_cursor_seek(&c, s->parent, s->name, err);
	while (!rc && shard_cursor_is_at(&c, s->parent, s->name)) {
		offer(s, &c);
		rc = shard_cursor_next(&c, err);
	}
	return rc;
}

/* Whether the shard can have what is better than what was found. */
static bool may_have(const struct search *s, const struct shard_file *sf)
{
	const struct volume_when *when = s->when;
	const struct shard_meta *m = &sf->meta;

	if (when->has_time &&
	    (m->created_max < when->first || m->created_min > when->last))
		return false;
	if (s->found.hold && s->found.e.created_at >= m->created_max &&
	    (!when->has_time || when->exact > m->created_max))
		return false;
	return shard_file_may_have_key(sf, s->parent, s->name);
}

static enum rc search_all(struct search *s, struct span uid, struct err *err)
{
	struct view_walk walk = view_walk_uid(s->view, uid);
	const struct shard_file *sf;
	struct err other;
	enum rc rc, worst = RC_OK;

	/* What a damaged shard may have had is not known, but it is no matter
	 * where another one has just what is wanted.
	 */
	for (sf = view_walk_next(&walk); sf && !s->is_exact;
	     sf = view_walk_next(&walk)) {
		if (!may_have(s, sf))
			continue;
		rc = search_shard(s, sf, worst ? &other : err);
		if (rc_is_transient(rc)) {
			if (worst)
				*err = other;
			return rc;
		}
		if (rc && !worst)
			worst = rc;
	}
	return s->is_exact ? RC_OK : worst;
}

/* A tombstone tells of a version that is in no shard any more. */
static bool was_deleted(const struct search *s)
{
	const struct volume_when *when = s->when;
	struct tombstone_uid t;

	if (s->has_deleted)
		return true;
	if (!s->view->deleted ||
	    !tombstone_set_find(s->view->deleted, s->parent, s->name, &t))
		return false;
	if (!when->has_time)
		return true;
	for (size_t i = 0; i < t.n_times; i++) {
		if (t.times[i] >= when->first && t.times[i] <= when->last)
			return true;
	}
	return t.until != TOMBSTONE_NONE && t.until >= when->exact;
}

static enum rc find(struct search *s, struct span uid, struct volume_entry *ret,
		    struct err *err)
{
	enum rc rc = search_all(s, uid, err);
	struct volume_entry *ve;

	if (rc)
		return rc;
	ve = s->found.hold ? &s->found : &s->dir;
	if (ve->hold && ve->e.type == ENTRY_WHITEOUT)
		return err_set(err, RC_NOENT, "was removed");
	if (!s->found.hold && was_deleted(s))
		return err_set(err, RC_DELETED, "was deleted");
	if (!ve->hold)
		return err_set(err, RC_NOENT,
			       s->when->has_time ? "no version of that time"
						 : "no such file");
	*ret = *ve;
	ve->hold = NULL;
	return RC_OK;
}

static enum rc version(struct volume *v, const struct view *view,
		       struct span uid, const struct volume_when *when,
		       struct volume_entry *ret, struct err *err)
{
	struct search s = { .v = v, .view = view, .when = when };
	enum rc rc;

	entry_split_uid(uid, &s.parent, &s.name);
	s.hash = filter_hash(s.parent, s.name);
	rc = find(&s, uid, ret, err);
	volume_entry_release(&s.found);
	volume_entry_release(&s.dir);
	return rc;
}

enum rc volume_version(struct volume *v, struct span uid,
		       const struct volume_when *when, struct volume_entry *ret,
		       struct err *err)
{
	struct volume_try t = { .v = v };

	while (volume_try_next(&t))
		t.rc = version(v, t.view, uid, when, ret, err);
	return t.rc;
}
