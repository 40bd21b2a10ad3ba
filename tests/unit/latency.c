/* SPDX-License-Identifier: Apache-2.0 */
/* latency.c - tests of the histogram of durations. */
#include "config.h"

#include "base/latency.h"

#include "unit.h"

#include <pthread.h>
#include <string.h>

#define MS UINT64_C(1000000)

static struct latency l;

static int set_up(void **state)
{
	(void)state;
	memset(&l, 0, sizeof(l));
	return 0;
}

static void each_bucket_ends_where_the_next_begins(void **state)
{
	(void)state;
	for (unsigned int i = 0; i + 1 < LATENCY_BUCKETS; i++) {
		assert_true(latency_bound(i) < latency_bound(i + 1));
		assert_int_equal(latency_bucket(latency_bound(i)), i);
		assert_int_equal(latency_bucket(latency_bound(i) + 1), i + 1);
	}
	assert_int_equal(latency_bucket(0), 0);
	assert_int_equal(latency_bucket(UINT64_MAX), LATENCY_BUCKETS - 1);
}

static void powers_of_two_are_bounds(void **state)
{
	(void)state;
	for (unsigned int b = LATENCY_LOW_BITS; b <= LATENCY_HIGH_BITS; b++) {
		uint64_t ns = UINT64_C(1) << b;

		assert_true(latency_bound(latency_bucket(ns)) == ns);
	}
}

/* Exact quantiles of 1 ms ... 1000 ms are known. */
static void quantiles_are_within_a_quarter(void **state)
{
	static const unsigned int per_mille[] = { 1, 10, 500, 900, 990, 1000 };
	struct latency_counts c;

	(void)state;
	for (uint64_t i = 1; i <= 1000; i++)
		latency_add(&l, i * MS);
	latency_read(&l, &c);
	assert_int_equal(c.total, 1000);
	assert_true(c.max_ns == 1000 * MS);
	assert_true(c.sum_ns == 500500 * MS);
	for (size_t i = 0; i < sizeof(per_mille) / sizeof(per_mille[0]); i++) {
		uint64_t is = latency_quantile(&c, per_mille[i]);
		uint64_t want = per_mille[i] * MS;

		assert_true(is >= want - want / 4);
		assert_true(is <= want + want / 4);
	}
}

static void no_quantile_is_beyond_the_maximum(void **state)
{
	struct latency_counts c;

	(void)state;
	latency_add(&l, 1100);
	latency_read(&l, &c);
	assert_true(latency_quantile(&c, 500) <= 1100);
	assert_true(latency_quantile(&c, 1000) == 1100);
	latency_add(&l, UINT64_C(1) << 50);
	latency_read(&l, &c);
	assert_true(latency_quantile(&c, 1000) == UINT64_C(1) << 50);
}

static void nothing_has_no_quantile(void **state)
{
	struct latency_counts c;

	(void)state;
	latency_read(&l, &c);
	assert_true(latency_quantile(&c, 990) == 0);
}

static void an_interval_has_what_came_in_it(void **state)
{
	struct latency_counts before, now, between;

	(void)state;
	for (int i = 0; i < 100; i++)
		latency_add(&l, 1000 * MS);
	latency_read(&l, &before);
	for (int i = 0; i < 10; i++)
		latency_add(&l, 1 * MS);
	latency_read(&l, &now);
	latency_since(&now, &before, &between);
	assert_int_equal(between.total, 10);
	assert_true(between.sum_ns == 10 * MS);
	assert_true(latency_quantile(&between, 990) < 2 * MS);
	/* A counter that went back: another mount. */
	latency_since(&before, &now, &between);
	assert_int_equal(between.total, 0);
	assert_true(between.sum_ns == 0);
}

static void *add_many(void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < 10000; i++)
		latency_add(&l, i);
	return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
	pthread_t threads[4];
	struct latency_counts c;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, add_many, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	latency_read(&l, &c);
	assert_int_equal(c.total, 40000);
	assert_int_equal(c.max_ns, 9999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_bucket_ends_where_the_next_begins,
				       set_up),
		cmocka_unit_test_setup(powers_of_two_are_bounds, set_up),
		cmocka_unit_test_setup(quantiles_are_within_a_quarter, set_up),
		cmocka_unit_test_setup(no_quantile_is_beyond_the_maximum,
				       set_up),
		cmocka_unit_test_setup(nothing_has_no_quantile, set_up),
		cmocka_unit_test_setup(an_interval_has_what_came_in_it, set_up),
		cmocka_unit_test_setup(nothing_is_lost_between_threads, set_up),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
