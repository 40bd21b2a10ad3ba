/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.c - tests of the limit on what is read. */
#include "config.h"

#include "run/throttle.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/stop.h"
#include "run/state.h"
#include "unit.h"

#define MS CLOCK_NS_PER_MS
#define SEC CLOCK_NS_PER_SEC
#define FOR_EVER 1000000000

static struct throttle *make(uint64_t files, uint64_t bytes)
{
	struct throttle_rates rates = { .files = files, .bytes = bytes };
	struct throttle *t = NULL;
	struct err err;

	assert_int_equal(throttle_new(rates, &t, &err), RC_OK);
	return t;
}

static void rates_of_files_and_of_bytes_are_told_apart(void **state)
{
	struct throttle_rates r = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(throttle_parse("500files/s", &r, &err), RC_OK);
	assert_int_equal(r.files, 500);
	assert_int_equal(r.bytes, 0);
	assert_int_equal(throttle_parse("20M/s", &r, &err), RC_OK);
	assert_int_equal(throttle_parse("2kfiles/s", &r, &err), RC_OK);
	assert_int_equal(r.files, 2048);
	assert_int_equal(r.bytes, 20 << 20);
}

static void what_is_no_rate_is_refused(void **state)
{
	static const char *const bad[] = {
		"",        "20M",       "/s",
		"files/s", "0/s",       "0files/s",
		"-1/s",    "20 M/s",    "20MB/s",
		"1/min",   "files/s1",  "1files",
		"1.5/s",   "1 files/s", "99999999999999999999/s",
	};
	struct throttle_rates r = { 0 };
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(throttle_parse(bad[i], &r, &err), RC_USAGE);
	assert_int_equal(r.files, 0);
	assert_int_equal(r.bytes, 0);
}

/* Read n files of len bytes as soon as each may be: how long it took. */
static uint64_t read_files(struct throttle *t, uint64_t n, uint64_t len)
{
	uint64_t now = 5 * SEC, start = now;

	for (uint64_t i = 0; i < n; i++)
		now += throttle_due(t, now, 1, len);
	return now - start;
}

static void files_come_by_their_rate(void **state)
{
	struct throttle *t = make(500, 0);

	(void)state;
	assert_int_equal(read_files(t, 1001, 1 << 30), 2 * SEC);
	throttle_free(t);
}

static void bytes_come_by_theirs(void **state)
{
	struct throttle *t = make(0, 1 << 20);

	(void)state;
	/* Each time is cut to whole nanoseconds. */
	assert_in_range(read_files(t, 4097, 1 << 10), 4 * SEC - 4097, 4 * SEC);
	throttle_free(t);
}

static void of_two_limits_the_slower_one_counts(void **state)
{
	struct throttle *t = make(100, 1 << 20);

	(void)state;
	assert_int_equal(read_files(t, 101, 10), SEC);
	throttle_free(t);
	t = make(100, 1 << 20);
	assert_int_equal(read_files(t, 11, 1 << 20), 10 * SEC);
	throttle_free(t);
}

static void time_that_was_not_used_is_lost(void **state)
{
	struct throttle *t = make(10, 0);

	(void)state;
	assert_int_equal(throttle_due(t, SEC, 1, 0), 0);
	assert_int_equal(throttle_due(t, 60 * SEC, 1, 0), 0);
	assert_int_equal(throttle_due(t, 60 * SEC, 1, 0), 100 * MS);
	throttle_free(t);
}

static void *lift(void *arg)
{
	throttle_lift(arg);
	return NULL;
}

static void who_waits_is_woken_when_the_limit_is_lifted(void **state)
{
	struct throttle *t = make(1, 0);
	pthread_t other;

	(void)state;
	throttle_wait(t, FOR_EVER, 0);
	assert_int_equal(pthread_create(&other, NULL, lift, t), 0);
	throttle_wait(t, 1, 0);
	assert_int_equal(pthread_join(other, NULL), 0);
	throttle_wait(t, 1, 0);
	throttle_free(t);
}

struct waiter {
	struct throttle *throttle;
	struct state *state;
	uint64_t files, bytes;
	atomic_bool has_ended, has_lifted;
	bool was_lifted;
};

static void *wait_for_limit(void *arg)
{
	struct waiter *w = arg;

	state_attach(w->state, 1);
	throttle_wait(w->throttle, w->files, w->bytes);
	w->was_lifted = atomic_load(&w->has_lifted);
	atomic_store(&w->has_ended, true);
	state_detach();
	return NULL;
}

/* Until a thread is seen waiting, or none is there any more. */
static bool is_seen_waiting(struct state *s, const atomic_bool *has_ended)
{
	struct state_view v = { .doing = STATE_READING };

	while (!atomic_load(has_ended)) {
		if (state_look(s, &v, 1) && v.doing == STATE_THROTTLED)
			return true;
		sched_yield();
	}
	return false;
}

/* Does who asks for that wait until the limits are lifted? */
static bool waits(struct throttle *t, uint64_t files, uint64_t bytes)
{
	struct waiter w = { .throttle = t,
			    .state = state_new(),
			    .files = files,
			    .bytes = bytes };
	pthread_t other;
	bool seen;

	assert_int_equal(pthread_create(&other, NULL, wait_for_limit, &w), 0);
	seen = is_seen_waiting(w.state, &w.has_ended);
	atomic_store(&w.has_lifted, true);
	throttle_lift(t);
	assert_int_equal(pthread_join(other, NULL), 0);
	state_free(w.state);
	return seen && w.was_lifted;
}

static void who_waits_does_so_for_files_and_for_bytes(void **state)
{
	struct throttle *t = make(0, 1000);

	(void)state;
	/* What comes first is due at once; the debt is for the next one. */
	throttle_wait(t, 0, FOR_EVER);
	assert_true(waits(t, 0, 1));
	throttle_free(t);
	t = make(1, 0);
	throttle_wait(t, FOR_EVER, 0);
	assert_true(waits(t, 1, 0));
	throttle_free(t);
	/* Files have no bytes, and the other way round. */
	t = make(0, 1000);
	throttle_wait(t, FOR_EVER, 0);
	assert_false(waits(t, FOR_EVER, 0));
	throttle_free(t);
}

static void *send_signal(void *arg)
{
	(void)arg;
	raise(SIGTERM);
	return NULL;
}

static void a_signal_lifts_the_limit_too(void **state)
{
	struct throttle *t = make(0, 1);
	pthread_t other;
	struct err err;

	(void)state;
	assert_int_equal(stop_init(0, &err), RC_OK);
	stop_gently();
	throttle_wait(t, 1, FOR_EVER);
	assert_int_equal(pthread_create(&other, NULL, send_signal, NULL), 0);
	throttle_wait(t, 1, 1);
	assert_true(stop_asked());
	assert_int_equal(pthread_join(other, NULL), 0);
	throttle_wait(t, 1, 1);
	stop_release();
	throttle_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_of_files_and_of_bytes_are_told_apart),
		cmocka_unit_test(what_is_no_rate_is_refused),
		cmocka_unit_test(files_come_by_their_rate),
		cmocka_unit_test(bytes_come_by_theirs),
		cmocka_unit_test(of_two_limits_the_slower_one_counts),
		cmocka_unit_test(time_that_was_not_used_is_lost),
		cmocka_unit_test(who_waits_is_woken_when_the_limit_is_lifted),
		cmocka_unit_test(who_waits_does_so_for_files_and_for_bytes),
		cmocka_unit_test(a_signal_lifts_the_limit_too),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
