/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h - tells how a run goes while it does: the progress line, the file of
 * --stats-file every few seconds, and the state on stderr after SIGUSR1.
 *
 * A thread of its own does all of it, so what it looks at must be safe to look
 * at from any thread.  One at a time in a process.
 */
#ifndef DESFS_PACK_WATCH_H
#define DESFS_PACK_WATCH_H

#include "base/err.h"

struct report;
struct stats_file;
struct watch;

/* stats_file may be NULL. */
enum rc watch_start(struct watch **ret, struct report *report,
		    struct stats_file *stats_file, struct err *err) MUST_CHECK;

/* The thread is gone, and SIGUSR1 is ignored from here on; takes NULL. */
void watch_stop(struct watch *w);

#endif
