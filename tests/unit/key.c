/* SPDX-License-Identifier: Apache-2.0 */
/* key.c - tests of object keys. */
#include "config.h"

#include "base/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static void keys_stay_beneath_their_root(void **state)
{
	static const char *const good[] = {
		"desfs.json", "a/b/c", "...", "a b", ".x/..y", "\xc3\xa9"
	};
	static const char *const bad[] = { "",    "/a",   "a/",  "a//b",
					   ".",   "..",   "a/.", "a/../b",
					   "./a", "../a", "a\n", "\x7f",
					   "a/\t" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(key_is_valid(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(key_is_valid(bad[i]));
}

static void keys_and_parts_are_bounded(void **state)
{
	char part[KEY_PART_MAX + 2];
	char key[KEY_MAX + 2];

	(void)state;
	memset(part, 'x', sizeof(part));
	part[KEY_PART_MAX + 1] = '\0';
	assert_false(key_is_valid(part));
	part[KEY_PART_MAX] = '\0';
	assert_true(key_is_valid(part));
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = i % 2 ? '/' : 'x';
	key[KEY_MAX + 1] = '\0';
	assert_false(key_is_valid(key));
	key[KEY_MAX - 1] = '\0';
	assert_true(key_is_valid(key));
}

static void joining_undoes_splitting(void **state)
{
	const char *name;
	char *key;

	(void)state;
	assert_int_equal(key_split("a/b/c", &name), 3);
	assert_string_equal(name, "c");
	assert_int_equal(key_split("c", &name), 0);
	assert_string_equal(name, "c");
	key = key_join("a/b", "c");
	assert_string_equal(key, "a/b/c");
	free(key);
	key = key_join("", "c");
	assert_string_equal(key, "c");
	free(key);
}

static void keys_have_hashes_of_their_own(void **state)
{
	static const char *const keys[] = { "",         "a",        "b",
					    "aa",       "12345678", "1234567",
					    "12345679", "123456781" };
	char copy[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		snprintf(copy, sizeof(copy), "%s", keys[i]);
		assert_int_equal(key_hash(keys[i]), key_hash(copy));
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(key_hash(keys[i]),
					     key_hash(keys[k]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_stay_beneath_their_root),
		cmocka_unit_test(keys_and_parts_are_bounded),
		cmocka_unit_test(joining_undoes_splitting),
		cmocka_unit_test(keys_have_hashes_of_their_own),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
