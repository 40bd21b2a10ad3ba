/* SPDX-License-Identifier: Apache-2.0 */
/* retry.c - tests of when to try again. */
#include "config.h"

#include "net/retry.h"

#include <string.h>

#include "base/clock.h"
#include "unit.h"

#define SEC CLOCK_NS_PER_SEC
#define START (1000 * SEC)
/* 1994-11-06 08:49:37 UTC */
#define THEN INT64_C(784111777000000000)

static struct retry_budget budget;
static struct retry r;

static void begin(unsigned int max, uint64_t seed)
{
	retry_budget_init(&budget);
	retry_init(&r, &budget, max, START + 3600 * SEC, seed);
}

static void waits_grow_within_their_bounds(void **state)
{
	static const uint64_t most_ms[] = { 50,   100,  200,  400,  800,
					    1600, 3200, 5000, 5000, 5000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(most_ms); i++) {
		uint64_t most = most_ms[i] * CLOCK_NS_PER_MS;
		unsigned int low = 0, high = 0;

		for (uint64_t seed = 0; seed < 200; seed++) {
			uint64_t wait = 0;

			begin(20, seed);
			for (size_t n = 0; n <= i; n++)
				assert_true(retry_next(&r, START, 0, &wait));
			assert_true(wait <= most);
			low += wait < most / 4;
			high += wait > most - most / 4;
		}
		/* Full jitter: all of the range is used. */
		assert_in_range(low, 20, 90);
		assert_in_range(high, 20, 90);
	}
}

static void the_same_seed_gives_the_same_waits(void **state)
{
	uint64_t first[8], again, other;

	(void)state;
	begin(8, 42);
	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		assert_true(retry_next(&r, START, 0, &first[i]));
	begin(8, 42);
	for (size_t i = 0; i < ARRAY_LEN(first); i++) {
		assert_true(retry_next(&r, START, 0, &again));
		assert_int_equal(again, first[i]);
	}
	begin(8, 43);
	assert_true(retry_next(&r, START, 0, &other));
	assert_int_not_equal(other, first[0]);
}

static void there_are_no_more_retries_than_allowed(void **state)
{
	uint64_t wait;

	(void)state;
	begin(3, 1);
	for (int i = 0; i < 3; i++)
		assert_true(retry_next(&r, START, 0, &wait));
	assert_false(retry_next(&r, START, 0, &wait));
	assert_int_equal(r.n, 3);
	begin(0, 1);
	assert_false(retry_next(&r, START, 0, &wait));
}

static void a_wait_beyond_the_deadline_is_no_retry(void **state)
{
	uint64_t wait;
	int64_t tokens;

	(void)state;
	begin(9, 1);
	tokens = budget.tokens;
	assert_false(retry_next(&r, START + 3600 * SEC, 0, &wait));
	assert_false(retry_next(&r, START + 9999 * SEC, 0, &wait));
	assert_false(retry_next(&r, START, 3600 * SEC, &wait));
	assert_false(retry_next(&r, START, UINT64_MAX, &wait));
	assert_int_equal(r.n, 0);
	assert_int_equal(budget.tokens, tokens);
	assert_true(retry_next(&r, START + 3599 * SEC, 0, &wait));
	r.deadline = UINT64_MAX;
	assert_false(retry_next(&r, 0, UINT64_MAX - 1, &wait));
}

static void the_server_may_ask_for_a_longer_wait(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		uint64_t wait = 0;

		begin(9, seed);
		assert_true(retry_next(&r, START, 7 * SEC, &wait));
		assert_in_range(wait, 7 * SEC, 7 * SEC + RETRY_BASE_NS);
	}
}

static unsigned int retries_until_the_budget_is_empty(void)
{
	unsigned int n = 0;
	uint64_t wait;

	for (;; n++) {
		retry_init(&r, &budget, 1, START + 3600 * SEC, n);
		if (!retry_next(&r, START, 0, &wait))
			return n;
	}
}

static void a_dead_server_gets_no_more_than_the_budget(void **state)
{
	(void)state;
	retry_budget_init(&budget);
	assert_int_equal(retries_until_the_budget_is_empty(), RETRY_TOKENS);
	assert_int_equal(retries_until_the_budget_is_empty(), 0);
}

static void five_successes_pay_for_a_retry(void **state)
{
	(void)state;
	retry_budget_init(&budget);
	for (int i = 0; i < 1000; i++)
		retry_budget_success(&budget);
	assert_int_equal(retries_until_the_budget_is_empty(), RETRY_TOKENS);
	for (int i = 0; i < 4; i++)
		retry_budget_success(&budget);
	assert_int_equal(retries_until_the_budget_is_empty(), 0);
	retry_budget_success(&budget);
	assert_int_equal(retries_until_the_budget_is_empty(), 1);
}

static void retry_after_is_seconds_or_a_date(void **state)
{
	static const struct {
		const char *text;
		uint64_t sec;
	} rows[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ " 120\t", 120 },
		{ "3600", 3600 },
		{ "3601", 3600 },
		{ "99999999999999999999999999", 3600 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:49:36 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:49:47 GMT", 10 },
		{ "  Sun, 06 Nov 1994 08:59:37 GMT ", 600 },
		{ "Mon, 07 Nov 1994 08:49:37 GMT", 3600 },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", 3600 },
		{ "", 0 },
		{ " ", 0 },
		{ "-1", 0 },
		{ "+1", 0 },
		{ "1.5", 0 },
		{ "1 2", 0 },
		{ "soon", 0 },
		{ "Sun, 31 Feb 1995 08:49:47 GMT", 0 },
		{ "Sun, 06 Nov 1994 24:49:47 GMT", 0 },
		{ "Xxx, 06 Nov 1994 08:49:47 GMT", 0 },
		{ "Sun, 06 Xxx 1994 08:49:47 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:49:47 CET", 0 },
		{ "Sun,  6 Nov 1994 08:49:47 GMT", 0 },
		{ "Sunday, 06-Nov-94 08:49:47 GMT", 0 },
		{ "Sun Nov  6 08:49:47 1994", 0 },
		{ "1994-11-06T08:49:47Z", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(retry_after_parse(rows[i].text, THEN),
				 rows[i].sec * SEC);
	assert_int_equal(
		retry_after_parse("Sun, 06 Nov 1994 08:49:47 GMT", INT64_MAX),
		0);
	assert_int_equal(
		retry_after_parse("Sun, 06 Nov 1994 08:49:47 GMT", INT64_MIN),
		3600 * SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_grow_within_their_bounds),
		cmocka_unit_test(the_same_seed_gives_the_same_waits),
		cmocka_unit_test(there_are_no_more_retries_than_allowed),
		cmocka_unit_test(a_wait_beyond_the_deadline_is_no_retry),
		cmocka_unit_test(the_server_may_ask_for_a_longer_wait),
		cmocka_unit_test(a_dead_server_gets_no_more_than_the_budget),
		cmocka_unit_test(five_successes_pay_for_a_retry),
		cmocka_unit_test(retry_after_is_seconds_or_a_date),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
