/* SPDX-License-Identifier: Apache-2.0 */
/* hex.c - bytes to lower-case hexadecimal text and back. */
#include "config.h"

#include "base/hex.h"

#include <stdint.h>

void hex_encode(const void *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = '\0';
}

/* By table, as digits and letters in no order cannot be foreseen; each has its
 * value and DIGIT.
 */
#define DIGIT 0x10u
static const uint8_t digits_of[256] = {
	['0'] = DIGIT | 0,  ['1'] = DIGIT | 1,  ['2'] = DIGIT | 2,
	['3'] = DIGIT | 3,  ['4'] = DIGIT | 4,  ['5'] = DIGIT | 5,
	['6'] = DIGIT | 6,  ['7'] = DIGIT | 7,  ['8'] = DIGIT | 8,
	['9'] = DIGIT | 9,  ['a'] = DIGIT | 10, ['b'] = DIGIT | 11,
	['c'] = DIGIT | 12, ['d'] = DIGIT | 13, ['e'] = DIGIT | 14,
	['f'] = DIGIT | 15,
};

bool hex_decode(const char *text, size_t len, void *out, size_t n)
{
	uint8_t *b = out;

	if (len % 2 || len / 2 != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned int high = digits_of[(uint8_t)text[2 * i]];
		unsigned int low = digits_of[(uint8_t)text[2 * i + 1]];

		if (!(high & low & DIGIT))
			return false;
		b[i] = (uint8_t)((high & 15) << 4 | (low & 15));
	}
	return true;
}
