/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c - tests of how workers share the slots. */
#include "config.h"

#include "unit.h"

#include "pack/worker.h"

static void each_slot_has_one_worker(void **state)
{
	const uint32_t counts[] = { 1, 2, 3, 16, 40, 65536 };

	(void)state;
	for (size_t k = 0; k < sizeof(counts) / sizeof(*counts); k++) {
		uint32_t n_slots = 0;

		for (uint32_t i = 0; i < counts[k]; i++) {
			struct worker w = { .i = i, .n = counts[k] };
			uint32_t n = worker_slots(&w, 256);

			n_slots += n;
			for (uint32_t j = 0; j < n; j++)
				assert_true(worker_has(
					&w, (uint32_t)worker_slot(&w, j)));
			assert_true(worker_slot(&w, n) >= 256);
		}
		assert_int_equal(n_slots, 256);
	}
}

static void the_only_worker_has_all(void **state)
{
	const struct worker w = { 0 };
	char text[WORKER_TEXT];

	(void)state;
	assert_int_equal(worker_slots(&w, 65536), 65536);
	assert_int_equal(worker_slot(&w, 7), 7);
	assert_true(worker_has(&w, 65535));
	worker_format(&w, text);
	assert_string_equal(text, "1/1");
}

static void numbers_of_workers_are_checked(void **state)
{
	static const char *const bad[] = {
		"",      "1",    "1/",      "/1",           "0/1",
		"2/1",   "1/0",  "1/65537", "1/a",          "-1/2",
		"1/2/3", "1/2 ", " 1/2",    "00000000001/2"
	};
	struct worker w = { 0 };
	char text[WORKER_TEXT];
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(worker_parse(bad[i], &w, &err), RC_USAGE);
	assert_int_equal(worker_parse("65536/65536", &w, &err), RC_OK);
	assert_int_equal(w.i, 65535);
	worker_format(&w, text);
	assert_string_equal(text, "65536/65536");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_slot_has_one_worker),
		cmocka_unit_test(the_only_worker_has_all),
		cmocka_unit_test(numbers_of_workers_are_checked),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
