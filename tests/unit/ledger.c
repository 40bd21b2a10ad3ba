/* SPDX-License-Identifier: Apache-2.0 */
/* ledger.c - tests of whether guesses come true. */
#include "config.h"

#include "volume/ledger.h"

#include "unit.h"

static void a_guess_comes_true_once(void **state)
{
	struct ledger l;

	(void)state;
	ledger_init(&l, 4, 4, false);
	ledger_add(&l, 7);
	ledger_add(&l, 7);
	assert_int_equal(l.n_open, 1);
	assert_false(ledger_happened(&l, 8));
	assert_true(ledger_happened(&l, 7));
	assert_false(ledger_happened(&l, 7));
	assert_int_equal(l.n_open, 0);
	assert_int_equal(l.n_true, 1);
	assert_int_equal(l.n_false, 0);
}

static void what_is_forgotten_counts_for_nothing(void **state)
{
	struct ledger l;

	(void)state;
	ledger_init(&l, 4, 4, false);
	ledger_add(&l, 7);
	assert_true(ledger_forget(&l, 7));
	assert_false(ledger_forget(&l, 7));
	assert_false(ledger_happened(&l, 7));
	assert_int_equal(l.n_open, 0);
	assert_int_equal(l.n_true + l.n_false, 0);
}

static void newer_guesses_push_out_older_ones(void **state)
{
	struct ledger l;

	(void)state;
	ledger_init(&l, 4, 4, false);
	for (uint64_t i = 1; i <= 6; i++)
		ledger_add(&l, i);
	assert_int_equal(l.n_open, 4);
	assert_int_equal(l.n_false, 2);
	assert_false(ledger_happened(&l, 2));
	assert_true(ledger_happened(&l, 3));
	assert_true(ledger_happened(&l, 6));
}

static void what_does_not_come_true_is_given_up(void **state)
{
	struct ledger l;
	uint64_t i = 1;

	(void)state;
	ledger_init(&l, 8, 4, false);
	while (ledger_may(&l) && i < 1000)
		ledger_add(&l, i++);
	/* Eight are open and sixteen were judged. */
	assert_int_equal(i, 8 + 16 + 1);
	assert_true(l.is_given_up);
}

/* One of three comes true. */
static void what_comes_true_now_and_then_goes_on(void **state)
{
	struct ledger l;

	(void)state;
	ledger_init(&l, 8, 4, false);
	for (uint64_t i = 1; i < 1000; i++) {
		assert_true(ledger_may(&l));
		ledger_add(&l, i);
		if (i % 3 == 0)
			ledger_happened(&l, i);
	}
}

/* How many of n calls may try. */
static unsigned int allowed(struct ledger *l, unsigned int n)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += ledger_may(l);
	return sum;
}

static void what_was_given_up_is_tried_now_and_then(void **state)
{
	struct ledger l;

	(void)state;
	ledger_init(&l, 8, 4, true);
	assert_int_equal(allowed(&l, 10 * LEDGER_PROBE), 10);
}

static void it_is_taken_up_again_when_most_tries_come_true(void **state)
{
	struct ledger l;

	(void)state;
	ledger_init(&l, 8, 4, true);
	for (uint64_t i = 1; i <= 7; i++) {
		ledger_add(&l, i);
		ledger_happened(&l, i);
		assert_true(l.is_given_up);
	}
	ledger_add(&l, 8);
	ledger_happened(&l, 8);
	assert_false(l.is_given_up);
	assert_int_equal(allowed(&l, 100), 100);
}

static void half_of_the_tries_are_too_few_for_that(void **state)
{
	struct ledger l;

	(void)state;
	ledger_init(&l, 8, 4, true);
	for (uint64_t i = 1; i <= 200; i++) {
		ledger_add(&l, i);
		if (i % 2)
			ledger_happened(&l, i);
		else
			ledger_fail(&l);
	}
	assert_true(l.is_given_up);
}

static void what_comes_too_late_counts_as_failed(void **state)
{
	struct ledger l;

	(void)state;
	ledger_init(&l, 8, 12, false);
	for (unsigned int i = 0; i < 16; i++) {
		assert_false(l.is_given_up);
		ledger_fail(&l);
	}
	assert_true(l.is_given_up);
	assert_int_equal(l.n_false, 0);
}

static void numbers_of_pairs_differ(void **state)
{
	uint64_t seen[64];
	unsigned int n = 0;

	(void)state;
	for (uint64_t a = 0; a < 8; a++) {
		for (uint64_t b = 0; b < 8; b++) {
			uint64_t x = ledger_number(a, b << 17);

			assert_int_not_equal(x, 0);
			for (unsigned int i = 0; i < n; i++)
				assert_int_not_equal(x, seen[i]);
			seen[n++] = x;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guess_comes_true_once),
		cmocka_unit_test(what_is_forgotten_counts_for_nothing),
		cmocka_unit_test(newer_guesses_push_out_older_ones),
		cmocka_unit_test(what_does_not_come_true_is_given_up),
		cmocka_unit_test(what_comes_true_now_and_then_goes_on),
		cmocka_unit_test(what_was_given_up_is_tried_now_and_then),
		cmocka_unit_test(
			it_is_taken_up_again_when_most_tries_come_true),
		cmocka_unit_test(half_of_the_tries_are_too_few_for_that),
		cmocka_unit_test(what_comes_too_late_counts_as_failed),
		cmocka_unit_test(numbers_of_pairs_differ),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
