/* SPDX-License-Identifier: Apache-2.0 */
/* verify-log.c - the records of the log, and the documents they name. */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/stop.h"
#include "erase/aggregate.h"
#include "erase/erasure-state.h"
#include "erase/suppression.h"
#include "erase/tombstone-set.h"
#include "erase/tombstone.h"
#include "store/store-write.h"
#include "verify/verify-backend.h"
#include "verify/verify-report.h"

#define TEXT_MAX 1024

void verify_run_damage(struct verify_run *r, const char *key, const char *fmt,
		       ...)
{
	struct verify_report report = { .key = key };
	char text[TEXT_MAX];
	va_list ap;

	/* It may come of the signal. */
	if (stop_requested())
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	verify_damage(&report, FINDING_NO_OFFSET, "%s", text);
	verify_report_tell(&report, r->opts, r->totals);
}

void verify_run_note(struct verify_run *r, const char *key, const char *fmt,
		     ...)
{
	struct verify_report report = { .key = key };
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	verify_note(&report, "%s", text);
	verify_report_tell(&report, r->opts, r->totals);
}

/* --- records -------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct oplog_record *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static const struct oplog_record *find(const struct oplog_record **sorted,
				       size_t n, const char *name)
{
	/* Not changed: the comparison wants a record. */
	const struct oplog_record key = { .name = (char *)(uintptr_t)name };
	const struct oplog_record *const want = &key;
	const struct oplog_record **at = bsearch(
		&want, sorted, n, sizeof(struct oplog_record *), by_name);

	return at ? *at : NULL;
}

/* Each record's predecessor is there and what it was. */
static void check_chain(struct verify_run *r)
{
	size_t n = oplog_n_records(r->log);
	CLEANUP_FREE const struct oplog_record **sorted =
		xcalloc(n + 1, sizeof(struct oplog_record *));

	for (size_t i = 0; i < n; i++)
		sorted[i] = oplog_record_at(r->log, i);
	if (n)
		qsort(sorted, n, sizeof(struct oplog_record *), by_name);
	for (size_t i = 0; i < n; i++) {
		const struct oplog_prev *prev = &sorted[i]->prev;
		const struct oplog_record *is =
			prev->name ? find(sorted, n, prev->name) : NULL;
		CLEANUP_FREE char *key =
			xasprintf("log/%s", prev->name ? prev->name : "");

		if (prev->name && !is)
			verify_run_damage(r, key,
					  "log/%s names this record, and it is "
					  "not there: what it said is lost",
					  sorted[i]->name);
		else if (is && memcmp(is->sha256, prev->sha256, SHA256_LEN))
			verify_run_damage(r, key,
					  "not the bytes that log/%s has seen",
					  sorted[i]->name);
	}
}

/* --- documents ------------------------------------------------------------ */

static void leave_out_withdrawn(const struct verify_run *r, struct tombstone *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (oplog_state_is_withdrawn(r->state, t->erasures[i].id))
			free(t->erasures[i].uid);
		else
			t->erasures[n++] = t->erasures[i];
	}
	t->n = n;
}

/* What was asked for so long ago that it is to be gone. */
static void add_overdue(struct verify_run *r, struct tombstone *t)
{
	const struct tombstone *const docs[] = { t };
	struct tombstone_set *more = NULL;
	struct err err;

	if (t->time + ERASURE_DEADLINE > clock_wall_us())
		return;
	leave_out_withdrawn(r, t);
	if (tombstone_set_new(&more, r->overdue, docs, 1, &err)) {
		verify_run_damage(r, "tombstones", "%s", err.msg);
		return;
	}
	tombstone_set_unref(r->overdue);
	r->overdue = more;
}

static void check_document(struct verify_run *r,
			   const struct oplog_tombstone *t)
{
	const struct oplog_object *o = t->object;
	struct tombstone doc = { .n = 0 };
	struct err err;

	if (oplog_read_tombstone(r->store, o, r->descriptor.archive_id, &doc,
				 NULL, &err))
		verify_run_damage(r, o->key,
				  "%s; without it nobody can read the archive",
				  err.msg);
	else
		add_overdue(r, &doc);
	tombstone_release(&doc);
}

static void check_suppressed(struct verify_run *r, const struct oplog_object *o)
{
	CLEANUP_BUF struct buf b = { .max = SUPPRESSION_MAX };
	struct suppression s = { .n = 0 };
	uint8_t hash[SHA256_LEN];
	struct err err;
	enum rc rc;

	rc = store_read_all(r->store, o->key, SUPPRESSION_MAX, &b, &err);
	if (!rc) {
		sha256_of(b.p, b.len, hash);
		if (memcmp(hash, o->sha256, SHA256_LEN) != 0)
			rc = err_set(&err, RC_CORRUPT,
				     "not the bytes that the log has seen");
	}
	if (!rc)
		rc = suppression_decode(b.p, b.len, &s, &err);
	if (!rc &&
	    (s.n != o->count ||
	     memcmp(s.archive_id, r->descriptor.archive_id, SHARD_ID_LEN) != 0))
		rc = err_set(&err, RC_CORRUPT,
			     "%zu hashes, the log says %" PRIu64
			     ", or of another archive",
			     s.n, o->count);
	if (rc)
		verify_run_damage(r, o->key, "%s", err.msg);
	suppression_release(&s);
}

static void check_documents(struct verify_run *r)
{
	const struct oplog_state *s = r->state;

	for (size_t i = 0; i < oplog_state_n_tombstones(s); i++) {
		const struct oplog_tombstone *t = oplog_state_tombstone(s, i);

		if (!t->done)
			check_document(r, t);
	}
	for (size_t i = 0; i < oplog_state_n_suppressed(s); i++)
		check_suppressed(r, oplog_state_suppressed(s, i));
}

void verify_log(struct verify_run *r)
{
	struct err err;
	bool changed;

	r->log = oplog_new();
	if (r->has_descriptor)
		oplog_expect(r->log, r->descriptor.archive_id);
	if (oplog_read(r->log, r->store, &changed, &err)) {
		verify_run_damage(r, "log", "%s", err.msg);
		return;
	}
	if (!oplog_n_records(r->log))
		return;
	r->state = oplog_state(r->log);
	check_chain(r);
	if (r->has_descriptor)
		check_documents(r);
}

bool verify_log_is_replaced(void *run, const char *key)
{
	struct verify_run *r = run;
	struct err err;
	bool changed;

	if (!r->state)
		return false;
	if (!r->later)
		r->later = oplog_new();
	oplog_want_all(r->later);
	if (oplog_read(r->later, r->store, &changed, &err) ||
	    oplog_state_find(oplog_state(r->later), key))
		return false;
	verify_run_note(r, key, "replaced and removed while this ran");
	return true;
}

/* --- what is left over ---------------------------------------------------- */

/* They are by key. */
static const struct oplog_object *find_suppressed(const struct verify_run *r,
						  const char *key)
{
	size_t from = 0, to = oplog_state_n_suppressed(r->state);

	while (from < to) {
		size_t i = from + (to - from) / 2;
		const struct oplog_object *o =
			oplog_state_suppressed(r->state, i);
		int cmp = strcmp(o->key, key);

		if (!cmp)
			return o;
		if (cmp < 0)
			from = i + 1;
		else
			to = i;
	}
	return NULL;
}

const struct oplog_object *verify_log_object(const struct verify_run *r,
					     const char *key)
{
	const struct oplog_tombstone *t =
		oplog_state_find_tombstone(r->state, key);

	if (!t)
		return find_suppressed(r, key);
	return t->done ? NULL : t->object;
}

static enum rc ignore_text(void *arg, const void *p, size_t len,
			   struct err *err)
{
	(void)arg;
	(void)p;
	(void)len;
	(void)err;
	return RC_OK;
}

struct aggregate_look {
	struct verify_run *r;
	const char *key;
};

/* Made of others, which count alone: it may be made again, and missing. */
static enum rc check_aggregate(void *arg, const char *zone, struct store *place,
			       struct err *err)
{
	const struct aggregate_look *l = arg;
	CLEANUP_BUF struct buf b = { .max = AGGREGATE_MAX };
	struct verify_report report = { .key = l->key, .place = zone };
	enum rc rc = store_read_all(place, l->key, AGGREGATE_MAX, &b, err);

	if (!rc)
		rc = aggregate_each(b.p, b.len, l->r->descriptor.archive_id,
				    ignore_text, NULL, err);
	if (!rc || rc == RC_NOENT)
		return RC_OK;
	verify_note(&report, "%s ('desfs tombstone aggregate')", err->msg);
	verify_report_tell(&report, l->r->opts, l->r->totals);
	return RC_OK;
}

static void check_aggregates(struct verify_run *r, const char *key)
{
	struct aggregate_look l = { r, key };
	struct err err;

	if (store_each_place(r->store, key, check_aggregate, &l, &err))
		verify_run_note(r, key, "%s ('desfs tombstone aggregate')",
				err.msg);
}

static void look_at_tombstone(struct verify_run *r, const char *key)
{
	const struct oplog_tombstone *t =
		oplog_state_find_tombstone(r->state, key);

	if (aggregate_key_is_valid(key))
		check_aggregates(r, key);
	else if (t && t->done)
		verify_run_note(r, key,
				"all it asked for is done ('desfs reap' "
				"removes it)");
	else if (!t && tombstone_key_is_valid(key))
		verify_run_note(r, key,
				"no log record names it: nothing is deleted by "
				"it");
	else if (!t && suppression_key_is_valid(key) &&
		 !find_suppressed(r, key))
		verify_run_note(r, key, "no log record names it");
	else if (!t && !suppression_key_is_valid(key))
		verify_run_note(r, key, "no part of the archive");
}

void verify_log_leftovers(struct verify_run *r)
{
	for (size_t i = 0; r->state && i < r->list.n; i++) {
		if (r->list.objects[i].kind == OBJECT_TOMBSTONE)
			look_at_tombstone(r, r->list.objects[i].key);
	}
}

/* --- what is deleted ------------------------------------------------------ */

static bool has_holds(const struct verify_run *r)
{
	for (size_t i = 0; i < r->list.n; i++) {
		if (r->list.objects[i].kind == OBJECT_HOLD)
			return true;
	}
	return false;
}

void verify_log_deleted(struct verify_run *r)
{
	uint64_t n = r->totals->deleted, late = r->totals->overdue;

	bool has_hold = has_holds(r);

	if (n)
		verify_run_note(
			r, "tombstones",
			"%" PRIu64 " entries are deleted and still in "
			"shards: hidden, and gone with the next 'desfs "
			"repack'%s",
			n, has_hold ? ", but for those that a hold keeps" : "");
	if (late && has_hold)
		verify_run_note(r, "tombstones",
				"%" PRIu64 " of them were to be gone after 48 "
				"hours, if no hold keeps them ('desfs "
				"erasures')",
				late);
	r->totals->late += late && !has_hold;
	if (late && !has_hold)
		verify_run_damage(r, "tombstones",
				  "%" PRIu64
				  " of them were to be gone after 48 "
				  "hours: in danger, see 'desfs erasures'",
				  late);
}
