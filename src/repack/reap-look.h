/* SPDX-License-Identifier: Apache-2.0 */
/* reap-look.h - whether a round of reap has anything to do.
 *
 * Most rounds have not: nothing is deleted, or all of it waits for its grace
 * period.  One list of the whole archive, then one look at the log tell so, and
 * how deletions stand.  What is found here is no ground to remove or write
 * anything: where there is something to do, the steps of the round look for
 * themselves, right before they do it.  So if this errs by what it was not
 * shown, something is done a round later.
 */
#ifndef DESFS_REPACK_REAP_LOOK_H
#define DESFS_REPACK_REAP_LOOK_H

#include <stdbool.h>

#include "base/err.h"
#include "repack/reap.h"

struct reap_looked {
	bool is_idle;       /* but for these two: */
	bool is_return_due; /* it is to be looked for what came back */
	bool has_index;     /* there is a log/index.json */
};

/* Reads log.  Where the round is idle, totals are those of the round, with how
 * deletions stand.
 */
enum rc reap_look(struct oplog *log, const struct reap_options *opts,
		  struct reap_totals *totals, struct reap_looked *ret,
		  struct err *err) MUST_CHECK;

/* What the steps go by. */
int64_t reap_settle(const struct reap_options *opts);

#endif
