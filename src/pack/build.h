/* SPDX-License-Identifier: Apache-2.0 */
/* build.h - a slot's plan to shards in the store. */
#ifndef DESFS_PACK_BUILD_H
#define DESFS_PACK_BUILD_H

#include <stdint.h>

#include "base/err.h"

struct pack;
struct plan;
struct tree;

/* Read the finished plan, make its shards, publish them and hand them to
 * pack_add_shard.  Files that cannot be read are reported and left out.  From
 * any thread, with a plan and a tree of its own.
 */
enum rc build_slot(struct pack *p, uint32_t slot, struct tree *tree,
		   struct plan *plan, struct err *err) MUST_CHECK;

#endif
