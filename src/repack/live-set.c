/* SPDX-License-Identifier: Apache-2.0 */
/* live-set.c - the entries that stay, as hashes: open addressing, linear
 * probing.
 */
#include "config.h"

#include "repack/live-set.h"

#include <stdlib.h>

#include "base/mem.h"

#define CAP_MIN 64u
#define MARK UINT64_C(1)

void live_set_init(struct live_set *s, uint64_t max)
{
	s->cap = (size_t)(max + max / 4 + CAP_MIN);
	s->slots = xcalloc(s->cap, sizeof(*s->slots));
}

void live_set_release(struct live_set *s)
{
	free(s->slots);
	*s = (struct live_set){ 0 };
}

/* Without a mark, and not that of a free slot. */
static uint64_t key_of(uint64_t hash)
{
	uint64_t key = hash & ~MARK;

	return key ? key : MARK << 1;
}

static uint64_t slot(const struct live_set *s, size_t i)
{
	return atomic_load_explicit(&s->slots[i], memory_order_relaxed);
}

/* Where it is, or would be. */
static size_t place(const struct live_set *s, uint64_t key)
{
	size_t i = (size_t)(key % s->cap);
	uint64_t is;

	while ((is = slot(s, i)) && (is & ~MARK) != key)
		i = i + 1 < s->cap ? i + 1 : 0;
	return i;
}

void live_set_add(struct live_set *s, uint64_t hash)
{
	uint64_t key = key_of(hash);
	size_t i = place(s, key);

	if (!slot(s, i))
		atomic_store_explicit(&s->slots[i], key, memory_order_relaxed);
}

bool live_set_has(const struct live_set *s, uint64_t hash)
{
	return s->cap && slot(s, place(s, key_of(hash)));
}

bool live_set_mark(struct live_set *s, uint64_t hash, bool mark)
{
	uint64_t key = key_of(hash);
	size_t i = s->cap ? place(s, key) : 0;

	if (!s->cap || !slot(s, i))
		return false;
	atomic_store_explicit(&s->slots[i], key | (mark ? MARK : 0),
			      memory_order_relaxed);
	return true;
}

bool live_set_is_marked(const struct live_set *s, uint64_t hash)
{
	return s->cap && slot(s, place(s, key_of(hash))) & MARK;
}
