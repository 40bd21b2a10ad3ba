/* SPDX-License-Identifier: Apache-2.0 */
/* token-bucket.c - tests of the limit on calls a second. */
#include "config.h"

#include "base/token-bucket.h"

#include "base/clock.h"
#include "unit.h"

#define MS CLOCK_NS_PER_MS

/* What a token costs; UINT64_MAX when there is none within a minute. */
static uint64_t wait_for(struct token_bucket *t, uint64_t now)
{
	uint64_t wait;

	return token_bucket_take(t, now, 60000 * MS, &wait) ? wait : UINT64_MAX;
}

static void no_rate_is_no_limit(void **state)
{
	struct token_bucket t;

	(void)state;
	token_bucket_init(&t, 0, 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(wait_for(&t, 5), 0);
}

static void a_burst_goes_at_once_and_the_rest_by_the_rate(void **state)
{
	struct token_bucket t;
	uint64_t now = 1000 * MS;

	(void)state;
	token_bucket_init(&t, 10, 3);
	assert_int_equal(wait_for(&t, now), 0);
	assert_int_equal(wait_for(&t, now), 0);
	assert_int_equal(wait_for(&t, now), 0);
	assert_int_equal(wait_for(&t, now), 100 * MS);
	assert_int_equal(wait_for(&t, now), 200 * MS);
	assert_int_equal(wait_for(&t, now + 300 * MS), 0);
	assert_int_equal(wait_for(&t, now + 300 * MS), 100 * MS);
}

static void it_fills_up_to_the_burst_and_not_beyond(void **state)
{
	struct token_bucket t;
	uint64_t now = 1000 * MS;

	(void)state;
	token_bucket_init(&t, 10, 2);
	assert_int_equal(wait_for(&t, now), 0);
	assert_int_equal(wait_for(&t, now), 0);
	now += 3600 * 1000 * MS;
	assert_int_equal(wait_for(&t, now), 0);
	assert_int_equal(wait_for(&t, now), 0);
	assert_int_equal(wait_for(&t, now), 100 * MS);
}

static void a_token_that_comes_too_late_is_not_taken(void **state)
{
	struct token_bucket t;
	uint64_t wait = 7;

	(void)state;
	token_bucket_init(&t, 1, 0);
	assert_true(token_bucket_take(&t, 0, 0, &wait));
	assert_int_equal(wait, 0);
	assert_false(token_bucket_take(&t, 0, 999 * MS, &wait));
	assert_false(token_bucket_take(&t, 0, 999 * MS, &wait));
	assert_true(token_bucket_take(&t, 0, 1000 * MS, &wait));
	assert_int_equal(wait, 1000 * MS);
}

static void many_tokens_make_the_next_one_wait(void **state)
{
	struct token_bucket t;

	(void)state;
	token_bucket_init(&t, 2000000000, 0);
	assert_int_equal(token_bucket_take_many(&t, 0, 1000000000), 0);
	assert_int_equal(token_bucket_take_many(&t, 0, 2), 500 * MS);
	assert_int_equal(token_bucket_take_many(&t, 500 * MS, 0), 1);
	assert_int_equal(token_bucket_take_many(&t, 501 * MS, 0), 0);
	assert_int_equal(token_bucket_take_many(&t, 600 * MS, 7), 0);
}

static void no_number_of_tokens_is_too_large(void **state)
{
	struct token_bucket t;
	uint64_t wait = 0;

	(void)state;
	token_bucket_init(&t, 1, 0);
	for (int i = 0; i < 100; i++)
		wait = token_bucket_take_many(&t, 0, UINT64_MAX);
	assert_true(wait > UINT64_C(100) * 366 * 86400 * CLOCK_NS_PER_SEC);
	token_bucket_init(&t, 0, 0);
	assert_int_equal(token_bucket_take_many(&t, 0, UINT64_MAX), 0);
	assert_int_equal(token_bucket_take_many(&t, 0, UINT64_MAX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_rate_is_no_limit),
		cmocka_unit_test(a_burst_goes_at_once_and_the_rest_by_the_rate),
		cmocka_unit_test(it_fills_up_to_the_burst_and_not_beyond),
		cmocka_unit_test(a_token_that_comes_too_late_is_not_taken),
		cmocka_unit_test(many_tokens_make_the_next_one_wait),
		cmocka_unit_test(no_number_of_tokens_is_too_large),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
