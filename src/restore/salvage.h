/* SPDX-License-Identifier: Apache-2.0 */
/* salvage.h - what is intact of a damaged shard, written as files.
 *
 * The index is used where it is intact.  Where it is not, the data is searched
 * for blocks, whose records tell names and attributes, and which other blocks a
 * large file is in.  Of several versions of a name the newest is taken.
 */
#ifndef DESFS_RESTORE_SALVAGE_H
#define DESFS_RESTORE_SALVAGE_H

#include <stdint.h>

#include "base/err.h"
#include "restore/restore.h"
#include "store/store.h"

struct salvage_options {
	/* Told of each entry that could not be brought back. */
	void (*lost)(void *arg, const struct entry *e, const struct err *err);
	void *arg;
};

struct salvage_totals {
	uint64_t saved, lost; /* entries; lost: those there is a trace of */
};

/* Adds to ret; restore_finish is left to the caller. */
enum rc salvage_shard(struct store *st, const char *key, struct restore *to,
		      const struct salvage_options *opts,
		      struct salvage_totals *ret, struct err *err) MUST_CHECK;

#endif
