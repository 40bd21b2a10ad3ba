/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.c - strict UTF-8, one character at a time. */
#include "config.h"

#include "base/utf8.h"

#include <stdbool.h>

/* The number of bytes the first one announces, its own bits in *ret. */
static size_t first_byte(uint8_t b, uint32_t *ret)
{
	if (b < 0x80) {
		*ret = b;
		return 1;
	}
	if (b >= 0xc2 && b <= 0xdf) {
		*ret = b & 0x1f;
		return 2;
	}
	if (b >= 0xe0 && b <= 0xef) {
		*ret = b & 0x0f;
		return 3;
	}
	if (b >= 0xf0 && b <= 0xf4) {
		*ret = b & 0x07;
		return 4;
	}
	return 0;
}

static bool is_allowed(uint32_t c, size_t n)
{
	switch (n) {
	case 3: return c >= 0x800 && (c < 0xd800 || c > 0xdfff);
	case 4: return c >= 0x10000 && c <= 0x10ffff;
	default: return true;
	}
}

size_t utf8_decode(const void *p, size_t len, uint32_t *ret)
{
	const uint8_t *s = p;
	uint32_t c = 0;
	size_t n;

	if (!len)
		return 0;
	n = first_byte(s[0], &c);
	if (!n || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (!is_allowed(c, n))
		return 0;
	*ret = c;
	return n;
}
