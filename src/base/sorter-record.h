/* SPDX-License-Identifier: Apache-2.0 */
/* sorter-record.h - records as the sorter keeps them; for sorter*.c only. */
#ifndef DESFS_BASE_SORTER_RECORD_H
#define DESFS_BASE_SORTER_RECORD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/sorter.h"
#include "base/spool.h"

/* In memory and in temporary files a record is this, the key, the value. */
struct sorter_head {
	uint32_t partition, key_len, value_len;
};

/* Where a sorted run lies in the spool.  At index are n_partitions + 1
 * uint64_t: where each partition begins, and the end.
 */
struct sorter_run {
	uint64_t index;
};

/* What one thread added, while it is in memory. */
struct sorter_feed {
	uint8_t *arena; /* records, arena_len bytes of arena_cap */
	size_t arena_len, arena_cap;
	uint64_t *order; /* where each record begins in the arena */
	size_t n, order_cap;
	bool is_sorted;
};

struct sorter {
	uint32_t n_partitions;
	size_t bound; /* of all feeds */
	struct sorter_feed **feeds;
	unsigned int n_feeds;

	pthread_mutex_t lock; /* guards all below, while there are adders */
	struct sorter_run *runs;
	size_t n_runs, runs_cap;
	struct spool spool;
};

static inline struct sorter_head sorter_head_at(const uint8_t *p)
{
	struct sorter_head h;

	memcpy(&h, p, sizeof(h));
	return h;
}

static inline size_t sorter_record_len(struct sorter_head h)
{
	return sizeof(h) + h.key_len + h.value_len;
}

static inline struct span sorter_key_at(const uint8_t *p)
{
	return span_of(p + sizeof(struct sorter_head),
		       sorter_head_at(p).key_len);
}

static inline struct span sorter_value_at(const uint8_t *p)
{
	struct sorter_head h = sorter_head_at(p);

	return span_of(p + sizeof(h) + h.key_len, h.value_len);
}

/* Key, then value. */
static inline int sorter_compare(const uint8_t *a, const uint8_t *b)
{
	int c = span_compare(sorter_key_at(a), sorter_key_at(b));

	return c ? c : span_compare(sorter_value_at(a), sorter_value_at(b));
}

#endif
