/* SPDX-License-Identifier: Apache-2.0 */
/* find-version.h - versions of names in the shards that count, deleted ones
 * too.
 *
 * Straight from the store and past the view of readers: who deletes has to
 * know what there is.  For one thread.
 */
#ifndef DESFS_REPACK_FIND_VERSION_H
#define DESFS_REPACK_FIND_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"
#include "shard/shard-format.h"

struct find;
struct oplog;
struct store;

/* What the log says at this moment; both are borrowed. */
enum rc find_new(struct find **ret, struct store *st, const struct oplog *log,
		 const uint8_t archive_id[SHARD_ID_LEN],
		 struct err *err) MUST_CHECK;
void find_free(struct find *f); /* takes NULL */

/* The shards have numbers from 0 on. */
uint32_t find_n_shards(const struct find *f);
const char *find_shard_key(const struct find *f, uint32_t shard);

/* What is found. */
struct found {
	struct entry e; /* borrowed for the call */
	uint32_t shard;
	bool is_deleted; /* a tombstone hides it already */
	bool is_copy;    /* of a directory, in a shard of another slot */
};
/* Anything but RC_OK ends the search with that. */
typedef enum rc find_fn(void *arg, const struct found *f, struct err *err);

/* All versions of a uid in the slots it is routed to.  RC_CORRUPT of one shard
 * is told when all others were searched; so it is below.
 */
enum rc find_versions(struct find *f, struct span uid, find_fn *fn, void *arg,
		      struct err *err) MUST_CHECK;
/* All versions of all names below a directory that is or once was, whatever is
 * shown of them; shard by shard.
 */
enum rc find_below(struct find *f, struct span dir, find_fn *fn, void *arg,
		   struct err *err) MUST_CHECK;
/* All entries of a shard. */
enum rc find_in_shard(struct find *f, uint32_t shard, find_fn *fn, void *arg,
		      struct err *err) MUST_CHECK;

#endif
