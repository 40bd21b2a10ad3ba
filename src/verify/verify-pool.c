/* SPDX-License-Identifier: Apache-2.0 */
/* verify-pool.c - threads and memory for all shards that are being verified. */
#include "config.h"

#include "verify/verify-pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"

#define PIECE_MAX (4u << 20)
#define PIECE_MIN (512u << 10)

struct verify_pool {
	struct workers *workers;
	size_t max, piece; /* fixed */
	pthread_mutex_t lock;
	pthread_cond_t given;
	size_t taken; /* guarded by lock */
};

enum rc verify_pool_new(unsigned int n_threads, size_t max,
			struct verify_pool **ret, struct err *err)
{
	struct verify_pool *p = xcalloc(1, sizeof(*p));

	p->max = max;
	/* One that is worked on and one that waits, each. */
	p->piece = max / 2 / n_threads;
	if (p->piece > PIECE_MAX)
		p->piece = PIECE_MAX;
	if (p->piece < PIECE_MIN)
		p->piece = PIECE_MIN;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->given, NULL);
	if (workers_start(&p->workers, "verify-data", n_threads,
			  (size_t)n_threads * 2, err)) {
		verify_pool_free(p);
		return err->rc;
	}
	*ret = p;
	return RC_OK;
}

void verify_pool_free(struct verify_pool *p)
{
	if (!p)
		return;
	workers_stop(p->workers);
	pthread_cond_destroy(&p->given);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

struct workers *verify_pool_workers(struct verify_pool *p)
{
	return p->workers;
}

size_t verify_pool_piece(const struct verify_pool *p)
{
	return p->piece;
}

bool verify_pool_take(struct verify_pool *p, size_t n, bool may_wait)
{
	LOCK_SCOPE(&p->lock);

	while (p->taken && (n > p->max || p->taken > p->max - n)) {
		if (!may_wait)
			return false;
		pthread_cond_wait(&p->given, &p->lock);
	}
	p->taken += n;
	return true;
}

void verify_pool_give(struct verify_pool *p, size_t n)
{
	LOCK_SCOPE(&p->lock);

	p->taken -= n;
	pthread_cond_broadcast(&p->given);
}
