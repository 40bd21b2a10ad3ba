/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.h - SHA-256, piece by piece or at once.
 *
 *	CLEANUP_SHA256 struct sha256 h = { 0 };
 *
 *	sha256_init(&h);
 *	sha256_update(&h, p, len);
 *	sha256_final(&h, out);
 *
 * After sha256_final the state may be begun again by sha256_init, which keeps
 * its memory.  A failing libcrypto aborts: nothing useful can follow.
 */
#ifndef DESFS_BASE_SHA256_H
#define DESFS_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32

struct evp_md_ctx_st;

struct sha256 {
	struct evp_md_ctx_st *ctx;
};

/* Begin; the struct is zeroed or was used before. */
void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *p, size_t len);
/* n bytes of zeros. */
void sha256_update_zeros(struct sha256 *h, uint64_t n);
void sha256_final(struct sha256 *h, uint8_t out[SHA256_LEN]);
void sha256_release(struct sha256 *h);

void sha256_of(const void *p, size_t len, uint8_t out[SHA256_LEN]);

#define CLEANUP_SHA256 __attribute__((cleanup(sha256_release)))

#endif
