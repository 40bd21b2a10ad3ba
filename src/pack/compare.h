/* SPDX-License-Identifier: Apache-2.0 */
/* compare.h - what of a slot is to be packed: the sources against the archive.
 */
#ifndef DESFS_PACK_COMPARE_H
#define DESFS_PACK_COMPARE_H

#include <stdint.h>

#include "base/err.h"

struct pack;
struct plan;
struct tree;

/* Fill the plan with the slot's new and changed items and, when mirroring, with
 * whiteouts.  From any thread, with a tree and a plan of its own.
 */
enum rc compare_slot(struct pack *p, uint32_t slot, struct tree *tree,
		     struct plan *plan, struct err *err) MUST_CHECK;

#endif
