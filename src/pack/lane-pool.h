/* SPDX-License-Identifier: Apache-2.0 */
/* lane-pool.h - blocks to be used again by all lanes of a run.
 *
 * A block's buffers take longer to be mapped, zeroed and given back by the
 * kernel than many a block takes to be compressed.  Safe from any thread.
 */
#ifndef DESFS_PACK_LANE_POOL_H
#define DESFS_PACK_LANE_POOL_H

#include <stdbool.h>

#include "base/compiler.h"

struct lane_block;
struct lane_pool;

struct lane_pool *lane_pool_new(void) MUST_CHECK;
/* All blocks must have been given back. */
void lane_pool_free(struct lane_pool *p);

/* One that was given back, large or not, or NULL. */
struct lane_block *lane_pool_take(struct lane_pool *p, bool is_large);
/* Clears it; no worker may be at it. */
void lane_pool_give(struct lane_pool *p, struct lane_block *b);

#endif
