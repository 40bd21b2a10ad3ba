/* SPDX-License-Identifier: Apache-2.0 */
/* reap.c - one round of all that deleting takes. */
#include "config.h"

#include "repack/reap.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "pack/clean.h"
#include "pack/publish.h"
#include "repack/reap-look.h"
#include "repack/whole-store.h"
#include "store/log-index.h"
#include "store/store-write.h"

/* Unfinished uploads that no run of ours knows. */
#define STRAY_AGE (INT64_C(86400) * CLOCK_US_PER_SEC)

static const char *const step_names[] = {
	[REAP_CLEAN] = "clean",         [REAP_RETURNED] = "returned",
	[REAP_AGGREGATE] = "aggregate", [REAP_REPACK] = "repack",
	[REAP_PURGE] = "purge",         [REAP_FOLD] = "fold",
	[REAP_FINISH] = "finish",       [REAP_TIDY] = "tidy",
	[REAP_PUBLISH] = "publish",
};

const char *reap_step_text(enum reap_step step)
{
	return step_names[step];
}

struct round {
	struct oplog *log;
	const struct reap_options *o;
	struct reap_totals *totals;
	struct store_run *run;
	struct fold_names names; /* that the log still has */
	bool has_names;          /* it is known which */
	bool has_looked_back;    /* for what came back */
};

static void note(struct round *r, enum reap_step step, enum rc rc,
		 const struct err *err)
{
	if (!rc)
		return;
	r->totals->failed[step] = true;
	if (r->o->tell.failed)
		r->o->tell.failed(r->o->tell.arg, step, err);
}

/* --- leftovers ------------------------------------------------------------ */

static void tell_leftover(struct round *r, const char *what, bool is_removed)
{
	r->totals->leftovers += is_removed;
	if (r->o->tell.leftover)
		r->o->tell.leftover(r->o->tell.arg, what, is_removed);
}

static void cleaned(void *arg, const char *what, uint64_t size, bool is_kept)
{
	(void)size;
	tell_leftover(arg, what, !is_kept);
}

static void stray(void *arg, const char *what, uint64_t size, int64_t age,
		  bool is_removed)
{
	(void)size;
	(void)age;
	if (is_removed)
		tell_leftover(arg, what, true);
}

/* Before the round has a mark of its own, which would keep all of it.  Beside
 * another run shards are left alone, also of runs that died; so is always what
 * no dead run claims.  Deletions of what is in them are not done until then.
 * What else a dead run left nobody reads: if it cannot be removed, nothing is
 * called done in this round.
 */
static enum rc clean(struct round *r, struct err *err)
{
	unsigned int alive = 0;
	enum rc rc;

	rc = clean_archive(r->o->store, r->log, true, cleaned, r, &alive, err);
	return rc ? rc
		  : store_strays(r->o->store, true, STRAY_AGE, stray, r, err);
}

static enum rc returned(struct round *r, struct err *err)
{
	const struct returned_options opts = { .store = r->o->store,
					       .archive_id = r->o->archive_id,
					       .secrets = r->o->secrets,
					       .n_secrets = r->o->n_secrets };

	return returned_delete(r->log, &opts, &r->totals->returned, err);
}

/* --- steps ---------------------------------------------------------------- */

static enum rc aggregate(struct round *r, struct err *err)
{
	return tombstone_aggregate(r->o->store, r->log, r->o->archive_id, 0,
				   &r->totals->aggregated, err);
}

static enum rc repack(struct round *r, struct err *err)
{
	const struct reap_options *o = r->o;
	const struct repack_options opts = {
		.store = o->store,
		.archive_id = o->archive_id,
		.plan = { .by_deleted = true, .when_deleted = o->when_deleted },
		.grace = o->grace,
		.dry_run = o->dry_run,
		.jobs = o->jobs,
		.spool_dir = o->spool_dir,
		.fn = o->tell.repack,
		.lost = o->tell.lost,
		.arg = o->tell.arg,
		.progress = o->progress,
	};

	return repack_run(r->log, &opts, &r->totals->repack, err);
}

static enum rc purge(struct round *r, struct err *err)
{
	const struct purge_options opts = { .store = r->o->store,
					    .archive_id = r->o->archive_id,
					    .run = r->run,
					    .jobs = r->o->jobs,
					    .dry_run = r->o->dry_run,
					    .fn = r->o->tell.purge,
					    .arg = r->o->tell.arg };

	if (r->totals->repack.is_withdrawn)
		return err_set(err, RC_CHANGED,
			       "a deletion was taken back while shards were "
			       "repacked; nothing is removed in this round");
	return purge_old(r->log, &opts, &r->totals->purge, err);
}

static enum rc fold(struct round *r, struct err *err)
{
	const struct fold_options opts = { .store = r->o->store,
					   .archive_id = r->o->archive_id,
					   .settle = reap_settle(r->o) };
	struct fold_totals *t = &r->totals->fold;
	enum rc rc = fold_log(r->log, &opts, t, &r->names, err);

	r->has_names = !rc;
	if (!rc && t->failed)
		rc = err_set(err, RC_PARTIAL, "%s", t->text);
	return rc;
}

/* Not to know whether names are left is to have them all. */
static bool has_names(void *arg, const uint8_t root[SHARD_ROOT_LEN])
{
	struct round *r = arg;

	return !r->has_names || fold_names_has(&r->names, root);
}

static enum rc finish(struct round *r, struct err *err)
{
	const struct finish_options opts = {
		.store = r->o->store,
		.archive_id = r->o->archive_id,
		.run = r->run,
		.secret = r->o->secret,
		.settle = reap_settle(r->o),
		.keep_open = r->totals->failed[REAP_CLEAN],
		.jobs = r->o->jobs,
		.has_names = has_names,
		.arg = r
	};

	return finish_erasures(r->log, &opts, &r->totals->finish, err);
}

static enum rc tidy(struct round *r, struct err *err)
{
	struct tidied t;
	struct tidied *sum = &r->totals->tidied;
	enum rc rc =
		tidy_tombstones(r->o->store, r->log, r->o->archive_id, &t, err);

	sum->documents += t.documents;
	sum->aggregates += t.aggregates;
	sum->salts += t.salts;
	sum->failed = t.failed;
	if (!rc && t.failed)
		rc = err_set(err, RC_PARTIAL, "%s", t.text);
	return rc;
}

static enum rc publish(struct round *r, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = 1 };
	struct object_info info;
	size_t n;
	enum rc rc =
		store_read_tail(r->o->store, LOG_INDEX_KEY, 1, &b, &info, err);

	if (rc == RC_NOENT)
		return RC_OK;
	return rc ? rc : publish_log(r->o->store, &n, err);
}

/* --- the round ------------------------------------------------------------ */

static enum rc read_all(struct round *r, struct err *err)
{
	bool changed;

	oplog_want_all(r->log);
	return oplog_read(r->log, r->o->store, &changed, err);
}

static void step(struct round *r, enum reap_step step,
		 enum rc (*fn)(struct round *, struct err *))
{
	struct err err;

	note(r, step, fn(r, &err), &err);
}

/* What a round before left undone comes first: an aggregate must not be written
 * over one that has what is done, as a store may keep versions.
 */
static void run_steps(struct round *r)
{
	step(r, REAP_TIDY, tidy);
	step(r, REAP_AGGREGATE, aggregate);
	step(r, REAP_REPACK, repack);
	step(r, REAP_PURGE, purge);
	step(r, REAP_FOLD, fold);
	step(r, REAP_FINISH, finish);
	step(r, REAP_TIDY, tidy);
	step(r, REAP_PUBLISH, publish);
}

/* Of old shards, as the step that would remove them. */
static enum rc tell_waiting(struct round *r, struct err *err)
{
	const struct purge_options opts = { .store = r->o->store,
					    .archive_id = r->o->archive_id,
					    .fn = r->o->tell.purge,
					    .arg = r->o->tell.arg };
	bool is_due;

	return purge_look(r->log, &opts, &r->totals->purge, &is_due, err);
}

static bool has_returned(struct round *r)
{
	step(r, REAP_RETURNED, returned);
	r->has_looked_back = true;
	return r->totals->failed[REAP_RETURNED] || r->totals->returned.deleted;
}

/* What cannot be looked at is told by the steps. */
static bool is_idle(struct round *r)
{
	struct reap_totals *t = r->totals;
	struct reap_looked looked;
	struct err ignored;

	if (!reap_look(r->log, r->o, t, &looked, &ignored) && looked.is_idle &&
	    !(looked.is_return_due && has_returned(r))) {
		step(r, REAP_PURGE, tell_waiting);
		if (looked.has_index)
			step(r, REAP_PUBLISH, publish);
		return true;
	}
	t->purge = (struct purge_totals){ .next = INT64_MAX };
	t->fold = (struct fold_totals){ 0 };
	t->has_erasures = false;
	return false;
}

enum rc reap_round(struct oplog *log, const struct reap_options *opts,
		   struct reap_totals *ret, struct err *err)
{
	struct round r = { .log = log, .o = opts, .totals = ret };
	bool is_partial = false;
	enum rc rc;

	*ret = (struct reap_totals){ .purge = { .next = INT64_MAX } };
	if (whole_store_check(opts->store, err))
		return err->rc;
	if (opts->dry_run) {
		if (read_all(&r, err))
			return err->rc;
		step(&r, REAP_REPACK, repack);
		step(&r, REAP_PURGE, purge);
	} else if (!is_idle(&r)) {
		step(&r, REAP_CLEAN, clean);
		if (!r.has_looked_back)
			step(&r, REAP_RETURNED, returned);
		if (store_run_begin(opts->store, STORE_RUN_REAP, &r.run, err))
			return err->rc;
		rc = read_all(&r, err);
		if (!rc)
			run_steps(&r);
		/* Finish, too, puts documents before the record names them. */
		store_run_end(r.run, !ret->failed[REAP_REPACK] &&
					     !ret->failed[REAP_FINISH] &&
					     !ret->repack.unused);
		fold_names_release(&r.names);
		if (rc)
			return rc;
	}
	for (unsigned int i = 0; i < REAP_STEPS; i++)
		is_partial |= ret->failed[i];
	return is_partial ? err_set(err, RC_PARTIAL,
				    "not all could be done; the next round "
				    "tries again")
			  : RC_OK;
}
