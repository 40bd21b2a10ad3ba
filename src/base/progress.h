/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h - how far a long run has come: how quick it is and how long it
 * will take, a line on a terminal, JSON lines for programs.
 *
 * One thread calls progress_update now and then.  The terminal line is
 * rewritten at most 5 times a second and wiped at the end; without a terminal,
 * and as JSON, there is a line a second, and one at the end.
 */
#ifndef DESFS_BASE_PROGRESS_H
#define DESFS_BASE_PROGRESS_H

#include <stdbool.h>
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

/* A number that becomes smaller begins anew, as with another phase. */
struct progress_counters {
	const char *phase; /* what is being done, one word or two; "" is fine */
	const char *unit; /* what pieces are called; NULL: "slots" */
	uint64_t slots_done, slots_total; /* pieces of the work; 0: none yet */
	/* Nothing is left to do about: */
	uint64_t files_done, bytes_done;
	/* Which will come to; 0: not known. */
	uint64_t files_total, bytes_total;
	/* Worked on, not only looked at: */
	uint64_t files_in, bytes_in;
	uint64_t bytes_out;
	uint64_t errors;
};

/* Means over the last seconds. */
struct progress_speed {
	double files, bytes; /* files_in and bytes_in a second */
	uint64_t ns_left;    /* if is_left_known */
	bool is_left_known;
};

struct progress;

/* Write to the descriptor fd, which stays the caller's (STDERR_FILENO). */
struct progress *progress_new(enum progress_mode mode, int fd) MUST_CHECK;

/* The counters need not be one consistent picture.  Returns the time (of
 * clock_mono_ns) before which another update does nothing.
 */
uint64_t progress_update(struct progress *p, const struct progress_counters *c);

/* As of the last update; from any thread. */
struct progress_speed progress_speed(struct progress *p);

/* The last word: wipe the line, or write the last one (counters may be NULL
 * when there was nothing to count).  Updates do nothing afterwards.
 */
void progress_end(struct progress *p, const struct progress_counters *c);
void progress_free(struct progress *p); /* takes NULL */

#endif
