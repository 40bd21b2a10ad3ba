/* SPDX-License-Identifier: Apache-2.0 */
/* shard-block.h - blocks: the unit of compression, checksum, fetch and cache.
 *
 * Source of the format: des-shard(5), BLOCKS.  Pure functions; any thread.
 */
#ifndef DESFS_SHARD_SHARD_BLOCK_H
#define DESFS_SHARD_SHARD_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/codec.h"
#include "shard/shard-entry.h"

struct block_header {
	uint8_t data_codec, records_codec; /* enum codec_id */
	uint32_t n_records;
	uint32_t data_len, data_stored;       /* raw and stored bytes of data */
	uint32_t records_len, records_stored; /* likewise of the records */
	uint32_t crc;                         /* CRC32C, see des-shard(5) */
};

/* Parse the BLOCK_HEADER_SIZE bytes at p: magic, limits. */
enum rc block_header_decode(const uint8_t *p, size_t len,
			    struct block_header *ret,
			    struct err *err) MUST_CHECK;

/* Check the stored bytes of a whole block: lengths, CRC and, when ref is given,
 * what ref says of it; with check_hash also the 128-bit hash.
 */
enum rc block_check(const uint8_t *stored, size_t len,
		    const struct block_ref *ref, bool check_hash,
		    struct block_header *ret, struct err *err) MUST_CHECK;

/* The file data of a checked block into out (h->data_len bytes). */
enum rc block_decode_data(const uint8_t *stored, const struct block_header *h,
			  uint8_t *out, struct err *err) MUST_CHECK;

/* How many bytes of the file data to decode when the first want are needed:
 * h->data_len when fewer would cost as much.
 */
size_t block_prefix(const uint8_t *stored, const struct block_header *h,
		    size_t want);

/* The first len bytes of the file data of a checked block. */
enum rc block_decode_prefix(const uint8_t *stored, const struct block_header *h,
			    uint8_t *out, size_t len,
			    struct err *err) MUST_CHECK;

/* The record section of a checked block into out (h->records_len bytes). */
enum rc block_decode_records(const uint8_t *stored,
			     const struct block_header *h, uint8_t *out,
			     struct err *err) MUST_CHECK;

struct block_parts {
	const uint8_t *data, *records;
	size_t data_len, records_len;
	uint32_t n_records;
	enum codec_id data_codec, records_codec;
	int level;
};

/* Build one block.  A part that does not shrink is stored as it is.  Fills ret
 * (all but off) and appends the stored bytes to out.  Without ret it has
 * neither checksum nor hash: for block_with_records.
 */
enum rc block_build(const struct block_parts *parts, struct buf *out,
		    struct block_ref *ret, struct err *err) MUST_CHECK;

/* Make a block without records of len bytes (at most BLOCK_SIZE_MAX) that stand
 * behind room for its header, uncompressed: BLOCK_HEADER_SIZE bytes in front of
 * them.
 */
void block_wrap(uint8_t *stored, size_t len);

/* The file data of a checked block as they are stored there, with other
 * records: appended to out.
 */
enum rc block_with_records(const uint8_t *stored, const struct block_header *h,
			   const uint8_t *records, size_t records_len,
			   uint32_t n_records, enum codec_id codec, int level,
			   struct buf *out, struct block_ref *ret,
			   struct err *err) MUST_CHECK;

/* As block_build, with one codec for both. */
enum rc block_encode(const uint8_t *data, size_t data_len,
		     const uint8_t *records, size_t records_len,
		     uint32_t n_records, enum codec_id codec, int level,
		     struct buf *out, struct block_ref *ret,
		     struct err *err) MUST_CHECK;

/* True for a reference to zeros that are stored nowhere. */
static inline bool block_is_hole(const struct block_ref *ref)
{
	return ref->stored_len == 0;
}

#endif
