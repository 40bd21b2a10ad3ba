/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-verify-done.c - what is called done, against receipts.
 *
 * A document is removed when it is done, so nobody can tell which erasures it
 * had; but the log has how many, and each receipt the time of the record that
 * asked for it.  Of what a hold keeps a document is made of its own, when all
 * else is done.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rd.h"
#include "erase/erasure-state.h"
#include "repack/erasure-verify-backend.h"
#include "repack/survey.h"

/* A round removes what it calls done, and the next one what that has left. */
#define REMOVED_AFTER (INT64_C(24) * 3600 * 1000000)
/* Rests of rests. */
#define REST_MAX 1000u

/* The documents that records of one time ask for: one record, but by chance, or
 * as two whose clocks are behind have read the same one last.  Those of what
 * they are the rest of count together with them.
 */
struct asked {
	int64_t time;
	struct asked *up; /* where it is counted; NULL: here */
	const char *record;
	uint64_t n, done;  /* erasures, and those that should have receipts */
	uint64_t receipts; /* final ones */
	int64_t last;      /* when the last of them was called done */
};

struct counting {
	struct checking *c;
	struct asked *all; /* by time */
	size_t n;
};

static int by_time(const void *a, const void *b)
{
	const struct asked *x = a, *y = b;

	return (x->time > y->time) - (x->time < y->time);
}

static struct asked *find_asked(const struct counting *k, int64_t time)
{
	const struct asked like = { .time = time };

	return k->n ? bsearch(&like, k->all, k->n, sizeof(like), by_time)
		    : NULL;
}

/* What a document is a rest of, in the end: itself, or another. */
static size_t first_of(const struct oplog_state *state, size_t i)
{
	const struct oplog_tombstone *base = oplog_state_tombstone(state, 0);

	/* A forger may have made a circle. */
	for (size_t steps = 0; steps < REST_MAX; steps++) {
		const char *key =
			oplog_state_tombstone(state, i)->object->rest_of;
		const struct oplog_tombstone *t =
			key ? oplog_state_find_tombstone(state, key) : NULL;

		if (!t)
			break;
		i = (size_t)(t - base);
	}
	return i;
}

/* Of each document that is the first of its kin, how many of its erasures are
 * live still: those of a rest, which may have been made twice.
 */
static uint64_t *count_live(const struct oplog_state *state,
			    const size_t *first)
{
	size_t n = oplog_state_n_tombstones(state);
	uint64_t *live = xcalloc(n + 1, sizeof(*live));

	for (size_t i = 0; i < n; i++) {
		const struct oplog_tombstone *t =
			oplog_state_tombstone(state, i);

		if (!t->done && t->object->count > live[first[i]])
			live[first[i]] = t->object->count;
	}
	return live;
}

/* All that one time has become one. */
static void merge(struct counting *k, size_t n)
{
	qsort(k->all, n, sizeof(*k->all), by_time);
	for (size_t i = 0; i < n; i++) {
		struct asked *to = k->n ? &k->all[k->n - 1] : NULL;

		if (!to || to->time != k->all[i].time) {
			k->all[k->n++] = k->all[i];
			continue;
		}
		to->n += k->all[i].n;
		to->done += k->all[i].done;
		if (k->all[i].last > to->last)
			to->last = k->all[i].last;
	}
}

static struct asked *top_of(struct asked *a)
{
	struct asked *top = a, *up;

	while (top->up)
		top = top->up;
	for (; a != top; a = up) {
		up = a->up;
		a->up = top;
	}
	return top;
}

/* Count those of two times as one. */
static void unite(struct counting *k, int64_t time, int64_t first)
{
	struct asked *a = top_of(find_asked(k, time));
	struct asked *to = top_of(find_asked(k, first));

	if (a == to)
		return;
	a->up = to;
	to->n += a->n;
	to->done += a->done;
	if (a->last > to->last)
		to->last = a->last;
}

static void collect(struct counting *k)
{
	const struct oplog_state *state = k->c->state;
	size_t n = oplog_state_n_tombstones(state);
	CLEANUP_FREE size_t *first = xcalloc(n + 1, sizeof(*first));
	CLEANUP_FREE uint64_t *live = NULL;

	for (size_t i = 0; i < n; i++)
		first[i] = first_of(state, i);
	live = count_live(state, first);
	k->all = xcalloc(n + 1, sizeof(*k->all));
	for (size_t i = 0; i < n; i++) {
		const struct oplog_tombstone *t =
			oplog_state_tombstone(state, i);
		uint64_t count = t->object->count;

		k->all[i] = (struct asked){
			.time = t->record->time,
			.record = t->record->name,
			.last = t->done ? t->done->time : ERASURE_NEVER,
		};
		/* What a rest has counts with the first. */
		if (first[i] != i)
			continue;
		k->all[i].n = count;
		if (t->done && count > live[i])
			k->all[i].done = count - live[i];
	}
	/* A rest may be taken back when the first is long done. */
	for (size_t i = 0; i < n; i++) {
		struct asked *of = &k->all[first[i]];

		if (k->all[i].last > of->last)
			of->last = k->all[i].last;
	}
	merge(k, n);
	for (size_t i = 0; i < n; i++)
		unite(k, oplog_state_tombstone(state, i)->record->time,
		      oplog_state_tombstone(state, first[i])->record->time);
}

static void count_receipts(struct counting *k)
{
	const struct oplog_state *state = k->c->state;

	for (size_t i = 0; i < oplog_state_n_receipts(state); i++) {
		const struct receipt *r = oplog_state_receipt(state, i);
		struct asked *a = find_asked(k, r->hidden);

		if (!a)
			checking_find(k->c,
				      "receipt %s: no record asked for "
				      "anything at the time it says",
				      receipt_texts_of(r, r->id).id);
		else
			top_of(a)->receipts += receipt_is_final(r);
	}
}

/* --- what was taken back -------------------------------------------------- */

static uint64_t id_hash(const uint8_t id[ERASURE_ID_LEN])
{
	struct rd rd = { .p = id, .left = ERASURE_ID_LEN };

	return rd_u64(&rd);
}

/* Those of documents that are there still. */
static enum rc note_live(struct checking *c, struct uid_set *ids,
			 struct err *err)
{
	CLEANUP(survey_release) struct survey s = { 0 };

	if (survey_read(&s, c->st, c->log, err))
		return err->rc;
	for (size_t i = 0; i < s.n_erasures; i++) {
		if (s.erasures[i].is_withdrawn)
			uid_set_add(ids, id_hash(s.erasures[i].erasure->id));
	}
	return RC_OK;
}

/* How many were taken back by then, without a receipt, of documents that are
 * gone.
 */
static enum rc count_withdrawn(struct checking *c, int64_t by, uint64_t *ret,
			       struct err *err)
{
	CLEANUP(uid_set_release) struct uid_set ids = { 0 };
	enum rc rc = RC_OK;

	*ret = 0;
	if (oplog_state_n_withdrawn(c->state))
		rc = note_live(c, &ids, err);
	for (size_t i = 0; !rc && i < oplog_n_records(c->log); i++) {
		const struct oplog_record *r = oplog_record_at(c->log, i);

		for (size_t k = 0; r->time <= by && k < r->n_withdrawn; k++) {
			const uint8_t *id = r->withdrawn[k].b;
			const struct receipt *has =
				oplog_state_find_receipt(c->state, id);

			if (!has || !receipt_is_final(has))
				*ret += uid_set_add(&ids, id_hash(id));
		}
	}
	return rc;
}

static enum rc compare(struct counting *k, struct err *err)
{
	uint64_t missing = 0, withdrawn;
	int64_t last = ERASURE_NEVER;

	for (size_t i = 0; i < k->n; i++) {
		const struct asked *a = &k->all[i];

		if (!a->up && a->receipts > a->n)
			checking_find(k->c,
				      "log/%s: there are %" PRIu64
				      " receipts for the %" PRIu64
				      " erasures it asks for",
				      a->record, a->receipts, a->n);
		if (a->up || a->receipts >= a->done)
			continue;
		missing += a->done - a->receipts;
		if (a->last > last)
			last = a->last;
	}
	if (!missing)
		return RC_OK;
	if (count_withdrawn(k->c, last, &withdrawn, err))
		return err->rc;
	for (size_t i = 0; missing > withdrawn && i < k->n; i++) {
		const struct asked *a = &k->all[i];

		if (!a->up && a->receipts < a->done)
			checking_find(
				k->c,
				"log/%s: %" PRIu64
				" of the erasures it asks for are done, "
				"and %" PRIu64 " have a final receipt; %" PRIu64
				" in all were taken back",
				a->record, a->done, a->receipts, withdrawn);
	}
	return RC_OK;
}

/* --- documents ------------------------------------------------------------ */

static void check_named(struct checking *c)
{
	for (size_t i = 0; i < oplog_n_records(c->log); i++) {
		const struct oplog_record *r = oplog_record_at(c->log, i);

		for (size_t k = 0; k < r->n_done; k++) {
			if (!oplog_state_find_tombstone(c->state, r->done[k]))
				checking_find(c,
					      "log/%s: calls %s done, which no "
					      "record asks for",
					      r->name, r->done[k]);
		}
	}
}

/* It has names. */
static enum rc check_document(void *arg, const char *key, uint64_t size,
			      struct err *err)
{
	struct checking *c = arg;
	const struct oplog_tombstone *t =
		oplog_state_find_tombstone(c->state, key);
	int64_t now = clock_wall_ns() / 1000;

	(void)size;
	(void)err;
	if (t && t->done && t->done->time < now - REMOVED_AFTER)
		checking_find(c, "%s: is done, and still there with its names",
			      key);
	return RC_OK;
}

enum rc check_done(struct checking *c, struct err *err)
{
	struct counting k = { .c = c };
	enum rc rc;

	collect(&k);
	count_receipts(&k);
	rc = compare(&k, err);
	free(k.all);
	check_named(c);
	if (!rc)
		rc = store_list(c->st, TOMBSTONE_PREFIX, NULL, check_document,
				c, err);
	/* A web server cannot list what it has. */
	return rc == RC_UNSUPPORTED ? RC_OK : rc;
}
