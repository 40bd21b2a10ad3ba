/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-block.c - one block: checked, decoded, built again.
 *
 * Input: mode, a stored block.
 */
#include "config.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "fuzz.h"
#include "seal.h"
#include "shard/shard-block.h"
#include "shard/shard-record.h"

/* Lengths that add up, and the checksum. */
static void seal_block(uint8_t *p, size_t len)
{
	size_t left = len - BLOCK_HEADER_SIZE;
	size_t records = seal_get32(p + 24);

	if (records > left)
		records = left;
	seal_le32(p, BLOCK_MAGIC);
	seal_le32(p + 16, left - records);
	seal_le32(p + 24, records);
	if (p[4] == CODEC_NONE)
		seal_le32(p + 12, left - records);
	if (p[5] == CODEC_NONE)
		seal_le32(p + 20, records);
	p[6] = p[7] = 0;
	memset(p + 28, 0, 8);
	seal_crc(p, len, BLOCK_HEADER_SIZE);
}

static void walk_records(const uint8_t *p, const struct block_header *h)
{
	struct record_reader *rr = NULL;
	struct record rec;
	struct err err = { 0 };
	uint32_t n = 0;

	if (record_reader_new(p, h->records_len, h->n_records, &rr, &err))
		return;
	while (!record_next(rr, &rec, &err))
		SEAL_CHECK(++n <= h->n_records);
	record_reader_free(rr);
}

/* The same parts make a block that says the same. */
static void again(const uint8_t *data, const uint8_t *records,
		  const struct block_header *h)
{
	CLEANUP_BUF struct buf out = { .max = SIZE_MAX / 2 };
	CLEANUP_FREE uint8_t *copy = mem_array(h->data_len, 1);
	struct block_header head;
	struct block_ref ref;
	struct err err = { 0 };

	SEAL_CHECK(copy &&
		   !block_encode(data, h->data_len, records, h->records_len,
				 h->n_records, CODEC_LZ4, 0, &out, &ref, &err));
	SEAL_CHECK(!block_check(out.p, out.len, &ref, true, &head, &err));
	SEAL_CHECK(head.data_len == h->data_len &&
		   head.records_len == h->records_len &&
		   head.n_records == h->n_records);
	SEAL_CHECK(!block_decode_data(out.p, &head, copy, &err));
	SEAL_CHECK(!memcmp(copy, data, h->data_len));
}

/* A prefix is the beginning of the whole, if there is one (data, else NULL). */
static void check_prefix(const uint8_t *stored, const struct block_header *h,
			 const uint8_t *data)
{
	size_t want = h->data_len / 3;
	size_t len = block_prefix(stored, h, want);
	CLEANUP_FREE uint8_t *out = mem_array(len, 1);
	struct err err = { 0 };

	SEAL_CHECK(out && len >= want && len <= h->data_len);
	if (block_decode_prefix(stored, h, out, len, &err))
		SEAL_CHECK(!data && err.rc == RC_CORRUPT);
	else
		SEAL_CHECK(!data || !memcmp(out, data, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE uint8_t *stored = NULL, *plain = NULL, *records = NULL;
	size_t len = size - 1;
	struct block_header h;
	struct block_ref ref;
	struct err err = { 0 };

	if (!size)
		return 0;
	stored = seal_copy(data + 1, len);
	if (data[0] & 1 && len >= BLOCK_HEADER_SIZE)
		seal_block(stored, len);
	if (block_check(stored, len, NULL, true, &h, &err))
		return 0;
	ref = (struct block_ref){ .stored_len = (uint32_t)len,
				  .data_len = h.data_len,
				  .codec = h.data_codec };
	seal_hash(stored, len, ref.hash);
	SEAL_CHECK(!block_check(stored, len, &ref, true, &h, &err));
	plain = mem_array(h.data_len, 1);
	records = mem_array(h.records_len, 1);
	SEAL_CHECK(plain && records);
	if (block_decode_data(stored, &h, plain, &err)) {
		check_prefix(stored, &h, NULL);
		return 0;
	}
	check_prefix(stored, &h, plain);
	if (block_decode_records(stored, &h, records, &err))
		return 0;
	walk_records(records, &h);
	again(plain, records, &h);
	return 0;
}
