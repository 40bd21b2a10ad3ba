/* SPDX-License-Identifier: Apache-2.0 */
/* op-pack.c - a run that packs a few files: as desfs-pack does it, but without
 * a source.
 */
#include "config.h"

#include "op-pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "op-log.h"
#include "pack/erased.h"
#include "shard-maker.h"
#include "shard/shard-footer.h"
#include "store/store-write.h"
#include "volume/oplog.h"

#define FILES_MAX 4u
#define DAY_US (INT64_C(86400) * 1000000)

/* The day of a time, as a decimal number. */
static uint32_t day_of(int64_t time_us)
{
	time_t t = (time_t)(time_us / 1000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	return (uint32_t)((tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 +
			  tm.tm_mday);
}

/* A uid that was packed before, or a new one. */
static void choose_uid(struct world *w, uint64_t *random, char *ret)
{
	const struct model *m = &w->model;

	if (m->n && random_next(random) % 3 == 0) {
		const char *uid = m->versions[random_next(random) % m->n].uid;

		/* What was deleted is tried again less often. */
		if (model_until(m, uid) == INT64_MIN ||
		    random_next(random) % 4 == 0) {
			snprintf(ret, MODEL_UID_MAX, "%s", uid);
			return;
		}
	}
	snprintf(ret, MODEL_UID_MAX, "%s%sname-%03u-",
		 world_dirs[w->n_uids % WORLD_DIRS],
		 w->n_uids % WORLD_DIRS ? "/" : "", w->n_uids);
	w->n_uids++;
}

static struct model_version choose(struct world *w, const struct op *op,
				   uint64_t *random)
{
	struct model_version v = { .created_at = clock_wall_us() };
	int64_t latest;

	choose_uid(w, random, v.uid);
	latest = model_latest(&w->model, v.uid);
	if (v.created_at <= latest)
		v.created_at = latest + 1;
	/* Runs at the same time do not make the same version. */
	v.created_at += 2 - v.created_at % 2 + op->actor;
	v.seed = random_next(random);
	v.size = MODEL_MARK_LEN + random_next(random) % 1500;
	if (random_next(random) % 12 == 0)
		v.size =
			(uint32_t)(MODEL_FILE_MAX - random_next(random) % 2000);
	return v;
}

static size_t choose_files(struct world *w, const struct op *op,
			   struct model_version *ret)
{
	uint64_t random = (uint64_t)op->a << 32 | op->b;
	size_t n = 1 + random_next(&random) % FILES_MAX;

	for (size_t i = 0; i < n; i++) {
		ret[i] = choose(w, op, &random);
		if (i && random_next(&random) % 5 == 0) {
			ret[i].seed = ret[i - 1].seed;
			ret[i].size = ret[i - 1].size;
		}
		/* One version of each, all of one day. */
		for (size_t k = 0; k < i; k++) {
			if (!strcmp(ret[k].uid, ret[i].uid))
				return i;
		}
		if (i && day_of(ret[i].created_at) != day_of(ret[0].created_at))
			return i;
	}
	return n;
}

/* --- what was deleted ----------------------------------------------------- */

static bool allows(const struct op *op)
{
	return op->c % 4 == 1;
}

/* Or the other actor is just about to. */
static bool may_be_erased(const struct world *w, unsigned int actor,
			  const char *uid)
{
	unsigned int other = 1 - actor;

	for (size_t i = 0; i < w->n_intents[other]; i++) {
		const struct intent *in = &w->intents[other][i];

		if (in->is_erasure && in->erasure.is_until &&
		    !strcmp(in->erasure.uid, uid))
			return true;
	}
	return model_is_erased(&w->model, uid, false);
}

/* desfs-pack keeps out what was deleted, or was told not to. */
static void check_kept_out(struct world *w, const struct op *op,
			   const char *uid, bool is_out)
{
	bool is_sure = !w->has_lag && !w->is_pair;

	if (!is_out && is_sure && !allows(op) &&
	    model_is_erased(&w->model, uid, true))
		world_fail(w, "%s was deleted and is packed again", uid);
	if (is_out && (allows(op) || !may_be_erased(w, op->actor, uid)))
		world_fail(w, "%s is kept out", uid);
}

/* Is the file packed?  Then its time is none that was deleted. */
static bool take(struct world *w, const struct op *op, const struct erased *e,
		 struct model_version *v)
{
	struct item it = { .type = ENTRY_REG };
	bool is_out;
	int64_t at;

	entry_split_uid(span_of(v->uid, strlen(v->uid)), &it.parent, &it.name);
	is_out = e && erased_keeps_out(e, &it);
	check_kept_out(w, op, v->uid, is_out);
	if (!e || is_out)
		return !is_out;
	at = erased_after(e, it.parent, it.name, v->created_at);
	if (at != v->created_at)
		v->created_at = at + 2 - at % 2 + op->actor;
	v->is_allowed = allows(op);
	return true;
}

static enum rc drop_erased(struct world *w, struct store *st,
			   const struct op *op, struct model_version *files,
			   size_t *n, struct err *err)
{
	const struct erased_options o = { .allow = allows(op) };
	struct oplog *log = op_take_log(w, op);
	struct erased *e = NULL;
	size_t left = 0;
	bool changed;
	enum rc rc = oplog_read(log, st, &changed, err);

	if (!rc)
		rc = erased_new(&e, st, log, &o, err);
	for (size_t i = 0; !rc && i < *n; i++) {
		if (take(w, op, e, &files[i]) &&
		    day_of(files[i].created_at) == day_of(files[0].created_at))
			files[left++] = files[i];
	}
	*n = left;
	erased_free(e);
	return op_return_log(w, op, log, rc);
}

/* --- packing -------------------------------------------------------------- */

static enum rc put_shards(struct store *st, struct made_shard *made,
			  struct oplog_record *record, struct err *err)
{
	record->shards = xcalloc(MAKER_SLOTS, sizeof(*record->shards));
	for (size_t i = 0; i < MAKER_SLOTS; i++) {
		struct made_shard *s = &made[i];
		bool existed;

		if (!s->meta.key)
			continue;
		if (store_put(st, s->meta.key, s->bytes.p, s->bytes.len,
			      &existed, err))
			return err->rc;
		record->shards[record->n_shards++] = s->meta;
		s->meta = (struct shard_meta){ 0 };
	}
	return RC_OK;
}

/* They are still there: a clean-up may have taken the run for dead. */
static enum rc check_shards(struct store *st, const struct oplog_record *record,
			    struct err *err)
{
	for (size_t i = 0; i < record->n_shards; i++) {
		CLEANUP_BUF struct buf end = { .max = SHARD_FOOTER_SIZE };
		struct object_info info;

		if (store_read_tail(st, record->shards[i].key,
				    SHARD_FOOTER_SIZE, &end, &info, err))
			return err->rc;
	}
	return RC_OK;
}

static enum rc put_record(struct world *w, struct store *st,
			  const struct op *op, struct oplog_record *record,
			  struct err *err)
{
	struct oplog *log = op_take_log(w, op);
	bool changed;
	enum rc rc;

	oplog_want_all(log);
	rc = oplog_read(log, st, &changed, err);
	if (!rc)
		rc = oplog_write(log, st, record, w->descriptor.archive_id,
				 err);
	return op_return_log(w, op, log, rc);
}

static enum rc pack(struct world *w, struct store *st, const struct op *op,
		    struct oplog_record *record, struct err *err)
{
	struct model_version files[FILES_MAX];
	struct made_shard made[MAKER_SLOTS];
	size_t n = choose_files(w, op, files);
	enum rc rc = drop_erased(w, st, op, files, &n, err);

	if (rc || !n)
		return rc;
	record->allow_erased = allows(op);
	for (size_t i = 0; i < n; i++)
		world_intend_version(w, op->actor, &files[i]);
	make_shards(&w->descriptor, day_of(files[0].created_at), files, n,
		    op->b % 4 ? CODEC_NONE : CODEC_ZSTD, made);
	rc = put_shards(st, made, record, err);
	made_shards_release(made);
	if (!rc)
		rc = check_shards(st, record, err);
	return rc ? rc : put_record(w, st, op, record, err);
}

enum rc op_pack(struct world *w, struct store *st, const struct op *op,
		struct err *err)
{
	struct oplog_record record = { 0 };
	struct store_run *run = NULL;
	enum rc rc;

	if (store_run_begin(st, STORE_RUN_PACK, &run, err))
		return err->rc;
	rc = pack(w, st, op, &record, err);
	store_run_end(run, !rc);
	oplog_record_release(&record);
	return rc;
}
