/* SPDX-License-Identifier: Apache-2.0 */
/* lane-pool.c - blocks to be used again. */
#include "config.h"

#include "pack/lane-pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pack/lane-block.h"

struct lane_pool {
	pthread_mutex_t lock; /* guards the list */
	/* Those used last first, as they are in the caches; [1]: large. */
	struct lane_block *first[2];
};

struct lane_pool *lane_pool_new(void)
{
	struct lane_pool *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void lane_pool_free(struct lane_pool *p)
{
	if (!p)
		return;
	for (unsigned int i = 0; i < 2; i++) {
		while (p->first[i]) {
			struct lane_block *b = p->first[i];

			p->first[i] = b->next_spare;
			lane_block_free(b);
		}
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}

struct lane_block *lane_pool_take(struct lane_pool *p, bool is_large)
{
	struct lane_block *b;
	LOCK_SCOPE(&p->lock);

	b = p->first[is_large];
	if (b)
		p->first[is_large] = b->next_spare;
	return b;
}

void lane_pool_give(struct lane_pool *p, struct lane_block *b)
{
	if (!b)
		return;
	lane_block_clear(b);
	pthread_mutex_lock(&p->lock);
	b->next_spare = p->first[b->is_large];
	p->first[b->is_large] = b;
	pthread_mutex_unlock(&p->lock);
}
