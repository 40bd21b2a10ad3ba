/* SPDX-License-Identifier: Apache-2.0 */
/* json-text.c - tests of JSON strings from arbitrary bytes. */
#include "config.h"

#include "base/json-text.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/utf8.h"
#include "unit.h"

#define assert_json(literal, want)                                   \
	do {                                                         \
		struct buf b_;                                       \
		buf_init(&b_, 1000);                                 \
		json_text_string(&b_, literal, sizeof(literal) - 1); \
		assert_string_equal(buf_str(&b_), want);             \
		buf_release(&b_);                                    \
	} while (0)

static void valid_text_is_written_as_it_is(void **state)
{
	(void)state;
	assert_json("", "\"\"");
	assert_json("a/b c", "\"a/b c\"");
	assert_json("\xc3\xa4\xf0\x9f\x90\x9f", "\"\xc3\xa4\xf0\x9f\x90\x9f\"");
}

static void quotes_and_control_characters_are_escaped(void **state)
{
	(void)state;
	assert_json("\"\\\b\f\n\r\t", "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
	assert_json("\0\1\x1f\x7f", "\"\\u0000\\u0001\\u001f\\u007f\"");
}

static void invalid_bytes_become_lone_surrogates(void **state)
{
	(void)state;
	assert_json("a\x80\xff", "\"a\\udc80\\udcff\"");
	assert_json("\xc3", "\"\\udcc3\"");
	assert_json("\xf0\x9f\x90z", "\"\\udcf0\\udc9f\\udc90z\"");
	/* Overlong, surrogate, above U+10FFFF. */
	assert_json("\xc0\xaf", "\"\\udcc0\\udcaf\"");
	assert_json("\xe0\x80\xaf", "\"\\udce0\\udc80\\udcaf\"");
	assert_json("\xed\xb2\x80", "\"\\udced\\udcb2\\udc80\"");
	assert_json("\xf4\x90\x80\x80", "\"\\udcf4\\udc90\\udc80\\udc80\"");
}

/* Undo what json_text_string wrote, as a strict reader would. */
static size_t unescape(const char *s, uint8_t *to)
{
	static const char letters[] = "\"\\bfnrt";
	static const char values[] = "\"\\\b\f\n\r\t";
	char digits[5] = "";
	size_t n = 0;

	for (s++; *s != '"'; s++) {
		unsigned int c = (uint8_t)*s;

		if (c == '\\' && *++s == 'u') {
			memcpy(digits, s + 1, 4);
			c = (unsigned int)strtoul(digits, NULL, 16);
			assert_true(c < 0x80 || (c >= 0xdc80 && c <= 0xdcff));
			s += 4;
		} else if (c == '\\') {
			c = (uint8_t)values[strchr(letters, *s) - letters];
		}
		to[n++] = (uint8_t)c;
	}
	return n;
}

static void any_bytes_can_be_had_back(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint8_t in[24], out[sizeof(in)];
		struct buf b;

		for (size_t i = 0; i < sizeof(in); i++) {
			static const uint8_t often[] =
			    "\xe2\x80\xae\xed\\\"\xf0";

			seed = seed * 1664525 + 1013904223;
			in[i] = seed >> 31 ? (uint8_t)(seed >> 20)
					   : often[(seed >> 16) % 7];
		}
		buf_init(&b, 1000);
		json_text_string(&b, in, sizeof(in));
		assert_int_equal(unescape(buf_str(&b), out), sizeof(in));
		assert_memory_equal(in, out, sizeof(in));
		buf_release(&b);
	}
}

static void the_borders_of_utf8_are_strict(void **state)
{
	static const struct {
		const char *bytes;
		size_t want;
		uint32_t c;
	} rows[] = {
		{ "\x7f", 1, 0x7f },
		{ "\xc1\xbf", 0, 0 },
		{ "\xc2\x80", 2, 0x80 },
		{ "\xdf\xbf", 2, 0x7ff },
		{ "\xe0\x9f\xbf", 0, 0 },
		{ "\xe0\xa0\x80", 3, 0x800 },
		{ "\xed\x9f\xbf", 3, 0xd7ff },
		{ "\xed\xbf\xbf", 0, 0 },
		{ "\xee\x80\x80", 3, 0xe000 },
		{ "\xf0\x8f\xbf\xbf", 0, 0 },
		{ "\xf0\x90\x80\x80", 4, 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
		{ "\xf5\x80\x80\x80", 0, 0 },
		{ "\x80", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].bytes);
		uint32_t c = 0;

		assert_int_equal(utf8_decode(rows[i].bytes, len, &c),
				 rows[i].want);
		assert_int_equal(c, rows[i].c);
		assert_int_equal(utf8_decode(rows[i].bytes, len - 1, &c), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_text_is_written_as_it_is),
		cmocka_unit_test(quotes_and_control_characters_are_escaped),
		cmocka_unit_test(invalid_bytes_become_lone_surrogates),
		cmocka_unit_test(any_bytes_can_be_had_back),
		cmocka_unit_test(the_borders_of_utf8_are_strict),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
