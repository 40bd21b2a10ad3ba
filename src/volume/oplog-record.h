/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-record.h - one record of the log, and the shards it tells of.
 *
 * Format: desfs-archive(5), LOG.  Bytes in, a struct out, and back.
 */
#ifndef DESFS_VOLUME_OPLOG_RECORD_H
#define DESFS_VOLUME_OPLOG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "erase/receipt.h"
#include "shard/shard-format.h"

#define OPLOG_PART_MAX 9999u
#define OPLOG_REVISION_MAX 999u
#define OPLOG_RECORD_MAX (256u << 20) /* bytes; a run over 65,536 slots */
/* Of a record without its main array: shards, of tombstones, withdrawn and
 * purged the one of that name, of erased the receipts.
 */
#define OPLOG_REST_MAX (8u << 20)
#define OPLOG_GRACE_MAX (INT64_C(10) * 366 * 86400) /* seconds */

/* What the log says of one shard. */
struct shard_meta {
	char *key; /* 20261121/20261121_0A_0000_9f86d081884c7d65.des */
	uint64_t size;
	uint8_t root[SHARD_ROOT_LEN];
	uint32_t day; /* decimal YYYYMMDD */
	uint32_t slot, part, revision;
	unsigned int n_bits, route;
	char *first, *last; /* uids, NUL-terminated for convenience only */
	size_t first_len, last_len;
	int64_t created_min, created_max;
	uint64_t n_entries, n_files, plain_bytes;
	uint32_t incompat, ro_compat, compat;
	/* Of a checkpoint: it is purged everywhere, and of all this only key,
	 * root and size are left.  It never counts.
	 */
	bool is_purged;
};

void shard_meta_release(struct shard_meta *m);
/* For qsort and bsearch: by key. */
int shard_meta_compare(const void *a, const void *b);

/* The key a shard must have, from its fields: day, slot, part, revision, root.
 * size of ret at least SHARD_KEY_TEXT.
 */
#define SHARD_KEY_TEXT 96
void shard_key(const struct shard_meta *m, char ret[SHARD_KEY_TEXT]);

enum oplog_kind {
	OPLOG_SHARDS,     /* a run's shards */
	OPLOG_REPACK,     /* shards in the place of others */
	OPLOG_TOMBSTONES, /* documents that ask for deletions */
	OPLOG_WITHDRAWN,  /* erasures that are taken back */
	OPLOG_PURGED,     /* shards whose bytes are gone */
	OPLOG_ERASED,     /* receipts, and documents that are done */
};

enum oplog_why {
	OPLOG_DELETED,
	OPLOG_MERGE,
	OPLOG_SPLIT,
	OPLOG_RECOMPRESS,
	OPLOG_CORRUPT,
};

/* The newest record that a writer had read. */
struct oplog_prev {
	char *name;                 /* NULL: none */
	uint8_t sha256[SHA256_LEN]; /* of all its bytes */
};

struct oplog_replaced {
	char *key;
	uint8_t root[SHARD_ROOT_LEN];
};

/* A tombstone or suppression document. */
struct oplog_object {
	char *key;
	uint64_t count; /* erasures or uids in it */
	uint8_t sha256[SHA256_LEN];
	/* Of a tombstone document that has what others were not done of: which
	 * one; NULL: it asks for what nobody asked for before.
	 */
	char *rest_of;
};

struct erasure_id {
	uint8_t b[ERASURE_ID_LEN];
};

/* A shard in one zone. */
struct oplog_purged {
	char *key;
	uint8_t root[SHARD_ROOT_LEN];
	char *zone; /* NULL: the archive has no zones */
	enum receipt_how how;
	int64_t time;
	int64_t until; /* of what is pending; RECEIPT_UNKNOWN */
};

/* A zeroed one is valid.  Arrays that its kind does not have are empty. */
struct oplog_record {
	/* Its key's last part and the SHA-256 of its bytes; NULL and zeros when
	 * only decoded.
	 */
	char *name;
	uint8_t sha256[SHA256_LEN];
	uint8_t archive_id[SHARD_ID_LEN]; /* set by decoding */
	enum oplog_kind kind;
	int64_t time; /* when it was written, microseconds */
	struct oplog_prev prev;

	/* OPLOG_SHARDS and OPLOG_REPACK */
	struct shard_meta *shards;
	size_t n_shards, cap; /* cap: for decoding */

	bool allow_erased; /* OPLOG_SHARDS: what was deleted may come back */

	/* OPLOG_REPACK */
	struct oplog_replaced *replaces;
	size_t n_replaces;
	int64_t grace; /* seconds */
	enum oplog_why why;
	uint64_t n_lost; /* files that could not be read and are left out */

	/* OPLOG_TOMBSTONES */
	struct oplog_object *tombstones;
	size_t n_tombstones;

	/* OPLOG_WITHDRAWN */
	struct erasure_id *withdrawn;
	size_t n_withdrawn;

	/* OPLOG_PURGED */
	struct oplog_purged *purged;
	size_t n_purged;

	/* OPLOG_ERASED */
	struct receipt *receipts;    /* see oplog_keep_receipts */
	struct receipt_share *share; /* for decoding */
	size_t n_receipts;
	bool lacks_receipts; /* it had some: it cannot be written again */
	char **done;         /* keys of tombstone documents */
	size_t n_done;
	struct oplog_object *suppressed;
	size_t n_suppressed;
};

void oplog_record_release(struct oplog_record *r);
enum rc oplog_record_decode(const void *p, size_t len, struct oplog_record *ret,
			    struct err *err) MUST_CHECK;
/* archive_id as in the descriptor; arrays need not be in order.  out fails
 * (buf_ok) if it is too long or has what cannot be read again.
 */
void oplog_record_encode(const struct oplog_record *r,
			 const uint8_t archive_id[SHARD_ID_LEN],
			 struct buf *out);

/* A fresh key log/<time>-<128 random bits>.json for a record written now. */
enum rc oplog_record_key(int64_t time, char *ret, size_t size,
			 struct err *err) MUST_CHECK;

/* The time out of TIME-RANDOM.json, which follows log/ in a record's key; false
 * for names of another form.
 */
bool oplog_record_name_time(const char *name, int64_t *ret_time) MUST_CHECK;

/* "deleted", "merge", ... */
const char *oplog_why_text(enum oplog_why why);
bool oplog_why_parse(const char *text, enum oplog_why *ret) MUST_CHECK;
const char *oplog_kind_text(enum oplog_kind kind);

#endif
