/* SPDX-License-Identifier: Apache-2.0 */
/* goes.h - whether an entry goes with the next revision: it is deleted, and no
 * hold keeps it.
 */
#ifndef DESFS_REPACK_GOES_H
#define DESFS_REPACK_GOES_H

#include <stdbool.h>

#include "erase/tombstone-set.h"
#include "repack/holds.h"

/* Both may be NULL.  Holds of whole shards are not looked at. */
static inline bool entry_goes(const struct tombstone_set *deleted,
			      const struct holds *holds, const struct entry *e)
{
	if (!tombstone_set_hides(deleted, e->parent, e->name, e->created_at))
		return false;
	for (size_t i = 0; holds && i < holds->n; i++) {
		if (hold_has_entry(&holds->all[i], e->parent, e->name))
			return false;
	}
	return true;
}

#endif
