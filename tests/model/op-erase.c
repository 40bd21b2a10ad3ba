/* SPDX-License-Identifier: Apache-2.0 */
/* op-erase.c - deletions are asked for, and taken back. */
#include "config.h"

#include "op-erase.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "op-log.h"
#include "repack/tombstone-add.h"
#include "repack/tombstone-aggregate.h"
#include "repack/tombstone-remove.h"

#define NAMES_MAX 3u

struct erasing {
	struct world *w;
	unsigned int actor;
	struct model_erasure taken[WORLD_INTENTS];
	size_t n;
};

/* A uid or a version that was packed once. */
static const struct model_version *choose(const struct world *w,
					  uint64_t *random)
{
	const struct model *m = &w->model;

	return m->n ? &m->versions[random_next(random) % m->n] : NULL;
}

static void copy_uid(struct model_erasure *e, struct span uid)
{
	snprintf(e->uid, sizeof(e->uid), "%.*s", (int)uid.len, uid.p);
}

/* tombstone_note_fn: what is asked for in the end. */
static void note(void *arg, const struct tombstone_note *n)
{
	struct erasing *x = arg;
	struct model_erasure *e = &x->taken[x->n];

	if (n->kind != TOMBSTONE_TAKEN || x->n == WORLD_INTENTS)
		return;
	*e = (struct model_erasure){ .is_until = n->is_all, .time = n->time };
	copy_uid(e, n->uid);
	x->n++;
}

/* Before it is known what of it comes to pass: all that may. */
static void intend(struct erasing *x, const struct tombstone_name *name)
{
	struct model_erasure e = { .is_until = !name->has_time,
				   .time = name->has_time ? name->time.to
							  : MODEL_ALWAYS };

	copy_uid(&e, name->uid);
	world_intend_erasure(x->w, x->actor, &e);
}

static enum rc add_names(struct erasing *x, struct tombstone_add *a,
			 const struct op *op, struct err *err)
{
	uint64_t random = (uint64_t)op->a << 32 | op->b;
	size_t n = 1 + random_next(&random) % NAMES_MAX;
	enum rc rc = RC_OK;

	for (size_t i = 0; !rc && i < n; i++) {
		const struct model_version *v = choose(x->w, &random);
		struct tombstone_name name = { .uid = { NULL, 0 } };
		char uid[MODEL_UID_MAX];

		if (!v)
			return RC_OK;
		/* The other actor may add to the model meanwhile. */
		snprintf(uid, sizeof(uid), "%s", v->uid);
		name.uid = span_of(uid, strlen(uid));
		name.has_time = random_next(&random) % 3 == 0;
		name.time.from = name.time.to = v->created_at;
		intend(x, &name);
		rc = tombstone_add_name(a, &name, false, err);
	}
	return rc;
}

/* A directory and all below it. */
static enum rc add_dir(struct erasing *x, struct tombstone_add *a,
		       const struct op *op, struct err *err)
{
	const struct model *m = &x->w->model;
	const char *dir = world_dirs[1 + op->a % (WORLD_DIRS - 1)];
	struct tombstone_name name = { .uid = span_of(dir, strlen(dir)) };

	for (size_t i = 0; i < m->n; i++) {
		const char *uid = m->versions[i].uid;
		struct tombstone_name below = { .uid = span_of(uid,
							       strlen(uid)) };

		if (!strncmp(uid, dir, strlen(dir)) &&
		    uid[strlen(dir)] == '/' &&
		    x->w->n_intents[x->actor] < WORLD_INTENTS)
			intend(x, &below);
	}
	return tombstone_add_name(a, &name, true, err);
}

static enum rc add(struct erasing *x, struct store *st, struct oplog *log,
		   const struct op *op, bool is_dir, struct err *err)
{
	const struct tombstone_add_options o = { .spool = "/tmp",
						 .force = op->c % 4 == 0,
						 .no_copies = op->c % 3,
						 .fn = note,
						 .arg = x };
	struct tombstone_added added = { 0 };
	struct tombstone_add *a = NULL;
	enum rc rc;

	rc = tombstone_add_new(&a, st, log, x->w->descriptor.archive_id, &o,
			       err);
	if (!rc)
		rc = is_dir ? add_dir(x, a, op, err) : add_names(x, a, op, err);
	if (!rc && x->w->n_intents[x->actor])
		rc = tombstone_add_run(a, &added, err);
	/* Up to now at least. */
	for (size_t i = 0; !rc && i < x->n; i++) {
		if (x->taken[i].is_until && x->taken[i].time < added.time)
			x->taken[i].time = added.time;
	}
	tombstone_added_release(&added);
	tombstone_add_free(a);
	return rc;
}

static enum rc erase(struct world *w, struct store *st, const struct op *op,
		     bool is_dir, struct err *err)
{
	struct oplog *log = op_take_log(w, op);
	struct erasing x = { .w = w, .actor = op->actor };
	enum rc rc =
		op_return_log(w, op, log, add(&x, st, log, op, is_dir, err));

	/* Names that are not there or are deleted already: nothing was done. */
	if (rc == RC_NOENT || rc == RC_USAGE) {
		w->n_intents[op->actor] = 0;
		return RC_OK;
	}
	if (rc)
		return rc;
	w->n_intents[op->actor] = 0;
	for (size_t i = 0; i < x.n; i++)
		world_intend_erasure(w, op->actor, &x.taken[i]);
	return RC_OK;
}

enum rc op_erase(struct world *w, struct store *st, const struct op *op,
		 struct err *err)
{
	return erase(w, st, op, false, err);
}

enum rc op_erase_dir(struct world *w, struct store *st, const struct op *op,
		     struct err *err)
{
	return erase(w, st, op, true, err);
}

enum rc op_withdraw(struct world *w, struct store *st, const struct op *op,
		    struct err *err)
{
	const struct model *m = &w->model;
	struct tombstone_removed removed = { 0 };
	struct oplog *log;
	char text[MODEL_UID_MAX];
	const char *uid = text;
	enum rc rc;

	if (!m->n_erasures)
		return RC_OK;
	/* The other actor may add to the model meanwhile. */
	snprintf(text, sizeof(text), "%s",
		 m->erasures[op->a % m->n_erasures].uid);
	log = op_take_log(w, op);
	rc = tombstone_remove(st, log, w->descriptor.archive_id, &uid, 1, false,
			      NULL, NULL, &removed, err);
	(void)op_return_log(w, op, log, rc);
	/* Nothing is open, or it is too late for some, or may be. */
	if (rc == RC_CHANGED || rc == RC_PARTIAL)
		model_doubt(&w->model, uid);
	if (rc == RC_NOENT || rc == RC_CHANGED || rc == RC_PARTIAL)
		return RC_OK;
	/* A repack that nobody sees yet may have left out what is deleted. */
	if (rc || w->has_lag || w->is_pair)
		model_doubt(&w->model, uid);
	else if (removed.names)
		model_withdraw(&w->model, uid, memory_now(w->memory));
	return rc;
}

static bool is_doubted(const struct model *m, const struct model_version *v)
{
	for (size_t i = 0; i < m->n_erasures; i++) {
		if (m->erasures[i].acked == MODEL_NEVER &&
		    !strcmp(m->erasures[i].uid, v->uid))
			return model_ask(m, v, MODEL_ALWAYS) == MODEL_EITHER;
	}
	return false;
}

enum rc op_erase_doubted(struct world *w, struct store *st, struct oplog *log,
			 struct err *err)
{
	static const struct tombstone_add_options o = { .spool = "/tmp",
							.force = true,
							.no_copies = true };
	const struct model *m = &w->model;
	struct tombstone_added added = { 0 };
	struct tombstone_add *a = NULL;
	enum rc rc;

	rc = tombstone_add_new(&a, st, log, w->descriptor.archive_id, &o, err);
	for (size_t i = 0; !rc && i < m->n; i++) {
		const struct model_version *v = &m->versions[i];
		const struct tombstone_name name = {
			.uid = span_of(v->uid, strlen(v->uid)),
			.has_time = true,
			.time = { v->created_at, v->created_at },
		};

		if (is_doubted(m, v))
			rc = tombstone_add_name(a, &name, false, err);
	}
	if (!rc)
		rc = tombstone_add_run(a, &added, err);
	tombstone_added_release(&added);
	tombstone_add_free(a);
	return rc;
}

enum rc op_aggregate(struct world *w, struct store *st, const struct op *op,
		     struct err *err)
{
	struct oplog *log = op_take_log(w, op);
	struct tombstone_aggregated totals;

	return op_return_log(w, op, log,
			     tombstone_aggregate(st, log,
						 w->descriptor.archive_id, 0,
						 &totals, err));
}
