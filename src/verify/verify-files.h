/* SPDX-License-Identifier: Apache-2.0 */
/* verify-files.h - the data of a whole shard: every block checked, every file
 * hashed, by the threads of a pool if there is one.
 *
 *	verify_files_add for each file in the order of the index,
 *	verify_files_end for what is under way, and what no file refers to.
 *
 * What is found goes to the report in the order of the files, whoever was first
 * to find it.  For one thread.
 */
#ifndef DESFS_VERIFY_VERIFY_FILES_H
#define DESFS_VERIFY_VERIFY_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "verify/raw-shard.h"
#include "verify/verify-report.h"

struct verify_files;
struct verify_pool;

/* pool and live may be NULL.  Until verify_files_end the report is for it
 * alone.
 */
struct verify_files *verify_files_new(const struct raw_shard *s,
				      struct verify_pool *pool,
				      struct verify_live *live,
				      struct verify_report *report) MUST_CHECK;
void verify_files_free(struct verify_files *f); /* takes NULL */

/* The blocks lie in the data and make up the file.  is_deleted: that it cannot
 * be read is no loss.
 */
void verify_files_add(struct verify_files *f, const struct entry *e,
		      const struct block_ref *refs, bool is_deleted);

/* is_complete: all files were added, so that the footer's counts must agree.
 */
void verify_files_end(struct verify_files *f, bool is_complete);

#endif
