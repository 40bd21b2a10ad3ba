/* SPDX-License-Identifier: Apache-2.0 */
/* engine-blocks.c - what stays of blocks, and where it is afterwards. */
#include "config.h"

#include "repack/engine-blocks.h"

#include <stdlib.h>
#include <string.h>

#include "repack/live-set.h"
#include "unit.h"

static struct block_ref ref_at(uint64_t off, uint32_t data_len)
{
	struct block_ref ref = { .off = off,
				 .stored_len = data_len / 2 + 40,
				 .data_len = data_len };

	memcpy(ref.hash, &off, sizeof(off));
	return ref;
}

static size_t add(struct block_table *t, uint64_t off, uint32_t data_len)
{
	const struct block_ref ref = ref_at(off, data_len);
	struct err err;
	size_t i;

	assert_int_equal(block_table_add(t, 0, &ref, &i, &err), RC_OK);
	return i;
}

static void a_block_is_added_once(void **state)
{
	struct block_table t = { 0 };
	struct block_ref other = ref_at(192, 1000);
	struct err err;
	size_t i;

	(void)state;
	assert_int_equal(add(&t, 192, 1000), add(&t, 192, 1000));
	assert_int_equal(t.n, 1);
	other.data_len--;
	assert_int_equal(block_table_add(&t, 0, &other, &i, &err), RC_CORRUPT);
	/* Of another shard it is another one. */
	assert_int_equal(block_table_add(&t, 1, &other, &i, &err), RC_OK);
	assert_int_equal(t.n, 2);
	block_table_release(&t);
}

static void many_blocks_are_found_in_their_order(void **state)
{
	struct block_table t = { 0 };
	uint32_t *order;
	size_t n;

	(void)state;
	for (uint64_t i = 0; i < 10000; i++)
		add(&t, 192 + (i * 7919 % 10000) * 100, 50);
	assert_int_equal(t.n, 10000);
	order = block_table_order(&t, 0, &n);
	assert_int_equal(n, 10000);
	for (size_t i = 0; i < n; i++) {
		const struct block_ref ref = ref_at(192 + i * 100, 50);

		assert_int_equal(t.items[order[i]].ref.off, ref.off);
		assert_ptr_equal(block_table_find(&t, 0, &ref),
				 &t.items[order[i]]);
	}
	free(order);
	block_table_release(&t);
}

static void a_block_whose_bytes_all_stay_is_not_cut(void **state)
{
	struct block_table t = { 0 };
	size_t parts = add(&t, 192, 1000), whole = add(&t, 2000, 1000);
	uint32_t at;

	(void)state;
	block_table_keep(&t, parts, 600, 400);
	block_table_keep(&t, parts, 0, 300);
	block_table_keep(&t, parts, 200, 400);
	block_table_keep(&t, whole, 100, 10);
	block_table_keep(&t, whole, 0, 1000);
	block_table_settle(&t);
	assert_false(t.items[parts].is_cut);
	assert_false(t.items[whole].is_cut);
	assert_true(block_table_moved(&t, &t.items[parts], 600, 400, &at));
	assert_int_equal(at, 600);
	assert_int_equal(block_table_len(&t, &t.items[parts]), 1000);
	block_table_release(&t);
}

static void what_stays_moves_together(void **state)
{
	struct block_table t = { 0 };
	size_t i = add(&t, 192, 1000);
	uint32_t at;

	(void)state;
	block_table_keep(&t, i, 900, 100);
	block_table_keep(&t, i, 100, 50);
	block_table_keep(&t, i, 300, 100);
	/* Equal files, and one within another. */
	block_table_keep(&t, i, 300, 100);
	block_table_keep(&t, i, 320, 10);
	block_table_settle(&t);
	assert_true(t.items[i].is_cut);
	assert_int_equal(block_table_len(&t, &t.items[i]), 250);
	assert_true(block_table_moved(&t, &t.items[i], 100, 50, &at));
	assert_int_equal(at, 0);
	assert_true(block_table_moved(&t, &t.items[i], 320, 10, &at));
	assert_int_equal(at, 70);
	assert_true(block_table_moved(&t, &t.items[i], 900, 100, &at));
	assert_int_equal(at, 150);
	block_table_release(&t);
}

static void what_goes_is_nowhere(void **state)
{
	struct block_table t = { 0 };
	size_t i = add(&t, 192, 1000), dead = add(&t, 2000, 1000);
	uint32_t at;

	(void)state;
	block_table_keep(&t, i, 100, 50);
	block_table_keep(&t, i, 300, 100);
	block_table_settle(&t);
	assert_false(block_table_moved(&t, &t.items[i], 0, 10, &at));
	assert_false(block_table_moved(&t, &t.items[i], 140, 20, &at));
	assert_false(block_table_moved(&t, &t.items[i], 150, 1, &at));
	assert_false(block_table_moved(&t, &t.items[i], 399, 2, &at));
	assert_false(block_table_moved(&t, &t.items[i], 999, UINT32_MAX, &at));
	assert_false(block_table_moved(&t, &t.items[dead], 0, 10, &at));
	block_table_release(&t);
}

static void changed_blocks_are_known_by_the_hash_they_had(void **state)
{
	struct block_table t = { 0 };
	size_t i = add(&t, 192, 1000), k = add(&t, 2000, 1000);

	(void)state;
	block_table_settle(&t);
	assert_false(block_table_any_changed(&t));
	block_table_change(&t, &t.items[i]);
	assert_true(block_table_any_changed(&t));
	assert_ptr_equal(block_table_changed(&t, t.items[i].ref.hash),
			 &t.items[i]);
	assert_null(block_table_changed(&t, t.items[k].ref.hash));
	block_table_release(&t);
}

static void live_entries_are_marked_one_by_one(void **state)
{
	struct live_set s = { 0 };

	(void)state;
	assert_false(live_set_has(&s, 1));
	assert_false(live_set_is_marked(&s, 1));
	live_set_init(&s, 1000);
	for (uint64_t i = 0; i < 1000; i++)
		live_set_add(&s, i * i * i);
	live_set_mark(&s, 27, true);
	live_set_mark(&s, 28, true);
	for (uint64_t i = 0; i < 1000; i++) {
		assert_true(live_set_has(&s, i * i * i));
		assert_int_equal(live_set_is_marked(&s, i * i * i), i == 3);
	}
	assert_false(live_set_has(&s, 28));
	live_set_mark(&s, 27, false);
	assert_false(live_set_is_marked(&s, 27));
	live_set_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_is_added_once),
		cmocka_unit_test(many_blocks_are_found_in_their_order),
		cmocka_unit_test(a_block_whose_bytes_all_stay_is_not_cut),
		cmocka_unit_test(what_stays_moves_together),
		cmocka_unit_test(what_goes_is_nowhere),
		cmocka_unit_test(changed_blocks_are_known_by_the_hash_they_had),
		cmocka_unit_test(live_entries_are_marked_one_by_one),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
