/* SPDX-License-Identifier: Apache-2.0 */
/* push-stream.c - tests of which files are pushed, with a kernel that knows
 * what it has.
 */
#include "config.h"

#include "fs/push-stream.h"

#include <string.h>

#include "unit.h"

#define NODES 65536u
#define DIR_OF(first) (UINT64_C(1) << 40 | (first))

struct kernel {
	struct push_streams *p;
	bool is_listed[NODES], is_small[NODES], has[NODES];
	unsigned int n_reads, n_pushed;
	uint64_t size, n_bytes; /* of each file; pushed */
	enum push_result result;
	uint32_t seed;
};

static struct kernel k;

static int set_up(void **state)
{
	(void)state;
	memset(&k, 0, sizeof(k));
	k.p = push_streams_new();
	k.size = 4000;
	k.seed = 1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	push_streams_free(k.p);
	return 0;
}

static uint32_t number(uint32_t n)
{
	k.seed = k.seed * 1664525 + 1013904223;
	return (k.seed >> 8) % n;
}

static void list_piece(uint64_t dir, uint64_t first, uint32_t n, bool is_first)
{
	struct push_run run = {
		.dir = dir, .first = first, .n = n, .is_first = is_first
	};

	for (uint32_t i = 0; i < n; i++) {
		k.is_listed[first + i] = true;
		if (k.is_small[first + i])
			run.small[i / 64] |= UINT64_C(1) << i % 64;
	}
	push_streams_listed(k.p, &run);
}

/* A directory of small files, by READDIRPLUS of 100 entries. */
static void list(uint64_t first, uint32_t n)
{
	memset(&k.is_small[first], true, n);
	for (uint32_t i = 0; i < n; i += 100)
		list_piece(DIR_OF(first), first + i, n - i < 100 ? n - i : 100,
			   !i);
	push_streams_listed_all(k.p, DIR_OF(first));
}

static bool push_one(void)
{
	uint64_t node;

	if (!push_streams_begin(k.p, &node))
		return false;
	assert_true(node < NODES && k.is_listed[node] && k.is_small[node]);
	assert_false(k.has[node]);
	if (k.result == PUSH_STORED) {
		k.has[node] = true;
		k.n_pushed++;
		k.n_bytes += k.size;
	}
	push_streams_end(k.p, node, k.size, k.result);
	return true;
}

static void push_all(void)
{
	while (push_one())
		;
}

/* True: it took a READ. */
static bool read_file(uint64_t node)
{
	if (k.has[node])
		return false;
	k.has[node] = true;
	k.n_reads++;
	push_streams_read(k.p, node);
	return true;
}

static void read_in_order(uint64_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		read_file(first + i);
		push_all();
	}
}

/* So that the next directory is pushed from its first file on. */
static void earn_credit(void)
{
	list(60000, 5000);
	read_in_order(60000, 5000);
	k.n_reads = k.n_pushed = 0;
	k.n_bytes = 0;
}

static void what_is_only_listed_is_not_pushed(void **state)
{
	(void)state;
	list(100, 1000);
	push_all();
	assert_int_equal(k.n_pushed, 0);
}

static void two_reads_in_order_begin_a_stream(void **state)
{
	(void)state;
	list(100, 1000);
	read_file(100);
	assert_int_equal(push_streams_ready(k.p), 0);
	read_file(101);
	assert_int_equal(push_streams_ready(k.p), 1);
	push_all();
	assert_in_range(k.n_pushed, PUSH_WINDOW_MIN - 1, PUSH_WINDOW_MIN);
}

static void reads_far_apart_do_not(void **state)
{
	(void)state;
	list(100, 1000);
	for (uint32_t i = 0; i < 1000; i += 20)
		read_file(100 + i);
	push_all();
	assert_int_equal(k.n_pushed, 0);
}

static void what_was_not_listed_is_not_pushed(void **state)
{
	(void)state;
	list(100, 20);
	memset(&k.is_small[120], true, 1000);
	read_in_order(100, 1000);
	assert_true(k.n_pushed > 10);
	assert_true(k.n_reads > 980);
}

static void only_small_files_are_pushed(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		k.is_small[100 + i] = i % 3 == 0;
	list_piece(DIR_OF(100), 100, 1000, true);
	read_in_order(100, 1000);
	assert_true(k.n_pushed > 300);
	assert_int_equal(k.n_pushed + k.n_reads, 1000);
}

static void a_walk_takes_few_reads(void **state)
{
	(void)state;
	for (uint32_t d = 0; d < 50; d++) {
		list(1000 + d * 100, 100);
		push_all();
		read_in_order(1000 + d * 100, 100);
	}
	assert_in_range(k.n_reads, 100, 200);
	assert_int_equal(k.n_reads + k.n_pushed, 5000);
}

static void a_walk_of_small_directories_takes_two_each(void **state)
{
	(void)state;
	for (uint32_t d = 0; d < 1000; d++) {
		list(1000 + d * 15, 15);
		push_all();
		read_in_order(1000 + d * 15, 15);
	}
	assert_in_range(k.n_reads, 1000, 2200);
}

static void a_large_directory_is_one_stream(void **state)
{
	(void)state;
	list(1000, 20000);
	read_in_order(1000, 20000);
	assert_in_range(k.n_reads, 50, 150);
}

/* Directories inside others, as tar reads them. */
static void a_stream_goes_on_after_its_subdirectories(void **state)
{
	(void)state;
	list(1000, 200);
	read_in_order(1000, 100);
	for (uint32_t d = 0; d < 100; d++) {
		list(2000 + d * 20, 20);
		push_all();
		read_in_order(2000 + d * 20, 20);
	}
	k.n_reads = 0;
	read_in_order(1100, 100);
	assert_in_range(k.n_reads, 0, 5);
}

static void a_pusher_that_is_late_jumps_ahead(void **state)
{
	struct push_stats stats;

	(void)state;
	list(1000, 1000);
	read_file(1000);
	read_file(1001);
	for (uint32_t i = 2; i < 1000; i++) {
		read_file(1000 + i);
		/* Three files in the time of four. */
		for (unsigned int n = 0; n < 3 && i % 4 == 0; n++)
			push_one();
	}
	push_streams_stats(k.p, &stats);
	assert_true(stats.overtaken > 0);
	assert_true(k.n_pushed > 400);
	assert_int_equal(k.n_reads + k.n_pushed, 1000);
}

static void a_reader_waits_until_some_files_are_pushed(void **state)
{
	(void)state;
	list(1000, 1000);
	read_file(1000);
	assert_false(push_streams_is_behind(k.p, 1000));
	read_file(1001);
	assert_true(push_streams_is_behind(k.p, 1001));
	for (unsigned int i = 0; i < 4; i++)
		push_one();
	assert_false(push_streams_is_behind(k.p, 1001));
}

static void a_reader_of_what_is_being_pushed_does_not_wait(void **state)
{
	uint64_t node;

	(void)state;
	list(1000, 1000);
	read_file(1000);
	read_file(1001);
	assert_true(push_streams_begin(k.p, &node));
	push_streams_read(k.p, node);
	assert_false(push_streams_is_behind(k.p, node));
	push_streams_end(k.p, node, k.size, PUSH_STORED);
}

static void threads_that_share_a_directory_are_one_reader(void **state)
{
	(void)state;
	list(1000, 1000);
	for (uint32_t i = 0; i < 1000; i += 8) {
		for (uint32_t j = 0; j < 8; j++)
			read_file(1000 + i + (j * 5 + i) % 8);
		push_all();
	}
	assert_true(k.n_reads < 100);
}

static void walks_in_another_order_are_pushed_too(void **state)
{
	(void)state;
	for (uint32_t d = 0; d < 200; d++) {
		list(1000 + d * 100, 100);
		push_all();
		for (uint32_t i = 0; i < 100; i++) {
			read_file(1000 + d * 100 + (i * 37 + d) % 100);
			push_all();
		}
	}
	assert_true(k.n_reads < 200 * 100 / 4);
}

static void random_reads_push_little(void **state)
{
	(void)state;
	list(1000, 5000);
	for (unsigned int i = 0; i < 1000; i++) {
		read_file(1000 + number(5000));
		push_all();
	}
	assert_true(k.n_pushed < k.n_reads / 4);
}

static void random_reads_after_a_walk_push_little(void **state)
{
	(void)state;
	earn_credit();
	for (uint32_t d = 0; d < 100; d++) {
		list(1000 + d * 100, 100);
		push_all();
	}
	k.n_pushed = 0;
	for (unsigned int i = 0; i < 1000; i++) {
		read_file(1000 + number(10000));
		push_all();
	}
	assert_true(k.n_pushed < k.n_reads);
}

static void listings_after_a_walk_push_little(void **state)
{
	(void)state;
	earn_credit();
	for (uint32_t d = 0; d < 400; d++) {
		list(1000 + d * 100, 100);
		push_all();
	}
	assert_true(k.n_pushed < 400 * 100 / 10);
}

static void readers_of_first_files_soon_get_no_more(void **state)
{
	(void)state;
	earn_credit();
	for (uint32_t d = 0; d < 400; d++) {
		list(1000 + d * 100, 100);
		push_all();
		read_file(1000 + d * 100);
		push_all();
	}
	assert_true(k.n_pushed < 400 * 100 / 10);
}

static void a_window_has_a_bound_in_bytes(void **state)
{
	(void)state;
	k.size = PUSH_FILE_MAX;
	list(1000, 2000);
	for (uint32_t i = 0; i < 2000; i++) {
		uint64_t before = k.n_bytes;

		read_file(1000 + i);
		push_all();
		assert_true(k.n_bytes - before <=
			    PUSH_WINDOW_BYTES + PUSH_FILE_MAX);
	}
	assert_true(k.n_reads < 200);
}

static void two_refusals_are_borne_but_not_four(void **state)
{
	(void)state;
	list(1000, 1000);
	read_file(1000);
	read_file(1001);
	k.result = PUSH_REFUSED;
	push_one();
	push_one();
	k.result = PUSH_STORED;
	assert_true(push_one());
	k.result = PUSH_REFUSED;
	for (unsigned int i = 0; i < 4; i++)
		push_one();
	assert_int_equal(push_streams_ready(k.p), 0);
	k.result = PUSH_STORED;
	read_in_order(1100, 50);
	assert_int_equal(k.n_pushed, 1);
}

static void what_is_absent_waits_for_the_next_read(void **state)
{
	(void)state;
	list(1000, 1000);
	read_file(1000);
	read_file(1001);
	k.result = PUSH_ABSENT;
	push_all();
	assert_int_equal(k.n_pushed, 0);
	k.result = PUSH_STORED;
	read_file(1002);
	push_all();
	assert_true(k.n_pushed > 4);
}

static void what_is_forgotten_is_not_pushed(void **state)
{
	(void)state;
	list(1000, 1000);
	read_file(1000);
	read_file(1001);
	push_streams_forget(k.p);
	assert_int_equal(push_streams_ready(k.p), 0);
	read_in_order(1002, 100);
	assert_int_equal(k.n_pushed, 0);
}

static void a_file_taken_before_the_end_of_its_run_may_still_end(void **state)
{
	uint64_t node;

	(void)state;
	list(1000, 1000);
	read_file(1000);
	read_file(1001);
	assert_true(push_streams_begin(k.p, &node));
	push_streams_forget(k.p);
	push_streams_end(k.p, node, k.size, PUSH_STORED);
	assert_int_equal(push_streams_ready(k.p), 0);
}

static void its_end_is_no_end_of_the_next_file_of_a_new_run(void **state)
{
	uint64_t old, node;

	(void)state;
	list(1000, 100);
	read_file(1000);
	read_file(1001);
	assert_true(push_streams_begin(k.p, &old));
	for (uint32_t d = 0; d < PUSH_RUNS; d++)
		list(2000 + d * 20, 18);
	list(1000, 100);
	read_file(1050);
	read_file(1051);
	assert_true(push_streams_begin(k.p, &node));
	push_streams_end(k.p, old, k.size, PUSH_STORED);
	assert_int_equal(push_streams_ready(k.p), 0);
	push_streams_end(k.p, node, k.size, PUSH_STORED);
	assert_int_equal(push_streams_ready(k.p), 1);
}

static void what_the_kernel_dropped_is_pushed_again(void **state)
{
	(void)state;
	list(1000, 1000);
	read_in_order(1000, 1000);
	memset(k.has, false, sizeof(k.has));
	k.n_reads = k.n_pushed = 0;
	read_in_order(1000, 1000);
	assert_true(k.n_pushed > 900);
}

static void pushed_files_that_are_read_end_a_stream(void **state)
{
	(void)state;
	list(1000, 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		read_file(1000 + i);
		push_all();
		/* The kernel has no room. */
		memset(k.has, false, sizeof(k.has));
	}
	assert_true(k.n_pushed < 300);
}

static void many_directories_take_no_more_room(void **state)
{
	(void)state;
	for (uint32_t d = 0; d < 3 * PUSH_RUNS; d++)
		list(10 + d * 20, 18);
	read_in_order(10, 18);
	assert_int_equal(k.n_pushed, 0);
	read_in_order(10 + (3 * PUSH_RUNS - 1) * 20, 18);
	assert_true(k.n_pushed > 10);
}

static void streams_at_a_time_are_bounded(void **state)
{
	uint64_t nodes[PUSH_STREAMS + 1];
	uint32_t n = 0;

	(void)state;
	for (uint32_t d = 0; d < 100; d++) {
		list(1000 + d * 100, 100);
		read_file(1000 + d * 100);
		read_file(1001 + d * 100);
	}
	while (n <= PUSH_STREAMS && push_streams_begin(k.p, &nodes[n]))
		n++;
	assert_int_equal(n, PUSH_STREAMS);
	for (uint32_t i = 0; i < n; i++)
		push_streams_end(k.p, nodes[i], k.size, PUSH_STORED);
}

/* Whatever happens, nothing is pushed that push_one would not allow. */
static void nothing_confuses_it(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		uint32_t first = 10 + number(4000);
		uint32_t n = 1 + number(60);

		switch (number(12)) {
		case 0:
			for (uint32_t j = first; j < first + n; j++)
				k.is_small[j] |= !number(2);
			list_piece(DIR_OF(first / 500), first, n, !number(3));
			break;
		case 1:
			push_streams_listed_all(k.p, DIR_OF(first / 500));
			break;
		case 2:
			if (!number(100))
				push_streams_forget(k.p);
			break;
		case 3: k.has[first] = false; break;
		case 4:
			k.result = (enum push_result)number(4);
			push_streams_read(k.p, first);
			break;
		case 5:
		case 6:
			for (uint32_t j = first; j < first + n; j++)
				read_file(j);
			break;
		default: {
			uint64_t node;

			if (!push_streams_begin(k.p, &node))
				break;
			assert_true(k.is_listed[node] && k.is_small[node]);
			k.has[node] = true;
			push_streams_end(k.p, node, number(PUSH_FILE_MAX),
					 k.result);
		}
		}
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_only_listed_is_not_pushed),
		T(two_reads_in_order_begin_a_stream),
		T(reads_far_apart_do_not),
		T(what_was_not_listed_is_not_pushed),
		T(only_small_files_are_pushed),
		T(a_walk_takes_few_reads),
		T(a_walk_of_small_directories_takes_two_each),
		T(a_large_directory_is_one_stream),
		T(a_stream_goes_on_after_its_subdirectories),
		T(a_pusher_that_is_late_jumps_ahead),
		T(a_reader_waits_until_some_files_are_pushed),
		T(a_reader_of_what_is_being_pushed_does_not_wait),
		T(threads_that_share_a_directory_are_one_reader),
		T(walks_in_another_order_are_pushed_too),
		T(random_reads_push_little),
		T(random_reads_after_a_walk_push_little),
		T(listings_after_a_walk_push_little),
		T(readers_of_first_files_soon_get_no_more),
		T(a_window_has_a_bound_in_bytes),
		T(two_refusals_are_borne_but_not_four),
		T(what_is_absent_waits_for_the_next_read),
		T(what_is_forgotten_is_not_pushed),
		T(a_file_taken_before_the_end_of_its_run_may_still_end),
		T(its_end_is_no_end_of_the_next_file_of_a_new_run),
		T(what_the_kernel_dropped_is_pushed_again),
		T(pushed_files_that_are_read_end_a_stream),
		T(many_directories_take_no_more_room),
		T(streams_at_a_time_are_bounded),
		T(nothing_confuses_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
