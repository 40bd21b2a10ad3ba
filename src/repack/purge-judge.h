/* SPDX-License-Identifier: Apache-2.0 */
/* purge-judge.h - collects what speaks against removing each old revision; for
 * purge.c.
 */
#ifndef DESFS_REPACK_PURGE_JUDGE_H
#define DESFS_REPACK_PURGE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "repack/holds.h"
#include "repack/old-set.h"
#include "repack/purge-rule.h"

/* One that is not gone from everywhere. */
struct purge_item {
	struct old_shard *shard;
	enum purge_verdict verdict;
	int64_t until;     /* of PURGE_GRACE */
	char *text;        /* what is wrong, or the hold's key; or NULL */
	bool is_uncertain; /* the facts could not be found out */
};

struct oplog;
struct tombstone_set;

struct purge_judge {
	struct store *st;
	const struct oplog *log;
	const struct oplog_state *state;
	const struct holds *holds;
	const struct tombstone_set *deleted; /* by what is live; or NULL */
	const uint8_t *archive_id;
	int64_t now, oldest_run;
	struct purge_item *items;
	size_t n;
};

/* Fills the items from all of old that is not gone.  Reads what takes the place
 * of those against which nothing else speaks, with so many threads.
 */
enum rc purge_judge(struct purge_judge *j, struct old_set *old,
		    unsigned int jobs, struct err *err) MUST_CHECK;
void purge_judge_release(struct purge_judge *j);

/* Whether its grace period is not over, so that nothing else is asked about it:
 * by st and now alone.
 */
bool purge_judge_is_early(const struct purge_judge *j,
			  const struct oplog_old *old) MUST_CHECK;

#endif
