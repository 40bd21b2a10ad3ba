/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c - tests of memory that is given up together. */
#include "config.h"

#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "unit.h"

#define PIECES 2000

static void pieces_are_apart_and_aligned(void **state)
{
	static uint8_t *pieces[PIECES];
	struct arena a = { 0 };

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < PIECES; i++) {
			pieces[i] = arena_alloc(&a, i % 100);
			assert_int_equal(
				(uintptr_t)pieces[i] % alignof(max_align_t), 0);
			memset(pieces[i], (int)(i & 255), i % 100);
		}
		for (size_t i = 0; i < PIECES; i++)
			for (size_t k = 0; k < i % 100; k++)
				assert_int_equal(pieces[i][k], i & 255);
		arena_clear(&a);
	}
	arena_release(&a);
}

static void a_piece_may_be_larger_than_what_is_kept(void **state)
{
	struct arena a = { 0 };

	(void)state;
	for (int round = 0; round < 3; round++) {
		memset(arena_alloc(&a, 10), 1, 10);
		memset(arena_alloc(&a, 1000000), 2, 1000000);
		memset(arena_alloc(&a, 10), 3, 10);
		arena_clear(&a);
		memset(arena_alloc(&a, 1000000), 2, 1000000);
		arena_clear(&a);
	}
	arena_release(&a);
}

static void what_was_released_may_be_used_again(void **state)
{
	struct arena a = { 0 };

	(void)state;
	arena_clear(&a);
	arena_release(&a);
	memset(arena_alloc(&a, 1), 0, 1);
	arena_release(&a);
	memset(arena_alloc(&a, 1), 0, 1);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_apart_and_aligned),
		cmocka_unit_test(a_piece_may_be_larger_than_what_is_kept),
		cmocka_unit_test(what_was_released_may_be_used_again),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
