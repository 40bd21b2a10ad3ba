/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-resolve.c - which versions of one name are to be deleted. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "erase/tombstone-set.h"
#include "repack/tombstone-add-backend.h"
#include "repack/tombstone-copies.h"
#include "volume/oplog.h"

#define TELL_MAX 20u /* versions of one name */

static struct span uid_of(const struct tombstone_add *a)
{
	return span_of(a->uid.p, a->uid.len);
}

static void add_version(struct tombstone_add *a, const struct found *f)
{
	for (size_t i = 0; i < a->n_versions; i++) {
		struct version *v = &a->versions[i];

		if (v->created_at == f->e.created_at) {
			v->is_dir |= f->e.type == ENTRY_DIR;
			return;
		}
	}
	a->versions = mem_grow(a->versions, &a->cap_versions, a->n_versions + 1,
			       sizeof(*a->versions));
	a->versions[a->n_versions++] =
		(struct version){ .created_at = f->e.created_at,
				  .is_deleted = f->is_deleted,
				  .is_dir = f->e.type == ENTRY_DIR };
}

static enum rc take_version(void *arg, const struct found *f, struct err *err)
{
	(void)err;
	add_version(arg, f);
	return RC_OK;
}

/* Newest first. */
static int by_time(const void *pa, const void *pb)
{
	const struct version *a = pa, *b = pb;

	return (a->created_at < b->created_at) -
	       (a->created_at > b->created_at);
}

static enum rc find_all(struct tombstone_add *a, struct err *err)
{
	enum rc rc;

	a->n_versions = 0;
	rc = find_versions(a->find, uid_of(a), take_version, a, err);
	a->is_damaged = rc == RC_CORRUPT;
	rc = tombstone_add_pass(a, rc);
	if (rc)
		return rc;
	if (a->n_versions)
		qsort(a->versions, a->n_versions, sizeof(*a->versions),
		      by_time);
	return RC_OK;
}

static void fail(struct tombstone_add *a, enum tombstone_note_kind kind,
		 enum rc rc)
{
	if (!a->failure)
		a->failure = rc;
	a->counts.failed++;
	tombstone_add_note(a, kind, uid_of(a), 0, false);
}

/* Keep it until all are found. */
static enum rc keep(struct tombstone_add *a, enum erasure_range range,
		    int64_t time, struct err *err)
{
	struct span uid = uid_of(a);
	struct waiting w;

	memset(&w, 0, sizeof(w));
	w.time = time;
	w.range = range;
	w.uid_len = (uint32_t)uid.len;
	a->counts.names++;
	if (a->copies && range == ERASURE_UNTIL)
		tombstone_copies_take_all(a->copies, uid);
	else if (a->copies)
		tombstone_copies_take_one(a->copies, uid, time);
	if (spool_append(&a->waiting, &w, sizeof(w), err))
		return err->rc;
	return spool_append(&a->waiting, uid.p, uid.len, err);
}

static enum rc look_below(void *arg, const struct found *f, struct err *err)
{
	bool *found = arg;

	if (f->is_deleted)
		return RC_OK;
	*found = true;
	return err_set(err, RC_EXISTS, "%s", "");
}

/* What is below a directory goes with it or is not to be cut off. */
static enum rc has_below(struct tombstone_add *a, bool *ret, struct err *err)
{
	enum rc rc = find_below(a->find, uid_of(a), look_below, ret, err);

	return *ret ? RC_OK : tombstone_add_pass(a, rc);
}

/* May the versions that are taken go? */
static enum rc check_dir(struct tombstone_add *a, bool is_recursive,
			 bool *ret_ok, struct err *err)
{
	bool is_dir = false, below = false;

	*ret_ok = true;
	for (size_t i = 0; i < a->n_versions; i++)
		is_dir |= a->versions[i].is_taken && a->versions[i].is_dir;
	if (!is_dir || is_recursive)
		return RC_OK;
	if (has_below(a, &below, err))
		return err->rc;
	*ret_ok = !below;
	if (below)
		fail(a, TOMBSTONE_IS_DIR, RC_USAGE);
	return RC_OK;
}

/* Were all versions up to that time asked for, and not only single ones? */
static bool is_covered(const struct tombstone_add *a, int64_t until)
{
	struct tombstone_uid t;
	struct span parent, name;

	entry_split_uid(uid_of(a), &parent, &name);
	return tombstone_set_find(oplog_deleted(a->log), parent, name, &t) &&
	       t.until != TOMBSTONE_NONE && t.until >= until;
}

static enum rc resolve_all(struct tombstone_add *a, const struct want *w,
			   struct err *err)
{
	int64_t until = INT64_MIN;
	bool ok, any = false;

	for (size_t i = 0; i < a->n_versions; i++) {
		struct version *v = &a->versions[i];

		v->is_taken = !v->is_deleted;
		any |= v->is_taken;
		if (v->created_at > until)
			until = v->created_at;
	}
	if (!any && !a->is_damaged && is_covered(a, until)) {
		a->counts.already++;
		tombstone_add_note(a, TOMBSTONE_ALREADY, uid_of(a), 0, false);
		return RC_OK;
	}
	if (!a->n_versions && !w->is_below && !a->opts->force) {
		fail(a, TOMBSTONE_MISSING, RC_NOENT);
		return RC_OK;
	}
	if (check_dir(a, w->is_recursive, &ok, err))
		return err->rc;
	return ok ? keep(a, ERASURE_UNTIL, until, err) : RC_OK;
}

static void tell_versions(struct tombstone_add *a)
{
	unsigned int n = 0;

	fail(a, TOMBSTONE_NO_VERSION, RC_NOENT);
	for (size_t i = 0; i < a->n_versions && n < TELL_MAX; i++) {
		if (a->versions[i].is_deleted)
			continue;
		tombstone_add_note(a, TOMBSTONE_VERSION, uid_of(a),
				   a->versions[i].created_at, false);
		n++;
	}
}

/* Versions of a time that are not taken yet; returns how many there are. */
static size_t take_time(struct tombstone_add *a, const struct want *w,
			size_t *ret_deleted)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_versions; i++) {
		struct version *v = &a->versions[i];

		if (!want_has(w, v->created_at))
			continue;
		*ret_deleted += v->is_deleted;
		n += !v->is_deleted;
		v->is_taken |= !v->is_deleted;
	}
	return n;
}

static enum rc resolve_time(struct tombstone_add *a, const struct want *w,
			    struct err *err)
{
	size_t n_deleted = 0, n = take_time(a, w, &n_deleted);

	if (n || w->is_below)
		return RC_OK;
	if (n_deleted) {
		a->counts.already++;
		tombstone_add_note(a, TOMBSTONE_ALREADY, uid_of(a), w->from,
				   false);
		return RC_OK;
	}
	if (a->opts->force)
		return keep(a, ERASURE_ONE, w->from, err);
	if (a->n_versions)
		tell_versions(a);
	else
		fail(a, TOMBSTONE_MISSING, RC_NOENT);
	return RC_OK;
}

static enum rc resolve_times(struct tombstone_add *a, struct err *err)
{
	bool is_recursive = false, ok;

	for (size_t i = 0; i < a->n_wants; i++) {
		is_recursive |= a->wants[i].is_recursive;
		if (resolve_time(a, &a->wants[i], err))
			return err->rc;
	}
	if (check_dir(a, is_recursive, &ok, err))
		return err->rc;
	for (size_t i = 0; ok && i < a->n_versions; i++) {
		if (a->versions[i].is_taken &&
		    keep(a, ERASURE_ONE, a->versions[i].created_at, err))
			return err->rc;
	}
	return RC_OK;
}

static enum rc add_copy(void *arg, const struct found *f, struct err *err)
{
	struct tombstone_add *a = arg;

	for (size_t i = 0; i < a->n_versions; i++) {
		const struct version *v = &a->versions[i];

		if (v->is_taken && v->created_at == f->e.created_at)
			return tombstone_copies_add(a->copies, &f->e, f->shard,
						    err);
	}
	return RC_OK;
}

/* All that is asked of one name. */
enum rc tombstone_add_resolve(struct tombstone_add *a, struct err *err)
{
	const struct want *all = NULL;
	struct want any = { 0 };
	enum rc rc = find_all(a, err);

	for (size_t i = 0; i < a->n_wants; i++) {
		any.is_below |= a->wants[i].is_below;
		any.is_recursive |= a->wants[i].is_recursive;
		if (!a->wants[i].has_time)
			all = &any;
	}
	if (!rc)
		rc = all ? resolve_all(a, all, err) : resolve_times(a, err);
	if (!rc && a->copies)
		rc = tombstone_add_pass(
			a, find_versions(a->find, uid_of(a), add_copy, a, err));
	a->n_wants = 0;
	return rc;
}
