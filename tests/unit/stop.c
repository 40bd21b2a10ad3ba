/* SPDX-License-Identifier: Apache-2.0 */
/* stop.c - tests of the stop flag and its descriptor. */
#include "config.h"

#include "base/stop.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

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
	assert_true(stop_asked());
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

/* The signal that ends a child which raises these, 0 when none does. */
static int signal_that_ends(int first, int second, bool gently)
{
	struct err err = { 0 };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		if (stop_init(STOP_ON_HUP | STOP_TWICE_KILLS, &err))
			_exit(1);
		if (gently)
			stop_gently();
		raise(first);
		raise(second);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	assert_int_equal(WEXITSTATUS(status), 0);
	return 0;
}

static void tools_are_killed_by_a_second_signal(void **state)
{
	(void)state;
	assert_int_equal(signal_that_ends(SIGINT, SIGINT, false), SIGINT);
	assert_int_equal(signal_that_ends(SIGINT, SIGTERM, false), SIGTERM);
	assert_int_equal(signal_that_ends(SIGHUP, SIGTERM, true), SIGTERM);
}

static void closing_a_terminal_twice_does_not_kill(void **state)
{
	(void)state;
	assert_int_equal(signal_that_ends(SIGHUP, SIGHUP, true), 0);
	assert_int_equal(signal_that_ends(SIGTERM, SIGHUP, false), 0);
}

static void a_gentle_stop_only_asks(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(stop_init(0, &err), RC_OK);
	assert_false(is_readable(stop_asked_descriptor()));
	stop_gently();
	raise(SIGTERM);
	assert_true(stop_asked());
	assert_true(is_readable(stop_asked_descriptor()));
	assert_false(stop_requested());
	assert_false(is_readable(stop_descriptor()));
	assert_false(stop_sleep(1));
	stop_request();
	assert_true(stop_requested());
	stop_release();
	assert_false(stop_asked());
	assert_int_equal(stop_asked_descriptor(), -1);
}

static void a_gentle_stop_becomes_a_prompt_one(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(stop_init(0, &err), RC_OK);
	stop_gently();
	stop_promptly();
	assert_false(stop_requested());
	stop_gently();
	raise(SIGTERM);
	assert_false(stop_requested());
	stop_promptly();
	assert_true(stop_requested());
	assert_true(is_readable(stop_descriptor()));
	stop_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_sets_flag_and_descriptor),
		cmocka_unit_test(a_request_is_as_good_as_a_signal),
		cmocka_unit_test(ignored_signals_stay_ignored),
		cmocka_unit_test(tools_are_killed_by_a_second_signal),
		cmocka_unit_test(closing_a_terminal_twice_does_not_kill),
		cmocka_unit_test(a_gentle_stop_only_asks),
		cmocka_unit_test(a_gentle_stop_becomes_a_prompt_one),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
