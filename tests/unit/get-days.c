/* SPDX-License-Identifier: Apache-2.0 */
/* get-days.c - tests of pairs in the order of their days. */
#include "config.h"

#include "exchange/get-days.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static struct err err;

static struct span str(const char *s)
{
	return span_of(s, strlen(s));
}

static void add(struct get_days *d, uint64_t number, const char *uid,
		const char *time)
{
	const struct get_pair pair = { .number = number,
				       .uid = str(uid),
				       .created_at = str(time) };

	if (get_days_add(d, &pair, &err))
		fail_msg("%s", err.msg);
}

/* "DAY NUMBER UID TIME" with a '+' behind the uid where it has versions. */
static const char *next(struct get_days *d)
{
	static char text[256];
	struct get_pair p;
	uint32_t day = 0;
	enum rc rc = get_days_next(d, &p, &day, &err);

	if (rc)
		return rc_text(rc);
	snprintf(text, sizeof(text), "%u %llu %.*s%s %.*s", day,
		 (unsigned long long)p.number, (int)p.uid.len, p.uid.p,
		 p.has_versions ? "+" : "", (int)p.created_at.len,
		 p.created_at.p);
	return text;
}

static void pairs_come_by_day_and_number(void **state)
{
	struct get_days *d = get_days_new("/tmp");

	(void)state;
	add(d, 0, "b", "2025-01-17");
	add(d, 1, "a", "2025-01-16T23:59:59-12:00");
	add(d, 2, "a", "2025-01-16 00:00:00+14:00");
	add(d, 3, "c", "no time");
	assert_string_equal(next(d), "10101 3 c no time");
	assert_string_equal(next(d), "20250116 1 a 2025-01-16T23:59:59-12:00");
	assert_string_equal(next(d), "20250116 2 a 2025-01-16 00:00:00+14:00");
	assert_string_equal(next(d), "20250117 0 b 2025-01-17");
	assert_string_equal(next(d), "not found");
	get_days_free(d);
}

static void uids_of_several_days_have_versions(void **state)
{
	struct get_days *d = get_days_new("/tmp");

	(void)state;
	add(d, 0, "a", "2025-01-17");
	add(d, 1, "a", "2025-01-16");
	add(d, 2, "ab", "2025-01-16");
	add(d, 3, "n", "2025-01-16");
	add(d, 4, "n", "");
	add(d, 5, "", "2025-01-16");
	assert_string_equal(next(d), "0 4 n ");
	assert_string_equal(next(d), "20250116 1 a+ 2025-01-16");
	assert_string_equal(next(d), "20250116 2 ab 2025-01-16");
	assert_string_equal(next(d), "20250116 3 n+ 2025-01-16");
	assert_string_equal(next(d), "20250116 5  2025-01-16");
	assert_string_equal(next(d), "20250117 0 a+ 2025-01-17");
	assert_string_equal(next(d), "not found");
	get_days_free(d);
}

static void no_pairs_are_none(void **state)
{
	struct get_days *d = get_days_new("/tmp");

	(void)state;
	assert_string_equal(next(d), "not found");
	get_days_free(d);
	get_days_free(get_days_new("/tmp"));
	get_days_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_come_by_day_and_number),
		cmocka_unit_test(uids_of_several_days_have_versions),
		cmocka_unit_test(no_pairs_are_none),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
