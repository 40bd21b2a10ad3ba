/* SPDX-License-Identifier: Apache-2.0 */
/* latency.c - how long things took: a histogram, and quantiles of it. */
#include "config.h"

#include "base/latency.h"

#define PART_BITS 2
_Static_assert(1 << PART_BITS == LATENCY_PARTS, "parts are a power of two");

unsigned int latency_bucket(uint64_t ns)
{
	unsigned int bits, part;

	if (ns <= UINT64_C(1) << LATENCY_LOW_BITS)
		return 0;
	if (ns > UINT64_C(1) << LATENCY_HIGH_BITS)
		return LATENCY_BUCKETS - 1;
	/* Bounds belong to the bucket they end, as in Prometheus. */
	ns--;
	bits = 63 - (unsigned int)__builtin_clzll(ns);
	part = (unsigned int)(ns >> (bits - PART_BITS)) & (LATENCY_PARTS - 1);
	return 1 + (bits - LATENCY_LOW_BITS) * LATENCY_PARTS + part;
}

uint64_t latency_bound(unsigned int bucket)
{
	unsigned int bits, part;

	if (!bucket)
		return UINT64_C(1) << LATENCY_LOW_BITS;
	if (bucket >= LATENCY_BUCKETS - 1)
		return UINT64_MAX;
	bits = LATENCY_LOW_BITS + (bucket - 1) / LATENCY_PARTS;
	part = (bucket - 1) % LATENCY_PARTS;
	return (uint64_t)(LATENCY_PARTS + part + 1) << (bits - PART_BITS);
}

void latency_add(struct latency *l, uint64_t ns)
{
	uint64_t max = atomic_load_explicit(&l->max_ns, memory_order_relaxed);

	atomic_fetch_add_explicit(&l->n[latency_bucket(ns)], 1,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&l->sum_ns, ns, memory_order_relaxed);
	while (ns > max && !atomic_compare_exchange_weak_explicit(
				   &l->max_ns, &max, ns, memory_order_relaxed,
				   memory_order_relaxed))
		;
}

void latency_read(const struct latency *l, struct latency_counts *ret)
{
	ret->total = 0;
	for (unsigned int i = 0; i < LATENCY_BUCKETS; i++) {
		ret->n[i] =
			atomic_load_explicit(&l->n[i], memory_order_relaxed);
		ret->total += ret->n[i];
	}
	ret->sum_ns = atomic_load_explicit(&l->sum_ns, memory_order_relaxed);
	ret->max_ns = atomic_load_explicit(&l->max_ns, memory_order_relaxed);
}

/* Of another mount at the same place, say, there may be less than before. */
static uint64_t grown(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

void latency_since(const struct latency_counts *now,
		   const struct latency_counts *before,
		   struct latency_counts *ret)
{
	uint64_t sum = grown(now->sum_ns, before->sum_ns);

	ret->total = 0;
	for (unsigned int i = 0; i < LATENCY_BUCKETS; i++) {
		ret->n[i] = grown(now->n[i], before->n[i]);
		ret->total += ret->n[i];
	}
	ret->sum_ns = sum;
	ret->max_ns = 0;
}

/* Durations are taken to lie evenly in their bucket. */
static uint64_t within(unsigned int bucket, uint64_t rank, uint64_t n,
		       uint64_t max)
{
	uint64_t low = bucket ? latency_bound(bucket - 1) : 0;
	uint64_t high = latency_bound(bucket);

	if (max && high > max)
		high = max > low ? max : low;
	if (high == UINT64_MAX)
		return low;
	return low +
	       (uint64_t)((double)(high - low) * (double)rank / (double)n);
}

uint64_t latency_quantile(const struct latency_counts *c,
			  unsigned int per_mille)
{
	uint64_t rank, below = 0;

	if (!c->total)
		return 0;
	rank = (uint64_t)((double)c->total * per_mille / 1000);
	rank = rank < 1 ? 1 : rank;
	for (unsigned int i = 0; i < LATENCY_BUCKETS; i++) {
		if (below + c->n[i] >= rank)
			return within(i, rank - below, c->n[i], c->max_ns);
		below += c->n[i];
	}
	return c->max_ns;
}
