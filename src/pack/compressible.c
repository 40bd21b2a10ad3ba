/* SPDX-License-Identifier: Apache-2.0 */
/* compressible.c - does compressing these bytes look worth while?
 *
 * In n bytes of noise a value occurs n / 256 times, give or take; the squares
 * of these counts sum up to n * n / 256 + n, with a deviation of 0.09 n.  All
 * else has larger sums: base64, with 64 values, nearly four times that, text
 * and machine code ten times and more, and a fifth of text between noise a
 * quarter more.
 */
#include "config.h"

#include "pack/compressible.h"

#include <string.h>

/* Pieces spread over the bytes, so that a header or an end tells little. */
#define PIECES 16u
#define PIECE 64u

/* Below it luck tells more than the counts do. */
#define LEN_MIN 64u

/* Four tables, since one would wait for itself where bytes repeat. */
struct counts {
	uint16_t of[4][256];
};

static void count(struct counts *c, const uint8_t *p, size_t len)
{
	size_t i = 0;

	for (; i + 4 <= len; i += 4) {
		c->of[0][p[i]]++;
		c->of[1][p[i + 1]]++;
		c->of[2][p[i + 2]]++;
		c->of[3][p[i + 3]]++;
	}
	for (; i < len; i++)
		c->of[0][p[i]]++;
}

static uint32_t sum_of_squares(const struct counts *c)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < 256; i++) {
		uint32_t n = (uint32_t)c->of[0][i] + c->of[1][i] + c->of[2][i] +
			     c->of[3][i];

		sum += n * n;
	}
	return sum;
}

bool is_compressible(const uint8_t *p, size_t len)
{
	struct counts c;
	uint32_t n;

	if (len < LEN_MIN)
		return true;
	memset(&c, 0, sizeof(c));
	if (len <= (size_t)PIECES * PIECE) {
		n = (uint32_t)len;
		count(&c, p, len);
	} else {
		n = PIECES * PIECE;
		for (size_t i = 0; i < PIECES; i++)
			count(&c, p + i * (len - PIECE) / (PIECES - 1), PIECE);
	}
	/* A quarter above what noise has. */
	return sum_of_squares(&c) * 4 > (n * n / 256 + n) * 5;
}
