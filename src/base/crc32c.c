/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c.c - CRC32C by SSE 4.2 where there is one, three pieces at a time, else
 * eight bytes a step by tables ("slicing by 8").
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
#define SSE4_2 __attribute__((target("sse4.2")))

/* The instruction is answered after three cycles, and takes one: of three
 * pieces that lie one behind the other the checksums are made side by side.
 */
#define PIECE 2048u

/* What PIECE zeros make of a checksum, by its bytes. */
static uint32_t shift[4][256];

SSE4_2 static uint64_t next_8(uint64_t v, const uint8_t *b)
{
	uint64_t word;

	memcpy(&word, b, 8);
	return _mm_crc32_u64(v, word);
}

/* It is linear: each bit by itself. */
SSE4_2 static void make_shift(void)
{
	for (unsigned int bit = 0; bit < 32; bit++) {
		uint64_t v = UINT32_C(1) << bit;
		uint32_t i = UINT32_C(1) << bit % 8;

		for (size_t n = 0; n < PIECE; n += 8)
			v = _mm_crc32_u64(v, 0);
		for (uint32_t k = 0; k < i; k++)
			shift[bit / 8][i | k] = shift[bit / 8][k] ^ (uint32_t)v;
	}
}

static uint32_t shifted(uint32_t v)
{
	return shift[0][v & 255] ^ shift[1][v >> 8 & 255] ^
	       shift[2][v >> 16 & 255] ^ shift[3][v >> 24];
}

SSE4_2 static uint32_t by_instruction(uint32_t crc, const void *p, size_t len)
{
	const uint8_t *b = p;
	uint64_t v = (uint32_t)~crc;

	for (; len >= 3 * PIECE; len -= 3 * PIECE, b += 3 * PIECE) {
		uint64_t second = 0, third = 0;

		for (size_t i = 0; i < PIECE; i += 8) {
			v = next_8(v, b + i);
			second = next_8(second, b + PIECE + i);
			third = next_8(third, b + 2 * PIECE + i);
		}
		v = shifted((uint32_t)v) ^ second;
		v = shifted((uint32_t)v) ^ third;
	}
	for (; len >= 8; len -= 8, b += 8)
		v = next_8(v, b);
	for (; len; len--, b++)
		v = _mm_crc32_u8((uint32_t)v, *b);
	return ~(uint32_t)v;
}

static update_fn *best(void)
{
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("sse4.2"))
		return crc32c_by_table;
	make_shift();
	return by_instruction;
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
