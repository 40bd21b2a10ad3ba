/* SPDX-License-Identifier: Apache-2.0 */
/* uid-set.c - a set of 64-bit hashes of uids: open addressing, linear probing.
 */
#include "config.h"

#include "verify/uid-set.h"

#include <stdlib.h>

#include "base/mem.h"

#define CAP_MIN 64u

/* Zero marks a free slot. */
static uint64_t key_of(uint64_t hash)
{
	return hash ? hash : 1;
}

static size_t place(const struct uid_set *s, uint64_t key)
{
	size_t i = (size_t)(key & (s->cap - 1));

	while (s->slots[i] && s->slots[i] != key)
		i = (i + 1) & (s->cap - 1);
	return i;
}

static void grow(struct uid_set *s)
{
	struct uid_set larger = { .cap = s->cap ? 2 * s->cap : CAP_MIN };

	larger.slots = xcalloc(larger.cap, sizeof(*larger.slots));
	for (size_t i = 0; i < s->cap; i++) {
		if (s->slots[i])
			larger.slots[place(&larger, s->slots[i])] = s->slots[i];
	}
	larger.n = s->n;
	free(s->slots);
	*s = larger;
}

bool uid_set_add(struct uid_set *s, uint64_t hash)
{
	size_t i;

	if (4 * (s->n + 1) > 3 * s->cap)
		grow(s);
	i = place(s, key_of(hash));
	if (s->slots[i])
		return false;
	s->slots[i] = key_of(hash);
	s->n++;
	return true;
}

bool uid_set_has(const struct uid_set *s, uint64_t hash)
{
	return s->n && s->slots[place(s, key_of(hash))];
}

void uid_set_release(struct uid_set *s)
{
	free(s->slots);
	*s = (struct uid_set){ 0 };
}
