/* SPDX-License-Identifier: Apache-2.0 */
/* stats-file.h - the file of --stats-file: metrics for the textfile collector
 * of Prometheus' node_exporter.
 *
 * Replaced as a whole each time.  That it cannot be written is a warning, once
 * until it can.  For one thread at a time.
 */
#ifndef DESFS_PACK_STATS_FILE_H
#define DESFS_PACK_STATS_FILE_H

#include "base/err.h"

struct report;
struct stats_file;

/* labels: of all metrics, see metric_label; those that are about former runs
 * are read from the file if it has the same labels.
 */
struct stats_file *stats_file_new(const char *path, const char *labels,
				  struct report *report) MUST_CHECK;
void stats_file_free(struct stats_file *f); /* takes NULL */

/* While the run goes on. */
void stats_file_write(struct stats_file *f);
/* When it has ended.  is_success: all there was is in the archive now. */
void stats_file_end(struct stats_file *f, enum rc rc, bool is_success);

#endif
