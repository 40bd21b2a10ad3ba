/* SPDX-License-Identifier: Apache-2.0 */
/* http-date.c - tests of dates in headers. */
#include "config.h"

#include "net/http-date.h"

#include "unit.h"

static void dates_are_seconds(void **state)
{
	int64_t t = 0;

	(void)state;
	assert_true(http_date_parse("Sat, 21 Nov 2026 10:15:30 GMT", &t));
	assert_int_equal(t, 1795256130);
	assert_true(http_date_parse("Tue, 29 Feb 2000 00:00:00 GMT", &t));
	assert_int_equal(t, 951782400);
}

static void all_else_is_no_date(void **state)
{
	static const char *const bad[] = {
		"",
		"now",
		"Sat, 21 Nov 2026 10:15:30",
		"Sat, 21 Nov 2026 10:15:30 CET",
		"Sat, 21 Nov 2026 10:15:30 GMT ",
		"Sat, 21 Foo 2026 10:15:30 GMT",
		"Sat, 21 ovD 2026 10:15:30 GMT",
		"Sat, 32 Nov 2026 10:15:30 GMT",
		"Xyz, 21 Nov 2026 10:15:30 GMT",
		"Sat, 21 Nov 2026 24:15:30 GMT",
		"Sat, -1 Nov 2026 10:15:30 GMT",
		"Saturday, 21-Nov-26 10:15:30 GMT",
		"Sat Nov 21 10:15:30 2026",
	};
	int64_t t = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http_date_parse(bad[i], &t));
}

static void a_reply_is_of_this_time(void **state)
{
	int64_t t = 0;

	(void)state;
	assert_true(http_date_parse_now("Sat, 21 Nov 2026 10:15:30 GMT", &t));
	assert_int_equal(t, 1795256130);
	assert_true(http_date_parse("Sun, 21 Nov 1999 10:15:30 GMT", &t));
	assert_false(http_date_parse_now("Sun, 21 Nov 1999 10:15:30 GMT", &t));
	assert_true(http_date_parse("Fri, 31 Dec 9999 23:59:59 GMT", &t));
	assert_false(http_date_parse_now("Fri, 31 Dec 9999 23:59:59 GMT", &t));
	assert_false(http_date_parse_now("", &t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_seconds),
		cmocka_unit_test(all_else_is_no_date),
		cmocka_unit_test(a_reply_is_of_this_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
