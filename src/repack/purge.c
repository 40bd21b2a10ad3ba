/* SPDX-License-Identifier: Apache-2.0 */
/* purge.c - remove old revisions and garbage where nothing speaks against it.
 */
#include "config.h"

#include "repack/purge.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "repack/holds.h"
#include "repack/old-set.h"
#include "repack/purge-judge.h"
#include "repack/receipt-make.h"
#include "repack/survey.h"
#include "repack/whole-store.h"
#include "store/store-write.h"

/* Told by one record. */
#define RECORD_ITEMS 4096u

/* Holds are looked at before each that is removed, unless that was just now. */
#define HOLDS_EVERY CLOCK_NS_PER_SEC

struct purging {
	struct oplog *log;
	const struct purge_options *o;
	struct old_set old;
	struct holds holds;
	struct purge_judge judge;
	struct oplog_record told; /* what is done and in no record yet */
	size_t cap;
	struct purge_totals *totals;
};

static void release(struct purging *p)
{
	purge_judge_release(&p->judge);
	old_set_release(&p->old);
	holds_release(&p->holds);
	oplog_record_release(&p->told);
}

static void tell(const struct purging *p, const struct purge_event *event)
{
	if (p->o->fn)
		p->o->fn(p->o->arg, event);
}

static void tell_waiting(struct purging *p, const struct purge_item *it)
{
	switch (it->verdict) {
	case PURGE_GRACE:
		if (it->until < p->totals->next)
			p->totals->next = it->until;
		p->totals->waiting++;
		break;
	case PURGE_RUN_ALIVE: p->totals->waiting++; break;
	case PURGE_HELD: p->totals->held++; break;
	case PURGE_COUNTS:
	case PURGE_UNREAD:
	case PURGE_UNVERIFIED:
	case PURGE_LACKS: p->totals->failed++; break;
	case PURGE_YES: return;
	}
	if (it->is_uncertain && it->verdict == PURGE_HELD) {
		p->totals->held--;
		p->totals->failed++;
	}
	tell(p, &(struct purge_event){ .key = it->shard->old->key,
				       .verdict = it->verdict,
				       .until = it->verdict == PURGE_GRACE
							? it->until
							: RECEIPT_UNKNOWN,
				       .text = it->text,
				       .is_failed = it->is_uncertain });
}

/* --- receipts before ------------------------------------------------------ */

static enum rc write_receipts(struct purging *p, struct survey *s,
			      struct err *err)
{
	const struct receipt_sources src = { .st = p->o->store,
					     .survey = s,
					     .old = &p->old,
					     .now = p->judge.now };
	struct receipt_writer w = { .log = p->log,
				    .st = p->o->store,
				    .archive_id = p->o->archive_id };
	enum rc rc = RC_OK;

	for (size_t i = 0; !rc && i < s->n_erasures; i++) {
		struct receipt r = { 0 };

		if (receipt_is_known(&src, &s->erasures[i]))
			continue;
		rc = receipt_make(&src, &s->erasures[i], &r, err);
		if (!rc)
			rc = receipt_write(&w, &r, err);
	}
	if (!rc)
		rc = receipt_write_end(&w, err);
	receipt_writer_release(&w);
	return rc;
}

/* Who held what is told before it goes: afterwards nobody could find out. */
static enum rc tell_holders(struct purging *p, struct err *err)
{
	struct survey s = { 0 };
	enum rc rc;

	rc = survey_read(&s, p->o->store, p->log, err);
	for (size_t i = 0; !rc && i < p->judge.n; i++) {
		const struct purge_item *it = &p->judge.items[i];
		const struct oplog_old *old = it->shard->old;

		if (it->verdict == PURGE_YES)
			survey_add(&s,
				   &(struct survey_shard){ .key = old->key,
							   .root = old->root,
							   .meta = old->meta,
							   .old = old });
	}
	if (!rc)
		rc = survey_look(&s, p->o->store, p->o->jobs, err);
	if (!rc)
		rc = write_receipts(p, &s, err);
	survey_release(&s);
	return rc;
}

/* --- removing ------------------------------------------------------------- */

static enum rc flush(struct purging *p, struct err *err)
{
	enum rc rc;

	if (!p->told.n_purged)
		return RC_OK;
	p->told.kind = OPLOG_PURGED;
	rc = oplog_write(p->log, p->o->store, &p->told, p->o->archive_id, err);
	oplog_record_release(&p->told);
	p->cap = 0;
	return rc;
}

static void note(struct purging *p, const struct purge_item *it,
		 const struct old_place *place, const struct purge_event *event)
{
	const struct oplog_purged *told = place ? place->told : NULL;
	struct oplog_record *r = &p->told;
	struct oplog_purged *to;

	/* Said once is enough. */
	if (told && told->how == event->how && told->until == event->until)
		return;
	r->purged = mem_grow(r->purged, &p->cap, r->n_purged + 1,
			     sizeof(*r->purged));
	to = &r->purged[r->n_purged++];
	*to = (struct oplog_purged){
		.key = xstrdup(it->shard->old->key),
		.zone = event->zone ? xstrdup(event->zone) : NULL,
		.how = event->how,
		.time = clock_wall_us(),
		.until = event->until,
	};
	memcpy(to->root, it->shard->old->root, sizeof(to->root));
}

struct removing {
	struct purging *p;
	const struct purge_item *it;
	size_t i;
	unsigned int n_kept, n_failed;
};

static enum receipt_how how_of(enum store_gone gone)
{
	switch (gone) {
	case STORE_REMOVED: return RECEIPT_REMOVED;
	case STORE_VERSIONS_REMOVED: return RECEIPT_VERSION_REMOVED;
	case STORE_KEPT: return RECEIPT_PENDING;
	}
	return RECEIPT_PENDING;
}

static enum rc remove_in(void *arg, const char *zone, struct store *place,
			 struct err *err)
{
	struct removing *r = arg;
	const struct old_shard *s = r->it->shard;
	const struct old_place *known =
		r->i < s->n_places ? &s->places[r->i] : NULL;
	struct purge_event event = { .key = s->old->key,
				     .verdict = PURGE_YES,
				     .zone = zone,
				     .until = RECEIPT_UNKNOWN };
	enum store_gone gone = STORE_KEPT;
	int64_t until = STORE_UNTIL_UNKNOWN;
	struct err why;

	(void)err;
	r->i++;
	if (known && old_place_is_gone(known))
		return RC_OK;
	if (store_purge(place, s->old->key, &gone, &until, &why)) {
		r->n_failed++;
		event.how = RECEIPT_PENDING;
		event.is_failed = true;
		event.text = why.msg;
		tell(r->p, &event);
		return RC_OK;
	}
	event.how = how_of(gone);
	if (gone == STORE_KEPT) {
		r->n_kept++;
		event.until = until;
	}
	note(r->p, r->it, known, &event);
	tell(r->p, &event);
	return RC_OK;
}

static enum rc remove_one(struct purging *p, const struct purge_item *it,
			  struct err *err)
{
	struct removing r = { .p = p, .it = it };
	const struct shard_meta *m = it->shard->old->meta;
	enum rc rc;

	if (p->o->dry_run) {
		tell(p, &(struct purge_event){ .key = it->shard->old->key,
					       .verdict = PURGE_YES,
					       .how = RECEIPT_PENDING,
					       .until = RECEIPT_UNKNOWN });
		p->totals->purged++;
		p->totals->bytes += m ? m->size : 0;
		return RC_OK;
	}
	rc = store_each_place(p->o->store, it->shard->old->key, remove_in, &r,
			      err);
	if (rc || r.n_failed) {
		p->totals->failed++;
	} else if (r.n_kept) {
		p->totals->pending++;
	} else {
		p->totals->purged++;
		p->totals->again += it->shard->is_back;
		p->totals->bytes += m ? m->size : 0;
	}
	return !rc && p->told.n_purged >= RECORD_ITEMS ? flush(p, err) : rc;
}

/* To judge may take hours.  When there are other holds than before, nothing
 * more is removed in this round.
 */
static enum rc heed_holds(struct purging *p, size_t from, struct err *err)
{
	CLEANUP(holds_release) struct holds now = { 0 };

	if (holds_read(&now, p->o->store, err))
		return err->rc;
	if (holds_are_same(&p->holds, &now))
		return RC_OK;
	for (size_t i = from; i < p->judge.n; i++) {
		struct purge_item *it = &p->judge.items[i];

		if (it->verdict != PURGE_YES)
			continue;
		it->verdict = PURGE_HELD;
		tell_waiting(p, it);
	}
	return RC_OK;
}

static enum rc remove_all(struct purging *p, struct err *err)
{
	uint64_t looked = 0;
	struct err late;
	size_t n = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < p->judge.n; i++) {
		tell_waiting(p, &p->judge.items[i]);
		n += p->judge.items[i].verdict == PURGE_YES;
	}
	if (n && !p->o->dry_run)
		rc = tell_holders(p, err);
	for (size_t i = 0; !rc && i < p->judge.n; i++) {
		if (p->judge.items[i].verdict != PURGE_YES)
			continue;
		if (!looked || clock_mono_ns() - looked > HOLDS_EVERY) {
			rc = heed_holds(p, i, err);
			looked = clock_mono_ns();
		}
		if (!rc && p->judge.items[i].verdict == PURGE_YES)
			rc = remove_one(p, &p->judge.items[i], err);
	}
	/* What is gone is told, whatever else failed. */
	if (flush(p, &late) && !rc) {
		*err = late;
		rc = late.rc;
	}
	return rc;
}

/* --- one round ------------------------------------------------------------ */

/* In this order: a run that is alive no more has its record in the log that is
 * read then.
 */
static enum rc prepare(struct purging *p, struct err *err)
{
	struct purge_judge *j = &p->judge;
	bool changed;

	if (whole_store_check(p->o->store, err) ||
	    store_runs_oldest(p->o->store, STORE_RUNS_REPLACING, p->o->run,
			      &j->oldest_run, err))
		return err->rc;
	/* What a list lacks that began now it may have had no time to show. */
	j->now = clock_wall_us();
	oplog_want_all(p->log);
	if (oplog_read(p->log, p->o->store, &changed, err) ||
	    holds_read(&p->holds, p->o->store, err))
		return err->rc;
	j->st = p->o->store;
	j->log = p->log;
	j->state = oplog_state(p->log);
	j->holds = &p->holds;
	j->deleted = oplog_deleted(p->log);
	j->archive_id = p->o->archive_id;
	if (old_set_read(&p->old, p->o->store, j->state, err))
		return err->rc;
	return old_set_find_back(&p->old, p->o->store, err);
}

/* --- whether there is anything to do -------------------------------------- */

/* What is told to be gone from everywhere and is there again, is a stray, which
 * who asks has looked for.
 */
static bool is_due(const struct purging *p)
{
	for (size_t i = 0; i < p->old.n; i++) {
		const struct old_shard *s = &p->old.all[i];

		if (!old_shard_is_gone(s) &&
		    !purge_judge_is_early(&p->judge, s->old))
			return true;
	}
	return false;
}

enum rc purge_look(const struct oplog *log, const struct purge_options *opts,
		   struct purge_totals *ret, bool *ret_is_due, struct err *err)
{
	struct purging p = { .o = opts,
			     .totals = ret,
			     .judge = { .st = opts->store,
					.log = log,
					.state = oplog_state(log),
					.archive_id = opts->archive_id,
					.now = clock_wall_us() } };
	enum rc rc;

	*ret = (struct purge_totals){ .next = INT64_MAX };
	rc = old_set_read(&p.old, opts->store, p.judge.state, err);
	if (!rc)
		*ret_is_due = is_due(&p);
	/* All are early: nothing else is asked about them. */
	if (!rc && !*ret_is_due)
		rc = purge_judge(&p.judge, &p.old, 1, err);
	for (size_t i = 0; !rc && !*ret_is_due && i < p.judge.n; i++)
		tell_waiting(&p, &p.judge.items[i]);
	release(&p);
	return rc;
}

enum rc purge_old(struct oplog *log, const struct purge_options *opts,
		  struct purge_totals *ret, struct err *err)
{
	struct purging p = { .log = log, .o = opts, .totals = ret };
	bool changed;
	enum rc rc;

	*ret = (struct purge_totals){ .next = INT64_MAX };
	rc = prepare(&p, err);
	if (!rc)
		rc = purge_judge(&p.judge, &p.old, opts->jobs, err);
	if (!rc)
		rc = remove_all(&p, err);
	release(&p);
	if (!rc && !opts->dry_run)
		rc = oplog_read(log, opts->store, &changed, err);
	if (!rc && ret->failed)
		rc = err_set(err, RC_PARTIAL,
			     "%llu old revisions could not be removed",
			     (unsigned long long)ret->failed);
	return rc;
}
