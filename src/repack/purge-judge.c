/* SPDX-License-Identifier: Apache-2.0 */
/* purge-judge.c - collects what speaks against removing each old revision. */
#include "config.h"

#include "repack/purge-judge.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "erase/erasure-state.h"
#include "repack/heirs.h"
#include "repack/held.h"
#include "repack/lacks.h"
#include "repack/record-read.h"
#include "store/store.h"

void purge_judge_release(struct purge_judge *j)
{
	for (size_t i = 0; i < j->n; i++)
		free(j->items[i].text);
	free(j->items);
	j->items = NULL;
	j->n = 0;
}

static void fail(struct purge_item *it, const struct err *err)
{
	it->is_uncertain = true;
	free(it->text);
	it->text = xstrdup(err->msg);
}

/* A record that was not seen may be what counts in the place of this one: not
 * when lists have had the time to show it, which no grace period cuts short.
 */
static int64_t grace_of(const struct purge_judge *j,
			const struct oplog_record *r)
{
	int64_t grace = r->grace * CLOCK_US_PER_SEC;

	if (store_lists_lag(j->st) && grace < STORE_LISTS_LAG_US)
		return STORE_LISTS_LAG_US;
	return grace;
}

static int64_t until_of(const struct purge_judge *j,
			const struct oplog_old *old)
{
	return purge_grace_end(old->record->time, grace_of(j, old->record),
			       j->now);
}

bool purge_judge_is_early(const struct purge_judge *j,
			  const struct oplog_old *old)
{
	return until_of(j, old) > j->now;
}

static struct purge_facts facts_of(const struct purge_judge *j,
				   const struct purge_item *it)
{
	const struct oplog_old *old = it->shard->old;

	return (struct purge_facts){
		.is_replaced = !old->is_garbage,
		.is_lost = old->is_garbage,
		.time = old->record->time,
		.grace = grace_of(j, old->record),
		.oldest_run = j->oldest_run,
		.now = j->now,
	};
}

/* All but whether what takes its place is whole and has all of it, which costs
 * most.
 */
static void judge(const struct purge_judge *j, struct purge_item *it,
		  struct heirs *heirs)
{
	const struct oplog_old *old = it->shard->old;
	struct purge_facts f = facts_of(j, it);
	const struct hold *hold = NULL;
	struct err err;

	/* Nothing is asked about what has to wait in any case. */
	it->until = until_of(j, old);
	if (it->until > f.now) {
		it->verdict = PURGE_GRACE;
		return;
	}
	if (record_is_there(j->log, j->st, old->record, &f.is_read, &err)) {
		fail(it, &err);
	} else if (!f.is_read) {
		free(it->text);
		it->text = xasprintf("log/%s is not in every zone",
				     old->record->name);
	}
	if (held_by(j->holds, j->st, old, heirs->all, heirs->n, &hold, &err)) {
		f.is_held = true;
		fail(it, &err);
	} else if (hold) {
		f.is_held = true;
		it->shard->is_held = true;
		free(it->text);
		it->text = xstrdup(hold->key);
	}
	f.is_verified = f.is_covered = true;
	it->verdict = purge_rule(&f);
}

/* Nothing counts in the place of what it was made of: it may be all there is.
 */
static bool may_be_last(const struct purge_item *it, const struct heirs *heirs)
{
	return it->shard->old->is_garbage && !heirs->n && !heirs->is_emptied;
}

static void judge_whole(const struct verified *v, struct purge_item *it,
			const struct heirs *heirs)
{
	if (may_be_last(it, heirs)) {
		it->verdict = PURGE_UNVERIFIED;
		it->is_uncertain = true;
		free(it->text);
		it->text = xstrdup("nothing counts in its place");
	}
	for (size_t i = 0; i < heirs->n; i++) {
		const char *text = NULL;

		if (verified_is_whole(v, heirs->all[i], &text))
			continue;
		it->verdict = PURGE_UNVERIFIED;
		it->is_uncertain = true;
		free(it->text);
		it->text = xstrdup(text);
		return;
	}
}

/* A record may say anything: what it left out must be deleted or lost.  Of what
 * had been removed before that was known then; deletions that are done hide
 * nothing any more.
 */
static enum rc judge_lacks(const struct purge_judge *j, struct purge_item *it,
			   const struct heirs *heirs, struct err *err)
{
	const struct oplog_old *old = it->shard->old;

	if (it->verdict != PURGE_YES || old->is_garbage || it->shard->is_back ||
	    !lacks_nothing(j->st, old, heirs, j->deleted, err))
		return RC_OK;
	if (err->rc == RC_STOPPED)
		return err->rc;
	it->verdict = PURGE_LACKS;
	fail(it, err);
	return RC_OK;
}

enum rc purge_judge(struct purge_judge *j, struct old_set *old,
		    unsigned int jobs, struct err *err)
{
	struct heirs *heirs = xcalloc(old->n + 1, sizeof(*heirs));
	struct verified *v = verified_new(j->st, j->archive_id);
	enum rc rc;

	j->items = xcalloc(old->n + 1, sizeof(*j->items));
	j->n = 0;
	for (size_t i = 0; i < old->n; i++) {
		struct purge_item *it = &j->items[j->n];
		struct heirs *h = &heirs[j->n];

		if (old_shard_is_gone(&old->all[i]))
			continue;
		it->shard = &old->all[i];
		j->n++;
		if (it->shard->old->is_garbage)
			heirs_of_replaced(j->state, it->shard->old->record, h);
		else
			heirs_of(j->state, it->shard->old->key, h);
		judge(j, it, h);
		for (size_t k = 0; it->verdict == PURGE_YES && k < h->n; k++)
			verified_want(v, h->all[k]);
	}
	rc = verified_read(v, jobs, err);
	for (size_t i = 0; i < j->n; i++) {
		if (!rc && j->items[i].verdict == PURGE_YES)
			judge_whole(v, &j->items[i], &heirs[i]);
		if (!rc)
			rc = judge_lacks(j, &j->items[i], &heirs[i], err);
		free(heirs[i].all);
	}
	verified_free(v);
	free(heirs);
	return rc;
}
