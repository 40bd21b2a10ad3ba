/* SPDX-License-Identifier: Apache-2.0 */
/* zone-health.c - tests of what a store's results say of it. */
#include "config.h"

#include "store/zone-health.h"

#include "base/clock.h"
#include "unit.h"

static const struct breaker_limits limits = {
	.failures = 3,
	.backoff_min_ns = CLOCK_NS_PER_SEC,
	.backoff_max_ns = 60 * CLOCK_NS_PER_SEC,
};

static uint64_t now;
static struct zone_health h;

static int set_up(void **state)
{
	(void)state;
	now = 1000 * CLOCK_NS_PER_SEC;
	zone_health_init(&h, &limits, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	zone_health_release(&h);
	return 0;
}

static enum zone_verdict call(enum rc rc, uint64_t took, bool is_instead)
{
	struct zone_call c = { .pass = zone_health_enter(&h, now),
			       .began = now,
			       .is_instead = is_instead };

	assert_int_not_equal(c.pass, BREAKER_NO);
	now += took;
	return zone_health_leave(&h, &c, rc, now);
}

static struct zone_health_view look(void)
{
	struct zone_health_view v;

	zone_health_look(&h, now, &v);
	return v;
}

static void only_what_is_like_transport_opens_the_breaker(void **state)
{
	(void)state;
	for (enum rc rc = RC_OK; rc < RC_COUNT; rc++) {
		bool is_down = zone_verdict_of(rc) == ZONE_DOWN;

		zone_health_release(&h);
		set_up(state);
		for (unsigned int i = 0; i < limits.failures; i++) {
			if (look().state == BREAKER_CLOSED)
				call(rc, 0, false);
		}
		assert_int_equal(look().state,
				 is_down ? BREAKER_OPEN : BREAKER_CLOSED);
	}
	assert_int_equal(zone_verdict_of(RC_IO), ZONE_DOWN);
	assert_int_equal(zone_verdict_of(RC_TIMEOUT), ZONE_DOWN);
	assert_int_equal(zone_verdict_of(RC_ACCESS), ZONE_DOWN);
}

static void a_missing_or_damaged_object_sends_on_to_the_next(void **state)
{
	(void)state;
	assert_int_equal(call(RC_NOENT, 0, false), ZONE_DAMAGED);
	assert_int_equal(call(RC_CORRUPT, 0, false), ZONE_DAMAGED);
	assert_int_equal(call(RC_CHANGED, 0, false), ZONE_DAMAGED);
	assert_int_equal(look().counts.damaged, 3);
	assert_int_equal(look().counts.failures, 0);
}

static void our_own_failures_send_nowhere(void **state)
{
	(void)state;
	assert_int_equal(call(RC_STOPPED, 0, false), ZONE_OURS);
	assert_int_equal(call(RC_NOMEM, 0, false), ZONE_OURS);
	assert_int_equal(call(RC_USAGE, 0, false), ZONE_OURS);
	assert_int_equal(look().counts.requests, 3);
	assert_int_equal(look().counts.failures, 0);
}

static void one_failure_that_took_long_opens_the_breaker(void **state)
{
	(void)state;
	call(RC_IO, ZONE_SLOW_NS, false);
	assert_int_equal(look().state, BREAKER_OPEN);
	assert_true(look().wait_ns > 0);
}

static void garbage_does_not_close_what_is_open(void **state)
{
	(void)state;
	call(RC_TIMEOUT, 0, false);
	now += limits.backoff_min_ns;
	call(RC_CORRUPT, 0, false);
	assert_int_equal(look().state, BREAKER_OPEN);
	call(RC_NOENT, 0, false);
	assert_int_equal(look().state, BREAKER_CLOSED);
}

static void calls_are_counted_by_their_end(void **state)
{
	(void)state;
	call(RC_OK, 0, false);
	call(RC_OK, 0, true);
	call(RC_IO, 0, true);
	assert_int_equal(look().counts.requests, 3);
	assert_int_equal(look().counts.failures, 1);
	assert_int_equal(look().counts.failovers, 1);
}

static void latency_follows_the_answers_slowly(void **state)
{
	(void)state;
	call(RC_OK, 8000, false);
	assert_int_equal(look().latency_ns, 8000);
	call(RC_OK, 16000, false);
	assert_int_equal(look().latency_ns, 9000);
	call(RC_IO, 1, false);
	assert_int_equal(look().latency_ns, 9000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(only_what_is_like_transport_opens_the_breaker),
		TEST(a_missing_or_damaged_object_sends_on_to_the_next),
		TEST(our_own_failures_send_nowhere),
		TEST(one_failure_that_took_long_opens_the_breaker),
		TEST(garbage_does_not_close_what_is_open),
		TEST(calls_are_counted_by_their_end),
		TEST(latency_follows_the_answers_slowly),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
