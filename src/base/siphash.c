/* SPDX-License-Identifier: Apache-2.0 */
/* siphash.c - SipHash-2-4. */
#include "config.h"

#include "base/siphash.h"

static uint64_t rotate(uint64_t v, unsigned int n)
{
	return v << n | v >> (64 - n);
}

static void sip_round(struct siphash *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = rotate(s->b, 13) ^ s->a;
	s->d = rotate(s->d, 16) ^ s->c;
	s->a = rotate(s->a, 32);
	s->c += s->b;
	s->a += s->d;
	s->b = rotate(s->b, 17) ^ s->c;
	s->d = rotate(s->d, 21) ^ s->a;
	s->c = rotate(s->c, 32);
}

static void sip_word(struct siphash *s, uint64_t word)
{
	s->d ^= word;
	sip_round(s);
	sip_round(s);
	s->a ^= word;
}

static uint64_t le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned int i = 8; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

void siphash_init(struct siphash *s, const uint8_t key[SIPHASH_KEY_LEN])
{
	uint64_t k0 = le64(key), k1 = le64(key + 8);

	*s = (struct siphash){ .a = k0 ^ UINT64_C(0x736f6d6570736575),
			       .b = k1 ^ UINT64_C(0x646f72616e646f6d),
			       .c = k0 ^ UINT64_C(0x6c7967656e657261),
			       .d = k1 ^ UINT64_C(0x7465646279746573) };
}

void siphash_update(struct siphash *s, const void *p, size_t len)
{
	const uint8_t *bytes = p;

	for (size_t i = 0; i < len; i++) {
		s->word |= (uint64_t)bytes[i] << s->len % 8 * 8;
		if (++s->len % 8)
			continue;
		sip_word(s, s->word);
		s->word = 0;
	}
}

uint64_t siphash_final(struct siphash *s)
{
	sip_word(s, s->word | (uint64_t)s->len << 56);
	s->c ^= 0xff;
	for (unsigned int i = 0; i < 4; i++)
		sip_round(s);
	return s->a ^ s->b ^ s->c ^ s->d;
}
