/* SPDX-License-Identifier: Apache-2.0 */
/* shard-des2.c - reading of DES2, versions 1 and 2. */
#include "config.h"

#include "shard/shard-des2.h"

#include <inttypes.h>

#include "base/hex.h"
#include "base/rd.h"
#include "shard/legacy-backend.h"

/* No frame of zstd or LZ4 makes more of a byte: 128 KiB need 4. */
#define EXPANSION_MAX 65536u

static enum rc check_header(const uint8_t *p, struct err *err)
{
	enum rc rc = legacy_magic("header", 0, p, DES2_MAGIC, err);

	if (rc)
		return rc;
	/* There are no newer ones: format 3 begins otherwise. */
	if (p[4] != 1 && p[4] != 2)
		return err_set(err, RC_CORRUPT,
			       "version at byte 4 is %u, not 1 or 2", p[4]);
	if (p[5] || p[6] || p[7])
		return err_set(err, RC_CORRUPT,
			       "header at byte 5 has %02x%02x%02x, not zeros",
			       p[5], p[6], p[7]);
	return RC_OK;
}

static enum rc des2_locate(const struct legacy_ends *ends,
			   struct legacy_index *ret, struct err *err)
{
	const uint64_t size = ends->size;
	const uint64_t least =
		DES2_HEADER_SIZE + DES2_COUNT_SIZE + DES2_FOOTER_SIZE;
	const uint64_t footer_off = size - DES2_FOOTER_SIZE;
	struct rd r;
	enum rc rc;

	if (size < least)
		return err_set(err, RC_CORRUPT,
			       "%" PRIu64 " bytes, a shard of DES2 has at "
			       "least %" PRIu64,
			       size, least);
	rc = check_header(ends->head, err);
	if (rc)
		return rc;
	r = (struct rd){ .p = ends->tail + ends->tail_len - DES2_FOOTER_SIZE,
			 .left = DES2_FOOTER_SIZE };
	rc = legacy_magic("footer", footer_off, r.p, DES2_FOOTER_MAGIC, err);
	if (rc)
		return rc;
	rd_take(&r, 4);
	ret->len = rd_u64(&r);
	if (ret->len < DES2_COUNT_SIZE ||
	    ret->len > footer_off - DES2_HEADER_SIZE)
		return err_set(err, RC_CORRUPT,
			       "size of the index at byte %" PRIu64
			       " is %" PRIu64 ", not %d to %" PRIu64,
			       footer_off + 4, ret->len, DES2_COUNT_SIZE,
			       footer_off - DES2_HEADER_SIZE);
	ret->off = footer_off - ret->len;
	ret->data_off = DES2_HEADER_SIZE;
	ret->data_end = ret->off;
	return RC_OK;
}

static bool is_v1(const struct legacy_cursor *c)
{
	return c->ix.kind == SHARD_KIND_DES2_V1;
}

static enum rc des2_begin(struct legacy_cursor *c, struct err *err)
{
	const uint64_t at = c->index.off;
	unsigned int least = is_v1(c) ? DES2_ENTRY_V1_SIZE : DES2_ENTRY_SIZE;
	const uint8_t *p = NULL;
	struct rd r;
	enum rc rc;

	rc = legacy_take(c, &c->index, DES2_COUNT_SIZE, "number of entries", &p,
			 err);
	if (rc)
		return rc;
	r = (struct rd){ .p = p, .left = DES2_COUNT_SIZE };
	c->count = rd_u32(&r);
	if (c->count > legacy_left(&c->index) / least)
		return err_set(err, RC_CORRUPT,
			       "index at byte %" PRIu64 " has %" PRIu64
			       " entries in %" PRIu64
			       " bytes, each needs %u or more",
			       at, c->count, legacy_left(&c->index), least);
	return RC_OK;
}

static bool des2_has_more(const struct legacy_cursor *c)
{
	return c->n < c->count;
}

/* Codec and lengths must agree. */
static void check_lengths(struct legacy_cursor *c, const struct legacy_entry *e)
{
	if (e->codec == CODEC_NONE && e->plain_len != e->stored_len)
		legacy_damage(c,
			      "file has %" PRIu64 " bytes, stored as %" PRIu64
			      " without a codec",
			      e->plain_len, e->stored_len);
	else if (e->plain_len / EXPANSION_MAX > e->stored_len ||
		 e->plain_len > INT64_MAX)
		legacy_damage(c,
			      "file has %" PRIu64 " bytes, which %" PRIu64
			      " cannot be decoded to",
			      e->plain_len, e->stored_len);
}

static enum rc inline_part(struct legacy_cursor *c, struct legacy_entry *e,
			   struct err *err)
{
	const size_t len = 33;
	const uint64_t at = c->index.off;
	const uint8_t *p = NULL;
	uint64_t compressed;
	uint8_t codec;
	struct rd r;
	enum rc rc = legacy_take(c, &c->index, len, "place of a file", &p, err);

	if (rc)
		return rc;
	r = (struct rd){ .p = p, .left = len };
	e->off = rd_u64(&r);
	e->stored_len = rd_u64(&r);
	codec = rd_u8(&r);
	compressed = rd_u64(&r);
	e->plain_len = rd_u64(&r);
	legacy_run_add(c, &c->data, e->off, e->stored_len, compressed);
	if (compressed != e->stored_len)
		legacy_damage(c,
			      "lengths at bytes %" PRIu64 " and %" PRIu64
			      " are %" PRIu64 " and %" PRIu64,
			      at + 8, at + 17, e->stored_len, compressed);
	if (codec > CODEC_LZ4) {
		legacy_damage(c, "codec at byte %" PRIu64 " is %u, not 0 to %d",
			      at + 16, codec, CODEC_LZ4);
		return RC_OK;
	}
	e->codec = (enum codec_id)codec;
	check_lengths(c, e);
	return RC_OK;
}

static enum rc big_file_part(struct legacy_cursor *c, struct legacy_entry *e,
			     struct err *err)
{
	uint8_t binary[LEGACY_HASH_DIGITS / 2];
	const uint64_t at = c->index.off;
	const uint8_t *p = NULL;
	size_t len;
	struct rd r;
	enum rc rc = legacy_take(c, &c->index, 2, "length of a hash", &p, err);

	if (rc)
		return rc;
	len = (size_t)(p[0] | p[1] << 8);
	rc = legacy_take(c, &c->index, len, "hash", &p, err);
	if (rc)
		return rc;
	/* It is going to be part of a name of an object. */
	if (!hex_decode((const char *)p, len, binary, sizeof(binary)))
		legacy_damage(c,
			      "hash at byte %" PRIu64 " is not %d lower-case "
			      "hex digits",
			      at, LEGACY_HASH_DIGITS);
	else
		hex_encode(binary, sizeof(binary), c->hash);
	e->hash = span_of(c->hash, LEGACY_HASH_DIGITS);
	rc = legacy_take(c, &c->index, 8, "size of a file", &p, err);
	if (rc)
		return rc;
	r = (struct rd){ .p = p, .left = 8 };
	e->plain_len = rd_u64(&r);
	if (e->plain_len > INT64_MAX)
		legacy_damage(c, "file has %" PRIu64 " bytes", e->plain_len);
	e->is_external = true;
	return RC_OK;
}

static enum rc des2_next(struct legacy_cursor *c, struct legacy_entry *e,
			 struct err *err)
{
	const uint8_t *p = NULL;
	struct rd r;
	enum rc rc = legacy_take_uid(c, e, err);

	if (rc || is_v1(c))
		return rc ? rc : inline_part(c, e, err);
	rc = legacy_take(c, &c->index, 1, "flags", &p, err);
	if (rc)
		return rc;
	if (*p & DES2_FLAG_BIG_FILE)
		rc = big_file_part(c, e, err);
	else
		rc = inline_part(c, e, err);
	if (rc)
		return rc;
	rc = legacy_take(c, &c->index, 4, "length of metadata", &p, err);
	if (rc)
		return rc;
	r = (struct rd){ .p = p, .left = 4 };
	e->meta_len = rd_u32(&r);
	return legacy_take_meta(c, &c->index, e, err);
}

static enum rc des2_end(struct legacy_cursor *c, struct err *err)
{
	if (c->index.off != c->index.end)
		return err_set(err, RC_CORRUPT,
			       "index has %" PRIu64
			       " entries up to byte %" PRIu64
			       ", but ends at byte %" PRIu64,
			       c->count, c->index.off, c->index.end);
	return RC_OK;
}

const struct legacy_format legacy_des2 = {
	.locate = des2_locate,
	.begin = des2_begin,
	.has_more = des2_has_more,
	.next = des2_next,
	.end = des2_end,
};
