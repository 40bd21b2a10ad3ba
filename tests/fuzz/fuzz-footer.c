/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-footer.c - footer and info of a shard: accepted is what is written
 * again.
 *
 * Input: mode, the size of the shard in eight bytes, the footer, the info.
 */
#include "config.h"

#include "base/buf.h"
#include "base/rd.h"
#include "fuzz.h"
#include "seal.h"
#include "shard/shard-footer.h"

#define ROOT_OFF 468
#define CRC_OFF 500

static void seal_footer(uint8_t *p)
{
	memcpy(p, SHARD_FOOTER_MAGIC, SHARD_MAGIC_LEN);
	sha256_of(p, ROOT_OFF, p + ROOT_OFF);
	seal_le32(p + CRC_OFF, crc32c(p, CRC_OFF));
	memcpy(p + SHARD_FOOTER_SIZE - SHARD_MAGIC_LEN, SHARD_END_MAGIC,
	       SHARD_MAGIC_LEN);
}

/* What a reader allocates or divides by is bounded by the shard's size. */
static void is_bounded(const struct shard_footer *f, uint64_t shard_size)
{
	uint64_t n = f->filter_dir.len / BLOCK_HASH_LEN;

	SEAL_CHECK(f->index_len < shard_size && f->filter.len < shard_size);
	SEAL_CHECK(f->filter_dir.len < shard_size && !n == !f->n_entries);
	SEAL_CHECK(!n || f->filter.len / n);
	SEAL_CHECK(f->info.len <= SHARD_INFO_MAX);
	SEAL_CHECK(f->root_page.stored_len <= PAGE_HEADER_SIZE + PAGE_RAW_MAX);
	SEAL_CHECK(f->dead_bytes <= f->data_len && f->n_files <= f->n_entries);
}

static void try_footer(const uint8_t *p, size_t len, uint64_t shard_size)
{
	CLEANUP_BUF struct buf out = { .max = SHARD_FOOTER_SIZE };
	struct shard_footer f;
	struct err err = { 0 };

	if (shard_footer_decode(p, len, shard_size, &f, &err))
		return;
	is_bounded(&f, shard_size);
	shard_footer_encode(&f, &out);
	SEAL_CHECK(buf_ok(&out) && out.len == SHARD_FOOTER_SIZE &&
		   !memcmp(out.p, p, out.len));
}

static void try_info(const uint8_t *p, size_t len)
{
	CLEANUP_BUF struct buf out = { .max = SHARD_INFO_MAX };
	struct shard_info info;
	struct err err = { 0 };

	if (len > SHARD_INFO_MAX || shard_info_decode(p, len, &info, &err))
		return;
	SEAL_CHECK(info.first.len <= UID_MAX_LEN &&
		   info.last.len <= UID_MAX_LEN);
	shard_info_encode(&info, &out);
	SEAL_CHECK(buf_ok(&out) && out.len == len && !memcmp(out.p, p, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = { .p = data, .left = size };
	uint8_t bytes[SHARD_FOOTER_SIZE] = { 0 };
	bool seal = rd_u8(&r) & 1;
	uint64_t shard_size = rd_u64(&r);
	size_t len;

	if (!rd_ok(&r))
		return 0;
	len = r.left < sizeof(bytes) ? r.left : sizeof(bytes);
	memcpy(bytes, rd_take(&r, len), len);
	if (seal)
		seal_footer(bytes);
	try_footer(bytes, seal ? sizeof(bytes) : len, shard_size);
	try_info(r.p, r.left);
	return 0;
}
