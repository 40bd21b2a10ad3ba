/* SPDX-License-Identifier: Apache-2.0 */
/* verify-report.h - what was found in one object, kept until it is its turn to
 * be told.
 *
 * For one thread at a time.  A zeroed report is empty but for its key.
 */
#ifndef DESFS_PACK_VERIFY_REPORT_H
#define DESFS_PACK_VERIFY_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "pack/verify.h"

struct verify_report {
	const char *key;          /* borrowed */
	struct finding *findings; /* text and uid are owned */
	size_t n, cap;
	struct verify_totals totals;
};

void verify_damage(struct verify_report *r, uint64_t off, const char *fmt, ...)
	PRINTF(3, 4);
void verify_note(struct verify_report *r, const char *fmt, ...) PRINTF(2, 3);
/* One entry, or n of them that cannot be named one by one. */
void verify_lost(struct verify_report *r, struct span parent, struct span name);
void verify_lost_many(struct verify_report *r, uint64_t n, const char *fmt, ...)
	PRINTF(3, 4);

/* Tell all, add up, release. */
void verify_report_tell(struct verify_report *r,
			const struct verify_options *opts,
			struct verify_totals *totals);

#endif
