/* SPDX-License-Identifier: Apache-2.0 */
/* list-pace.c - tests of how long a list may take. */
#include "config.h"

#include "store/list-pace.h"

#include "base/clock.h"
#include "unit.h"

#define SEC CLOCK_NS_PER_SEC

static void a_list_that_gives_keys_goes_on(void **state)
{
	struct list_pace p;
	struct err err;

	(void)state;
	list_pace_begin(&p, 20000);
	/* At the worst pace there may be. */
	for (int i = 0; i < 100000; i++)
		assert_int_equal(list_pace_page(&p, 20 * SEC, 1000, &err),
				 RC_OK);
}

static void a_list_that_drips_ends(void **state)
{
	struct list_pace p;
	struct err err;
	int n = 1;

	(void)state;
	list_pace_begin(&p, 20000);
	while (!list_pace_page(&p, SEC, 10, &err) && n < 1000)
		n++;
	/* 20 s, and 0.2 s for each page of 1 s. */
	assert_int_equal(n, 26);
	assert_int_equal(err.rc, RC_TIMEOUT);
}

static void pages_without_keys_have_the_time_of_one_call(void **state)
{
	struct list_pace p;
	struct err err;

	(void)state;
	list_pace_begin(&p, 1000);
	assert_int_equal(list_pace_page(&p, SEC, 0, &err), RC_OK);
	assert_int_equal(list_pace_page(&p, 0, 0, &err), RC_OK);
	assert_int_equal(list_pace_page(&p, 1, 0, &err), RC_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_that_gives_keys_goes_on),
		cmocka_unit_test(a_list_that_drips_ends),
		cmocka_unit_test(pages_without_keys_have_the_time_of_one_call),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
