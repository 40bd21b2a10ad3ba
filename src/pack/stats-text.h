/* SPDX-License-Identifier: Apache-2.0 */
/* stats-text.h - a run as metrics for Prometheus; desfs-pack(1), METRICS. */
#ifndef DESFS_PACK_STATS_TEXT_H
#define DESFS_PACK_STATS_TEXT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct report;

/* Times are seconds since 1970; 0: never. */
struct stats {
	const char *labels; /* of all metrics, see metric_label */
	struct report *report;
	double start;        /* of this run */
	double success;      /* when the last run ended that packed all */
	double success_from; /* when that one had begun */
	double now;
	bool has_ended;
	enum rc rc; /* how, if so */
};

void stats_text(const struct stats *s, struct buf *out);

/* The two that are taken over from run to run. */
#define STATS_SUCCESS "des_packer_last_success_timestamp_seconds"
#define STATS_SUCCESS_FROM "des_packer_archived_until_timestamp_seconds"

#endif
