/* SPDX-License-Identifier: Apache-2.0 */
/* repack.h - a run over an archive: choose shards, make them again, commit.
 *
 *	store_run_begin(st, &run, err);
 *	log = oplog_new(); oplog_expect(log, archive_id);
 *	repack_run(log, &opts, &totals, err);
 *
 * The run's mark is there before the log is read, so that nobody purges what a
 * record of this run replaces too late.  Each group of shards that is made
 * again has a record of its own.
 */
#ifndef DESFS_REPACK_REPACK_H
#define DESFS_REPACK_REPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "repack/engine.h"
#include "repack/plan-repack.h"
#include "volume/oplog.h"

struct store;

#define REPACK_GRACE_DEFAULT (INT64_C(24) * 3600) /* seconds */

enum repack_status {
	REPACK_DONE,
	REPACK_WOULD,   /* of a dry run */
	REPACK_BEATEN,  /* another run was quicker: its revisions count */
	REPACK_NOTHING, /* nothing was to be done after all */
	REPACK_FAILED,
};

/* "done", "would", ... */
const char *repack_status_text(enum repack_status s);

/* What became of one group.  All is borrowed for the call. */
struct repack_event {
	enum repack_status status;
	enum oplog_why why;
	const struct shard_meta *const *in;
	size_t n_in;
	const struct engine_result *out; /* REPACK_DONE, _BEATEN */
	const struct plan_shard *plan;   /* of the first, of a dry run */
	const struct err *err;           /* REPACK_FAILED */
};
typedef void repack_fn(void *arg, const struct repack_event *event);

struct repack_options {
	struct store *store; /* for writing, unless the run is dry */
	const uint8_t *archive_id;
	/* Keys of shards or what comes behind their last '/'; none: all. */
	const char *const *only;
	size_t n_only;
	struct plan_options plan;
	enum codec_id codec; /* with plan.recompress */
	int level;
	int64_t grace; /* seconds, recorded with what is replaced */
	bool dry_run;
	unsigned int jobs;     /* threads; 0: one */
	const char *spool_dir; /* for temporary files */
	repack_fn *fn;         /* on the calling thread; may be NULL */
	engine_lost_fn *lost;  /* likewise */
	void *arg;
	/* Looked at by another thread; may be NULL. */
	struct engine_progress *progress;
};

struct repack_totals {
	uint64_t looked_at, groups; /* shards that were asked, groups made */
	uint64_t replaced, written; /* shards */
	uint64_t held;              /* shards left alone under a hold */
	uint64_t beaten, failed;    /* groups */
	/* Groups with shards that no record may name: the run is to be ended as
	 * one that is not committed, so that they are found and removed.
	 */
	uint64_t unused;
	/* A deletion was taken back while a group was committed that may have
	 * left it out: this run is to purge nothing.
	 */
	bool is_withdrawn;
	struct engine_report report; /* summed up */
};

/* RC_PARTIAL: some groups failed, which events tell of. */
enum rc repack_run(struct oplog *log, const struct repack_options *opts,
		   struct repack_totals *ret, struct err *err) MUST_CHECK;

#endif
