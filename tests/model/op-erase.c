/* SPDX-License-Identifier: Apache-2.0 */
/* op-erase.c - deletions are asked for. */
#include "config.h"

#include "op-erase.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/sha256.h"
#include "base/unique.h"
#include "erase/tombstone.h"
#include "op-log.h"
#include "store/store-write.h"
#include "volume/oplog.h"

#define NAMES_MAX 3u

/* Some names of those that were packed: one version, or all of the uid. */
static size_t choose(struct world *w, const struct op *op,
		     struct model_erasure *ret)
{
	uint64_t random = (uint64_t)op->a << 32 | op->b;
	size_t n = 1 + random_next(&random) % NAMES_MAX, n_chosen = 0;
	const struct model *m = &w->model;

	for (size_t i = 0; i < n && m->n; i++) {
		const struct model_version *v =
			&m->versions[random_next(&random) % m->n];
		struct model_erasure *e = &ret[n_chosen];
		bool is_known = false;

		*e = (struct model_erasure){ 0 };
		snprintf(e->uid, sizeof(e->uid), "%s", v->uid);
		e->is_until = random_next(&random) % 3;
		e->time = v->created_at;
		for (size_t k = 0; k < n_chosen; k++)
			is_known = is_known || !strcmp(ret[k].uid, v->uid);
		n_chosen += !is_known;
	}
	return n_chosen;
}

static enum rc put_document(struct store *st, const struct tombstone *t,
			    struct oplog_object *ret, char *key,
			    struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = TOMBSTONE_MAX };
	bool existed;

	if (tombstone_encode(t, &b, err) || tombstone_key(t->time, key, err) ||
	    store_put(st, key, b.p, b.len, &existed, err))
		return err->rc;
	ret->key = key;
	ret->count = t->n;
	sha256_of(b.p, b.len, ret->sha256);
	return RC_OK;
}

static enum rc ask(struct world *w, struct store *st, struct tombstone *t,
		   struct err *err)
{
	CLEANUP_LOG struct oplog *log = NULL;
	char key[TOMBSTONE_KEY_TEXT];
	struct oplog_object o;
	struct oplog_record r = { .kind = OPLOG_TOMBSTONES,
				  .tombstones = &o,
				  .n_tombstones = 1 };
	enum rc rc;

	if (put_document(st, t, &o, key, err) || op_read_log(w, st, &log, err))
		return err->rc;
	rc = oplog_write(log, st, &r, w->descriptor.archive_id, err);
	r.tombstones = NULL;
	r.n_tombstones = 0;
	oplog_record_release(&r);
	return rc;
}

enum rc op_erase(struct world *w, struct store *st, const struct op *op,
		 struct err *err)
{
	struct model_erasure chosen[NAMES_MAX];
	size_t n = choose(w, op, chosen);
	struct tombstone t = { .time = clock_wall_ns() / 1000 };
	struct store_run *run = NULL;
	enum rc rc = RC_OK;

	if (!n)
		return RC_OK;
	memcpy(t.archive_id, w->descriptor.archive_id, SHARD_ID_LEN);
	if (unique_bytes(t.nonce, sizeof(t.nonce), err))
		return err->rc;
	for (size_t i = 0; i < n; i++) {
		struct model_erasure *e = &chosen[i];
		uint8_t id[ERASURE_ID_LEN];
		int64_t latest = model_latest(&w->model, e->uid);

		if (unique_bytes(id, sizeof(id), err))
			return err->rc;
		if (e->is_until)
			e->time = latest > t.time ? latest : t.time;
		world_intend_erasure(w, op->actor, e);
		tombstone_add(&t, id, e->uid, strlen(e->uid),
			      e->is_until ? ERASURE_UNTIL : ERASURE_ONE,
			      e->time);
	}
	rc = store_run_begin(st, &run, err);
	if (!rc)
		rc = ask(w, st, &t, err);
	store_run_end(run, !rc);
	tombstone_release(&t);
	return rc;
}
