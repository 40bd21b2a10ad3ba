/* SPDX-License-Identifier: Apache-2.0 */
/* verify-turns.c - many shards verified at once, and told one after the other.
 *
 * A ring of turns, so that memory does not grow with the number of shards.
 */
#include "config.h"

#include "verify/verify-turns.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/workers.h"
#include "verify/verify-pool.h"

/* Of all shards together; a shard's index has its own, which is little. */
#define MEMORY (96u << 20)

/* Entries of shards under way: filters, directories and lists of pages take up
 * to 20 bytes for each.
 */
#define ENTRIES_MAX (4u << 20)
#define ENTRIES_UNKNOWN (1u << 20)

/* Turns that are done may wait for one that is large. */
#define TURNS_A_JOB 4u

/* One shard's. */
struct turn {
	struct job job;
	struct verify_shard_job shard;
	struct verify_report report;
};

struct turns {
	const struct verify_todo *todo;
	size_t n;
	const struct verify_shard_job *common;
	const struct verify_options *opts;
	struct verify_totals *totals;
	verify_replaced_fn *is_replaced;
	void *arg;
	struct workers *workers; /* NULL: the caller's thread */
	struct verify_pool *pool;
	struct turn *ring;
	size_t n_ring;
	uint64_t n_entries;  /* of what was begun and is not finished */
	uint64_t lost_least; /* of the copies of a shard so far */
	bool is_stopped;
};

static uint64_t entries_of(const struct verify_todo *t)
{
	return t->expect ? t->expect->n_entries : ENTRIES_UNKNOWN;
}

static void run_turn(void *arg)
{
	struct turn *t = arg;

	verify_shard(&t->shard, &t->report);
}

static void begin(struct turns *all, size_t i)
{
	struct turn *t = &all->ring[i % all->n_ring];

	all->n_entries += entries_of(&all->todo[i]);
	*t = (struct turn){ .shard = *all->common };
	t->shard.key = all->todo[i].key;
	t->shard.expect = all->todo[i].expect;
	t->shard.pool = all->pool;
	if (all->todo[i].store)
		t->shard.store = all->todo[i].store;
	t->report.key = t->shard.key;
	t->report.place = all->todo[i].place;
	t->report.may_stop = true;
	if (all->workers)
		job_submit(all->workers, &t->job, run_turn, t);
}

/* What all copies have lost is counted once, what one of them has not at all.
 * One that was not read says nothing of what it has; one that has been replaced
 * is none.
 */
static void count_once(struct turns *all, size_t i, struct verify_totals *t,
		       bool counts)
{
	bool is_first =
		!i || strcmp(all->todo[i - 1].key, all->todo[i].key) != 0;
	bool is_last = i + 1 == all->n ||
		       strcmp(all->todo[i + 1].key, all->todo[i].key) != 0;

	if (is_first)
		all->lost_least = UINT64_MAX;
	if (counts && t->lost < all->lost_least)
		all->lost_least = t->lost;
	t->lost = 0;
	if (is_last && all->lost_least != UINT64_MAX)
		t->lost = all->lost_least;
	if (all->todo[i].is_copy)
		t->deleted = t->overdue = 0;
}

static void tell(struct turns *all, size_t i, struct turn *t)
{
	const struct verify_options *o = all->opts;
	struct verify_totals totals;
	const struct verify_shard_result result = {
		.store = t->report.place,
		.key = t->shard.key,
		.root = t->shard.expect ? t->shard.expect->root : NULL,
		.totals = &totals,
	};

	count_once(all, i, &t->report.totals, !t->report.totals.unread_shards);
	totals = t->report.totals;
	verify_report_tell(&t->report, o, all->totals);
	if (o->shard_fn && !totals.unread_shards)
		o->shard_fn(o->arg, &result);
}

static void finish(struct turns *all, size_t i)
{
	struct turn *t = &all->ring[i % all->n_ring];
	struct verify_totals none = { 0 };

	if (all->workers)
		job_wait(all->workers, &t->job);
	else
		run_turn(t);
	all->n_entries -= entries_of(&all->todo[i]);
	all->is_stopped |= t->report.is_stopped;
	if (all->is_stopped) {
		verify_report_drop(&t->report);
	} else if (t->report.is_gone &&
		   all->is_replaced(all->arg, t->shard.key)) {
		verify_report_drop(&t->report);
		count_once(all, i, &none, false);
		all->totals->lost += none.lost;
	} else {
		tell(all, i, t);
	}
}

static enum rc start(struct turns *all, size_t n, struct err *err)
{
	unsigned int jobs = all->opts->jobs ? all->opts->jobs : 1;
	enum rc rc = RC_OK;

	all->n_ring = jobs > 1 ? (size_t)jobs * TURNS_A_JOB : 1;
	if (all->n_ring > n)
		all->n_ring = n;
	all->ring = xcalloc(all->n_ring + 1, sizeof(*all->ring));
	if (jobs > 1)
		rc = workers_start(&all->workers, "verify", jobs, all->n_ring,
				   err);
	if (!rc && jobs > 1 && all->opts->deep)
		rc = verify_pool_new(jobs, MEMORY, &all->pool, err);
	return rc;
}

enum rc verify_turns(const struct verify_todo *todo, size_t n,
		     const struct verify_shard_job *common,
		     const struct verify_options *opts,
		     struct verify_totals *totals,
		     verify_replaced_fn *is_replaced, void *arg,
		     struct err *err)
{
	struct turns all = {
		.todo = todo,
		.n = n,
		.common = common,
		.opts = opts,
		.totals = totals,
		.is_replaced = is_replaced,
		.arg = arg,
	};
	size_t begun = 0;
	enum rc rc;

	if (!n)
		return RC_OK;
	rc = start(&all, n, err);
	for (size_t i = 0; !rc && i < n; i++) {
		while (begun < n && begun < i + all.n_ring && !all.is_stopped &&
		       (begun == i ||
			all.n_entries + entries_of(&todo[begun]) <=
				ENTRIES_MAX))
			begin(&all, begun++);
		if (i < begun)
			finish(&all, i);
	}
	workers_stop(all.workers);
	verify_pool_free(all.pool);
	free(all.ring);
	if (!rc && all.is_stopped)
		rc = err_set(err, RC_STOPPED, "stopped by a signal");
	return rc;
}
