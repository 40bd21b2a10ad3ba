/* SPDX-License-Identifier: Apache-2.0 */
/* volume-forget.h - what is deleted leaves the caches.
 *
 * For volume*.c only.  Best effort: errors hurt nobody.  Where it cannot be
 * read any more which blocks are of deleted files, all blocks of their shard
 * go.
 */
#ifndef DESFS_VOLUME_VOLUME_FORGET_H
#define DESFS_VOLUME_VOLUME_FORGET_H

#include "cache/disk-cache.h"
#include "volume/volume-state.h"

/* The blocks of a file, in memory and on disk. */
void volume_forget_entry(struct volume *v, const struct volume_entry *ve);

/* A shard that was replaced: all that is in memory, and its rows in the index
 * cache.
 */
void volume_forget_shard(struct volume *v, uint32_t shard);

/* Shards of which all goes that the disk cache has. */
struct volume_roots {
	uint8_t (*root)[DISK_CACHE_OWNER_LEN];
	size_t n, cap;
};
void volume_roots_add(struct volume_roots *r, const uint8_t *root);
/* At once, as this reads through the cache; r is empty then. */
void volume_forget_blocks(struct volume *v, struct volume_roots *r);

/* Rows of shards in the index cache that do not count any more; the caller is
 * the refresher.
 */
void volume_forget_rows(struct volume *v);

#endif
