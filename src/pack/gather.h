/* SPDX-License-Identifier: Apache-2.0 */
/* gather.h - all names in the sources, sorted by slot. */
#ifndef DESFS_PACK_GATHER_H
#define DESFS_PACK_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct pack;
struct pack_options;

#define GATHER_MEMORY (32u << 20) /* bytes sorted in memory, without links */

/* Walk the sources; fills items, dirs, links and keep of the pack, which owns
 * them.  With created_at from mtime the stamp becomes the latest one.
 */
enum rc gather(struct pack *p, struct err *err) MUST_CHECK;

/* The directory that the archive is; false when it is none. */
bool gather_find_archive(const struct pack_options *o, uint64_t *ret_dev,
			 uint64_t *ret_ino);

#endif
