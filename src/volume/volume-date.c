/* SPDX-License-Identifier: Apache-2.0 */
/* volume-date.c - the date view: every version that entered on one day.
 *
 * A directory is found where its uid is routed to, or, when it has no entry of
 * that day there, in any shard of the day with something beneath it.  Of a
 * directory only one version is shown, as all have the same children.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "shard/shard-filter.h"
#include "volume/volume-hide.h"
#include "volume/volume-list.h"
#include "volume/volume-merge.h"
#include "volume/volume-state.h"

#define NAME_MAX_LEN 255
#define STAMP_LEN (TIMESTAMP_COMPACT_TEXT - 1)

enum shown { SHOWN_NOT, SHOWN_PLAIN, SHOWN_STAMPED };

struct version {
	struct volume_entry ve;
	bool is_native;
	enum shown shown;
};

/* Versions of one name, newest first, one of each time. */
struct versions {
	struct version *v;
	size_t n, cap;
};

static void versions_clear(struct versions *vs)
{
	for (size_t i = 0; i < vs->n; i++)
		volume_entry_release(&vs->v[i].ve);
	vs->n = 0;
}

static void versions_release(struct versions *vs)
{
	versions_clear(vs);
	free(vs->v);
	vs->v = NULL;
	vs->cap = 0;
}

/* Which of two entries of one uid and time is kept. */
static bool is_better(const struct shard_cursor *c, bool is_native,
		      const struct version *old)
{
	if (is_native != old->is_native)
		return is_native;
	return !c->e.implicit && old->ve.e.implicit;
}

static void versions_add(struct versions *vs, const struct view *view,
			 const struct shard_cursor *c, bool is_native)
{
	bool is_hidden = view_hides(view, &c->e);
	struct version *at;
	size_t i = vs->n;

	if (is_hidden && c->e.type != ENTRY_DIR)
		return;
	while (i > 0 && vs->v[i - 1].ve.e.created_at < c->e.created_at)
		i--;
	if (i > 0 && vs->v[i - 1].ve.e.created_at == c->e.created_at) {
		at = &vs->v[i - 1];
		if (!is_better(c, is_native, at))
			return;
		volume_entry_release(&at->ve);
	} else {
		vs->v = mem_grow(vs->v, &vs->cap, vs->n + 1, sizeof(*vs->v));
		at = &vs->v[i];
		memmove(at + 1, at, (vs->n - i) * sizeof(*at));
		vs->n++;
	}
	*at = (struct version){ .is_native = is_native };
	volume_entry_init(&at->ve, c, true);
	if (is_hidden)
		volume_infer(&at->ve.e);
}

/* Drop foreign versions if there are others. */
static void drop_foreign(struct versions *vs)
{
	size_t n = 0;

	for (size_t i = 0; i < vs->n; i++)
		n += vs->v[i].is_native;
	if (!n || n == vs->n)
		return;
	n = 0;
	for (size_t i = 0; i < vs->n; i++) {
		if (vs->v[i].is_native)
			vs->v[n++] = vs->v[i];
		else
			volume_entry_release(&vs->v[i].ve);
	}
	vs->n = n;
}

/* Drop inferred directories with nothing below them that day. */
static enum rc drop_empty(struct volume *v, const struct view *view,
			  const struct view_day *day, struct versions *vs,
			  struct err *err)
{
	size_t i = 0, n = 0;
	bool shown = true;
	enum rc rc;

	while (i < vs->n && !vs->v[i].ve.e.implicit)
		i++;
	if (!view->deleted || i == vs->n)
		return RC_OK;
	rc = volume_dir_is_shown(v, view, day, &vs->v[i].ve, &shown, err);
	if (rc || shown)
		return rc;
	for (i = 0; i < vs->n; i++) {
		if (vs->v[i].ve.e.implicit)
			volume_entry_release(&vs->v[i].ve);
		else
			vs->v[n++] = vs->v[i];
	}
	vs->n = n;
	return RC_OK;
}

static struct version *newest(struct versions *vs, bool implicit, bool dir)
{
	for (size_t i = 0; i < vs->n; i++) {
		const struct entry *e = &vs->v[i].ve.e;

		if (e->implicit == implicit && (!dir || e->type == ENTRY_DIR))
			return &vs->v[i];
	}
	return NULL;
}

/* Say of each version how it is shown.  The plain one is the newest shown. */
static void choose(struct versions *vs)
{
	struct version *first, *other, *dir;
	struct volume_entry *plain;

	drop_foreign(vs);
	first = newest(vs, false, false);
	other = newest(vs, true, false);
	dir = newest(vs, false, true);
	if (!dir)
		dir = other;
	plain = volume_pick_of(first ? &first->ve : NULL,
			       other ? &other->ve : NULL);
	for (size_t i = 0; i < vs->n; i++) {
		struct version *v = &vs->v[i];

		if (v->ve.e.type == ENTRY_WHITEOUT ||
		    (v->ve.e.type == ENTRY_DIR && v != dir))
			v->shown = SHOWN_NOT;
		else
			v->shown =
				&v->ve == plain ? SHOWN_PLAIN : SHOWN_STAMPED;
	}
}

/* --- looking up ----------------------------------------------------------- */

struct search {
	struct volume *v;
	const struct view *view;
	const struct view_day *day;
	struct span dir, name, uid;
	uint64_t hash;
	struct versions found;
};

static enum rc search_shard(struct search *s, const struct shard_file *sf,
			    bool is_native, struct err *err)
{
	CLEANUP_CURSOR struct shard_cursor c = { 0 };
	bool may = true;
	enum rc rc;

	rc = shard_cursor_open(&c, &s->v->env, sf, err);
	if (!rc)
		rc = shard_handle_may_contain(&c.h, s->hash,
					      s->day->n_shards == 1, &may, err);
	if (rc || !may)
		return rc;
	rc = shard_cursor_seek(&c, s->dir, s->name, err);
	while (!rc && shard_cursor_is_at(&c, s->dir, s->name)) {
		if (is_native || c.e.type == ENTRY_DIR)
			versions_add(&s->found, s->view, &c, is_native);
		rc = shard_cursor_next(&c, err);
	}
	return rc;
}

/* Look in the day's shards that own the uid, or in the others. */
static enum rc search_day(struct search *s, bool native, struct err *err)
{
	for (size_t i = 0; i < s->day->n_shards; i++) {
		const struct shard_file *sf = s->day->shards[i];
		enum rc rc;

		if (!shard_file_may_have_key(sf, s->dir, s->name) ||
		    shard_file_owns(sf, s->uid) != native)
			continue;
		if (!native && s->found.n &&
		    s->found.v[0].ve.e.created_at >= sf->meta.created_max)
			break;
		rc = search_shard(s, sf, native, err);
		if (rc)
			return rc;
	}
	return RC_OK;
}

static enum rc gather(struct search *s, struct err *err)
{
	CLEANUP_FREE char *p = NULL;
	enum rc rc;

	versions_clear(&s->found);
	p = volume_uid(s->dir, s->name, &s->uid);
	s->hash = filter_hash(s->dir, s->name);
	rc = search_day(s, true, err);
	if (!rc && !s->found.n)
		rc = search_day(s, false, err);
	if (!rc)
		rc = drop_empty(s->v, s->view, s->day, &s->found, err);
	if (!rc)
		choose(&s->found);
	return rc;
}

/* Split NAME@STAMP. */
static bool split_stamp(struct span name, struct span *ret_name, int64_t *ret)
{
	size_t len;

	if (name.len < STAMP_LEN + 2)
		return false;
	len = name.len - STAMP_LEN - 1;
	if (name.p[len] != '@' ||
	    !timestamp_parse_compact(name.p + len + 1, STAMP_LEN, ret))
		return false;
	*ret_name = span_of(name.p, len);
	return true;
}

static enum rc find_plain(struct search *s, struct volume_entry *ret,
			  struct err *err)
{
	enum rc rc = gather(s, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < s->found.n; i++) {
		if (s->found.v[i].shown != SHOWN_PLAIN)
			continue;
		*ret = s->found.v[i].ve;
		s->found.v[i].ve.hold = NULL;
		return RC_OK;
	}
	return volume_no_entry(s->name, err);
}

static enum rc find_stamped(struct search *s, int64_t created_at,
			    struct volume_entry *ret, struct err *err)
{
	enum rc rc = gather(s, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < s->found.n; i++) {
		struct version *v = &s->found.v[i];

		if (v->shown == SHOWN_NOT || v->ve.e.created_at != created_at)
			continue;
		*ret = v->ve;
		v->ve.hold = NULL;
		return RC_OK;
	}
	return volume_no_entry(s->name, err);
}

enum rc volume_date_find(struct volume *v, const struct view *view,
			 const struct view_day *day, struct span dir,
			 struct span name, struct volume_entry *ret,
			 struct err *err)
{
	struct search s = {
		.v = v, .view = view, .day = day, .dir = dir, .name = name
	};
	int64_t created_at = 0;
	enum rc rc;

	rc = find_plain(&s, ret, err);
	if (rc == RC_NOENT && split_stamp(name, &s.name, &created_at))
		rc = find_stamped(&s, created_at, ret, err);
	versions_release(&s.found);
	return rc;
}

static enum rc date_root(struct volume *v, const struct view *view,
			 uint32_t day, struct volume_entry *ret,
			 struct err *err)
{
	const struct view_day *vd = view_day_find(view, day);
	struct span none = span_of("", 0);

	if (!vd)
		return err_set(err, RC_NOENT, "nothing entered on %08u",
			       (unsigned int)day);
	return volume_date_find(v, view, vd, none, none, ret, err);
}

enum rc volume_date_root(struct volume *v, uint32_t day,
			 struct volume_entry *ret, struct err *err)
{
	struct volume_try t = { .v = v };

	while (volume_try_next(&t))
		t.rc = date_root(v, t.view, day, ret, err);
	return t.rc;
}

/* --- listing -------------------------------------------------------------- */

static bool show(const struct volume_listing *l, const struct version *v)
{
	char text[NAME_MAX_LEN + TIMESTAMP_COMPACT_TEXT + 1];
	char stamp[TIMESTAMP_COMPACT_TEXT];
	struct span name = v->ve.e.name;

	if (v->shown == SHOWN_NOT || !volume_name_ok(name))
		return true;
	if (v->shown == SHOWN_STAMPED) {
		timestamp_format_compact(v->ve.e.created_at, stamp);
		memcpy(text, name.p, name.len);
		text[name.len] = '@';
		memcpy(text + name.len + 1, stamp, STAMP_LEN);
		name = span_of(text, name.len + 1 + STAMP_LEN);
		if (!volume_name_ok(name))
			return true;
	}
	return l->fn(l->arg, name, &v->ve, volume_cookie(v->ve.node));
}

/* Show the versions of one name that come after the one shown last. */
static bool show_all(const struct volume_listing *l, struct versions *vs)
{
	int64_t before = INT64_MAX;

	choose(vs);
	if (l->after && vs->n &&
	    span_equal(l->after->e.name, vs->v[0].ve.e.name))
		before = l->after->e.created_at;
	for (size_t i = 0; i < vs->n; i++) {
		if (vs->v[i].ve.e.created_at < before && !show(l, &vs->v[i]))
			return false;
	}
	return true;
}

/* What is listed, and from where. */
struct listing {
	struct volume *v;
	const struct view *view;
	const struct view_day *day;
	const struct volume_listing *l;
	struct volume_merge m;
	struct versions vs;
};

static enum rc show_next(struct listing *ls, bool *ret_more, struct err *err)
{
	const struct shard_cursor *c = volume_list_top(&ls->m, ls->l);
	struct volume_entry first;
	enum rc rc = RC_OK;

	volume_entry_init(&first, c, true);
	versions_clear(&ls->vs);
	for (; !rc && c && span_equal(c->e.name, first.e.name);
	     c = volume_list_top(&ls->m, ls->l)) {
		versions_add(&ls->vs, ls->view, c, volume_list_is_native(c));
		rc = volume_merge_next(&ls->m, err);
	}
	volume_entry_release(&first);
	if (!rc)
		rc = drop_empty(ls->v, ls->view, ls->day, &ls->vs, err);
	if (!rc)
		*ret_more = show_all(ls->l, &ls->vs);
	return rc;
}

enum rc volume_date_list(struct volume *v, const struct view *view,
			 const struct view_day *day,
			 const struct volume_listing *l, struct err *err)
{
	struct span from = l->after ? l->after->e.name : span_of("", 0);
	struct listing ls = { .v = v, .view = view, .day = day, .l = l };
	bool more = true;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < day->n_shards && !rc; i++)
		rc = volume_list_add(&ls.m, v, l, day->shards[i], from, err);
	while (!rc && more && volume_list_top(&ls.m, l))
		rc = show_next(&ls, &more, err);
	versions_release(&ls.vs);
	volume_merge_release(&ls.m);
	return rc;
}
