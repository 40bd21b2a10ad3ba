/* SPDX-License-Identifier: Apache-2.0 */
/* fresh.c - tests that no file is read within the tick that it changed in. */
#include "config.h"

#include "pack/fresh.h"

#include "base/clock.h"
#include "unit.h"

#define SEC INT64_C(1000000000)
#define NOW (1800000000 * SEC)

/* Of a file that changed at that time. */
static uint64_t wait_for(int64_t at)
{
	const struct item it = { .ctime_s = at / SEC,
				 .ctime_ns = (uint32_t)(at % SEC) };

	return fresh_wait_ns(&it, NOW);
}

static void older_files_are_read_at_once(void **state)
{
	(void)state;
	assert_int_equal(wait_for(NOW - 1), 0);
	assert_int_equal(wait_for(NOW - 86400 * SEC), 0);
	assert_int_equal(wait_for(1), 0);
}

static void a_file_of_this_tick_waits_for_the_next(void **state)
{
	(void)state;
	assert_int_equal(wait_for(NOW + 1), 2);
	assert_int_equal(wait_for(NOW + 3000001), 3000002);
}

static void whole_seconds_last_for_two(void **state)
{
	(void)state;
	assert_int_equal(wait_for(NOW), 2 * SEC + 1);
	assert_int_equal(wait_for(NOW - SEC), SEC + 1);
	assert_int_equal(wait_for(NOW - 2 * SEC), 1);
	assert_int_equal(wait_for(NOW - 3 * SEC), 0);
}

static void hundredths_last_as_long(void **state)
{
	(void)state;
	assert_int_equal(wait_for(NOW - 10000000), 10000001);
	assert_int_equal(wait_for(NOW - 20000000), 1);
	assert_int_equal(wait_for(NOW - 30000000), 0);
}

static void the_future_is_not_waited_for(void **state)
{
	const struct item past = { .ctime_s = -1, .ctime_ns = 5 };
	const struct item far = { .ctime_s = INT64_MAX, .ctime_ns = 5 };

	(void)state;
	assert_int_equal(wait_for(NOW + 2 * SEC + 1), 0);
	assert_int_equal(wait_for(NOW + 3600 * SEC), 0);
	assert_int_equal(fresh_wait_ns(&past, NOW), 0);
	assert_int_equal(fresh_wait_ns(&far, NOW), 0);
}

static void no_wait_is_longer_than_stated(void **state)
{
	(void)state;
	for (int64_t at = NOW - 5 * SEC; at < NOW + 5 * SEC; at += 1000000)
		assert_in_range(wait_for(at), 0, FRESH_MAX_NS);
}

static void settling_ends_when_the_tick_is_past(void **state)
{
	int64_t at = clock_wall_ns() + 20000001;
	const struct item it = { .ctime_s = at / SEC,
				 .ctime_ns = (uint32_t)(at % SEC) };

	(void)state;
	fresh_settle(-1, &it);
	assert_true(clock_wall_coarse_ns() > at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(older_files_are_read_at_once),
		cmocka_unit_test(a_file_of_this_tick_waits_for_the_next),
		cmocka_unit_test(whole_seconds_last_for_two),
		cmocka_unit_test(hundredths_last_as_long),
		cmocka_unit_test(the_future_is_not_waited_for),
		cmocka_unit_test(no_wait_is_longer_than_stated),
		cmocka_unit_test(settling_ends_when_the_tick_is_past),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
