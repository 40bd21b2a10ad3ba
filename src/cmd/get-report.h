/* SPDX-License-Identifier: Apache-2.0 */
/* get-report.h - what became of each pair that was asked for, as JSON lines in
 * the order of the list; for one thread.
 */
#ifndef DESFS_CMD_GET_REPORT_H
#define DESFS_CMD_GET_REPORT_H

#include "base/err.h"
#include "exchange/get-batch.h"

struct get_report;

/* Refuses at once what cannot be written.  Rows are kept in a temporary file
 * until the end; temp_dir is borrowed.
 */
enum rc get_report_open(struct get_report **ret, const char *name,
			const char *temp_dir, struct err *err) MUST_CHECK;
void get_report_add(struct get_report *r, const struct get_result *result);
/* Write and show the file, if nothing failed so far. */
enum rc get_report_commit(struct get_report *r, struct err *err) MUST_CHECK;
void get_report_free(struct get_report *r); /* takes NULL */

#endif
