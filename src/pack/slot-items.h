/* SPDX-License-Identifier: Apache-2.0 */
/* slot-items.h - what the walk found of one slot, in order of keys.
 *
 *	slot_items_open(&s, p, slot, err);
 *	while (!(rc = slot_items_next(&s, &item, err)))
 *		...
 *	slot_items_close(&s);
 *
 * For one thread; there may be several.
 */
#ifndef DESFS_PACK_SLOT_ITEMS_H
#define DESFS_PACK_SLOT_ITEMS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pack/item.h"

struct links_reader;
struct pack;
struct sorter_reader;

struct slot_items {
	struct sorter_reader *items;
	struct links_reader *links;
	struct buf last; /* key given last */
};

/* To be closed also after a failure. */
enum rc slot_items_open(struct slot_items *s, const struct pack *p,
			uint32_t slot, struct err *err) MUST_CHECK;
/* A zeroed one is fine. */
void slot_items_close(struct slot_items *s);

/* Each key once, with its links.  Valid until the next call.  RC_NOENT at the
 * end.
 */
enum rc slot_items_next(struct slot_items *s, struct item *ret,
			struct err *err) MUST_CHECK;

#endif
