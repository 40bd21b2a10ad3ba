/* SPDX-License-Identifier: Apache-2.0 */
/* workers.c - tests of the threads that run jobs. */
#include "config.h"

#include "base/workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static struct workers *start(unsigned int n, size_t queue_cap)
{
	struct workers *w = NULL;
	struct err err = { 0 };

	assert_int_equal(workers_start(&w, "testing-names", n, queue_cap, &err),
			 RC_OK);
	return w;
}

static void count(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void stopping_runs_all_that_was_submitted(void **state)
{
	struct workers *w = start(3, 4);
	atomic_int n = 0;

	(void)state;
	for (int i = 0; i < 500; i++)
		workers_submit(w, count, &n);
	workers_stop(w);
	assert_int_equal(atomic_load(&n), 500);
	workers_stop(NULL);
}

struct piece {
	struct job job;
	unsigned int in, out; /* plain: job_wait must make it visible */
};

static void square(void *arg)
{
	struct piece *p = arg;

	p->out = p->in * p->in;
}

static void a_job_tells_when_it_is_done(void **state)
{
	struct workers *w = start(1, 2);
	struct piece p = { .in = 3 };

	(void)state;
	job_submit(w, &p.job, square, &p);
	while (!job_is_done(w, &p.job))
		sched_yield();
	assert_int_equal(p.out, 9);
	job_wait(w, &p.job);
	assert_true(job_is_done(w, &p.job));
	workers_stop(w);
}

#define WINDOW 8

static void results_come_in_the_order_of_submission(void **state)
{
	struct workers *w = start(4, WINDOW);
	struct piece *ring[WINDOW] = { NULL };

	(void)state;
	for (unsigned int i = 0; i < 1000 + WINDOW; i++) {
		struct piece **at = &ring[i % WINDOW];

		if (*at) {
			job_wait(w, &(*at)->job);
			assert_int_equal((*at)->in, i - WINDOW);
			assert_int_equal((*at)->out, (*at)->in * (*at)->in);
			free(*at);
			*at = NULL;
		}
		if (i >= 1000)
			continue;
		*at = calloc(1, sizeof(**at));
		assert_non_null(*at);
		(*at)->in = i;
		job_submit(w, &(*at)->job, square, *at);
	}
	workers_stop(w);
}

struct look {
	struct job job;
	char name[16];
	sigset_t blocked;
};

static void look_around(void *arg)
{
	struct look *l = arg;

	pthread_getname_np(pthread_self(), l->name, sizeof(l->name));
	pthread_sigmask(SIG_SETMASK, NULL, &l->blocked);
}

static void signals_are_blocked_in_workers_only(void **state)
{
	struct workers *w = start(1, 1);
	struct look l = { 0 };
	sigset_t mine;

	(void)state;
	job_submit(w, &l.job, look_around, &l);
	job_wait(w, &l.job);
	workers_stop(w);
	assert_true(sigismember(&l.blocked, SIGTERM));
	assert_true(sigismember(&l.blocked, SIGINT));
	assert_true(sigismember(&l.blocked, SIGHUP));
	assert_true(sigismember(&l.blocked, SIGCHLD));
	pthread_sigmask(SIG_SETMASK, NULL, &mine);
	assert_false(sigismember(&mine, SIGTERM));
}

static void threads_have_names(void **state)
{
	struct workers *w = start(1, 2);
	struct look l = { 0 };

	(void)state;
	job_submit(w, &l.job, look_around, &l);
	job_wait(w, &l.job);
	workers_stop(w);
	assert_string_equal(l.name, "testing-na-0");
}

static void there_is_a_processor(void **state)
{
	(void)state;
	assert_true(workers_n_cpus() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopping_runs_all_that_was_submitted),
		cmocka_unit_test(a_job_tells_when_it_is_done),
		cmocka_unit_test(results_come_in_the_order_of_submission),
		cmocka_unit_test(signals_are_blocked_in_workers_only),
		cmocka_unit_test(threads_have_names),
		cmocka_unit_test(there_is_a_processor),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
