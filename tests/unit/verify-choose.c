/* SPDX-License-Identifier: Apache-2.0 */
/* verify-choose.c - samples of shards. */
#include "config.h"

#include "verify/verify-choose.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

#define N 500u

static char keys[N][16];

static void all(struct verify_todo todo[N])
{
	for (unsigned int i = 0; i < N; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%04u.des", i);
		todo[i] = (struct verify_todo){ .key = keys[i], .entered = i };
	}
}

static bool has(const struct verify_todo *todo, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(todo[i].key, key))
			return true;
	}
	return false;
}

static void a_sample_has_the_size_asked_for(void **state)
{
	static struct verify_todo todo[N];

	(void)state;
	all(todo);
	assert_int_equal(verify_choose_sample(todo, N, 10, 1), 50);
	all(todo);
	assert_int_equal(verify_choose_sample(todo, N, 0.2, 1), 1);
	all(todo);
	assert_int_equal(verify_choose_sample(todo, N, 100, 1), N);
	all(todo);
	assert_int_equal(verify_choose_sample(todo, 3, 50, 1), 2);
	assert_int_equal(verify_choose_sample(todo, 0, 50, 1), 0);
}

static void the_least_sample_is_one(void **state)
{
	static struct verify_todo todo[N];

	(void)state;
	all(todo);
	assert_int_equal(verify_choose_sample(todo, N, 1e-9, 1), 1);
}

static void a_sample_is_in_order(void **state)
{
	static struct verify_todo todo[N];
	size_t n;

	(void)state;
	all(todo);
	n = verify_choose_sample(todo, N, 30, 5);
	for (size_t i = 1; i < n; i++)
		assert_true(strcmp(todo[i - 1].key, todo[i].key) < 0);
}

static void the_same_seed_draws_the_same(void **state)
{
	static struct verify_todo a[N], b[N];

	(void)state;
	all(a);
	all(b);
	assert_int_equal(verify_choose_sample(a, N, 5, 9),
			 verify_choose_sample(b, N, 5, 9));
	for (size_t i = 0; i < N / 20; i++)
		assert_string_equal(a[i].key, b[i].key);
}

static void every_shard_is_drawn_some_time(void **state)
{
	static unsigned int n_drawn[N];
	static struct verify_todo todo[N];

	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		size_t n;

		all(todo);
		n = verify_choose_sample(todo, N, 20, seed);
		for (size_t i = 0; i < n; i++)
			n_drawn[todo[i].entered]++;
	}
	/* 20 of 100 are to be expected, by a deviation of 4. */
	for (unsigned int i = 0; i < N; i++) {
		assert_true(n_drawn[i] >= 1);
		assert_true(n_drawn[i] <= 45);
	}
}

static void since_is_by_when_they_entered(void **state)
{
	static struct verify_todo todo[N];

	(void)state;
	all(todo);
	assert_int_equal(verify_choose_since(todo, N, 490), 10);
	assert_string_equal(todo[0].key, "0490.des");
}

static bool is_even(void *arg, const char *store, const char *key)
{
	(void)arg;
	(void)store;
	return (key[3] - '0') % 2 == 0;
}

static void what_is_done_is_left_out(void **state)
{
	const struct verify_options o = { .is_done = is_even }, none = { 0 };
	static struct verify_todo todo[N];

	(void)state;
	all(todo);
	assert_int_equal(verify_choose_open(todo, N, &none), N);
	assert_int_equal(verify_choose_open(todo, N, &o), N / 2);
	assert_true(has(todo, N / 2, "0001.des"));
	assert_false(has(todo, N / 2, "0002.des"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sample_has_the_size_asked_for),
		cmocka_unit_test(the_least_sample_is_one),
		cmocka_unit_test(a_sample_is_in_order),
		cmocka_unit_test(the_same_seed_draws_the_same),
		cmocka_unit_test(every_shard_is_drawn_some_time),
		cmocka_unit_test(since_is_by_when_they_entered),
		cmocka_unit_test(what_is_done_is_left_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
