/* SPDX-License-Identifier: Apache-2.0 */
/* breaker.c - tests of the circuit breaker. */
#include "config.h"

#include "store/breaker.h"

#include "base/clock.h"
#include "unit.h"

#define SEC CLOCK_NS_PER_SEC

static const struct breaker_limits limits = {
	.failures = 3,
	.backoff_min_ns = 1 * SEC,
	.backoff_max_ns = 60 * SEC,
};

static uint64_t now;
static struct breaker b;

static int set_up(void **state)
{
	(void)state;
	now = 100 * SEC;
	breaker_init(&b, &limits, 42);
	return 0;
}

/* One call that ends at once. */
static void call(enum breaker_result result)
{
	enum breaker_pass pass = breaker_enter(&b, now);

	assert_int_not_equal(pass, BREAKER_NO);
	breaker_leave(&b, pass, result, now);
}

static void open_by_failures(void)
{
	for (unsigned int i = 0; i < limits.failures; i++)
		call(BREAKER_BAD);
	assert_int_equal(b.state, BREAKER_OPEN);
}

static void it_opens_after_failures_in_a_row(void **state)
{
	(void)state;
	call(BREAKER_BAD);
	call(BREAKER_BAD);
	assert_int_equal(b.state, BREAKER_CLOSED);
	call(BREAKER_BAD);
	assert_int_equal(b.state, BREAKER_OPEN);
	assert_int_equal(breaker_enter(&b, now), BREAKER_NO);
}

static void a_success_between_failures_keeps_it_closed(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		call(BREAKER_BAD);
		call(BREAKER_BAD);
		call(BREAKER_GOOD);
	}
	assert_int_equal(b.state, BREAKER_CLOSED);
}

static void one_call_that_hangs_opens_it(void **state)
{
	(void)state;
	call(BREAKER_HANGS);
	assert_int_equal(b.state, BREAKER_OPEN);
}

static void what_ends_for_our_own_reasons_counts_for_nothing(void **state)
{
	(void)state;
	call(BREAKER_BAD);
	call(BREAKER_BAD);
	for (int i = 0; i < 10; i++)
		call(BREAKER_UNKNOWN);
	assert_int_equal(b.state, BREAKER_CLOSED);
	call(BREAKER_BAD);
	assert_int_equal(b.state, BREAKER_OPEN);
}

static void after_the_backoff_one_probe_goes_through(void **state)
{
	enum breaker_pass pass;

	(void)state;
	open_by_failures();
	assert_true(breaker_wait(&b, now) >= SEC / 2);
	assert_true(breaker_wait(&b, now) <= SEC);
	now += breaker_wait(&b, now) - 1;
	assert_int_equal(breaker_enter(&b, now), BREAKER_NO);
	now++;
	pass = breaker_enter(&b, now);
	assert_int_equal(pass, BREAKER_PROBE);
	assert_int_equal(b.state, BREAKER_HALF_OPEN);
	assert_int_equal(breaker_enter(&b, now), BREAKER_NO);
	breaker_leave(&b, pass, BREAKER_GOOD, now);
	assert_int_equal(b.state, BREAKER_CLOSED);
	assert_int_equal(breaker_enter(&b, now), BREAKER_CALL);
}

static void the_backoff_doubles_up_to_its_bound_and_begins_anew(void **state)
{
	uint64_t most = SEC;

	(void)state;
	open_by_failures();
	for (int i = 0; i < 12; i++) {
		uint64_t wait = breaker_wait(&b, now);

		assert_true(wait >= most / 2 && wait <= most);
		now += wait;
		call(BREAKER_BAD);
		assert_int_equal(b.state, BREAKER_OPEN);
		most = most * 2 > 60 * SEC ? 60 * SEC : most * 2;
	}
	now += breaker_wait(&b, now);
	call(BREAKER_GOOD);
	open_by_failures();
	assert_true(breaker_wait(&b, now) <= SEC);
}

static void a_probe_without_a_result_is_followed_by_another(void **state)
{
	(void)state;
	open_by_failures();
	now += SEC;
	call(BREAKER_UNKNOWN);
	assert_int_equal(b.state, BREAKER_OPEN);
	call(BREAKER_GOOD);
	assert_int_equal(b.state, BREAKER_CLOSED);
}

static void calls_that_began_before_it_opened_change_nothing(void **state)
{
	enum breaker_pass late = breaker_enter(&b, now);
	enum breaker_pass later = breaker_enter(&b, now);
	enum breaker_pass probe;

	(void)state;
	open_by_failures();
	now += SEC;
	probe = breaker_enter(&b, now);
	assert_int_equal(probe, BREAKER_PROBE);
	breaker_leave(&b, late, BREAKER_GOOD, now);
	breaker_leave(&b, later, BREAKER_HANGS, now);
	assert_int_equal(b.state, BREAKER_HALF_OPEN);
	breaker_leave(&b, probe, BREAKER_GOOD, now);
	assert_int_equal(b.state, BREAKER_CLOSED);
}

static void two_breakers_do_not_probe_at_the_same_time(void **state)
{
	struct breaker other;

	(void)state;
	open_by_failures();
	breaker_init(&other, &limits, 43);
	breaker_leave(&other, breaker_enter(&other, now), BREAKER_HANGS, now);
	assert_int_not_equal(other.until, b.until);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, set_up)
		TEST(it_opens_after_failures_in_a_row),
		TEST(a_success_between_failures_keeps_it_closed),
		TEST(one_call_that_hangs_opens_it),
		TEST(what_ends_for_our_own_reasons_counts_for_nothing),
		TEST(after_the_backoff_one_probe_goes_through),
		TEST(the_backoff_doubles_up_to_its_bound_and_begins_anew),
		TEST(a_probe_without_a_result_is_followed_by_another),
		TEST(calls_that_began_before_it_opened_change_nothing),
		TEST(two_breakers_do_not_probe_at_the_same_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
