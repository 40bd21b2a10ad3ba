/* SPDX-License-Identifier: Apache-2.0 */
/* summary.h - the last words of a run. */
#ifndef DESFS_PACK_SUMMARY_H
#define DESFS_PACK_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct report_counts;

struct summary {
	const struct report_counts *counts;
	bool is_dry_run;
	uint64_t ns;      /* the run took */
	uint64_t rss_max; /* bytes */
	uint64_t spilled; /* bytes written to temporary files */
};

/* An object without an end of line, as desfs-pack(1) has it. */
void summary_json(const struct summary *s, struct buf *out);
/* Lines for people. */
void summary_text(const struct summary *s, struct buf *out);

#endif
