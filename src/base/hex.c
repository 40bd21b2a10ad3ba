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

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool hex_decode(const char *text, size_t len, void *out, size_t n)
{
	uint8_t *b = out;

	if (len % 2 || len / 2 != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = digit(text[2 * i]);
		int low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		b[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
