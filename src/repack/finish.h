/* SPDX-License-Identifier: Apache-2.0 */
/* finish.h - deletions of which nothing is left: their receipts, the list of
 * what is not to come back, and the documents that are done.
 */
#ifndef DESFS_REPACK_FINISH_H
#define DESFS_REPACK_FINISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "volume/oplog.h"

struct store;
struct store_run;

/* Nothing is done sooner after the last revision, us; or the grace period. */
#define FINISH_SETTLE (INT64_C(15) * 60 * 1000000)

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
				      nothing more is finished */
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
};

/* Reads the log before and after. */
enum rc finish_erasures(struct oplog *log, const struct finish_options *opts,
			struct finish_totals *ret, struct err *err) MUST_CHECK;

#endif
