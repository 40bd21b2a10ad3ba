/* SPDX-License-Identifier: Apache-2.0 */
/* shard-record.h - the row form of entries: block records, logical root.
 *
 * A block carries a record of every file that ends in it, so that a shard
 * without its tail can be salvaged.  Source: des-shard(5), RECORDS.
 */
#ifndef DESFS_SHARD_SHARD_RECORD_H
#define DESFS_SHARD_SHARD_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "shard/shard-entry.h"

/* Where a record says the content is. */
enum record_content {
	RECORD_NONE = 0,   /* no bytes */
	RECORD_HERE = 1,   /* whole in this block's data, from tail_off */
	RECORD_HASHES = 2, /* in blocks named by their hashes, zeros: a hole */
};

/* Instead of a hash: the block the record is in, which cannot hold its own. */
#define RECORD_HASH_OWN 0xff /* each byte */

struct record {
	struct entry entry; /* content: only tail_off, block_size, n_blocks */
	enum record_content where;
	const uint8_t *hashes; /* n_blocks * BLOCK_HASH_LEN, borrowed */
};

/* Append one record.  prev is the uid of the record before it in the block, or
 * NULL for the first: the uid is written as what differs.
 */
void record_encode(const struct record *rec, const struct entry *prev,
		   struct buf *out);

/* Walk the records of a block. */
struct record_reader;
enum rc record_reader_new(const uint8_t *p, size_t len, uint32_t n_records,
			  struct record_reader **ret,
			  struct err *err) MUST_CHECK;
/* RC_OK and the next record, valid until the next call; RC_NOENT at the end. */
enum rc record_next(struct record_reader *r, struct record *ret,
		    struct err *err) MUST_CHECK;
void record_reader_free(struct record_reader *r);

/* Append what logical_root hashes of an entry: everything but where its bytes
 * lie.
 */
void record_encode_logical(const struct entry *e, struct buf *out);

#endif
