/* SPDX-License-Identifier: Apache-2.0 */
/* import-path.c - tests of names in backups made uids, and of their keys. */
#include "config.h"

#include "exchange/import-path.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "unit.h"

static void slashes_and_dots_are_left_out(void **state)
{
	static const struct {
		const char *raw, *want;
		bool is_absolute;
	} rows[] = {
		{ "a", "a", false },
		{ "./a/", "a", false },
		{ "/a//b/./c/", "a/b/c", true },
		{ "", "", false },
		{ ".", "", false },
		{ "./", "", false },
		{ "///", "", true },
		{ "...", "...", false },
		{ "..a/b..", "..a/b..", false },
		{ " /\n", " /\n", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_BUF struct buf path = { .max = 100 };
		bool is_absolute;
		struct err err;

		assert_int_equal(
			import_path(rows[i].raw, &path, &is_absolute, &err),
			RC_OK);
		assert_int_equal(path.len, strlen(rows[i].want));
		assert_memory_equal(path.p ? (const void *)path.p : "",
				    rows[i].want, path.len);
		assert_int_equal(is_absolute, rows[i].is_absolute);
	}
}

static void names_that_lead_elsewhere_or_are_too_long_are_refused(void **state)
{
	static const char *const up[] = { "..",     "../a", "a/..",
					  "a/../b", "/..",  "./.." };
	CLEANUP_BUF struct buf path = { .max = 1u << 20 };
	static char longest[70000];
	bool is_absolute;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(up); i++)
		assert_int_equal(import_path(up[i], &path, &is_absolute, &err),
				 RC_ACCESS);
	memset(longest, 'n', 256);
	longest[256] = '\0';
	assert_int_equal(import_path(longest, &path, &is_absolute, &err),
			 RC_LIMIT);
	longest[255] = '\0';
	assert_int_equal(import_path(longest, &path, &is_absolute, &err),
			 RC_OK);
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '/' : 'n';
	longest[65536] = '\0';
	assert_int_equal(import_path(longest, &path, &is_absolute, &err),
			 RC_OK);
	assert_int_equal(path.len, 65535);
	longest[65536] = 'n';
	longest[65537] = '\0';
	assert_int_equal(import_path(longest, &path, &is_absolute, &err),
			 RC_LIMIT);
}

static struct span key_of(struct buf *b, const char *path, uint64_t number)
{
	import_key(span_of(path, strlen(path)), number, b);
	assert_true(buf_ok(b));
	return span_of(b->p, b->len);
}

static void keys_come_back(void **state)
{
	static const char *const paths[] = {
		"", "a", "a/b", "\x01", "\x02", "\x02\x01/\x01\x02", "\xff"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		CLEANUP_BUF struct buf key = { .max = 100 };
		CLEANUP_BUF struct buf path = { .max = 100 };
		uint64_t number;

		assert_true(import_key_decode(
			key_of(&key, paths[i], UINT64_MAX - i), &path,
			&number));
		assert_int_equal(number, UINT64_MAX - i);
		assert_int_equal(path.len, strlen(paths[i]));
		assert_memory_equal(path.p ? (const void *)path.p : "",
				    paths[i], path.len);
	}
}

static void what_is_no_key_is_told(void **state)
{
	CLEANUP_BUF struct buf path = { .max = 100 };
	uint64_t number;

	(void)state;
	assert_false(import_key_decode(span_of("", 0), &path, &number));
	assert_false(import_key_decode(span_of("a", 1), &path, &number));
	assert_false(import_key_decode(span_of("a\0123", 4), &path, &number));
	assert_false(import_key_decode(span_of("\2", 1), &path, &number));
	assert_false(import_key_decode(span_of("a\000123456789", 11), &path,
				       &number));
}

/* In this order. */
static void what_is_below_a_name_comes_right_after_it(void **state)
{
	static const struct {
		const char *path;
		uint64_t number;
	} rows[] = {
		{ "", 7 },      { "a", 1 },     { "a", 256 },    { "a/", 0 },
		{ "a/b", 0 },   { "a/b/c", 0 }, { "a/\xff", 0 }, { "a\x01", 0 },
		{ "a\x02", 0 }, { "a\x03", 0 }, { "a!", 0 },     { "aa", 0 },
		{ "b", 0 },
	};

	(void)state;
	for (size_t i = 1; i < ARRAY_LEN(rows); i++) {
		CLEANUP_BUF struct buf a = { .max = 100 };
		CLEANUP_BUF struct buf b = { .max = 100 };

		assert_true(span_compare(key_of(&a, rows[i - 1].path,
						rows[i - 1].number),
					 key_of(&b, rows[i].path,
						rows[i].number)) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slashes_and_dots_are_left_out),
		cmocka_unit_test(
			names_that_lead_elsewhere_or_are_too_long_are_refused),
		cmocka_unit_test(keys_come_back),
		cmocka_unit_test(what_is_no_key_is_told),
		cmocka_unit_test(what_is_below_a_name_comes_right_after_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
