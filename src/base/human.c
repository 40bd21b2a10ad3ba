/* SPDX-License-Identifier: Apache-2.0 */
/* human.c - sizes, durations and names as people read them. */
#include "config.h"

#include "base/human.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/utf8.h"

const char *human_bytes(char ret[HUMAN_MAX], uint64_t n)
{
	static const char units[] = "KMGTPE";
	uint64_t tenths;
	unsigned int unit = 0;
	uint64_t size = 1024;

	if (n < 1024) {
		snprintf(ret, HUMAN_MAX, "%" PRIu64 " B", n);
		return ret;
	}
	/* What would be shown as 1024.0 is 1.0 of the next unit. */
	while (unit + 2 < sizeof(units) && n >= size * 1024 - size / 20) {
		size *= 1024;
		unit++;
	}
	tenths = n / size * 10 + (n % size * 10 + size / 2) / size;
	snprintf(ret, HUMAN_MAX, "%" PRIu64 ".%" PRIu64 " %ciB", tenths / 10,
		 tenths % 10, units[unit]);
	return ret;
}

const char *human_duration(char ret[HUMAN_MAX], uint64_t ns)
{
	uint64_t ms = ns / CLOCK_NS_PER_MS;
	uint64_t s = ns / CLOCK_NS_PER_SEC;

	if (s < 1)
		snprintf(ret, HUMAN_MAX, "%" PRIu64 " ms", ms);
	else if (s < 60)
		snprintf(ret, HUMAN_MAX, "%" PRIu64 ".%" PRIu64 " s", s,
			 ms / 100 % 10);
	else if (s < 60 * 60)
		snprintf(ret, HUMAN_MAX, "%" PRIu64 " min %02" PRIu64 " s",
			 s / 60, s % 60);
	else if (s < 24 * 60 * 60)
		snprintf(ret, HUMAN_MAX, "%" PRIu64 " h %02" PRIu64 " min",
			 s / 3600, s / 60 % 60);
	else
		snprintf(ret, HUMAN_MAX, "%" PRIu64 " d %02" PRIu64 " h",
			 s / 86400, s / 3600 % 24);
	return ret;
}

/* Characters that move the cursor, hide, or turn the line around. */
static bool is_harmful(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x1f },       /* C0 */
		{ 0x7f, 0x9f },       /* delete, C1 */
		{ 0xad, 0xad },       /* soft hyphen */
		{ 0x61c, 0x61c },     /* Arabic letter mark */
		{ 0x200b, 0x200f },   /* zero width, directions */
		{ 0x2028, 0x202e },   /* line separators, directions */
		{ 0x2060, 0x206f },   /* word joiner, isolates */
		{ 0xfeff, 0xfeff },   /* byte order mark */
		{ 0xfff9, 0xfffb },   /* interlinear notes */
		{ 0xe0000, 0xe007f }, /* tags */
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

/* The letter C has for a control character, 0 when it has none. */
static char control_letter(uint8_t c)
{
	switch (c) {
	case '\a': return 'a';
	case '\b': return 'b';
	case '\t': return 't';
	case '\n': return 'n';
	case '\v': return 'v';
	case '\f': return 'f';
	case '\r': return 'r';
	default: return 0;
	}
}

static void append_escaped(struct buf *b, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char letter = control_letter(p[i]);

		if (letter)
			buf_printf(b, "\\%c", letter);
		else
			buf_printf(b, "\\%03o", p[i]);
	}
}

static void escape(struct buf *b, const uint8_t *p, size_t len,
		   bool backslash_too)
{
	while (len) {
		uint32_t c = 0;
		size_t n = utf8_decode(p, len, &c);

		if (!n || is_harmful(c)) {
			n = n ? n : 1;
			append_escaped(b, p, n);
		} else if (c == '\\' && backslash_too) {
			buf_append(b, "\\\\", 2);
		} else {
			buf_append(b, p, n);
		}
		p += n;
		len -= n;
	}
}

void name_escape(struct buf *b, const void *p, size_t len)
{
	escape(b, p, len, true);
}

void text_escape(struct buf *b, const void *p, size_t len)
{
	escape(b, p, len, false);
}
