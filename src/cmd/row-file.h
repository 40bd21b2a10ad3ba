/* SPDX-License-Identifier: Apache-2.0 */
/* row-file.h - a file of JSON rows that has another name while it is written.
 *
 * Rows are made in row (json-row.h) and put; a write that fails is told when
 * the file is published, as with stdio.  For one thread at a time.
 */
#ifndef DESFS_CMD_ROW_FILE_H
#define DESFS_CMD_ROW_FILE_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

struct row_file {
	FILE *to;
	struct buf row;
	enum rc rc; /* of the first write that failed */
};

void row_file_init(struct row_file *f);
/* What is not published stays under its first name. */
void row_file_release(struct row_file *f);

/* Open a file that is there, with a lock: nobody else writes to it. RC_NOENT;
 * RC_EXISTS: somebody does.
 */
enum rc row_file_lock(const char *path, FILE **ret, struct err *err) MUST_CHECK;
/* Begin anew, with a lock. */
enum rc row_file_begin(struct row_file *f, const char *path,
		       struct err *err) MUST_CHECK;

/* Write row and empty it. */
void row_file_put(struct row_file *f, const char *end);

/* What was put is on disk, and the file has another name. */
enum rc row_file_publish(struct row_file *f, const char *from, const char *to,
			 struct err *err) MUST_CHECK;

#endif
