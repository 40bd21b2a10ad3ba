/* SPDX-License-Identifier: Apache-2.0 */
/* compare-feed.h - what of a slot is to be packed: a feed's records against the
 * archive.
 *
 * A record with a time is there or it is not, whatever other versions the
 * archive has.  One without is as a file of the sources: a new version when it
 * differs from the newest, with a time at which it is seen.
 */
#ifndef DESFS_PACK_COMPARE_FEED_H
#define DESFS_PACK_COMPARE_FEED_H

#include <stdint.h>

#include "base/err.h"

struct pack;
struct plan;

/* Add what is to be packed of the slot to the plan; tells of all others. */
enum rc compare_feed_slot(struct pack *p, uint32_t slot, struct plan *plan,
			  struct err *err) MUST_CHECK;

#endif
