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
struct uid_set;

/* Would a run that mirrors take the name, which no source has, for deleted? */
bool mirror_deletes(const struct pack *p, uint32_t slot, const struct entry *e);

/* Put the directories above a whiteout into its part, as the archive has them.
 * Those that it does not have stay away, and those of ended: hashes, as for a
 * filter, of the directories that the slot's plan has something else for.
 */
enum rc mirror_plan_above(const struct pack *p, struct plan *plan,
			  struct plan_place place, const struct item *whiteout,
			  const struct uid_set *ended,
			  struct err *err) MUST_CHECK;

#endif
