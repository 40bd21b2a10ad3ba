/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-list.c - how all deletions stand that are not done. */
#include "config.h"

#include "repack/erasure-list.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "repack/erasure-facts.h"
#include "repack/held.h"
#include "repack/old-set.h"

static const char *problem_of(const struct survey *s,
			      const struct survey_erasure *e)
{
	for (size_t i = 0; i < e->n_holders; i++) {
		if (s->shards[e->holders[i]].problem)
			return s->shards[e->holders[i]].problem;
	}
	return NULL;
}

/* Of what is left in old shards the hold of one of them tells enough. */
static const struct hold *hold_of(const struct erasure_known *k,
				  const struct survey_erasure *e,
				  enum erasure_state state)
{
	const struct hold *h = erasure_hold(k, e);

	for (size_t i = 0; state == ERASURE_HELD && !h && i < e->n_holders;
	     i++) {
		const struct shard_meta *m =
			k->survey->shards[e->holders[i]].meta;

		h = m ? holds_shard(k->holds, m) : NULL;
	}
	return h;
}

static void count(struct erasure_counts *c, const struct erasure_status *s)
{
	c->by_state[s->state]++;
	if (s->state == ERASURE_DONE)
		return;
	if (s->state == ERASURE_HELD) {
		c->held++;
		return;
	}
	c->open++;
	c->in_danger += s->is_in_danger;
	if (s->age > c->oldest)
		c->oldest = s->age;
}

void erasure_list_known(const struct erasure_known *k,
			const struct erasure_list_options *o,
			struct erasure_counts *ret)
{
	*ret = (struct erasure_counts){ 0 };
	for (size_t i = 0; i < k->survey->n_erasures; i++) {
		const struct survey_erasure *e = &k->survey->erasures[i];
		struct erasure_event event = { .erasure = e };

		if (e->is_withdrawn)
			continue;
		event.status = erasure_facts_status(k, e);
		event.hold = hold_of(k, e, event.status.state);
		event.problem = problem_of(k->survey, e);
		count(ret, &event.status);
		if (o->fn)
			o->fn(o->arg, &event);
	}
}

enum rc erasure_list(struct oplog *log, const struct erasure_list_options *opts,
		     struct erasure_counts *ret, struct err *err)
{
	CLEANUP(survey_release) struct survey survey = { 0 };
	CLEANUP(old_set_release) struct old_set old = { 0 };
	CLEANUP(holds_release) struct holds holds = { 0 };
	struct store *st = opts->store;
	struct erasure_known known = { .log = log,
				       .survey = &survey,
				       .old = &old,
				       .holds = &holds,
				       .margin = opts->margin };
	const struct oplog_state *state;
	bool changed;

	*ret = (struct erasure_counts){ 0 };
	oplog_want_all(log);
	oplog_keep_documents(log);
	if (oplog_read(log, st, &changed, err) || holds_read(&holds, st, err))
		return err->rc;
	state = oplog_state(log);
	if (survey_read_known(&survey, st, log, err) ||
	    old_set_read(&old, st, state, err) ||
	    held_mark(&holds, st, state, &old, err))
		return err->rc;
	survey_add_all(&survey, state);
	if (survey_look(&survey, st, opts->jobs, err))
		return err->rc;
	known.now = clock_wall_us();
	erasure_list_known(&known, opts, ret);
	return RC_OK;
}
