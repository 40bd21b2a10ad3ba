/* SPDX-License-Identifier: Apache-2.0 */
/* hex.c - tests of hexadecimal text. */
#include "config.h"

#include "base/hex.h"

#include <string.h>

#include "unit.h"

static void bytes_become_lower_case_text(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x9f, 0xAB, 0xff };
	char text[HEX_TEXT(sizeof(bytes))];

	(void)state;
	hex_encode(bytes, sizeof(bytes), text);
	assert_string_equal(text, "009fabff");
	hex_encode(bytes, 0, text);
	assert_string_equal(text, "");
}

static void all_bytes_come_back(void **state)
{
	uint8_t bytes[256], again[256];
	char text[HEX_TEXT(sizeof(bytes))];

	(void)state;
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	hex_encode(bytes, sizeof(bytes), text);
	assert_true(hex_decode(text, strlen(text), again, sizeof(again)));
	assert_memory_equal(bytes, again, sizeof(bytes));
}

static void other_text_is_refused(void **state)
{
	static const char *const bad[] = { "",      "0",    "00a",  "00ab0",
					   "00AB",  "00g0", "0 ab", "0x00",
					   "-0ab",  "00/0", "00:0", "00`0",
					   "00ab00" };
	uint8_t out[2];

	(void)state;
	assert_true(hex_decode("00ab", 4, out, sizeof(out)));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(
		    hex_decode(bad[i], strlen(bad[i]), out, sizeof(out)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_become_lower_case_text),
		cmocka_unit_test(all_bytes_come_back),
		cmocka_unit_test(other_text_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
