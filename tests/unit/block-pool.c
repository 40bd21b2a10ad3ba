/* SPDX-License-Identifier: Apache-2.0 */
/* block-pool.c - tests of the pool: sizes, reuse, bound, threads. */
#include "config.h"

#include "cache/block-pool.h"

#include <pthread.h>
#include <string.h>

#include "unit.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static void sizes_are_whole_pages_and_little_more(void **state)
{
	struct block_pool *p = block_pool_new(MIB);
	struct block_pool_stats st;

	(void)state;
	for (size_t len = 0; len < 40 * MIB; len += 1 + len / 7) {
		size_t cap = 0;
		char *room = block_pool_take(p, len, &cap);

		assert_non_null(room);
		assert_true(cap >= len && cap % 4096 == 0);
		assert_true(cap - len <= 4096 || cap - len <= len / 8);
		room[0] = 1;
		room[cap - 1] = 1;
		block_pool_give(p, room, cap);
		block_pool_stats(p, &st);
		assert_true(st.used == 0 && st.idle <= MIB);
	}
	block_pool_free(p);
}

static void blocks_of_usual_sizes_waste_nothing(void **state)
{
	struct block_pool *p = block_pool_new(MIB);

	(void)state;
	for (size_t len = 4 * KIB; len <= 16 * MIB; len *= 2) {
		size_t cap = 0;
		void *room = block_pool_take(p, len, &cap);

		assert_non_null(room);
		assert_true(cap == len);
		block_pool_give(p, room, cap);
	}
	block_pool_free(p);
}

static void what_was_given_is_taken_again(void **state)
{
	struct block_pool *p = block_pool_new(MIB);
	struct block_pool_stats st;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		size_t cap = 0;
		void *room = block_pool_take(p, 128 * KIB - i * 50, &cap);

		assert_non_null(room);
		block_pool_give(p, room, cap);
	}
	block_pool_stats(p, &st);
	assert_int_equal(st.n_fresh, 1);
	assert_int_equal(st.idle, 128 * KIB);
	block_pool_free(p);
}

/* Else sizes that nobody wants any more would keep out those in use. */
static void what_is_not_wanted_makes_room(void **state)
{
	struct block_pool *p = block_pool_new(MIB);
	struct block_pool_stats st;
	void *room[8];
	size_t cap = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(room); i++)
		room[i] = block_pool_take(p, 128 * KIB, &cap);
	for (size_t i = 0; i < ARRAY_LEN(room); i++)
		block_pool_give(p, room[i], cap);
	for (size_t i = 0; i < 10; i++) {
		void *other = block_pool_take(p, 200 * KIB, &cap);

		assert_non_null(other);
		block_pool_give(p, other, cap);
	}
	block_pool_stats(p, &st);
	assert_int_equal(st.n_fresh, 9);
	assert_true(st.idle <= MIB);
	block_pool_free(p);
}

static void no_memory_is_told(void **state)
{
	struct block_pool *p = block_pool_new(MIB);
	struct block_pool_stats st;
	size_t cap = 0;

	(void)state;
	assert_null(block_pool_take(p, SIZE_MAX / 2, &cap));
	assert_null(block_pool_take(p, SIZE_MAX, &cap));
	block_pool_stats(p, &st);
	assert_int_equal(st.used, 0);
	block_pool_give(p, NULL, 0);
	block_pool_free(p);
}

static void *taker(void *arg)
{
	struct block_pool *p = arg;

	for (unsigned int i = 0; i < 2000; i++) {
		size_t len = (i * 7919 % 64 + 1) * 4096, cap = 0;
		unsigned char *room = block_pool_take(p, len, &cap);

		assert_non_null(room);
		memset(room, (int)(i & 0xff), len);
		assert_int_equal(room[len - 1], i & 0xff);
		block_pool_give(p, room, cap);
	}
	return NULL;
}

static void threads_share_it(void **state)
{
	struct block_pool *p = block_pool_new(MIB);
	struct block_pool_stats st;
	pthread_t t[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, taker, p), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		pthread_join(t[i], NULL);
	block_pool_stats(p, &st);
	assert_true(st.used == 0 && st.idle <= MIB);
	block_pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_whole_pages_and_little_more),
		cmocka_unit_test(blocks_of_usual_sizes_waste_nothing),
		cmocka_unit_test(what_was_given_is_taken_again),
		cmocka_unit_test(what_is_not_wanted_makes_room),
		cmocka_unit_test(no_memory_is_told),
		cmocka_unit_test(threads_share_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
