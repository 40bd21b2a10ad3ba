/* SPDX-License-Identifier: Apache-2.0 */
/* linked.c - tests of files of several names: few are in memory. */
#include "config.h"

#include "pack/linked.h"

#include <string.h>

#include "pack/content.h"
#include "pack/item.h"
#include "unit.h"

#define FILES 20000u
#define ON_THEIR_WAY 50u
#define BLOCK 4096u

static struct item item_of(uint64_t number)
{
	return (struct item){ .type = ENTRY_REG,
			      .link = number,
			      .mode = 0644,
			      .dev = 9,
			      .ino = number * 3,
			      .size = number % 7 ? 100 : 2 * BLOCK + 1,
			      .mtime_ns = 5 };
}

static uint32_t block_of(const struct content_parts *c)
{
	return content_n_blocks(c) == 1 ? BLOCK : 1000;
}

static struct content_parts *make(uint64_t number)
{
	const struct item it = item_of(number);
	struct content_parts *c = content_new(it.size, BLOCK, "/tmp");
	struct content_piece piece = { 0 };
	static const uint8_t bytes[BLOCK];
	struct block_ref ref = { .stored_len = 10, .data_len = BLOCK };

	c->tail_off = (uint32_t)number;
	/* The middle of three is a hole. */
	for (uint32_t i = 0; i < content_n_blocks(c); i++) {
		if (i == 1) {
			content_add_hole(c);
			continue;
		}
		content_add_stored(c);
		piece.i = i;
		piece.p = bytes;
		content_offer(c, &piece);
		content_wait_hashed(c, i);
		ref.data_len = block_of(c);
		content_done(c, i, &ref);
	}
	return c;
}

static void place(struct content_parts *c, uint64_t number)
{
	struct err err;

	for (uint32_t i = 0; i < content_n_blocks(c); i++)
		if (i != 1)
			assert_int_equal(
				content_place(c, i, number * 100 + i, &err),
				RC_OK);
	assert_true(content_is_settled(c));
}

static void check(struct linked *l, uint64_t number)
{
	struct item it = item_of(number);
	struct content_parts *c = NULL;
	struct block_ref refs[3];
	bool is_same = false;
	struct err err;

	assert_int_equal(linked_find(l, &it, &c, &is_same, &err), RC_OK);
	assert_non_null(c);
	assert_true(is_same);
	assert_int_equal(c->blocks.size, it.size);
	assert_int_equal(c->tail_off, number);
	assert_int_equal(content_read(c, 0, content_n_blocks(c), refs, &err),
			 RC_OK);
	assert_int_equal(refs[0].off, number * 100);
	if (content_n_blocks(c) == 3) {
		assert_int_equal(refs[1].stored_len, 0);
		assert_int_equal(refs[1].data_len, BLOCK);
		assert_int_equal(refs[2].off, number * 100 + 2);
	}
	assert_true(content_is_settled(c));
	content_unref(c);
	it.mtime_ns++;
	assert_int_equal(linked_find(l, &it, &c, &is_same, &err), RC_OK);
	assert_false(is_same);
	content_unref(c);
}

static void only_files_on_their_way_are_in_memory(void **state)
{
	struct linked *l = linked_new("/tmp");
	struct content_parts *way[ON_THEIR_WAY] = { 0 };
	struct err err;

	(void)state;
	for (uint64_t i = 1; i <= FILES; i++) {
		/* Numbers come in no order. */
		uint64_t number = i * 7919 % (FILES + 1) + 1;
		uint64_t old = (i - ON_THEIR_WAY) * 7919 % (FILES + 1) + 1;
		struct content_parts **at = &way[i % ON_THEIR_WAY];
		const struct item it = item_of(number);

		if (*at) {
			place(*at, old);
			content_unref(*at);
		}
		*at = make(number);
		assert_int_equal(linked_add(l, &it, *at, &err), RC_OK);
		assert_true(linked_n_kept(l) <= ON_THEIR_WAY);
	}
	for (uint64_t i = FILES + 1 - ON_THEIR_WAY; i <= FILES; i++) {
		place(way[i % ON_THEIR_WAY], i * 7919 % (FILES + 1) + 1);
		content_unref(way[i % ON_THEIR_WAY]);
	}
	for (uint64_t i = 1; i <= FILES; i++)
		check(l, i * 7919 % (FILES + 1) + 1);
	linked_free(l);
}

static void nothing_is_known_in_the_next_part(void **state)
{
	struct linked *l = linked_new("/tmp");
	bool is_same = false;
	struct err err;

	(void)state;
	for (uint64_t i = 1; i < 10; i++) {
		const struct item it = item_of(i);
		struct content_parts *c = make(i);

		if (i < 5)
			place(c, i);
		assert_int_equal(linked_add(l, &it, c, &err), RC_OK);
		content_unref(c);
	}
	assert_int_equal(linked_clear(l, &err), RC_OK);
	assert_int_equal(linked_n_kept(l), 0);
	for (uint64_t i = 0; i < 20; i++) {
		const struct item it = item_of(i);
		struct content_parts *c = NULL;

		assert_int_equal(linked_find(l, &it, &c, &is_same, &err),
				 RC_OK);
		assert_null(c);
	}
	linked_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_files_on_their_way_are_in_memory),
		cmocka_unit_test(nothing_is_known_in_the_next_part),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
