/* SPDX-License-Identifier: Apache-2.0 */
/* live-set.c - the entries that stay, as hashes: open addressing, linear
 * probing.
 */
#include "config.h"

#include "repack/live-set.h"

#include <stdlib.h>

#include "base/mem.h"

#define CAP_MIN 64u

void live_set_init(struct live_set *s, uint64_t max)
{
	s->cap = (size_t)(max + max / 4 + CAP_MIN);
	s->slots = xcalloc(s->cap, sizeof(*s->slots));
	s->marked = xcalloc(s->cap, sizeof(*s->marked));
}

void live_set_release(struct live_set *s)
{
	free(s->slots);
	free(s->marked);
	*s = (struct live_set){ 0 };
}

/* Zero marks a free slot. */
static uint64_t key_of(uint64_t hash)
{
	return hash ? hash : 1;
}

static size_t place(const struct live_set *s, uint64_t key)
{
	size_t i = (size_t)(key % s->cap);

	while (s->slots[i] && s->slots[i] != key)
		i = i + 1 < s->cap ? i + 1 : 0;
	return i;
}

void live_set_add(struct live_set *s, uint64_t hash)
{
	s->slots[place(s, key_of(hash))] = key_of(hash);
}

bool live_set_has(const struct live_set *s, uint64_t hash)
{
	return s->cap && s->slots[place(s, key_of(hash))];
}

void live_set_mark(struct live_set *s, uint64_t hash, bool mark)
{
	size_t i = s->cap ? place(s, key_of(hash)) : 0;

	if (s->cap && s->slots[i])
		atomic_store_explicit(&s->marked[i], mark,
				      memory_order_relaxed);
}

bool live_set_is_marked(const struct live_set *s, uint64_t hash)
{
	size_t i = s->cap ? place(s, key_of(hash)) : 0;

	return s->cap && s->slots[i] &&
	       atomic_load_explicit(&s->marked[i], memory_order_relaxed);
}
