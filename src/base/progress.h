/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h - how far a long run has come: a line on a terminal, JSON lines
 * for programs.
 *
 * Workers call progress_update as often as they like: most calls read a coarse
 * clock and return.  The terminal line is rewritten at most 5 times a second
 * and wiped at the end; without a terminal, and as JSON, there is a line a
 * second, and one at the end.
 */
#ifndef DESFS_BASE_PROGRESS_H
#define DESFS_BASE_PROGRESS_H

#include <stdint.h>

#include "base/compiler.h"

/* In the order of progress_mode_names. */
enum progress_mode {
	PROGRESS_AUTO,   /* a line if there is a terminal, else nothing */
	PROGRESS_ALWAYS, /* a line, also without a terminal */
	PROGRESS_NEVER,
	PROGRESS_JSON,
};

/* For OPT_CHOICE: "auto", "always", "never", "json", NULL. */
extern const char *const progress_mode_names[];

struct progress_counters {
	const char *phase; /* what is being done, one word or two; "" is fine */
	uint64_t files_done;
	uint64_t files_total; /* 0: not known */
	uint64_t bytes_in;
	uint64_t bytes_total; /* that bytes_in will come to; 0: not known */
	uint64_t bytes_out;
	uint64_t errors;
};

struct progress;

/* Write to the descriptor fd, which stays the caller's (STDERR_FILENO). */
struct progress *progress_new(enum progress_mode mode, int fd) MUST_CHECK;

/* From any thread; the counters need not be one consistent picture. */
void progress_update(struct progress *p, const struct progress_counters *c);

/* The last word: wipe the line, or write the last one (counters may be NULL
 * when there was nothing to count); free.  No other thread may update any more;
 * takes NULL.
 */
void progress_end(struct progress *p, const struct progress_counters *c);

#endif
