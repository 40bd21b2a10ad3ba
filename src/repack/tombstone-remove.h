/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-remove.h - takes deletions back, as long as nothing is lost. */
#ifndef DESFS_REPACK_TOMBSTONE_REMOVE_H
#define DESFS_REPACK_TOMBSTONE_REMOVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"
#include "shard/shard-format.h"

struct oplog;
struct store;

struct tombstone_removed {
	uint64_t names;   /* erasures taken back */
	uint64_t already; /* taken back before */
};

typedef void tombstone_remove_fn(void *arg, struct span uid);

/* which: ids of tombstones or of erasures, and uids, all of whose erasures are
 * meant.  Reads the log, which is to keep receipts.  fn is told of each name;
 * it may be NULL.  RC_NOENT: nothing open is called so; RC_CHANGED: it is too
 * late for one of them, since a repack newer than it took the place of a shard
 * that may have held it.  Then nothing is taken back, unless a repack was
 * quicker than the record.  RC_PARTIAL: taken back, but a run is alive that may
 * not know of it.
 */
enum rc tombstone_remove(struct store *st, struct oplog *log,
			 const uint8_t archive_id[SHARD_ID_LEN],
			 const char *const *which, size_t n, bool dry_run,
			 tombstone_remove_fn *fn, void *arg,
			 struct tombstone_removed *ret,
			 struct err *err) MUST_CHECK;

#endif
