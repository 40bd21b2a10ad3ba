/* SPDX-License-Identifier: Apache-2.0 */
/* shard-set.h - all shards a session has met, by ordinal and by key.
 *
 * Ordinals count from 0 and are never used again; a shard stays for the life of
 * the set.  shard_set_get is for any thread and takes no lock; the rest is for
 * one thread at a time.
 */
#ifndef DESFS_VOLUME_SHARD_SET_H
#define DESFS_VOLUME_SHARD_SET_H

#include <stdint.h>

#include "base/err.h"
#include "volume/shard-file.h"

/* A shard's ordinal and an entry's ordinal in it make a number below 2^62. */
#define SHARD_ORDINAL_BITS 28
#define ENTRY_ORDINAL_BITS 34

struct shard_set;

struct shard_set *shard_set_new(void);
void shard_set_free(struct shard_set *set);

/* The shard of this key, added with a copy of meta when it is new.  RC_CORRUPT:
 * the log says what cannot be; RC_LIMIT: too many shards or entries.
 */
enum rc shard_set_add(struct shard_set *set, const struct shard_meta *meta,
		      const struct shard_file **ret,
		      struct err *err) MUST_CHECK;

/* NULL: there is no such ordinal (yet). */
const struct shard_file *shard_set_get(const struct shard_set *set,
				       uint32_t ordinal);

#endif
