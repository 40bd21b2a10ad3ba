/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-checkpoint.h - records of the log held together in one object:
 * log/checkpoint-TIME-RANDOM.json.
 *
 * A checkpoint adds nothing to the meaning of the log: a reader takes what is
 * in it for the records it stands for.  But of shards that are purged
 * everywhere it has no names.  Format: desfs-archive(5), LOG.
 */
#ifndef DESFS_VOLUME_OPLOG_CHECKPOINT_H
#define DESFS_VOLUME_OPLOG_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "volume/oplog-record.h"

#define OPLOG_CHECKPOINT "checkpoint-" /* names begin so */
#define OPLOG_CHECKPOINT_MAX (64u << 20)
#define OPLOG_CHECKPOINT_KEY_TEXT 96

struct oplog;

/* Whether a shard's bytes are gone everywhere, so that its names may go. */
typedef bool oplog_gone_fn(void *arg, const struct shard_meta *m);

/* Append a checkpoint of the first of these records, which are in the order of
 * their names: of as many as there is room for.  *ret_n: how many that is; 0:
 * the first is too long for any.  They must have their receipts, see
 * oplog_keep_receipts.  time: of the newest of them, or later.
 */
enum rc oplog_checkpoint_encode(const struct oplog_record *const *records,
				size_t n,
				const uint8_t archive_id[SHARD_ID_LEN],
				int64_t time, oplog_gone_fn *is_gone, void *arg,
				struct buf *out, size_t *ret_n,
				struct err *err) MUST_CHECK;

/* A fresh key log/checkpoint-TIME-RANDOM.json. */
enum rc oplog_checkpoint_key(int64_t time, char *ret, size_t size,
			     struct err *err) MUST_CHECK;
/* Whether a name behind log/ has the form of these. */
bool oplog_checkpoint_name_time(const char *name, int64_t *ret_time) MUST_CHECK;

/* Hand each record, with its name, to fn, which takes it over when it succeeds.
 */
typedef enum rc oplog_checkpoint_fn(void *arg, struct oplog_record *r,
				    struct err *err);
/* *ret_time: what the document says; its name has the same. */
enum rc oplog_checkpoint_decode(const void *p, size_t len,
				uint8_t ret_archive_id[SHARD_ID_LEN],
				int64_t *ret_time, oplog_checkpoint_fn *fn,
				void *arg, struct err *err) MUST_CHECK;

/* --- two of one record ---------------------------------------------------- */

/* Take from a record what another of the same name has not any more.
 * *ret_is_less: the other has more than r had or has now.  RC_CORRUPT: they are
 * not of one record.
 */
enum rc oplog_record_reduce(struct oplog_record *r,
			    const struct oplog_record *other, bool *ret_is_less,
			    struct err *err) MUST_CHECK;

#endif
