/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.c - SHA-256 by Nettle. */
#include "config.h"

#include "base/sha256.h"

void sha256_init(struct sha256 *h)
{
	nettle_sha256_init(&h->ctx);
}

void sha256_update(struct sha256 *h, const void *p, size_t len)
{
	nettle_sha256_update(&h->ctx, len, p);
}

void sha256_update_zeros(struct sha256 *h, uint64_t n)
{
	static const uint8_t zeros[64 << 10];

	while (n) {
		size_t piece = n < sizeof(zeros) ? (size_t)n : sizeof(zeros);

		sha256_update(h, zeros, piece);
		n -= piece;
	}
}

void sha256_final(struct sha256 *h, uint8_t out[SHA256_LEN])
{
	nettle_sha256_digest(&h->ctx, SHA256_LEN, out);
}

void sha256_of(const void *p, size_t len, uint8_t out[SHA256_LEN])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_update(&h, p, len);
	sha256_final(&h, out);
}
