/* SPDX-License-Identifier: Apache-2.0 */
/* uid-set.c - tests of the set of hashes. */
#include "config.h"

#include "unit.h"

#include "verify/uid-set.h"

static void what_was_added_is_in_the_set(void **state)
{
	struct uid_set s = { 0 };

	(void)state;
	assert_false(uid_set_has(&s, 0));
	assert_false(uid_set_has(&s, 7));
	for (uint64_t i = 0; i < 10000; i++)
		assert_true(uid_set_add(&s, i * 0x9e3779b97f4a7c15u));
	for (uint64_t i = 0; i < 10000; i++)
		assert_true(uid_set_has(&s, i * 0x9e3779b97f4a7c15u));
	for (uint64_t i = 10000; i < 20000; i++)
		assert_false(uid_set_has(&s, i * 0x9e3779b97f4a7c15u));
	assert_int_equal(s.n, 10000);
	uid_set_release(&s);
	assert_false(uid_set_has(&s, 7));
}

static void adding_again_says_so(void **state)
{
	struct uid_set s = { 0 };

	(void)state;
	assert_true(uid_set_add(&s, 5));
	assert_false(uid_set_add(&s, 5));
	assert_int_equal(s.n, 1);
	uid_set_release(&s);
}

static void hashes_that_share_a_place_are_kept_apart(void **state)
{
	struct uid_set s = { 0 };

	(void)state;
	for (uint64_t i = 1; i <= 40; i++)
		assert_true(uid_set_add(&s, i << 32));
	for (uint64_t i = 1; i <= 40; i++)
		assert_true(uid_set_has(&s, i << 32));
	assert_false(uid_set_has(&s, 41ull << 32));
	uid_set_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_in_the_set),
		cmocka_unit_test(adding_again_says_so),
		cmocka_unit_test(hashes_that_share_a_place_are_kept_apart),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
