/* SPDX-License-Identifier: Apache-2.0 */
/* json-text.c - JSON strings from arbitrary bytes. */
#include "config.h"

#include "base/json-text.h"

#include "base/utf8.h"

/* The letter of the short escape for c, 0 when there is none. */
static char short_escape(uint32_t c)
{
	switch (c) {
	case '"': return '"';
	case '\\': return '\\';
	case '\b': return 'b';
	case '\f': return 'f';
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	default: return 0;
	}
}

static void append_character(struct buf *b, const uint8_t *p, size_t n,
			     uint32_t c)
{
	char letter = short_escape(c);

	if (letter) {
		char pair[2] = { '\\', letter };

		buf_append(b, pair, sizeof(pair));
	} else if (c < 0x20 || c == 0x7f) {
		buf_printf(b, "\\u%04x", (unsigned int)c);
	} else {
		buf_append(b, p, n);
	}
}

void json_text_string(struct buf *b, const void *p, size_t len)
{
	const uint8_t *s = p;

	buf_append(b, "\"", 1);
	while (len) {
		uint32_t c = 0;
		size_t n = utf8_decode(s, len, &c);

		if (n) {
			append_character(b, s, n, c);
		} else {
			n = 1;
			buf_printf(b, "\\udc%02x", s[0]);
		}
		s += n;
		len -= n;
	}
	buf_append(b, "\"", 1);
}
