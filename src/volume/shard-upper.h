/* SPDX-License-Identifier: Apache-2.0 */
/* shard-upper.h - the top of a shard's index, kept with its tail.
 *
 * Every search begins at the root page and asks the filter.  Both are small in
 * most shards and were read with the tail; held by it they need no place, no
 * look and no lock of their own in the page cache.
 */
#ifndef DESFS_VOLUME_SHARD_UPPER_H
#define DESFS_VOLUME_SHARD_UPPER_H

#include "volume/shard-file.h"

/* Take what is among the len bytes p from off on.  What is not, or is damaged,
 * is left to those who need it: they read it by itself, and say what is wrong.
 */
void shard_upper_take(struct shard_tail *t, uint64_t off, const uint8_t *p,
		      size_t len);
void shard_upper_release(struct shard_tail *t);
/* Bytes taken. */
size_t shard_upper_memory(const struct shard_tail *t);

#endif
