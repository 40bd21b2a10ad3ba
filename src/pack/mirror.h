/* SPDX-License-Identifier: Apache-2.0 */
/* mirror.h - names that are gone from the sources, and what stays of the
 * directories they were in.
 */
#ifndef DESFS_PACK_MIRROR_H
#define DESFS_PACK_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pack/plan.h"
#include "shard/shard-entry.h"

struct pack;
struct tree;
struct uid_set;

/* RC_USAGE: a source has nothing in it and the archive's tree has something in
 * that place, which --mirror-empty does not give away: a file system that is
 * not mounted looks like that.
 */
enum rc mirror_check_sources(const struct pack *p, struct err *err) MUST_CHECK;

/* Does a run that mirrors take the name, which the walk has not seen, for
 * deleted?  It is asked for: one that is there, or cannot be looked at, is
 * reported as failed and stays in the archive, as its directory was not shown
 * as it is.
 */
bool mirror_deletes(const struct pack *p, struct tree *tree, uint32_t slot,
		    const struct entry *e);

/* Put the directories above a whiteout into its part, as the archive has them.
 * Those that it does not have stay away, and those of ended: hashes, as for a
 * filter, of the directories that the slot's plan has something else for.
 */
enum rc mirror_plan_above(const struct pack *p, struct plan *plan,
			  struct plan_place place, const struct item *whiteout,
			  const struct uid_set *ended,
			  struct err *err) MUST_CHECK;

#endif
