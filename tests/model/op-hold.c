/* SPDX-License-Identifier: Apache-2.0 */
/* op-hold.c - holds are put and taken away; what is under one stays. */
#include "config.h"

#include "op-hold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "op-log.h"
#include "verify/index-walk.h"
#include "verify/raw-shard.h"
#include "store/store-write.h"
#include "volume/oplog-state.h"

enum scope { ALL, DAY, SHARD, UID, UNKNOWN, SCOPES };

struct world_hold {
	char key[32];
	enum scope scope;
	char shard[SHARD_KEY_TEXT];
	uint32_t day;
	char uid[MODEL_UID_MAX];
	int64_t acked;
	bool is_in_force;
	bool is_busy; /* being put or removed: not for another actor */
	char **keys;  /* of shards that must stay */
	size_t n, cap;
	bool *versions; /* of the model, that must stay */
	size_t n_versions;
};

static void hold_free(struct world_hold *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->keys[i]);
	free(h->keys);
	free(h->versions);
	free(h);
}

/* --- what is there -------------------------------------------------------- */

typedef void version_fn(void *arg, size_t i);

/* Call fn for each version that a shard has. */
static void each_version(struct world *w, const char *key, version_fn *fn,
			 void *arg)
{
	const struct model *m = &w->model;
	struct raw_shard sh;
	struct index_walk walk;
	struct index_leaf leaf;
	struct err err;

	if (raw_shard_open(&sh, w->exact, key, &err)) {
		world_fail(w, "%s, held: %s", key, err.msg);
		return;
	}
	index_walk_init(&walk, &sh);
	while (!index_walk_next(&walk, &leaf, &err)) {
		for (uint32_t i = 0; i < page_count(leaf.page); i++) {
			const struct model_version *v = NULL;
			char uid[MODEL_UID_MAX * 2];
			struct entry e;

			page_entry(leaf.page, i, &e);
			if (entry_uid_len(e.parent, e.name) <= sizeof(uid))
				v = model_find(m, uid,
					       entry_uid(e.parent, e.name, uid),
					       e.created_at);
			if (v)
				fn(arg, (size_t)(v - m->versions));
		}
	}
	index_walk_release(&walk);
}

/* --- coming into force ---------------------------------------------------- */

struct beginning {
	struct world *w;
	struct world_hold *h;
};

/* version_fn */
static void note_version(void *arg, size_t i)
{
	const struct beginning *b = arg;

	if (!strcmp(b->w->model.versions[i].uid, b->h->uid))
		b->h->versions[i] = true;
}

static void cover(struct beginning *b, const char *key)
{
	struct world_hold *h = b->h;
	bool is_covered = h->scope == ALL || h->scope == UNKNOWN;

	if (!memory_has(b->w->memory, key))
		return;
	is_covered |= h->scope == DAY &&
		      strtoul(key, NULL, 10) == (unsigned long)h->day;
	is_covered |= h->scope == SHARD && !strcmp(h->shard, key);
	if (h->scope == UID)
		each_version(b->w, key, note_version, b);
	if (!is_covered)
		return;
	h->keys = mem_grow(h->keys, &h->cap, h->n + 1, sizeof(*h->keys));
	h->keys[h->n++] = xstrdup(key);
}

static void begin_hold(struct world *w, struct world_hold *h)
{
	CLEANUP_LOG struct oplog *log = op_new_log(w);
	struct beginning b = { w, h };
	const struct oplog_state *s;
	bool changed;
	struct err err;

	h->is_in_force = true;
	h->n_versions = w->model.n;
	h->versions = xcalloc(w->model.n + 1, sizeof(*h->versions));
	if (oplog_read(log, w->exact, &changed, &err)) {
		world_fail(w, "the log: %s", err.msg);
		return;
	}
	s = oplog_state(log);
	for (size_t i = 0; i < oplog_state_n_counting(s); i++)
		cover(&b, oplog_state_counting(s, i)->key);
	for (size_t i = 0; i < oplog_state_n_old(s); i++) {
		/* What lost made is a copy. */
		if (!oplog_state_old(s, i)->is_garbage)
			cover(&b, oplog_state_old(s, i)->key);
	}
}

void holds_begin(struct world *w)
{
	for (size_t i = 0; i < WORLD_HOLDS && !w->has_failed; i++) {
		struct world_hold *h = w->holds[i];

		if (h && !h->is_in_force &&
		    memory_now(w->memory) - h->acked >
			    (w->has_lag ? WORLD_LAG : 0))
			begin_hold(w, h);
	}
}

/* --- going ---------------------------------------------------------------- */

/* version_fn */
static void forget_version(void *arg, size_t i)
{
	struct world_hold *h = arg;

	if (i < h->n_versions)
		h->versions[i] = false;
}

struct seeing {
	struct world *w;
	struct world_hold *h;
};

/* memory_each_fn */
static void see_shard(void *arg, const char *key, const struct buf *b,
		      bool is_old)
{
	const struct seeing *s = arg;
	size_t len = strlen(key);

	(void)b;
	if (!is_old && len > 4 && !strcmp(key + len - 4, ".des"))
		each_version(s->w, key, forget_version, s->h);
}

static void check_hold(struct world *w, struct world_hold *h)
{
	struct seeing s = { w, h };

	for (size_t i = 0; i < h->n; i++) {
		if (!memory_has(w->memory, h->keys[i]))
			world_fail(w, "%s is gone, under a hold of scope %d",
				   h->keys[i], (int)h->scope);
	}
	if (h->scope != UID || !h->is_in_force)
		return;
	memory_each(w->memory, see_shard, &s);
	for (size_t i = 0; i < h->n_versions; i++) {
		if (h->versions[i])
			world_fail(w, "%s@%" PRId64 " is gone, under a hold",
				   h->uid, w->model.versions[i].created_at);
	}
}

static enum rc end_hold(struct world *w, struct store *st, size_t i,
			struct err *err)
{
	struct world_hold *h = w->holds[i];
	enum store_gone gone;
	int64_t until;
	enum rc rc;

	check_hold(w, h);
	h->is_busy = true;
	rc = store_purge(st, h->key, &gone, &until, err);
	h->is_busy = false;
	/* It may be gone in spite of that. */
	h->acked = INT64_MAX / 2;
	h->is_in_force = false;
	while (h->n)
		free(h->keys[--h->n]);
	if (rc)
		return rc;
	hold_free(h);
	w->holds[i] = NULL;
	return RC_OK;
}

void holds_end(struct world *w)
{
	struct err err;

	for (size_t i = 0; i < WORLD_HOLDS; i++) {
		if (w->holds[i] && end_hold(w, w->exact, i, &err))
			world_fail(w, "hold: %s", err.msg);
	}
}

/* --- putting -------------------------------------------------------------- */

static void write_text(const struct world_hold *h, char *ret, size_t size)
{
	char scope[160] = "";

	switch (h->scope) {
	case ALL: snprintf(scope, sizeof(scope), "\"scope\":\"all\""); break;
	case DAY:
		snprintf(scope, sizeof(scope),
			 "\"day\":%" PRIu32 ",\"scope\":\"day\"", h->day);
		break;
	case SHARD:
		snprintf(scope, sizeof(scope),
			 "\"scope\":\"shard\",\"shard\":\"%s\"", h->shard);
		break;
	case UID:
		snprintf(scope, sizeof(scope),
			 "\"scope\":\"uid\",\"uid\":\"%s\"", h->uid);
		break;
	case UNKNOWN:
	case SCOPES:
		snprintf(scope, sizeof(scope), "\"scope\":\"whim\"");
		break;
	}
	snprintf(ret, size,
		 "{\"kind\":\"hold\",\"matter\":\"m\",%s,\"version\":1}",
		 scope);
}

/* A shard that counts, as the log of the rules has it. */
static bool choose_shard(struct world *w, uint32_t any, struct world_hold *h)
{
	const struct oplog_state *s = w->rules ? oplog_state(w->rules) : NULL;
	size_t n = s ? oplog_state_n_counting(s) : 0;

	if (!n)
		return false;
	snprintf(h->shard, sizeof(h->shard), "%s",
		 oplog_state_counting(s, any % n)->key);
	h->day = (uint32_t)strtoul(h->shard, NULL, 10);
	return true;
}

static enum rc put_hold(struct world *w, struct store *st, const struct op *op,
			size_t i, struct err *err)
{
	struct world_hold *h = xcalloc(1, sizeof(*h));
	const struct model *m = &w->model;
	bool existed;
	char text[256];
	enum rc rc;

	h->scope = (enum scope)(op->b % SCOPES);
	snprintf(h->key, sizeof(h->key), "holds/%u", w->n_holds++);
	if (m->n)
		snprintf(h->uid, sizeof(h->uid), "%s",
			 m->versions[op->c % m->n].uid);
	if ((h->scope == DAY || h->scope == SHARD) &&
	    !choose_shard(w, op->c, h))
		h->scope = ALL;
	if (h->scope == UID && !m->n)
		h->scope = ALL;
	write_text(h, text, sizeof(text));
	w->holds[i] = h;
	/* Whether it is there nobody knows, if that fails. */
	h->acked = INT64_MAX / 2;
	h->is_busy = true;
	rc = store_put(st, h->key, text, strlen(text), &existed, err);
	h->is_busy = false;
	if (!rc)
		h->acked = memory_now(w->memory);
	return rc;
}

enum rc op_hold(struct world *w, struct store *st, const struct op *op,
		struct err *err)
{
	size_t i = op->a % WORLD_HOLDS;

	if (w->holds[i] && w->holds[i]->is_busy)
		return RC_OK;
	return w->holds[i] ? end_hold(w, st, i, err)
			   : put_hold(w, st, op, i, err);
}
