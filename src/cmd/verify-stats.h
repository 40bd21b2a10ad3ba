/* SPDX-License-Identifier: Apache-2.0 */
/* verify-stats.h - a run of desfs verify as metrics; desfs-verify(1), METRICS.
 */
#ifndef DESFS_CMD_VERIFY_STATS_H
#define DESFS_CMD_VERIFY_STATS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "verify/verify.h"

/* Times are seconds, of points in time since 1970. */
struct verify_stats {
	const char *labels;
	struct verify_live *live;
	double start, duration;
	bool has_ended;
	enum rc rc; /* how, if so */
};

void verify_stats_text(const struct verify_stats *s, struct buf *out);

#endif
