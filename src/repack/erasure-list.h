/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-list.h - how all deletions stand that are not done. */
#ifndef DESFS_REPACK_ERASURE_LIST_H
#define DESFS_REPACK_ERASURE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "erase/erasure-state.h"
#include "repack/erasure-facts.h"
#include "repack/holds.h"
#include "repack/survey.h"
#include "volume/oplog.h"

struct store;

struct erasure_event {
	const struct survey_erasure *erasure;
	struct erasure_status status;
	const struct hold *hold; /* NULL: none covers it */
	const char *problem;     /* a shard that cannot be read; or NULL */
};
typedef void erasure_list_fn(void *arg, const struct erasure_event *e);

struct erasure_list_options {
	struct store *store; /* for reading */
	unsigned int jobs;   /* 0: one */
	int64_t margin;      /* see erasure-state.h, us */
	erasure_list_fn *fn; /* in the order of the uids; may be NULL */
	void *arg;
};

struct erasure_counts {
	uint64_t open, held, in_danger; /* in danger are open, too */
	uint64_t by_state[ERASURE_DONE + 1];
	int64_t oldest; /* age of the oldest open one, us; 0: none */
};

/* Reads the log, which keeps its receipts.  What was taken back is passed over.
 */
enum rc erasure_list(struct oplog *log, const struct erasure_list_options *opts,
		     struct erasure_counts *ret, struct err *err) MUST_CHECK;

/* The same of what is known already; of the options fn and arg. */
void erasure_list_known(const struct erasure_known *k,
			const struct erasure_list_options *o,
			struct erasure_counts *ret);

#endif
