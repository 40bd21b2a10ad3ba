/* SPDX-License-Identifier: Apache-2.0 */
/* oplog.h - the log: small create-only records that say which shards count.
 *
 * Format: desfs-archive(5), LOG.  Reading only; records are written by
 * pack/commit.c with oplog_record_encode.
 */
#ifndef DESFS_VOLUME_OPLOG_H
#define DESFS_VOLUME_OPLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "shard/shard-format.h"
#include "store/store.h"

#define OPLOG_PART_MAX 9999u
#define OPLOG_REVISION_MAX 999u
#define OPLOG_RECORD_MAX (256u << 20) /* bytes; a run over 65,536 slots */

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
};

void shard_meta_release(struct shard_meta *m);
/* For qsort and bsearch: by key. */
int shard_meta_compare(const void *a, const void *b);

/* One record: a run's shards. */
struct oplog_record {
	char *name; /* its key's last part; NULL when only decoded */
	uint8_t archive_id[SHARD_ID_LEN]; /* set by decoding */
	int64_t time; /* when it was written, microseconds */
	struct shard_meta *shards;
	size_t n_shards, cap; /* cap: for decoding */
};

void oplog_record_release(struct oplog_record *r);
enum rc oplog_record_decode(const void *p, size_t len, struct oplog_record *ret,
			    struct err *err) MUST_CHECK;
/* archive_id as in the descriptor; of r only time and shards, which need not be
 * in order, are written.
 */
void oplog_record_encode(const struct oplog_record *r,
			 const uint8_t archive_id[SHARD_ID_LEN],
			 struct buf *out);

/* A fresh key log/<time>-<128 random bits>.json for a record written now. */
enum rc oplog_record_key(int64_t time, char *ret, size_t size,
			 struct err *err) MUST_CHECK;

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

/* List log/ and read the records not read before (the list overlaps the last
 * known name by 15 minutes, once an hour it is of all).  *ret_changed: there
 * were some.  A record that cannot be read or understood is an error and leaves
 * the log as it was.
 */
enum rc oplog_read(struct oplog *log, struct store *st, bool *ret_changed,
		   struct err *err) MUST_CHECK;

/* The shards that count, by key; borrowed until the next oplog_read. A key
 * named by several records counts once.
 */
size_t oplog_count(const struct oplog *log);
const struct shard_meta *oplog_shard(const struct oplog *log, size_t i);

/* The key a shard must have, from its fields: day, slot, part, revision, root.
 * size of ret at least SHARD_KEY_TEXT.
 */
#define SHARD_KEY_TEXT 96
void shard_key(const struct shard_meta *m, char ret[SHARD_KEY_TEXT]);

#endif
