/* SPDX-License-Identifier: Apache-2.0 */
/* timestamp.c - tests of ISO 8601 texts against instants known from Python. */
#include "config.h"

#include "base/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit.h"

struct known {
	const char *text;
	const char *utc;
};

static void assert_utc(const char *text, const char *utc)
{
	char out[TIMESTAMP_TEXT];
	struct timestamp ts;
	struct err err;

	if (timestamp_parse(text, &ts, &err))
		fail_msg("'%s': %s", text, err.msg);
	timestamp_format(ts.us, out);
	assert_string_equal(out, utc);
}

static void all_forms_of_a_time_are_read(void **state)
{
	static const struct known known[] = {
		{ "2026-11-21T10:15:30.123456Z",
		  "2026-11-21T10:15:30.123456Z" },
		{ "20261121T101530.123456Z", "2026-11-21T10:15:30.123456Z" },
		{ "2026-11-21 10:15:30,5", "2026-11-21T10:15:30.500000Z" },
		{ "2026-11-21T10:15:30.1234569",
		  "2026-11-21T10:15:30.123456Z" },
		{ "2026-11-21", "2026-11-21T00:00:00.000000Z" },
		{ "20261121", "2026-11-21T00:00:00.000000Z" },
		{ "2026-11-21Z", "2026-11-21T00:00:00.000000Z" },
		{ "2026-11-21T10", "2026-11-21T10:00:00.000000Z" },
		{ "2026-11-21T1015", "2026-11-21T10:15:00.000000Z" },
		{ "2026-11-21T10:15+02", "2026-11-21T08:15:00.000000Z" },
		{ "2026-11-21T10:15-0530", "2026-11-21T15:45:00.000000Z" },
		{ "2026-11-21T10:15-05:30:15.25",
		  "2026-11-21T15:45:15.250000Z" },
		{ "2026-W47-6T10", "2026-11-21T10:00:00.000000Z" },
		{ "2026W476T10", "2026-11-21T10:00:00.000000Z" },
		{ "2026-W47", "2026-11-16T00:00:00.000000Z" },
		{ "2026W47", "2026-11-16T00:00:00.000000Z" },
		{ "2020-W53-7", "2021-01-03T00:00:00.000000Z" },
		{ "2025-W01-1", "2024-12-30T00:00:00.000000Z" },
		{ "2024-02-29T23:59:59.999999Z",
		  "2024-02-29T23:59:59.999999Z" },
		{ "1969-12-31T23:59:59.999999Z",
		  "1969-12-31T23:59:59.999999Z" },
		{ " \t2026-11-21\n", "2026-11-21T00:00:00.000000Z" },
		{ "2026-11-21\xc3\xa9"
		  "10",
		  "2026-11-21T10:00:00.000000Z" },
		{ "0001-01-01", "0001-01-01T00:00:00.000000Z" },
		{ "9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999Z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		assert_utc(known[i].text, known[i].utc);
}

static void a_time_without_a_zone_is_told(void **state)
{
	static const char *const without[] = { "2026-11-21", "20261121T10",
					       "2026-W47-6T10:15:30,5 " };
	static const char *const with[] = { "2026-11-21Z", "20261121T10Z",
					    "2026-11-21T10:15-05:30",
					    "2026-11-21 10+00 " };
	struct timestamp ts;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(without); i++) {
		assert_int_equal(timestamp_parse(without[i], &ts, &err), RC_OK);
		assert_false(ts.has_zone);
	}
	for (size_t i = 0; i < ARRAY_LEN(with); i++) {
		assert_int_equal(timestamp_parse(with[i], &ts, &err), RC_OK);
		assert_true(ts.has_zone);
	}
	assert_true(timestamp_from_us(0).has_zone);
}

static void a_time_may_be_a_part_of_a_text(void **state)
{
	static const char text[] = "2026-11-21T23:30-05:00Z2";
	struct timestamp ts;
	struct err err;

	(void)state;
	assert_int_equal(timestamp_parse_span(text, 22, &ts, &err), RC_OK);
	assert_int_equal(timestamp_wall_day(&ts), 20261121);
	assert_int_equal(timestamp_from_us(ts.us).wall_day, 22);
	assert_int_equal(timestamp_parse_span(text, 10, &ts, &err), RC_OK);
	assert_false(ts.has_zone);
	assert_int_equal(timestamp_parse_span(text, 9, &ts, &err), RC_USAGE);
	assert_string_equal(err.msg, "'2026-11-2' is no ISO 8601 time: wanted "
				     "a day of two digits");
	assert_int_equal(timestamp_parse_span(text, 0, &ts, &err), RC_USAGE);
}

static void what_is_no_time_is_wrong_usage(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"Z",
		"now",
		"2026",
		"2026-11",
		"2026-1-21",
		"2026-11-2",
		"2026-1121",
		"202611-21",
		"0000-01-01",
		"2026-00-01",
		"2026-13-01",
		"2026-11-00",
		"2026-11-31",
		"2026-02-29",
		"1900-02-29",
		"2026-W00",
		"2026-W54",
		"2026-W53-1T",
		"2025-W53",
		"2026-W10-0",
		"2026-W10-8",
		"2026-W10-",
		"2026-W1",
		"0000-W01",
		"0000-W52-7",
		"9999-W52-6",
		"2026-325",
		"2026-11-21T",
		"2026-11-21T1",
		"2026-11-21T24",
		"2026-11-21T24:00:00",
		"2026-11-21T10:60",
		"2026-11-21T10:15:60",
		"2026-11-21T10:15:",
		"2026-11-21T10:1530",
		"2026-11-21T1015:30",
		"2026-11-21T10.5",
		"2026-11-21T10:15,5",
		"2026-11-21T10:15:30.",
		"2026-11-21T10:15:30.5x",
		"2026-11-21T10:15:30z",
		"2026-11-21T10:15:30ZZ",
		"2026-11-21T10:15:30+00:00Z",
		"2026-11-21T10:15:30Z+00:00",
		"2026-11-21T10:15:30 +00:00",
		"2026-11-21T10:15:30+",
		"2026-11-21T10:15:30+24:00",
		"2026-11-21T10:15:30+00:60",
		"2026-11-21T10:15:30+1",
		"2026-11-21+01:00",
		"2026-11-21-01:00",
		"2026-11-21110:15",
		"-2026-11-21",
		"+2026-11-21",
		"12026-11-21",
		"0001-01-01T00:00+00:01",
		"9999-12-31T23:59-00:01",
	};
	struct timestamp ts;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (timestamp_parse(bad[i], &ts, &err) != RC_USAGE)
			fail_msg("'%s' was taken", bad[i]);
	}
}

static void a_long_text_is_refused_in_a_short_message(void **state)
{
	char text[2000];
	struct timestamp ts;
	struct err err;

	(void)state;
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(timestamp_parse(text, &ts, &err), RC_USAGE);
	assert_true(strlen(err.msg) < 200);
}

static void the_date_as_written_is_kept_beside_the_instant(void **state)
{
	struct timestamp ts;
	struct err err;

	(void)state;
	assert_int_equal(
		timestamp_parse("2025-03-04T23:30:00-05:00", &ts, &err), RC_OK);
	assert_true(ts.us == INT64_C(1741149000000000));
	assert_int_equal(ts.wall_year, 2025);
	assert_int_equal(ts.wall_month, 3);
	assert_int_equal(ts.wall_day, 4);
	ts = timestamp_from_us(ts.us);
	assert_true(ts.us == INT64_C(1741149000000000));
	assert_int_equal(ts.wall_day, 5);
}

static void python_reads_the_same_instants(void **state)
{
	char path[4096];
	char line[256];
	int n = 0;
	FILE *in;

	(void)state;
	snprintf(path, sizeof(path), "%s/tests/golden/timestamp.tsv",
		 getenv("SRCDIR") ? getenv("SRCDIR") : ".");
	in = fopen(path, "r");
	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		char want[256];
		char *tab = strchr(line, '\t');
		struct timestamp ts;
		struct err err;

		if (*line == '#')
			continue;
		assert_non_null(tab);
		*tab = '\0';
		if (timestamp_parse(line, &ts, &err))
			fail_msg("'%s': %s", line, err.msg);
		snprintf(want, sizeof(want), "%lld\t%d\t%d\t%d\n",
			 (long long)ts.us, ts.wall_year, ts.wall_month,
			 ts.wall_day);
		assert_string_equal(tab + 1, want);
		n++;
	}
	fclose(in);
	assert_true(n >= 200);
}

static void every_day_of_ten_millennia_comes_back(void **state)
{
	char out[TIMESTAMP_TEXT];
	char last[TIMESTAMP_DAY_TEXT] = "";

	(void)state;
	for (int64_t us = TIMESTAMP_MIN; us < TIMESTAMP_MAX;
	     us += INT64_C(86400000000) * 13 + 1) {
		char day[TIMESTAMP_DAY_TEXT];
		struct timestamp ts;
		struct err err;

		timestamp_format(us, out);
		assert_int_equal(timestamp_parse(out, &ts, &err), RC_OK);
		assert_true(ts.us == us);
		timestamp_day(us, day);
		assert_true(strcmp(day, last) > 0);
		memcpy(last, day, sizeof(last));
	}
}

static void the_compact_form_comes_back(void **state)
{
	static const int64_t times[] = { 0, -1, TIMESTAMP_MIN, TIMESTAMP_MAX,
					 INT64_C(1795256130123456) };
	char out[TIMESTAMP_COMPACT_TEXT];
	int64_t us;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		timestamp_format_compact(times[i], out);
		assert_true(timestamp_parse_compact(out, strlen(out), &us));
		assert_true(us == times[i]);
	}
	assert_string_equal(out, "20261121T101530.123456Z");
}

static void the_compact_form_has_one_spelling(void **state)
{
	static const char *const bad[] = {
		"",
		"20261121T101530.123456",
		"20261121T101530.12345Z",
		"20261121T101530.1234567Z",
		"20261121T101530,123456Z",
		"20261121t101530.123456Z",
		"20261131T101530.123456Z",
		"00001121T101530.123456Z",
		"20261121T241530.123456Z",
		"20261121T101560.123456Z",
		"2026-11-21T10:15:30.123456Z",
		" 0261121T101530.123456Z",
	};
	int64_t us;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(
			timestamp_parse_compact(bad[i], strlen(bad[i]), &us));
}

static void times_that_are_not_valid_are_shown_as_the_nearest(void **state)
{
	char out[TIMESTAMP_TEXT];
	char day[TIMESTAMP_DAY_TEXT];

	(void)state;
	assert_true(timestamp_is_valid(TIMESTAMP_MIN));
	assert_true(timestamp_is_valid(TIMESTAMP_MAX));
	assert_false(timestamp_is_valid(TIMESTAMP_MIN - 1));
	assert_false(timestamp_is_valid(TIMESTAMP_MAX + 1));
	timestamp_format(INT64_MAX, out);
	assert_string_equal(out, "9999-12-31T23:59:59.999999Z");
	timestamp_day(INT64_MIN, day);
	assert_string_equal(day, "00010101");
}

static void times_of_files_lie_in_any_year(void **state)
{
	char ns[TIMESTAMP_NS_TEXT];
	char minute[TIMESTAMP_MINUTE_TEXT];

	(void)state;
	timestamp_format_ns(INT64_C(1795256130), 123456789, ns);
	assert_string_equal(ns, "2026-11-21T10:15:30.123456789Z");
	timestamp_format_ns(-1, 999999999, ns);
	assert_string_equal(ns, "1969-12-31T23:59:59.999999999Z");
	timestamp_format_ns(INT64_C(253402300800), 0, ns);
	assert_string_equal(ns, "10000-01-01T00:00:00.000000000Z");
	timestamp_format_ns(INT64_MIN, UINT32_MAX, ns);
	assert_string_equal(ns, "-292277022657-01-27T08:29:52.294967295Z");
	timestamp_format_minute(INT64_MAX, minute);
	assert_string_equal(minute, "292277026596-12-04 15:30");
	timestamp_format_minute(0, minute);
	assert_string_equal(minute, "1970-01-01 00:00");
}

static void a_text_says_how_long_a_time_it_names(void **state)
{
	static const struct {
		const char *text;
		int64_t span_us;
	} cases[] = {
		{ "2024-12-15", INT64_C(86400000000) },
		{ "20241215", INT64_C(86400000000) },
		{ "2024-W50-7Z", INT64_C(86400000000) },
		{ "2024-12-15T10", INT64_C(3600000000) },
		{ "2024-12-15T10:00+01:00", 60000000 },
		{ "20241215T100000Z", 1000000 },
		{ "2024-12-15 10:00:00+01:00:00.5", 1000000 },
		{ "2024-12-15T10:00:00.5Z", 100000 },
		{ "2024-12-15T10:00:00,123", 1000 },
		{ "2024-12-15T10:00:00.123456Z", 1 },
		{ "2024-12-15T10:00:00.123456789Z", 1 },
	};
	struct timestamp ts;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (timestamp_parse(cases[i].text, &ts, &err))
			fail_msg("%s", err.msg);
		if (ts.span_us != cases[i].span_us)
			fail_msg("%s: %lld", cases[i].text,
				 (long long)ts.span_us);
	}
	assert_int_equal(timestamp_from_us(0).span_us, 1);
}

static void a_time_is_shown_in_a_zone(void **state)
{
	static const struct {
		const char *text, *zoned;
	} known[] = {
		{ "2026-11-21", "2026-11-21T00:00:00.000000+00:00" },
		{ "2026-03-04T23:30:00.5-05:00",
		  "2026-03-04T23:30:00.500000-05:00" },
		{ "2026-03-04T00:10+01:24:07",
		  "2026-03-04T00:10:00.000000+01:24:07" },
	};
	char text[TIMESTAMP_ZONED_TEXT];
	struct timestamp ts, other;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		assert_int_equal(timestamp_parse(known[i].text, &ts, &err), 0);
		timestamp_format_zoned(&ts, text);
		assert_string_equal(text, known[i].zoned);
		other = timestamp_in_zone(ts.us, ts.wall_zone);
		assert_int_equal(other.wall_day, ts.wall_day);
		assert_int_equal(other.wall_month, ts.wall_month);
		assert_int_equal(other.wall_year, ts.wall_year);
		assert_true(other.us == ts.us);
	}
}

static void local_time_is_that_of_tz(void **state)
{
	char text[TIMESTAMP_ZONED_TEXT];
	struct timestamp ts;

	(void)state;
	setenv("TZ", "EST5", 1);
	tzset();
	ts = timestamp_local(INT64_C(1772683200000000) - 1);
	timestamp_format_zoned(&ts, text);
	assert_string_equal(text, "2026-03-04T22:59:59.999999-05:00");
	assert_int_equal(ts.wall_day, 4);
	unsetenv("TZ");
	tzset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_shown_in_a_zone),
		cmocka_unit_test(local_time_is_that_of_tz),
		cmocka_unit_test(all_forms_of_a_time_are_read),
		cmocka_unit_test(a_time_without_a_zone_is_told),
		cmocka_unit_test(a_time_may_be_a_part_of_a_text),
		cmocka_unit_test(what_is_no_time_is_wrong_usage),
		cmocka_unit_test(a_long_text_is_refused_in_a_short_message),
		cmocka_unit_test(
			the_date_as_written_is_kept_beside_the_instant),
		cmocka_unit_test(a_text_says_how_long_a_time_it_names),
		cmocka_unit_test(python_reads_the_same_instants),
		cmocka_unit_test(every_day_of_ten_millennia_comes_back),
		cmocka_unit_test(the_compact_form_comes_back),
		cmocka_unit_test(the_compact_form_has_one_spelling),
		cmocka_unit_test(
			times_that_are_not_valid_are_shown_as_the_nearest),
		cmocka_unit_test(times_of_files_lie_in_any_year),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
