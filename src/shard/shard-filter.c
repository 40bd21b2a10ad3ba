/* SPDX-License-Identifier: Apache-2.0 */
/* shard-filter.c - the partitioned Bloom filter of a shard. */
#include "config.h"

#include "shard/shard-filter.h"

#include "shard/shard-format.h"

#define FNV_OFFSET 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

static uint64_t fnv(uint64_t h, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)p[i]) * FNV_PRIME;
	return h;
}

/* The finalizer of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t h)
{
	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
	h = (h ^ h >> 27) * 0x94d049bb133111ebu;
	return h ^ h >> 31;
}

uint64_t filter_hash(struct span parent, struct span name)
{
	uint64_t h = FNV_OFFSET;

	if (parent.len) {
		h = fnv(h, parent.p, parent.len);
		h = fnv(h, "/", 1);
	}
	return mix(fnv(h, name.p, name.len));
}

void filter_layout(uint64_t n, uint32_t *ret_partitions,
		   uint32_t *ret_partition_size)
{
	uint64_t bytes = n * FILTER_BITS_PER_ENTRY / 8;
	uint64_t partitions = bytes / FILTER_PARTITION_SIZE;

	/* Rounding down keeps to the bits an entry. */
	if (partitions > 1) {
		*ret_partitions = (uint32_t)partitions;
		*ret_partition_size = FILTER_PARTITION_SIZE;
	} else {
		*ret_partitions = n ? 1 : 0;
		*ret_partition_size = (uint32_t)bytes;
	}
}

uint32_t filter_partition(uint64_t hash, uint32_t n_partitions)
{
	return (uint32_t)((hash >> 32) * n_partitions >> 32);
}

/* Double hashing (Kirsch, Mitzenmacher 2006): probe i is at a + i * b. */
static uint32_t probe(uint64_t hash, uint32_t i, uint32_t n_bits)
{
	uint64_t second = mix(hash);
	uint32_t a = (uint32_t)second;
	uint32_t b = (uint32_t)(second >> 32) | 1;

	return (a + i * b) % n_bits;
}

bool filter_may_contain(const uint8_t *partition, uint32_t size, uint64_t hash)
{
	for (uint32_t i = 0; i < FILTER_PROBES; i++) {
		uint32_t bit = probe(hash, i, size * 8);

		if (!(partition[bit / 8] >> bit % 8 & 1))
			return false;
	}
	return true;
}

void filter_add(uint8_t *partition, uint32_t size, uint64_t hash)
{
	for (uint32_t i = 0; i < FILTER_PROBES; i++) {
		uint32_t bit = probe(hash, i, size * 8);

		partition[bit / 8] |= (uint8_t)(1u << bit % 8);
	}
}
