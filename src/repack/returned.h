/* SPDX-License-Identifier: Apache-2.0 */
/* returned.h - what was deleted for good and was brought by a run since: it is
 * deleted again.
 *
 * Runs keep out what is on the list themselves; but one that did not know it
 * yet, or a restored copy of its record, may bring it.  An object
 * reap/checked-TIME-RANDOM says up to which record this was looked at: a
 * convenience that saves looking again.
 */
#ifndef DESFS_REPACK_RETURNED_H
#define DESFS_REPACK_RETURNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "erase/suppression.h"
#include "shard/shard-format.h"

struct archive_list;
struct oplog;
struct store;

struct returned_options {
	struct store *store; /* for writing; without a run of the caller's */
	const uint8_t *archive_id;
	const uint8_t (*secrets)[SUPPRESSION_SECRET_LEN]; /* of the list */
	size_t n_secrets;
};

struct returned {
	uint64_t shards;  /* looked through */
	uint64_t deleted; /* versions */
	uint64_t unknown; /* objects of the list under keys nobody gave */
	/* Versions in what was put together of shards that may have them by
	 * right and others that may not; they stay.
	 */
	uint64_t uncertain;
};

/* Each such version is asked to be deleted, alone: another of the name may be
 * there by right, see allow_erased in desfs-archive(5).  Reads the log.
 */
enum rc returned_delete(struct oplog *log, const struct returned_options *opts,
			struct returned *ret, struct err *err) MUST_CHECK;

/* Whether a record may bring what it would have to look at, by what was listed
 * before log was read; without a request.
 */
bool returned_is_due(const struct oplog *log,
		     const struct returned_options *opts,
		     const struct archive_list *there) MUST_CHECK;

#endif
