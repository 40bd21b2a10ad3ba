/* SPDX-License-Identifier: Apache-2.0 */
/* readahead.c - tests of how much is fetched. */
#include "config.h"

#include "volume/readahead.h"

#include "base/clock.h"
#include "unit.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define BLOCK (128 * KIB)

static const struct readahead_bounds wide = { .end = 1024 * MIB,
					      .max_window = READAHEAD_MAX,
					      .depth = 4 };

static struct byte_range range(uint64_t lo, uint64_t hi)
{
	return (struct byte_range){ lo, hi };
}

static struct readahead_near dir(uint64_t group, uint64_t lo, uint64_t hi)
{
	return (struct readahead_near){ .range = range(lo, hi),
					.group = group };
}

static struct readahead_near file(uint64_t group, uint64_t lo, uint64_t hi)
{
	struct readahead_near near = dir(group, lo, hi);

	near.is_file = true;
	return near;
}

/* A miss with nothing fetched yet, and the read. */
static struct byte_range miss(struct readahead *ra, enum readahead_kin kin,
			      struct byte_range block,
			      struct readahead_near near)
{
	struct byte_range r = readahead_miss(ra, kin, block, range(0, wide.end),
					     &near, &wide);

	assert_true(r.lo <= block.lo && r.hi >= block.hi);
	readahead_read(ra, block);
	return r;
}

/* The stream read what it fetched. */
static void read_all(struct readahead *ra)
{
	while (ra->pos < ra->next)
		readahead_read(ra, range(ra->pos, ra->pos + BLOCK < ra->next
							  ? ra->pos + BLOCK
							  : ra->next));
}

static void assert_range(struct byte_range r, uint64_t lo, uint64_t hi)
{
	assert_int_equal(r.lo, lo);
	assert_int_equal(r.hi, hi);
}

static void a_first_read_fetches_little(void **state)
{
	struct readahead ra = { 0 };

	(void)state;
	assert_range(miss(&ra, READAHEAD_NEW, range(MIB, MIB + 100 * KIB),
			  file(1, 0, 9 * MIB)),
		     MIB, MIB + 128 * KIB);
	ra = (struct readahead){ 0 };
	assert_range(miss(&ra, READAHEAD_NEW, range(MIB, MIB + 300 * KIB),
			  file(1, 0, 9 * MIB)),
		     MIB, MIB + 300 * KIB);
}

static void a_first_read_stays_in_its_directory_and_its_due(void **state)
{
	struct readahead ra = { 0 };

	(void)state;
	assert_range(miss(&ra, READAHEAD_NEW, range(0, 64 * KIB),
			  dir(1, 0, 80 * KIB)),
		     0, 80 * KIB);
	ra = (struct readahead){ 0 };
	assert_range(miss(&ra, READAHEAD_NEW, range(0, KIB), dir(1, 0, MIB)), 0,
		     8 * KIB);
}

static void what_one_call_wants_comes_at_once(void **state)
{
	struct readahead_near near = file(1, 0, 99 * MIB);
	struct readahead ra = { 0 };

	(void)state;
	near.call_end = MIB;
	assert_range(miss(&ra, READAHEAD_NEW, range(0, BLOCK), near), 0, MIB);
}

static void ranges_double_up_to_8_mib(void **state)
{
	static const uint64_t want[] = { 1, 2, 4, 8, 8, 8 };
	struct readahead_near near = file(1, 0, 999 * MIB);
	struct readahead ra = { 0 };

	(void)state;
	miss(&ra, READAHEAD_NEW, range(0, BLOCK), near);
	for (unsigned int i = 0; i < 6; i++) {
		struct byte_range block = range(ra.next, ra.next + BLOCK), r;

		assert_int_equal(readahead_kin(&ra, block, &near),
				 READAHEAD_SEQUENTIAL);
		r = miss(&ra, READAHEAD_SEQUENTIAL, block, near);
		assert_int_equal(r.hi - r.lo, want[i] * MIB);
		read_all(&ra);
	}
}

static void a_small_gap_is_read_over(void **state)
{
	struct readahead_near near = file(1, 0, 99 * MIB);
	struct readahead ra = { 0 };
	uint64_t at = BLOCK + READAHEAD_GAP;
	struct byte_range near_by = range(at, at + BLOCK);
	struct byte_range far = range(at + 1, at + BLOCK);

	(void)state;
	miss(&ra, READAHEAD_NEW, range(0, BLOCK), near);
	assert_int_equal(readahead_kin(&ra, far, &near), READAHEAD_NEW);
	assert_int_equal(readahead_kin(&ra, near_by, &near),
			 READAHEAD_SEQUENTIAL);
	assert_range(miss(&ra, READAHEAD_SEQUENTIAL, near_by, near), BLOCK,
		     BLOCK + MIB);
}

static void reads_of_one_large_file_are_no_evidence(void **state)
{
	struct readahead_near near = file(1, 0, 99 * MIB);
	struct readahead ra = { 0 };

	(void)state;
	miss(&ra, READAHEAD_NEW, range(50 * MIB, 50 * MIB + BLOCK), near);
	assert_int_equal(readahead_kin(&ra, range(9 * MIB, 9 * MIB + 1), &near),
			 READAHEAD_NEW);
}

static void a_second_read_in_a_directory_is_evidence(void **state)
{
	struct readahead_near near = dir(7, 0, 2 * MIB);
	struct readahead_near other = dir(8, 0, 2 * MIB);
	struct byte_range block = range(MIB, MIB + BLOCK);
	struct readahead ra = { 0 };

	(void)state;
	miss(&ra, READAHEAD_NEW, range(0, BLOCK), near);
	assert_int_equal(readahead_kin(&ra, block, &other), READAHEAD_NEW);
	assert_int_equal(readahead_kin(&ra, block, &near), READAHEAD_BESIDE);
	assert_range(miss(&ra, READAHEAD_BESIDE, block, near), MIB, 2 * MIB);
}

static void near_the_end_the_window_reaches_back(void **state)
{
	struct readahead_near near = dir(7, MIB, 4 * MIB);
	struct byte_range block = range(4 * MIB - BLOCK, 4 * MIB);
	struct readahead ra = { 0 };

	(void)state;
	miss(&ra, READAHEAD_NEW, range(MIB, MIB + BLOCK), near);
	assert_range(miss(&ra, READAHEAD_BESIDE, block, near), 3 * MIB,
		     4 * MIB);
}

static void nothing_beyond_the_directory_until_the_stream_went_on(void **state)
{
	struct readahead_near a = dir(1, 0, 300 * KIB);
	struct readahead_near b = dir(2, 300 * KIB, 600 * KIB);
	struct readahead ra = { 0 };
	struct byte_range r;

	(void)state;
	miss(&ra, READAHEAD_NEW, range(0, BLOCK), a);
	assert_range(
		miss(&ra, READAHEAD_SEQUENTIAL, range(BLOCK, BLOCK * 2), a),
		BLOCK, 300 * KIB);
	read_all(&ra);
	r = miss(&ra, READAHEAD_SEQUENTIAL, range(300 * KIB, 400 * KIB), b);
	assert_true(ra.is_scan);
	assert_int_equal(r.lo, 300 * KIB);
	assert_true(r.hi - r.lo >= MIB);
}

static void a_directory_that_goes_on_is_no_end(void **state)
{
	struct readahead_near a = dir(1, 0, 300 * KIB);
	struct readahead ra = { 0 };

	(void)state;
	a.is_open = true;
	miss(&ra, READAHEAD_NEW, range(0, BLOCK), a);
	assert_range(
		miss(&ra, READAHEAD_SEQUENTIAL, range(BLOCK, BLOCK * 2), a),
		BLOCK, BLOCK + MIB);
	read_all(&ra);
	assert_true(readahead_wants_near(&ra, MIB));
	a = dir(1, 300 * KIB, 2 * MIB);
	readahead_moved(&ra, MIB, &a);
	assert_false(ra.is_scan);
	assert_false(readahead_wants_near(&ra, MIB));
}

static void what_is_there_is_not_fetched_again(void **state)
{
	struct readahead_near near = dir(1, 0, 8 * MIB);
	struct byte_range block = range(2 * MIB, 2 * MIB + BLOCK), r;
	struct readahead ra = { 0 };

	(void)state;
	miss(&ra, READAHEAD_NEW, range(0, BLOCK), near);
	r = readahead_miss(&ra, READAHEAD_BESIDE, block,
			   range(2 * MIB - 10, 2 * MIB + BLOCK + 10), &near,
			   &wide);
	assert_true(r.lo >= 2 * MIB - 10 && r.hi <= 2 * MIB + BLOCK + 10);
}

/* However a stream reads: 8 bytes for one, and 1 MiB. */
static void amplification_is_bounded(void **state)
{
	struct readahead_near near = dir(1, 0, 999 * MIB);
	struct readahead ra = { 0 };
	uint64_t wanted = 0, fetched = 0, x = 1;

	(void)state;
	for (unsigned int i = 0; i < 2000; i++) {
		struct byte_range block, r;
		enum readahead_kin kin;

		x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
		block.lo = (x >> 33) % (900 * MIB);
		block.hi = block.lo + 100 + (x >> 40) % BLOCK;
		kin = i ? readahead_kin(&ra, block, &near) : READAHEAD_NEW;
		r = miss(&ra, kin, block, near);
		wanted += block.hi - block.lo;
		fetched += r.hi - r.lo;
		while (readahead_ahead(&ra, &wide, &r)) {
			readahead_ahead_taken(&ra, r.hi);
			fetched += r.hi - r.lo;
		}
		assert_true(fetched <= 8 * wanted + MIB);
	}
}

static void waste_shrinks_the_window_and_stops_reading_ahead(void **state)
{
	struct readahead_near near = file(1, 0, 999 * MIB);
	struct readahead ra = { 0 };
	struct byte_range r;

	(void)state;
	miss(&ra, READAHEAD_NEW, range(0, BLOCK), near);
	for (unsigned int i = 0; i < 5; i++) {
		miss(&ra, READAHEAD_SEQUENTIAL, range(ra.next, ra.next + BLOCK),
		     near);
		read_all(&ra);
	}
	assert_true(readahead_ahead(&ra, &wide, &r));
	for (unsigned int i = 0; i < 16; i++)
		readahead_retired(&ra, 2 * MIB - 100, 8 * MIB);
	assert_false(readahead_ahead(&ra, &wide, &r));
	r = miss(&ra, READAHEAD_SEQUENTIAL, range(ra.next, ra.next + BLOCK),
		 near);
	assert_int_equal(r.hi - r.lo, 4 * MIB);
	for (unsigned int i = 0; i < 9; i++)
		r = miss(&ra, READAHEAD_SEQUENTIAL,
			 range(ra.next, ra.next + KIB), near);
	assert_int_equal(r.hi - r.lo, READAHEAD_MIN);
	for (unsigned int i = 0; i < 16; i++)
		readahead_retired(&ra, READAHEAD_MIN, READAHEAD_MIN);
	read_all(&ra);
	r = miss(&ra, READAHEAD_SEQUENTIAL, range(ra.next, ra.next + KIB),
		 near);
	assert_int_equal(r.hi - r.lo, MIB);
}

static void reading_ahead_begins_past_the_middle(void **state)
{
	struct readahead_near near = file(1, 0, 999 * MIB);
	struct readahead ra = { 0 };
	struct byte_range r;

	(void)state;
	miss(&ra, READAHEAD_NEW, range(0, BLOCK), near);
	assert_false(readahead_ahead(&ra, &wide, &r));
	miss(&ra, READAHEAD_SEQUENTIAL, range(BLOCK, 2 * BLOCK), near);
	assert_false(readahead_ahead(&ra, &wide, &r));
	while (!readahead_ahead(&ra, &wide, &r))
		readahead_read(&ra, range(ra.pos, ra.pos + BLOCK));
	assert_int_equal(ra.pos, BLOCK + MIB / 2);
	assert_range(r, BLOCK + MIB, BLOCK + 3 * MIB);
	readahead_ahead_taken(&ra, r.hi);
	assert_false(readahead_ahead(&ra, &wide, &r));
}

static void a_fast_stream_has_several_ranges_ahead(void **state)
{
	struct readahead_near near = file(1, 0, 999 * MIB);
	struct readahead ra = { 0 };
	unsigned int n = 0;
	struct byte_range r;

	(void)state;
	miss(&ra, READAHEAD_NEW, range(0, BLOCK), near);
	for (unsigned int i = 0; i < 6; i++) {
		miss(&ra, READAHEAD_SEQUENTIAL, range(ra.next, ra.next + BLOCK),
		     near);
		read_all(&ra);
	}
	while (readahead_ahead(&ra, &wide, &r)) {
		assert_int_equal(r.hi - r.lo, READAHEAD_MAX);
		readahead_ahead_taken(&ra, r.hi);
		n++;
	}
	assert_in_range(n, 3, 4);
}

static void reading_ahead_ends_with_the_file(void **state)
{
	struct readahead_near near = file(1, 0, 2 * MIB);
	struct readahead ra = { 0 };
	struct byte_range r;

	(void)state;
	miss(&ra, READAHEAD_NEW, range(0, BLOCK), near);
	miss(&ra, READAHEAD_SEQUENTIAL, range(BLOCK, 2 * BLOCK), near);
	read_all(&ra);
	assert_true(readahead_ahead(&ra, &wide, &r));
	assert_int_equal(r.hi, 2 * MIB);
	readahead_ahead_taken(&ra, r.hi);
	read_all(&ra);
	assert_false(readahead_ahead(&ra, &wide, &r));
}

static void slow_ranges_get_no_longer(void **state)
{
	struct readahead_near near = file(1, 0, 999 * MIB);
	struct readahead ra = { 0 };
	struct byte_range r;

	(void)state;
	miss(&ra, READAHEAD_NEW, range(0, BLOCK), near);
	miss(&ra, READAHEAD_SEQUENTIAL, range(BLOCK, 2 * BLOCK), near);
	read_all(&ra);
	readahead_done(&ra, MIB, 3 * CLOCK_NS_PER_SEC);
	r = miss(&ra, READAHEAD_SEQUENTIAL, range(ra.next, ra.next + BLOCK),
		 near);
	assert_int_equal(r.hi - r.lo, MIB / 2);
}

static void after_a_failure_it_begins_anew(void **state)
{
	struct readahead_near near = file(1, 0, 999 * MIB);
	struct readahead ra = { 0 };
	struct byte_range r;

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		miss(&ra, READAHEAD_SEQUENTIAL, range(ra.next, ra.next + BLOCK),
		     near);
		read_all(&ra);
	}
	readahead_failed(&ra);
	assert_false(readahead_ahead(&ra, &wide, &r));
	r = miss(&ra, READAHEAD_SEQUENTIAL, range(ra.next, ra.next + BLOCK),
		 near);
	assert_int_equal(r.hi - r.lo, MIB);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_read_fetches_little),
		cmocka_unit_test(
			a_first_read_stays_in_its_directory_and_its_due),
		cmocka_unit_test(what_one_call_wants_comes_at_once),
		cmocka_unit_test(ranges_double_up_to_8_mib),
		cmocka_unit_test(a_small_gap_is_read_over),
		cmocka_unit_test(reads_of_one_large_file_are_no_evidence),
		cmocka_unit_test(a_second_read_in_a_directory_is_evidence),
		cmocka_unit_test(near_the_end_the_window_reaches_back),
		cmocka_unit_test(
			nothing_beyond_the_directory_until_the_stream_went_on),
		cmocka_unit_test(a_directory_that_goes_on_is_no_end),
		cmocka_unit_test(what_is_there_is_not_fetched_again),
		cmocka_unit_test(amplification_is_bounded),
		cmocka_unit_test(
			waste_shrinks_the_window_and_stops_reading_ahead),
		cmocka_unit_test(reading_ahead_begins_past_the_middle),
		cmocka_unit_test(a_fast_stream_has_several_ranges_ahead),
		cmocka_unit_test(reading_ahead_ends_with_the_file),
		cmocka_unit_test(slow_ranges_get_no_longer),
		cmocka_unit_test(after_a_failure_it_begins_anew),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
