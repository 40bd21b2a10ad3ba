/* SPDX-License-Identifier: Apache-2.0 */
/* holds.c - what forbids removing, and what it covers. */
#include "config.h"

#include "repack/holds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "unit.h"

#define HEAD "{\"kind\":\"hold\",\"matter\":\"M 1\",\"version\":1,"
#define KEY "20261121/20261121_0A_0000_9f86d081884c7d65.des"

static void add(struct holds *h, const char *text)
{
	holds_add(h, "holds/x.json", text, strlen(text));
}

static void each_scope_is_read(void **state)
{
	static const struct {
		const char *text;
		enum hold_scope scope;
	} rows[] = {
		{ HEAD "\"scope\":\"all\"}", HOLD_ALL },
		{ HEAD "\"scope\":\"uid\",\"uid\":\"a/b%25\"}", HOLD_UID },
		{ HEAD "\"scope\":\"prefix\",\"prefix\":\"a/\"}",
		  HOLD_PREFIX_OF },
		{ HEAD "\"scope\":\"day\",\"day\":20261121}", HOLD_DAY },
		{ HEAD "\"scope\":\"shard\",\"shard\":\"" KEY "\"}",
		  HOLD_SHARD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hold h = { 0 };
		struct err err;

		assert_int_equal(hold_decode(rows[i].text, strlen(rows[i].text),
					     &h, &err),
				 RC_OK);
		assert_int_equal(h.scope, rows[i].scope);
		assert_string_equal(h.matter, "M 1");
		if (h.scope == HOLD_UID)
			assert_string_equal(h.uid, "a/b%");
		hold_release(&h);
	}
}

static void what_is_not_understood_holds_everything(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"hold",
		HEAD "\"scope\":\"slot\"}",
		HEAD "\"scope\":\"uid\"}",
		HEAD "\"scope\":\"uid\",\"uid\":\"\"}",
		HEAD "\"scope\":\"uid\",\"uid\":\"%4\"}",
		HEAD "\"scope\":\"day\",\"day\":\"20261121\"}",
		HEAD "\"scope\":\"prefix\",\"prefix\":7}",
		"{\"kind\":\"hold\",\"matter\":\"M\",\"scope\":\"uid\","
		"\"uid\":\"a\",\"version\":2}",
		"{\"kind\":\"old\",\"matter\":\"M\",\"scope\":\"uid\","
		"\"uid\":\"a\",\"version\":1}",
		"{\"kind\":\"hold\",\"scope\":\"uid\",\"uid\":\"a\","
		"\"version\":1}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(holds_release) struct holds h = { 0 };

		add(&h, texts[i]);
		assert_non_null(holds_everything(&h));
		assert_null(h.all[0].matter);
		assert_non_null(holds_uid(&h, "z", 1));
	}
}

static void nothing_is_held_without_holds(void **state)
{
	const struct holds h = { 0 };
	struct shard_meta m = { .key = (char[]){ KEY }, .day = 20261121 };

	(void)state;
	assert_null(holds_everything(&h));
	assert_null(holds_uid(&h, "a", 1));
	assert_null(holds_shard(&h, &m));
}

static void days_and_shards_cover_whole_shards(void **state)
{
	CLEANUP(holds_release) struct holds h = { 0 };
	struct shard_meta m = { .key = (char[]){ KEY }, .day = 20261121 };
	struct shard_meta other = { .key = (char[]){ "other" },
				    .day = 20261122 };

	(void)state;
	add(&h, HEAD "\"scope\":\"day\",\"day\":20261121}");
	assert_non_null(holds_shard(&h, &m));
	assert_null(holds_shard(&h, &other));
	assert_null(holds_uid(&h, "a", 1));
	assert_null(holds_everything(&h));
	holds_release(&h);
	add(&h, HEAD "\"scope\":\"shard\",\"shard\":\"" KEY "\"}");
	assert_non_null(holds_shard(&h, &m));
	assert_null(holds_shard(&h, &other));
}

static struct span text_span(const char *s)
{
	return span_of(s, strlen(s));
}

static bool has(const struct holds *h, const char *uid)
{
	struct span parent, name;
	bool by_uid = holds_uid(h, uid, strlen(uid));

	entry_split_uid(text_span(uid), &parent, &name);
	assert_int_equal(hold_has_entry(&h->all[0], parent, name), by_uid);
	return by_uid;
}

static void a_uid_covers_itself_alone(void **state)
{
	CLEANUP(holds_release) struct holds h = { 0 };

	(void)state;
	add(&h, HEAD "\"scope\":\"uid\",\"uid\":\"a/b\"}");
	assert_true(has(&h, "a/b"));
	assert_false(has(&h, "a/bc"));
	assert_false(has(&h, "a"));
	assert_false(has(&h, "a/b/c"));
	assert_false(has(&h, "b"));
	assert_false(has(&h, "aa/b"));
}

static void a_prefix_covers_what_begins_with_it(void **state)
{
	CLEANUP(holds_release) struct holds h = { 0 };

	(void)state;
	add(&h, HEAD "\"scope\":\"prefix\",\"prefix\":\"a/b\"}");
	assert_true(has(&h, "a/b"));
	assert_true(has(&h, "a/bc"));
	assert_true(has(&h, "a/b/c"));
	assert_true(has(&h, "a/bb/c/d"));
	assert_false(has(&h, "a"));
	assert_false(has(&h, "a/a"));
	assert_false(has(&h, "a/c"));
	assert_false(has(&h, "ab"));
	assert_false(has(&h, "b/a/b"));
}

static bool within(const struct holds *h, const char *first, const char *last)
{
	struct shard_meta m = { .first = xstrdup(first),
				.last = xstrdup(last),
				.first_len = strlen(first),
				.last_len = strlen(last) };
	size_t i = 0;
	bool is = holds_next_within(h, &i, &m);

	free(m.first);
	free(m.last);
	return is;
}

static void shards_that_can_have_none_of_it_are_passed_over(void **state)
{
	CLEANUP(holds_release) struct holds uid = { 0 };
	CLEANUP(holds_release) struct holds prefix = { 0 };

	(void)state;
	add(&uid, HEAD "\"scope\":\"uid\",\"uid\":\"b/c\"}");
	assert_true(within(&uid, "", "z/z"));
	assert_true(within(&uid, "b/c", "b/c"));
	assert_false(within(&uid, "b/d", "z/z"));
	assert_false(within(&uid, "", "b/b"));
	add(&prefix, HEAD "\"scope\":\"prefix\",\"prefix\":\"b/c\"}");
	assert_true(within(&prefix, "", "z/z"));
	assert_true(within(&prefix, "b/cc", "b/cd"));
	assert_true(within(&prefix, "b/cc/a", "b/cc/b"));
	assert_true(within(&prefix, "b/c/a/b", "z/z"));
	assert_false(within(&prefix, "c/a", "z/z"));
	assert_false(within(&prefix, "", "a/z"));
}

/* Against the plain way, over all short names. */
static void no_shard_with_a_held_entry_is_passed_over(void **state)
{
	static const char letters[] = "ab/";
	CLEANUP(holds_release) struct holds h = { 0 };
	struct span parent, name;
	char uid[5];

	(void)state;
	add(&h, HEAD "\"scope\":\"prefix\",\"prefix\":\"a/a\"}");
	add(&h, HEAD "\"scope\":\"prefix\",\"prefix\":\"a/\"}");
	add(&h, HEAD "\"scope\":\"prefix\",\"prefix\":\"/\"}");
	add(&h, HEAD "\"scope\":\"prefix\",\"prefix\":\"b\"}");
	for (unsigned int n = 0; n < 81 * 5; n++) {
		size_t len = n % 5;

		for (unsigned int i = 0, k = n / 5; i < 4; i++, k /= 3)
			uid[i] = letters[k % 3];
		uid[len] = 0;
		entry_split_uid(span_of(uid, len), &parent, &name);
		for (size_t i = 0; i < h.n; i++) {
			const struct holds one = { .all = &h.all[i], .n = 1 };
			bool is = holds_uid(&one, uid, len);

			assert_int_equal(
				hold_has_entry(&h.all[i], parent, name), is);
			if (is)
				assert_true(within(&one, uid, uid));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_scope_is_read),
		cmocka_unit_test(what_is_not_understood_holds_everything),
		cmocka_unit_test(nothing_is_held_without_holds),
		cmocka_unit_test(days_and_shards_cover_whole_shards),
		cmocka_unit_test(a_uid_covers_itself_alone),
		cmocka_unit_test(a_prefix_covers_what_begins_with_it),
		cmocka_unit_test(
			shards_that_can_have_none_of_it_are_passed_over),
		cmocka_unit_test(no_shard_with_a_held_entry_is_passed_over),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
