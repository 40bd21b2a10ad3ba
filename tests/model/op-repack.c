/* SPDX-License-Identifier: Apache-2.0 */
/* op-repack.c - shards are written anew. */
#include "config.h"

#include "op-repack.h"

#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "op-log.h"
#include "repack/engine.h"
#include "store/store-write.h"
#include "volume/oplog-state.h"

#define GRACE_MAX 100000 /* seconds */

struct repack {
	struct world *w;
	struct store *st;
	const struct op *op;
	struct oplog *log;
	const struct shard_meta *in[ENGINE_INPUTS_MAX];
	size_t n;
};

static void choose(struct repack *r, bool is_merge)
{
	size_t n = oplog_count(r->log);
	const struct shard_meta *first;

	if (!n)
		return;
	first = oplog_shard(r->log, r->op->a % n);
	r->in[r->n++] = first;
	for (size_t i = 0; is_merge && i < n && r->n < 4; i++) {
		const struct shard_meta *m = oplog_shard(r->log, i);

		if (m != first && m->day == first->day &&
		    m->slot == first->slot)
			r->in[r->n++] = m;
	}
}

/* A number no part of the slot has or had. */
static uint32_t free_part(const struct repack *r)
{
	uint32_t ret = 0;

	for (size_t i = 0; i < oplog_n_records(r->log); i++) {
		const struct oplog_record *rec = oplog_record_at(r->log, i);

		for (size_t k = 0; k < rec->n_shards; k++) {
			const struct shard_meta *m = &rec->shards[k];

			if (m->day == r->in[0]->day &&
			    m->slot == r->in[0]->slot && m->part >= ret)
				ret = m->part + 1;
		}
	}
	return ret;
}

static enum rc write_record(struct repack *r, const struct engine_result *res,
			    enum oplog_why why, struct err *err)
{
	static const int64_t graces[] = { 0, 0, 600, 86400 };
	struct oplog_replaced replaced[ENGINE_INPUTS_MAX];
	struct oplog_record rec = { .kind = OPLOG_REPACK,
				    .shards = res->shards,
				    .n_shards = res->n,
				    .replaces = replaced,
				    .n_replaces = r->n,
				    .grace = graces[r->op->b % 4],
				    .why = why };
	CLEANUP_LOG struct oplog *now = NULL;
	enum rc rc;

	for (size_t i = 0; i < r->n; i++) {
		replaced[i].key = r->in[i]->key;
		memcpy(replaced[i].root, r->in[i]->root, SHARD_ROOT_LEN);
	}
	rc = op_read_log(r->w, r->st, &now, err);
	for (size_t i = 0; !rc && i < r->n; i++) {
		/* Somebody else was quicker. */
		if (!oplog_state_find(oplog_state(now), r->in[i]->key))
			return RC_OK;
	}
	if (!rc)
		rc = oplog_write(now, r->st, &rec, r->w->descriptor.archive_id,
				 err);
	rec.shards = NULL;
	rec.n_shards = 0;
	rec.replaces = NULL;
	rec.n_replaces = 0;
	oplog_record_release(&rec);
	return rc;
}

static enum rc repack(struct repack *r, const struct engine_options *how,
		      enum oplog_why why, struct err *err)
{
	struct engine_options o = *how;
	struct engine_result res = { 0 };
	enum rc rc;

	choose(r, why == OPLOG_MERGE);
	if (!r->n || (why == OPLOG_MERGE && r->n < 2))
		return RC_OK;
	o.store = r->st;
	o.workers = r->w->workers;
	o.n_workers = 1;
	o.spool_dir = "/tmp";
	o.deleted = oplog_deleted(r->log);
	o.free_part = free_part(r);
	rc = engine_run(&o, r->in, r->n, &res, err);
	if (!rc)
		rc = write_record(r, &res, why, err);
	engine_result_release(&res);
	return rc;
}

static enum rc run(struct world *w, struct store *st, const struct op *op,
		   const struct engine_options *how, enum oplog_why why,
		   struct err *err)
{
	CLEANUP_LOG struct oplog *log = NULL;
	struct repack r = { .w = w, .st = st, .op = op };
	struct store_run *mark = NULL;
	enum rc rc;

	if (store_run_begin(st, &mark, err))
		return err->rc;
	rc = op_read_log(w, st, &log, err);
	r.log = log;
	if (!rc)
		rc = repack(&r, how, why, err);
	store_run_end(mark, !rc);
	return rc;
}

enum rc op_repack(struct world *w, struct store *st, const struct op *op,
		  struct err *err)
{
	const struct engine_options how = { 0 };

	return run(w, st, op, &how, OPLOG_DELETED, err);
}

enum rc op_merge(struct world *w, struct store *st, const struct op *op,
		 struct err *err)
{
	const struct engine_options how = { 0 };

	return run(w, st, op, &how, OPLOG_MERGE, err);
}

enum rc op_split(struct world *w, struct store *st, const struct op *op,
		 struct err *err)
{
	const struct engine_options how = { .split_above = 1500 };

	return run(w, st, op, &how, OPLOG_SPLIT, err);
}

enum rc op_recompress(struct world *w, struct store *st, const struct op *op,
		      struct err *err)
{
	const struct engine_options how = { .recompress = true,
					    .codec = op->b & 8 ? CODEC_NONE
							       : CODEC_ZSTD,
					    .level = op->b & 8 ? 0 : 3 };

	return run(w, st, op, &how, OPLOG_RECOMPRESS, err);
}
