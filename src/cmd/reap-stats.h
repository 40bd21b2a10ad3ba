/* SPDX-License-Identifier: Apache-2.0 */
/* reap-stats.h - a round of desfs reap as metrics for Prometheus;
 * desfs-reap(1), METRICS.
 */
#ifndef DESFS_CMD_REAP_STATS_H
#define DESFS_CMD_REAP_STATS_H

#include <stdint.h>

#include "base/err.h"
#include "repack/erasure-list.h"
#include "repack/reap.h"

/* Replaces the file.  That it cannot be written is a warning.  start: ns. */
void reap_stats_write(const char *path, const char *archive,
		      const struct reap_totals *t,
		      const struct erasure_counts *e, int64_t start,
		      enum rc rc);

#endif
