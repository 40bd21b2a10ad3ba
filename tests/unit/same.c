/* SPDX-License-Identifier: Apache-2.0 */
/* same.c - tests of the table of files packed of late. */
#include "config.h"

#include "pack/same.h"

#include <string.h>

#include "unit.h"

static void equal_bytes_have_equal_numbers(void **state)
{
	uint8_t a[1000], b[1000];

	(void)state;
	for (size_t len = 1; len <= sizeof(a); len++) {
		memset(a, (int)len, len);
		memcpy(b, a, len);
		assert_true(same_quick(a, len) == same_quick(b, len));
		assert_true(same_quick(a, len) != 0);
	}
}

static void ends_and_lengths_count(void **state)
{
	uint8_t a[1000] = { 0 };
	uint64_t quick = same_quick(a, sizeof(a));

	(void)state;
	assert_true(same_quick(a, sizeof(a) - 1) != quick);
	a[0] = 1;
	assert_true(same_quick(a, sizeof(a)) != quick);
	a[0] = 0;
	a[sizeof(a) - 1] = 1;
	assert_true(same_quick(a, sizeof(a)) != quick);
}

static void a_file_is_found_until_another_takes_its_place(void **state)
{
	struct same *s = same_new();

	(void)state;
	assert_true(same_place(s, 7)->quick == 0);
	same_place(s, 7)->quick = 7;
	assert_true(same_place(s, 7)->quick == 7);
	for (uint64_t i = 8; i < 1000000; i++)
		same_place(s, i)->quick = i;
	assert_true(same_place(s, 7)->quick != 7);
	assert_true(same_place(s, 999999)->quick == 999999);
	assert_in_range(same_memory(), 1, 4u << 20);
	same_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_bytes_have_equal_numbers),
		cmocka_unit_test(ends_and_lengths_count),
		cmocka_unit_test(a_file_is_found_until_another_takes_its_place),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
