/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-backend.h - what the files of the log share; for them only. */
#ifndef DESFS_VOLUME_OPLOG_BACKEND_H
#define DESFS_VOLUME_OPLOG_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "volume/oplog-json-backend.h"
#include "volume/oplog.h"

#define OPLOG_PREFIX "log/"

/* Strings of ours. */
struct oplog_names {
	char **p;
	size_t n, cap;
};

void oplog_names_add(struct oplog_names *names, const char *name);
void oplog_names_release(struct oplog_names *names);
void oplog_names_sort(struct oplog_names *names);
bool oplog_names_has(const struct oplog_names *names,
		     const char *name); /* sorted */

/* A checkpoint that was read, and the records it stands for, sorted. */
struct oplog_checkpoint {
	char *name;
	struct oplog_names records;
	uint8_t sha256[SHA256_LEN];
	/* Of the shards it has names of; for who keeps receipts. */
	uint8_t (*named)[SHARD_ROOT_LEN];
	size_t n_named, named_cap;
};

void oplog_checkpoint_release(struct oplog_checkpoint *c);

/* What the live tombstone documents say. */
struct oplog_deleted {
	bool is_ready;             /* the rest is what the state says */
	struct tombstone_set *set; /* NULL: nothing is deleted */
	struct oplog_names keys;   /* of the documents in it, sorted */
	size_t n_withdrawn;
};

/* Bytes of documents that were read, each when it was right. */
struct kept_document;
struct oplog_documents {
	struct kept_document *all;
	size_t bytes;
};
void oplog_documents_add(struct oplog *log, const char *key, const void *p,
			 size_t len);
void oplog_documents_release(struct oplog_documents *d);

/* Records of the future are of a clock that is wrong, see CLOCK_SKEW_US, and
 * one of those must not carry all later ones along.
 */
bool oplog_is_of_the_future(int64_t time);

struct oplog {
	struct oplog_record **records; /* sorted by name */
	size_t n_records;
	struct oplog_state *state; /* of the records */
	struct oplog_checkpoint *checkpoints;
	size_t n_checkpoints;
	struct oplog_deleted deleted;
	bool has_id;
	uint8_t archive_id[SHARD_ID_LEN];
	struct oplog_prev written; /* by it, last; name NULL: nothing */
	int64_t written_time;

	struct catalog *catalog; /* NULL: none, or it failed to keep one */
	const char *location;
	bool is_unproved;   /* the records are from there, no list had them */
	int64_t listed_all; /* when the whole log was listed, microseconds */
	bool wants_all;
	bool keeps_receipts;
	bool keeps_documents;
	struct oplog_documents documents;
};

/* The index of a known record; n_records: there is none. */
size_t oplog_index(const struct oplog *log, const char *name);

/* A document on its way into the index cache. */
struct kept_record {
	char *key;
	struct buf body;
};

/* What one oplog_read adds, if nothing fails. */
struct oplog_news {
	struct oplog *log;
	struct oplog_record *
		*records; /* sorted, each once, by oplog_news_unite */
	size_t n_records, cap;
	struct oplog_checkpoint *checkpoints;
	size_t n_checkpoints, checkpoints_cap;
	bool has_id;
	uint8_t archive_id[SHARD_ID_LEN];
	struct oplog_deleted deleted; /* what is to be the log's */

	/* What the list showed: names not known, and which known ones. */
	struct oplog_names listed, listed_checkpoints;
	bool has_any; /* anything is new */
	bool *is_seen, *is_seen_checkpoint;

	struct kept_record *kept;
	size_t n_kept, kept_cap, kept_bytes;
	struct oplog_names dropped; /* keys the index cache must not have */
};

void oplog_news_begin(struct oplog_news *news, struct oplog *log);
void oplog_news_release(struct oplog_news *news);
/* Decode a record, or a checkpoint. */
enum rc oplog_news_add_record(struct oplog_news *news, const char *name,
			      const void *p, size_t len,
			      struct err *err) MUST_CHECK;
enum rc oplog_news_add_checkpoint(struct oplog_news *news, const char *name,
				  const void *p, size_t len,
				  struct err *err) MUST_CHECK;
/* Sort the records, and make those of one name one. */
enum rc oplog_news_unite(struct oplog_news *news, struct err *err) MUST_CHECK;
/* After that: the record of that name; NULL: it is none of these. */
const struct oplog_record *oplog_news_find(const struct oplog_news *news,
					   const char *name);
/* Add all of it to the log, or nothing.  st: what live tombstone documents are
 * read from; NULL: they are not read.
 */
enum rc oplog_news_finish(struct oplog_news *news, struct store *st,
			  struct err *err) MUST_CHECK;

/* --- oplog-deleted.c ------------------------------------------------------ */

/* Fill news->deleted for this state. */
enum rc oplog_deleted_read(struct oplog_news *news,
			   const struct oplog_state *state, struct store *st,
			   struct err *err) MUST_CHECK;
void oplog_deleted_release(struct oplog_deleted *d);

/* --- oplog-kept.c --------------------------------------------------------- */

/* Take over the bytes of a document that was read and is right. */
void oplog_keep_record(struct oplog_news *news, const char *key,
		       struct buf *body);
/* Put them into the index cache, with what tells that the log is whole, and
 * remove from there what is dropped.
 */
void oplog_keep(struct oplog *log, struct oplog_news *news);
void oplog_forget_kept(struct oplog_news *news);

#endif
