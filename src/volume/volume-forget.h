/* SPDX-License-Identifier: Apache-2.0 */
/* volume-forget.h - what is deleted leaves the caches.
 *
 * For volume*.c only.  Best effort: what cannot be read any more cannot be
 * found in a cache that knows hashes only, and errors hurt nobody.
 */
#ifndef DESFS_VOLUME_VOLUME_FORGET_H
#define DESFS_VOLUME_VOLUME_FORGET_H

#include "volume/volume-state.h"

/* The blocks of a file, in memory and on disk. */
void volume_forget_entry(struct volume *v, const struct volume_entry *ve);

/* A shard that was replaced: all that is in memory, and its rows in the index
 * cache.
 */
void volume_forget_shard(struct volume *v, uint32_t shard);

/* Rows of shards in the index cache that do not count any more; the caller is
 * the refresher.
 */
void volume_forget_rows(struct volume *v);

#endif
