/* SPDX-License-Identifier: Apache-2.0 */
/* feed-told.h - the records of a feed that a part has, until it is published
 * and they can be told where they are.
 */
#ifndef DESFS_PACK_FEED_TOLD_H
#define DESFS_PACK_FEED_TOLD_H

#include <stdint.h>

#include "base/err.h"

struct entry;
struct feed;
struct feed_told;

/* feed and spool_dir are borrowed. */
struct feed_told *feed_told_new(const struct feed *feed,
				const char *spool_dir) MUST_CHECK;
void feed_told_free(struct feed_told *t); /* takes NULL */

/* A lane_told_fn, whose labels are numbers of records; arg is the struct. */
enum rc feed_told_entry(void *arg, uint64_t number, const struct entry *e,
			const struct err *failure, struct err *err) MUST_CHECK;

/* The part is in the store under key: tell of all.  NULL: nothing. */
enum rc feed_told_publish(struct feed_told *t, const char *key,
			  struct err *err) MUST_CHECK;

#endif
