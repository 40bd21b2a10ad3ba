/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c - tests of how huge files are cut. */
#include "config.h"

#include "pack/profile.h"

#include "unit.h"

#define KIB UINT64_C(1024)
#define GIB (KIB * KIB * KIB)

static const struct block_sizes sizes = { .group = 128 * KIB,
					  .large = 2048 * KIB };

static void huge_files_are_cut_as_small_as_files_are_grouped(void **state)
{
	(void)state;
	assert_int_equal(profile_huge_block(&sizes, PROFILE_HUGE + 1),
			 sizes.group);
	assert_int_equal(profile_huge_block(&sizes, 32 * GIB), sizes.group);
}

static void larger_ones_have_larger_blocks_up_to_the_large_size(void **state)
{
	(void)state;
	assert_int_equal(profile_huge_block(&sizes, 33 * GIB), 256 * KIB);
	assert_int_equal(profile_huge_block(&sizes, 100 * GIB), 512 * KIB);
	assert_int_equal(profile_huge_block(&sizes, 512 * GIB), 2048 * KIB);
	assert_int_equal(profile_huge_block(&sizes, 4096 * GIB), 2048 * KIB);
}

static void a_size_that_was_asked_for_holds_for_all(void **state)
{
	const struct block_sizes asked = { .group = 4 * KIB, .large = 4 * KIB };

	(void)state;
	assert_int_equal(profile_huge_block(&asked, 512 * GIB), asked.group);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			huge_files_are_cut_as_small_as_files_are_grouped),
		cmocka_unit_test(
			larger_ones_have_larger_blocks_up_to_the_large_size),
		cmocka_unit_test(a_size_that_was_asked_for_holds_for_all),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
