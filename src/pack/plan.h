/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - what one slot's shards will hold: items by day, part and key.
 *
 * Comparing fills a plan with what is to be packed and with the directories
 * above it; building reads it in order.  A part is full when its plain bytes or
 * its entries pass a limit.  For one thread.
 */
#ifndef DESFS_PACK_PLAN_H
#define DESFS_PACK_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pack/item.h"
#include "pack/past.h"

struct dirs;
struct feed;
struct plan;

struct plan_options {
	const char *spool_dir;
	size_t memory;       /* bytes kept before spilling */
	uint64_t part_bytes; /* plain bytes of a part */
	uint64_t part_items;
	const struct dirs *dirs;
	int64_t stamp; /* of the run: for directories that are only implied */
	/* Items are a feed's: of one key there may be several, of different
	 * times, and the directories above them, of which nothing is known, are
	 * as new as the newest item below.
	 */
	bool is_fed;
	const struct feed *feed; /* may know of these all the same; or NULL */
	/* Where days begin, by day; borrowed.  All others begin with part 0. */
	const struct past_part *first;
	size_t n_first;
};

struct plan *plan_new(const struct plan_options *opts) MUST_CHECK;
void plan_free(struct plan *p);

/* A part of a day. */
struct plan_place {
	uint32_t day, part;
};

/* Add an item with its created_at; it goes to the current part of its day.  Its
 * directories follow from it->dir; without, see plan_add_above.
 */
enum rc plan_add(struct plan *p, const struct item *it, struct plan_place *ret,
		 struct err *err) MUST_CHECK;

/* Are the directories above the item just placed known in its part? */
bool plan_knows_parent(const struct plan *p, struct plan_place place,
		       struct span parent);

/* Add a directory above an item without it->dir, in the item's part; it->name
 * and parent are set.
 */
enum rc plan_add_above(struct plan *p, struct plan_place place,
		       const struct item *it, struct err *err) MUST_CHECK;
void plan_know_parent(struct plan *p, struct plan_place place,
		      struct span parent);

/* Items added, not counting directories above them. */
uint64_t plan_count(const struct plan *p);

/* Then read: plan_finish, and plan_next until RC_NOENT. */
enum rc plan_finish(struct plan *p, struct err *err) MUST_CHECK;

/* One more reader of a finished plan; each is for one thread. */
struct plan_reader;
enum rc plan_reader_new(const struct plan *p, struct plan_reader **ret,
			struct err *err) MUST_CHECK;
void plan_reader_free(struct plan_reader *r);
enum rc plan_reader_next(struct plan_reader *r, struct plan_place *ret_place,
			 struct item *ret, struct err *err) MUST_CHECK;

/* The item is valid until the next call. */
enum rc plan_next(struct plan *p, struct plan_place *ret_place,
		  struct item *ret, struct err *err) MUST_CHECK;

#endif
