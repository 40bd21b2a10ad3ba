/* SPDX-License-Identifier: Apache-2.0 */
/* verify-match.c - the shards that the log names against those that there are.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/store-write.h"
#include "verify/verify-backend.h"
#include "verify/verify-report.h"

/* --- when the archive got them -------------------------------------------- */

/* The first record that names a shard that counts. */
static int64_t entered(const struct verify_run *r, const struct shard_meta *m)
{
	/* What nobody has named may be of any time. */
	int64_t ret = INT64_MAX;

	if (!m || !r->opts->has_since)
		return ret;
	for (size_t i = 0; i < oplog_n_records(r->log); i++) {
		const struct oplog_record *rec = oplog_record_at(r->log, i);

		if (m >= rec->shards && m < rec->shards + rec->n_shards)
			return rec->time;
	}
	return ret;
}

static void add_todo(struct verify_run *r, const char *key,
		     const struct shard_meta *expect)
{
	r->todo = mem_grow(r->todo, &r->cap_todo, r->n_todo + 1,
			   sizeof(*r->todo));
	r->todo[r->n_todo++] = (struct verify_todo){
		.key = key, .expect = expect, .entered = entered(r, expect)
	};
}

/* --- all of them ---------------------------------------------------------- */

/* The list was made before the log was read, and may lag behind besides: it
 * has to be missed by its name, too.
 */
static void look_for(struct verify_run *r, const struct shard_meta *m)
{
	struct verify_report report = { .key = m->key };
	CLEANUP_BUF struct buf tail = { .max = 1 };
	struct object_info info;
	struct err err;

	if (store_read_tail(r->store, m->key, 1, &tail, &info, &err) !=
	    RC_NOENT) {
		add_todo(r, m->key, m);
		return;
	}
	if (verify_log_is_replaced(r, m->key))
		return;
	verify_damage(&report, FINDING_NO_OFFSET,
		      "the log names it and it is not there");
	verify_lost_many(&report, FINDING_NO_OFFSET, m->n_entries,
			 "all %" PRIu64 " entries of the shard, '%.200s' to "
			 "'%.200s'",
			 m->n_entries, m->first, m->last);
	report.totals.missing_shards++;
	verify_report_tell(&report, r->opts, r->totals);
}

const struct shard_meta **verify_named(const struct verify_run *r,
				       size_t *ret_n)
{
	size_t n = r->state ? oplog_state_n_counting(r->state) : 0;
	const struct shard_meta **metas = xcalloc(n + 1, sizeof(*metas));

	for (size_t i = 0; i < n; i++)
		metas[i] = oplog_state_counting(r->state, i);
	*ret_n = n;
	return metas;
}

/* A listed shard that does not count. */
static void look_at_other(struct verify_run *r, const struct archive_object *o,
			  size_t *at_old)
{
	size_t n = oplog_state_n_old(r->state);
	const struct oplog_old *old = NULL;

	while (*at_old < n &&
	       strcmp(oplog_state_old(r->state, *at_old)->key, o->key) < 0)
		(*at_old)++;
	if (*at_old < n)
		old = oplog_state_old(r->state, *at_old);
	if (old && !strcmp(old->key, o->key))
		verify_old(r, old, o->size);
	else
		verify_run_note(r, o->key,
				"no log record names this shard (should one be "
				"lost: 'desfs rebuild --force'), %" PRIu64
				" bytes",
				o->size);
}

/* All in the order of keys. */
static void match_listed(struct verify_run *r, const struct shard_meta **metas,
			 size_t n)
{
	size_t at = 0, at_old = 0;

	for (size_t i = 0; i < r->list.n; i++) {
		const struct archive_object *o = &r->list.objects[i];

		if (o->kind != OBJECT_SHARD)
			continue;
		while (at < n && strcmp(metas[at]->key, o->key) < 0)
			look_for(r, metas[at++]);
		if (at < n && !strcmp(metas[at]->key, o->key))
			add_todo(r, o->key, metas[at++]);
		else if (!r->state)
			add_todo(r, o->key, NULL);
		else
			look_at_other(r, o, &at_old);
	}
	while (at < n)
		look_for(r, metas[at++]);
}

void verify_match(struct verify_run *r)
{
	size_t n;
	CLEANUP_FREE const struct shard_meta **metas = verify_named(r, &n);

	if (r->has_list) {
		match_listed(r, metas, n);
		if (r->state)
			verify_old_gone(r);
	}
	for (size_t i = 0; !r->has_list && i < n; i++)
		add_todo(r, metas[i]->key, metas[i]);
	/* Each shard is looked at, though none counts. */
	if (!r->state && r->n_todo && !r->totals->damage)
		verify_no_log(r);
}

/* --- one of them ---------------------------------------------------------- */

static const struct oplog_old *find_old(const struct verify_run *r,
					const char *key)
{
	for (size_t i = 0; i < oplog_state_n_old(r->state); i++) {
		const struct oplog_old *old = oplog_state_old(r->state, i);

		if (!strcmp(old->key, key))
			return old;
	}
	return NULL;
}

enum rc verify_match_key(struct verify_run *r, const char *key, struct err *err)
{
	const struct shard_meta *m =
		r->state ? oplog_state_find(r->state, key) : NULL;
	const struct oplog_old *old = r->state ? find_old(r, key) : NULL;
	CLEANUP_BUF struct buf tail = { .max = 1 };
	struct object_info info;
	enum rc rc = store_read_tail(r->store, key, 1, &tail, &info, err);

	if (rc == RC_NOENT && m) {
		look_for(r, m);
		return RC_OK;
	}
	if (rc == RC_NOENT)
		return rc;
	if (old)
		verify_old(r, old, info.size);
	else if (!m && r->state)
		verify_run_note(r, key, "no log record names this shard");
	add_todo(r, key, m ? m : old ? old->meta : NULL);
	return RC_OK;
}

/* --- what is left over ---------------------------------------------------- */

static void note_leftover(void *arg, const char *what, uint64_t size)
{
	verify_run_note(arg, what,
			"left by a writer that died, %" PRIu64 " bytes", size);
}

void verify_match_rest(struct verify_run *r)
{
	struct store *st = NULL;
	struct err err;

	if (!r->has_list) {
		verify_run_note(
			r, "log",
			"what it does not name is not looked for: a web "
			"server cannot list what it has");
		return;
	}
	for (size_t i = 0; i < r->list.n; i++) {
		const struct archive_object *o = &r->list.objects[i];

		if (o->kind == OBJECT_OTHER)
			verify_run_note(r, o->key,
					"no part of the archive, %" PRIu64
					" bytes",
					o->size);
	}
	verify_log_leftovers(r);
	/* Only a writer's view shows them; a place that cannot be written to
	 * has none of interest.
	 */
	if (store_create(&st, r->url, r->opts->settings, &err))
		return;
	if (store_leftovers(st, false, NULL, note_leftover, r, &err))
		verify_run_note(r, "", "leftovers could not be listed");
	store_close(st);
}
