/* SPDX-License-Identifier: Apache-2.0 */
/* volume-tree.c - the tree view: which version of a name is shown, and where.
 *
 * A uid counts only in the slot it is routed to: each shard also has entries of
 * the directories above its own, wherever those are routed.
 */
#include "config.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "shard/shard-filter.h"
#include "shard/shard-format.h"
#include "volume/volume-hide.h"
#include "volume/volume-merge.h"
#include "volume/volume-state.h"

#define BARE_ROOT_MODE 0755

/* One name looked for in one shard after the other. */
struct search {
	struct volume *v;
	const struct view *view;
	struct span dir, name;
	uint64_t hash;
	int64_t since;
	bool is_only; /* there is but one shard to look in */
	struct volume_pick pick;
};

/* True when more than one shard of the walk has the key in its range. */
static bool has_several(struct view_walk walk, struct span dir,
			struct span name)
{
	const struct shard_file *sf;
	unsigned int n = 0;

	for (sf = view_walk_next(&walk); sf && n < 2;
	     sf = view_walk_next(&walk))
		n += shard_file_may_have_key(sf, dir, name);
	return n > 1;
}

static enum rc search_shard(struct search *s, const struct shard_file *sf,
			    struct err *err)
{
	CLEANUP_CURSOR struct shard_cursor c = { 0 };
	const struct volume_entry *best = &s->pick.explicit_one;
	bool may = true;
	enum rc rc;

	rc = shard_cursor_open(&c, &s->v->env, sf, err);
	if (!rc)
		rc = shard_handle_may_contain(&c.h, s->hash, s->is_only, &may,
					      err);
	if (rc || !may)
		return rc;
	rc = shard_cursor_seek(&c, s->dir, s->name, err);
	while (!rc && shard_cursor_is_at(&c, s->dir, s->name) &&
	       c.e.created_at >= s->since) {
		volume_pick_offer(&s->pick, s->view, &c);
		/* What comes is older; of another shard one may be older yet.
		 */
		if (best->hold && best->e.created_at >= c.e.created_at)
			break;
		rc = shard_cursor_next(&c, err);
	}
	return rc;
}

static enum rc search_all(struct search *s, struct span uid, struct err *err)
{
	struct view_walk walk = view_walk_uid(s->view, uid);
	const struct volume_entry *best = &s->pick.explicit_one;
	const struct shard_file *sf;

	s->is_only = !has_several(walk, s->dir, s->name);
	for (sf = view_walk_next(&walk); sf; sf = view_walk_next(&walk)) {
		enum rc rc;

		if (sf->meta.created_max < s->since ||
		    (best->hold && best->e.created_at >= sf->meta.created_max))
			return RC_OK;
		if (!shard_file_may_have_key(sf, s->dir, s->name))
			continue;
		rc = search_shard(s, sf, err);
		if (rc)
			return rc;
	}
	return RC_OK;
}

/* The version of the uid that counts, to be taken over; NULL: none. */
static enum rc choose(struct search *s, struct span uid,
		      struct volume_entry **ret, struct err *err)
{
	enum rc rc = search_all(s, uid, err);

	return rc ? rc : volume_pick_choose(s->v, s->view, &s->pick, ret, err);
}

enum rc volume_tree_find(struct volume *v, const struct view *view,
			 struct span dir, struct span name, int64_t since,
			 struct volume_entry *ret, struct err *err)
{
	struct search s = { .v = v,
			    .view = view,
			    .dir = dir,
			    .name = name,
			    .since = since,
			    .hash = filter_hash(dir, name) };
	CLEANUP_FREE char *p = NULL;
	struct volume_entry *ve = NULL;
	struct span uid;
	enum rc rc;

	p = volume_uid(dir, name, &uid);
	rc = choose(&s, uid, &ve, err);
	if (ve && ve->e.type != ENTRY_WHITEOUT) {
		*ret = *ve;
		ve->hold = NULL;
	} else if (!rc) {
		rc = volume_no_entry(name, err);
	}
	volume_pick_release(&s.pick);
	return rc;
}

static enum rc newest(struct volume *v, const struct view *view,
		      struct span uid, struct volume_entry *ret,
		      struct err *err)
{
	struct search s = { .v = v, .view = view, .since = INT64_MIN };
	struct volume_entry *ve = NULL;
	enum rc rc;

	entry_split_uid(uid, &s.dir, &s.name);
	s.hash = filter_hash(s.dir, s.name);
	rc = choose(&s, uid, &ve, err);
	if (ve) {
		*ret = *ve;
		ve->hold = NULL;
	} else if (!rc) {
		rc = volume_no_entry(s.name, err);
	}
	volume_pick_release(&s.pick);
	return rc;
}

enum rc volume_newest(struct volume *v, struct span uid,
		      struct volume_entry *ret, struct err *err)
{
	struct volume_try t = { .v = v };

	while (volume_try_next(&t))
		t.rc = newest(v, t.view, uid, ret, err);
	return t.rc;
}

/* --- the root ------------------------------------------------------------- */

/* The root's entry in any shard: each has one. */
static enum rc any_root(struct volume *v, const struct view *view,
			struct volume_entry *ret, struct err *err)
{
	struct span none = span_of("", 0);

	for (size_t i = view->n_days; i-- > 0;) {
		enum rc rc = volume_date_find(v, view, &view->days[i], none,
					      none, ret, err);

		if (rc == RC_NOENT)
			continue;
		if (!rc)
			ret->node.date = false;
		return rc;
	}
	if (!view->is_begun)
		return err_set(err, RC_NOENT,
			       "the archive has no root directory yet");
	/* All that was there is deleted, with the shards it was in. */
	*ret = (struct volume_entry){ .node = { .shard = VOLUME_NO_SHARD },
				      .e = { .type = ENTRY_DIR,
					     .mode = BARE_ROOT_MODE,
					     .parent = none,
					     .name = none } };
	volume_infer(&ret->e);
	return RC_OK;
}

static enum rc find_root(struct volume *v, const struct view *view,
			 struct volume_entry *ret, struct err *err)
{
	struct span none = span_of("", 0);
	enum rc rc = volume_tree_find(v, view, none, none, INT64_MIN, ret, err);

	return rc == RC_NOENT ? any_root(v, view, ret, err) : rc;
}

enum rc volume_root(struct volume *v, struct volume_entry *ret, struct err *err)
{
	struct volume_try t = { .v = v };

	while (volume_try_next(&t))
		t.rc = find_root(v, t.view, ret, err);
	return t.rc;
}

/* --- names ---------------------------------------------------------------- */

/* The day of the shard a node is in. */
static const struct view_day *day_of(const struct volume *v,
				     const struct view *view,
				     struct volume_node node)
{
	const struct shard_meta *m = volume_shard(v, node);

	return m ? view_day_find(view, m->day) : NULL;
}

static enum rc lookup(struct volume *v, const struct view *view,
		      const struct volume_entry *dir, struct span name,
		      struct volume_entry *ret, struct err *err)
{
	const struct view_day *day;
	CLEANUP_FREE char *p = NULL;
	struct span uid;

	volume_count(&v->lookups, 1);
	if (dir->e.type != ENTRY_DIR)
		return err_set(err, RC_NOTDIR, "%.*s: not a directory",
			       (int)dir->e.name.len, dir->e.name.p);
	p = volume_uid(dir->e.parent, dir->e.name, &uid);
	if (!volume_name_ok(name) || uid.len + 1 + name.len > UID_MAX_LEN)
		return volume_no_entry(name, err);
	if (!dir->node.date)
		return volume_tree_find(v, view, uid, name,
					dir->e.has_opaque ? dir->e.opaque_since
							  : INT64_MIN,
					ret, err);
	day = day_of(v, view, dir->node);
	if (!day)
		return volume_no_entry(name, err);
	return volume_date_find(v, view, day, uid, name, ret, err);
}

enum rc volume_lookup(struct volume *v, const struct volume_entry *dir,
		      struct span name, struct volume_entry *ret,
		      struct err *err)
{
	struct volume_try t = { .v = v };

	while (volume_try_next(&t))
		t.rc = lookup(v, t.view, dir, name, ret, err);
	return t.rc;
}

/* Take the next name off a path; false at its end. */
static bool next_name(struct span *path, struct span *ret)
{
	for (;;) {
		size_t n = 0;

		while (path->len && *path->p == '/') {
			path->p++;
			path->len--;
		}
		while (n < path->len && path->p[n] != '/')
			n++;
		*ret = span_of(path->p, n);
		path->p += n;
		path->len -= n;
		if (n != 1 || *ret->p != '.')
			return n;
	}
}

static enum rc resolve(struct volume *v, const struct view *view,
		       struct span path, struct volume_entry *ret,
		       struct err *err)
{
	/* The root, known without a look. */
	struct volume_entry at = { .e = { .type = ENTRY_DIR,
					  .parent = span_of("", 0),
					  .name = span_of("", 0) } };
	struct span name;
	enum rc rc;

	while (next_name(&path, &name)) {
		struct volume_entry child = { 0 };

		rc = lookup(v, view, &at, name, &child, err);
		volume_entry_release(&at);
		if (rc)
			return rc;
		at = child;
	}
	if (!at.hold)
		return find_root(v, view, ret, err);
	*ret = at;
	return RC_OK;
}

enum rc volume_resolve(struct volume *v, struct span path,
		       struct volume_entry *ret, struct err *err)
{
	struct volume_try t = { .v = v };

	while (volume_try_next(&t))
		t.rc = resolve(v, t.view, path, ret, err);
	return t.rc;
}

/* --- listing -------------------------------------------------------------- */

uint64_t volume_cookie(struct volume_node node)
{
	return ((uint64_t)node.shard << ENTRY_ORDINAL_BITS | node.ordinal) + 1;
}

static struct volume_node node_of_cookie(uint64_t cookie, bool date)
{
	uint64_t n = cookie - 1;

	return (struct volume_node){
		.shard = (uint32_t)(n >> ENTRY_ORDINAL_BITS),
		.ordinal = n & ((UINT64_C(1) << ENTRY_ORDINAL_BITS) - 1),
		.date = date
	};
}

static enum rc list_view(struct volume *v, const struct view *view,
			 const struct volume_listing *l, struct err *err)
{
	const struct view_day *day;

	if (!l->dir->node.date)
		return volume_tree_list(v, view, l, err);
	day = day_of(v, view, l->dir->node);
	return day ? volume_date_list(v, view, day, l, err) : RC_OK;
}

/* From a cookie on.  The entry there may have been deleted since: the place is
 * good all the same.
 */
static enum rc list_from(struct volume *v, const struct view *view,
			 struct volume_listing *l, uint64_t cookie,
			 struct err *err)
{
	struct volume_entry after = { 0 };
	enum rc rc;

	if (!cookie)
		return list_view(v, view, l, err);
	rc = volume_get_raw(v, node_of_cookie(cookie, l->dir->node.date),
			    &after, err);
	if (rc == RC_NOENT || (!rc && !span_equal(after.e.parent, l->uid)))
		rc = err_set(err, RC_USAGE, "no such place in a directory");
	l->after = &after;
	if (!rc)
		rc = list_view(v, view, l, err);
	volume_entry_release(&after);
	return rc;
}

/* What was shown last, for who begins anew after that. */
struct relay {
	volume_dir_fn *fn;
	void *arg;
	uint64_t cookie;
};

static bool relay_entry(void *arg, struct span name,
			const struct volume_entry *ve, uint64_t next_cookie)
{
	struct relay *r = arg;

	if (!r->fn(r->arg, name, ve, next_cookie))
		return false;
	r->cookie = next_cookie;
	return true;
}

enum rc volume_readdir(struct volume *v, const struct volume_entry *dir,
		       uint64_t cookie, volume_dir_fn *fn, void *arg,
		       struct err *err)
{
	struct relay r = { fn, arg, cookie };
	struct volume_listing l = { .dir = dir, .fn = relay_entry, .arg = &r };
	struct volume_try t = { .v = v };
	CLEANUP_FREE char *p = NULL;

	volume_count(&v->readdirs, 1);
	if (dir->e.type != ENTRY_DIR)
		return err_set(err, RC_NOTDIR, "%.*s: not a directory",
			       (int)dir->e.name.len, dir->e.name.p);
	if (cookie >> (SHARD_ORDINAL_BITS + ENTRY_ORDINAL_BITS))
		return err_set(err, RC_USAGE, "no such place in a directory");
	p = volume_uid(dir->e.parent, dir->e.name, &l.uid);
	while (volume_try_next(&t))
		t.rc = list_from(v, t.view, &l, r.cookie, err);
	return t.rc;
}
