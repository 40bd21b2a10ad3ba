/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-meta.c - tests of tombstones in sidecars of DES2 shards. */
#include "config.h"

#include "legacy/legacy-meta.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "unit.h"

#define HEAD "{\"version\":1,\"tombstones\":{"
#define TAIL "}}"

/* The uids that were told. */
struct seen {
	struct buf bytes; /* each with its length before it */
	size_t n;
};

static enum rc note(void *arg, struct span uid, struct err *err)
{
	struct seen *s = arg;

	(void)err;
	buf_append(&s->bytes, &uid.len, sizeof(uid.len));
	buf_append(&s->bytes, uid.p, uid.len);
	assert_true(buf_ok(&s->bytes));
	s->n++;
	return RC_OK;
}

static bool has(const struct seen *s, const char *uid, size_t len)
{
	const uint8_t *p = s->bytes.p;

	for (size_t i = 0; i < s->n; i++) {
		size_t n;

		memcpy(&n, p, sizeof(n));
		p += sizeof(n);
		if (n == len && (!n || !memcmp(p, uid, n)))
			return true;
		p += n;
	}
	return false;
}

static bool is_deleted(const struct seen *s, const char *uid)
{
	return has(s, uid, strlen(uid));
}

static enum rc parse(const char *p, size_t len, size_t piece, struct seen *ret,
		     struct err *err)
{
	struct legacy_meta *m = legacy_meta_new(note, ret);
	enum rc rc = RC_OK;

	buf_init(&ret->bytes, 1 << 20);
	ret->n = 0;
	for (size_t off = 0; off < len && !rc; off += piece)
		rc = legacy_meta_feed(
			m, p + off, len - off < piece ? len - off : piece, err);
	if (!rc)
		rc = legacy_meta_end(m, err);
	legacy_meta_free(m);
	return rc;
}

static struct seen good(const char *text)
{
	struct seen s;
	struct err err;

	if (parse(text, strlen(text), 7, &s, &err))
		fail_msg("%s: %s", text, err.msg);
	return s;
}

static void forget(struct seen *s)
{
	buf_release(&s->bytes);
}

static void the_original_s_sidecar_is_read(void **state)
{
	char path[4096];
	char text[4096];
	struct err err;
	struct seen s;
	size_t len;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path),
		 "%s/tests/fixtures/legacy/des-v2/sidecar/"
		 "20250115_00_0000.meta",
		 getenv("SRCDIR"));
	f = fopen(path, "rb");
	assert_non_null(f);
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	assert_in_range(len, 1000, sizeof(text) - 1);
	assert_int_equal(parse(text, len, 11, &s, &err), RC_OK);
	assert_int_equal(s.n, 2);
	assert_false(is_deleted(&s, "100"));
	assert_true(is_deleted(&s, "200"));
	/* Its time is that of no file: it is deleted all the same. */
	assert_true(is_deleted(&s, "300"));
	forget(&s);
	/* Cut anywhere it is refused. */
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(parse(text, cut, 4096, &s, &err), RC_CORRUPT);
		forget(&s);
	}
}

static void any_time_of_a_tombstone_deletes_the_uid(void **state)
{
	struct seen s = good(
		HEAD
		"\"a:2025-01-15T12:00:00Z\":{\"uid\":\"a\",\"created_at\":"
		"\"2025-01-15T12:00:00Z\"},"
		"\"b\":{\"uid\":\"b\",\"created_at\":\"some day\"},"
		"\"c:d:2025-01-15T12:00:00.000001Z\":{\"uid\":\"c:d\"}" TAIL);

	(void)state;
	assert_int_equal(s.n, 3);
	assert_true(is_deleted(&s, "a"));
	assert_true(is_deleted(&s, "b"));
	assert_true(is_deleted(&s, "c:d"));
	forget(&s);
}

static void what_a_tombstone_may_mean_is_deleted(void **state)
{
	struct seen s =
		good(HEAD "\"a\":null,"
			  "\"b:2025-01-15T12:00:00Z\":[],"
			  "\"c:2025-01-15T12:00:00Z\":{\"reason\":\"x\"},"
			  "\"d:2025-01-15T12:00:00.5Z\":{},"
			  "\"e\":{\"uid\":\"f\"},"
			  "\"2025-01-15T12:00:00Z\":{},"
			  "\"g:2025-13-15T12:00:00Z\":{}" TAIL);
	static const char *const deleted[] = {
		"a",
		"b",
		"b:2025-01-15T12:00:00Z",
		"c",
		"c:2025-01-15T12:00:00Z",
		"d:2025-01-15T12:00:00.5Z",
		"e",
		"f",
		"2025-01-15T12:00:00Z",
		"g:2025-13-15T12:00:00Z",
	};

	(void)state;
	assert_int_equal(s.n, ARRAY_LEN(deleted));
	for (size_t i = 0; i < ARRAY_LEN(deleted); i++)
		assert_true(is_deleted(&s, deleted[i]));
	forget(&s);
}

static void tombstones_of_all_members_of_that_name_count(void **state)
{
	struct seen s = good(
		"{\"tombstones\":{\"a\":{\"uid\":\"a\"}},\"index\":{\"x\":{\"uid\":"
		"\"x\",\"tombstones\":{\"y\":{}}}},\"version\":1,"
		"\"tomb\\u0073tones\":{\"b\":{\"u\\u0069d\":\"c\"},\"b\":{\"uid\":"
		"\"b\"}}}");

	(void)state;
	assert_int_equal(s.n, 4);
	assert_true(is_deleted(&s, "a"));
	assert_true(is_deleted(&s, "b"));
	assert_true(is_deleted(&s, "c"));
	assert_false(is_deleted(&s, "x"));
	assert_false(is_deleted(&s, "y"));
	forget(&s);
}

static void uids_may_be_any_text(void **state)
{
	struct seen s = good(
		HEAD "\"\":{\"uid\":\"\"},"
		     "\"a\\u0000b\":{\"uid\":\"a\\u0000b\"},"
		     "\"\\ud83e\\udd80\":{\"uid\":\"\xf0\x9f\xa6\x80\"}" TAIL);

	(void)state;
	assert_int_equal(s.n, 3);
	assert_true(is_deleted(&s, ""));
	assert_true(has(&s, "a\0b", 3));
	assert_true(is_deleted(&s, "\xf0\x9f\xa6\x80"));
	forget(&s);
}

static void no_tombstones_delete_nothing(void **state)
{
	struct seen s = good("{\"\":{},\"tombstones\":{},\"version\":1}");

	(void)state;
	assert_int_equal(s.n, 0);
	forget(&s);
	legacy_meta_free(NULL);
}

static void what_cannot_be_understood_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum rc rc;
	} bad[] = {
		{ "", RC_CORRUPT },
		{ "{}", RC_CORRUPT },
		{ "null", RC_CORRUPT },
		{ "{\"version\":1}", RC_CORRUPT },
		{ "{\"tombstones\":{}}", RC_CORRUPT },
		{ "{\"version\":2,\"tombstones\":{}}", RC_UNSUPPORTED },
		{ "{\"version\":\"1\",\"tombstones\":{}}", RC_UNSUPPORTED },
		{ "{\"version\":1,\"tombstones\":null}", RC_CORRUPT },
		{ "{\"version\":1,\"tombstones\":[]}", RC_CORRUPT },
		{ "{\"version\":1,\"tombstones\":{},\"tombstones\":0}",
		  RC_CORRUPT },
		{ HEAD "\"a\":{\"uid\":1}" TAIL, RC_CORRUPT },
		{ HEAD "\"a\":{\"uid\":null}" TAIL, RC_CORRUPT },
		{ HEAD "\"a\":{\"uid\":\"\\ud800\"}" TAIL, RC_CORRUPT },
		{ HEAD "\"\\udfff\":{\"uid\":\"a\"}" TAIL, RC_CORRUPT },
		{ HEAD "\"a\":{\"uid\":\"a\"}" TAIL "}", RC_CORRUPT },
		{ HEAD "\"a\":{\"uid\":\"\xff\"}" TAIL, RC_CORRUPT },
	};
	struct seen s;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (parse(bad[i].text, strlen(bad[i].text), 5, &s, &err) !=
		    bad[i].rc)
			fail_msg("%s", bad[i].text);
		forget(&s);
	}
}

static void uids_that_no_shard_can_have_are_left_out(void **state)
{
	size_t len = 65535;
	char *text = malloc(len + 64);
	struct seen s;

	(void)state;
	memset(text, 'x', len + 64);
	memcpy(text, HEAD "\"", strlen(HEAD) + 1);
	memcpy(text + strlen(HEAD) + 1 + len, "\":{}" TAIL, 7);
	s = good(text);
	assert_int_equal(s.n, 1);
	forget(&s);
	memcpy(text + strlen(HEAD) + 1 + len, "x\":{}" TAIL, 8);
	s = good(text);
	assert_int_equal(s.n, 0);
	forget(&s);
	free(text);
}

static enum rc refuse(void *arg, struct span uid, struct err *err)
{
	(*(int *)arg)++;
	return err_set(err, RC_NOSPACE, "no room for %.*s", (int)uid.len,
		       uid.p);
}

static void nothing_more_is_told_after_an_error(void **state)
{
	static const char text[] = HEAD "\"a\":{},\"b\":{}" TAIL;
	int n = 0;
	struct legacy_meta *m = legacy_meta_new(refuse, &n);
	struct err err;

	(void)state;
	assert_int_equal(legacy_meta_feed(m, text, strlen(text), &err),
			 RC_NOSPACE);
	assert_int_equal(n, 1);
	legacy_meta_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_original_s_sidecar_is_read),
		cmocka_unit_test(any_time_of_a_tombstone_deletes_the_uid),
		cmocka_unit_test(what_a_tombstone_may_mean_is_deleted),
		cmocka_unit_test(tombstones_of_all_members_of_that_name_count),
		cmocka_unit_test(uids_may_be_any_text),
		cmocka_unit_test(no_tombstones_delete_nothing),
		cmocka_unit_test(what_cannot_be_understood_is_refused),
		cmocka_unit_test(uids_that_no_shard_can_have_are_left_out),
		cmocka_unit_test(nothing_more_is_told_after_an_error),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
