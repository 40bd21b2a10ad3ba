/* SPDX-License-Identifier: Apache-2.0 */
/* purge-rule.c - whether an old revision may be removed. */
#include "config.h"

#include "repack/purge-rule.h"

#include "base/clock.h"

static const char *const verdict_names[] = {
	[PURGE_YES] = "yes",
	[PURGE_COUNTS] = "counts",
	[PURGE_UNREAD] = "unread",
	[PURGE_HELD] = "held",
	[PURGE_GRACE] = "grace",
	[PURGE_RUN_ALIVE] = "run-alive",
	[PURGE_UNVERIFIED] = "unverified",
	[PURGE_LACKS] = "lacks",
};

const char *purge_verdict_text(enum purge_verdict v)
{
	return verdict_names[v];
}

int64_t purge_grace_end(int64_t time, int64_t grace, int64_t now)
{
	int64_t from = time < now ? time : now;

	if (grace < 0)
		grace = 0;
	return from > INT64_MAX - grace ? INT64_MAX : from + grace;
}

enum purge_verdict purge_rule(const struct purge_facts *f)
{
	if (f->is_replaced == f->is_lost)
		return PURGE_COUNTS;
	if (!f->is_read)
		return PURGE_UNREAD;
	if (f->is_held)
		return PURGE_HELD;
	if (purge_grace_end(f->time, f->grace, f->now) > f->now)
		return PURGE_GRACE;
	/* Its record may yet be written with a time before this one's, the more
	 * as clocks differ.
	 */
	if (f->oldest_run - CLOCK_SKEW_US <= f->time)
		return PURGE_RUN_ALIVE;
	if (!f->is_verified)
		return PURGE_UNVERIFIED;
	if (!f->is_lost && !f->is_covered)
		return PURGE_LACKS;
	return PURGE_YES;
}
