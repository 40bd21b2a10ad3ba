/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone.c - tests of requests to delete. */
#include "config.h"

#include "erase/tombstone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "changed-text.h"
#include "unit.h"

#define TIME INT64_C(1795256130123456) /* 2026-11-21T10:15:30.123456Z */

static const char good[] =
	"{\"archive_id\":\"000102030405060708090a0b0c0d0e0f\","
	"\"by\":\"op\",\"erasures\":["
	"{\"id\":\"00000000000000000000000000000001\","
	"\"uid\":\"a/caf%C3%A9\",\"until\":\"2026-11-21T10:15:30.123456Z\"},"
	"{\"created_at\":\"2026-11-20T00:00:00.000001Z\","
	"\"id\":\"00000000000000000000000000000002\",\"uid\":\"b%00c\"}],"
	"\"kind\":\"tombstones\","
	"\"nonce\":\"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff\","
	"\"reason\":\"gdpr\",\"ticket\":\"T-1\","
	"\"time\":\"2026-11-21T10:15:30.123456Z\",\"version\":1}\n";

static const struct change bad[] = {
	{ "", "", RC_CORRUPT, "line 1" },
	{ "", "[]", RC_CORRUPT, "not a JSON object" },
	{ "", "{\"erasures\":[", RC_CORRUPT, "line 1" },
	{ "version\":1", "version\":2", RC_UNSUPPORTED, "version 2" },
	{ "version\":1", "w\":1", RC_CORRUPT, "no member version" },
	{ "\"kind\":\"tombstones\"", "\"kind\":\"x\"", RC_UNSUPPORTED,
	  "kind x, not tombstones" },
	{ "000102030405060708090a0b0c0d0e0f", "00", RC_CORRUPT,
	  "archive_id is not 32 hex digits" },
	{ "f0f1", "F0F1", RC_CORRUPT, "nonce is not 32 hex digits" },
	{ "nonce", "n", RC_CORRUPT, "no member nonce" },
	{ "30.123456Z\",\"version", "30Z\",\"version", RC_CORRUPT,
	  "time is 2026-11-21T10:15:30Z" },
	{ "gdpr", "fun", RC_UNSUPPORTED, "reason fun" },
	{ "\"op\"", "\"\"", RC_CORRUPT, "by has 0 bytes, not 1 to 255" },
	{ "\"op\"", "7", RC_CORRUPT, "by is not a string" },
	{ "T-1", "T\\n1", RC_CORRUPT,
	  "ticket has a control character at byte 1" },
	{ "T-1", "T\xc2\x9b", RC_CORRUPT, "control character at byte 1" },
	{ "T-1", "T\xff", RC_CORRUPT, "line 1" },
	{ "erasures", "other", RC_CORRUPT, "no member erasures" },
	{ "erasures", "eras\\u0075res", RC_CORRUPT, "has 2 elements" },
	{ "erasures\":[", "erasures\":[],\"erasures\":[", RC_CORRUPT,
	  "duplicate" },
	{ "[{", "[1,{", RC_CORRUPT, "erasure 0: not a JSON object" },
	{ "[{", "[,{", RC_CORRUPT, "erasure 0: line 1" },
	{ "[{", "[{{", RC_CORRUPT, "line 1" },
	{ "0001\",", "001\",", RC_CORRUPT, "erasure 0: id is not 32" },
	{ "0002\"", "0001\"", RC_CORRUPT, "erasure 1: id is not in order" },
	{ "0002\"", "0000\"", RC_CORRUPT, "erasure 1: id is not in order" },
	{ "b%00c", "", RC_CORRUPT, "erasure 1: uid is empty" },
	{ "b%00c", "%41", RC_CORRUPT, "erasure 1: uid is not percent" },
	{ "until", "when", RC_CORRUPT,
	  "erasure 0: none of created_at and until" },
	{ "\"until\"",
	  "\"created_at\":\"2026-11-20T00:00:00.000001Z\",\"until\"",
	  RC_CORRUPT, "erasure 0: both of created_at and until" },
	{ "2026-11-20T", "2026-11-31T", RC_CORRUPT, "erasure 1: created_at" },
};

static void a_good_one_is_read(void **state)
{
	CLEANUP(tombstone_release) struct tombstone t = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(tombstone_decode(good, strlen(good), &t, &err), RC_OK);
	assert_int_equal(t.archive_id[15], 0x0f);
	assert_int_equal(t.nonce[0], 0xf0);
	assert_true(t.time == TIME);
	assert_int_equal(t.words.reason, ERASURE_GDPR);
	assert_string_equal(t.words.by, "op");
	assert_string_equal(t.words.ticket, "T-1");
	assert_int_equal(t.n, 2);
	assert_int_equal(t.erasures[0].id[15], 1);
	assert_string_equal(t.erasures[0].uid, "a/caf\xc3\xa9");
	assert_int_equal(t.erasures[0].range, ERASURE_UNTIL);
	assert_true(t.erasures[0].time == TIME);
	assert_int_equal(t.erasures[1].uid_len, 3);
	assert_memory_equal(t.erasures[1].uid, "b\0c", 3);
	assert_int_equal(t.erasures[1].range, ERASURE_ONE);
}

/* Of desfs-archive(5). */
static const char example[] =
	"{\"archive_id\":\"efb977434e54d43edc877250dc088adc\",\"by\":\"op\","
	"\"erasures\":[{\"id\":\"8d0f6a3c1b2e4d5f9a7b6c5d4e3f2a10\","
	"\"uid\":\"a/caf%C3%A9\",\"until\":\"2026-11-22T08:00:00.000000Z\"}],"
	"\"kind\":\"tombstones\",\"nonce\":\"5b1f0c9d8e7a4b3c2d1e0f9a8b7c6d5e\","
	"\"reason\":\"gdpr\",\"ticket\":\"4711\","
	"\"time\":\"2026-11-22T08:00:00.000000Z\",\"version\":1}";

static void the_example_of_the_manual_is_canonical(void **state)
{
	CLEANUP(tombstone_release) struct tombstone t = { 0 };
	CLEANUP_BUF struct buf b = { .max = TOMBSTONE_MAX };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(tombstone_decode(example, strlen(example), &t, &err),
			 RC_OK);
	assert_int_equal(tombstone_encode(&t, &b, &err), RC_OK);
	b.len--; /* the newline */
	assert_string_equal(buf_str(&b), example);
}

static void what_is_written_is_canonical(void **state)
{
	CLEANUP(tombstone_release) struct tombstone t = { 0 };
	CLEANUP_BUF struct buf b = { .max = TOMBSTONE_MAX };
	struct erasure e;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(tombstone_decode(good, strlen(good), &t, &err), RC_OK);
	/* The order in memory does not matter. */
	e = t.erasures[0];
	t.erasures[0] = t.erasures[1];
	t.erasures[1] = e;
	assert_int_equal(tombstone_encode(&t, &b, &err), RC_OK);
	assert_string_equal(buf_str(&b), good);
}

static void members_of_later_versions_and_missing_words_are_no_error(
	void **state)
{
	CLEANUP(tombstone_release) struct tombstone t = { 0 };
	CLEANUP_BUF struct buf b = { 0 };
	struct err err = { 0 };

	(void)state;
	change_text(good, "\"by\":\"op\"", "\"bz\":[{\"erasures\":[1]}]", &b);
	assert_int_equal(tombstone_decode(b.p, b.len, &t, &err), RC_OK);
	assert_int_equal(t.n, 2);
	assert_null(t.words.by);
}

static void bad_ones_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP_BUF struct buf b = { 0 };
		struct tombstone t = { 0 };
		struct err err = { 0 };

		change_text(good, bad[i].from, bad[i].to, &b);
		if ((int)tombstone_decode(b.p, b.len, &t, &err) != bad[i].rc ||
		    !strstr(err.msg, bad[i].says))
			fail_msg("change %zu: rc %d, %s", i, err.rc, err.msg);
		assert_null(t.erasures);
	}
}

/* Bytes that a document of so many must not take. */
static void long_ones_are_refused_before_they_are_read(void **state)
{
	CLEANUP_FREE char *text = calloc(TOMBSTONE_MAX + 2, 1);
	struct tombstone t = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_non_null(text);
	memset(text, '[', TOMBSTONE_MAX + 1);
	assert_int_equal(tombstone_decode(text, TOMBSTONE_MAX + 1, &t, &err),
			 RC_LIMIT);
	assert_int_equal(tombstone_decode(text, TOMBSTONE_MAX, &t, &err),
			 RC_CORRUPT);
	assert_non_null(strstr(err.msg, "no array erasures"));
	memset(text, ' ', 70000);
	memcpy(text, "{\"erasures\":[]", 14);
	memset(text + 14, ' ', 70000);
	text[80000] = '}';
	assert_int_equal(tombstone_decode(text, 80001, &t, &err), RC_LIMIT);
	assert_non_null(strstr(err.msg, "beside erasures"));
}

static void a_uid_of_the_longest_kind_goes_through(void **state)
{
	static const uint8_t id[ERASURE_ID_LEN];
	CLEANUP(tombstone_release) struct tombstone t = { .time = TIME };
	CLEANUP(tombstone_release) struct tombstone again = { 0 };
	CLEANUP_BUF struct buf b = { .max = TOMBSTONE_MAX };
	CLEANUP_FREE char *uid = malloc(UID_MAX_LEN + 1);
	struct err err = { 0 };

	(void)state;
	memset(uid, 0xff, UID_MAX_LEN + 1);
	tombstone_add(&t, id, uid, UID_MAX_LEN, ERASURE_UNTIL, TIME);
	assert_int_equal(tombstone_encode(&t, &b, &err), RC_OK);
	assert_int_equal(tombstone_decode(b.p, b.len, &again, &err), RC_OK);
	assert_int_equal(again.erasures[0].uid_len, UID_MAX_LEN);
	assert_memory_equal(again.erasures[0].uid, uid, UID_MAX_LEN);
	tombstone_release(&t);
	t.time = TIME;
	tombstone_add(&t, id, uid, UID_MAX_LEN + 1, ERASURE_UNTIL, TIME);
	buf_clear(&b);
	assert_int_equal(tombstone_encode(&t, &b, &err), RC_USAGE);
}

static void as_many_as_allowed_go_through_and_one_more_does_not(void **state)
{
	CLEANUP(tombstone_release) struct tombstone t = { .time = TIME };
	CLEANUP(tombstone_release) struct tombstone again = { 0 };
	CLEANUP_BUF struct buf b = { .max = 4 * TOMBSTONE_MAX };
	struct err err = { 0 };

	(void)state;
	for (uint32_t i = 0; i <= TOMBSTONE_ERASURES_MAX; i++) {
		uint8_t id[ERASURE_ID_LEN] = { (uint8_t)(i >> 16),
					       (uint8_t)(i >> 8), (uint8_t)i };

		tombstone_add(&t, id, "u", 1, ERASURE_ONE, TIME);
	}
	assert_int_equal(tombstone_encode(&t, &b, &err), RC_LIMIT);
	assert_non_null(strstr(err.msg, "131073 erasures"));
	free(t.erasures[--t.n].uid);
	assert_int_equal(tombstone_encode(&t, &b, &err), RC_OK);
	assert_int_equal(tombstone_decode(b.p, b.len, &again, &err), RC_OK);
	assert_int_equal(again.n, TOMBSTONE_ERASURES_MAX);
	/* The bytes count, too. */
	for (size_t i = 0; i < t.n; i++) {
		free(t.erasures[i].uid);
		t.erasures[i].uid =
			strdup("a uid of forty bytes: so many are too long");
		t.erasures[i].uid_len = 42;
	}
	buf_clear(&b);
	assert_int_equal(tombstone_encode(&t, &b, &err), RC_LIMIT);
	assert_non_null(strstr(err.msg, "over 16777216 bytes"));
}

static void one_more_than_allowed_is_not_read(void **state)
{
	CLEANUP_BUF struct buf b = { .max = TOMBSTONE_MAX };
	struct tombstone t = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_append(&b, good, (size_t)(strchr(good, '[') + 1 - good));
	for (uint32_t i = 0; i <= TOMBSTONE_ERASURES_MAX; i++)
		buf_printf(&b,
			   "%s{\"id\":\"%032x\",\"uid\":\"u\","
			   "\"until\":\"2026-11-21T10:15:30.123456Z\"}",
			   i ? "," : "", i);
	buf_append_str(&b, strchr(good, ']'));
	assert_int_equal(tombstone_decode(b.p, b.len, &t, &err), RC_LIMIT);
	assert_non_null(strstr(err.msg, "more than 131072 elements"));
}

static void what_cannot_be_read_is_not_written(void **state)
{
	static const uint8_t id[ERASURE_ID_LEN];
	CLEANUP_BUF struct buf b = { .max = TOMBSTONE_MAX };
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		CLEANUP(tombstone_release)
		struct tombstone t = { .time = TIME };

		tombstone_add(&t, id, "u", i == 0 ? 0 : 1, ERASURE_ONE,
			      i == 1 ? INT64_MAX : TIME);
		if (i == 2)
			tombstone_add(&t, id, "v", 1, ERASURE_ONE, TIME);
		if (i == 3)
			t.words.by = strdup("\xff");
		if (i == 4)
			t.time = INT64_MIN;
		assert_int_equal(tombstone_encode(&t, &b, &err), RC_USAGE);
	}
}

static void keys_are_fresh_and_of_the_day_that_was_asked(void **state)
{
	struct tombstone t = { .time = TIME };
	char one[TOMBSTONE_KEY_TEXT], two[TOMBSTONE_KEY_TEXT];
	struct err err = { 0 };

	(void)state;
	assert_int_equal(tombstone_key(TIME, one, &err), RC_OK);
	assert_int_equal(tombstone_key(TIME, two, &err), RC_OK);
	assert_memory_equal(one, "tombstones/20261121/", 20);
	assert_string_not_equal(one, two);
	assert_true(tombstone_key_is_valid(one));
	assert_int_equal(tombstone_check_key(&t, one, &err), RC_OK);
	t.time += INT64_C(86400000000);
	assert_int_equal(tombstone_check_key(&t, one, &err), RC_CORRUPT);
	assert_non_null(strstr(err.msg, "2026-11-22"));
}

static void other_keys_are_told_apart(void **state)
{
	static const char *const keys[] = {
		"",
		"tombstones/",
		"tombstones/20261121/10.json",
		"tombstones/20261121/0123456789abcdef0123456789abcdef",
		"tombstones/20261121/0123456789abcdef0123456789abcdef.json5",
		"tombstones/20261121/0123456789ABCDEF0123456789abcdef.json",
		"tombstones/2026112/0123456789abcdef0123456789abcdef.json",
		"tombstones/202611212/0123456789abcdef0123456789abcdef.json",
		"tombstones/20261121-0123456789abcdef0123456789abcdef.json",
		"tombstonez/20261121/0123456789abcdef0123456789abcdef.json",
	};
	struct tombstone t = { .time = TIME };
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		assert_false(tombstone_key_is_valid(keys[i]));
		assert_int_equal(tombstone_check_key(&t, keys[i], &err),
				 RC_CORRUPT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_one_is_read),
		cmocka_unit_test(the_example_of_the_manual_is_canonical),
		cmocka_unit_test(what_is_written_is_canonical),
		cmocka_unit_test(
			members_of_later_versions_and_missing_words_are_no_error),
		cmocka_unit_test(bad_ones_are_refused),
		cmocka_unit_test(long_ones_are_refused_before_they_are_read),
		cmocka_unit_test(a_uid_of_the_longest_kind_goes_through),
		cmocka_unit_test(
			as_many_as_allowed_go_through_and_one_more_does_not),
		cmocka_unit_test(one_more_than_allowed_is_not_read),
		cmocka_unit_test(what_cannot_be_read_is_not_written),
		cmocka_unit_test(keys_are_fresh_and_of_the_day_that_was_asked),
		cmocka_unit_test(other_keys_are_told_apart),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
