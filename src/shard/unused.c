/* SPDX-License-Identifier: Apache-2.0 */
/* unused.c - stored bytes of a shard that no entry refers to so far. */
#include "config.h"

#include "shard/unused.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct unused_run {
	uint64_t off, end;
};

void unused_release(struct unused *u)
{
	free(u->runs);
	*u = (struct unused){ 0 };
}

static void make_room(struct unused *u)
{
	u->runs = mem_grow(u->runs, &u->cap, u->n + 1, sizeof(*u->runs));
}

void unused_add(struct unused *u, uint64_t off, uint64_t end)
{
	if (u->n && u->runs[u->n - 1].end == off) {
		u->runs[u->n - 1].end = end;
		return;
	}
	make_room(u);
	u->runs[u->n++] = (struct unused_run){ off, end };
}

/* The first run that ends behind off, or else the number of runs. */
static size_t find(const struct unused *u, uint64_t off)
{
	size_t low = 0, high = u->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (u->runs[mid].end <= off)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void unused_remove(struct unused *u, uint64_t off, uint64_t end)
{
	size_t i = find(u, off), n_rest = 0, n_after;
	struct unused_run rest[2], run, *at;

	if (i == u->n || u->runs[i].off > off || u->runs[i].end < end ||
	    end <= off)
		return;
	run = u->runs[i];
	if (run.off < off)
		rest[n_rest++] = (struct unused_run){ run.off, off };
	if (end < run.end)
		rest[n_rest++] = (struct unused_run){ end, run.end };
	n_after = u->n - i - 1;
	make_room(u);
	at = u->runs + i;
	memmove(at + n_rest, at + 1, n_after * sizeof(*at));
	memcpy(at, rest, n_rest * sizeof(*at));
	u->n = i + n_rest + n_after;
}

uint64_t unused_bytes(const struct unused *u)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < u->n; i++)
		sum += u->runs[i].end - u->runs[i].off;
	return sum;
}
