/* SPDX-License-Identifier: Apache-2.0 */
/* volume-ahead.c - threads that load blocks before they are asked for. */
#include "config.h"

#include "volume/volume-ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/workers.h"
#include "shard/shard-block.h"
#include "volume/ledger.h"
#include "volume/volume-state.h"
#include "volume/walk.h"

#define THREADS_MAX 8u
#define NICE 5
#define QUEUE_CAP 128u
#define URGENT_CAP 8u /* older ones were read by now */
/* Entries looked at for the next block: a walk may pass many directories, but a
 * guess must not read the whole index.
 */
#define ENTRIES_MAX 1024u
/* Of the block cache a stream may fill so much ahead, in its parts. */
#define CACHE_SHARE 16u
#define BLOCK_SIZE (UINT64_C(128) << 10)

enum kind { KIND_FILE, KIND_DIR, KIND_LOOKUP, KINDS };

/* FILE: block first of the entry; LOOKUP: that too.  DIR: n blocks of the
 * entries that follow, but for those at places.
 */
struct guess {
	enum kind kind;
	uint32_t shard;
	uint64_t ordinal;
	uint32_t first, n;
	uint64_t places[WALK_PLACES];
};

/* Blocks that a walk has or will have soon. */
struct places {
	uint64_t off[WALK_PLACES + WALK_DIR_MAX];
	unsigned int n;
};

/* A ring. */
struct ring {
	struct guess *jobs;
	unsigned int cap, first, n;
};

struct volume_ahead {
	struct volume *v;

	pthread_mutex_t lock; /* guards these; held for moments */
	struct walk walk;
	struct ledger blocks[KINDS]; /* loaded ahead and not read yet */
	struct ledger names;         /* looked up and not read yet */
	uint64_t n_blocks;

	/* Lock order: lock, then queue_lock. */
	pthread_mutex_t queue_lock; /* guards these */
	pthread_cond_t filled;
	struct ring urgent, rest;
	bool is_stopping, is_started;
	unsigned int n_idle, n_threads;
	pthread_t threads[THREADS_MAX];
};

/* --- the queue --------------------------------------------------------- */

static void ring_init(struct ring *r, unsigned int cap)
{
	*r = (struct ring){ .jobs = xcalloc(cap, sizeof(*r->jobs)),
			    .cap = cap };
}

/* The oldest goes when it is full: nobody waits for it any more. */
static void ring_push(struct ring *r, const struct guess *job)
{
	if (r->n == r->cap) {
		r->first = (r->first + 1) % r->cap;
		r->n--;
	}
	r->jobs[(r->first + r->n++) % r->cap] = *job;
}

static bool ring_pop(struct ring *r, struct guess *ret)
{
	if (!r->n)
		return false;
	*ret = r->jobs[r->first];
	r->first = (r->first + 1) % r->cap;
	r->n--;
	return true;
}

static bool next_job(struct volume_ahead *a, struct guess *ret)
{
	LOCK_SCOPE(&a->queue_lock);

	while (!a->is_stopping && !ring_pop(&a->urgent, ret) &&
	       !ring_pop(&a->rest, ret)) {
		a->n_idle++;
		pthread_cond_wait(&a->filled, &a->queue_lock);
		a->n_idle--;
	}
	return !a->is_stopping;
}

static void run_job(struct volume_ahead *a, const struct guess *job);

static void *ahead_main(void *arg)
{
	struct volume_ahead *a = arg;
	struct guess job;

	/* Of this thread alone, as Linux has it; its refusal hurts nobody. */
	(void)!setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	while (next_job(a, &job))
		run_job(a, &job);
	return NULL;
}

/* With the queue's lock held.  Without threads nothing is loaded ahead. */
static void start_threads(struct volume_ahead *a)
{
	unsigned int n = workers_n_cpus() / 2;
	sigset_t all, old;

	a->is_started = true;
	if (n > THREADS_MAX)
		n = THREADS_MAX;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	do {
		pthread_t *t = &a->threads[a->n_threads];
		char name[16];

		if (pthread_create(t, NULL, ahead_main, a))
			break;
		snprintf(name, sizeof(name), "vol-ahead-%u", a->n_threads);
		pthread_setname_np(*t, name);
	} while (++a->n_threads < n);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void push(struct volume_ahead *a, const struct guess *job)
{
	LOCK_SCOPE(&a->queue_lock);

	if (!a->is_started)
		start_threads(a);
	if (!a->n_threads)
		return;
	ring_push(job->kind == KIND_LOOKUP ? &a->urgent : &a->rest, job);
	if (a->n_idle)
		pthread_cond_signal(&a->filled);
}

/* --- loading ----------------------------------------------------------- */

static bool is_stopping(struct volume_ahead *a)
{
	LOCK_SCOPE(&a->queue_lock);
	return a->is_stopping;
}

/* A block by its file, or by where it lies, as several files may share it. */
static uint64_t number_of(const struct volume_entry *ve, uint32_t i)
{
	const struct content *c = &ve->e.content;

	if (c->blocks)
		return ledger_number(ve->node.shard, c->blocks[i].off);
	return ledger_number(ve->node.shard | UINT64_C(1) << 32,
			     ledger_number(ve->node.ordinal, i));
}

struct noted {
	struct volume_ahead *a;
	enum kind kind;
	uint64_t number;
	bool is_loaded; /* by this thread */
};

/* Before it is loaded, as a reader may come meanwhile. */
static void note(void *arg, bool is_loading)
{
	struct noted *g = arg;
	struct ledger *l = &g->a->blocks[g->kind];
	LOCK_SCOPE(&g->a->lock);

	g->is_loaded = is_loading;
	if (is_loading) {
		g->a->n_blocks++;
		ledger_add(l, g->number);
	} else if (ledger_forget(l, g->number)) {
		g->a->n_blocks--;
	}
}

/* Errors are for the reader to meet, if there is one. */
static void load(struct volume_ahead *a, const struct guess *job,
		 const struct volume_entry *ve, uint32_t i)
{
	struct noted g = { .a = a,
			   .kind = job->kind,
			   .number = number_of(ve, i) };
	struct err err;

	(void)!volume_load_block(a->v, ve, i, note, &g, &err);
	/* The reader was faster: waking this thread was in vain. */
	if (job->kind == KIND_LOOKUP && !g.is_loaded) {
		LOCK_SCOPE(&a->lock);
		ledger_fail(&a->blocks[KIND_LOOKUP]);
	}
}

/* False when it was added before. */
static bool add_place(struct places *p, uint64_t off)
{
	for (unsigned int i = 0; i < p->n; i++) {
		if (p->off[i] == off)
			return false;
	}
	p->off[p->n++] = off;
	return true;
}

/* Load what of the entry is wanted; returns how many blocks that are. */
static uint32_t load_entry(struct volume_ahead *a, const struct guess *job,
			   const struct volume_entry *ve, struct places *places,
			   uint32_t want)
{
	const struct content *c = &ve->e.content;
	uint32_t n = 0;

	if (ve->e.type != ENTRY_REG || !c->n_blocks)
		return 0;
	if (!c->blocks) {
		load(a, job, ve, 0);
		return want; /* what follows is far away */
	}
	for (uint32_t i = 0; i < c->n_blocks && n < want; i++) {
		if (block_is_hole(&c->blocks[i]) ||
		    !add_place(places, c->blocks[i].off))
			continue;
		n++;
		load(a, job, ve, i);
	}
	return n;
}

static void run_dir(struct volume_ahead *a, const struct guess *job,
		    struct shard_cursor *c)
{
	struct places places = { .n = WALK_PLACES };
	uint32_t n = 0;
	struct err err;

	memcpy(places.off, job->places, sizeof(job->places));
	for (unsigned int i = 0; i < ENTRIES_MAX && n < job->n; i++) {
		struct volume_entry ve;

		if (shard_cursor_next(c, &err) || c->at_end || is_stopping(a))
			return;
		volume_entry_init(&ve, c, false);
		n += load_entry(a, job, &ve, &places, job->n - n);
		volume_entry_release(&ve);
	}
}

static void run_job(struct volume_ahead *a, const struct guess *job)
{
	const struct shard_file *sf = shard_set_get(a->v->set, job->shard);
	CLEANUP_CURSOR struct shard_cursor c = { 0 };
	struct volume_entry ve;
	struct err err;

	if (!sf || shard_cursor_open(&c, &a->v->env, sf, &err) ||
	    shard_cursor_goto(&c, job->ordinal, &err) || c.at_end)
		return;
	if (job->kind == KIND_DIR) {
		run_dir(a, job, &c);
		return;
	}
	volume_entry_init(&ve, &c, false);
	if (c.e.type == ENTRY_REG && job->first < c.e.content.n_blocks)
		load(a, job, &ve, job->first);
	volume_entry_release(&ve);
}

/* --- what readers tell ------------------------------------------------- */

static uint64_t place_of(const struct content *c)
{
	return c->blocks ? c->blocks[c->n_blocks - 1].off : 0;
}

static struct walk_next decide(struct volume_ahead *a,
			       const struct walk_read *r)
{
	struct walk_next next;
	LOCK_SCOPE(&a->lock);

	next = walk_step(&a->walk, r);
	if (next.n && !ledger_may(&a->blocks[KIND_FILE]))
		next.n = 0;
	if (next.n_blocks && !ledger_may(&a->blocks[KIND_DIR]))
		next.n_blocks = 0;
	return next;
}

void volume_ahead_read(struct volume_ahead *a, const struct volume_entry *ve,
		       uint32_t first, uint32_t n)
{
	const struct content *c = &ve->e.content;
	struct walk_read r = {
		.shard = ve->node.shard,
		.ordinal = ve->node.ordinal,
		.first = first,
		.n = n,
		.n_blocks = c->n_blocks,
	};
	struct walk_next next;
	struct guess job;

	if (!a || !c->n_blocks)
		return;
	r.place = place_of(c);
	next = decide(a, &r);
	job = (struct guess){ .shard = r.shard, .ordinal = r.ordinal };
	job.kind = KIND_FILE;
	for (uint32_t i = 0; i < next.n; i++) {
		job.first = next.first + i;
		push(a, &job);
	}
	if (!next.n_blocks)
		return;
	job.kind = KIND_DIR;
	job.n = next.n_blocks;
	memcpy(job.places, next.places, sizeof(job.places));
	push(a, &job);
}

/* Once they are read, so that none is loaded ahead after that. */
void volume_ahead_done(struct volume_ahead *a, const struct volume_entry *ve,
		       uint32_t first, uint32_t n)
{
	bool is_open = false;

	if (!a || !n)
		return;
	LOCK_SCOPE(&a->lock);
	for (unsigned int k = 0; k < KINDS; k++)
		is_open |= a->blocks[k].n_open;
	for (uint32_t i = first; is_open && i < first + n; i++) {
		uint64_t number = number_of(ve, i);

		for (unsigned int k = 0; k < KINDS; k++)
			ledger_happened(&a->blocks[k], number);
	}
	if (!first)
		ledger_happened(&a->names, ledger_number(ve->node.shard,
							 ve->node.ordinal));
}

void volume_expect_read(struct volume *v, const struct volume_entry *ve)
{
	const struct content *c = &ve->e.content;
	struct volume_ahead *a = v->ahead;
	struct guess job = { .kind = KIND_LOOKUP };
	bool may;

	if (!a || ve->e.type != ENTRY_REG || c->n_blocks != 1 || !c->blocks)
		return;
	job.shard = ve->node.shard;
	job.ordinal = ve->node.ordinal;
	pthread_mutex_lock(&a->lock);
	ledger_add(&a->names, ledger_number(job.shard, job.ordinal));
	may = !a->names.is_given_up && ledger_may(&a->blocks[KIND_LOOKUP]);
	pthread_mutex_unlock(&a->lock);
	if (may && !shard_env_has_block(&v->env, job.shard, &c->blocks[0]))
		push(a, &job);
}

void volume_ahead_count(struct volume_ahead *a, struct volume_stats *ret)
{
	if (!a)
		return;
	LOCK_SCOPE(&a->lock);
	ret->ahead_blocks = a->n_blocks;
	for (unsigned int k = 0; k < KINDS; k++) {
		ret->ahead_used += a->blocks[k].n_true;
		ret->ahead_wasted += a->blocks[k].n_false;
	}
}

/* --- begin and end ------------------------------------------------------ */

struct volume_ahead *volume_ahead_new(struct volume *v, uint64_t max_bytes)
{
	struct volume_ahead *a = xcalloc(1, sizeof(*a));
	uint64_t max = max_bytes / CACHE_SHARE / BLOCK_SIZE;

	a->v = v;
	pthread_mutex_init(&a->lock, NULL);
	pthread_mutex_init(&a->queue_lock, NULL);
	pthread_cond_init(&a->filled, NULL);
	a->walk.max = max < WALK_FILE_MAX ? (uint32_t)max : WALK_FILE_MAX;
	ledger_init(&a->blocks[KIND_FILE], 128, 4, false);
	ledger_init(&a->blocks[KIND_DIR], 128, 4, false);
	/* What comes too late is lost, so most must be in time. */
	ledger_init(&a->blocks[KIND_LOOKUP], 32, 12, true);
	ledger_init(&a->names, 16, 8, true);
	ring_init(&a->urgent, URGENT_CAP);
	ring_init(&a->rest, QUEUE_CAP);
	return a;
}

void volume_ahead_free(struct volume_ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->queue_lock);
	a->is_stopping = true;
	pthread_cond_broadcast(&a->filled);
	pthread_mutex_unlock(&a->queue_lock);
	while (a->n_threads)
		pthread_join(a->threads[--a->n_threads], NULL);
	free(a->urgent.jobs);
	free(a->rest.jobs);
	pthread_cond_destroy(&a->filled);
	pthread_mutex_destroy(&a->queue_lock);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
