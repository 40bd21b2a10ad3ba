/* SPDX-License-Identifier: Apache-2.0 */
/* verify-index.h - every page and entry of a shard's index checked. */
#ifndef DESFS_VERIFY_VERIFY_INDEX_H
#define DESFS_VERIFY_VERIFY_INDEX_H

#include <stdbool.h>

#include "base/buf.h"
#include "verify/raw-shard.h"
#include "verify/verify-files.h"
#include "verify/verify-report.h"
#include "verify/verify-shard.h"

/* filter: its partitions as read, or empty when they are damaged.  files: NULL
 * unless the files' bytes are to be checked too.  info may be NULL.  False when
 * some pages are damaged, so that not all files were looked at.
 */
bool verify_index(const struct raw_shard *s, const struct buf *filter,
		  const struct shard_info *info, struct verify_files *files,
		  const struct verify_shard_job *job,
		  struct verify_report *report);

#endif
