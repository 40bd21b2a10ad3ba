/* SPDX-License-Identifier: Apache-2.0 */
/* purge-rule.c - the truth table of what may be removed. */
#include "config.h"

#include "base/clock.h"
#include "repack/purge-rule.h"

#include "unit.h"

#define SECOND INT64_C(1000000)
#define NOW (INT64_C(1795256130) * SECOND)
#define HOUR (3600 * SECOND)

/* All that is needed. */
static struct purge_facts allowed(void)
{
	return (struct purge_facts){ .is_replaced = true,
				     .is_read = true,
				     .time = NOW - 25 * HOUR,
				     .grace = 24 * HOUR,
				     .is_verified = true,
				     .is_covered = true,
				     .oldest_run = PURGE_NO_RUN,
				     .now = NOW };
}

static void all_facts_together_allow_it(void **state)
{
	const struct purge_facts f = allowed();

	(void)state;
	assert_int_equal(purge_rule(&f), PURGE_YES);
}

static void nothing_known_allows_nothing(void **state)
{
	const struct purge_facts f = { .now = NOW };

	(void)state;
	assert_int_equal(purge_rule(&f), PURGE_COUNTS);
}

static void what_counts_stays_whatever_else_is_said(void **state)
{
	struct purge_facts f = allowed();

	(void)state;
	f.is_replaced = false;
	assert_int_equal(purge_rule(&f), PURGE_COUNTS);
	/* Replaced and lost at once is no fact of anything. */
	f.is_replaced = f.is_lost = true;
	assert_int_equal(purge_rule(&f), PURGE_COUNTS);
}

static void each_single_fact_missing_forbids_it(void **state)
{
	struct purge_facts f = allowed();

	(void)state;
	f.is_read = false;
	assert_int_equal(purge_rule(&f), PURGE_UNREAD);
	f = allowed();
	f.is_held = true;
	assert_int_equal(purge_rule(&f), PURGE_HELD);
	f = allowed();
	f.is_verified = false;
	assert_int_equal(purge_rule(&f), PURGE_UNVERIFIED);
	f = allowed();
	f.is_covered = false;
	assert_int_equal(purge_rule(&f), PURGE_LACKS);
	f = allowed();
	f.oldest_run = f.time - 1;
	assert_int_equal(purge_rule(&f), PURGE_RUN_ALIVE);
}

static void grace_is_over_to_the_microsecond(void **state)
{
	struct purge_facts f = allowed();

	(void)state;
	f.time = NOW - 24 * HOUR + 1;
	assert_int_equal(purge_rule(&f), PURGE_GRACE);
	f.time = NOW - 24 * HOUR;
	assert_int_equal(purge_rule(&f), PURGE_YES);
	f.grace = 0;
	f.time = NOW;
	assert_int_equal(purge_rule(&f), PURGE_YES);
}

static void a_record_from_the_future_counts_from_now(void **state)
{
	struct purge_facts f = allowed();

	(void)state;
	f.time = NOW + 1000 * HOUR;
	assert_int_equal(purge_rule(&f), PURGE_GRACE);
	assert_true(purge_grace_end(f.time, f.grace, NOW) == NOW + 24 * HOUR);
	f.grace = 0;
	assert_int_equal(purge_rule(&f), PURGE_YES);
}

static void only_runs_that_began_before_the_record_matter(void **state)
{
	struct purge_facts f = allowed();

	(void)state;
	f.oldest_run = f.time + CLOCK_SKEW_US;
	assert_int_equal(purge_rule(&f), PURGE_RUN_ALIVE);
	f.oldest_run = f.time + CLOCK_SKEW_US + 1;
	assert_int_equal(purge_rule(&f), PURGE_YES);
}

static void garbage_goes_when_what_it_was_made_of_is_whole(void **state)
{
	struct purge_facts f = allowed();

	(void)state;
	f.is_replaced = false;
	f.is_lost = true;
	f.is_covered = false;
	assert_int_equal(purge_rule(&f), PURGE_YES);
	f.is_verified = false;
	assert_int_equal(purge_rule(&f), PURGE_UNVERIFIED);
	f.is_verified = true;
	f.is_read = false;
	assert_int_equal(purge_rule(&f), PURGE_UNREAD);
	f.is_read = true;
	f.is_held = true;
	assert_int_equal(purge_rule(&f), PURGE_HELD);
}

static void no_grace_overflows(void **state)
{
	(void)state;
	assert_true(purge_grace_end(NOW, INT64_MAX, NOW) == INT64_MAX);
	assert_true(purge_grace_end(NOW, -5, NOW) == NOW);
}

/* Of the 256 combinations of the facts one allows it, and two of garbage, which
 * nothing has to cover: a rule that forgot one fact would allow more.
 */
static void few_combinations_allow_it(void **state)
{
	unsigned int n = 0;

	(void)state;
	for (unsigned int bits = 0; bits < 256; bits++) {
		const struct purge_facts f = {
			.is_replaced = bits & 1,
			.is_lost = bits & 2,
			.is_read = bits & 4,
			.is_held = bits & 8,
			.is_verified = bits & 16,
			.is_covered = bits & 128,
			.oldest_run = bits & 32 ? NOW - 2 * HOUR : PURGE_NO_RUN,
			.time = NOW - HOUR,
			.grace = bits & 64 ? 2 * HOUR : HOUR,
			.now = NOW,
		};

		n += purge_rule(&f) == PURGE_YES;
	}
	assert_int_equal(n, 3);
}

static void verdicts_have_words(void **state)
{
	(void)state;
	assert_string_equal(purge_verdict_text(PURGE_GRACE), "grace");
	assert_string_equal(purge_verdict_text(PURGE_UNVERIFIED), "unverified");
	assert_string_equal(purge_verdict_text(PURGE_LACKS), "lacks");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_facts_together_allow_it),
		cmocka_unit_test(nothing_known_allows_nothing),
		cmocka_unit_test(what_counts_stays_whatever_else_is_said),
		cmocka_unit_test(each_single_fact_missing_forbids_it),
		cmocka_unit_test(grace_is_over_to_the_microsecond),
		cmocka_unit_test(a_record_from_the_future_counts_from_now),
		cmocka_unit_test(only_runs_that_began_before_the_record_matter),
		cmocka_unit_test(
			garbage_goes_when_what_it_was_made_of_is_whole),
		cmocka_unit_test(no_grace_overflows),
		cmocka_unit_test(few_combinations_allow_it),
		cmocka_unit_test(verdicts_have_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
