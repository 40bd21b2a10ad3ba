/* SPDX-License-Identifier: Apache-2.0 */
/* seal.h - checksums made right, so that a fuzzer gets past them.
 *
 * Inputs of the shard targets begin with a byte whose lowest bit says: 1, make
 * lengths and checksums right; 0, take the bytes as they are.
 */
#ifndef DESFS_TESTS_FUZZ_SEAL_H
#define DESFS_TESTS_FUZZ_SEAL_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/crc32c.h"
#include "base/sha256.h"
#include "codec/codec.h"
#include "shard/shard-entry.h"
#include "shard/shard-format.h"

/* A failed check is a find. */
#define SEAL_CHECK(what)         \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

static inline void seal_le32(uint8_t *p, size_t v)
{
	for (size_t i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static inline uint32_t seal_get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

/* The checksum at the end of a head covers all but itself. */
static inline void seal_crc(uint8_t *p, size_t len, size_t head)
{
	uint32_t crc = crc32c(p, head - 4);

	seal_le32(p + head - 4, crc32c_more(crc, p + head, len - head));
}

static inline void seal_hash(const uint8_t *p, size_t len,
			     uint8_t hash[BLOCK_HASH_LEN])
{
	uint8_t full[SHA256_LEN];

	sha256_of(p, len, full);
	memcpy(hash, full, BLOCK_HASH_LEN);
}

/* An exact copy, so that a sanitizer sees the first byte too far. */
static inline uint8_t *seal_copy(const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	SEAL_CHECK(copy);
	memcpy(copy, p, len);
	return copy;
}

/* A page whose lengths, checksum and reference are right.  kind and level of 0:
 * those of the bytes.
 */
static inline void seal_page(uint8_t *p, size_t len, bool seal, uint8_t kind,
			     uint8_t level, struct page_ref *ret)
{
	*ret = (struct page_ref){ .stored_len = (uint32_t)len };
	if (seal && len >= PAGE_HEADER_SIZE) {
		seal_le32(p, PAGE_MAGIC);
		if (kind)
			p[4] = kind;
		if (level)
			p[6] = level;
		p[7] = 0;
		if (p[5] == CODEC_NONE)
			seal_le32(p + 12, len - PAGE_HEADER_SIZE);
		seal_le32(p + 16, len - PAGE_HEADER_SIZE);
		seal_crc(p, len, PAGE_HEADER_SIZE);
	}
	seal_hash(p, len, ret->hash);
}

#endif
