/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-deleted.h - the uids that sidecars of an older archive delete, to be
 * asked for by one.
 *
 * One thread adds them all, in order; then any may ask.  They are kept in
 * spools.
 */
#ifndef DESFS_LEGACY_LEGACY_DELETED_H
#define DESFS_LEGACY_LEGACY_DELETED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/spool.h"

struct legacy_deleted {
	struct spool keys; /* what of keys of legacy-raw.h says the path */
	struct spool ends; /* of each of them */
	uint64_t n;
};

/* dir is borrowed. */
void legacy_deleted_init(struct legacy_deleted *d, const char *dir);
void legacy_deleted_release(struct legacy_deleted *d);

/* The key of a record that is a tombstone; not before those that are there. */
enum rc legacy_deleted_add(struct legacy_deleted *d, struct span key,
			   struct err *err) MUST_CHECK;

/* Is there a tombstone of the uid, of whichever day? */
enum rc legacy_deleted_has(const struct legacy_deleted *d, struct span uid,
			   bool *ret, struct err *err) MUST_CHECK;

#endif
