/* SPDX-License-Identifier: Apache-2.0 */
/* human.c - tests of sizes, durations and names as people read them. */
#include "config.h"

#include "base/human.h"

#include "base/clock.h"
#include "base/compiler.h"
#include "unit.h"

static void bytes_are_rounded_to_tenths_of_a_unit(void **state)
{
	static const struct {
		uint64_t n;
		const char *want;
	} rows[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1290, "1.3 KiB" },
		{ 1024 * 1024 - 1, "1.0 MiB" },
		{ 1048524, "1023.9 KiB" },
		{ 1288490189, "1.2 GiB" },
		{ UINT64_C(1) << 40, "1.0 TiB" },
		{ UINT64_C(1) << 60, "1.0 EiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};
	char text[HUMAN_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(human_bytes(text, rows[i].n), rows[i].want);
}

static void durations_have_two_units(void **state)
{
	static const struct {
		uint64_t ms;
		const char *want;
	} rows[] = {
		{ 0, "0 ms" },
		{ 999, "999 ms" },
		{ 4250, "4.2 s" },
		{ 59999, "59.9 s" },
		{ 303000, "5 min 03 s" },
		{ 7620000, "2 h 07 min" },
		{ 273600000, "3 d 04 h" },
	};
	char text[HUMAN_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(
		    human_duration(text, rows[i].ms * CLOCK_NS_PER_MS),
		    rows[i].want);
}

static const char *escaped(struct buf *b, const char *p, size_t len)
{
	buf_init(b, 1000);
	name_escape(b, p, len);
	return buf_str(b);
}

#define assert_escaped(literal, want)                                         \
	do {                                                                  \
		struct buf b_;                                                \
		const char *got = escaped(&b_, literal, sizeof(literal) - 1); \
		assert_string_equal(got, want);                               \
		buf_release(&b_);                                             \
	} while (0)

static void plain_names_stay_as_they_are(void **state)
{
	(void)state;
	assert_escaped("", "");
	assert_escaped("a b/c'd\"e", "a b/c'd\"e");
	assert_escaped("\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f",
		       "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f");
}

static void control_characters_and_backslash_are_escaped(void **state)
{
	(void)state;
	assert_escaped("a\nb\tc\\d", "a\\nb\\tc\\\\d");
	assert_escaped("\033[31m\0\1772", "\\033[31m\\000\\1772");
}

static void bytes_that_are_no_utf8_become_octal(void **state)
{
	(void)state;
	assert_escaped("a\xff\xc3", "a\\377\\303");
	/* An overlong slash, a surrogate, and C1 control CSI. */
	assert_escaped("\xc0\xaf", "\\300\\257");
	assert_escaped("\xed\xa0\x80", "\\355\\240\\200");
	assert_escaped("\xc2\x9b", "\\302\\233");
}

static void characters_that_turn_the_line_are_escaped(void **state)
{
	(void)state;
	assert_escaped("a\xe2\x80\xaetxt.exe", "a\\342\\200\\256txt.exe");
	assert_escaped("\xe2\x80\x8b", "\\342\\200\\213");
}

static void escaping_a_message_leaves_its_backslashes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	text_escape(&b, "a\\nb\n", 5);
	assert_string_equal(buf_str(&b), "a\\nb\\n");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_rounded_to_tenths_of_a_unit),
		cmocka_unit_test(durations_have_two_units),
		cmocka_unit_test(plain_names_stay_as_they_are),
		cmocka_unit_test(control_characters_and_backslash_are_escaped),
		cmocka_unit_test(bytes_that_are_no_utf8_become_octal),
		cmocka_unit_test(characters_that_turn_the_line_are_escaped),
		cmocka_unit_test(escaping_a_message_leaves_its_backslashes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
