/* SPDX-License-Identifier: Apache-2.0 */
/* io.h - reading and writing in full, and files that survive a crash.
 *
 * The plain calls restart after signals and short counts, and leave the reason
 * of a failure in errno.
 */
#ifndef DESFS_BASE_IO_H
#define DESFS_BASE_IO_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/err.h"

/* Bytes read, fewer than len only at the end of the file; -1 on failure. */
ssize_t io_read(int fd, void *buf, size_t len) MUST_CHECK;
ssize_t io_pread(int fd, void *buf, size_t len, uint64_t off) MUST_CHECK;

/* 0 when all of it was written, -1 on failure. */
int io_write(int fd, const void *p, size_t len) MUST_CHECK;
int io_pwrite(int fd, const void *p, size_t len, uint64_t off) MUST_CHECK;

/* The names of the directory fd from the first on; NULL on failure.  It is
 * taken, also then; -1 is a failure whose reason errno has already.
 */
DIR *io_fdopendir(int fd) MUST_CHECK;

/* The same of name in dirfd, which may not be a link.  "." is dirfd itself, and
 * who reads that elsewhere is not moved on.
 */
DIR *io_opendir(int dirfd, const char *name) MUST_CHECK;

/* Make the names in a directory durable; file systems that cannot are taken to
 * need no help.
 */
int io_fsync_dir(int dirfd) MUST_CHECK;

/* Nothing of that name, or a regular file, perhaps through a symbolic link:
 * what a rename may take the place of.  A device or a pipe (/dev/null) it may
 * not, so that root does not take it from everybody: false, and RC_USAGE in
 * err.
 */
bool io_may_replace(int dirfd, const char *name, struct err *err) MUST_CHECK;

/* Write name in dirfd anew: a temporary file beside it (name with ".tmp"),
 * fsync, rename, fsync of the directory.  Readers see the old bytes or the new
 * ones.  It has that mode whatever the umask says.  RC_USAGE: io_may_replace
 * says no.
 */
enum rc io_replace(int dirfd, const char *name, const void *p, size_t len,
		   mode_t mode, struct err *err) MUST_CHECK;

/* The same without any fsync, which may take seconds on a disk that is busy:
 * for what is soon written anew and is no loss.  After a crash of the machine
 * the file may be empty.
 */
enum rc io_replace_lazily(int dirfd, const char *name, const void *p,
			  size_t len, mode_t mode, struct err *err) MUST_CHECK;

#endif
