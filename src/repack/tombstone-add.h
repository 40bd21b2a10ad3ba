/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-add.h - asks for deletions: names in, documents and a log record
 * out.
 *
 *	tombstone_add_new(&a, st, log, archive_id, &opts, err);
 *	for each name: tombstone_add_name(a, &name, recursive, err);
 *	tombstone_add_run(a, &added, err);
 *	tombstone_add_free(a);
 *
 * Nothing is deleted unless all of the names are found; and nothing was unless
 * tombstone_add_run succeeds, but see there.  Memory is bounded however many
 * names there are.  For one thread.
 */
#ifndef DESFS_REPACK_TOMBSTONE_ADD_H
#define DESFS_REPACK_TOMBSTONE_ADD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "erase/erasure-words.h"
#include "repack/tombstone-name.h"
#include "shard/shard-entry.h"
#include "shard/shard-format.h"

struct oplog;
struct store;
struct tombstone_add;

/* What there is to know about one name. */
enum tombstone_note_kind {
	TOMBSTONE_TAKEN,      /* it is asked to be deleted; time: until, or of
				 the version */
	TOMBSTONE_ALREADY,    /* deleted already */
	TOMBSTONE_MISSING,    /* the archive has no such name */
	TOMBSTONE_NO_VERSION, /* no version of the time; the next tell of */
	TOMBSTONE_VERSION,    /* one it has, created at time */
	TOMBSTONE_IS_DIR,     /* a directory with something below it */
	TOMBSTONE_COPY,       /* it stays, and has the same bytes as one that
				 goes; time: its version */
	TOMBSTONE_LINK,       /* the same of a hard link */
};
struct tombstone_note {
	enum tombstone_note_kind kind;
	struct span uid;
	int64_t time;
	bool is_all; /* TOMBSTONE_TAKEN: all versions up to time */
};
typedef void tombstone_note_fn(void *arg, const struct tombstone_note *n);

struct tombstone_add_options {
	struct erasure_words words; /* borrowed */
	const char *spool;          /* directory for temporary files */
	bool force;     /* also what the archive does not have, or not whole */
	bool dry_run;   /* only tell */
	bool no_copies; /* do not look for them */
	tombstone_note_fn *fn;
	void *arg;
};

struct tombstone_added {
	uint64_t names; /* erasures asked for */
	uint64_t already;
	uint64_t failed;  /* missing, of another time, directories */
	uint64_t copies;  /* names that keep the bytes */
	uint64_t damaged; /* shards that were not looked through for these */
	int64_t time;     /* when it was asked */
	char **keys;      /* of the documents */
	size_t n_keys;
};
void tombstone_added_release(struct tombstone_added *a);

/* Reads the log.  All is borrowed. */
enum rc tombstone_add_new(struct tombstone_add **ret, struct store *st,
			  struct oplog *log,
			  const uint8_t archive_id[SHARD_ID_LEN],
			  const struct tombstone_add_options *opts,
			  struct err *err) MUST_CHECK;
void tombstone_add_free(struct tombstone_add *a); /* takes NULL */

/* recursive: and all that is or ever was below it. */
enum rc tombstone_add_name(struct tombstone_add *a,
			   const struct tombstone_name *name, bool recursive,
			   struct err *err) MUST_CHECK;

/* RC_NOENT, RC_USAGE: some names cannot be deleted, which was told; nothing
 * was done.  If writing the log record fails nobody may know whether it is
 * there: then it says so, and asking once more does no harm.  ret is set in any
 * case.
 */
enum rc tombstone_add_run(struct tombstone_add *a, struct tombstone_added *ret,
			  struct err *err) MUST_CHECK;

#endif
