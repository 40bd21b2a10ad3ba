/* SPDX-License-Identifier: Apache-2.0 */
/* oplog.h - the log: small create-only records that say which shards count.
 *
 * Format: desfs-archive(5), LOG.
 */
#ifndef DESFS_VOLUME_OPLOG_H
#define DESFS_VOLUME_OPLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-format.h"
#include "store/store.h"
#include "volume/oplog-record.h"

struct oplog_state;
struct tombstone_set;

/* The records read so far; grows with oplog_read. */
struct oplog;
struct oplog *oplog_new(void);
void oplog_free(struct oplog *log);

/* From now on records of other archives are RC_CORRUPT; without it, those of
 * another archive than the first record's.
 */
void oplog_expect(struct oplog *log, const uint8_t archive_id[SHARD_ID_LEN]);

/* Put what is read from now on into an index cache; location is borrowed for as
 * long as the log.
 */
struct catalog;
void oplog_attach(struct oplog *log, struct catalog *c, const char *location);

/* Load what the index cache has of the place, without a request, into a log
 * without records.  *ret_n: how many were loaded; the first oplog_read looks
 * whether they are in the store's list and otherwise gives RC_CHANGED: another
 * archive is at the place now.  RC_CORRUPT: what the cache has is of no use.
 */
enum rc oplog_load(struct oplog *log, size_t *ret_n,
		   struct err *err) MUST_CHECK;

/* What was loaded is true, though the list may lack some of it: a mirror may
 * lag behind.
 */
void oplog_trust(struct oplog *log);

/* List log/ and read what was not read before: checkpoints, records they do not
 * stand for, records that the list did not show and that others name as the
 * one before them, live tombstone documents.  The list overlaps the last known
 * name by 15 minutes, once an hour it is of all.  *ret_changed: there were
 * some. What cannot be read or understood is an error and leaves the log as it
 * was.
 */
enum rc oplog_read(struct oplog *log, struct store *st, bool *ret_changed,
		   struct err *err) MUST_CHECK;

/* The shards that count, by key; borrowed until the next oplog_read. A key
 * named by several records counts once.
 */
size_t oplog_count(const struct oplog *log);
const struct shard_meta *oplog_shard(const struct oplog *log, size_t i);

/* Whether a record of that name was read, or a checkpoint stands for it. */
bool oplog_has_record(const struct oplog *log, const char *name) MUST_CHECK;

/* The checkpoints that the last list showed, by what follows log/ in their
 * keys, and whether one stands for a record.
 */
size_t oplog_n_checkpoints(const struct oplog *log);
const char *oplog_checkpoint_name(const struct oplog *log, size_t i);
bool oplog_checkpoint_has(const struct oplog *log, size_t i,
			  const char *name) MUST_CHECK;
/* What is in one; borrowed until the next oplog_read. */
struct oplog_checkpoint_view {
	const uint8_t *sha256; /* of all its bytes */
	const char *const *records;
	size_t n_records;
	/* Roots of the shards it has names of, where receipts are kept. */
	const uint8_t (*named)[SHARD_ROOT_LEN];
	size_t n_named;
};
/* false: the last list did not show it. */
bool oplog_checkpoint_find(const struct oplog *log, const char *name,
			   struct oplog_checkpoint_view *ret) MUST_CHECK;

/* Which versions are deleted, as all live tombstone documents say; NULL: none.
 * Borrowed until the next oplog_read.
 */
const struct tombstone_set *oplog_deleted(const struct oplog *log);

/* All records, by (time, name), which checkpoints stand for, too; borrowed
 * until the next oplog_read.
 */
size_t oplog_n_records(const struct oplog *log);
const struct oplog_record *oplog_record_at(const struct oplog *log, size_t i);
/* What they mean; borrowed until the next oplog_read. */
const struct oplog_state *oplog_state(const struct oplog *log);

/* Before the first oplog_read or oplog_load: the records are to have their
 * receipts, which readers have no use for.
 */
void oplog_keep_receipts(struct oplog *log);

/* And the bytes of live documents are to be kept as they are read, up to 64
 * MiB, so that who asks what they say need not read them again.
 */
void oplog_keep_documents(struct oplog *log);
/* NULL: it is not kept; borrowed until the next oplog_read.  They are those of
 * the log's SHA-256.
 */
const struct buf *oplog_document(const struct oplog *log, const char *key);

/* Make the next oplog_read list the whole log, as who is to write must. */
void oplog_want_all(struct oplog *log);

/* Read a document that the log names, whose bytes must be those it knows.
 * ret_text: these bytes, to be released; NULL: not wanted.  RC_NOENT: it is not
 * there.
 */
struct tombstone;
enum rc oplog_read_tombstone(struct store *st, const struct oplog_object *o,
			     const uint8_t archive_id[SHARD_ID_LEN],
			     struct tombstone *ret, struct buf *ret_text,
			     struct err *err) MUST_CHECK;

/* What a record written now has as prev: the newest that is not of the future;
 * borrowed until the next oplog_read. */
void oplog_newest(const struct oplog *log, struct oplog_prev *ret);

/* Write a record, after an oplog_read of all: its time is now, or if that is
 * not later than the newest that was read, that and a microsecond.  Sets time,
 * prev and name.  The log in memory does not have it before the next
 * oplog_read, but of several each has the one before as prev: who is shown a
 * later one knows the earlier.  RC_LIMIT: too long.  For tools only.
 */
enum rc oplog_write(struct oplog *log, struct store *st, struct oplog_record *r,
		    const uint8_t archive_id[SHARD_ID_LEN],
		    struct err *err) MUST_CHECK;

/* The same without the log, after a look at its newest record only: for a
 * record of OPLOG_SHARDS, which is true whatever the others say.
 */
enum rc oplog_append(struct store *st, struct oplog_record *r,
		     const uint8_t archive_id[SHARD_ID_LEN],
		     struct err *err) MUST_CHECK;

/* Let none of the shards of a record count that was just written, has its name
 * and SHA-256, and what it replaces count again: a checkpoint without them
 * stands for it, as another may have it as prev already, and then it is
 * removed.  It has shards.
 */
enum rc oplog_take_back(struct store *st, const struct oplog_record *r,
			const uint8_t archive_id[SHARD_ID_LEN],
			struct err *err) MUST_CHECK;

#endif
