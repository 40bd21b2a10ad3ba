/* SPDX-License-Identifier: Apache-2.0 */
/* unused.c - tests of the bytes that no entry refers to. */
#include "config.h"

#include "shard/unused.h"

#include "unit.h"

static void blocks_that_follow_one_another_are_one_run(void **state)
{
	struct unused u = { 0 };

	(void)state;
	for (uint64_t i = 10; i < 1000; i++)
		unused_add(&u, i * 5, i * 5 + 5);
	assert_int_equal(u.n, 1);
	assert_int_equal(unused_bytes(&u), 990 * 5);
	for (uint64_t i = 10; i < 1000; i++) {
		assert_int_equal(u.n, 1);
		unused_remove(&u, i * 5, i * 5 + 5);
	}
	assert_int_equal(u.n, 0);
	assert_int_equal(unused_bytes(&u), 0);
	unused_release(&u);
}

static void any_block_may_be_used_and_more_than_once(void **state)
{
	struct unused u = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		unused_add(&u, i * 10, i * 10 + (i == 50 ? 9 : 10));
	assert_int_equal(u.n, 2);
	for (int round = 0; round < 2; round++)
		for (uint64_t i = 1; i < 100; i += 2)
			unused_remove(&u, i * 10, i * 10 + 10);
	assert_int_equal(u.n, 50);
	assert_int_equal(unused_bytes(&u), 499);
	for (uint64_t i = 98; i < 100; i -= 2)
		unused_remove(&u, i * 10, i * 10 + (i == 50 ? 9 : 10));
	assert_int_equal(unused_bytes(&u), 0);
	unused_release(&u);
}

static void what_was_never_added_changes_nothing(void **state)
{
	struct unused u = { 0 };

	(void)state;
	unused_remove(&u, 0, 10);
	unused_add(&u, 100, 200);
	unused_remove(&u, 90, 110);
	unused_remove(&u, 190, 210);
	unused_remove(&u, 150, 150);
	unused_remove(&u, 150, 140);
	unused_remove(&u, 300, 400);
	assert_int_equal(unused_bytes(&u), 100);
	unused_release(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_that_follow_one_another_are_one_run),
		cmocka_unit_test(any_block_may_be_used_and_more_than_once),
		cmocka_unit_test(what_was_never_added_changes_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
