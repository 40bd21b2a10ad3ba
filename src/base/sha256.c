/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.c - SHA-256 by OpenSSL's EVP. */
#include "config.h"

#include "base/sha256.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Looking up the algorithm costs more than hashing a small file. */
static const EVP_MD *algorithm;

static void must(bool ok)
{
	if (!ok) {
		fputs("desfs: libcrypto cannot compute SHA-256\n", stderr);
		abort();
	}
}

static void find_algorithm(void)
{
	algorithm = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	if (!algorithm)
		algorithm = EVP_sha256();
}

void sha256_init(struct sha256 *h)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_algorithm);
	if (!h->ctx)
		h->ctx = EVP_MD_CTX_new();
	must(h->ctx && EVP_DigestInit_ex2(h->ctx, algorithm, NULL));
}

void sha256_update(struct sha256 *h, const void *p, size_t len)
{
	must(EVP_DigestUpdate(h->ctx, p, len));
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
	must(EVP_DigestFinal_ex(h->ctx, out, NULL));
}

void sha256_release(struct sha256 *h)
{
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
}

void sha256_of(const void *p, size_t len, uint8_t out[SHA256_LEN])
{
	CLEANUP_SHA256 struct sha256 h = { 0 };

	sha256_init(&h);
	sha256_update(&h, p, len);
	sha256_final(&h, out);
}
