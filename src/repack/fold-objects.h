/* SPDX-License-Identifier: Apache-2.0 */
/* fold-objects.h - the objects of the log, and which of them stand for which;
 * for fold.c.
 *
 * An object with names of shards that are gone is dirty.  A record is covered
 * by a checkpoint that has it and is not dirty.
 */
#ifndef DESFS_REPACK_FOLD_OBJECTS_H
#define DESFS_REPACK_FOLD_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "volume/oplog-checkpoint.h"
#include "volume/oplog.h"

struct store;

struct fold_object {
	char *name; /* behind log/ */
	bool is_checkpoint, is_dirty, is_removed;
	bool is_loose;   /* a record that was chosen without being dirty */
	bool is_foreign; /* it has records nobody knows of: left alone */
	/* A checkpoint: */
	bool is_whole; /* read back from every place */
	int64_t time;
	uint8_t sha256[SHA256_LEN];
	size_t *members; /* records, by number; a record has itself */
	size_t n, cap;
	uint8_t (*roots)[SHARD_ROOT_LEN]; /* of its shards that are gone */
	size_t n_roots, cap_roots;
};

struct fold_objects {
	const struct oplog_record **records; /* by name */
	int64_t *covered;                    /* since when; INT64_MAX: not */
	size_t n_records;
	struct fold_object *all;
	size_t n, cap;
};

/* List the log, and read the checkpoints that log has not; it was read just
 * before, and keeps receipts.
 */
enum rc fold_objects_read(struct fold_objects *ret, struct store *st,
			  const struct oplog *log, const uint8_t *archive_id,
			  oplog_gone_fn *is_gone, void *arg,
			  struct err *err) MUST_CHECK;
void fold_objects_release(struct fold_objects *f);
/* The same of keys that were listed before log was read: begin, add each, fill
 * with st NULL.  What log knows nothing of is as good as removed.
 */
void fold_objects_begin(struct fold_objects *ret, const struct oplog *log);
void fold_objects_add(struct fold_objects *f, const char *key);
enum rc fold_objects_fill(struct fold_objects *ret, struct store *st,
			  const struct oplog *log, const uint8_t *archive_id,
			  oplog_gone_fn *is_gone, void *arg,
			  struct err *err) MUST_CHECK;

/* The records to be put into new checkpoints, in the order of their names;
 * free(*ret).  Those that are not dirty only if they are as many as many, and
 * older than before.
 */
size_t fold_objects_choose(struct fold_objects *f, size_t many, int64_t before,
			   const struct oplog_record ***ret);
void fold_objects_add_written(struct fold_objects *f, const char *key,
			      int64_t time, const struct buf *text,
			      const struct oplog_record *const *records,
			      size_t n);

/* Read each checkpoint that something relies on from every place: those that
 * are not the same everywhere cover nothing.
 */
enum rc fold_objects_read_back(struct fold_objects *f, struct store *st,
			       struct err *err) MUST_CHECK;
/* Dirty or loose, and all of it is covered. */
bool fold_object_may_go(const struct fold_objects *f,
			const struct fold_object *o);
/* Since when all of it is covered. */
int64_t fold_object_since(const struct fold_objects *f,
			  const struct fold_object *o);

/* Each root of what is gone and has names in an object that is left. */
typedef void fold_root_fn(void *arg, const uint8_t root[SHARD_ROOT_LEN]);
void fold_objects_names(const struct fold_objects *f, fold_root_fn *fn,
			void *arg);

#endif
