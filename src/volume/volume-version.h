/* SPDX-License-Identifier: Apache-2.0 */
/* volume-version.h - a version of a file by its uid and the time it is of.
 *
 * Names are not resolved: what a directory above hides is found as well, since
 * who asks so knows uids and times, not trees.
 */
#ifndef DESFS_VOLUME_VOLUME_VERSION_H
#define DESFS_VOLUME_VOLUME_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"

struct volume;
struct volume_entry;

/* Zeros: the newest. */
struct volume_when {
	/* created_at, microseconds: from first to last and that; of those, the
	 * one of just exact before a newer one.
	 */
	bool has_time;
	int64_t first, last, exact;
};

/* The version of the uid that was made then; of several the newest.  What was
 * only inferred, a directory, is none unless there is nothing else.
 *
 * RC_NOENT: there is none; without a time also where the newest says that the
 * file was removed.  RC_DELETED: those there are or were have a tombstone.
 * RC_CORRUPT: a shard that may have it is damaged.
 */
enum rc volume_version(struct volume *v, struct span uid,
		       const struct volume_when *when, struct volume_entry *ret,
		       struct err *err) MUST_CHECK;

#endif
