/* SPDX-License-Identifier: Apache-2.0 */
/* ahead.c - asks the kernel for the files of a plan before they are read. */
#include "config.h"

#include "pack/ahead.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/workers.h"
#include "pack/plan.h"
#include "pack/tree.h"

#define FILES_AHEAD 64u        /* of the one that is read */
#define BYTES_AHEAD (1u << 20) /* of each */
#define TELL_EVERY 8u          /* items the reader goes on unseen */
#define SAMPLE_EVERY 4u        /* files of which one is timed */
#define CACHED_RUN FILES_AHEAD /* files in memory, until the thread pauses */
#define HEAT_MAX 3u            /* slow reads, until it begins */

/* What memory takes for a read at most: a call, and a byte a nanosecond. */
#define QUICK_NS 40000

struct ahead {
	const struct sources *sources;
	const struct plan *plan;

	/* Of the thread that reads. */
	uint64_t n_items;
	unsigned int heat;
	struct workers *thread; /* NULL: not needed so far */

	atomic_bool is_active; /* else it pauses */
	pthread_mutex_t lock;  /* guards all below */
	pthread_cond_t changed;
	uint64_t at; /* n_items, as told last */
	uint64_t n_told;
	bool is_stopping, is_idle;
};

struct ahead *ahead_new(const struct sources *s, const struct plan *p)
{
	struct ahead *a = xcalloc(1, sizeof(*a));

	a->sources = s;
	a->plan = p;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	return a;
}

void ahead_free(struct ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->is_stopping = true;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
	workers_stop(a->thread);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/* --- the thread -------------------------------------------------------------
 */

/* Wait until the item pos, from 0, is to be looked at.  False: never. */
static bool may_go_to(struct ahead *a, uint64_t pos)
{
	LOCK_SCOPE(&a->lock);

	a->is_idle = true;
	pthread_cond_broadcast(&a->changed);
	while (!a->is_stopping &&
	       (!atomic_load(&a->is_active) || pos >= a->at + FILES_AHEAD))
		pthread_cond_wait(&a->changed, &a->lock);
	a->is_idle = a->is_stopping;
	return !a->is_stopping;
}

/* Has the reader been at the item pos? */
static bool is_behind(struct ahead *a, uint64_t pos)
{
	LOCK_SCOPE(&a->lock);

	return pos < a->at;
}

static bool is_in_memory(int fd)
{
	char byte;
	struct iovec v = { .iov_base = &byte, .iov_len = 1 };

	return preadv2(fd, &v, 1, 0, RWF_NOWAIT) == 1;
}

/* True when it is in memory already. */
static bool tell(struct ahead *a, struct tree *tree, const struct item *it)
{
	CLEANUP_FD int fd = -1;
	struct err err;
	bool is_cached;

	/* What is wrong with it finds who reads it. */
	if (tree_open_early(tree, it, &fd, &err))
		return false;
	is_cached = is_in_memory(fd);
	if (!is_cached)
		(void)posix_fadvise(fd, 0, BYTES_AHEAD, POSIX_FADV_WILLNEED);
	pthread_mutex_lock(&a->lock);
	a->n_told++;
	pthread_mutex_unlock(&a->lock);
	return is_cached;
}

static void go_ahead(struct ahead *a, struct plan_reader *r, struct tree *tree)
{
	unsigned int n_cached = 0;
	struct plan_place place;
	struct item it;
	struct err err;

	for (uint64_t pos = 0; may_go_to(a, pos); pos++) {
		if (plan_reader_next(r, &place, &it, &err))
			return;
		if (it.type != ENTRY_REG || !it.size || is_behind(a, pos))
			continue;
		n_cached = tell(a, tree, &it) ? n_cached + 1 : 0;
		if (n_cached == CACHED_RUN) {
			n_cached = 0;
			atomic_store(&a->is_active, false);
		}
	}
}

static void ahead_main(void *arg)
{
	struct ahead *a = arg;
	struct tree *tree = tree_new(a->sources);
	struct plan_reader *r = NULL;
	struct err err;

	if (!plan_reader_new(a->plan, &r, &err))
		go_ahead(a, r, tree);
	plan_reader_free(r);
	tree_free(tree);
	atomic_store(&a->is_active, false);
	pthread_mutex_lock(&a->lock);
	a->is_stopping = a->is_idle = true;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

/* --- the reader -------------------------------------------------------------
 */

static void tell_place(struct ahead *a)
{
	LOCK_SCOPE(&a->lock);

	a->at = a->n_items;
	a->is_idle = a->is_stopping;
	pthread_cond_broadcast(&a->changed);
}

/* Without a thread it goes on as before. */
static void activate(struct ahead *a)
{
	struct err err;

	atomic_store(&a->is_active, true);
	tell_place(a);
	if (!a->thread && !workers_start(&a->thread, "ahead", 1, 1, &err))
		workers_submit(a->thread, ahead_main, a);
}

void ahead_step(struct ahead *a)
{
	if (!a)
		return;
	a->n_items++;
	if (a->n_items % TELL_EVERY == 0 && atomic_load(&a->is_active))
		tell_place(a);
}

int64_t ahead_begin(const struct ahead *a)
{
	return !a || a->n_items % SAMPLE_EVERY ? -1 : (int64_t)clock_mono_ns();
}

void ahead_end(struct ahead *a, int64_t since, size_t len)
{
	if (since >= 0)
		ahead_took(a, (int64_t)clock_mono_ns() - since, len);
}

void ahead_took(struct ahead *a, int64_t ns, size_t len)
{
	if (ns <= QUICK_NS + (int64_t)len) {
		a->heat -= a->heat > 0;
		return;
	}
	if (++a->heat < HEAT_MAX)
		return;
	a->heat = 0;
	if (!atomic_load(&a->is_active))
		activate(a);
}

uint64_t ahead_told(struct ahead *a)
{
	LOCK_SCOPE(&a->lock);

	while (a->thread && !a->is_idle)
		pthread_cond_wait(&a->changed, &a->lock);
	return a->n_told;
}
