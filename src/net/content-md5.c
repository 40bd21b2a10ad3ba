/* SPDX-License-Identifier: Apache-2.0 */
/* content-md5.c - libcrypto's MD5 in two spellings. */
#include "config.h"

#include "net/content-md5.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/hex.h"

#define MD5_LEN 16

bool content_md5_of(const void *p, size_t len, struct content_md5 *ret)
{
	unsigned char hash[MD5_LEN];
	size_t n = 0;

	if (!EVP_Q_digest(NULL, "MD5", NULL, p, len, hash, &n) || n != MD5_LEN)
		return false;
	hex_encode(hash, sizeof(hash), ret->hex);
	return EVP_EncodeBlock((unsigned char *)ret->base64, hash, MD5_LEN) ==
	       (int)sizeof(ret->base64) - 1;
}

bool content_md5_is_etag(const struct content_md5 *md5, const char *etag)
{
	size_t quote = *etag == '"';

	return !strncmp(etag + quote, md5->hex, sizeof(md5->hex) - 1) &&
	       !strcmp(etag + quote + sizeof(md5->hex) - 1, quote ? "\"" : "");
}
