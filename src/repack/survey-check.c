/* SPDX-License-Identifier: Apache-2.0 */
/* survey-check.c - whether the log is right about which deletions a shard may
 * hold.
 *
 * What it says is what readers and the survey go by; but before a deletion is
 * called done, only the shard itself is believed.
 */
#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/timestamp.h"
#include "base/workers.h"
#include "repack/survey.h"
#include "shard/route.h"
#include "verify/raw-shard.h"

struct checking {
	struct survey *s;
	struct store *st;
	const bool *wanted;
	/* Of the archive; shards of others are always looked at. */
	unsigned int route, n_bits;
	uint32_t *until; /* by slot: the last day that matters; 0: none */
	atomic_size_t next;
};

static uint32_t day_of(int64_t us)
{
	char text[TIMESTAMP_DAY_TEXT];

	timestamp_day(us, text);
	return (uint32_t)strtoul(text, NULL, 10);
}

static uint32_t slot_of(const struct checking *c, const struct erasure *e)
{
	return route_slot((enum route_kind)c->route, c->n_bits, e->uid,
			  e->uid_len);
}

/* false: nothing is to be checked. */
static bool prepare(struct checking *c)
{
	const struct survey *s = c->s;
	bool is_any = false;

	for (size_t i = 0; i < s->n_shards && !c->n_bits; i++) {
		const struct shard_meta *m = s->shards[i].meta;

		if (m && !m->is_purged) {
			c->n_bits = m->n_bits;
			c->route = m->route;
		}
	}
	if (!c->n_bits)
		return false;
	c->until = xcalloc((size_t)1 << c->n_bits, sizeof(*c->until));
	for (size_t i = 0; i < s->n_erasures; i++) {
		const struct erasure *e = s->erasures[i].erasure;
		uint32_t day, *until;

		if (!c->wanted[i])
			continue;
		day = day_of(e->time);
		until = &c->until[slot_of(c, e)];
		if (day > *until)
			*until = day;
		is_any = true;
	}
	return is_any;
}

static bool is_of_archive(const struct checking *c, const struct shard_meta *m)
{
	return m->n_bits == c->n_bits && m->route == c->route;
}

static bool matters(const struct checking *c, const struct survey_shard *s)
{
	const struct shard_meta *m = s->meta;

	/* Without them all of it was looked through. */
	if (s->is_stray || !m || m->is_purged)
		return false;
	return !is_of_archive(c, m) || m->day <= c->until[m->slot];
}

static bool is_same(const struct shard_meta *a, const struct shard_meta *b)
{
	return a->created_min == b->created_min &&
	       a->created_max == b->created_max &&
	       a->first_len == b->first_len && a->last_len == b->last_len &&
	       !memcmp(a->first, b->first, a->first_len) &&
	       !memcmp(a->last, b->last, a->last_len);
}

static enum rc check(struct store *st, const struct survey_shard *s,
		     struct err *err)
{
	struct shard_meta own = { 0 };
	struct raw_shard raw;
	enum rc rc;

	if (raw_shard_open(&raw, st, s->key, err))
		return err->rc;
	if (memcmp(raw.footer.root, s->root, SHARD_ROOT_LEN) != 0)
		return err_set(err, RC_CORRUPT,
			       "its root is not the one the log says");
	rc = raw_shard_meta(&raw, &own, err);
	if (!rc && !is_same(&own, s->meta))
		rc = err_set(err, RC_CORRUPT,
			     "what the log says is in it is not");
	shard_meta_release(&own);
	return rc;
}

static void check_main(void *arg)
{
	struct checking *c = arg;
	size_t i;

	while ((i = atomic_fetch_add(&c->next, 1)) < c->s->n_shards) {
		struct survey_shard *s = &c->s->shards[i];
		struct err err;
		enum rc rc;

		if (s->problem || !matters(c, s))
			continue;
		rc = check(c->st, s, &err);
		/* What is not there holds nothing. */
		if (rc && rc != RC_NOENT)
			s->problem = xasprintf("%s: %s", s->key, err.msg);
	}
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void add_holder(struct survey_erasure *e, uint32_t number)
{
	for (size_t i = 0; i < e->n_holders; i++) {
		if (e->holders[i] == number)
			return;
	}
	survey_add_holder(e, number);
	qsort(e->holders, e->n_holders, sizeof(*e->holders), by_number);
}

static void hold(const struct checking *c, uint32_t number)
{
	const struct shard_meta *m = c->s->shards[number].meta;

	for (size_t i = 0; i < c->s->n_erasures; i++) {
		const struct erasure *e = c->s->erasures[i].erasure;

		if (c->wanted[i] &&
		    (!is_of_archive(c, m) ||
		     (slot_of(c, e) == m->slot && m->day <= day_of(e->time))))
			add_holder(&c->s->erasures[i], number);
	}
}

enum rc survey_check(struct survey *s, struct store *st, const bool *wanted,
		     unsigned int jobs, struct err *err)
{
	struct checking c = { .s = s, .st = st, .wanted = wanted };
	struct workers *w = NULL;

	if (!prepare(&c)) {
		free(c.until);
		return RC_OK;
	}
	if (jobs > 1 && workers_start(&w, "survey", jobs, jobs, err)) {
		free(c.until);
		return err->rc;
	}
	for (unsigned int i = 0; w && i < jobs; i++)
		workers_submit(w, check_main, &c);
	if (!w)
		check_main(&c);
	workers_stop(w);
	for (size_t i = 0; i < s->n_shards; i++) {
		if (s->shards[i].problem && matters(&c, &s->shards[i]))
			hold(&c, (uint32_t)i);
	}
	free(c.until);
	return RC_OK;
}
