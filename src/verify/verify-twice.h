/* SPDX-License-Identifier: Apache-2.0 */
/* verify-twice.h - files that two runs have packed at once; for verify.c.
 *
 * A run packs only what the archive has not.  So what is in two shards of one
 * day and slot, with nothing but the time of packing between them, comes of
 * runs that did not see each other.  It takes room and does no harm.
 */
#ifndef DESFS_VERIFY_VERIFY_TWICE_H
#define DESFS_VERIFY_VERIFY_TWICE_H

#include <stddef.h>

#include "store/store.h"
#include "verify/verify-report.h"
#include "volume/oplog.h"

struct tombstone_set;

/* What one shard has of others. */
typedef void verify_twice_fn(void *arg, struct verify_report *report);

/* metas: all shards that count, in the order of their keys.  What is deleted
 * (NULL: nothing) is passed over, and so is damage: it is told elsewhere.  fn
 * has to tell the report.
 */
void verify_twice(struct store *st, const struct shard_meta *const *metas,
		  size_t n, const struct tombstone_set *deleted,
		  verify_twice_fn *fn, void *arg);

#endif
