/* SPDX-License-Identifier: Apache-2.0 */
/* world.c - one archive in memory, and who works on it. */
#include "config.h"

#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/sha256.h"
#include "base/workers.h"
#include "check.h"
#include "doubles.h"
#include "op-hold.h"
#include "ops.h"
#include "remember.h"
#include "shard/route.h"
#include "store/store-write.h"
#include "volume/oplog.h"
#include "volume/volume.h"

const char *const world_dirs[WORLD_DIRS] = { "", "a", "b/c" };

#define BEGIN_US (INT64_C(1795219200) * 1000000) /* 2026-11-21 */
#define BLOCK_CACHE (4u << 20)
#define LAG_PERCENT 30u

void world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->has_failed)
		return;
	w->has_failed = true;
	w->failure = fmt;
	va_start(ap, fmt);
	vsnprintf(w->why, sizeof(w->why), fmt, ap);
	va_end(ap);
}

static void put_descriptor(struct world *w)
{
	CLEANUP_BUF struct buf b = { .max = DESCRIPTOR_MAX };
	bool existed;
	struct err err;

	w->descriptor = (struct descriptor){ .format = 3,
					     .n_bits = 4,
					     .route = ROUTE_PARENT,
					     .created_at = BEGIN_US };
	descriptor_set_id(&w->descriptor);
	descriptor_encode(&w->descriptor, &b);
	if (store_put(w->exact, DESCRIPTOR_KEY, b.p, b.len, &existed, &err))
		world_fail(w, "%s", err.msg);
}

static void open_reader(struct world *w, struct volume **ret, struct store *st)
{
	struct volume_options o = { .store = st,
				    .block_cache = BLOCK_CACHE,
				    .index_cache = "" };
	struct err err;

	if (volume_open(ret, "", &o, &err))
		world_fail(w, "reader: %s", err.msg);
}

void world_open_reader(struct world *w)
{
	volume_close(w->reader);
	w->reader = NULL;
	w->reads[0].n = 0;
	open_reader(w, &w->reader, w->exact);
}

struct world *world_new(uint64_t seed)
{
	struct world *w = xcalloc(1, sizeof(*w));
	const struct op first = { .kind = 0, .b = 1 };
	uint64_t random = seed;
	bool keeps_versions;
	unsigned int n_places;
	struct err err;
	int64_t now;

	now = BEGIN_US +
	      (int64_t)(random_next(&random) % (86400 * UINT64_C(1000000)));
	keeps_versions = random_next(&random) % 4 == 0;
	n_places = 1 + random_next(&random) % 4 / 3;
	w->memory =
		memory_new(random_next(&random), now, keeps_versions, n_places);
	doubles_seed(random_next(&random));
	remember_clear();
	if (workers_start(&w->workers, "model", 1, 1, &err))
		abort();
	w->has_lag = random_next(&random) % 2;
	for (size_t i = 0; i < WORLD_ACTORS; i++) {
		if (random_next(&random) % 2)
			w->skew[i] = (int64_t)(random_next(&random) %
					       (2 * WORLD_SKEW)) -
				     WORLD_SKEW;
	}
	w->random = random_next(&random);
	w->exact = memory_open(w->memory, 0, 0, MEMORY_EXACT);
	w->lagging = memory_open(w->memory, 0, 0, MEMORY_READER);
	memory_show_clock(w->exact);
	put_descriptor(w);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	open_reader(w, &w->reader, w->exact);
	open_reader(w, &w->late_reader, w->lagging);
	/* Who cleans up refuses an archive without any shard. */
	world_step(w, &first, 1);
	if (w->has_lag)
		memory_lag(w->memory, WORLD_LAG, LAG_PERCENT);
	return w;
}

void world_free(struct world *w)
{
	volume_close(w->reader);
	volume_close(w->late_reader);
	store_close(w->exact);
	store_close(w->lagging);
	for (size_t i = 0; i < WORLD_ACTORS; i++)
		oplog_free(w->logs[i]);
	oplog_free(w->rules);
	free(w->reads[0].p);
	free(w->reads[1].p);
	workers_stop(w->workers);
	memory_free(w->memory);
	model_release(&w->model);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
	free(w);
}

/* memory_each_fn */
static void dump_object(void *arg, const char *key, const struct buf *b,
			bool is_old)
{
	(void)arg;
	printf("# %s%s, %zu bytes\n", key, is_old ? " (old)" : "", b->len);
	if (!strncmp(key, "log/", 4) || !strncmp(key, "tombstones/", 11))
		printf("#   %.*s\n", (int)b->len, (const char *)b->p);
}

void world_dump(const struct world *w)
{
	memory_each(w->memory, dump_object, NULL);
}

/* memory_each_fn */
static void trace_object(void *arg, const char *key, const struct buf *b,
			 bool is_old)
{
	sha256_update(arg, key, strlen(key) + 1);
	sha256_update(arg, &is_old, sizeof(is_old));
	if (b->len)
		sha256_update(arg, b->p, b->len);
}

void world_trace(const struct world *w)
{
	int64_t now = memory_now(w->memory);
	uint8_t hash[SHA256_LEN];
	char text[HEX_TEXT(SHA256_LEN)];
	struct sha256 h;

	sha256_init(&h);
	sha256_update(&h, &now, sizeof(now));
	memory_each(w->memory, trace_object, &h);
	sha256_final(&h, hash);
	hex_encode(hash, sizeof(hash), text);
	printf("# trace %s\n", text);
}

static struct intent *new_intent(struct world *w, unsigned int actor)
{
	struct intent *in = &w->intents[actor][w->n_intents[actor]++];

	if (w->n_intents[actor] > WORLD_INTENTS)
		abort();
	*in = (struct intent){ 0 };
	return in;
}

void world_intend_version(struct world *w, unsigned int actor,
			  const struct model_version *v)
{
	new_intent(w, actor)->version = *v;
}

void world_intend_erasure(struct world *w, unsigned int actor,
			  const struct model_erasure *e)
{
	struct intent *in = new_intent(w, actor);

	in->is_erasure = true;
	in->erasure = *e;
}

static void acknowledge(struct world *w, struct intent *in)
{
	if (in->is_erasure) {
		in->erasure.acked = memory_now(w->memory);
		model_erase(&w->model, &in->erasure);
	} else {
		in->version.acked = memory_now(w->memory);
		model_pack(&w->model, &in->version);
	}
}

static void wait_for_turn(struct world *w, unsigned int actor)
{
	while (w->turn != actor)
		pthread_cond_wait(&w->changed, &w->lock);
}

/* memory_gate_fn: whose request comes next is random. */
static void take_turn(void *arg, unsigned int actor)
{
	struct world *w = arg;

	LOCK_SCOPE(&w->lock);
	if (w->n_active < 2 || random_next(&w->turns) % 3)
		return;
	w->turn = 1 - actor;
	pthread_cond_broadcast(&w->changed);
	wait_for_turn(w, actor);
}

struct acting {
	struct world *w;
	const struct op *op;
};

static void begin_acting(struct world *w, unsigned int actor)
{
	LOCK_SCOPE(&w->lock);
	wait_for_turn(w, actor);
}

static void end_acting(struct world *w, unsigned int actor)
{
	LOCK_SCOPE(&w->lock);
	w->n_active--;
	w->turn = 1 - actor;
	pthread_cond_broadcast(&w->changed);
}

/* A process that does one thing and ends. */
static void act(struct world *w, const struct op *op)
{
	const struct op_kind *kind = &op_kinds[op->kind];
	struct store *st = memory_open(w->memory, op->actor, w->skew[op->actor],
				       MEMORY_ACTOR);
	struct err err = { 0 };
	enum rc rc;

	if (op->fault)
		memory_break(st, (enum memory_fault)(op->fault - 1),
			     op->fault_at);
	memory_show_clock(st);
	rc = kind->run(w, st, op, &err);
	/* Who is beside another, or does not see all, may give up. */
	if (rc && !memory_is_broken(st) && !w->is_pair && !w->has_lag)
		world_fail(w, "%s: %s", kind->name, err.msg);
	for (size_t i = 0; !rc && i < w->n_intents[op->actor]; i++)
		acknowledge(w, &w->intents[op->actor][i]);
	if (!rc)
		w->n_intents[op->actor] = 0;
	store_close(st);
}

static void act_main(const struct acting *a)
{
	begin_acting(a->w, a->op->actor);
	act(a->w, a->op);
	end_acting(a->w, a->op->actor);
}

/* The thread of who works beside another; it stays, as threads that come and go
 * take more time than what they do.
 */
static struct {
	pthread_t thread;
	bool is_there;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct acting *todo; /* NULL: nothing */
} beside = { .lock = PTHREAD_MUTEX_INITIALIZER,
	     .changed = PTHREAD_COND_INITIALIZER };

static void *beside_main(void *arg)
{
	(void)arg;
	LOCK_SCOPE(&beside.lock);
	for (;;) {
		while (!beside.todo)
			pthread_cond_wait(&beside.changed, &beside.lock);
		act_main(beside.todo);
		beside.todo = NULL;
		pthread_cond_broadcast(&beside.changed);
	}
	return NULL;
}

static void begin_beside(struct acting *a)
{
	LOCK_SCOPE(&beside.lock);
	if (!beside.is_there &&
	    (pthread_create(&beside.thread, NULL, beside_main, NULL) ||
	     pthread_detach(beside.thread)))
		abort();
	beside.is_there = true;
	beside.todo = a;
	pthread_cond_broadcast(&beside.changed);
}

static void await_beside(void)
{
	LOCK_SCOPE(&beside.lock);
	while (beside.todo)
		pthread_cond_wait(&beside.changed, &beside.lock);
}

static void act_together(struct world *w, const struct op *ops)
{
	struct acting first = { w, &ops[0] }, second = { w, &ops[1] };

	w->n_active = 2;
	w->turn = ops[0].actor;
	w->turns = ops[0].c * UINT64_C(65537) + ops[1].c;
	memory_gate(w->memory, take_turn, w);
	begin_beside(&second);
	act_main(&first);
	await_beside();
	memory_gate(w->memory, NULL, NULL);
}

/* What was not acknowledged has happened or not: the archive tells. */
static void settle(struct world *w, unsigned int actor)
{
	for (size_t i = 0; i < w->n_intents[actor]; i++) {
		struct intent *in = &w->intents[actor][i];

		if (in->is_erasure) {
			in->erasure.acked = MODEL_NEVER;
			model_erase(&w->model, &in->erasure);
		} else if (check_shows(w, &in->version)) {
			acknowledge(w, in);
		}
	}
	w->n_intents[actor] = 0;
}

void world_step(struct world *w, const struct op *ops, size_t n)
{
	w->is_pair = n == 2;
	if (n == 2)
		act_together(w, ops);
	else
		act(w, &ops[0]);
	memory_show_clock(w->exact);
	for (unsigned int i = 0; i < WORLD_ACTORS; i++)
		settle(w, i);
	holds_begin(w);
}
