/* SPDX-License-Identifier: Apache-2.0 */
/* block-pool.h - memory for blocks, used again rather than returned.
 *
 * A page that the system gives is cleared and mapped at its first use, which
 * costs as much as decoding into it.  So what is given back is kept for the
 * next who needs as much, up to a bound.  Any thread.
 */
#ifndef DESFS_CACHE_BLOCK_POOL_H
#define DESFS_CACHE_BLOCK_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct block_pool;

/* max_idle: bytes kept while nobody uses them. */
struct block_pool *block_pool_new(uint64_t max_idle);

/* All must have been given back.  Takes NULL. */
void block_pool_free(struct block_pool *p);

/* Memory of at least len bytes with anything in it, or NULL; *ret_cap is its
 * size: whole pages, at most an eighth or a page more than len.
 */
void *block_pool_take(struct block_pool *p, size_t len,
		      size_t *ret_cap) MUST_CHECK;

/* Memory taken before; cap is what *ret_cap was.  Takes NULL. */
void block_pool_give(struct block_pool *p, void *room, size_t cap);

struct block_pool_stats {
	uint64_t used, idle; /* bytes */
	uint64_t n_fresh;    /* times that the system was asked for memory */
};
void block_pool_stats(struct block_pool *p, struct block_pool_stats *ret);

#endif
