/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-run.c - tests of the marks of a run in a bucket. */
#include "config.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conf/store-settings.h"
#include "http-double.h"
#include "store/store-write.h"
#include "unit.h"

static const struct store_settings here = { .endpoint = "http://127.0.0.1:8000",
					    .region = "eu-central-1" };

static uint64_t n_put(struct store *st)
{
	struct store_counters c;

	store_count(st, &c);
	return c.put;
}

static void check_sent(size_t i, const char *method, const char *part)
{
	assert_string_equal(double_sent(i)->method, method);
	assert_non_null(strstr(double_sent(i)->url, part));
}

static void a_run_without_uploads_stays_alive(void **state)
{
	const struct http_answer ok = { .status = 200 };
	struct store_run *run = NULL;
	struct store *st = NULL;
	struct err err = { 0 };

	(void)state;
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	clock_freeze(CLOCK_NS_PER_SEC, 1795255200LL * 1000000000);
	DOUBLE_ANSWERS(ok, ok, ok, ok, ok);
	if (store_create(&st, "s3://bucket/a", &here, &err) ||
	    store_run_begin(st, &run, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(n_put(st), 1);
	clock_advance(601 * CLOCK_NS_PER_SEC);
	while (n_put(st) < 2)
		sched_yield();
	store_run_end(run, true);
	check_sent(1, "PUT", "/alive-20261121T100000.000000Z");
	check_sent(2, "PUT", "/alive-20261121T101001.000000Z");
	check_sent(3, "DELETE", "/alive-20261121T100000.000000Z");
	check_sent(4, "DELETE", "/alive-20261121T101001.000000Z");
	double_end();
	store_close(st);
	clock_thaw();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_without_uploads_stays_alive),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
