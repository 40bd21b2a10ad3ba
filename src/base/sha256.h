/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.h - SHA-256, piece by piece or at once.
 *
 *	struct sha256 h;
 *
 *	sha256_init(&h);
 *	sha256_update(&h, p, len);
 *	sha256_final(&h, out);
 *
 * It cannot fail and needs no memory but the struct.  By Nettle (FIPS 180-4).
 */
#ifndef DESFS_BASE_SHA256_H
#define DESFS_BASE_SHA256_H

#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>

/* Its functions are called nettle_sha256_*; ours have these names. */
#undef sha256_init
#undef sha256_update

#define SHA256_LEN 32

struct sha256 {
	struct sha256_ctx ctx;
};

/* Begin, or begin anew. */
void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *p, size_t len);
/* n bytes of zeros. */
void sha256_update_zeros(struct sha256 *h, uint64_t n);
/* Then it has to begin anew. */
void sha256_final(struct sha256 *h, uint8_t out[SHA256_LEN]);

void sha256_of(const void *p, size_t len, uint8_t out[SHA256_LEN]);

#endif
