/* SPDX-License-Identifier: Apache-2.0 */
/* doubles.c - in the place of threads, chance, and mappings. */
#include "config.h"

#include "doubles.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/unique.h"
#include "base/workers.h"
#include "cache/block-pool.h"

/* Who runs beside others takes turns, so the order is the same each time. */
static _Atomic uint64_t unique;

void doubles_seed(uint64_t seed)
{
	unique = seed;
}

enum rc unique_bytes(void *ret, size_t n, struct err *err)
{
	uint8_t *to = ret;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		uint64_t state = unique++;

		to[i] = (uint8_t)(random_next(&state) >> 24);
	}
	return RC_OK;
}

enum rc unique_text(char *ret, size_t n, struct err *err)
{
	uint8_t b[UNIQUE_MAX];

	if (unique_bytes(b, n, err))
		return err->rc;
	hex_encode(b, n, ret);
	return RC_OK;
}

struct workers {
	atomic_uint *n_busy;
};

enum rc workers_start(struct workers **ret, const char *name, unsigned int n,
		      size_t queue_cap, struct err *err)
{
	(void)name;
	(void)n;
	(void)queue_cap;
	(void)err;
	*ret = xcalloc(1, sizeof(**ret));
	return RC_OK;
}

void workers_count(struct workers *w, atomic_uint *n_busy)
{
	w->n_busy = n_busy;
}

void workers_stop(struct workers *w)
{
	free(w);
}

void workers_submit(struct workers *w, workers_fn *fn, void *arg)
{
	(void)w;
	fn(arg);
}

void job_submit(struct workers *w, struct job *job, workers_fn *fn, void *arg)
{
	(void)w;
	memset(job, 0, sizeof(*job));
	fn(arg);
}

void job_wait(struct workers *w, struct job *job)
{
	(void)w;
	(void)job;
}

bool job_is_done(struct workers *w, const struct job *job)
{
	(void)w;
	(void)job;
	return true;
}

unsigned int workers_n_cpus(void)
{
	return 1;
}

/* A mapping for each small block takes more time than what is done with it. */
struct block_pool {
	struct block_pool_stats stats;
};

struct block_pool *block_pool_new(uint64_t max_idle)
{
	(void)max_idle;
	return xcalloc(1, sizeof(struct block_pool));
}

void block_pool_free(struct block_pool *p)
{
	free(p);
}

void *block_pool_take(struct block_pool *p, size_t len, size_t *ret_cap)
{
	(void)p;
	*ret_cap = len;
	return mem_array(len, 1);
}

void block_pool_give(struct block_pool *p, void *room, size_t cap)
{
	(void)p;
	(void)cap;
	free(room);
}

void block_pool_stats(struct block_pool *p, struct block_pool_stats *ret)
{
	*ret = p->stats;
}
