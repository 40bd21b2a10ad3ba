/* SPDX-License-Identifier: Apache-2.0 */
/* stats-text.c - tests of a run as metrics. */
#include "config.h"

#include "pack/stats-text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/workers.h"
#include "pack/report.h"
#include "run/state.h"
#include "unit.h"

#define TEXT_MAX (256u << 10)

static double value_of(struct report *r, const char *name)
{
	struct stats s = { .labels = "a=\"b\"", .report = r };
	struct buf text = { .max = TEXT_MAX };
	char line[128];
	const char *at;
	double value;

	snprintf(line, sizeof(line), "\n%s{%s} ", name, s.labels);
	stats_text(&s, &text);
	at = strstr(buf_str(&text), line);
	assert_non_null(at);
	value = strtod(at + strlen(line), NULL);
	buf_release(&text);
	return value;
}

/* Jobs begin, are seen at it, and end. */
static void job(void *arg)
{
	pthread_barrier_t *b = arg;

	pthread_barrier_wait(b);
	pthread_barrier_wait(b);
}

static void threads_that_compress_are_counted_while_they_do(void **state)
{
	struct report_options o = { .progress = PROGRESS_NEVER };
	struct report *r = report_new(&o);
	struct state *s = report_state(r);
	struct workers *threads = NULL;
	pthread_barrier_t b;
	struct err err;

	(void)state;
	pthread_barrier_init(&b, NULL, 3);
	assert_int_equal(workers_start(&threads, "encode", 5, 5, &err), RC_OK);
	state_set_encoders(s, 5);
	workers_count(threads, state_encoding(s));
	assert_int_equal(value_of(r, "des_packer_workers"), 5);
	assert_int_equal(value_of(r, "des_packer_active_workers"), 0);
	workers_submit(threads, job, &b);
	workers_submit(threads, job, &b);
	pthread_barrier_wait(&b);
	assert_int_equal(value_of(r, "des_packer_active_workers"), 2);
	assert_int_equal(value_of(r, "des_packer_workers"), 5);
	pthread_barrier_wait(&b);
	workers_stop(threads);
	assert_int_equal(value_of(r, "des_packer_active_workers"), 0);
	pthread_barrier_destroy(&b);
	report_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			threads_that_compress_are_counted_while_they_do),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
