/* SPDX-License-Identifier: Apache-2.0 */
/* verify-shard.h - all that can be checked of one shard; for verify.c. */
#ifndef DESFS_VERIFY_VERIFY_SHARD_H
#define DESFS_VERIFY_VERIFY_SHARD_H

#include <stdbool.h>

#include "store/store.h"
#include "verify/verify-report.h"
#include "volume/oplog.h"

struct tombstone_set;
struct verify_pool;

struct verify_shard_job {
	struct store *store;
	const char *key;
	const struct shard_meta *expect; /* what the log says, or NULL */
	const uint8_t *archive_id;       /* of the descriptor, or NULL */
	struct throttle *throttle;       /* may be NULL */
	struct verify_live *live;        /* likewise */
	struct verify_pool *pool;        /* likewise; with deep */
	/* What is deleted, and what of it should be gone; may be NULL. */
	const struct tombstone_set *deleted, *overdue;
	/* Tell of a shard that cannot be read, but may be whole, as of one that
	 * is not damaged.
	 */
	bool tells_unread;
	bool deep;
	bool names;   /* with deep: look for names that damage hides, too */
	size_t ahead; /* bytes read at once; 0: each part by itself */
};

/* What is found goes to report.  A stop (base/stop.h) ends it early only where
 * report->may_stop is set.
 */
void verify_shard(const struct verify_shard_job *job,
		  struct verify_report *report);

#endif
