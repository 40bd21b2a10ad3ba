/* SPDX-License-Identifier: Apache-2.0 */
/* finish.c - deletions of which nothing is left. */
#include "config.h"

#include "repack/finish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/unique.h"
#include "erase/suppression.h"
#include "repack/erasure-facts.h"
#include "repack/held.h"
#include "repack/receipt-make.h"
#include "repack/strays.h"
#include "store/store-write.h"
#include "volume/random-object.h"

/* What one erasure is to this round. */
enum readiness {
	FINISH_FINISHED, /* it was before, or was taken back */
	FINISH_READY,
	FINISH_HELD,
	FINISH_OPEN,
};

struct finishing {
	struct oplog *log;
	const struct finish_options *o;
	const uint8_t *secret; /* NULL: not needed so far */
	uint8_t made[SUPPRESSION_SECRET_LEN];
	struct survey survey;
	struct strays strays;
	struct old_set old;
	struct holds holds;
	struct erasure_known known;
	int64_t oldest_run;
	enum readiness *readiness; /* one for each erasure of the survey */
	bool is_any;               /* document that is to be called done */
	struct suppression suppression;
	struct receipt_writer receipts;
	char **done; /* keys of documents, for the last record alone */
	size_t n_done, cap_done;
	struct finish_totals *totals;
};

static void release(struct finishing *f)
{
	explicit_bzero(f->made, sizeof(f->made));
	survey_release(&f->survey);
	strays_release(&f->strays);
	old_set_release(&f->old);
	holds_release(&f->holds);
	suppression_release(&f->suppression);
	receipt_writer_release(&f->receipts);
	for (size_t i = 0; i < f->n_done; i++)
		free(f->done[i]);
	free(f->done);
	free(f->readiness);
}

/* Nor has it to be in a list yet. */
int64_t finish_settle(const struct store *st, int64_t settle)
{
	return store_lists_lag(st) && settle < STORE_LISTS_LAG_US
		       ? STORE_LISTS_LAG_US
		       : settle;
}

/* --- what is ready -------------------------------------------------------- */

static bool has_names(const struct finishing *f, const struct survey_erasure *e)
{
	const struct receipt *r = e->receipt;

	for (size_t i = 0; i < e->n_holders; i++) {
		if (f->o->has_names(f->o->arg,
				    f->survey.shards[e->holders[i]].root))
			return true;
	}
	for (size_t i = 0; r && i < r->n_replaced; i++) {
		if (f->o->has_names(f->o->arg, r->replaced[i].from.b))
			return true;
	}
	return false;
}

static bool is_settled(const struct finishing *f,
		       const struct survey_erasure *e)
{
	return erasure_is_settled(&f->known, e,
				  finish_settle(f->o->store, f->o->settle),
				  f->oldest_run);
}

static enum readiness look_at(const struct finishing *f,
			      const struct survey_erasure *e)
{
	struct erasure_status s;

	if (survey_is_finished(e))
		return FINISH_FINISHED;
	s = erasure_facts_status(&f->known, e);
	if (s.state == ERASURE_HELD)
		return FINISH_HELD;
	if (f->o->keep_open || s.state != ERASURE_PURGED || !is_settled(f, e) ||
	    has_names(f, e))
		return FINISH_OPEN;
	return FINISH_READY;
}

/* --- what is done --------------------------------------------------------- */

static enum rc suppress(struct finishing *f, const struct erasure *e,
			struct err *err)
{
	struct suppression_hash hash;

	/* A single version keeps no name out. */
	if (e->range != ERASURE_UNTIL)
		return RC_OK;
	if (!f->secret &&
	    random_object_make(f->o->store, SUPPRESSION_KEY_OBJECT, f->made,
			       err))
		return err->rc;
	if (!f->secret)
		f->secret = f->made;
	suppression_hash(f->secret, e->uid, e->uid_len, &hash);
	suppression_add(&f->suppression, &hash);
	return RC_OK;
}

static void add_object(struct oplog_object **all, size_t *n, const char *key,
		       uint64_t count, const struct buf *text)
{
	struct oplog_object *o;
	size_t cap = *n;

	*all = mem_grow(*all, &cap, *n + 1, sizeof(**all));
	o = &(*all)[(*n)++];
	*o = (struct oplog_object){ .key = xstrdup(key), .count = count };
	sha256_of(text->p, text->len, o->sha256);
}

/* Part of the list, at most as much as an object has room for. */
static enum rc put_part(struct finishing *f, size_t from, size_t n,
			struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = SUPPRESSION_MAX };
	struct oplog_record *r = &f->receipts.record;
	struct suppression part = { .time = f->known.now,
				    .hashes = f->suppression.hashes + from,
				    .n = n };
	char key[SUPPRESSION_KEY_TEXT];
	bool existed;

	memcpy(part.archive_id, f->o->archive_id, SHARD_ID_LEN);
	suppression_key_id(f->secret, part.key_id);
	if (suppression_encode(&part, &text, err) ||
	    suppression_key(part.time, key, err) ||
	    store_put(f->o->store, key, text.p, text.len, &existed, err))
		return err->rc;
	add_object(&r->suppressed, &r->n_suppressed, key, n, &text);
	f->totals->suppressed += n;
	return RC_OK;
}

static enum rc put_suppression(struct finishing *f, struct err *err)
{
	enum rc rc = RC_OK;

	suppression_sort(&f->suppression);
	for (size_t i = 0; !rc && i < f->suppression.n;
	     i += SUPPRESSION_UIDS_MAX) {
		size_t n = f->suppression.n - i;

		if (n > SUPPRESSION_UIDS_MAX)
			n = SUPPRESSION_UIDS_MAX;
		rc = put_part(f, i, n, err);
	}
	return rc;
}

static enum rc finish_one(struct finishing *f, const struct survey_erasure *e,
			  struct err *err)
{
	const struct receipt_sources src = { .st = f->o->store,
					     .survey = &f->survey,
					     .old = &f->old,
					     .now = f->known.now };
	struct receipt r = { 0 };
	enum rc rc = receipt_make(&src, e, &r, err);

	if (!rc && !receipt_is_final(&r)) {
		receipt_release(&r);
		return err_set(err, RC_CORRUPT,
			       "a receipt is not final of what is purged");
	}
	if (!rc)
		rc = receipt_write(&f->receipts, &r, err);
	f->totals->finished += !rc;
	return rc;
}

static void add_done(struct finishing *f, const char *key)
{
	f->done = mem_grow(f->done, &f->cap_done, f->n_done + 1,
			   sizeof(*f->done));
	f->done[f->n_done++] = xstrdup(key);
	f->totals->documents++;
}

/* After the list is there: of what is done nobody puts names on it any more,
 * and a record of receipts is written whenever it is full.
 */
static void hand_over_done(struct finishing *f)
{
	struct oplog_record *r = &f->receipts.record;

	r->done = f->done;
	r->n_done = f->n_done;
	f->done = NULL;
	f->n_done = f->cap_done = 0;
}

/* Whether r, a live document, was split from d and has all that stays. */
static bool is_rest(const struct finishing *f, const struct survey_doc *r,
		    const struct survey_doc *d, const bool *stays)
{
	const char *of = r->logged->object->rest_of;
	bool *has, is_all = true;

	if (!of || strcmp(of, d->logged->object->key) != 0)
		return false;
	has = xcalloc(f->survey.n_erasures + 1, sizeof(*has));
	for (size_t i = 0; i < r->doc.n; i++)
		has[r->members[i]] = true;
	for (size_t i = 0; i < d->doc.n; i++)
		is_all &= !stays[i] || has[d->members[i]];
	free(has);
	return is_all;
}

/* A round that had written the rest may have failed before d was done. */
static bool has_rest(const struct finishing *f, const struct survey_doc *d,
		     const bool *stays)
{
	for (size_t i = 0; i < f->survey.n_docs; i++) {
		if (is_rest(f, &f->survey.docs[i], d, stays))
			return true;
	}
	return false;
}

/* A document of what is left of another, in whose place it comes. */
static enum rc split(struct finishing *f, const struct survey_doc *d,
		     const bool *stays, struct err *err)
{
	CLEANUP(tombstone_release) struct tombstone t = { .time = d->doc.time };
	CLEANUP_BUF struct buf text = { .max = TOMBSTONE_MAX };
	struct oplog_record r = { .kind = OPLOG_TOMBSTONES };
	char key[TOMBSTONE_KEY_TEXT];
	bool existed;
	enum rc rc;

	memcpy(t.archive_id, d->doc.archive_id, sizeof(t.archive_id));
	t.words.reason = d->doc.words.reason;
	t.words.by = d->doc.words.by ? xstrdup(d->doc.words.by) : NULL;
	t.words.ticket =
		d->doc.words.ticket ? xstrdup(d->doc.words.ticket) : NULL;
	for (size_t i = 0; i < d->doc.n; i++) {
		const struct erasure *e = &d->doc.erasures[i];

		if (stays[i])
			tombstone_add(&t, e->id, e->uid, e->uid_len, e->range,
				      e->time);
	}
	if (unique_bytes(t.nonce, sizeof(t.nonce), err) ||
	    tombstone_encode(&t, &text, err) ||
	    tombstone_key(t.time, key, err) ||
	    store_put(f->o->store, key, text.p, text.len, &existed, err))
		return err->rc;
	add_object(&r.tombstones, &r.n_tombstones, key, t.n, &text);
	r.tombstones[0].rest_of = xstrdup(d->logged->object->key);
	rc = oplog_write(f->log, f->o->store, &r, f->o->archive_id, err);
	oplog_record_release(&r);
	f->totals->split += !rc;
	return rc;
}

static const struct survey_erasure *member(const struct finishing *f,
					   const struct survey_doc *d, size_t i,
					   enum readiness *ret)
{
	*ret = f->readiness[d->members[i]];
	return &f->survey.erasures[d->members[i]];
}

/* All but what stays: receipts of what is ready, and the list, which a round
 * that wrote the receipts may not have got to.
 */
static enum rc finish_members(struct finishing *f, const struct survey_doc *d,
			      struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; !rc && i < d->doc.n; i++) {
		enum readiness is;
		const struct survey_erasure *e = member(f, d, i, &is);

		if (is == FINISH_READY)
			rc = finish_one(f, e, err);
		/* It may be in another document, too. */
		if (!rc && is == FINISH_READY)
			f->readiness[d->members[i]] = FINISH_FINISHED;
		if (!rc && is != FINISH_HELD && !e->is_withdrawn)
			rc = suppress(f, e->erasure, err);
	}
	return rc;
}

/* How many of its erasures are what; true: it is to be called done.  What is
 * ready waits for the rest, but not for the end of a hold.
 */
static bool may_finish(const struct finishing *f, const struct survey_doc *d,
		       size_t n[FINISH_OPEN + 1])
{
	for (size_t i = 0; i < d->doc.n; i++) {
		enum readiness is;

		(void)member(f, d, i, &is);
		n[is]++;
	}
	return !n[FINISH_OPEN] && n[FINISH_HELD] != d->doc.n;
}

static enum rc finish_doc(struct finishing *f, const struct survey_doc *d,
			  struct err *err)
{
	bool *stays = xcalloc(d->doc.n + 1, sizeof(*stays));
	size_t n[FINISH_OPEN + 1] = { 0 };
	bool may = may_finish(f, d, n);
	enum rc rc = RC_OK;

	for (size_t i = 0; i < d->doc.n; i++) {
		enum readiness is;

		(void)member(f, d, i, &is);
		stays[i] = is == FINISH_HELD;
	}
	f->totals->open += n[FINISH_OPEN];
	f->totals->held += n[FINISH_HELD];
	if (!may) {
		f->totals->open += n[FINISH_READY];
		free(stays);
		return RC_OK;
	}
	if (n[FINISH_HELD] && !has_rest(f, d, stays))
		rc = split(f, d, stays, err);
	if (!rc)
		rc = finish_members(f, d, err);
	if (!rc)
		add_done(f, d->logged->object->key);
	free(stays);
	return rc;
}

/* --- one round ------------------------------------------------------------ */

static bool has_live(const struct oplog_state *state)
{
	for (size_t i = 0; i < oplog_state_n_tombstones(state); i++) {
		if (!oplog_state_tombstone(state, i)->done)
			return true;
	}
	return false;
}

/* In this order: what is listed and named since is in the log.  All is listed
 * only if there is something to be finished.
 */
static enum rc read_log(struct finishing *f, struct err *err)
{
	bool changed;

	oplog_want_all(f->log);
	if (oplog_read(f->log, f->o->store, &changed, err))
		return err->rc;
	if (!has_live(oplog_state(f->log)))
		return RC_OK;
	if (strays_list(&f->strays, f->o->store, err))
		return err->rc;
	return oplog_read(f->log, f->o->store, &changed, err);
}

static enum rc prepare(struct finishing *f, struct err *err)
{
	struct oplog *log = f->log;
	struct store *st = f->o->store;
	const struct oplog_state *state;
	/* What a list lacks that began now it may have had no time to show. */
	int64_t now = clock_wall_us();

	if (store_runs_oldest(st, STORE_RUNS_BRINGING, f->o->run,
			      &f->oldest_run, err))
		return err->rc;
	if (read_log(f, err) || holds_read(&f->holds, st, err))
		return err->rc;
	state = oplog_state(log);
	if (survey_read(&f->survey, st, log, err) ||
	    old_set_read(&f->old, st, state, err) ||
	    held_mark(&f->holds, st, state, &f->old, err))
		return err->rc;
	survey_add_all(&f->survey, state);
	if (strays_sift(&f->strays, st, state, &f->old, err))
		return err->rc;
	for (size_t i = 0; i < f->strays.n; i++)
		survey_add_stray(&f->survey, f->strays.all[i].key,
				 f->strays.all[i].zone);
	f->known = (struct erasure_known){ .log = log,
					   .survey = &f->survey,
					   .old = &f->old,
					   .holds = &f->holds,
					   .now = now,
					   .margin = ERASURE_MARGIN };
	return survey_look(&f->survey, st, f->o->jobs, err);
}

static void look_at_all(struct finishing *f)
{
	for (size_t i = 0; i < f->survey.n_erasures; i++)
		f->readiness[i] = look_at(f, &f->survey.erasures[i]);
}

/* Of what would be done the log is not believed. */
static enum rc look_again(struct finishing *f, struct err *err)
{
	size_t n = f->survey.n_erasures;
	CLEANUP_FREE bool *wanted = xcalloc(n + 1, sizeof(*wanted));
	enum rc rc;

	for (size_t i = 0; i < n; i++)
		wanted[i] = f->readiness[i] == FINISH_READY;
	rc = survey_check(&f->survey, f->o->store, wanted, f->o->jobs, err);
	if (!rc)
		look_at_all(f);
	return rc;
}

static bool is_any_to_finish(const struct finishing *f)
{
	for (size_t i = 0; i < f->survey.n_docs; i++) {
		size_t n[FINISH_OPEN + 1] = { 0 };

		if (may_finish(f, &f->survey.docs[i], n))
			return true;
	}
	return false;
}

/* To look takes its time.  Of nothing that is called done holds are not asked.
 */
static enum rc heed_holds(struct finishing *f, struct err *err)
{
	CLEANUP(holds_release) struct holds now = { 0 };

	if (!f->is_any)
		return RC_OK;
	if (holds_read(&now, f->o->store, err))
		return err->rc;
	if (holds_are_same(&f->holds, &now))
		return RC_OK;
	return err_set(err, RC_CHANGED,
		       "holds were changed meanwhile; nothing is called done "
		       "in this round");
}

/* What keeps erasures open and goes by no step of a round. */
static void note_strays(struct finishing *f)
{
	bool *is_holder = xcalloc(f->survey.n_shards + 1, sizeof(*is_holder));

	for (size_t i = 0; i < f->survey.n_erasures; i++) {
		const struct survey_erasure *e = &f->survey.erasures[i];

		for (size_t k = 0; k < e->n_holders; k++)
			is_holder[e->holders[k]] = true;
	}
	for (size_t i = 0; i < f->survey.n_shards; i++) {
		const struct survey_shard *s = &f->survey.shards[i];

		if (!is_holder[i] || (!s->is_stray && !s->problem))
			continue;
		f->totals->strays++;
		snprintf(f->totals->text, sizeof(f->totals->text), "%s",
			 s->problem ? s->problem : s->key);
	}
	free(is_holder);
}

static enum rc finish_all(struct finishing *f, struct err *err)
{
	enum rc rc;

	f->readiness = xcalloc(f->survey.n_erasures + 1, sizeof(*f->readiness));
	look_at_all(f);
	rc = look_again(f, err);
	f->is_any = !rc && is_any_to_finish(f);
	if (!rc)
		rc = heed_holds(f, err);
	note_strays(f);
	for (size_t i = 0; !rc && i < f->survey.n_docs; i++)
		rc = finish_doc(f, &f->survey.docs[i], err);
	if (!rc)
		rc = put_suppression(f, err);
	if (!rc)
		rc = heed_holds(f, err);
	if (rc)
		return rc;
	hand_over_done(f);
	return receipt_write_end(&f->receipts, err);
}

enum rc finish_erasures(struct oplog *log, const struct finish_options *opts,
			struct finish_totals *ret, struct err *err)
{
	struct finishing f = { .log = log,
			       .o = opts,
			       .secret = opts->secret,
			       .totals = ret,
			       .receipts = { .log = log,
					     .st = opts->store,
					     .archive_id = opts->archive_id } };
	bool changed, is_any;
	enum rc rc;

	*ret = (struct finish_totals){ 0 };
	rc = prepare(&f, err);
	if (!rc)
		rc = finish_all(&f, err);
	is_any = f.is_any;
	release(&f);
	return rc || !is_any ? rc
			     : oplog_read(log, opts->store, &changed, err);
}
