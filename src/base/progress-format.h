/* SPDX-License-Identifier: Apache-2.0 */
/* progress-format.h - the words of progress. */
#ifndef DESFS_BASE_PROGRESS_FORMAT_H
#define DESFS_BASE_PROGRESS_FORMAT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/progress.h"

/* Append a line for people, without an end, in less than width columns as far
 * as leaving things out helps.
 */
void progress_format_line(const struct progress_counters *c,
			  struct progress_speed speed, size_t width,
			  struct buf *b);

/* Append an object in a line; ns: that the run took so far. */
void progress_format_json(const struct progress_counters *c,
			  struct progress_speed speed, uint64_t ns,
			  bool is_last, struct buf *b);

#endif
