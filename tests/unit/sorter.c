/* SPDX-License-Identifier: Apache-2.0 */
/* sorter.c - tests the external sort: order, partitions, spilled runs. */
#include "config.h"

#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/sorter.h"
#include "pack/item.h"

#define PARTITIONS 8
#define FEEDS 3

static struct err err;

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

/* A sequence without order that any run repeats. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Fill with n records; returns the sorter, finished. */
static struct sorter *filled(size_t bound, unsigned int n, uint32_t seed)
{
	struct sorter *s = sorter_new("/tmp", bound, PARTITIONS);
	char key[32], value[64];

	for (unsigned int i = 0; i < n; i++) {
		uint32_t r = next_random(&seed);

		snprintf(key, sizeof(key), "%u", (unsigned int)(r % 5000));
		snprintf(value, sizeof(value), "value %u", (unsigned int)r);
		assert_int_equal(sorter_add(s, r % PARTITIONS, text(key),
					    text(value), &err),
				 RC_OK);
	}
	assert_int_equal(sorter_finish(s, &err), RC_OK);
	return s;
}

/* Everything that comes out, in order, as one text. */
static struct buf contents(const struct sorter *s, unsigned int *ret_n)
{
	struct buf all = { .max = SIZE_MAX / 2 };

	*ret_n = 0;
	for (uint32_t p = 0; p < PARTITIONS; p++) {
		struct sorter_reader *r = NULL;
		struct span key, value;

		assert_int_equal(sorter_read(s, p, &r, &err), RC_OK);
		while (!sorter_next(r, &key, &value, &err)) {
			buf_printf(&all, "%u %.*s %.*s\n", (unsigned int)p,
				   (int)key.len, key.p, (int)value.len,
				   value.p);
			++*ret_n;
		}
		assert_int_equal(err.rc, RC_NOENT);
		sorter_reader_free(r);
	}
	assert_true(buf_ok(&all));
	return all;
}

static void records_come_in_order_of_their_keys(void **state)
{
	struct sorter *s = sorter_new("/tmp", 1 << 20, 1);
	const char *const want[] = { "", "a", "a/b", "ab", "b" };
	struct sorter_reader *r = NULL;
	struct span key, value;

	(void)state;
	for (size_t i = ARRAY_LEN(want); i-- > 0;)
		assert_int_equal(
			sorter_add(s, 0, text(want[i]), text("x"), &err),
			RC_OK);
	assert_int_equal(sorter_finish(s, &err), RC_OK);
	assert_int_equal(sorter_read(s, 0, &r, &err), RC_OK);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_int_equal(sorter_next(r, &key, &value, &err), RC_OK);
		assert_true(span_equal(key, text(want[i])));
	}
	assert_int_equal(sorter_next(r, &key, &value, &err), RC_NOENT);
	assert_int_equal(sorter_next(r, &key, &value, &err), RC_NOENT);
	sorter_reader_free(r);
	sorter_free(s);
}

static void runs_on_disk_give_what_memory_gives(void **state)
{
	struct sorter *in_memory = filled(64 << 20, 20000, 7);
	struct sorter *spilled = filled(20000, 20000, 7);
	unsigned int n = 0, m = 0;
	struct buf a = contents(in_memory, &n), b = contents(spilled, &m);

	(void)state;
	assert_int_equal(sorter_spilled(in_memory), 0);
	assert_true(sorter_spilled(spilled) > 20 * 20000);
	assert_int_equal(n, 20000);
	assert_int_equal(m, 20000);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.p, b.p, a.len);
	buf_release(&a);
	buf_release(&b);
	sorter_free(in_memory);
	sorter_free(spilled);
}

struct adder {
	struct sorter *s;
	unsigned int feed;
};

/* What filled(…, 20000, 7) adds, but only each third record. */
static void *add_a_third(void *arg)
{
	const struct adder *a = arg;
	uint32_t seed = 7;

	for (unsigned int i = 0; i < 20000; i++) {
		uint32_t r = next_random(&seed);
		char key[32], value[64];
		struct err own;

		snprintf(key, sizeof(key), "%u", (unsigned int)(r % 5000));
		snprintf(value, sizeof(value), "value %u", (unsigned int)r);
		if (i % FEEDS == a->feed &&
		    sorter_add_to(a->s, a->feed, r % PARTITIONS, text(key),
				  text(value), &own))
			abort();
	}
	if (a->feed)
		sorter_end_feed(a->s, a->feed);
	return NULL;
}

static struct sorter *filled_by_threads(size_t bound)
{
	struct sorter *s = sorter_new_shared("/tmp", bound, PARTITIONS, FEEDS);
	struct adder adders[FEEDS];
	pthread_t threads[FEEDS];

	for (unsigned int i = 0; i < FEEDS; i++) {
		adders[i] = (struct adder){ .s = s, .feed = i };
		assert_int_equal(pthread_create(&threads[i], NULL, add_a_third,
						&adders[i]),
				 0);
	}
	for (unsigned int i = 0; i < FEEDS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(sorter_finish(s, &err), RC_OK);
	return s;
}

static void several_feeds_give_what_one_gives(void **state)
{
	static const size_t bounds[] = { 64 << 20, 20000 };
	struct sorter *one = filled(64 << 20, 20000, 7);
	unsigned int n = 0, m = 0;
	struct buf a = contents(one, &n);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		struct sorter *s = filled_by_threads(bounds[i]);
		struct buf b = contents(s, &m);

		assert_true(!sorter_spilled(s) == !i);
		assert_int_equal(n, m);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.p, b.p, a.len);
		buf_release(&b);
		sorter_free(s);
	}
	buf_release(&a);
	sorter_free(one);
}

static void a_partition_may_be_read_twice(void **state)
{
	struct sorter *s = filled(20000, 3000, 9);
	unsigned int n = 0, m = 0;
	struct buf a = contents(s, &n), b = contents(s, &m);

	(void)state;
	assert_int_equal(n, m);
	assert_memory_equal(a.p, b.p, a.len);
	buf_release(&a);
	buf_release(&b);
	sorter_free(s);
}

static void a_record_may_be_larger_than_the_memory(void **state)
{
	struct sorter *s = sorter_new("/tmp", 4096, 1);
	struct sorter_reader *r = NULL;
	char *large = xcalloc(1, 300000);
	struct span key, value;

	(void)state;
	memset(large, 'l', 300000);
	assert_int_equal(
		sorter_add(s, 0, text("b"), span_of(large, 300000), &err),
		RC_OK);
	assert_int_equal(sorter_add(s, 0, text("a"), text("small"), &err),
			 RC_OK);
	assert_int_equal(sorter_finish(s, &err), RC_OK);
	assert_int_equal(sorter_read(s, 0, &r, &err), RC_OK);
	assert_int_equal(sorter_next(r, &key, &value, &err), RC_OK);
	assert_true(span_equal(value, text("small")));
	assert_int_equal(sorter_next(r, &key, &value, &err), RC_OK);
	assert_int_equal(value.len, 300000);
	assert_memory_equal(value.p, large, 300000);
	sorter_reader_free(r);
	sorter_free(s);
	free(large);
}

static void nothing_at_all_is_sorted_too(void **state)
{
	struct sorter *s = filled(4096, 0, 1);
	unsigned int n = 1;
	struct buf all = contents(s, &n);

	(void)state;
	assert_int_equal(n, 0);
	buf_release(&all);
	sorter_free(s);
}

static void a_missing_directory_is_an_error_that_names_it(void **state)
{
	struct sorter *s = sorter_new("/no/such/place", 64, 1);
	enum rc rc = RC_OK;

	(void)state;
	for (int i = 0; i < 10 && !rc; i++)
		rc = sorter_add(s, 0, text("key"), text("some long value"),
				&err);
	assert_int_equal(rc, RC_NOENT);
	assert_non_null(strstr(err.msg, "/no/such/place"));
	sorter_free(s);
}

static void item_keys_sort_as_the_index_does(void **state)
{
	const char *const keys[][2] = { { "", "" },    { "", "a" },
					{ "", "a-" },  { "a", "" },
					{ "a", "z" },  { "a!", "b" },
					{ "a/b", "" }, { "b", "\xff" } };
	struct buf last = { .max = 100 }, key = { .max = 100 };
	struct span parent, name;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		buf_clear(&key);
		item_key_encode(text(keys[i][0]), text(keys[i][1]), &key);
		if (i)
			assert_true(span_compare(span_of(last.p, last.len),
						 span_of(key.p, key.len)) < 0);
		assert_true(item_key_decode(span_of(key.p, key.len), &parent,
					    &name));
		assert_true(span_equal(parent, text(keys[i][0])));
		assert_true(span_equal(name, text(keys[i][1])));
		buf_clear(&last);
		buf_append(&last, key.p, key.len);
	}
	buf_release(&last);
	buf_release(&key);
}

static void items_survive_their_encoding(void **state)
{
	const struct item it = { .type = ENTRY_CHR,
				 .implicit = true,
				 .mode = 07777,
				 .uid = UINT32_MAX,
				 .gid = 1,
				 .mtime_s = -5,
				 .ctime_s = INT64_MIN,
				 .mtime_ns = 999999999,
				 .ino = UINT64_MAX,
				 .size = 1,
				 .rdev_major = 8,
				 .rdev_minor = UINT32_MAX,
				 .nlink = 3,
				 .link = 4,
				 .source = 5,
				 .dir = ITEM_NO_DIR,
				 .target = text("target"),
				 .xattrs = span_of("\0x", 2),
				 .link_group = { 1, [15] = 2 },
				 .created_at = INT64_MAX,
				 .has_opaque = true,
				 .opaque_since = INT64_MIN };
	struct buf b = { .max = 1000 };
	struct item back;

	(void)state;
	item_encode(&it, &b);
	assert_int_equal(item_decode(b.p, b.len, &back, &err), RC_OK);
	assert_int_equal(back.type, it.type);
	assert_true(back.implicit && back.has_opaque);
	assert_int_equal(back.mode, it.mode);
	assert_int_equal(back.uid, it.uid);
	assert_int_equal(back.mtime_s, it.mtime_s);
	assert_int_equal(back.ctime_s, it.ctime_s);
	assert_int_equal(back.mtime_ns, it.mtime_ns);
	assert_true(back.ino == it.ino && back.dir == it.dir);
	assert_int_equal(back.rdev_minor, it.rdev_minor);
	assert_true(span_equal(back.target, it.target));
	assert_true(span_equal(back.xattrs, it.xattrs));
	assert_memory_equal(back.link_group, it.link_group, LINK_GROUP_LEN);
	assert_true(back.created_at == it.created_at &&
		    back.opaque_since == it.opaque_since);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(item_decode(b.p, len, &back, &err), RC_IO);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_in_order_of_their_keys),
		cmocka_unit_test(runs_on_disk_give_what_memory_gives),
		cmocka_unit_test(several_feeds_give_what_one_gives),
		cmocka_unit_test(a_partition_may_be_read_twice),
		cmocka_unit_test(a_record_may_be_larger_than_the_memory),
		cmocka_unit_test(nothing_at_all_is_sorted_too),
		cmocka_unit_test(a_missing_directory_is_an_error_that_names_it),
		cmocka_unit_test(item_keys_sort_as_the_index_does),
		cmocka_unit_test(items_survive_their_encoding),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
