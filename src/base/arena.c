/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c - many small pieces of memory that are given up together. */
#include "config.h"

#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

#define CHUNK ((size_t)32 << 10) /* bytes; more for a piece that is larger */

struct arena_chunk {
	struct arena_chunk *before;
	size_t size;
	alignas(max_align_t) uint8_t bytes[];
};

static void add_chunk(struct arena *a, size_t len)
{
	size_t size = len > CHUNK ? len : CHUNK;
	struct arena_chunk *c = xcalloc(1, sizeof(*c) + size);

	c->before = a->chunk;
	c->size = size;
	a->chunk = c;
	a->used = 0;
}

void *arena_alloc(struct arena *a, size_t len)
{
	const size_t align = alignof(max_align_t);
	size_t n = (len + align - 1) & ~(align - 1);
	void *p;

	if (n < len)
		n = SIZE_MAX / 2; /* which fails for want of memory */
	if (!a->chunk || n > a->chunk->size - a->used)
		add_chunk(a, n);
	p = a->chunk->bytes + a->used;
	a->used += n;
	return p;
}

void arena_clear(struct arena *a)
{
	struct arena_chunk *c = a->chunk;

	while (c && (c->before || c->size > CHUNK)) {
		struct arena_chunk *before = c->before;

		free(c);
		c = before;
	}
	a->chunk = c;
	a->used = 0;
}

void arena_release(struct arena *a)
{
	arena_clear(a);
	free(a->chunk);
	a->chunk = NULL;
}
