/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h - which slots a run packs, of those that several runs share.
 *
 * Workers know nothing of each other: each of N, from 1 on, has every Nth slot.
 * Zeroed it is the only one, and has all.
 */
#ifndef DESFS_PACK_WORKER_H
#define DESFS_PACK_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define WORKERS_MAX 65536u
#define WORKER_TEXT 16 /* with its NUL */

struct worker {
	uint32_t i; /* from 0 on */
	uint32_t n; /* 0 is 1 */
};

/* "i/N", i from 1 on. */
enum rc worker_parse(const char *text, struct worker *ret,
		     struct err *err) MUST_CHECK;
void worker_format(const struct worker *w, char ret[WORKER_TEXT]);

static inline bool worker_has(const struct worker *w, uint32_t slot)
{
	return w->n < 2 || slot % w->n == w->i;
}

/* The kth slot of the worker, counted from 0; there may be no such slot. */
static inline uint64_t worker_slot(const struct worker *w, uint32_t k)
{
	return (uint64_t)k * (w->n ? w->n : 1) + w->i;
}

/* How many of all slots the worker has. */
static inline uint32_t worker_slots(const struct worker *w, uint32_t all)
{
	uint32_t n = w->n ? w->n : 1;

	return w->i < all ? (all - w->i + n - 1) / n : 0;
}

#endif
