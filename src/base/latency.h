/* SPDX-License-Identifier: Apache-2.0 */
/* latency.h - how long things took: a histogram, and quantiles of it.
 *
 * Log-linear buckets, four to each power of two, so a quantile is known within
 *a fifth; from 256 ns to 137 s, with one bucket below and one above.  Adding is
 * for any number of threads at a time and costs two atomic additions; memory is
 * fixed.  A struct latency of zeros is empty.
 *
 *	latency_add(&l, clock_mono_ns() - since);
 *	...
 *	latency_read(&l, &now);
 *	latency_since(&now, &before, &interval);
 *	p99 = latency_quantile(&interval, 990);
 */
#ifndef DESFS_BASE_LATENCY_H
#define DESFS_BASE_LATENCY_H

#include <stdatomic.h>
#include <stdint.h>

#define LATENCY_LOW_BITS 8   /* the first bucket ends at 2^8 ns */
#define LATENCY_HIGH_BITS 37 /* the last but one ends at 2^37 ns */
#define LATENCY_PARTS 4      /* buckets to a power of two */
#define LATENCY_BUCKETS \
	((LATENCY_HIGH_BITS - LATENCY_LOW_BITS) * LATENCY_PARTS + 2)

struct latency {
	_Atomic uint64_t n[LATENCY_BUCKETS];
	_Atomic uint64_t sum_ns, max_ns;
};

/* The same, read at one moment or over an interval. */
struct latency_counts {
	uint64_t n[LATENCY_BUCKETS];
	uint64_t total; /* sum of n */
	uint64_t sum_ns;
	uint64_t max_ns; /* 0: not known */
};

/* The bucket of a duration; the first one that latency_bound of is not less. */
unsigned int latency_bucket(uint64_t ns);

/* The longest duration in a bucket, UINT64_MAX for the last. */
uint64_t latency_bound(unsigned int bucket);

void latency_add(struct latency *l, uint64_t ns);

/* What is added meanwhile may be missing in parts; total is always the sum. */
void latency_read(const struct latency *l, struct latency_counts *ret);

/* What came between two readings; ret may be one of them. */
void latency_since(const struct latency_counts *now,
		   const struct latency_counts *before,
		   struct latency_counts *ret);

/* So many of a thousand took at most this long (ns), within the width of a
 * bucket; 0 when there are none.
 */
uint64_t latency_quantile(const struct latency_counts *c,
			  unsigned int per_mille);

#endif
