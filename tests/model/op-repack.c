/* SPDX-License-Identifier: Apache-2.0 */
/* op-repack.c - shards are written anew, and old ones removed. */
#include "config.h"

#include "op-repack.h"

#include <stdio.h>
#include <string.h>

#include "op-log.h"
#include "repack/finish.h"
#include "repack/fold.h"
#include "repack/purge.h"
#include "repack/reap.h"
#include "repack/repack.h"
#include "store/store-write.h"

/* Small, so that the few files there are make a difference. */
#define SPLIT_ABOVE 1500u
#define MERGE_BELOW 20000u

/* The first failure of several, which a run sums up. */
struct told {
	char text[ERR_MSG_MAX + 32];
	bool lacks, is_other; /* some old revision is kept for what it has */
};

static void note_group(void *arg, const struct repack_event *event)
{
	struct told *t = arg;

	t->is_other |= event->status == REPACK_FAILED;
	if (event->status == REPACK_FAILED && !*t->text)
		snprintf(t->text, sizeof(t->text), "%s", event->err->msg);
}

static void note_purge(void *arg, const struct purge_event *event)
{
	struct told *t = arg;

	t->lacks |= event->verdict == PURGE_LACKS;
	t->is_other |= event->is_failed && event->verdict != PURGE_LACKS;
	if ((event->is_failed || event->text) && !*t->text)
		snprintf(t->text, sizeof(t->text), "%.100s: %s", event->key,
			 event->text ? event->text : "failed");
}

/* What was taken back too late is kept, for good: nobody fails by that. */
static enum rc with_text(const struct world *w, enum rc rc,
			 const struct told *t, struct err *err)
{
	if (rc == RC_PARTIAL && t->lacks && !t->is_other &&
	    model_has_doubt(&w->model))
		return RC_OK;
	return rc && *t->text ? err_set(err, rc, "%s", t->text) : rc;
}

static int64_t grace_of(const struct op *op)
{
	static const int64_t graces[] = { 0, 0, 600, 86400 };

	return graces[op->b % 4];
}

static enum rc purge(struct world *w, struct store *st, struct oplog *log,
		     const struct store_run *run, struct err *err)
{
	struct told told = { .text = "" };
	struct purge_options o = { .store = st,
				   .archive_id = w->descriptor.archive_id,
				   .run = run,
				   .jobs = 1,
				   .fn = note_purge,
				   .arg = &told };
	struct purge_totals totals;

	return with_text(w, purge_old(log, &o, &totals, err), &told, err);
}

/* A run, with a log that is not read yet. */
struct running {
	struct store_run *run;
	struct oplog *log;
	bool has_unused; /* shards that no record names */
};

static enum rc begin(struct world *w, struct store *st, const struct op *op,
		     struct running *ret, struct err *err)
{
	*ret = (struct running){ 0 };
	if (store_run_begin(st, STORE_RUN_REPACK, &ret->run, err))
		return err->rc;
	ret->log = op_take_log(w, op);
	return RC_OK;
}

static enum rc end(struct world *w, const struct op *op, struct running *r,
		   enum rc rc)
{
	store_run_end(r->run, !rc && !r->has_unused);
	return op_return_log(w, op, r->log, rc);
}

static enum rc run(struct world *w, struct store *st, const struct op *op,
		   const struct plan_options *plan, struct err *err)
{
	struct told told = { .text = "" };
	struct repack_options o = { .store = st,
				    .archive_id = w->descriptor.archive_id,
				    .plan = *plan,
				    .codec =
					    op->b & 8 ? CODEC_NONE : CODEC_ZSTD,
				    .level = op->b & 8 ? 0 : 3,
				    .grace = grace_of(op),
				    .jobs = 1,
				    .spool_dir = "/tmp",
				    .fn = note_group,
				    .arg = &told };
	struct repack_totals totals;
	struct running r;
	enum rc rc;

	if (begin(w, st, op, &r, err))
		return err->rc;
	rc = with_text(w, repack_run(r.log, &o, &totals, err), &told, err);
	if (!rc && !o.grace)
		rc = purge(w, st, r.log, r.run, err);
	r.has_unused = totals.unused;
	return end(w, op, &r, rc);
}

enum rc op_repack(struct world *w, struct store *st, const struct op *op,
		  struct err *err)
{
	const struct plan_options plan = { .by_deleted = true };

	return run(w, st, op, &plan, err);
}

enum rc op_merge(struct world *w, struct store *st, const struct op *op,
		 struct err *err)
{
	const struct plan_options plan = { .by_deleted = op->a % 2,
					   .merge_below = MERGE_BELOW,
					   .max_together = 2 + op->a % 5 };

	return run(w, st, op, &plan, err);
}

enum rc op_split(struct world *w, struct store *st, const struct op *op,
		 struct err *err)
{
	const struct plan_options plan = { .split_above = SPLIT_ABOVE };

	return run(w, st, op, &plan, err);
}

enum rc op_recompress(struct world *w, struct store *st, const struct op *op,
		      struct err *err)
{
	const struct plan_options plan = { .recompress = true };

	return run(w, st, op, &plan, err);
}

enum rc op_drop_corrupt(struct world *w, struct store *st, struct err *err)
{
	CLEANUP_LOG struct oplog *log = op_new_log(w);
	struct told told = { .text = "" };
	const struct repack_options o = { .store = st,
					  .archive_id =
						  w->descriptor.archive_id,
					  .plan = { .drop_corrupt = true },
					  .jobs = 1,
					  .spool_dir = "/tmp",
					  .fn = note_group,
					  .arg = &told };
	struct repack_totals totals;

	return with_text(w, repack_run(log, &o, &totals, err), &told, err);
}

enum rc op_purge(struct world *w, struct store *st, const struct op *op,
		 struct err *err)
{
	struct running r;

	if (begin(w, st, op, &r, err))
		return err->rc;
	return end(w, op, &r, purge(w, st, r.log, r.run, err));
}

/* Fold the log, and then what is done: the rest of a round of reap. */
enum rc op_finish(struct world *w, struct store *st, const struct op *op,
		  struct err *err)
{
	struct fold_options fold = { .store = st,
				     .archive_id = w->descriptor.archive_id,
				     .settle = op->a % 2 ? 0 : FINISH_SETTLE,
				     .min_many = op->a % 3 ? 0 : 3 };
	struct fold_names names = { 0 };
	struct finish_options finish = { .store = st,
					 .archive_id = w->descriptor.archive_id,
					 .settle = FINISH_SETTLE,
					 .jobs = 1,
					 .has_names = fold_names_has,
					 .arg = &names };
	struct fold_totals folded;
	struct finish_totals finished;
	struct running r;
	enum rc rc;

	if (begin(w, st, op, &r, err))
		return err->rc;
	finish.run = r.run;
	rc = fold_log(r.log, &fold, &folded, &names, err);
	if (!rc)
		rc = finish_erasures(r.log, &finish, &finished, err);
	fold_names_release(&names);
	return end(w, op, &r, rc);
}

static void note_step(void *arg, enum reap_step step, const struct err *err)
{
	struct told *t = arg;

	t->is_other |= step != REAP_PURGE || err->rc != RC_PARTIAL;
	if (!*t->text)
		snprintf(t->text, sizeof(t->text), "%s: %s",
			 reap_step_text(step), err->msg);
}

enum rc op_reap_round(struct world *w, struct store *st, struct oplog *log,
		      int64_t grace, struct reap_totals *ret, struct err *err)
{
	struct told told = { .text = "" };
	const struct reap_options o = { .store = st,
					.archive_id = w->descriptor.archive_id,
					.grace = grace,
					.jobs = 1,
					.spool_dir = "/tmp",
					.tell = { .repack = note_group,
						  .purge = note_purge,
						  .failed = note_step,
						  .arg = &told } };

	return with_text(w, reap_round(log, &o, ret, err), &told, err);
}

enum rc op_reap(struct world *w, struct store *st, const struct op *op,
		struct err *err)
{
	struct oplog *log = op_take_log(w, op);
	struct reap_totals totals;

	return op_return_log(
		w, op, log,
		op_reap_round(w, st, log, grace_of(op), &totals, err));
}
