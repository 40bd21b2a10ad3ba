/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what a run has done: counted, told file by file, summed up.
 *
 * Talk goes to stderr through the log, results as JSON lines to stdout when
 * asked for.  Safe from any thread, and cheap: most calls add to a counter.
 */
#ifndef DESFS_PACK_REPORT_H
#define DESFS_PACK_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "shard/shard-entry.h"

struct report_options {
	bool is_json;    /* results to stdout */
	bool is_verbose; /* each file */
	bool is_dry_run;
	bool remembers_failed; /* for report_has_failed */
	enum progress_mode progress;
};

/* Stored bytes of a block for each plain byte: upper bounds of the classes that
 * are counted, besides one for all above.
 */
#define REPORT_RATIOS 14
extern const double report_ratio_bounds[REPORT_RATIOS];

/* Of names, unless it says bytes. */
struct report_counts {
	uint64_t found, found_bytes;         /* in the sources */
	uint64_t elsewhere, elsewhere_bytes; /* of these, other workers' */
	uint64_t packed, packed_bytes;
	uint64_t packed_files, packed_dirs; /* of those packed */
	uint64_t unchanged, unchanged_bytes;
	uint64_t removed; /* whiteouts */
	uint64_t failed;
	uint64_t given_up, given_up_bytes; /* of those found */
	uint64_t left_out;                 /* sockets and the like */
	uint64_t excluded;
	uint64_t erased, erased_bytes; /* of those found: deleted for good */
	uint64_t shards, shards_existed, stored_bytes;
	/* Of files that the archive has; bytes once for each name. */
	uint64_t removed_sources, removed_source_bytes;
	uint64_t kept_sources; /* of those failed: not what was packed */
	uint64_t slots, slots_done;
	uint64_t block_bytes;      /* plain, in blocks written so far */
	uint64_t written_bytes;    /* of shards in the making, too */
	uint64_t errors[RC_COUNT]; /* failed, by their cause */
	uint64_t ratios[REPORT_RATIOS + 1]; /* blocks */
	uint64_t ratio_millionths;          /* sum over all blocks */
};

struct report_phase {
	const char *name;
	uint64_t ns; /* spent in it */
};

#define REPORT_PHASES 8

struct report;
struct state;

struct report *report_new(const struct report_options *opts) MUST_CHECK;
void report_free(struct report *r);

/* What its threads are at; lives as long as the report. */
struct state *report_state(struct report *r);

/* The phase shown as progress; static. */
void report_phase(struct report *r, const char *phase);
/* The slots to be packed; all files have been found. */
void report_slots(struct report *r, uint64_t n);
void report_slot_done(struct report *r);

/* Of n names; bytes is the sum of theirs. */
void report_found(struct report *r, uint64_t n, uint64_t bytes);
/* One of them is another worker's. */
void report_elsewhere(struct report *r, uint64_t bytes);
void report_excluded(struct report *r);
/* "<uid>: <err->msg>", and the file counts as failed. */
void report_failed(struct report *r, struct span uid, const struct err *err);
/* The same of one that was found, with so many bytes: nothing is left to do
 * about it.
 */
void report_given_up(struct report *r, struct span uid, uint64_t bytes,
		     const struct err *err);
/* Was it reported as failed?  Another name may be taken for it as rarely as
 * memory fails.
 */
bool report_has_failed(struct report *r, struct span uid);
/* "<uid>: <why>", which is no failure. */
void report_left_out(struct report *r, struct span uid, const char *why);
void report_packed(struct report *r, struct span uid, enum entry_type type,
		   uint64_t bytes);
void report_unchanged(struct report *r, uint64_t n, uint64_t bytes);
/* It was deleted for good, so it is not packed again. */
void report_erased(struct report *r, struct span uid, enum entry_type type,
		   uint64_t bytes);
void report_removed(struct report *r, struct span uid);
/* A source that the archive has was removed, or would be. */
void report_removed_source(struct report *r, struct span uid,
			   enum entry_type type, uint64_t bytes);
/* One was kept though the archive has it, which counts as failed. */
void report_kept_source(struct report *r, struct span uid,
			const struct err *err);
void report_shard(struct report *r, uint64_t stored_bytes, bool existed);
/* A block was written that holds plain bytes of files in stored ones. */
void report_block(struct report *r, uint64_t plain, uint64_t stored);
/* Bytes written so far of a shard in the making. */
void report_written(struct report *r, uint64_t bytes);

/* What was packed is in the archive now. */
void report_committed(struct report *r);
bool report_is_committed(const struct report *r);

/* As of now; the numbers need not be of one moment. */
struct report_counts report_counts(struct report *r);
/* How many phases there were, the last being the one it is in. */
size_t report_phases(struct report *r, struct report_phase ret[REPORT_PHASES]);
/* ns since report_new. */
uint64_t report_age(const struct report *r);

/* Measure the speed, and show the progress if it is time; for one thread.
 * Returns when it is time again, by clock_mono_ns.
 */
uint64_t report_tick(struct report *r);
struct progress_speed report_speed(struct report *r);

/* End the progress line, when nobody ticks any more; then the summary. */
void report_end_progress(struct report *r);
void report_summary(struct report *r, bool is_quiet);

#endif
