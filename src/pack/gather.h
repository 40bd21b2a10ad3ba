/* SPDX-License-Identifier: Apache-2.0 */
/* gather.h - all names in the sources, sorted by slot. */
#ifndef DESFS_PACK_GATHER_H
#define DESFS_PACK_GATHER_H

#include <stddef.h>

#include "base/err.h"

struct pack;
struct pack_options;

/* Bytes sorted in memory, without links: more where uploads need none. */
size_t gather_memory(const struct pack_options *o);

/* Threads that walk, bytes of names of directories to be entered that each of
 * them keeps in memory, and what these take at most: a buffer that doubles, and
 * what is handed over.
 */
#define GATHER_WALKERS 4
#define GATHER_NAMES (256u << 10)
#define GATHER_WALKER_MEMORY (2 * GATHER_NAMES + (128u << 10))

/* Walk the sources; fills items, dirs, links and keep of the pack, which owns
 * them.  With created_at from mtime the stamp becomes the latest one.
 */
enum rc gather(struct pack *p, struct err *err) MUST_CHECK;

/* What walking and listing a feed have in common: items, links, keep and dirs,
 * for n_walkers threads.
 */
void gather_make_tables(struct pack *p, unsigned int n_walkers);

#endif
