/* SPDX-License-Identifier: Apache-2.0 */
/* volume-ahead.h - threads that load blocks before they are asked for.
 *
 * For volume*.c only.  Readers tell what they read; what walk.h makes of that
 * is loaded into the block cache by a few threads of low priority.  A reader
 * never waits for more than the block it wants: jobs that find no room in the
 * queue are dropped, and a block that no thread has begun the reader loads
 * himself.  Each kind of guess is given up while it does not pay (ledger.h).
 *
 * Only for stores that are not remote: of others the fetcher decides what is
 * read (fetch.h).  The threads start with the first job.
 */
#ifndef DESFS_VOLUME_VOLUME_AHEAD_H
#define DESFS_VOLUME_VOLUME_AHEAD_H

#include <stdint.h>

struct volume;
struct volume_ahead;
struct volume_entry;
struct volume_stats;

/* Volume, caches and shards outlive it.  max_bytes: of the block cache. */
struct volume_ahead *volume_ahead_new(struct volume *v, uint64_t max_bytes);
/* Waits for the jobs under way; takes NULL. */
void volume_ahead_free(struct volume_ahead *a);

/* Blocks first ... first + n - 1 of a file are about to be read; takes NULL. */
void volume_ahead_read(struct volume_ahead *a, const struct volume_entry *ve,
		       uint32_t first, uint32_t n);

/* They were read; takes NULL. */
void volume_ahead_done(struct volume_ahead *a, const struct volume_entry *ve,
		       uint32_t first, uint32_t n);

/* Takes NULL. */
void volume_ahead_count(struct volume_ahead *a, struct volume_stats *ret);

#endif
