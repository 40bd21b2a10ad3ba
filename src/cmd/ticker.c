/* SPDX-License-Identifier: Apache-2.0 */
/* ticker.c - progress told by a thread of its own, while another works. */
#include "config.h"

#include "cmd/ticker.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"
#include "base/workers.h"

#define TICK_NS (200 * CLOCK_NS_PER_MS)

struct ticker {
	struct workers *thread;
	struct progress *progress;
	ticker_fn *fn;
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool is_over; /* guarded by lock */
};

static void tick(void *arg)
{
	struct ticker *t = arg;
	struct progress_counters c;

	pthread_mutex_lock(&t->lock);
	while (!t->is_over) {
		pthread_mutex_unlock(&t->lock);
		t->fn(t->arg, &c);
		progress_update(t->progress, &c);
		pthread_mutex_lock(&t->lock);
		if (!t->is_over)
			cond_wait_for(&t->cond, &t->lock, TICK_NS);
	}
	pthread_mutex_unlock(&t->lock);
}

struct ticker *ticker_new(enum progress_mode mode, ticker_fn *fn, void *arg)
{
	struct ticker *t = xcalloc(1, sizeof(*t));
	struct err err;

	t->fn = fn;
	t->arg = arg;
	pthread_mutex_init(&t->lock, NULL);
	cond_init(&t->cond);
	if (workers_start(&t->thread, "progress", 1, 1, &err)) {
		free(t);
		return NULL;
	}
	t->progress = progress_new(mode, STDERR_FILENO);
	workers_submit(t->thread, tick, t);
	return t;
}

void ticker_free(struct ticker *t)
{
	struct progress_counters c;

	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->is_over = true;
	pthread_cond_signal(&t->cond);
	pthread_mutex_unlock(&t->lock);
	workers_stop(t->thread);
	t->fn(t->arg, &c);
	progress_end(t->progress, &c);
	progress_free(t->progress);
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->cond);
	free(t);
}
