/* SPDX-License-Identifier: Apache-2.0 */
/* gather.h - all names in the sources, sorted by slot. */
#ifndef DESFS_PACK_GATHER_H
#define DESFS_PACK_GATHER_H

#include "base/err.h"

struct pack;

#define GATHER_MEMORY (32u << 20) /* bytes sorted in memory, without links */

/* Walk the sources; fills items, dirs, links and keep of the pack, which owns
 * them.  With created_at from mtime the stamp becomes the latest one.
 */
enum rc gather(struct pack *p, struct err *err) MUST_CHECK;

#endif
