/* SPDX-License-Identifier: Apache-2.0 */
/* spool.h - bytes kept aside: in memory while they are few, then in a temporary
 * file without a name, which is gone when the process is.
 *
 * One thread writes; when it is done, any number may read.
 */
#ifndef DESFS_BASE_SPOOL_H
#define DESFS_BASE_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct spool {
	const char *dir; /* for the file; borrowed */
	size_t memory;   /* bytes kept in memory at most */
	struct buf mem;  /* the bytes from written on */
	uint64_t written;
	int fd; /* -1: no file yet */
};

/* Where such files go if nothing else is asked for: $TMPDIR or /var/tmp.
 * Borrowed from the environment.
 */
const char *spool_default_dir(void);

void spool_init(struct spool *sp, const char *dir, size_t memory);
void spool_release(struct spool *sp);

/* Bytes appended so far: where the next ones go. */
uint64_t spool_len(const struct spool *sp);

enum rc spool_append(struct spool *sp, const void *p, size_t len,
		     struct err *err) MUST_CHECK;

/* Bytes this process has written to such files. */
uint64_t spool_spilled(void);

/* Exactly len bytes at off. */
enum rc spool_read(const struct spool *sp, uint64_t off, void *buf, size_t len,
		   struct err *err) MUST_CHECK;

/* Forget the bytes from off on, which are there, keep the file and its size. */
void spool_cut(struct spool *sp, uint64_t off);

/* A file of one's own without a name; close() it. */
enum rc spool_temporary(const char *dir, int *ret, struct err *err) MUST_CHECK;

/* Forget the bytes, keep the file. */
enum rc spool_clear(struct spool *sp, struct err *err) MUST_CHECK;

#endif
