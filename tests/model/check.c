/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - whether an archive shows what the model says.
 *
 * It is asked in the ways that readers ask: all versions slot by slot, one
 * name, a directory's listing, the versions of a uid, those of a day.
 */
#include "config.h"

#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/random.h"
#include "damage.h"
#include "end.h"
#include "op-hold.h"
#include "rules.h"
#include "shard-maker.h"
#include "shard/route.h"
#include "volume/volume.h"

/* One look at the archive. */
struct look {
	struct world *w;
	struct volume *v;
	int64_t since; /* what was acknowledged later need not be known */
	const char *who;
	bool *seen; /* by version of the model */
	bool is_full;
	bool may_miss; /* objects, as some were removed that it believes in */
};

static const char *text_of(const struct model_version *v)
{
	static _Thread_local char text[96];

	snprintf(text, sizeof(text), "%s@%" PRId64, v->uid, v->created_at);
	return text;
}

/* A failure of the reader itself. */
static void failed(struct look *l, const char *what, const struct err *err)
{
	if (!l->may_miss)
		world_fail(l->w, "%s reader: %s: %s", l->who, what, err->msg);
}

/* What this reader has last read of a version: an entry of a shard stays what
 * it is, so between full looks its bytes are compared once.
 */
static struct world_read *last_read(const struct look *l,
				    const struct model_version *v)
{
	struct world_reads *r = &l->w->reads[l->v == l->w->late_reader];
	size_t i = (size_t)(v - l->w->model.versions);

	while (r->n <= i) {
		r->p = mem_grow(r->p, &r->cap, r->n + 1, sizeof(*r->p));
		r->p[r->n++] = (struct world_read){ .is_read = false };
	}
	return &r->p[i];
}

static bool is_read(const struct look *l, const struct model_version *v,
		    const struct volume_entry *ve)
{
	const struct world_read *r = last_read(l, v);

	return !l->is_full && r->is_read && r->shard == ve->node.shard &&
	       r->ordinal == ve->node.ordinal;
}

static void check_bytes(struct look *l, const struct model_version *v,
			const struct volume_entry *ve)
{
	uint8_t want[MODEL_FILE_MAX], got[MODEL_FILE_MAX + 1];
	struct err err;
	size_t n = 0;

	if (ve->e.type != ENTRY_REG || ve->e.size != v->size) {
		world_fail(l->w, "%s reader: %s has %" PRIu64 " bytes, not %u",
			   l->who, text_of(v), ve->e.size, v->size);
		return;
	}
	if (is_read(l, v, ve))
		return;
	if (volume_read(l->v, ve, 0, got, sizeof(got), &n, &err)) {
		failed(l, text_of(v), &err);
		return;
	}
	model_bytes(v, want);
	if (n != v->size || memcmp(got, want, n) != 0)
		world_fail(l->w, "%s reader: wrong bytes of %s", l->who,
			   text_of(v));
	*last_read(l, v) = (struct world_read){ .shard = ve->node.shard,
						.ordinal = ve->node.ordinal,
						.is_read = true };
}

/* An entry that a reader shows; directories aside. */
static const struct model_version *check_entry(struct look *l,
					       const struct volume_entry *ve)
{
	const struct model_version *v;
	char uid[MODEL_UID_MAX * 2];
	size_t len;

	if (ve->e.type == ENTRY_DIR)
		return NULL;
	if (entry_uid_len(ve->e.parent, ve->e.name) > sizeof(uid)) {
		world_fail(l->w, "%s reader: a uid nobody packed", l->who);
		return NULL;
	}
	len = entry_uid(ve->e.parent, ve->e.name, uid);
	v = model_find(&l->w->model, uid, len, ve->e.created_at);
	if (!v) {
		world_fail(l->w,
			   "%s reader: %.*s@%" PRId64 " was never acknowledged",
			   l->who, (int)len, uid, ve->e.created_at);
		return NULL;
	}
	if (model_ask(&l->w->model, v, l->since) == MODEL_HIDDEN)
		world_fail(l->w, "%s reader: shows %s, which is deleted",
			   l->who, text_of(v));
	return v;
}

static void scan_slot(struct look *l, uint32_t slot)
{
	const struct model *m = &l->w->model;
	struct volume_scan *scan = NULL;
	struct volume_entry ve;
	struct err err;
	enum rc rc;

	if (volume_scan_slot(l->v, slot, &scan, &err)) {
		failed(l, "scan", &err);
		return;
	}
	while (!(rc = volume_scan_next(scan, &ve, &err))) {
		const struct model_version *v = check_entry(l, &ve);

		if (v) {
			l->seen[v - m->versions] = true;
			check_bytes(l, v, &ve);
		}
		volume_entry_release(&ve);
	}
	if (rc != RC_NOENT)
		failed(l, "scan", &err);
	volume_scan_free(scan);
}

/* In the others are directories at most. */
static void note_slots(const struct world *w, bool has_files[MAKER_SLOTS])
{
	for (unsigned int i = 0; i < WORLD_DIRS; i++) {
		char uid[MODEL_UID_MAX];
		int len = snprintf(uid, sizeof(uid), "%s%sname", world_dirs[i],
				   *world_dirs[i] ? "/" : "");

		has_files[route_slot(ROUTE_PARENT, w->descriptor.n_bits, uid,
				     (size_t)len)] = true;
	}
}

static void check_all(struct look *l)
{
	const struct model *m = &l->w->model;
	CLEANUP_FREE bool *seen = xcalloc(m->n + 1, sizeof(*seen));
	bool has_files[MAKER_SLOTS] = { false };

	l->seen = seen;
	note_slots(l->w, has_files);
	for (uint32_t slot = 0; slot < MAKER_SLOTS && !l->w->has_failed;
	     slot++) {
		if (l->is_full || has_files[slot])
			scan_slot(l, slot);
	}
	for (size_t i = 0; i < m->n && !l->may_miss; i++) {
		if (!seen[i] &&
		    model_ask(m, &m->versions[i], l->since) == MODEL_SHOWN)
			world_fail(l->w, "%s reader: lost %s", l->who,
				   text_of(&m->versions[i]));
	}
}

/* volume_change_fn: a version that is there, or that was deleted. */
static bool note_version(void *arg, const struct volume_entry *ve)
{
	struct look *l = arg;
	char uid[MODEL_UID_MAX * 2];
	const struct model_version *v;
	size_t len;

	if (entry_uid_len(ve->e.parent, ve->e.name) > sizeof(uid))
		return true;
	len = entry_uid(ve->e.parent, ve->e.name, uid);
	v = model_find(&l->w->model, uid, len, ve->e.created_at);
	if (v)
		l->seen[v - l->w->model.versions] = true;
	return true;
}

static void check_versions(struct look *l, const char *uid)
{
	const struct model *m = &l->w->model;
	CLEANUP_FREE bool *seen = xcalloc(m->n + 1, sizeof(*seen));
	struct err err;

	l->seen = seen;
	if (volume_versions(l->v, span_of(uid, strlen(uid)), 0, note_version, l,
			    &err)) {
		failed(l, uid, &err);
		return;
	}
	for (size_t i = 0; i < m->n && !l->may_miss; i++) {
		if (!strcmp(m->versions[i].uid, uid) && !seen[i] &&
		    model_ask(m, &m->versions[i], l->since) == MODEL_SHOWN)
			world_fail(l->w, "%s reader: %s has no version %s",
				   l->who, uid, text_of(&m->versions[i]));
	}
}

/* The newest that must be shown, and whether there is one that may be. */
static const struct model_version *newest(const struct look *l, const char *uid,
					  bool *ret_unsure)
{
	const struct model *m = &l->w->model;
	const struct model_version *ret = NULL;

	*ret_unsure = false;
	for (size_t i = 0; i < m->n; i++) {
		const struct model_version *v = &m->versions[i];
		enum model_answer a;

		if (strcmp(v->uid, uid) != 0)
			continue;
		a = model_ask(m, v, l->since);
		*ret_unsure = *ret_unsure || a == MODEL_EITHER;
		if (a == MODEL_SHOWN &&
		    (!ret || v->created_at > ret->created_at))
			ret = v;
	}
	return ret;
}

static void check_found(struct look *l, const char *uid,
			const struct model_version *want, bool is_unsure,
			const struct volume_entry *ve)
{
	const struct model_version *v = check_entry(l, ve);

	if (!v)
		return;
	check_bytes(l, v, ve);
	if (v != want && !is_unsure)
		world_fail(l->w,
			   "%s reader: shows %s as the newest of %s, not that "
			   "of %" PRId64,
			   l->who, text_of(v), uid,
			   want ? want->created_at : 0);
}

static void check_name(struct look *l, const char *uid)
{
	struct volume_entry ve;
	bool is_unsure;
	const struct model_version *want = newest(l, uid, &is_unsure);
	struct err err;
	enum rc rc;

	rc = volume_resolve(l->v, span_of(uid, strlen(uid)), &ve, &err);
	if (rc == RC_NOENT || rc == RC_NOTDIR) {
		if (want && !l->may_miss)
			world_fail(l->w, "%s reader: finds no %s", l->who, uid);
	} else if (rc) {
		failed(l, uid, &err);
	} else {
		check_found(l, uid, want, is_unsure, &ve);
		volume_entry_release(&ve);
	}
}

struct listing {
	struct look *l;
	struct volume_entry dirs[8];
	size_t n_dirs, n_files;
};

static bool note_listed(void *arg, struct span name,
			const struct volume_entry *ve, uint64_t next_cookie)
{
	struct listing *li = arg;
	const struct model_version *v = check_entry(li->l, ve);

	(void)name;
	(void)next_cookie;
	if (v) {
		li->l->seen[v - li->l->w->model.versions] = true;
		li->n_files++;
	}
	return !li->l->w->has_failed;
}

/* Listings have each uid once, its newest version. */
static void check_dir(struct look *l, const char *dir)
{
	const struct model *m = &l->w->model;
	CLEANUP_FREE bool *seen = xcalloc(m->n + 1, sizeof(*seen));
	struct listing li = { .l = l };
	struct volume_entry ve;
	struct err err;
	enum rc rc = volume_resolve(l->v, span_of(dir, strlen(dir)), &ve, &err);

	l->seen = seen;
	if (rc && rc != RC_NOENT)
		failed(l, dir, &err);
	if (!rc) {
		if (volume_readdir(l->v, &ve, 0, note_listed, &li, &err))
			failed(l, dir, &err);
		volume_entry_release(&ve);
	}
	for (size_t i = 0; i < m->n && !l->may_miss; i++) {
		const char *uid = m->versions[i].uid;
		size_t len = strlen(dir);
		bool is_unsure;

		if (route_parent_len(uid, strlen(uid)) != len ||
		    memcmp(uid, dir, len) != 0)
			continue;
		if (newest(l, uid, &is_unsure) == &m->versions[i] &&
		    !is_unsure && !seen[i])
			world_fail(l->w, "%s reader: %s is not listed", l->who,
				   text_of(&m->versions[i]));
	}
}

/* A directory of the date view: *dir becomes the one of that name in it. */
static bool enter(struct look *l, struct volume_entry *dir, struct span name)
{
	struct volume_entry ve;
	struct err err;
	enum rc rc = volume_lookup(l->v, dir, name, &ve, &err);

	if (rc && rc != RC_NOENT)
		failed(l, "date view", &err);
	if (rc)
		return false;
	volume_entry_release(dir);
	*dir = ve;
	return true;
}

/* All versions of a day that are in a directory. */
static void check_date_dir(struct look *l, uint32_t day, const char *path)
{
	struct listing li = { .l = l };
	struct volume_entry dir;
	bool is_there = true;
	struct err err;

	if (volume_date_root(l->v, day, &dir, &err)) {
		if (err.rc != RC_NOENT)
			failed(l, "date view", &err);
		return;
	}
	while (*path && is_there) {
		size_t len = strcspn(path, "/");

		is_there = enter(l, &dir, span_of(path, len));
		path += len + (path[len] == '/');
	}
	if (is_there && volume_readdir(l->v, &dir, 0, note_listed, &li, &err))
		failed(l, "date view", &err);
	volume_entry_release(&dir);
}

static void check_dates(struct look *l)
{
	const struct model *m = &l->w->model;
	CLEANUP_FREE bool *seen = xcalloc(m->n + 1, sizeof(*seen));
	CLEANUP_FREE uint32_t *days = NULL;
	struct err err;
	size_t n = 0;

	if (volume_days(l->v, &days, &n, &err)) {
		failed(l, "days", &err);
		return;
	}
	l->seen = seen;
	for (size_t i = 0; i < n; i++) {
		for (unsigned int k = 0; k < WORLD_DIRS; k++)
			check_date_dir(l, days[i], world_dirs[k]);
	}
	for (size_t i = 0; i < m->n && !l->may_miss; i++) {
		if (!seen[i] &&
		    model_ask(m, &m->versions[i], l->since) == MODEL_SHOWN)
			world_fail(l->w, "%s reader: no day has %s", l->who,
				   text_of(&m->versions[i]));
	}
}

static bool refresh(struct look *l)
{
	bool changed;
	struct err err;

	if (!volume_refresh(l->v, &changed, &err))
		return true;
	failed(l, "refresh", &err);
	return false;
}

static void check_names(struct look *l)
{
	const struct model *m = &l->w->model;

	for (size_t i = 0; i < m->n && !l->w->has_failed; i++) {
		const struct model_version *v = &m->versions[i];

		if (!l->is_full && random_next(&l->w->random) % m->n >= 2)
			continue;
		check_name(l, v->uid);
		check_versions(l, v->uid);
	}
	for (unsigned int i = 0; l->is_full && i < WORLD_DIRS; i++)
		check_dir(l, world_dirs[i]);
	if (l->is_full)
		check_dates(l);
}

static struct look look_of(struct world *w, bool is_late, bool is_full)
{
	int64_t now = memory_now(w->memory);
	struct look l = { .w = w,
			  .v = is_late ? w->late_reader : w->reader,
			  .since = MODEL_ALWAYS,
			  .is_full = is_full,
			  .who = is_late ? "late" : "exact" };

	if (is_late && w->has_lag) {
		l.since = now - WORLD_LAG;
		l.may_miss = memory_removed(w->memory) >= l.since;
	}
	return l;
}

bool check_shows(struct world *w, const struct model_version *v)
{
	struct look l = look_of(w, false, false);
	struct volume_scan *scan = NULL;
	struct volume_entry ve;
	bool is_there = false;
	struct err err;
	enum rc rc;

	if (!refresh(&l))
		return false;
	rc = volume_scan_slot(w->reader,
			      route_slot(ROUTE_PARENT, w->descriptor.n_bits,
					 v->uid, strlen(v->uid)),
			      &scan, &err);
	while (!rc && !(rc = volume_scan_next(scan, &ve, &err))) {
		char uid[MODEL_UID_MAX * 2];

		if (ve.e.created_at == v->created_at &&
		    entry_uid_len(ve.e.parent, ve.e.name) == strlen(v->uid)) {
			entry_uid(ve.e.parent, ve.e.name, uid);
			is_there = is_there ||
				   !memcmp(uid, v->uid, strlen(v->uid));
		}
		volume_entry_release(&ve);
	}
	if (rc != RC_NOENT)
		failed(&l, "scan", &err);
	volume_scan_free(scan);
	return is_there;
}

static void check_by(struct world *w, bool is_late, bool is_full)
{
	struct look l = look_of(w, is_late, is_full);

	if (!refresh(&l))
		return;
	check_all(&l);
	check_names(&l);
}

/* What a reader has in memory must not hide that something is gone. */
static void look_anew(struct world *w)
{
	if (memory_removed(w->memory) == w->removed)
		return;
	w->removed = memory_removed(w->memory);
	rules_check(w);
	if (random_next(&w->random) % 2)
		world_open_reader(w);
}

void world_check(struct world *w, bool is_full)
{
	memory_show_clock(w->exact);
	look_anew(w);
	if (w->has_failed)
		return;
	if (memory_changes(w->memory) != w->checked || is_full)
		check_by(w, false, is_full);
	if (w->has_lag && !w->has_failed)
		check_by(w, true, is_full);
	w->checked = memory_changes(w->memory);
}

void world_check_end(struct world *w)
{
	memory_lag(w->memory, 0, 0);
	w->has_lag = false;
	holds_end(w);
	if (!w->has_failed)
		end_reap(w);
	if (!w->has_failed)
		world_check(w, true);
	if (!w->has_failed)
		end_search(w);
	if (!w->has_failed)
		end_verify(w);
	if (!w->has_failed && random_next(&w->random) % 4 == 0)
		damage_check(w);
}
