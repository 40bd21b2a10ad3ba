/* SPDX-License-Identifier: Apache-2.0 */
/* restore.h - entries written as files beneath a target directory.
 *
 * Nothing is written outside the target, whatever names the entries have and
 * whatever is there already; see beneath.h.  A regular file is written under
 * a temporary name, compared with its SHA-256, and only then gets its own:
 * one that cannot be read whole is not left behind.  What is there already is
 * left alone (RC_EXISTS) unless overwrite is set; directories are shared.
 *
 * Directories get their mode, owner and times from restore_finish, since
 * writing in them changes these.  For one thread.
 */
#ifndef DESFS_RESTORE_RESTORE_H
#define DESFS_RESTORE_RESTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"

struct restore;

struct restore_options {
	bool owner;     /* set owner and group */
	bool setuid;    /* keep setuid, setgid and capabilities */
	bool devices;   /* make device nodes */
	bool no_xattrs; /* leave extended attributes */
	bool overwrite; /* replace what is there */
	/* Told what an entry lost on its way, which is no failure; may be NULL.
	 */
	void (*note)(void *arg, const struct entry *e, const char *text);
	void *arg;
};

/* Where the bytes of a regular file come from. */
struct restore_source {
	/* Up to len bytes at off; none is an error. */
	enum rc (*read)(void *arg, uint64_t off, void *buf, size_t len,
			size_t *ret_len, struct err *err);
	/* Where the next data is, from off on; the file's size when there is
	 * only a hole.  NULL: all is data.
	 */
	enum rc (*next_data)(void *arg, uint64_t off, uint64_t *ret,
			     struct err *err);
	/* Where the data at off ends. */
	enum rc (*next_hole)(void *arg, uint64_t off, uint64_t *ret,
			     struct err *err);
	void *arg;
};

struct restore_totals {
	uint64_t files, dirs, others, links, bytes; /* written */
	uint64_t skipped;                           /* devices not asked for */
};

/* Open dir, or make it; its parent must exist. */
enum rc restore_open(struct restore **ret, const char *dir,
		     const struct restore_options *opts,
		     struct err *err) MUST_CHECK;
void restore_free(struct restore *r);

/* Write one entry; src is for regular files.  Missing directories above it are
 * made.  Whiteouts are passed over.
 */
enum rc restore_entry(struct restore *r, const struct entry *e,
		      const struct restore_source *src,
		      struct err *err) MUST_CHECK;

/* Give the directories their attributes, those written last first.  All are
 * tried; the last error counts.
 */
enum rc restore_finish(struct restore *r, struct err *err) MUST_CHECK;

void restore_totals(const struct restore *r, struct restore_totals *ret);

#endif
