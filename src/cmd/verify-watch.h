/* SPDX-License-Identifier: Apache-2.0 */
/* verify-watch.h - tells how desfs verify comes along while it does: progress,
 * and metrics for Prometheus.
 */
#ifndef DESFS_CMD_VERIFY_WATCH_H
#define DESFS_CMD_VERIFY_WATCH_H

#include "base/err.h"
#include "base/progress.h"
#include "verify/verify.h"

struct verify_watch;

struct verify_watch_options {
	enum progress_mode progress;
	const char *stats_file; /* NULL: none */
	const char *labels;     /* of all metrics, see base/metric.h */
	const char *phase;      /* what is done, in a word or two */
	struct verify_live *live;
};

/* All is borrowed. */
enum rc verify_watch_start(struct verify_watch **ret,
			   const struct verify_watch_options *opts,
			   struct err *err) MUST_CHECK;
/* The line is wiped; rc is how the run ended, for the metrics.  Takes NULL. */
void verify_watch_stop(struct verify_watch *w, enum rc rc);

#endif
