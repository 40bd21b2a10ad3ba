/* SPDX-License-Identifier: Apache-2.0 */
/* plan-repack.c - which shards are made again, and which of them together. */
#include "config.h"

#include "repack/plan-repack.h"

#include <string.h>

#include "unit.h"

#define MIB (UINT64_C(1) << 20)

/* Four shards of 10 MiB: two of one slot, one of another, one of another day.
 */
static struct shard_meta metas[4];
static struct plan_shard shards[4];
static struct repack_plan plan;

static int setup(void **state)
{
	(void)state;
	memset(shards, 0, sizeof(shards));
	for (size_t i = 0; i < 4; i++) {
		metas[i] = (struct shard_meta){ .day = 20260101,
						.slot = i == 2,
						.n_bits = 4,
						.part = (uint32_t)i,
						.n_entries = 100,
						.n_files = 100,
						.plain_bytes = 10 * MIB };
		shards[i].meta = &metas[i];
	}
	metas[3].day = 20260102;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	repack_plan_release(&plan);
	return 0;
}

static void make(struct plan_options o)
{
	if (!o.max_together)
		o.max_together = 8;
	repack_plan_release(&plan);
	repack_plan_make(shards, 4, &o, &plan);
}

static void erase(size_t i, uint64_t n, uint64_t bytes)
{
	shards[i].deleted = n;
	shards[i].deleted_bytes = bytes;
}

static void group_is(size_t g, enum oplog_why why, size_t n, size_t first)
{
	assert_true(g < plan.n_groups);
	assert_int_equal(plan.groups[g].why, why);
	assert_int_equal(plan.groups[g].n, n);
	assert_int_equal(plan.order[plan.groups[g].first], first);
}

static void nothing_is_done_where_nothing_is_deleted(void **state)
{
	(void)state;
	make((struct plan_options){ .by_deleted = true });
	assert_int_equal(plan.n_groups, 0);
}

static void zero_per_cent_is_anything(void **state)
{
	(void)state;
	erase(1, 1, 0);
	make((struct plan_options){ .by_deleted = true });
	assert_int_equal(plan.n_groups, 1);
	group_is(0, OPLOG_DELETED, 1, 1);
}

static void per_cent_are_of_plain_bytes(void **state)
{
	(void)state;
	erase(0, 99, 2 * MIB);
	erase(1, 1, 2 * MIB - 1);
	make((struct plan_options){ .by_deleted = true, .when_deleted = 20 });
	assert_int_equal(plan.n_groups, 1);
	group_is(0, OPLOG_DELETED, 1, 0);
}

static void without_bytes_they_are_of_entries(void **state)
{
	(void)state;
	metas[0].plain_bytes = metas[1].plain_bytes = 0;
	erase(0, 20, 0);
	erase(1, 19, 0);
	make((struct plan_options){ .by_deleted = true, .when_deleted = 20 });
	assert_int_equal(plan.n_groups, 1);
	group_is(0, OPLOG_DELETED, 1, 0);
}

static void very_large_shards_do_not_overflow(void **state)
{
	(void)state;
	metas[0].plain_bytes = UINT64_MAX;
	erase(0, 1, UINT64_MAX / 2);
	make((struct plan_options){ .by_deleted = true, .when_deleted = 51 });
	assert_int_equal(plan.n_groups, 0);
	make((struct plan_options){ .by_deleted = true, .when_deleted = 49 });
	assert_int_equal(plan.n_groups, 1);
}

static void only_shards_of_one_day_and_slot_are_merged(void **state)
{
	(void)state;
	make((struct plan_options){ .merge_below = 1000 * MIB });
	assert_int_equal(plan.n_groups, 1);
	group_is(0, OPLOG_MERGE, 2, 0);
	assert_int_equal(plan.order[1], 1);
}

static void what_is_merged_stays_within_the_size(void **state)
{
	(void)state;
	make((struct plan_options){ .merge_below = 20 * MIB - 1 });
	assert_int_equal(plan.n_groups, 0);
	/* What is deleted does not count. */
	erase(0, 1, 1);
	make((struct plan_options){ .merge_below = 20 * MIB - 1 });
	assert_int_equal(plan.n_groups, 1);
	group_is(0, OPLOG_MERGE, 2, 0);
}

static void no_more_are_merged_than_may_be_together(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		metas[i].day = 20260101;
		metas[i].slot = 0;
	}
	make((struct plan_options){ .merge_below = 1000 * MIB,
				    .max_together = 3 });
	assert_int_equal(plan.n_groups, 1);
	group_is(0, OPLOG_MERGE, 3, 0);
}

static void what_is_not_merged_may_be_taken_for_what_is_deleted(void **state)
{
	(void)state;
	erase(0, 1, 1);
	erase(2, 1, 1);
	make((struct plan_options){ .merge_below = 1000 * MIB,
				    .by_deleted = true });
	assert_int_equal(plan.n_groups, 2);
	group_is(0, OPLOG_MERGE, 2, 0);
	group_is(1, OPLOG_DELETED, 1, 2);
}

static void large_shards_are_split(void **state)
{
	(void)state;
	metas[1].plain_bytes = 30 * MIB;
	make((struct plan_options){ .split_above = 10 * MIB });
	assert_int_equal(plan.n_groups, 1);
	group_is(0, OPLOG_SPLIT, 1, 1);
}

static void one_large_file_is_not_split(void **state)
{
	(void)state;
	metas[1].plain_bytes = 30 * MIB;
	metas[1].n_files = 1;
	make((struct plan_options){ .split_above = 10 * MIB });
	assert_int_equal(plan.n_groups, 0);
}

static void all_are_recompressed(void **state)
{
	(void)state;
	make((struct plan_options){ .recompress = true });
	assert_int_equal(plan.n_groups, 4);
	group_is(3, OPLOG_RECOMPRESS, 1, 3);
}

static void damage_is_left_alone_unless_it_may_be_dropped(void **state)
{
	(void)state;
	shards[0].is_damaged = true;
	erase(0, 1, 1);
	make((struct plan_options){ .recompress = true,
				    .merge_below = 1000 * MIB,
				    .by_deleted = true });
	assert_int_equal(plan.n_groups, 3);
	group_is(0, OPLOG_RECOMPRESS, 1, 1);
	make((struct plan_options){ .drop_corrupt = true });
	assert_int_equal(plan.n_groups, 1);
	group_is(0, OPLOG_CORRUPT, 1, 0);
}

static void what_is_held_is_left_alone(void **state)
{
	(void)state;
	shards[0].is_held = true;
	erase(0, 1, 1);
	make((struct plan_options){ .recompress = true,
				    .merge_below = 1000 * MIB,
				    .by_deleted = true });
	assert_int_equal(plan.n_groups, 3);
	group_is(0, OPLOG_RECOMPRESS, 1, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_done_where_nothing_is_deleted),
		TEST(zero_per_cent_is_anything),
		TEST(per_cent_are_of_plain_bytes),
		TEST(without_bytes_they_are_of_entries),
		TEST(very_large_shards_do_not_overflow),
		TEST(only_shards_of_one_day_and_slot_are_merged),
		TEST(what_is_merged_stays_within_the_size),
		TEST(no_more_are_merged_than_may_be_together),
		TEST(what_is_not_merged_may_be_taken_for_what_is_deleted),
		TEST(large_shards_are_split),
		TEST(one_large_file_is_not_split),
		TEST(all_are_recompressed),
		TEST(damage_is_left_alone_unless_it_may_be_dropped),
		TEST(what_is_held_is_left_alone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
