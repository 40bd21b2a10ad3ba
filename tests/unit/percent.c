/* SPDX-License-Identifier: Apache-2.0 */
/* percent.c - tests of bytes as printable text. */
#include "config.h"

#include "base/percent.h"

#include <string.h>

#include "unit.h"

static void only_awkward_bytes_are_escaped(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };

	(void)state;
	buf_init(&b, 256);
	percent_encode("a b/~%\"\\\n\x7f\xc3\xa9\0", 13, &b);
	assert_string_equal(buf_str(&b), "a b/~%25%22%5C%0A%7F%C3%A9%00");
}

static void all_bytes_come_back(void **state)
{
	CLEANUP_BUF struct buf text = { 0 };
	CLEANUP_BUF struct buf again = { 0 };
	uint8_t bytes[256];

	(void)state;
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	buf_init(&text, 1024);
	buf_init(&again, 1024);
	percent_encode(bytes, sizeof(bytes), &text);
	assert_true(percent_decode((char *)text.p, text.len, &again));
	assert_int_equal(again.len, sizeof(bytes));
	assert_memory_equal(again.p, bytes, sizeof(bytes));
}

static void other_forms_are_refused(void **state)
{
	static const char *const bad[] = { "%",   "%4",  "%41", "%2f",  "%c3",
					   "%G0", "a%0", "\n",  "\xc3", "\"",
					   "\\",  "%2F", "%20", "%-1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP_BUF struct buf b = { 0 };

		buf_init(&b, 64);
		assert_false(percent_decode(bad[i], strlen(bad[i]), &b));
		assert_int_equal(b.len, 0);
	}
}

static void a_full_buffer_is_a_failure(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };

	(void)state;
	buf_init(&b, 2);
	percent_encode("\n", 1, &b);
	assert_false(buf_ok(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_awkward_bytes_are_escaped),
		cmocka_unit_test(all_bytes_come_back),
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(a_full_buffer_is_a_failure),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
