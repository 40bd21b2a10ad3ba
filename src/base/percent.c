/* SPDX-License-Identifier: Apache-2.0 */
/* percent.c - arbitrary bytes as printable ASCII. */
#include "config.h"

#include "base/percent.h"

#include <stdint.h>

static bool is_plain(uint8_t b)
{
	return b >= 0x20 && b <= 0x7e && b != '%' && b != '"' && b != '\\';
}

void percent_encode(const void *p, size_t len, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";
	const uint8_t *b = p;
	size_t n = 0;
	uint8_t *to;

	for (size_t i = 0; i < len; i++)
		n += is_plain(b[i]) ? 1 : 3;
	to = buf_reserve(out, n);
	if (!to)
		return;
	for (size_t i = 0; i < len; i++) {
		if (is_plain(b[i])) {
			*to++ = b[i];
			continue;
		}
		*to++ = '%';
		*to++ = (uint8_t)digits[b[i] >> 4];
		*to++ = (uint8_t)digits[b[i] & 15];
	}
	out->len += n;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that the two digits at text stand for; -1 when they stand for none
 * or for one that is plain.
 */
static int escaped(const char *text)
{
	int high = digit(text[0]);
	int low = digit(text[1]);

	if (high < 0 || low < 0 || is_plain((uint8_t)(high << 4 | low)))
		return -1;
	return high << 4 | low;
}

bool percent_decode(const char *text, size_t len, struct buf *out)
{
	uint8_t *to = buf_reserve(out, len);
	size_t n = 0;

	if (!to)
		return false;
	for (size_t i = 0; i < len; i++) {
		int b = (uint8_t)text[i];

		if (b == '%') {
			if (len - i < 3)
				return false;
			b = escaped(text + i + 1);
			if (b < 0)
				return false;
			i += 2;
		} else if (!is_plain((uint8_t)b)) {
			return false;
		}
		to[n++] = (uint8_t)b;
	}
	out->len += n;
	return true;
}
