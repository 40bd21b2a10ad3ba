/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c.c - CRC32C by SSE 4.2 where there is one, else eight bytes a step by
 * tables ("slicing by 8").
 */
#include "config.h"

#include "base/crc32c.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

/* Bits reversed, as the checksum is. */
#define POLYNOMIAL UINT32_C(0x82f63b78)

typedef uint32_t update_fn(uint32_t crc, const void *p, size_t len);

static uint32_t table[8][256];
static update_fn *update = crc32c_by_table;

static uint64_t load_le64(const uint8_t *b)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < 8; i++)
		v |= (uint64_t)b[i] << 8 * i;
	return v;
}

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t v = i;

		for (int bit = 0; bit < 8; bit++)
			v = v >> 1 ^ (v & 1 ? POLYNOMIAL : 0);
		table[0][i] = v;
	}
	for (unsigned int k = 1; k < 8; k++) {
		for (unsigned int i = 0; i < 256; i++) {
			uint32_t v = table[k - 1][i];

			table[k][i] = v >> 8 ^ table[0][v & 255];
		}
	}
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc,
								 const void *p,
								 size_t len)
{
	const uint8_t *b = p;
	uint64_t v = ~crc;

	for (; len >= 8; len -= 8, b += 8) {
		uint64_t word;

		memcpy(&word, b, 8);
		v = _mm_crc32_u64(v, word);
	}
	for (; len; len--, b++)
		v = _mm_crc32_u8((uint32_t)v, *b);
	return ~(uint32_t)v;
}

static update_fn *best(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("sse4.2") ? by_instruction
						: crc32c_by_table;
}
#else
static update_fn *best(void)
{
	return crc32c_by_table;
}
#endif

static void choose(void)
{
	make_table();
	update = best();
}

static void choose_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, choose);
}

uint32_t crc32c_by_table(uint32_t crc, const void *p, size_t len)
{
	const uint8_t *b = p;
	uint32_t v = ~crc;

	choose_once();
	for (; len >= 8; len -= 8, b += 8) {
		uint64_t w = load_le64(b) ^ v;

		v = 0;
		for (unsigned int i = 0; i < 8; i++)
			v ^= table[7 - i][w >> 8 * i & 255];
	}
	for (; len; len--, b++)
		v = v >> 8 ^ table[0][(v ^ *b) & 255];
	return ~v;
}

uint32_t crc32c_more(uint32_t crc, const void *p, size_t len)
{
	choose_once();
	return update(crc, p, len);
}

uint32_t crc32c(const void *p, size_t len)
{
	return crc32c_more(0, p, len);
}
