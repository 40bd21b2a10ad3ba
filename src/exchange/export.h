/* SPDX-License-Identifier: Apache-2.0 */
/* export.h - entries written as one tar or zip stream, by libarchive.
 *
 *	export_open(&x, &options, &err);
 *	export_entry(x, path, &ve.e, &source, &err) for each;
 *	export_finish(x, &err);
 *	export_free(x);
 *
 * What cannot be read is found out before its header is written where that is
 * possible: files of up to EXPORT_AHEAD bytes are read whole and compared with
 * their SHA-256, of others the first bytes are read.  Where a larger one cannot
 * be read to its end, zeros stand for the rest, since the header has promised a
 * size: the message says so.
 *
 * Memory is bounded, but for zip, which ends with a list of all files: about
 * 200 bytes and the name for each.  For one thread.
 */
#ifndef DESFS_EXCHANGE_EXPORT_H
#define DESFS_EXCHANGE_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "restore/restore.h"
#include "shard/shard-entry.h"

#define EXPORT_AHEAD (1u << 20)

struct export;

enum export_format { EXPORT_TAR, EXPORT_ZIP };

/* Around a tar. */
enum export_filter {
	EXPORT_PLAIN,
	EXPORT_GZIP,
	EXPORT_BZIP2,
	EXPORT_XZ,
	EXPORT_LZ4,
	EXPORT_ZSTD,
};

struct export_options {
	enum export_format format;
	enum export_filter filter;
	int fd; /* where the stream goes; stays the caller's */
};

/* By the end of a file's name: ".tar.zst", ".tgz", ".zip", ...; false when it
 * is none of these.
 */
bool export_by_name(const char *name, enum export_format *ret_format,
		    enum export_filter *ret_filter) MUST_CHECK;

/* Loads libarchive. */
enum rc export_open(struct export **ret, const struct export_options *opts,
		    struct err *err) MUST_CHECK;
/* Takes NULL.  What was not finished ends without a mark of its end. */
void export_free(struct export *x);

/* One entry, called path ("" for the top) in the stream; src is for regular
 * files.  Directories that were only inferred, and whiteouts, are passed over,
 * and what the format has no place for, which is counted.
 */
enum rc export_entry(struct export *x, struct span path, const struct entry *e,
		     const struct restore_source *src,
		     struct err *err) MUST_CHECK;

/* The stream itself failed, and all that follows would. */
bool export_is_broken(const struct export *x);

enum rc export_finish(struct export *x, struct err *err) MUST_CHECK;

struct export_totals {
	uint64_t files, dirs, others, links; /* written */
	uint64_t bytes;                      /* of content */
	uint64_t padded; /* files that end in zeros, see above */
	/* What had no place: */
	uint64_t no_special; /* devices, FIFOs */
	uint64_t no_xattrs;  /* entries without them */
	uint64_t no_link;    /* further names that became files of their own */
	uint64_t no_meta;    /* entries without their metadata of a manifest */
	/* Entries with attributes whose names GNU tar does not decode. */
	uint64_t odd_xattrs;
};
void export_totals(const struct export *x, struct export_totals *ret);

#endif
