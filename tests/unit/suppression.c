/* SPDX-License-Identifier: Apache-2.0 */
/* suppression.c - tests of the list of what is not to be archived again. */
#include "config.h"

#include "erase/suppression.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "changed-text.h"
#include "unit.h"

#define TIME INT64_C(1795256130123456)

/* HMAC-SHA256 of "a/b", of "x" and of nothing, from openssl(1). */
static const char good[] =
	"{\"archive_id\":\"000102030405060708090a0b0c0d0e0f\","
	"\"key_id\":\"5177e637aaac0b50\",\"kind\":\"suppressed\","
	"\"time\":\"2026-11-21T10:15:30.123456Z\","
	"\"uids\":[\"5d3c3c93c9a27bfd54d01463b7470018\",\"74db423d99487a0d835786ed37529b3a\"],\"version\":1}\n";

static const struct change bad[] = {
	{ "", "", RC_CORRUPT, "line 1" },
	{ "suppressed", "tombstones", RC_UNSUPPORTED, "not suppressed" },
	{ "version\":1", "version\":9", RC_UNSUPPORTED, "version 9" },
	{ "key_id", "key", RC_CORRUPT, "no member key_id" },
	{ "\"key_id\":\"", "\"key_id\":\"0", RC_CORRUPT,
	  "key_id is not 16 hex digits" },
	{ "uids", "others", RC_CORRUPT, "no member uids" },
	{ "[\"", "[7,\"", RC_CORRUPT, "uid 0: not 32 hex digits" },
	{ "[\"", "[\"0", RC_CORRUPT, "uid 0: not 32 hex digits" },
	{ "[\"", "[\"ffffffffffffffffffffffffffffffff\",\"", RC_CORRUPT,
	  "is not in order" },
	{ "[\"5d3c3c93c9a27bfd54d01463b7470018\"",
	  "[\"5d3c3c93c9a27bfd54d01463b7470018\",\"5d3c3c93c9a27bfd54d01463b7470018\"",
	  RC_CORRUPT,
	  "uid 1: 5d3c3c93c9a27bfd54d01463b7470018 is not in order" },
	{ "\"]", "\",]", RC_CORRUPT, "uid 2: line 1" },
};

static struct suppression_hash hash_of(const char *uid)
{
	uint8_t secret[SUPPRESSION_SECRET_LEN];
	struct suppression_hash ret;

	memset(secret, 0x0b, sizeof(secret));
	suppression_hash(secret, uid, strlen(uid), &ret);
	return ret;
}

/* Two uids under the key of the examples. */
static void make(struct suppression *s)
{
	static const char *const uids[] = { "x", "a/b", "x" };
	uint8_t secret[SUPPRESSION_SECRET_LEN];

	memset(secret, 0x0b, sizeof(secret));
	*s = (struct suppression){ .time = TIME };
	for (size_t i = 0; i < sizeof(s->archive_id); i++)
		s->archive_id[i] = (uint8_t)i;
	suppression_key_id(secret, s->key_id);
	for (size_t i = 0; i < ARRAY_LEN(uids); i++) {
		struct suppression_hash hash = hash_of(uids[i]);

		suppression_add(s, &hash);
	}
	suppression_sort(s);
}

static void what_is_written_is_the_form_in_the_manual(void **state)
{
	CLEANUP(suppression_release) struct suppression s = { 0 };
	CLEANUP(suppression_release) struct suppression again = { 0 };
	CLEANUP_BUF struct buf b = { .max = SUPPRESSION_MAX };
	struct err err = { 0 };

	(void)state;
	make(&s);
	assert_int_equal(suppression_encode(&s, &b, &err), RC_OK);
	assert_string_equal(buf_str(&b), good);
	assert_int_equal(suppression_decode(b.p, b.len, &again, &err), RC_OK);
	assert_int_equal(again.n, 2);
	assert_true(again.time == TIME);
	assert_memory_equal(again.hashes, s.hashes, sizeof(*s.hashes) * 2);
	assert_memory_equal(again.key_id, s.key_id, sizeof(s.key_id));
	assert_memory_equal(again.archive_id, s.archive_id, SHARD_ID_LEN);
}

static void only_what_was_added_is_there(void **state)
{
	CLEANUP(suppression_release) struct suppression s = { 0 };
	struct suppression none = { 0 };
	struct suppression_hash a = hash_of("a/b"), x = hash_of("x"),
				y = hash_of("y");

	(void)state;
	make(&s);
	assert_int_equal(s.n, 2);
	assert_true(suppression_has(&s, &a));
	assert_true(suppression_has(&s, &x));
	assert_false(suppression_has(&s, &y));
	assert_false(suppression_has(&none, &y));
	suppression_sort(&none);
}

static void lists_add_up(void **state)
{
	CLEANUP(suppression_release) struct suppression all = { 0 };
	CLEANUP(suppression_release) struct suppression one = { 0 };
	struct suppression_hash y = hash_of("y"), x = hash_of("x");
	struct err err = { 0 };

	(void)state;
	make(&one);
	assert_int_equal(suppression_append(&all, &one, &err), RC_OK);
	one.time++;
	suppression_add(&one, &y);
	assert_int_equal(suppression_append(&all, &one, &err), RC_OK);
	suppression_sort(&all);
	assert_int_equal(all.n, 3);
	assert_true(all.time == TIME + 1);
	assert_true(suppression_has(&all, &y));
	assert_true(suppression_has(&all, &x));
	one.key_id[0]++;
	assert_int_equal(suppression_append(&all, &one, &err), RC_CORRUPT);
	assert_non_null(strstr(err.msg, "made with the key"));
	one.key_id[0]--;
	one.archive_id[0]++;
	assert_int_equal(suppression_append(&all, &one, &err), RC_CORRUPT);
	assert_int_equal(all.n, 3);
}

static void another_key_gives_other_hashes(void **state)
{
	uint8_t secret[SUPPRESSION_SECRET_LEN] = { 1 };
	uint8_t id[SUPPRESSION_KEY_ID_LEN];
	struct suppression_hash x = hash_of("x"), other;
	struct suppression s;

	(void)state;
	make(&s);
	suppression_hash(secret, "x", 1, &other);
	suppression_key_id(secret, id);
	assert_memory_not_equal(&x, &other, sizeof(x));
	assert_memory_not_equal(id, s.key_id, sizeof(id));
	suppression_release(&s);
}

static void bad_lists_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP_BUF struct buf b = { 0 };
		struct suppression s = { 0 };
		struct err err = { 0 };

		change_text(good, bad[i].from, bad[i].to, &b);
		if ((int)suppression_decode(b.p, b.len, &s, &err) !=
			    bad[i].rc ||
		    !strstr(err.msg, bad[i].says))
			fail_msg("change %zu: rc %d, %s", i, err.rc, err.msg);
		assert_null(s.hashes);
	}
}

static void as_many_as_allowed_go_through_and_one_more_does_not(void **state)
{
	CLEANUP(suppression_release) struct suppression s = { 0 };
	CLEANUP(suppression_release) struct suppression again = { 0 };
	CLEANUP_BUF struct buf b = { .max = SUPPRESSION_MAX };
	struct err err = { 0 };

	(void)state;
	for (uint32_t i = 0; i < SUPPRESSION_UIDS_MAX; i++) {
		struct suppression_hash h = {
			{ (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i }
		};

		suppression_add(&s, &h);
	}
	assert_int_equal(suppression_encode(&s, &b, &err), RC_OK);
	assert_int_equal(suppression_decode(b.p, b.len, &again, &err), RC_OK);
	assert_int_equal(again.n, SUPPRESSION_UIDS_MAX);
	/* One more, by hand: behind the ']' nothing changes. */
	b.len = (size_t)(strchr(buf_str(&b), ']') - buf_str(&b));
	buf_append_str(&b, ",\"ffffffffffffffffffffffffffffffff\"],"
			   "\"version\":1}");
	assert_int_equal(suppression_decode(b.p, b.len, &again, &err),
			 RC_LIMIT);
	suppression_add(&s, &s.hashes[0]);
	assert_int_equal(suppression_encode(&s, &b, &err), RC_LIMIT);
}

static void keys_are_fresh_and_told_from_those_of_tombstones(void **state)
{
	char one[SUPPRESSION_KEY_TEXT], two[SUPPRESSION_KEY_TEXT];
	struct err err = { 0 };

	(void)state;
	assert_int_equal(suppression_key(TIME, one, &err), RC_OK);
	assert_int_equal(suppression_key(TIME, two, &err), RC_OK);
	assert_memory_equal(
		one, "tombstones/suppressed-20261121T101530.123456Z-", 46);
	assert_string_not_equal(one, two);
	assert_true(suppression_key_is_valid(one));
	one[45] = '_';
	assert_false(suppression_key_is_valid(one));
	one[45] = '-';
	one[strlen(one) - 1] = '\0';
	assert_false(suppression_key_is_valid(one));
	assert_false(suppression_key_is_valid(""));
	assert_false(suppression_key_is_valid("tombstones/suppressed-"));
	assert_false(suppression_key_is_valid(
		"tombstones/20261121/0123456789abcdef0123456789abcdef.json"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_the_form_in_the_manual),
		cmocka_unit_test(only_what_was_added_is_there),
		cmocka_unit_test(lists_add_up),
		cmocka_unit_test(another_key_gives_other_hashes),
		cmocka_unit_test(bad_lists_are_refused),
		cmocka_unit_test(
			as_many_as_allowed_go_through_and_one_more_does_not),
		cmocka_unit_test(
			keys_are_fresh_and_told_from_those_of_tombstones),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
