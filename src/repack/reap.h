/* SPDX-License-Identifier: Apache-2.0 */
/* reap.h - one round of all that deleting takes: whatever the states of
 * deletions and revisions allow now.
 *
 * Any number of rounds may run at once: each step makes new objects alone, or
 * removes what nobody counts.  A round that ends early is completed by the
 * next.
 */
#ifndef DESFS_REPACK_REAP_H
#define DESFS_REPACK_REAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "repack/erasure-list.h"
#include "repack/finish.h"
#include "repack/fold.h"
#include "repack/purge.h"
#include "repack/repack.h"
#include "repack/returned.h"
#include "repack/tidy.h"
#include "repack/tombstone-aggregate.h"
#include "volume/oplog.h"

struct store;

enum reap_step {
	REAP_CLEAN,     /* what dead runs have left */
	REAP_RETURNED,  /* what was deleted and came back */
	REAP_AGGREGATE, /* tombstones of an hour */
	REAP_REPACK,
	REAP_PURGE,
	REAP_FOLD, /* the log into checkpoints */
	REAP_FINISH,
	REAP_TIDY,
	REAP_PUBLISH, /* the log's index, if there is one */
};
#define REAP_STEPS (REAP_PUBLISH + 1)
/* "clean", "aggregate", ... */
const char *reap_step_text(enum reap_step step);

struct reap_callbacks {
	repack_fn *repack;
	purge_fn *purge;
	engine_lost_fn *lost;
	/* A step failed; the others are tried all the same. */
	void (*failed)(void *arg, enum reap_step step, const struct err *err);
	/* Something that was left was removed, or stays. */
	void (*leftover)(void *arg, const char *what, bool is_removed);
	void *arg;
};

struct reap_options {
	struct store *store; /* for writing */
	const uint8_t *archive_id;
	const uint8_t *secret; /* see finish.h; or NULL */
	/* All that the list was ever written with, that one too. */
	const uint8_t (*secrets)[SUPPRESSION_SECRET_LEN];
	size_t n_secrets;
	int64_t grace;             /* seconds, of what is replaced now */
	unsigned int when_deleted; /* per cent; 0: anything */
	bool dry_run;              /* tell what would be repacked, purged */
	unsigned int jobs;         /* 0: one */
	const char *spool_dir;
	struct reap_callbacks tell;       /* each may be NULL */
	struct engine_progress *progress; /* or NULL */
};

struct reap_totals {
	struct repack_totals repack;
	struct purge_totals purge;
	struct fold_totals fold;
	struct finish_totals finish;
	struct tombstone_aggregated aggregated;
	struct tidied tidied;
	struct returned returned;
	uint64_t leftovers; /* removed */
	/* How deletions stand, if that was found out by the way. */
	struct erasure_counts erasures;
	bool has_erasures;
	bool failed[REAP_STEPS];
};

/* log is new, keeps receipts and expects the archive.  RC_PARTIAL: some step
 * failed, or could not do all.
 */
enum rc reap_round(struct oplog *log, const struct reap_options *opts,
		   struct reap_totals *ret, struct err *err) MUST_CHECK;

#endif
