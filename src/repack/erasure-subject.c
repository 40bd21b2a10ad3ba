/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-subject.c - the receipts of one uid, and salts that are to go. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "repack/erasure-verify.h"
#include "repack/salt.h"
#include "repack/survey.h"
#include "store/store-write.h"
#include "volume/oplog-state.h"

/* Each is tried on each receipt. */
#define TIMES_MAX 4096u

/* --- which versions ------------------------------------------------------- */

struct subject {
	const struct erasure_subject *s;
	struct oplog *log;
	struct store *st;
	int64_t *times; /* at which something may have been created */
	size_t n, cap;
	erasure_match_fn *match;
	erasure_finding_fn *fn;
	void *arg;
	size_t n_matches;
};

static void add_time(struct subject *v, int64_t time)
{
	if (time < v->s->from || time > v->s->to || !timestamp_is_valid(time))
		return;
	v->times = mem_grow(v->times, &v->cap, v->n + 1, sizeof(*v->times));
	v->times[v->n++] = time;
}

static int by_time(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void drop_doubles(struct subject *v)
{
	size_t kept = 0;

	if (v->n)
		qsort(v->times, v->n, sizeof(*v->times), by_time);
	for (size_t i = 0; i < v->n; i++) {
		if (!kept || v->times[kept - 1] != v->times[i])
			v->times[kept++] = v->times[i];
	}
	v->n = kept;
}

/* A run's files have one time of creation, as a rule. */
static void collect_times(struct subject *v)
{
	add_time(v, v->s->from);
	add_time(v, v->s->to);
	for (size_t i = 0; i < oplog_n_records(v->log); i++) {
		const struct oplog_record *r = oplog_record_at(v->log, i);

		for (size_t k = 0; k < r->n_shards; k++) {
			const struct shard_meta *m = &r->shards[k];

			if (m->is_purged)
				continue;
			add_time(v, m->created_min);
			add_time(v, m->created_max);
		}
		if (v->n > TIMES_MAX)
			drop_doubles(v);
		if (v->n > TIMES_MAX)
			break;
	}
	drop_doubles(v);
	if (v->n > TIMES_MAX)
		v->n = TIMES_MAX;
}

static bool is_of(const struct subject *v, const struct receipt *r,
		  const uint8_t *salt, enum erasure_range range, int64_t time,
		  struct erasure *ret)
{
	const struct span *uid = &v->s->uid;

	if (time < v->s->from || time > v->s->to ||
	    !receipt_is_of(r, salt, uid->p, uid->len, range, time))
		return false;
	ret->range = range;
	ret->time = time;
	return true;
}

static bool is_any(const struct subject *v, const struct receipt *r,
		   const uint8_t *salt, struct erasure *ret)
{
	const struct erasure_subject *s = v->s;

	if (s->is_until && is_of(v, r, salt, ERASURE_UNTIL, r->asked, ret))
		return true;
	for (size_t i = 0; i < v->n; i++) {
		int64_t t = v->times[i];

		if ((s->is_one && is_of(v, r, salt, ERASURE_ONE, t, ret)) ||
		    (s->is_until && is_of(v, r, salt, ERASURE_UNTIL, t, ret)))
			return true;
	}
	return false;
}

/* Whether it is the uid's; without its salt nobody can tell.  *ret: of which
 * versions.
 */
static enum rc matches(const struct subject *v, const struct receipt *r,
		       struct erasure *ret, bool *ret_is, struct err *err)
{
	uint8_t salt[RECEIPT_SALT_LEN];
	enum rc rc = RC_OK;

	if (v->s->salt)
		memcpy(salt, v->s->salt, sizeof(salt));
	else
		rc = salt_read(v->st, r->id, salt, err);
	*ret_is = !rc && is_any(v, r, salt, ret);
	return rc == RC_NOENT ? RC_OK : rc;
}

/* --- whether it is gone --------------------------------------------------- */

/* Shards that count and have a version the receipt says is gone. */
static enum rc look(const struct subject *x, struct erasure *e, struct err *err)
{
	CLEANUP(survey_release) struct survey v = { 0 };
	const struct oplog_state *state = oplog_state(x->log);
	const struct erasure of = { .uid = (char *)(uintptr_t)x->s->uid.p,
				    .uid_len = x->s->uid.len,
				    .range = e->range,
				    .time = e->time };
	struct span parent, name;

	v.erasures = xcalloc(1, sizeof(*v.erasures));
	v.n_erasures = 1;
	v.erasures[0].erasure = &of;
	entry_split_uid(x->s->uid, &parent, &name);
	v.erasures[0].parent_len = (uint32_t)parent.len;
	for (size_t i = 0; i < oplog_state_n_counting(state); i++) {
		const struct shard_meta *m = oplog_state_counting(state, i);

		survey_add(&v, &(struct survey_shard){ .key = m->key,
						       .root = m->root,
						       .meta = m });
	}
	if (survey_look(&v, x->st, x->s->jobs, err))
		return err->rc;
	for (size_t i = 0; i < v.erasures[0].n_holders; i++) {
		const struct survey_shard *has =
			&v.shards[v.erasures[0].holders[i]];
		char *text = has->problem ? xasprintf("it may be there: %s",
						      has->problem)
					  : xasprintf("%s has it", has->key);

		x->fn(x->arg, text);
		free(text);
	}
	return RC_OK;
}

static enum rc look_at(struct subject *v, const struct receipt *r,
		       struct err *err)
{
	struct erasure e = { .uid = (char *)(uintptr_t)v->s->uid.p,
			     .uid_len = v->s->uid.len };
	bool is = false;
	enum rc rc = matches(v, r, &e, &is, err);

	if (rc || !is)
		return rc;
	v->n_matches++;
	v->match(v->arg, r);
	return receipt_is_final(r) ? look(v, &e, err) : RC_OK;
}

enum rc erasure_verify_subject(struct oplog *log, struct store *st,
			       const struct erasure_subject *subject,
			       erasure_match_fn *match, erasure_finding_fn *fn,
			       void *arg, size_t *ret_n, struct err *err)
{
	const struct oplog_state *state = oplog_state(log);
	struct subject v = { .s = subject,
			     .log = log,
			     .st = st,
			     .match = match,
			     .fn = fn,
			     .arg = arg };
	enum rc rc = RC_OK;

	collect_times(&v);
	for (size_t i = 0; !rc && i < oplog_state_n_receipts(state); i++)
		rc = look_at(&v, oplog_state_receipt(state, i), err);
	free(v.times);
	*ret_n = v.n_matches;
	return rc;
}

/* --- forgetting ----------------------------------------------------------- */

static enum rc forget_in(void *arg, const char *zone, struct store *place,
			 struct err *err)
{
	enum store_gone gone = STORE_KEPT;
	const char *key = arg;
	int64_t until;

	(void)zone;
	if (store_purge(place, key, &gone, &until, err))
		return err->rc;
	return gone == STORE_KEPT
		       ? err_set(err, RC_ACCESS, "%s: its store keeps it", key)
		       : RC_OK;
}

enum rc erasure_forget(const struct oplog *log, struct store *st,
		       const uint8_t id[ERASURE_ID_LEN], struct err *err)
{
	const struct receipt *r =
		oplog_state_find_receipt(oplog_state(log), id);
	char text[HEX_TEXT(ERASURE_ID_LEN)], key[SALT_KEY_TEXT];

	hex_encode(id, ERASURE_ID_LEN, text);
	if (!r)
		return err_set(err, RC_NOENT, "%s: has no receipt", text);
	if (!receipt_is_final(r))
		return err_set(err, RC_CHANGED,
			       "%s: something of it is pending; its salt is "
			       "needed until it is done",
			       text);
	salt_key(id, key);
	return store_each_place(st, key, forget_in, key, err);
}
