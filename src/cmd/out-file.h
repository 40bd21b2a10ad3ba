/* SPDX-License-Identifier: Apache-2.0 */
/* out-file.h - one file of output, which appears when it is whole.
 *
 *	out_file_open(&f, "backup.tar", &err);
 *	... write to f.fd ...
 *	out_file_commit(&f, &err);
 *	out_file_release(&f);
 *
 * It is written beside its place, as NAME.desfs-PID.tmp; released without a
 * commit it is removed.  One that lacks something does not take the place of
 * one that is there: it becomes NAME.partial.  Standard output ("-" or NULL),
 *and what is no regular file, as a pipe, is written at once.
 */
#ifndef DESFS_CMD_OUT_FILE_H
#define DESFS_CMD_OUT_FILE_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"

struct out_file {
	int fd;
	const char *name; /* borrowed; NULL: standard output */
	char *temporary;  /* NULL: it is written at once */
};

/* RC_USAGE: standard output is a terminal. */
enum rc out_file_open(struct out_file *ret, const char *name,
		      struct err *err) MUST_CHECK;
enum rc out_file_commit(struct out_file *f, struct err *err) MUST_CHECK;
/* It lacks something; ret_is_aside: it became NAME.partial. */
enum rc out_file_commit_partial(struct out_file *f, bool *ret_is_aside,
				struct err *err) MUST_CHECK;
void out_file_release(struct out_file *f);

#endif
