/* SPDX-License-Identifier: Apache-2.0 */
/* push-table.c - runs of nodes that listings gave out, each with its stream. */
#include "config.h"

#include "fs/push-table.h"

#include <string.h>
#include <utlist.h>

#define WORDS (PUSH_RUN_MAX / 64)

bool push_set_has(const uint64_t *set, uint32_t i)
{
	return set[i / 64] >> i % 64 & 1;
}

void push_set_add(uint64_t *set, uint32_t i)
{
	set[i / 64] |= UINT64_C(1) << i % 64;
}

void push_set_remove(uint64_t *set, uint32_t i)
{
	set[i / 64] &= ~(UINT64_C(1) << i % 64);
}

/* Those of a word that are small files in [from, to); todo: only such as are
 * neither pushed nor read.
 */
static uint64_t files_in(const struct push_stretch *s, uint32_t word,
			 uint32_t from, uint32_t to, bool todo)
{
	uint64_t bits = s->small[word];

	if (todo)
		bits &= ~(s->pushed[word] | s->read[word]);
	if (word == from / 64)
		bits &= UINT64_MAX << from % 64;
	if (word == to / 64)
		bits &= ~(UINT64_MAX << to % 64);
	return bits;
}

uint32_t push_stretch_count(const struct push_stretch *s, uint32_t from,
			    uint32_t to, bool todo)
{
	uint32_t n = 0;

	if (from >= to)
		return 0;
	for (uint32_t w = from / 64; w < WORDS && w <= to / 64; w++)
		n += (uint32_t)__builtin_popcountll(
			files_in(s, w, from, to, todo));
	return n;
}

/* The kth file to do from there on, the first is 0; PUSH_NONE: there are fewer.
 */
uint32_t push_stretch_find(const struct push_stretch *s, uint32_t from,
			   uint32_t k)
{
	for (uint32_t w = from / 64; w < WORDS && w * 64 < s->n; w++) {
		uint64_t bits = files_in(s, w, from, s->n, true);
		uint32_t n = (uint32_t)__builtin_popcountll(bits);

		if (k >= n) {
			k -= n;
			continue;
		}
		while (k--)
			bits &= bits - 1;
		return w * 64 + (uint32_t)__builtin_ctzll(bits);
	}
	return PUSH_NONE;
}

/* --- the table ------------------------------------------------------------ */

void push_table_clear(struct push_table *t)
{
	t->used = t->unused = NULL;
	t->n = 0;
	for (uint32_t i = PUSH_RUNS; i-- > 0;)
		LL_PREPEND(t->unused, &t->all[i]);
}

/* Where in the order the first run is that begins behind the node. */
static uint32_t place(const struct push_table *t, uint64_t node)
{
	uint32_t lo = 0, hi = t->n;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (t->order[mid].first <= node)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct push_stretch *push_table_find(const struct push_table *t, uint64_t node)
{
	uint32_t i = place(t, node);
	struct push_stretch *s = i ? t->order[i - 1].s : NULL;

	return s && node - s->first < s->n ? s : NULL;
}

void push_table_drop(struct push_table *t, struct push_stretch *s)
{
	uint32_t i = place(t, s->first) - 1;

	t->on_drop(t->arg, s);
	t->n--;
	memmove(&t->order[i], &t->order[i + 1],
		(t->n - i) * sizeof(t->order[0]));
	DL_DELETE(t->used, s);
	LL_PREPEND(t->unused, s);
}

void push_table_touch(struct push_table *t, struct push_stretch *s)
{
	if (t->used == s)
		return;
	DL_DELETE(t->used, s);
	DL_PREPEND(t->used, s);
}

static void insert(struct push_table *t, const struct push_run *run)
{
	struct push_stretch *s;
	uint32_t i;

	if (!t->unused)
		push_table_drop(t, t->used->prev); /* the last */
	s = t->unused;
	LL_DELETE(t->unused, s);
	*s = (struct push_stretch){ .dir = run->dir,
				    .first = run->first,
				    .n = run->n,
				    .is_first = run->is_first,
				    .last = PUSH_NONE,
				    .marker = PUSH_NONE };
	memcpy(s->small, run->small, sizeof(s->small));
	DL_PREPEND(t->used, s);
	i = place(t, s->first);
	memmove(&t->order[i + 1], &t->order[i],
		(t->n - i) * sizeof(t->order[0]));
	t->order[i].first = s->first;
	t->order[i].s = s;
	t->n++;
}

/* A listing goes on, or is made again. */
static void merge(struct push_stretch *s, const struct push_run *run)
{
	uint32_t at = (uint32_t)(run->first - s->first);

	for (uint32_t i = 0; i < run->n; i++) {
		if (push_set_has(run->small, i))
			push_set_add(s->small, at + i);
	}
	if (s->n < at + run->n)
		s->n = at + run->n;
	s->is_first |= run->is_first && !at;
}

void push_table_listed(struct push_table *t, const struct push_run *run)
{
	uint64_t end = run->first + run->n;
	uint32_t i = place(t, run->first);
	struct push_stretch *s = i ? t->order[i - 1].s : NULL;
	bool is_same =
		s && s->dir == run->dir && end - s->first <= PUSH_RUN_MAX;

	while (i < t->n && t->order[i].first < end)
		push_table_drop(t, t->order[i].s);
	if (is_same) {
		merge(s, run);
		push_table_touch(t, s);
		return;
	}
	if (s && run->first - s->first < s->n)
		push_table_drop(t, s);
	insert(t, run);
}

struct push_stretch *push_table_following(const struct push_table *t,
					  const struct push_stretch *s)
{
	uint32_t i = place(t, s->first);

	return i < t->n && t->order[i].s->dir == s->dir ? t->order[i].s : NULL;
}
