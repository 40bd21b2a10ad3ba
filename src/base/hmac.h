/* SPDX-License-Identifier: Apache-2.0 */
/* hmac.h - HMAC-SHA256 (RFC 2104), piece by piece.
 *
 *	struct hmac h;
 *
 *	hmac_init(&h, key, sizeof(key));
 *	hmac_update(&h, p, len);
 *	hmac_final(&h, out);
 *
 * It cannot fail and needs no memory but the struct, which has nothing of the
 * key any more after hmac_final.  By Nettle.
 */
#ifndef DESFS_BASE_HMAC_H
#define DESFS_BASE_HMAC_H

#include <nettle/hmac.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"

/* Its function is called nettle_hmac_update; ours has this name. */
#undef hmac_update

#define HMAC_LEN SHA256_LEN

struct hmac {
	struct hmac_sha256_ctx ctx;
};

void hmac_init(struct hmac *h, const void *key, size_t key_len);
void hmac_update(struct hmac *h, const void *p, size_t len);
void hmac_final(struct hmac *h, uint8_t out[HMAC_LEN]);

#endif
