/* SPDX-License-Identifier: Apache-2.0 */
/* finish.h - deletions of which nothing is left: their receipts, the list of
 * what is not to come back, and the documents that are done.
 */
#ifndef DESFS_REPACK_FINISH_H
#define DESFS_REPACK_FINISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "volume/oplog.h"

struct store;
struct store_run;

/* Nothing is done sooner after the last revision, us; or the grace period: one
 * whose clock is behind may still read what was there before.
 */
#define FINISH_SETTLE CLOCK_SKEW_US

/* How long that is in such a store, if it is to be settle. */
int64_t finish_settle(const struct store *st, int64_t settle);

/* Whether records of the log still have names of a shard that is gone. */
typedef bool finish_names_fn(void *arg, const uint8_t root[SHARD_ROOT_LEN]);

struct finish_options {
	struct store *store;
	const uint8_t *archive_id;
	const struct store_run *run; /* the caller's, or NULL */
	const uint8_t *secret;       /* SUPPRESSION_SECRET_LEN bytes; NULL:
				      the one in the archive, made at need */
	int64_t settle;              /* us */
	bool keep_open;              /* there may be bytes that nothing names:
					nothing is called done */
	unsigned int jobs;
	finish_names_fn *has_names;
	void *arg;
};

struct finish_totals {
	uint64_t finished;   /* erasures: their last receipt was written */
	uint64_t documents;  /* that are done */
	uint64_t suppressed; /* uids */
	uint64_t split;      /* documents: only some of it is done */
	uint64_t open, held; /* erasures that are not finished */
	/* Shards that the log does not expect there and that have, or may have,
	 * what is deleted; or of which the log is wrong.  One of them.
	 */
	uint64_t strays;
	char text[ERR_MSG_MAX];
};

/* Reads the log before and after. */
enum rc finish_erasures(struct oplog *log, const struct finish_options *opts,
			struct finish_totals *ret, struct err *err) MUST_CHECK;

#endif
