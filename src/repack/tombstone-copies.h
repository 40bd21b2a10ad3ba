/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-copies.h - names that stay and have the bytes of names that go.
 *
 * Equal files in a shard share their blocks, and so do hard links; the bytes
 * stay for as long as one of them does.  A hard link in another slot has a copy
 * of its own, which stays, too.  For one thread.
 */
#ifndef DESFS_REPACK_TOMBSTONE_COPIES_H
#define DESFS_REPACK_TOMBSTONE_COPIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "repack/find-version.h"
#include "shard/shard-entry.h"

struct tombstone_copies;

/* spool: directory for temporary files, borrowed. */
struct tombstone_copies *tombstone_copies_new(const char *spool) MUST_CHECK;
void tombstone_copies_free(struct tombstone_copies *c); /* takes NULL */

/* All versions of the uid go, or the one created at time. */
void tombstone_copies_take_all(struct tombstone_copies *c, struct span uid);
void tombstone_copies_take_one(struct tombstone_copies *c, struct span uid,
			       int64_t time);
/* One of these versions. */
enum rc tombstone_copies_add(struct tombstone_copies *c, const struct entry *e,
			     uint32_t shard, struct err *err) MUST_CHECK;

typedef void tombstone_copy_fn(void *arg, const struct entry *e, bool is_link);
/* Tell of each version that stays.  Then nothing may be added any more.
 * *ret_damaged: shards that could not be looked through for damage.
 */
enum rc tombstone_copies_find(struct tombstone_copies *c, struct find *f,
			      tombstone_copy_fn *fn, void *arg,
			      uint64_t *ret_damaged,
			      struct err *err) MUST_CHECK;

#endif
