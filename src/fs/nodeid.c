/* SPDX-License-Identifier: Apache-2.0 */
/* nodeid.c - node numbers the kernel knows us by; arithmetic, no table. */
#include "config.h"

#include "fs/nodeid.h"

#include <assert.h>

#define KIND_SHIFT (NODEID_SHARD_BITS + NODEID_ORDINAL_BITS)
#define NUMBER_MASK ((UINT64_C(1) << KIND_SHIFT) - 1)
#define ORDINAL_MASK ((UINT64_C(1) << NODEID_ORDINAL_BITS) - 1)
#define SHARD_MAX ((UINT64_C(1) << NODEID_SHARD_BITS) - 2)

bool nodeid_of_entry(enum nodeid_kind kind, struct volume_node node,
		     uint64_t *ret)
{
	assert(kind == NODEID_TREE || kind == NODEID_DATE ||
	       kind == NODEID_INFO);
	if (node.shard > SHARD_MAX || node.ordinal > ORDINAL_MASK)
		return false;
	/* With shard + 1 neither 0 nor the root's 1 can come out. */
	*ret = (uint64_t)kind << KIND_SHIFT |
	       ((uint64_t)node.shard + 1) << NODEID_ORDINAL_BITS | node.ordinal;
	return true;
}

uint64_t nodeid_of_control(uint64_t number)
{
	assert(number <= NUMBER_MASK);
	return (uint64_t)NODEID_CONTROL << KIND_SHIFT | number;
}

struct nodeid nodeid_decode(uint64_t ino)
{
	struct nodeid n = { .kind = (enum nodeid_kind)(ino >> KIND_SHIFT) };

	if (ino == NODEID_ROOT_INO) {
		n.kind = NODEID_ROOT;
	} else if (n.kind == NODEID_CONTROL) {
		n.number = ino & NUMBER_MASK;
	} else {
		n.node.shard =
			(uint32_t)((ino & NUMBER_MASK) >> NODEID_ORDINAL_BITS) -
			1;
		n.node.ordinal = ino & ORDINAL_MASK;
		n.node.date = n.kind == NODEID_DATE;
	}
	return n;
}
