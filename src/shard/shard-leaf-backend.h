/* SPDX-License-Identifier: Apache-2.0 */
/* shard-leaf-backend.h - decoded leaves, for shard-page.c and shard-leaf.c
 * only. */
#ifndef DESFS_SHARD_SHARD_LEAF_BACKEND_H
#define DESFS_SHARD_SHARD_LEAF_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "shard/shard-entry.h"

/* Fixed memory handed out from the front. */
struct arena {
	char *p;
	size_t used, cap;
};

static inline char *arena_take(struct arena *a, size_t n)
{
	char *to = a->p + a->used;

	if (n > a->cap - a->used)
		return NULL;
	a->used += n;
	return to;
}

/* A string that shares its beginning with last. */
bool front_decode(struct rd *r, struct span last, struct arena *arena,
		  struct span *ret);

/* n page references as columns. */
void page_refs_decode(struct rd *r, struct page_ref *refs, size_t n);

struct leaf;

/* raw is copied from; it need not live on. */
enum rc leaf_decode(const uint8_t *raw, size_t len, uint32_t count,
		    struct leaf **ret, struct err *err);
void leaf_free(struct leaf *l);
size_t leaf_memory(const struct leaf *l);
void leaf_entry(const struct leaf *l, uint32_t i, struct entry *ret);
uint32_t leaf_lower_bound(const struct leaf *l, struct span parent,
			  struct span name);

#endif
