/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what a run has done: counted, told file by file, summed up.
 *
 * Talk goes to stderr through the log, results as JSON lines to stdout when
 * asked for.  Safe from any thread.
 */
#ifndef DESFS_PACK_REPORT_H
#define DESFS_PACK_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "shard/shard-entry.h"

struct report_options {
	bool is_json;    /* results to stdout */
	bool is_verbose; /* each file */
	bool is_dry_run;
	enum progress_mode progress;
};

/* Of names, unless it says bytes. */
struct report_counts {
	uint64_t found, found_bytes; /* in the sources */
	uint64_t packed, packed_bytes;
	uint64_t unchanged, unchanged_bytes;
	uint64_t removed; /* whiteouts */
	uint64_t failed;
	uint64_t left_out; /* sockets and the like */
	uint64_t excluded;
	uint64_t shards, shards_existed, stored_bytes;
};

struct report;

struct report *report_new(const struct report_options *opts) MUST_CHECK;
void report_free(struct report *r);

/* The phase shown as progress; total as far as known. */
void report_phase(struct report *r, const char *phase);

void report_found(struct report *r, uint64_t bytes);
void report_excluded(struct report *r);
/* "<uid>: <err->msg>", and the file counts as failed. */
void report_failed(struct report *r, struct span uid, const struct err *err);
/* "<uid>: <why>", which is no failure. */
void report_left_out(struct report *r, struct span uid, const char *why);
void report_packed(struct report *r, struct span uid, enum entry_type type,
		   uint64_t bytes);
void report_unchanged(struct report *r, uint64_t bytes);
void report_removed(struct report *r, struct span uid);
void report_shard(struct report *r, uint64_t stored_bytes, bool existed);
/* Plain bytes of files that a written block holds, for the progress line. */
void report_stored(struct report *r, uint64_t plain_bytes);
/* Bytes written so far of a shard in the making, for the progress line. */
void report_written(struct report *r, uint64_t bytes);

struct report_counts report_counts(struct report *r);

/* End the progress line; then the summary. */
void report_end_progress(struct report *r);
void report_summary(struct report *r, uint64_t duration_ns, bool is_quiet);

#endif
