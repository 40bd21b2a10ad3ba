/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-write.h - documents of tombstones into a store, and the log record
 * that makes them count.
 *
 *	tombstone_write_begin(&w, st, log, archive_id, &words, err);
 *	for each: tombstone_write_add(w, uid, range, time, err);
 *	tombstone_write_commit(w, err);
 *	tombstone_write_free(w);
 */
#ifndef DESFS_REPACK_TOMBSTONE_WRITE_H
#define DESFS_REPACK_TOMBSTONE_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "erase/erasure-words.h"
#include "erase/tombstone.h"
#include "shard/shard-entry.h"
#include "shard/shard-format.h"

struct oplog;
struct store;
struct tombstone_write;

/* All is borrowed.  As long as it is open the run is marked as alive. */
enum rc tombstone_write_begin(struct tombstone_write **ret, struct store *st,
			      struct oplog *log,
			      const uint8_t archive_id[SHARD_ID_LEN],
			      const struct erasure_words *words,
			      struct err *err) MUST_CHECK;
/* Documents that no record was tried to be written of are removed. */
void tombstone_write_free(struct tombstone_write *w); /* takes NULL */

/* When it is asked, microseconds. */
int64_t tombstone_write_time(const struct tombstone_write *w);

/* ERASURE_UNTIL: up to time, or when it is asked, whichever is later. */
enum rc tombstone_write_add(struct tombstone_write *w, struct span uid,
			    enum erasure_range range, int64_t time,
			    struct err *err) MUST_CHECK;

/* The keys of the documents, borrowed. */
size_t tombstone_write_n_keys(const struct tombstone_write *w);
const char *tombstone_write_key(const struct tombstone_write *w, size_t i);

/* All documents are there and were read back: write the record. */
enum rc tombstone_write_commit(struct tombstone_write *w,
			       struct err *err) MUST_CHECK;

#endif
