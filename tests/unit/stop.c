/* SPDX-License-Identifier: Apache-2.0 */
/* stop.c - tests of the stop flag and its descriptor. */
#include "config.h"

#include "base/stop.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "unit.h"

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void a_signal_sets_flag_and_descriptor(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(stop_init(0, &err), RC_OK);
	assert_false(stop_requested());
	assert_false(is_readable(stop_descriptor()));
	assert_false(stop_sleep(1));
	raise(SIGTERM);
	raise(SIGINT);
	assert_true(stop_requested());
	assert_int_equal(stop_signal(), SIGTERM);
	assert_true(is_readable(stop_descriptor()));
	assert_true(stop_sleep(3600 * CLOCK_NS_PER_SEC));
	stop_release();
	assert_false(stop_requested());
	assert_int_equal(stop_descriptor(), -1);
}

static void a_request_is_as_good_as_a_signal(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(stop_init(0, &err), RC_OK);
	stop_request();
	assert_true(stop_requested());
	assert_int_equal(stop_signal(), 0);
	assert_true(is_readable(stop_descriptor()));
	stop_release();
}

static void ignored_signals_stay_ignored(void **state)
{
	struct err err = { 0 };

	(void)state;
	signal(SIGHUP, SIG_IGN);
	assert_int_equal(stop_init(STOP_ON_HUP, &err), RC_OK);
	raise(SIGHUP);
	assert_false(stop_requested());
	stop_release();
	signal(SIGHUP, SIG_DFL);
}

static void tools_can_be_killed_by_a_second_signal(void **state)
{
	struct sigaction sa;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(stop_init(STOP_TWICE_KILLS, &err), RC_OK);
	raise(SIGINT);
	sigaction(SIGINT, NULL, &sa);
	assert_true(sa.sa_handler == SIG_DFL);
	stop_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_sets_flag_and_descriptor),
		cmocka_unit_test(a_request_is_as_good_as_a_signal),
		cmocka_unit_test(ignored_signals_stay_ignored),
		cmocka_unit_test(tools_can_be_killed_by_a_second_signal),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
