/* SPDX-License-Identifier: Apache-2.0 */
/* repack-look.c - the shards that may be chosen, and what is to be known of
 * them.
 */
#include "config.h"

#include "repack/repack-backend.h"
#include "store/store-write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/workers.h"
#include "erase/tombstone-set.h"
#include "repack/count-deleted.h"
#include "verify/verify-shard.h"
#include "volume/oplog-state.h"

#define LOOKS 64u /* shards at a time */
#define DEEP_AHEAD (4u << 20)

/* One shard, for a thread. */
struct look {
	struct job job;
	struct repacking *r;
	struct plan_shard *s;
	enum rc rc;
	struct err err;
};

static void copy_meta(struct shard_meta *to, const struct shard_meta *from)
{
	*to = *from;
	to->key = xstrdup(from->key);
	to->first = xmemdup0(from->first, from->first_len);
	to->last = xmemdup0(from->last, from->last_len);
}

static const char *base_name(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash ? slash + 1 : key;
}

static bool is_chosen(const struct repack_options *o, const char *key,
		      bool *named)
{
	bool chosen = !o->n_only;

	for (size_t i = 0; i < o->n_only; i++) {
		if (!strcmp(base_name(o->only[i]), base_name(key)))
			chosen = named[i] = true;
	}
	return chosen;
}

static bool is_beside(const struct oplog *log, size_t i, size_t k)
{
	const struct shard_meta *a = oplog_shard(log, i);
	const struct shard_meta *b = oplog_shard(log, k);

	return a->day == b->day && a->slot == b->slot;
}

/* The first number no shard of its day and slot has; by key these are side by
 * side.
 */
static uint32_t free_part(const struct oplog *log, size_t i)
{
	size_t n = oplog_count(log), first = i;
	uint32_t next = 0;

	while (first && is_beside(log, first - 1, i))
		first--;
	for (size_t k = first; k < n && is_beside(log, k, i); k++) {
		if (oplog_shard(log, k)->part >= next)
			next = oplog_shard(log, k)->part + 1;
	}
	return next;
}

/* What comes before the part in a key: day and slot. */
static size_t place_len(const char *key)
{
	const char *p = strchr(key, '/');

	for (int i = 0; p && i < 2; i++)
		p = strchr(p + 1, '_');
	return p ? (size_t)(p + 1 - key) : strlen(key);
}

static size_t first_old(const struct oplog_state *state, const char *key,
			size_t len)
{
	size_t low = 0, high = oplog_state_n_old(state);

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strncmp(oplog_state_old(state, mid)->key, key, len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Of PART_Rnnn_ROOT.des; 0 for a first one. */
static uint32_t revision_of(const char *part)
{
	if (strlen(part) < 10 || part[5] != 'R')
		return 0;
	return (uint32_t)strtoul(part + 6, NULL, 10);
}

/* The first revision that no lost repack of its day and slot has made. */
static uint32_t free_revision(const struct oplog_state *state, const char *key)
{
	size_t len = place_len(key), n = oplog_state_n_old(state);
	uint32_t next = 0;

	for (size_t i = first_old(state, key, len); i < n; i++) {
		const struct oplog_old *old = oplog_state_old(state, i);

		if (strncmp(old->key, key, len) != 0)
			break;
		if (old->is_garbage && revision_of(old->key + len) >= next)
			next = revision_of(old->key + len) + 1;
	}
	return next;
}

static enum rc choose(struct repacking *r, struct err *err)
{
	const struct oplog_state *state = oplog_state(r->log);
	size_t n = oplog_count(r->log);
	CLEANUP_FREE bool *named = xcalloc(r->o->n_only + 1, sizeof(*named));

	r->metas = xcalloc(n + 1, sizeof(*r->metas));
	r->shards = xcalloc(n + 1, sizeof(*r->shards));
	r->free_parts = xcalloc(n + 1, sizeof(*r->free_parts));
	r->free_revisions = xcalloc(n + 1, sizeof(*r->free_revisions));
	for (size_t i = 0; i < n; i++) {
		const struct shard_meta *m = oplog_shard(r->log, i);

		if (!is_chosen(r->o, m->key, named))
			continue;
		copy_meta(&r->metas[r->n], m);
		r->shards[r->n].meta = &r->metas[r->n];
		r->free_parts[r->n] = free_part(r->log, i);
		r->free_revisions[r->n] = free_revision(state, m->key);
		r->n++;
	}
	for (size_t i = 0; i < r->o->n_only; i++) {
		if (!named[i])
			return err_set(err, RC_NOENT,
				       "%s: no shard of this name counts",
				       r->o->only[i]);
	}
	r->n_withdrawn = oplog_state_n_withdrawn(state);
	r->deleted = tombstone_set_ref(
		(struct tombstone_set *)(uintptr_t)oplog_deleted(r->log));
	return RC_OK;
}

/* --- each ----------------------------------------------------------------- */

/* RC_CORRUPT: the copy there is. */
static enum rc look_in(void *arg, const char *zone, struct store *place,
		       struct err *err)
{
	const struct look *l = arg;
	const struct verify_shard_job job = { .store = place,
					      .key = l->s->meta->key,
					      .expect = l->s->meta,
					      .archive_id = l->r->o->archive_id,
					      .deep = true,
					      .ahead = DEEP_AHEAD };
	const struct verify_options nobody = { .fn = finding_ignore };
	struct verify_report report = { .key = l->s->meta->key };
	struct verify_totals totals = { 0 };

	(void)zone;
	verify_shard(&job, &report);
	verify_report_tell(&report, &nobody, &totals);
	return totals.damage ? err_set(err, RC_CORRUPT, "damaged") : RC_OK;
}

/* Wherever it is kept. */
static bool is_damaged(struct look *l)
{
	struct err err;

	return store_each_place(l->r->o->store, l->s->meta->key, look_in, l,
				&err);
}

static void look_main(void *arg)
{
	struct look *l = arg;
	struct repacking *r = l->r;
	struct deleted_count count;

	if (r->o->plan.drop_corrupt)
		l->s->is_damaged = is_damaged(l);
	l->rc = count_deleted(r->o->store, l->s->meta, r->deleted, &r->holds,
			      &count, &l->err);
	/* Then the engine counts, past the damage. */
	if (l->rc == RC_CORRUPT && r->o->plan.drop_corrupt) {
		l->s->is_damaged = true;
		l->rc = RC_OK;
	}
	l->s->deleted = count.entries;
	l->s->deleted_bytes = count.bytes;
}

void repack_tell_failed(struct repacking *r, const struct shard_meta *m,
			const struct err *why)
{
	const struct repack_event event = {
		.status = REPACK_FAILED, .in = &m, .n_in = 1, .err = why
	};

	r->n_failed++;
	if (r->o->fn)
		r->o->fn(r->o->arg, &event);
}

/* Shards from first on; returns how many. */
static size_t look_at(struct repacking *r, struct look *looks, size_t first)
{
	size_t n = r->n - first;

	if (n > LOOKS)
		n = LOOKS;
	for (size_t i = 0; i < n; i++) {
		looks[i].r = r;
		looks[i].s = &r->shards[first + i];
		looks[i].s->is_held = holds_shard(&r->holds, looks[i].s->meta);
		job_submit(r->workers, &looks[i].job, look_main, &looks[i]);
	}
	for (size_t i = 0; i < n; i++) {
		struct look *l = &looks[i];

		job_wait(r->workers, &l->job);
		r->totals->looked_at++;
		if (l->s->is_held && l->s->deleted)
			r->totals->held++;
		if (!l->rc)
			continue;
		repack_tell_failed(r, l->s->meta, &l->err);
		/* As good as not chosen. */
		l->s->is_held = true;
	}
	return n;
}

enum rc repack_look(struct repacking *r, struct err *err)
{
	CLEANUP_FREE struct look *looks = xcalloc(LOOKS, sizeof(*looks));
	enum rc rc = choose(r, err);

	if (!rc)
		rc = holds_read(&r->holds, r->o->store, err);
	for (size_t first = 0; !rc && first < r->n;) {
		if (stop_requested())
			return err_set(err, RC_STOPPED, "stopped by a signal");
		first += look_at(r, looks, first);
	}
	return rc;
}
