/* SPDX-License-Identifier: Apache-2.0 */
/* stamped.c - tests of names in the order of time. */
#include "config.h"

#include "base/stamped.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

#define TIME INT64_C(1732183530123456)

static void names_tell_their_time(void **state)
{
	char a[STAMPED_TEXT], b[STAMPED_TEXT], with[STAMPED_TEXT + 5];
	struct err err;
	int64_t us = 0;

	(void)state;
	assert_int_equal(stamped_name(TIME, a, &err), RC_OK);
	assert_int_equal(stamped_name(TIME, b, &err), RC_OK);
	assert_int_equal(strlen(a), STAMPED_TEXT - 1);
	assert_string_not_equal(a, b);
	snprintf(with, sizeof(with), "%s.json", a);
	assert_true(stamped_parse(a, "", &us));
	assert_int_equal(us, TIME);
	assert_true(stamped_parse(with, ".json", &us));
	assert_false(stamped_parse(with, "", &us));
	assert_false(stamped_parse(a, ".json", &us));
}

static void later_names_come_behind(void **state)
{
	char a[STAMPED_TEXT], b[STAMPED_TEXT];
	struct err err;

	(void)state;
	assert_int_equal(stamped_name(TIME, a, &err), RC_OK);
	assert_int_equal(stamped_name(TIME + 1, b, &err), RC_OK);
	assert_true(strcmp(a, b) < 0);
}

static void other_names_are_none(void **state)
{
	static const char *const bad[] = {
		"",
		"20241121T100530.123456Z",
		"20241121T100530.123456Z-",
		"20241121T100530.123456Z-0123456789abcdef0123456789abcde",
		"20241121T100530.123456Z-0123456789abcdef0123456789abcdeg",
		"20241121T100530.123456Z_0123456789abcdef0123456789abcdef",
		"20241121T100530.123456-00123456789abcdef0123456789abcdef",
		"20241321T100530.123456Z-0123456789abcdef0123456789abcdef",
		"20241121T100530.123456Z-0123456789abcdef0123456789abcdef0",
	};
	int64_t us;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(stamped_parse(bad[i], "", &us));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_tell_their_time),
		cmocka_unit_test(later_names_come_behind),
		cmocka_unit_test(other_names_are_none),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
