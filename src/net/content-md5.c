/* SPDX-License-Identifier: Apache-2.0 */
/* content-md5.c - Nettle's MD5 in two spellings. */
#include "config.h"

#include "net/content-md5.h"

#include <nettle/base64.h>
#include <nettle/md5.h>
#include <string.h>

#include "base/hex.h"

void content_md5_of(const void *p, size_t len, struct content_md5 *ret)
{
	uint8_t hash[MD5_DIGEST_SIZE];
	struct md5_ctx h;

	md5_init(&h);
	md5_update(&h, len, p);
	md5_digest(&h, sizeof(hash), hash);
	hex_encode(hash, sizeof(hash), ret->hex);
	base64_encode_raw(ret->base64, sizeof(hash), hash);
	ret->base64[sizeof(ret->base64) - 1] = '\0';
}

bool content_md5_is_etag(const struct content_md5 *md5, const char *etag)
{
	size_t quote = *etag == '"';

	return !strncmp(etag + quote, md5->hex, sizeof(md5->hex) - 1) &&
	       !strcmp(etag + quote + sizeof(md5->hex) - 1, quote ? "\"" : "");
}
