/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-header.c - the header of a shard: accepted is what is written again. */
#include "config.h"

#include "base/buf.h"
#include "fuzz.h"
#include "seal.h"
#include "shard/shard-footer.h"

static void written_again(const struct shard_header *h, const uint8_t *p)
{
	CLEANUP_BUF struct buf out = { .max = SHARD_HEADER_SIZE };

	shard_header_encode(h, &out);
	SEAL_CHECK(buf_ok(&out) && out.len == SHARD_HEADER_SIZE &&
		   !memcmp(out.p, p, out.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[SHARD_HEADER_SIZE] = { 0 };
	struct shard_header h;
	struct err err = { 0 };

	if (!size)
		return 0;
	if (!(data[0] & 1)) {
		if (!shard_header_decode(data + 1, size - 1, &h, &err))
			written_again(&h, data + 1);
		return 0;
	}
	memcpy(bytes, data + 1,
	       size - 1 < sizeof(bytes) ? size - 1 : sizeof(bytes));
	seal_crc(bytes, sizeof(bytes), sizeof(bytes));
	if (!shard_header_decode(bytes, sizeof(bytes), &h, &err))
		written_again(&h, bytes);
	return 0;
}
