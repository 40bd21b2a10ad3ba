/* SPDX-License-Identifier: Apache-2.0 */
/* shard-filter.h - "this uid is not in the shard" without reading a page.
 *
 * A Bloom filter in partitions: a uid's bits are all in one of them, so that
 * one partition is enough for an answer.
 * Source: des-shard(5), FILTER.  Pure functions; any thread.
 */
#ifndef DESFS_SHARD_SHARD_FILTER_H
#define DESFS_SHARD_SHARD_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shard/shard-entry.h"

/* FNV-1a, 64 bits, over parent, '/' when parent is not empty, name. */
uint64_t filter_hash(struct span parent, struct span name);

/* How many partitions, of how many bytes each, a filter for n entries has: none
 * for n = 0; one of n * 10 / 8 bytes while that is below 32 KiB; else as many
 * of FILTER_PARTITION_SIZE as fit 10 bits an entry.  A reader takes the count
 * from the length of the filter directory, and divides.
 */
void filter_layout(uint64_t n, uint32_t *ret_partitions,
		   uint32_t *ret_partition_size);

/* The partition that answers for a hash; n_partitions > 0. */
uint32_t filter_partition(uint64_t hash, uint32_t n_partitions);

/* partition: size bytes, size > 0. */
bool filter_may_contain(const uint8_t *partition, uint32_t size, uint64_t hash);
void filter_add(uint8_t *partition, uint32_t size, uint64_t hash);

#endif
