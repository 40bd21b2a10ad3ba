/* SPDX-License-Identifier: Apache-2.0 */
/* siphash.c - SipHash-2-4. */
#include "config.h"

#include "base/siphash.h"

#include "base/rd.h"

static uint64_t rotl(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static void rounds(uint64_t v[4], int n)
{
	while (n--) {
		v[0] += v[1];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[0] = rotl(v[0], 32);
		v[2] += v[3];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[2] = rotl(v[2], 32);
	}
}

static void take(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	rounds(v, 2);
	v[0] ^= word;
}

uint64_t siphash(const struct siphash_key *key, const void *p, size_t len)
{
	struct rd r = { .p = len ? p : "", .left = len };
	uint64_t v[4] = { key->k[0] ^ UINT64_C(0x736f6d6570736575),
			  key->k[1] ^ UINT64_C(0x646f72616e646f6d),
			  key->k[0] ^ UINT64_C(0x6c7967656e657261),
			  key->k[1] ^ UINT64_C(0x7465646279746573) };

	while (r.left >= 8)
		take(v, rd_u64(&r));
	take(v, rd_le(&r, r.left) | (uint64_t)len << 56);
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
