/* SPDX-License-Identifier: Apache-2.0 */
/* remove-proof.c - whether the archive can give back what it says it has. */
#include "config.h"

#include "pack/remove-proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/workers.h"
#include "pack/pack.h"
#include "store/store-write.h"
#include "verify/raw-ahead.h"
#include "verify/verify-data.h"
#include "verify/verify-shard.h"

#define OLD_SHARDS 4u /* kept open */

/* Blocks that reading a shard back may hold, see verify-data.c. */
#define BLOCKS_HELD 10u
#define MEMORY (64u << 20)

/* Read at once where reads are requests, of each shard. */
#define OWN_AHEAD (8u << 20)
#define OLD_AHEAD (2u << 20)

/* A shard of the run. */
struct own_shard {
	struct job job;
	struct verify_shard_job what;
	struct verify_report report;
	bool is_damaged;
};

struct old_shard {
	struct raw_shard raw;
	char *key; /* NULL: none */
	struct verify_data *data;
	struct verify_report report;
	uint64_t used;
	struct err err; /* rc: it cannot be read */
};

struct remove_proof {
	struct store *store;
	struct oplog *log;
	struct own_shard *own; /* in the order of their keys */
	size_t n_own, n_damaged;
	struct old_shard old[OLD_SHARDS];
	uint64_t clock;
};

static int by_key(const void *key, const void *own)
{
	return strcmp(key, ((const struct own_shard *)own)->what.key);
}

static struct own_shard *find_own(const struct remove_proof *proof,
				  const struct shard_meta *m)
{
	if (!proof->n_own)
		return NULL;
	return bsearch(m->key, proof->own, proof->n_own, sizeof(*proof->own),
		       by_key);
}

bool remove_proof_is_own(const struct remove_proof *proof,
			 const struct shard_meta *m)
{
	return find_own(proof, m);
}

size_t remove_proof_damaged(const struct remove_proof *proof)
{
	return proof->n_damaged;
}

/* --- the run's own shards --------------------------------------------------
 */

/* The log as a reader finds it must name them all. */
static enum rc read_log(struct remove_proof *proof, const struct pack *p,
			struct err *err)
{
	bool has_changed = false;
	enum rc rc;

	oplog_expect(proof->log, p->descriptor.archive_id);
	rc = oplog_read(proof->log, proof->store, &has_changed, err);
	for (size_t i = 0; !rc && i < oplog_count(proof->log); i++) {
		const struct shard_meta *m = oplog_shard(proof->log, i);
		struct own_shard *s = find_own(proof, m);

		if (s)
			s->what.expect = m;
	}
	for (size_t i = 0; !rc && i < proof->n_own; i++) {
		struct own_shard *s = &proof->own[i];

		if (!s->what.expect)
			rc = err_set(err, RC_CHANGED,
				     "%s: not in the log when that was read "
				     "back",
				     s->what.key);
	}
	return rc;
}

static void read_shard(void *arg)
{
	struct own_shard *s = arg;

	if (stop_asked())
		return;
	store_forget(s->what.store, s->what.key);
	verify_shard(&s->what, &s->report);
}

static void tell(void *arg, const struct finding *f)
{
	(void)arg;
	if (f->kind == FINDING_DAMAGE)
		log_err("%s: read back: %s", f->key, f->text);
}

static enum rc read_shards(struct remove_proof *proof, const struct pack *p,
			   struct err *err)
{
	const struct verify_options o = { .fn = tell };
	uint64_t each = (uint64_t)BLOCKS_HELD * p->opts->sizes.large;
	unsigned int n = p->opts->jobs;
	struct workers *w = NULL;

	if (store_is_remote(p->store))
		each += OWN_AHEAD + OWN_AHEAD / 4;
	while (n > 1 && n * each > MEMORY)
		n--;
	if (!proof->n_own)
		return RC_OK;
	if (workers_start(&w, "verify", n, proof->n_own, err))
		return err->rc;
	for (size_t i = 0; i < proof->n_own; i++)
		job_submit(w, &proof->own[i].job, read_shard, &proof->own[i]);
	for (size_t i = 0; i < proof->n_own; i++) {
		struct own_shard *s = &proof->own[i];
		struct verify_totals totals = { 0 };

		job_wait(w, &s->job);
		verify_report_tell(&s->report, &o, &totals);
		/* Neither is it proven when nothing was looked at. */
		s->is_damaged = totals.damage || totals.lost || !totals.shards;
		proof->n_damaged += s->is_damaged;
	}
	workers_stop(w);
	return stop_asked() ? err_set(err, RC_STOPPED, "stopped by a signal")
			    : RC_OK;
}

static int by_meta_key(const void *a, const void *b)
{
	const struct own_shard *x = a, *y = b;

	return strcmp(x->what.key, y->what.key);
}

enum rc remove_proof_new(const struct pack *p, struct remove_proof **ret,
			 struct err *err)
{
	struct remove_proof *proof = xcalloc(1, sizeof(*proof));
	enum rc rc;

	proof->store = p->store;
	proof->log = oplog_new();
	proof->n_own = p->n_shards;
	proof->own = xcalloc(p->n_shards + 1, sizeof(*proof->own));
	for (size_t i = 0; i < p->n_shards; i++) {
		proof->own[i].what = (struct verify_shard_job){
			.store = p->store,
			.key = p->shards[i].key,
			.archive_id = p->descriptor.archive_id,
			.deep = true,
			.ahead = store_is_remote(p->store) ? OWN_AHEAD : 0,
		};
		proof->own[i].report.key = p->shards[i].key;
	}
	qsort(proof->own, proof->n_own, sizeof(*proof->own), by_meta_key);
	rc = read_log(proof, p, err);
	if (!rc)
		rc = read_shards(proof, p, err);
	if (rc) {
		remove_proof_free(proof);
		return rc;
	}
	*ret = proof;
	return RC_OK;
}

/* --- older shards ----------------------------------------------------------
 */

static void close_old(struct old_shard *s)
{
	verify_data_free(s->data);
	raw_ahead_free(s->raw.ahead);
	free(s->key);
	*s = (struct old_shard){ .key = NULL };
}

static void open_old(struct remove_proof *proof, struct old_shard *s,
		     const struct shard_meta *m)
{
	s->key = xstrdup(m->key);
	s->report.key = s->key;
	store_forget(proof->store, s->key);
	if (raw_shard_open(&s->raw, proof->store, s->key, &s->err))
		return;
	if (store_is_remote(proof->store))
		s->raw.ahead = raw_ahead_new(OLD_AHEAD);
	if (memcmp(s->raw.footer.root, m->root, SHARD_ROOT_LEN) != 0)
		err_set(&s->err, RC_CORRUPT,
			"root is not the one the log says");
	else
		s->data = verify_data_new(&s->raw, &s->report);
}

static struct old_shard *find_old(struct remove_proof *proof,
				  const struct shard_meta *m)
{
	struct old_shard *oldest = &proof->old[0];

	for (size_t i = 0; i < OLD_SHARDS; i++) {
		struct old_shard *s = &proof->old[i];

		if (s->key && !strcmp(s->key, m->key)) {
			s->used = ++proof->clock;
			return s;
		}
		if (s->used < oldest->used)
			oldest = s;
	}
	close_old(oldest);
	open_old(proof, oldest, m);
	oldest->used = ++proof->clock;
	return oldest;
}

static void keep_text(void *arg, const struct finding *f)
{
	err_set(arg, RC_CORRUPT, "%s", f->text);
}

static enum rc check_old(struct old_shard *s, const struct entry *e,
			 struct err *err)
{
	const struct verify_options o = { .fn = keep_text, .arg = err };
	CLEANUP_FREE struct block_ref *owned = NULL;
	const struct block_ref *refs = NULL;
	struct verify_totals totals = { 0 };
	struct err gone;

	if (s->err.rc) {
		*err = s->err;
		return err->rc;
	}
	if (raw_shard_refs(&s->raw, e, &refs, &owned, err))
		return err->rc;
	err_set(err, RC_CORRUPT, "a block is damaged");
	if (verify_data_file(s->data, e, refs))
		err->rc = RC_OK;
	verify_report_tell(&s->report, &o, &totals);
	/* Others will do no better. */
	if (raw_ahead_gave_up(s->raw.ahead, &gone)) {
		*err = gone;
		return err->rc;
	}
	return totals.damage ? RC_CORRUPT : err->rc;
}

enum rc remove_proof_check(struct remove_proof *proof,
			   const struct shard_meta *m, const struct entry *e,
			   struct err *err)
{
	const struct own_shard *s = find_own(proof, m);

	if (s && s->is_damaged)
		return err_set(err, RC_CORRUPT,
			       "not removed: %s is damaged in the archive",
			       m->key);
	if (s || e->type != ENTRY_REG || !e->size)
		return RC_OK;
	if (check_old(find_old(proof, m), e, err))
		return err_prefix(err, "not removed: %s", m->key);
	return RC_OK;
}

void remove_proof_free(struct remove_proof *proof)
{
	if (!proof)
		return;
	for (size_t i = 0; i < OLD_SHARDS; i++)
		close_old(&proof->old[i]);
	oplog_free(proof->log);
	free(proof->own);
	free(proof);
}
