/* SPDX-License-Identifier: Apache-2.0 */
/* links.h - which names are the same file: hard links found by the walk.
 *
 * Any thread may add; when that is done, any thread may ask.
 */
#ifndef DESFS_PACK_LINKS_H
#define DESFS_PACK_LINKS_H

#include <stdint.h>

#include "base/compiler.h"
#include "shard/shard-entry.h"

struct links;

struct links *links_new(void) MUST_CHECK;
void links_free(struct links *l);

/* A name of the inode; returns the inode's number, from 1 on. */
uint64_t links_add(struct links *l, uint64_t dev, uint64_t ino,
		   struct span uid);

/* How many names of the inode were added, and the smallest of them. */
uint32_t links_group(const struct links *l, uint64_t number,
		     struct span *ret_group);

#endif
