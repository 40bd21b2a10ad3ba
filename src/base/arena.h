/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - many small pieces of memory that are given up together.
 *
 * A zeroed struct arena is valid and empty.  For one thread at a time.
 */
#ifndef DESFS_BASE_ARENA_H
#define DESFS_BASE_ARENA_H

#include <stddef.h>

#include "base/compiler.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk; /* the one in use, before it full ones */
	size_t used;               /* bytes of it */
};

/* len bytes, aligned for anything, not set to anything; valid until the arena
 * is cleared.
 */
void *arena_alloc(struct arena *a, size_t len) MUST_CHECK;

/* Give up all pieces; memory for a few is kept. */
void arena_clear(struct arena *a);
void arena_release(struct arena *a);

#endif
