/* SPDX-License-Identifier: Apache-2.0 */
/* aggregate.c - tests of tombstone documents held together. */
#include "config.h"

#include "erase/aggregate.h"

#include <string.h>

#include "unit.h"

static const uint8_t archive_id[SHARD_ID_LEN] = { 1 };
static const uint8_t other_id[SHARD_ID_LEN] = { 2 };
static struct err err;

#define TIME INT64_C(1795256130000000) /* 2026-11-21 10:15:30 */

struct text {
	const char *p;
	size_t len;
};

static struct text text(const char *s)
{
	return (struct text){ s, strlen(s) };
}

/* aggregate_fn: all documents in one text. */
static enum rc collect(void *arg, const void *p, size_t len, struct err *ret)
{
	(void)ret;
	buf_append(arg, p, len);
	return RC_OK;
}

static enum rc refuse(void *arg, const void *p, size_t len, struct err *ret)
{
	(void)p;
	(void)len;
	++*(int *)arg;
	return err_set(ret, RC_IO, "no more");
}

static void write_all(const struct text *docs, size_t n, struct buf *out)
{
	struct aggregate_writer w;

	aggregate_begin(&w, archive_id, out);
	for (size_t i = 0; i < n; i++)
		assert_true(aggregate_add(&w, docs[i].p, docs[i].len));
	aggregate_end(&w, TIME);
}

static void documents_come_out_as_they_went_in(void **state)
{
	const struct text docs[] = { text("{\"a\":[1,\"]\"]}\n"),
				     text("{\"b\":{\"c\":2}}\n") };
	CLEANUP_BUF struct buf b = { .max = 4096 };
	CLEANUP_BUF struct buf all = { .max = 4096 };
	int n_calls = 0;

	(void)state;
	write_all(docs, 2, &b);
	assert_int_equal(
		aggregate_each(b.p, b.len, archive_id, collect, &all, &err),
		RC_OK);
	assert_string_equal(buf_str(&all),
			    "{\"a\":[1,\"]\"]}\n{\"b\":{\"c\":2}}\n");
	assert_int_equal(
		aggregate_each(b.p, b.len, archive_id, refuse, &n_calls, &err),
		RC_IO);
	assert_int_equal(n_calls, 1);
	assert_int_equal(
		aggregate_each(b.p, b.len, other_id, collect, &all, &err),
		RC_CORRUPT);
	assert_int_not_equal(
		aggregate_each("{}", 2, archive_id, collect, &all, &err),
		RC_OK);
}

static void documents_of_another_form_are_left_out(void **state)
{
	const struct text docs[] = { text("{\"a\":1}"), text("{\n}\n"),
				     text(""), text("[1]\n"),
				     text("{\"b\":1}\n") };
	CLEANUP_BUF struct buf b = { .max = 4096 };
	CLEANUP_BUF struct buf all = { .max = 4096 };

	(void)state;
	write_all(docs, 5, &b);
	assert_int_equal(
		aggregate_each(b.p, b.len, archive_id, collect, &all, &err),
		RC_OK);
	assert_string_equal(buf_str(&all), "{\"b\":1}\n");
}

static void what_there_is_no_room_for_is_refused(void **state)
{
	CLEANUP_BUF struct buf b = { .max = AGGREGATE_MAX };
	CLEANUP_BUF struct buf one = { .max = TOMBSTONE_MAX };
	struct aggregate_writer w;
	size_t n = 0;

	(void)state;
	buf_append_str(&one, "{\"a\":\"");
	memset(buf_reserve(&one, TOMBSTONE_MAX - 32), 'x', TOMBSTONE_MAX - 32);
	one.len += TOMBSTONE_MAX - 32;
	buf_append_str(&one, "\"}\n");
	aggregate_begin(&w, archive_id, &b);
	while (aggregate_add(&w, one.p, one.len))
		n++;
	aggregate_end(&w, TIME);
	assert_int_equal(n, 3);
	assert_true(buf_ok(&b));
}

static void keys_are_of_hours(void **state)
{
	char key[AGGREGATE_KEY_TEXT];

	(void)state;
	aggregate_key(TIME, key);
	assert_string_equal(key, "tombstones/20261121/10.json");
	assert_true(aggregate_key_is_valid(key));
	aggregate_key(INT64_C(-1), key);
	assert_string_equal(key, "tombstones/19691231/23.json");
	assert_false(aggregate_key_is_valid("tombstones/20261121/1.json"));
	assert_false(aggregate_key_is_valid("tombstones/20261121/1x.json"));
	assert_false(aggregate_key_is_valid("tombstones/20261121/10.jso"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_come_out_as_they_went_in),
		cmocka_unit_test(documents_of_another_form_are_left_out),
		cmocka_unit_test(what_there_is_no_room_for_is_refused),
		cmocka_unit_test(keys_are_of_hours),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
