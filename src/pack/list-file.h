/* SPDX-License-Identifier: Apache-2.0 */
/* list-file.h - reads a list of paths, each ended by a NUL byte or by another
 * one, from a file or a pipe, and lets a stop interrupt the wait for its
 * writer.
 *
 * For one thread.
 */
#ifndef DESFS_PACK_LIST_FILE_H
#define DESFS_PACK_LIST_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "shard/shard-format.h"

#define LIST_FILE_MAX (UID_MAX_LEN + 64u)

struct list_file {
	const char *name; /* borrowed */
	int fd;
	bool is_own; /* to be closed */
	bool has_ended;
	/* May be changed before the first path is read: what each ends with,
	 * and the bytes that a path may have, at most LIST_FILE_MAX.
	 */
	char end;
	size_t max;
	char *bytes;
	size_t from, to; /* read, and not yet taken */
};

/* "-" is standard input.  name is borrowed until the end. */
enum rc list_file_open(struct list_file *f, const char *name,
		       struct err *err) MUST_CHECK;
/* A zeroed one may be closed. */
void list_file_close(struct list_file *f);

/* The next path, NUL-terminated, to be changed freely until the next call; the
 * last one need not be ended.  RC_NOENT at the end; RC_LIMIT: longer than
 * max; RC_STOPPED: a stop is requested.
 */
enum rc list_file_next(struct list_file *f, char **ret, size_t *ret_len,
		       struct err *err) MUST_CHECK;

/* For who reads no paths: at most len bytes, 0 of them only at the end.
 * RC_STOPPED as above.
 */
enum rc list_file_read(struct list_file *f, void *buf, size_t len, size_t *ret,
		       struct err *err) MUST_CHECK;

#endif
