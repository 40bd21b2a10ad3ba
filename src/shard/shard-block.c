/* SPDX-License-Identifier: Apache-2.0 */
/* shard-block.c - one block: build, check, decode. */
#include "config.h"

#include "shard/shard-block.h"

#include <string.h>

#include "base/crc32c.h"
#include "base/rd.h"
#include "base/sha256.h"
#include "base/wr.h"
#include "shard/shard-format.h"

#define BLOCK_CRC_OFF (BLOCK_HEADER_SIZE - 4)

static bool codec_is_known(uint8_t id)
{
	return !!codec_by_id(id);
}

/* A part is compressed only when that makes it smaller, see block_build. */
static bool part_is_sound(uint8_t codec, uint32_t len, uint32_t stored)
{
	return codec == CODEC_NONE ? stored == len : stored && stored < len;
}

static bool lengths_are_sound(const struct block_header *h)
{
	return h->data_len <= BLOCK_SIZE_MAX &&
	       h->records_len <= BLOCK_RECORDS_MAX &&
	       !h->records_len == !h->n_records &&
	       part_is_sound(h->data_codec, h->data_len, h->data_stored) &&
	       part_is_sound(h->records_codec, h->records_len,
			     h->records_stored);
}

enum rc block_header_decode(const uint8_t *p, size_t len,
			    struct block_header *ret, struct err *err)
{
	struct rd r = { .p = p, .left = len };
	struct block_header h = { 0 };
	uint32_t magic = rd_u32(&r);
	uint32_t dictionary, zero;

	h.data_codec = rd_u8(&r);
	h.records_codec = rd_u8(&r);
	zero = rd_u16(&r);
	h.n_records = rd_u32(&r);
	h.data_len = rd_u32(&r);
	h.data_stored = rd_u32(&r);
	h.records_len = rd_u32(&r);
	h.records_stored = rd_u32(&r);
	dictionary = rd_u32(&r);
	zero |= rd_u32(&r);
	h.crc = rd_u32(&r);
	if (!rd_ok(&r) || magic != BLOCK_MAGIC)
		return err_set(err, RC_CORRUPT, "no block begins here");
	if (!codec_is_known(h.data_codec) || !codec_is_known(h.records_codec) ||
	    dictionary || zero || !lengths_are_sound(&h))
		return err_set(err, RC_CORRUPT, "block header out of bounds");
	*ret = h;
	return RC_OK;
}

static uint32_t block_crc(const uint8_t *stored, size_t len)
{
	uint32_t crc = crc32c(stored, BLOCK_CRC_OFF);

	return crc32c_more(crc, stored + BLOCK_HEADER_SIZE,
			   len - BLOCK_HEADER_SIZE);
}

enum rc block_check(const uint8_t *stored, size_t len,
		    const struct block_ref *ref, bool check_hash,
		    struct block_header *ret, struct err *err)
{
	uint8_t hash[ENTRY_HASH_LEN];
	struct block_header h;
	enum rc rc;

	rc = block_header_decode(stored, len, &h, err);
	if (rc)
		return rc;
	if (len !=
	    (uint64_t)BLOCK_HEADER_SIZE + h.data_stored + h.records_stored)
		return err_set(err, RC_CORRUPT,
			       "block header states another length than %zu",
			       len);
	if (ref && (ref->stored_len != len || ref->data_len != h.data_len ||
		    ref->codec != h.data_codec))
		return err_set(err, RC_CORRUPT,
			       "block is not the one the index names");
	if (block_crc(stored, len) != h.crc)
		return err_set(err, RC_CORRUPT, "block checksum mismatch");
	if (ref && check_hash) {
		sha256_of(stored, len, hash);
		if (memcmp(hash, ref->hash, BLOCK_HASH_LEN))
			return err_set(err, RC_CORRUPT, "block hash mismatch");
	}
	*ret = h;
	return RC_OK;
}

static enum rc decode_part(uint8_t codec, const uint8_t *in, size_t in_len,
			   uint8_t *out, size_t out_len, struct err *err)
{
	if (!out_len && !in_len)
		return RC_OK;
	return codec_by_id(codec)->decode(in, in_len, out, out_len, err);
}

enum rc block_decode_data(const uint8_t *stored, const struct block_header *h,
			  uint8_t *out, struct err *err)
{
	return decode_part(h->data_codec, stored + BLOCK_HEADER_SIZE,
			   h->data_stored, out, h->data_len, err);
}

size_t block_prefix(const uint8_t *stored, const struct block_header *h,
		    size_t want)
{
	const struct codec *c = codec_by_id(h->data_codec);

	if (want >= h->data_len || !c->prefix)
		return h->data_len;
	return c->prefix(stored + BLOCK_HEADER_SIZE, h->data_stored,
			 h->data_len, want);
}

enum rc block_decode_prefix(const uint8_t *stored, const struct block_header *h,
			    uint8_t *out, size_t len, struct err *err)
{
	if (len == h->data_len)
		return block_decode_data(stored, h, out, err);
	return codec_by_id(h->data_codec)
		->decode_prefix(stored + BLOCK_HEADER_SIZE, h->data_stored,
				h->data_len, out, len, err);
}

enum rc block_decode_records(const uint8_t *stored,
			     const struct block_header *h, uint8_t *out,
			     struct err *err)
{
	return decode_part(h->records_codec,
			   stored + BLOCK_HEADER_SIZE + h->data_stored,
			   h->records_stored, out, h->records_len, err);
}

/* Append one part, compressed when that makes it smaller. */
static enum rc encode_part(const uint8_t *p, size_t len, enum codec_id codec,
			   int level, struct buf *out, uint8_t *ret_codec,
			   uint32_t *ret_stored, struct err *err)
{
	uint8_t *to = buf_reserve(out, len);
	size_t n = 0;
	enum rc rc;

	if (!to)
		return err_set(err, RC_NOMEM, "no memory for a block");
	*ret_codec = CODEC_NONE;
	*ret_stored = (uint32_t)len;
	if (len && codec != CODEC_NONE) {
		rc = codec_by_id(codec)->encode(p, len, level, to, len - 1, &n,
						err);
		if (rc)
			return rc;
	}
	if (n) {
		*ret_codec = (uint8_t)codec;
		*ret_stored = (uint32_t)n;
		out->len += n;
	} else {
		buf_append(out, p, len);
	}
	return RC_OK;
}

static void write_header(const struct block_header *h, struct buf *out)
{
	wr_u32(out, BLOCK_MAGIC);
	wr_u8(out, h->data_codec);
	wr_u8(out, h->records_codec);
	wr_u16(out, 0);
	wr_u32(out, h->n_records);
	wr_u32(out, h->data_len);
	wr_u32(out, h->data_stored);
	wr_u32(out, h->records_len);
	wr_u32(out, h->records_stored);
	wr_u32(out, 0); /* no dictionary */
	wr_u32(out, 0);
	wr_u32(out, 0); /* the checksum, set when the rest is known */
}

/* The rest of a block whose parts are in out, behind room for the header that
 * begins at start.
 */
static void finish_block(const struct block_header *h, size_t start,
			 struct buf *out, struct block_ref *ret)
{
	size_t len = out->len - start;
	struct buf head = { .p = out->p + start,
			    .cap = BLOCK_HEADER_SIZE,
			    .max = BLOCK_HEADER_SIZE };
	uint8_t hash[ENTRY_HASH_LEN];

	write_header(h, &head);
	if (!ret)
		return;
	wr_patch_le(out, start + BLOCK_CRC_OFF, block_crc(out->p + start, len),
		    4);
	sha256_of(out->p + start, len, hash);
	*ret = (struct block_ref){ .stored_len = (uint32_t)len,
				   .data_len = h->data_len,
				   .codec = h->data_codec };
	memcpy(ret->hash, hash, BLOCK_HASH_LEN);
}

void block_wrap(uint8_t *stored, size_t len)
{
	const struct block_header h = { .data_len = (uint32_t)len,
					.data_stored = (uint32_t)len };
	size_t stored_len = BLOCK_HEADER_SIZE + len;
	struct buf out = { .p = stored, .cap = stored_len, .max = stored_len };

	write_header(&h, &out);
	out.len = BLOCK_HEADER_SIZE;
	wr_patch_le(&out, BLOCK_CRC_OFF, block_crc(stored, stored_len), 4);
}

/* Room for the header of a block with so many raw bytes. */
static enum rc begin_block(size_t data_len, size_t records_len, struct buf *out,
			   struct err *err)
{
	if (data_len > BLOCK_SIZE_MAX || records_len > BLOCK_RECORDS_MAX)
		return err_set(err, RC_LIMIT, "block of %zu and %zu bytes",
			       data_len, records_len);
	if (!buf_reserve(out, BLOCK_HEADER_SIZE))
		return err_set(err, RC_NOMEM, "no memory for a block");
	out->len += BLOCK_HEADER_SIZE;
	return RC_OK;
}

enum rc block_build(const struct block_parts *parts, struct buf *out,
		    struct block_ref *ret, struct err *err)
{
	struct block_header h = { .n_records = parts->n_records,
				  .data_len = (uint32_t)parts->data_len,
				  .records_len = (uint32_t)parts->records_len };
	size_t start = out->len;
	enum rc rc = begin_block(parts->data_len, parts->records_len, out, err);

	if (!rc)
		rc = encode_part(parts->data, parts->data_len,
				 parts->data_codec, parts->level, out,
				 &h.data_codec, &h.data_stored, err);
	if (!rc)
		rc = encode_part(parts->records, parts->records_len,
				 parts->records_codec, parts->level, out,
				 &h.records_codec, &h.records_stored, err);
	if (!rc)
		finish_block(&h, start, out, ret);
	return rc;
}

enum rc block_with_records(const uint8_t *stored, const struct block_header *h,
			   const uint8_t *records, size_t records_len,
			   uint32_t n_records, enum codec_id codec, int level,
			   struct buf *out, struct block_ref *ret,
			   struct err *err)
{
	struct block_header now = { .n_records = n_records,
				    .data_codec = h->data_codec,
				    .data_len = h->data_len,
				    .data_stored = h->data_stored,
				    .records_len = (uint32_t)records_len };
	size_t start = out->len;
	enum rc rc = begin_block(h->data_len, records_len, out, err);

	if (rc)
		return rc;
	buf_append(out, stored + BLOCK_HEADER_SIZE, h->data_stored);
	rc = encode_part(records, records_len, codec, level, out,
			 &now.records_codec, &now.records_stored, err);
	if (!rc && !buf_ok(out))
		rc = err_set(err, RC_NOMEM, "no memory for a block");
	if (!rc)
		finish_block(&now, start, out, ret);
	return rc;
}

enum rc block_encode(const uint8_t *data, size_t data_len,
		     const uint8_t *records, size_t records_len,
		     uint32_t n_records, enum codec_id codec, int level,
		     struct buf *out, struct block_ref *ret, struct err *err)
{
	const struct block_parts parts = { .data = data,
					   .data_len = data_len,
					   .records = records,
					   .records_len = records_len,
					   .n_records = n_records,
					   .data_codec = codec,
					   .records_codec = codec,
					   .level = level };

	return block_build(&parts, out, ret, err);
}
