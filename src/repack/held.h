/* SPDX-License-Identifier: Apache-2.0 */
/* held.h - whether a hold forbids to remove an old revision.
 *
 * A hold of a day, of a shard or of everything covers whole shards.  One of
 * uids covers a revision only if it has entries of them that what counts in its
 * place has not: else nothing that is held goes with it.
 */
#ifndef DESFS_REPACK_HELD_H
#define DESFS_REPACK_HELD_H

#include <stddef.h>

#include "base/err.h"
#include "repack/holds.h"
#include "volume/oplog-state.h"

struct store;

/* now: the n shards that count in the place of old.  *ret: NULL, or the hold.
 * Not to be able to tell is an error.
 */
enum rc held_by(const struct holds *h, struct store *st,
		const struct oplog_old *old,
		const struct shard_meta *const *now, size_t n,
		const struct hold **ret, struct err *err) MUST_CHECK;

struct old_set;

/* Mark all of old that a hold covers and that is not gone. */
enum rc held_mark(const struct holds *h, struct store *st,
		  const struct oplog_state *state, struct old_set *old,
		  struct err *err) MUST_CHECK;

#endif
