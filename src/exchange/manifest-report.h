/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-report.h - the file of desfs-pack --report: what became of each
 * record of a manifest, a JSON object a line, in their order; des-manifest(5),
 * REPORT.
 *
 * Until it is whole the file is called FILE.part.  For one thread.
 */
#ifndef DESFS_EXCHANGE_MANIFEST_REPORT_H
#define DESFS_EXCHANGE_MANIFEST_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct manifest_report;
struct manifest_results;
struct manifest_rows;

struct manifest_report_run {
	const struct manifest_rows *rows;
	struct manifest_results *results;
	uint64_t n;            /* records */
	bool is_dry_run;       /* nothing was written */
	bool is_committed;     /* what was archived is in the archive */
	const struct err *why; /* it was not, or not all of it; or NULL */
};

/* Make sure early that it can be written.  "-" is standard output. */
enum rc manifest_report_open(const char *path, struct manifest_report **ret,
			     struct err *err) MUST_CHECK;
/* Once. */
enum rc manifest_report_write(struct manifest_report *r,
			      const struct manifest_report_run *run,
			      struct err *err) MUST_CHECK;
/* What was not written is removed. */
void manifest_report_free(struct manifest_report *r);

#endif
