/* SPDX-License-Identifier: Apache-2.0 */
/* walk.c - tests of which blocks are thought to be read next. */
#include "config.h"

#include "volume/walk.h"

#include "unit.h"

#define MAX 16u
#define N_BLOCKS 4096u
#define PER_BLOCK 30u /* small files in a block */

/* Block i of a large file of this ordinal. */
static struct walk_next read_large(struct walk *w, uint64_t ordinal, uint32_t i)
{
	const struct walk_read r = { .shard = 3,
				     .ordinal = ordinal,
				     .first = i,
				     .n = 1,
				     .n_blocks = N_BLOCKS };

	return walk_step(w, &r);
}

static struct walk_next read_small(struct walk *w, uint32_t shard,
				   uint64_t ordinal)
{
	const struct walk_read r = { .shard = shard,
				     .ordinal = ordinal,
				     .n = 1,
				     .n_blocks = 1,
				     .place =
					     64 + ordinal / PER_BLOCK * 40000 };

	return walk_step(w, &r);
}

/* The same numbers each time. */
static uint32_t draw(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void each_block_of_a_file_read_in_order_is_asked_for_once(void **state)
{
	struct walk w = { .max = MAX };
	uint32_t end = 0;

	(void)state;
	for (uint32_t i = 0; i < N_BLOCKS; i++) {
		struct walk_next next = read_large(&w, 9, i);

		if (!next.n)
			continue;
		if (end)
			assert_int_equal(next.first, end);
		assert_true(next.first > i);
		end = next.first + next.n;
		assert_true(end <= i + 1 + WALK_FILE_MAX);
	}
	assert_int_equal(end, N_BLOCKS);
}

static void a_file_read_from_its_start_is_believed_sooner(void **state)
{
	struct walk w = { .max = MAX };
	struct walk_read r = { .ordinal = 7, .n = 2, .n_blocks = N_BLOCKS };

	(void)state;
	assert_int_equal(read_large(&w, 9, 0).n, 0);
	assert_int_equal(read_large(&w, 9, 1).n, 2);
	assert_int_equal(read_large(&w, 8, 100).n, 0);
	assert_int_equal(read_large(&w, 8, 101).n, 0);
	assert_int_equal(read_large(&w, 8, 102).n, 2);
	/* Two blocks at once. */
	assert_int_equal(walk_step(&w, &r).n, 2);
}

static void the_window_grows_and_has_an_end(void **state)
{
	struct walk w = { .max = 8 };
	uint32_t most = 0, first = 0;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		struct walk_next next = read_large(&w, 9, i);

		if (!next.n)
			continue;
		if (!first)
			first = next.n;
		if (next.first + next.n - i - 1 > most)
			most = next.first + next.n - i - 1;
	}
	assert_int_equal(first, 2);
	assert_int_equal(most, 8);
}

static void reads_of_several_blocks_count_as_one_step(void **state)
{
	struct walk w = { .max = MAX };
	struct walk_read r = { .shard = 1, .n = 8, .n_blocks = N_BLOCKS };
	uint32_t end = 0;

	(void)state;
	for (; r.first < N_BLOCKS; r.first += 8) {
		struct walk_next next = walk_step(&w, &r);

		if (next.n)
			end = next.first + next.n;
	}
	assert_int_equal(end, N_BLOCKS);
}

/* As the kernel sends reads to many threads. */
static void pairs_that_change_places_do_not_end_a_stream(void **state)
{
	struct walk w = { .max = MAX };
	uint32_t n = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i += 2) {
		n += read_large(&w, 9, i + 1).n;
		n += read_large(&w, 9, i).n;
	}
	assert_in_range(n, 900, 1100);
}

static void random_reads_of_a_file_ask_for_next_to_nothing(void **state)
{
	struct walk w = { .max = MAX };
	uint32_t seed = 1, n = 0;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++)
		n += read_large(&w, 9, draw(&seed) % N_BLOCKS).n;
	assert_in_range(n, 0, 200);
}

static void a_stream_goes_silent_when_reads_become_random(void **state)
{
	struct walk w = { .max = MAX };
	uint32_t seed = 2, n = 0;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		n += read_large(&w, 9, i).n;
	assert_true(n > 90);
	n = 0;
	for (unsigned int i = 0; i < 1000; i++)
		n += read_large(&w, 9, draw(&seed) % N_BLOCKS).n;
	assert_in_range(n, 0, 40);
}

static void many_files_are_read_in_order_at_the_same_time(void **state)
{
	struct walk w = { .max = MAX };
	uint32_t n = 0;

	(void)state;
	for (uint32_t i = 0; i < 200; i++) {
		for (uint64_t f = 0; f < WALK_FILES; f++)
			n += read_large(&w, f * 100, i).n;
	}
	assert_true(n >= WALK_FILES * 199);
}

/* Times that a walk from one ordinal on asks for more. */
static unsigned int walk_along(struct walk *w, uint64_t from, uint64_t n)
{
	unsigned int asked = 0;

	for (uint64_t i = from; i < from + n; i++)
		asked += read_small(w, 5, i).n_blocks > 0;
	return asked;
}

static void a_walk_asks_once_a_block(void **state)
{
	struct walk w = { .max = MAX };

	(void)state;
	assert_int_equal(walk_along(&w, 0, 50 * PER_BLOCK), 50);
}

/* Noise between texts: files lie in two blocks by turns. */
static void a_walk_by_turns_in_two_blocks_asks_once_a_block(void **state)
{
	struct walk w = { .max = MAX };
	unsigned int asked = 0;

	(void)state;
	for (uint64_t i = 0; i < 100u * PER_BLOCK; i++) {
		const struct walk_read r = {
			.ordinal = i,
			.n = 1,
			.n_blocks = 1,
			.place = 64 + (i / PER_BLOCK * 2 + i % 2) * 40000
		};
		struct walk_next next = walk_step(&w, &r);

		asked += next.n_blocks != 0;
		if (next.n_blocks)
			assert_int_equal(next.places[0], r.place);
	}
	assert_in_range(asked, 190, 200);
}

static void a_walk_is_believed_after_three_files(void **state)
{
	struct walk w = { .max = MAX };

	(void)state;
	assert_int_equal(read_small(&w, 5, 100).n_blocks, 0);
	assert_int_equal(read_small(&w, 5, 101).n_blocks, 0);
	assert_int_equal(read_small(&w, 5, 102).n_blocks, 1);
	assert_int_equal(read_small(&w, 5, 103).n_blocks, 0);
}

static void a_walk_may_leave_out_entries(void **state)
{
	struct walk w = { .max = MAX };
	uint64_t last_block = 99 * WALK_SKIP / PER_BLOCK;
	unsigned int asked = 0;

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		asked += read_small(&w, 5, i * WALK_SKIP).n_blocks > 0;
	/* All but the first block, where it was not believed yet. */
	assert_int_equal(asked, last_block);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(
			read_small(&w, 6, i * (WALK_SKIP + 1)).n_blocks, 0);
}

static void walkers_in_many_shards_do_not_disturb_each_other(void **state)
{
	struct walk w = { .max = MAX };
	unsigned int asked = 0;

	(void)state;
	for (uint64_t i = 0; i < 20 * PER_BLOCK; i++) {
		for (uint32_t shard = 0; shard < 16; shard++) {
			asked += read_small(&w, shard, i).n_blocks > 0;
			asked += read_small(&w, shard, i + 5000).n_blocks > 0;
		}
	}
	/* 5000 is not where a block begins. */
	assert_int_equal(asked, 16 * (20 + 21));
}

static void files_read_twice_ask_for_nothing_more(void **state)
{
	struct walk w = { .max = MAX };

	(void)state;
	walk_along(&w, 0, 3);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(read_small(&w, 5, 2).n_blocks, 0);
}

static void files_read_backwards_ask_for_nothing(void **state)
{
	struct walk w = { .max = MAX };

	(void)state;
	for (uint64_t i = 1000; i > 0; i--)
		assert_int_equal(read_small(&w, 5, i).n_blocks, 0);
}

/* Times that random files of 16 shards of n ask for more. */
static unsigned int read_random(uint32_t n)
{
	struct walk w = { .max = MAX };
	uint32_t seed = 3;
	unsigned int asked = 0;

	for (unsigned int i = 0; i < 20000; i++) {
		uint32_t shard = draw(&seed) % 16;

		asked += read_small(&w, shard, draw(&seed) % n).n_blocks > 0;
	}
	return asked;
}

static void random_small_files_ask_for_next_to_nothing(void **state)
{
	(void)state;
	assert_in_range(read_random(6250), 0, 40);
	assert_in_range(read_random(1000), 0, 600);
}

static void a_cache_too_small_gets_nothing_ahead(void **state)
{
	struct walk w = { .max = 0 };

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(read_large(&w, 9, i).n, 0);
		assert_int_equal(read_small(&w, 5, i).n_blocks, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_block_of_a_file_read_in_order_is_asked_for_once),
		cmocka_unit_test(a_file_read_from_its_start_is_believed_sooner),
		cmocka_unit_test(the_window_grows_and_has_an_end),
		cmocka_unit_test(reads_of_several_blocks_count_as_one_step),
		cmocka_unit_test(pairs_that_change_places_do_not_end_a_stream),
		cmocka_unit_test(
			random_reads_of_a_file_ask_for_next_to_nothing),
		cmocka_unit_test(a_stream_goes_silent_when_reads_become_random),
		cmocka_unit_test(many_files_are_read_in_order_at_the_same_time),
		cmocka_unit_test(a_walk_asks_once_a_block),
		cmocka_unit_test(
			a_walk_by_turns_in_two_blocks_asks_once_a_block),
		cmocka_unit_test(a_walk_is_believed_after_three_files),
		cmocka_unit_test(a_walk_may_leave_out_entries),
		cmocka_unit_test(
			walkers_in_many_shards_do_not_disturb_each_other),
		cmocka_unit_test(files_read_twice_ask_for_nothing_more),
		cmocka_unit_test(files_read_backwards_ask_for_nothing),
		cmocka_unit_test(random_small_files_ask_for_next_to_nothing),
		cmocka_unit_test(a_cache_too_small_gets_nothing_ahead),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
