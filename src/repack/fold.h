/* SPDX-License-Identifier: Apache-2.0 */
/* fold.h - hold records of the log together in checkpoints, and remove what
 * these stand for.
 *
 * Records that have names of shards which are gone everywhere are folded at
 * once, as first and last are names of files; others when there are many.  An
 * object is removed only after what stands for it was read back from every
 * place, and some time after that was written.
 */
#ifndef DESFS_REPACK_FOLD_H
#define DESFS_REPACK_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-format.h"
#include "volume/oplog.h"

struct archive_list;
struct store;

struct fold_options {
	struct store *store;
	const uint8_t *archive_id;
	int64_t settle;  /* us from the checkpoint to the removal */
	size_t min_many; /* so many records are folded without need; 0: 512 */
};

struct fold_totals {
	uint64_t checkpoints;   /* written */
	uint64_t removed;       /* records and older checkpoints */
	uint64_t waiting;       /* to be removed */
	uint64_t failed;        /* could not be */
	char text[ERR_MSG_MAX]; /* of the last that failed; or "" */
};

/* The roots of shards that are gone, and of which the log still has names. */
struct fold_names {
	uint8_t (*roots)[SHARD_ROOT_LEN]; /* in order */
	size_t n, cap;
};
void fold_names_release(struct fold_names *n);
/* For finish.h; arg is the struct. */
bool fold_names_has(void *arg, const uint8_t root[SHARD_ROOT_LEN]);

/* Reads the log, which has its receipts, before and after. */
enum rc fold_log(struct oplog *log, const struct fold_options *opts,
		 struct fold_totals *ret, struct fold_names *ret_names,
		 struct err *err) MUST_CHECK;

/* Whether there is anything to be written or removed now, without a request:
 * there was listed before log was read.  Of the totals: how many wait.
 */
enum rc fold_look(const struct oplog *log, const struct fold_options *opts,
		  const struct archive_list *there, struct fold_totals *ret,
		  bool *ret_is_due, struct err *err) MUST_CHECK;

#endif
