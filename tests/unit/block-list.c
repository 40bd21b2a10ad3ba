/* SPDX-License-Identifier: Apache-2.0 */
/* block-list.c - tests of lists of blocks that are too long for memory. */
#include "config.h"

#include "pack/block-list.h"

#include <string.h>

#include "unit.h"

#define BLOCK 4096u
#define DIR "/tmp"

static struct block_ref ref_of(uint32_t i)
{
	struct block_ref ref = { .stored_len = 100 + i, .data_len = BLOCK };

	memcpy(ref.hash, &i, sizeof(i));
	return ref;
}

static void store(struct block_list *l, uint32_t i)
{
	struct block_ref ref = ref_of(i);

	assert_int_equal(l->n_decided, i);
	block_list_add_stored(l);
	assert_false(block_list_is_hole(l, i));
	block_list_fill(l, i, &ref);
}

static void place(struct block_list *l, uint32_t i)
{
	struct err err;

	assert_int_equal(block_list_place(l, i, UINT64_C(1000) * i, &err),
			 RC_OK);
}

static bool is_stored(uint32_t i)
{
	return i % 1500 < 1000;
}

/* By pieces that end anywhere. */
static void check(const struct block_list *l, uint32_t n)
{
	struct block_ref got[311];
	struct err err;

	for (uint32_t i = 0; i < n; i += 311) {
		uint32_t len = n - i < 311 ? n - i : 311;

		assert_int_equal(block_list_read(l, i, len, got, &err), RC_OK);
		for (uint32_t k = 0; k < len; k++) {
			struct block_ref want = ref_of(i + k);

			want.off = UINT64_C(1000) * (i + k);
			if (!is_stored(i + k))
				want = (struct block_ref){ .data_len = BLOCK };
			assert_int_equal(got[k].off, want.off);
			assert_int_equal(got[k].stored_len, want.stored_len);
			assert_int_equal(got[k].data_len, want.data_len);
			assert_memory_equal(got[k].hash, want.hash,
					    BLOCK_HASH_LEN);
		}
	}
}

static void holes_take_no_memory_however_many_there_are(void **state)
{
	const uint32_t n = 1u << 26;
	struct block_list l;
	struct block_ref got[2];
	struct err err;

	(void)state;
	block_list_init(&l, (uint64_t)n * BLOCK - 1, BLOCK, DIR);
	assert_int_equal(l.n, n);
	assert_false(block_list_is_hole(&l, 0));
	for (uint32_t i = 0; i < n; i++)
		block_list_add_hole(&l);
	assert_int_equal(l.n_pages, 0);
	assert_true(block_list_is_hole(&l, 0));
	assert_true(block_list_is_hole(&l, n - 1));
	assert_int_equal(block_list_read(&l, n - 2, 2, got, &err), RC_OK);
	assert_int_equal(got[0].data_len, BLOCK);
	assert_int_equal(got[1].data_len, BLOCK - 1);
	assert_int_equal(got[1].stored_len, 0);
	block_list_release(&l);
}

static void what_is_placed_is_spooled_and_read_again(void **state)
{
	const uint32_t n = 300 * BLOCK_LIST_PAGE + 5;
	struct block_list l;

	(void)state;
	block_list_init(&l, (uint64_t)n * BLOCK, BLOCK, DIR);
	for (uint32_t i = 0; i < n; i++) {
		if (!is_stored(i)) {
			block_list_add_hole(&l);
			continue;
		}
		store(&l, i);
		place(&l, i);
		assert_true(l.n_pages - l.n_spooled <= BLOCK_LIST_KEPT + 1);
	}
	assert_true(l.n_spooled > 100);
	check(&l, n);
	block_list_release(&l);
}

static void what_is_on_its_way_stays_in_memory(void **state)
{
	const uint32_t n = 100 * BLOCK_LIST_PAGE, late = 3;
	struct block_list l;

	(void)state;
	block_list_init(&l, (uint64_t)n * BLOCK, BLOCK, DIR);
	for (uint32_t i = 0; i < n; i++) {
		if (!is_stored(i)) {
			block_list_add_hole(&l);
			continue;
		}
		store(&l, i);
		if (i != late)
			place(&l, i);
	}
	assert_int_equal(l.n_spooled, 0);
	place(&l, late);
	assert_true(l.n_pages - l.n_spooled <= BLOCK_LIST_KEPT);
	check(&l, n);
	block_list_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_take_no_memory_however_many_there_are),
		cmocka_unit_test(what_is_placed_is_spooled_and_read_again),
		cmocka_unit_test(what_is_on_its_way_stays_in_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
