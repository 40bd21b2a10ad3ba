/* SPDX-License-Identifier: Apache-2.0 */
/* by-place.c - files in the order of their bytes in the shards. */
#include "config.h"

#include "pack/by-place.h"

#include <stdlib.h>

#include "base/mem.h"

static uint64_t first_offset(const struct entry *e)
{
	const struct content *c = &e->content;

	if (c->n_blocks && c->blocks)
		return c->blocks[0].off;
	return c->n_extents ? c->extents[0].off : 0;
}

void by_place_add(struct by_place *b, const struct volume_entry *ve,
		  uint64_t number)
{
	b->files = mem_grow(b->files, &b->cap, b->n + 1, sizeof(*b->files));
	b->files[b->n++] = (struct by_place_file){ .node = ve->node,
						   .off = first_offset(&ve->e),
						   .number = number };
}

static int compare(const void *a, const void *b)
{
	const struct by_place_file *x = a, *y = b;

	if (x->node.shard != y->node.shard)
		return x->node.shard < y->node.shard ? -1 : 1;
	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return (x->node.ordinal > y->node.ordinal) -
	       (x->node.ordinal < y->node.ordinal);
}

void by_place_sort(struct by_place *b)
{
	if (b->n)
		qsort(b->files, b->n, sizeof(*b->files), compare);
}
