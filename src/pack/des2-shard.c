/* SPDX-License-Identifier: Apache-2.0 */
/* des2-shard.c - builds a shard of the format DES2, version 2. */
#include "config.h"

#include "pack/des2-shard.h"

#include <assert.h>
#include <string.h>

#include "base/hex.h"
#include "base/wr.h"

#define WRITTEN_VERSION 2
#define ENTRY_MAX ((64u << 20) + (1u << 17)) /* of one entry, metadata too */
#define META_BYTES (64u << 20)
#define AHEAD_BYTES (128u << 10)

enum rc des2_shard_begin(struct des2_shard *s, const struct shard_sink *sink,
			 struct err *err)
{
	uint8_t header[DES2_HEADER_SIZE] = DES2_MAGIC;

	*s = (struct des2_shard){ .sink = *sink };
	buf_init(&s->entry, ENTRY_MAX);
	buf_init(&s->ahead, AHEAD_BYTES);
	header[DES2_VERSION_OFF] = WRITTEN_VERSION;
	s->entry_off = sizeof(header);
	return des2_shard_data(s, header, sizeof(header), err);
}

void des2_shard_release(struct des2_shard *s)
{
	buf_release(&s->entry);
	buf_release(&s->ahead);
}

static enum rc flush(struct des2_shard *s, struct err *err)
{
	struct buf *b = &s->ahead;
	enum rc rc =
		b->len ? s->sink.data(s->sink.arg, b->p, b->len, err) : RC_OK;

	buf_clear(b);
	return rc;
}

enum rc des2_shard_data(struct des2_shard *s, const void *p, size_t len,
			struct err *err)
{
	enum rc rc = RC_OK;

	s->off += len;
	if (len > AHEAD_BYTES - s->ahead.len)
		rc = flush(s, err);
	if (rc || !len)
		return rc;
	if (len > AHEAD_BYTES)
		return s->sink.data(s->sink.arg, p, len, err);
	buf_append(&s->ahead, p, len);
	return buf_ok(&s->ahead)
		       ? RC_OK
		       : err_set(err, RC_NOMEM, "no memory for a shard");
}

static enum rc begin_entry(struct des2_shard *s, struct span uid,
			   struct span meta, unsigned int flags,
			   struct err *err)
{
	if (uid.len > DES2_UID_MAX)
		return err_set(err, RC_LIMIT,
			       "uid of %zu bytes, not at most %u", uid.len,
			       DES2_UID_MAX);
	if (meta.len > META_BYTES)
		return err_set(err, RC_LIMIT,
			       "metadata of %zu bytes, not at most %u",
			       meta.len, META_BYTES);
	if (s->n == UINT32_MAX)
		return err_set(err, RC_LIMIT, "too many files for a shard");
	buf_clear(&s->entry);
	wr_u16(&s->entry, (uint16_t)uid.len);
	buf_append(&s->entry, uid.p, uid.len);
	wr_u8(&s->entry, (uint8_t)flags);
	return RC_OK;
}

static enum rc end_entry(struct des2_shard *s, struct span meta,
			 struct err *err)
{
	enum rc rc;

	wr_u32(&s->entry, (uint32_t)meta.len);
	buf_append(&s->entry, meta.p, meta.len);
	if (!buf_ok(&s->entry))
		return err_set(err, RC_NOMEM, "no memory for an entry");
	rc = s->sink.index(s->sink.arg, s->entry.p, s->entry.len, err);
	if (rc)
		return rc;
	s->index_len += s->entry.len;
	s->entry_off = s->off;
	s->n++;
	return RC_OK;
}

enum rc des2_shard_file(struct des2_shard *s, struct span uid,
			enum codec_id codec, uint64_t plain_len,
			struct span meta, struct err *err)
{
	uint64_t stored = s->off - s->entry_off;

	assert(codec != CODEC_NONE || stored == plain_len);
	if (begin_entry(s, uid, meta, 0, err))
		return err->rc;
	wr_u64(&s->entry, s->entry_off);
	wr_u64(&s->entry, stored);
	wr_u8(&s->entry, (uint8_t)codec);
	wr_u64(&s->entry, stored);
	wr_u64(&s->entry, plain_len);
	return end_entry(s, meta, err);
}

enum rc des2_shard_big(struct des2_shard *s, struct span uid,
		       const uint8_t sha256[SHA256_LEN], uint64_t plain_len,
		       struct span meta, struct err *err)
{
	char hash[HEX_TEXT(SHA256_LEN)];

	assert(s->off == s->entry_off);
	hex_encode(sha256, SHA256_LEN, hash);
	if (begin_entry(s, uid, meta, DES2_FLAG_BIG_FILE, err))
		return err->rc;
	wr_u16(&s->entry, sizeof(hash) - 1);
	buf_append_str(&s->entry, hash);
	wr_u64(&s->entry, plain_len);
	return end_entry(s, meta, err);
}

enum rc des2_shard_end(struct des2_shard *s, uint64_t *ret_size,
		       struct err *err)
{
	struct buf *b = &s->entry;
	enum rc rc;

	assert(s->off == s->entry_off);
	if (flush(s, err))
		return err->rc;
	buf_clear(b);
	wr_u32(b, s->n);
	if (!buf_ok(b))
		return err_set(err, RC_NOMEM, "no memory for a shard's end");
	rc = s->sink.tail(s->sink.arg, b->p, b->len, err);
	if (!rc)
		rc = s->sink.flush_index(s->sink.arg, err);
	if (rc)
		return rc;
	buf_clear(b);
	buf_append_str(b, DES2_FOOTER_MAGIC);
	wr_u64(b, DES2_COUNT_SIZE + s->index_len);
	if (!buf_ok(b))
		return err_set(err, RC_NOMEM, "no memory for a shard's end");
	memcpy(s->footer, b->p, sizeof(s->footer));
	rc = s->sink.tail(s->sink.arg, b->p, b->len, err);
	*ret_size = s->off + DES2_COUNT_SIZE + s->index_len + DES2_FOOTER_SIZE;
	return rc;
}
