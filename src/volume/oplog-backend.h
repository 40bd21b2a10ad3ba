/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-backend.h - what oplog.c and oplog-kept.c share; for them only. */
#ifndef DESFS_VOLUME_OPLOG_BACKEND_H
#define DESFS_VOLUME_OPLOG_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "volume/oplog-json-backend.h"
#include "volume/oplog.h"

#define OPLOG_PREFIX "log/"

struct oplog {
	struct oplog_record **records; /* sorted by name */
	size_t n_records, cap;
	struct oplog_state *state; /* of the records */
	bool has_id;
	uint8_t archive_id[SHARD_ID_LEN];

	struct catalog *catalog; /* NULL: none, or it failed to keep one */
	const char *location;
	bool is_unproved;   /* the records are from there, no list had them */
	int64_t listed_all; /* when the whole log was listed, microseconds */
	bool wants_all;
	bool keeps_receipts;
};

/* A record on its way into the index cache. */
struct kept_record {
	char *key;
	struct buf body;
};

/* What one oplog_read adds, if nothing fails. */
struct news {
	struct oplog *log;
	char **names; /* in the list and not known */
	size_t n_names, names_cap;
	struct oplog_record **records;
	size_t n_records, cap;
	bool has_id;
	uint8_t archive_id[SHARD_ID_LEN];

	size_t n_seen; /* names in the list that were known */
	struct kept_record *kept;
	size_t n_kept, kept_cap, kept_bytes;
};

void news_begin(struct news *news, struct oplog *log);
void news_release(struct news *news);
void news_add_name(struct news *news, const char *name);
/* Decode a record. */
enum rc news_add_record(struct news *news, const char *name, const void *p,
			size_t len, struct err *err) MUST_CHECK;
/* Add all of it to the log, or nothing. */
enum rc news_finish(struct oplog *log, struct news *news,
		    struct err *err) MUST_CHECK;

/* Take over the bytes of a record that was read and is right. */
void oplog_keep_record(struct news *news, const char *key, struct buf *body);
/* Put them into the index cache, with what tells that the log is whole. */
void oplog_keep(struct oplog *log, struct news *news);
void oplog_forget_kept(struct news *news);

#endif
