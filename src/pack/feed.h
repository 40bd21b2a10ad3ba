/* SPDX-License-Identifier: Apache-2.0 */
/* feed.h - a source of entries that is no directory: a manifest, an archive of
 * another kind.
 *
 * pack_run asks a feed in its options to list all records once, sorts them by
 * slot, and has the contents of those that are to be packed opened later, in
 * another order, by several threads.  Each record gets one result.
 *
 * A record's key is (uid, created_at).  Several records of one uid with
 * different created_at are versions of the file; of several with one key that
 * with the lowest number counts and the others are FEED_DUPLICATE.  What the
 * archive has already is FEED_THERE, unless it has other content under the key,
 * which is FEED_FAILED: entries are never replaced.  With workers only those of
 * the worker's own slots get a result.
 */
#ifndef DESFS_PACK_FEED_H
#define DESFS_PACK_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"
#include "pack/item.h"
#include "shard/shard-entry.h"

#define FEED_NO_TIME INT64_MIN

struct feed_record {
	/* parent and name (see entry_split_uid), type, mode, uid, gid, mtime,
	 * size, target, xattrs, rdev.  nlink other than 1 (0 counts as 1):
	 * records of one dev and ino are names of one file, each with its
	 * content, and the links are kept when their created_at is the same.
	 * Of a directory nlink is as in struct entry.  With has_history also
	 * has_opaque and opaque_since.  Everything else is not looked at.
	 */
	struct item it;
	/* Microseconds since 1970, UTC; FEED_NO_TIME: as the options of the
	 * run say.
	 */
	int64_t created_at;
	int zone; /* it was written in; seconds ahead of UTC: for its date */
	/* Format 2: any UTF-8, in the place of parent and name unless p is
	 * NULL.
	 */
	struct span uid;
	uint64_t number; /* from 0, for results; each only once */
	uint64_t place;  /* the feed's own: where the content is */
	/* Of the content, when it is known: it is compared when the content is
	 * read, and a file that has another is left out.
	 */
	bool has_sha256;
	uint8_t sha256[SHA256_LEN];
	struct span meta; /* as in struct entry: a JSON object, or empty */
	/* NULL; or why it cannot be packed: then number, and what makes its uid
	 * and size, are all that is looked at.
	 */
	const struct err *why;
};

/* Everything in the record is borrowed until it returns.  An error ends the
 * run and is to be returned by list.
 */
typedef enum rc feed_emit_fn(void *arg, const struct feed_record *r,
			     struct err *err);

/* A content that is to be opened soon. */
struct feed_soon {
	uint64_t place, size; /* as in the record */
	uint64_t base;        /* where it begins in a file */
	bool is_there;        /* all of it */
};

enum feed_status {
	FEED_ARCHIVED,
	FEED_THERE,  /* the archive had it, with this size and hash */
	FEED_FAILED, /* left out; see why */
	FEED_ERASED, /* on the list of what was deleted: left out */
	FEED_DUPLICATE
};

struct feed_result {
	uint64_t number;
	enum feed_status status;
	const struct err *why; /* FEED_FAILED; else NULL */
	/* Key of the object it is in; NULL when there is none or it is not
	 * known, as in a dry run.
	 */
	const char *shard;
	bool has_sha256; /* of a regular file's content */
	uint8_t sha256[SHA256_LEN];
};

struct feed {
	/* All records, once, in any order, in one thread.  A record that is bad
	 * is no error: it has a why, or else is the feed's own to report and to
	 * leave out, though it may be another worker's.
	 */
	enum rc (*list)(void *arg, feed_emit_fn *emit, void *emit_arg,
			struct err *err);
	/* Content of a regular file of size > 0: the bytes from *ret_base up to
	 * *ret_base + size of *ret_fd, which becomes the caller's to close and
	 * is read by pread(2) alone.  RC_STOPPED, RC_NOSPACE and RC_NOMEM,
	 * which say nothing of the file: the run is to end.  Any other error:
	 * the file is left out for this reason.  Any thread, several at once.
	 */
	enum rc (*open)(void *arg, uint64_t place, uint64_t size, int *ret_fd,
			uint64_t *ret_base, struct err *err);
	/* Write contents, in any order, to an empty file of their own, in which
	 * each has its room, because that is cheaper than opening them one by
	 * one.  What is not there afterwards is opened, which tells why; an
	 * error: so are all that follow.  Any thread.  NULL: it is not cheaper.
	 */
	enum rc (*fetch)(void *arg, struct feed_soon *files, size_t n, int fd,
			 struct err *err);
	/* After the last byte was read: RC_CHANGED when the file is no longer
	 * what the record says.  Any thread.  May be NULL.
	 */
	enum rc (*check)(void *arg, uint64_t place, int fd, uint64_t size,
			 struct err *err);
	/* What became of a record; everything in r is borrowed.  Any thread,
	 * several at once.  Results hold once pack_run has returned RC_OK or
	 * RC_PARTIAL; when a run was ended early some records have none.  May
	 * be NULL.
	 */
	void (*result)(void *arg, const struct feed_result *r);
	/* Mode, owner and time of modification as they were at that time of a
	 * directory that has to be implied, if they are known; any thread.  May
	 * be NULL.
	 */
	void (*directory)(void *arg, struct span uid, int64_t created_at,
			  struct item *ret);
	/* Records say all there is to say of the past: whiteouts are among
	 * them, and what directories hide is not worked out.  All have a time.
	 */
	bool has_history;
	/* Which source it is, for a run that goes on from a checkpoint: that
	 * of another is refused.  See feed_identity.  NULL: of all there is.
	 */
	const char *identity;
	void *arg;
};

struct pack_options;

/* What a source of this kind at a path or URL is known by, to be freed: where
 * it is, and of a file also its size and time of modification.  "-" is standard
 * input, of which nothing is known but when it is a file.
 */
char *feed_identity(const char *kind, const char *place) MUST_CHECK;

/* RC_USAGE: options that do not go with a feed. */
enum rc feed_check_options(const struct pack_options *o,
			   struct err *err) MUST_CHECK;

/* Tell of a record that is in no shard; no feed, or none that asks: nothing.
 * For this room.
 */
void feed_tell(const struct feed *f, uint64_t number, enum feed_status status,
	       const struct err *why);

/* What the feed knows of a directory that is implied; no feed, or none that
 * knows: nothing.  For this room.
 */
void feed_directory(const struct feed *f, struct item *it);

#endif
