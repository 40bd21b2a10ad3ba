/* SPDX-License-Identifier: Apache-2.0 */
/* count-deleted.h - how much of a shard is deleted and still in it. */
#ifndef DESFS_REPACK_COUNT_DELETED_H
#define DESFS_REPACK_COUNT_DELETED_H

#include <stdint.h>

#include "base/err.h"
#include "volume/oplog.h"

struct holds;
struct store;
struct tombstone_set;

/* Directories that are only inferred, and what a hold keeps, are none. */
struct deleted_count {
	uint64_t entries, bytes;
};

/* Nothing is read where the log says that none of it can be in the shard, and
 * the index only if the filter says that there may be anything.  One that is
 * damaged is RC_CORRUPT.  From any thread.
 */
enum rc count_deleted(struct store *st, const struct shard_meta *m,
		      const struct tombstone_set *deleted,
		      const struct holds *holds, struct deleted_count *ret,
		      struct err *err) MUST_CHECK;

#endif
