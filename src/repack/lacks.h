/* SPDX-License-Identifier: Apache-2.0 */
/* lacks.h - what an old revision has and nothing that counts in its place has.
 *
 * A record may replace a shard by anything.  So before the old one goes it is
 * compared with what is there, whoever wrote that.
 */
#ifndef DESFS_REPACK_LACKS_H
#define DESFS_REPACK_LACKS_H

#include "base/err.h"
#include "erase/tombstone-set.h"
#include "repack/heirs.h"
#include "volume/oplog-state.h"

struct store;

/* RC_OK: each entry of old is in one of now, of the same bytes as far as
 * SHA-256 tells, but for directories that are only inferred, what is deleted,
 * and as many as the records between say are lost; or no place has it any more.
 * RC_STOPPED; else err says how many entries are missing and names the first,
 * or why nobody can tell.  Reads one index after the other, each once.
 */
enum rc lacks_nothing(struct store *st, const struct oplog_old *old,
		      const struct heirs *now,
		      const struct tombstone_set *deleted,
		      struct err *err) MUST_CHECK;

#endif
