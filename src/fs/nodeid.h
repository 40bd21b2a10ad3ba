/* SPDX-License-Identifier: Apache-2.0 */
/* nodeid.h - node numbers the kernel knows us by; arithmetic, no table.
 *
 *	63 62  61 ......... 34  33 ................ 0
 *	 0  0  shard + 1        ordinal of the entry    tree view
 *	 0  1  shard + 1        ordinal of the entry    date view
 *	 1  0  shard + 1        ordinal of the entry    .des/info of it
 *	 1  1  number                                   other control nodes
 *
 * A number stands for one entry for as long as the mount lasts, so it may be
 * cached for ever.  1 is the root, whatever it shows.
 */
#ifndef DESFS_FS_NODEID_H
#define DESFS_FS_NODEID_H

#include <stdbool.h>
#include <stdint.h>

#include "volume/volume.h"

#define NODEID_ROOT_INO 1u /* FUSE_ROOT_ID */
#define NODEID_SHARD_BITS 28
#define NODEID_ORDINAL_BITS 34

enum nodeid_kind {
	NODEID_TREE,
	NODEID_DATE,
	NODEID_INFO,
	NODEID_CONTROL,
	NODEID_ROOT,
};

struct nodeid {
	enum nodeid_kind kind;
	struct volume_node node; /* of tree, date and info */
	uint64_t number;         /* of control nodes */
};

/* The node number of an entry in the tree, date or info view; false when shard
 * or ordinal is beyond what fits.
 */
bool nodeid_of_entry(enum nodeid_kind kind, struct volume_node node,
		     uint64_t *ret);

uint64_t nodeid_of_control(uint64_t number);

struct nodeid nodeid_decode(uint64_t ino);

/* Of the control directory or in it. */
static inline bool nodeid_is_control(uint64_t ino)
{
	return ino >> 63;
}

#endif
