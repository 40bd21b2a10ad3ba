/* SPDX-License-Identifier: Apache-2.0 */
/* gather-feed.h - all records of a feed, sorted by slot.
 *
 * Keys of the sorter are those of items, then a byte of enum feed_rank, the
 * time as item_put_newest has it and the record's number, most significant byte
 * first.  So the records of a name come from the newest to the oldest, those
 * without a time behind them, and at last the times of what is below it, if it
 * is above others; these have no value.
 */
#ifndef DESFS_PACK_GATHER_FEED_H
#define DESFS_PACK_GATHER_FEED_H

#include "base/err.h"
#include "pack/item.h"

struct pack;

enum feed_rank { FEED_LISTED = 1, FEED_ABOVE = 2 };

/* Behind a key. */
#define FEED_KEY_BYTES (1 + 1 + ITEM_NEWEST_BYTES + 8)

/* List the feed of the options; fills items and links of the pack, which owns
 * them.  Records that cannot be packed whatever the archive has are told of.
 */
enum rc gather_feed(struct pack *p, struct err *err) MUST_CHECK;

#endif
