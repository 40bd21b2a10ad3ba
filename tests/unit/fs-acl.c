/* SPDX-License-Identifier: Apache-2.0 */
/* fs-acl.c - tests of modes that grant no more than an ACL. */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "fs/fs-acl.h"

#define U_OBJ 0x01
#define USER 0x02
#define G_OBJ 0x04
#define GROUP 0x08
#define MASK 0x10
#define OTHER 0x20

struct ace {
	unsigned int tag, perm;
};

static uint16_t narrow(uint16_t mode, const struct ace *aces, size_t n)
{
	char acl[4 + 8 * 8] = { 2 };

	for (size_t i = 0; i < n; i++) {
		acl[4 + 8 * i] = (char)aces[i].tag;
		acl[6 + 8 * i] = (char)aces[i].perm;
	}
	return fs_acl_narrow(mode, span_of(acl, 4 + 8 * n));
}

static void the_group_gets_its_own_bits_not_the_mask(void **state)
{
	static const struct ace aces[] = {
		{ U_OBJ, 6 }, { USER, 6 },  { G_OBJ, 0 },
		{ MASK, 6 },  { OTHER, 0 },
	};

	(void)state;
	assert_int_equal(narrow(0660, aces, 5), 0600);
}

static void the_mask_limits_the_group(void **state)
{
	static const struct ace aces[] = {
		{ U_OBJ, 7 }, { USER, 7 },  { G_OBJ, 7 },
		{ MASK, 4 },  { OTHER, 4 },
	};

	(void)state;
	assert_int_equal(narrow(0744, aces, 5), 0744);
}

static void a_denied_user_gains_nothing_as_other_or_member(void **state)
{
	static const struct ace aces[] = {
		{ U_OBJ, 6 }, { USER, 0 },  { G_OBJ, 4 },
		{ MASK, 4 },  { OTHER, 4 },
	};

	(void)state;
	assert_int_equal(narrow(0644, aces, 5), 0600);
}

static void a_denied_group_takes_from_the_others_alone(void **state)
{
	static const struct ace aces[] = {
		{ U_OBJ, 6 }, { G_OBJ, 4 }, { GROUP, 0 },
		{ MASK, 4 },  { OTHER, 4 },
	};

	(void)state;
	assert_int_equal(narrow(0644, aces, 5), 0640);
}

static void an_acl_that_says_what_the_mode_says_changes_nothing(void **state)
{
	static const struct ace aces[] = {
		{ U_OBJ, 7 },
		{ G_OBJ, 5 },
		{ OTHER, 5 },
	};

	(void)state;
	assert_int_equal(narrow(04755, aces, 3), 04755);
}

static void what_is_not_understood_leaves_the_owner_alone(void **state)
{
	static const struct ace odd[] = { { 0x40, 7 } };
	static const char old[] = { 1, 0, 0, 0 };

	(void)state;
	assert_int_equal(narrow(0777, odd, 1), 0700);
	assert_int_equal(fs_acl_narrow(0755, span_of(old, 4)), 0700);
	assert_int_equal(fs_acl_narrow(0755, span_of("\2\0\0\0\1", 5)), 0700);
	assert_int_equal(fs_acl_narrow(0755, span_of("", 0)), 0700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_group_gets_its_own_bits_not_the_mask),
		cmocka_unit_test(the_mask_limits_the_group),
		cmocka_unit_test(
			a_denied_user_gains_nothing_as_other_or_member),
		cmocka_unit_test(a_denied_group_takes_from_the_others_alone),
		cmocka_unit_test(
			an_acl_that_says_what_the_mode_says_changes_nothing),
		cmocka_unit_test(what_is_not_understood_leaves_the_owner_alone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
