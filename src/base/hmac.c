/* SPDX-License-Identifier: Apache-2.0 */
/* hmac.c - HMAC-SHA256 by Nettle. */
#include "config.h"

#include "base/hmac.h"

#include <string.h>

void hmac_init(struct hmac *h, const void *key, size_t key_len)
{
	hmac_sha256_set_key(&h->ctx, key_len, key);
}

void hmac_update(struct hmac *h, const void *p, size_t len)
{
	hmac_sha256_update(&h->ctx, len, p);
}

void hmac_final(struct hmac *h, uint8_t out[HMAC_LEN])
{
	hmac_sha256_digest(&h->ctx, HMAC_LEN, out);
	explicit_bzero(h, sizeof(*h));
}
