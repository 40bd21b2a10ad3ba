/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-path.c - tests of paths for uids of older archives, and back. */
#include "config.h"

#include "legacy/legacy-path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/random.h"
#include "unit.h"

#define A10 "aaaaaaaaaa"
#define A50 A10 A10 A10 A10 A10
#define A250 A50 A50 A50 A50 A50
#define E10 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
#define E50 E10 E10 E10 E10 E10

struct known {
	struct span uid;
	const char *path;
};

#define UID(text)                      \
	{                              \
		text, sizeof(text) - 1 \
	}

static const struct known known[] = {
	{ UID(""), "%empty" },
	{ UID("a"), "a" },
	{ UID("a/b.txt"), "a/b.txt" },
	{ UID("100%"), "100%" },
	{ UID("%41%zz%%"), "%41%zz%%" },
	{ UID("%2f%2e"), "%2f%2e" },
	{ UID("a%file.txt"), "a%file.txt" },
	{ UID("a%/more"), "a%/more" },
	{ UID("b/%empty"), "b/%empty" },
	{ UID("\xff\x01\n\\"), "\xff\x01\n\\" },
	{ UID("/"), "%2F" },
	{ UID("//"), "%2F%2F" },
	{ UID("///"), "%2F/%2F" },
	{ UID("/etc/passwd"), "%2Fetc/passwd" },
	{ UID("//x"), "%2F/x" },
	{ UID("a/"), "a%2F" },
	{ UID("a//"), "a/%2F" },
	{ UID("a//b"), "a/%2Fb" },
	{ UID("a///b"), "a/%2F/b" },
	{ UID("."), "%2E" },
	{ UID(".."), "%2E%2E" },
	{ UID("..."), "..." },
	{ UID("./a/.."), "%2E/a/%2E%2E" },
	{ UID("../../x"), "%2E%2E/%2E%2E/x" },
	{ UID("./"), ".%2F" },
	{ UID(".a/..b"), ".a/..b" },
	{ UID(".des"), "%2Edes" },
	{ UID(".des/x"), "%2Edes/x" },
	{ UID("a/.des"), "a/.des" },
	{ UID(".desx"), ".desx" },
	{ UID("\0"), "%00" },
	{ UID("a\0b"), "a%00b" },
	{ UID("%\0"), "%%00" },
	{ UID("%2\0"), "%2%00" },
	{ UID("50%2F"), "50%252F" },
	{ UID("%2E"), "%252E" },
	{ UID("%25"), "%2525" },
	{ UID("%00"), "%2500" },
	{ UID("%2525"), "%252525" },
	{ UID("%empty"), "%25empty" },
	{ UID("%empty/a"), "%25empty/a" },
	{ UID("a%file"), "a%25file" },
	{ UID("a%file/b"), "a%25file/b" },
	{ UID("a%more"), "a%25more" },
	{ UID("a%more/b"), "a%25more/b" },
	{ UID("%file"), "%25file" },
	{ UID("%empty%file"), "%empty%25file" },
	{ UID(A250 "12345"), A250 "12345" },
	{ UID(A250 "123456"), A250 "%more/123456" },
	{ UID(A250 "123456/b"), A250 "%more/123456/b" },
	{ UID(A250 A250 "123456"), A250 "%more/" A250 "%more/123456" },
	{ UID(A250 "%more/123456"), A250 "%more/%25more/123456" },
	{ UID(A250 "\xc3\xa9"
		   "12345"),
	  A250 "%more/\xc3\xa9"
	       "12345" },
	{ UID("a" E50 E50 E50 E50 E50 "123456"),
	  "a" E50 E50 E50 E50 E10 E10 E10 E10
	  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9%more/\xc3\xa9"
	  "123456" },
	{ UID(A50 A50 A50 A50 A10 A10 A10 A10 "12345678\0"
					      "12345678"),
	  A50 A50 A50 A50 A10 A10 A10 A10 "12345678%more/%00"
					  "12345678" },
};

static void path_of(struct span uid, enum legacy_path_form form,
		    struct buf *ret)
{
	struct err err;

	if (legacy_path_of(uid, form, ret, &err))
		fail_msg("%s", err.msg);
}

static void assert_is_uid(const struct buf *b, struct span uid)
{
	assert_int_equal(b->len, uid.len);
	if (uid.len)
		assert_memory_equal(b->p, uid.p, uid.len);
}

static void uids_have_the_paths_of_the_table(void **state)
{
	struct buf path, uid;
	enum legacy_path_form form;

	(void)state;
	buf_init(&path, LEGACY_PATH_MAX);
	buf_init(&uid, LEGACY_PATH_MAX);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		path_of(known[i].uid, LEGACY_PATH_PLAIN, &path);
		assert_string_equal(buf_str(&path), known[i].path);
		assert_true(
			legacy_path_is_uid(known[i].uid) ==
			span_equal(known[i].uid, span_of(path.p, path.len)));
		assert_true(legacy_path_uid(span_of(path.p, path.len), &uid,
					    &form));
		assert_is_uid(&uid, known[i].uid);
		assert_int_equal(form, LEGACY_PATH_PLAIN);
	}
	buf_release(&path);
	buf_release(&uid);
}

static void a_file_that_is_a_directory_is_marked(void **state)
{
	static const struct known marked[] = {
		{ UID("a"), "a%file" },
		{ UID("a/b"), "a/b%file" },
		{ UID(""), "%empty%file" },
		{ UID("."), "%2E%file" },
		{ UID("/"), "%2F%file" },
		{ UID(".des"), "%2Edes%file" },
		{ UID("a%"), "a%%file" },
		{ UID("a%file"), "a%25file%file" },
		{ UID(A250), A250 "%file" },
		{ UID(A250 "1"), A250 "%more/1%file" },
		{ UID(A250 "123456"), A250 "%more/123456%file" },
	};
	struct buf path, uid;
	enum legacy_path_form form;

	(void)state;
	buf_init(&path, LEGACY_PATH_MAX);
	buf_init(&uid, LEGACY_PATH_MAX);
	for (size_t i = 0; i < ARRAY_LEN(marked); i++) {
		path_of(marked[i].uid, LEGACY_PATH_MARKED, &path);
		assert_string_equal(buf_str(&path), marked[i].path);
		assert_true(legacy_path_uid(span_of(path.p, path.len), &uid,
					    &form));
		assert_is_uid(&uid, marked[i].uid);
		assert_int_equal(form, LEGACY_PATH_MARKED);
	}
	buf_release(&path);
	buf_release(&uid);
}

static void other_paths_have_no_uid(void **state)
{
	static const char *const none[] = {
		"",
		"/a",
		"a/",
		"a//b",
		".",
		"..",
		"a/../b",
		".des",
		".des/a",
		"%2Ea",
		"a%2Fb",
		"%25",
		"%25a",
		"%empty/a",
		"a%more",
		"a%more/b",
		"a%file/b",
		"a/%2E%2E%2E",
		A250 "%more/12345",
		A250 "1%more/23456",
		A250 "123456",
		A250 "%more/" A250 "123456",
	};
	struct buf uid;
	enum legacy_path_form form;

	(void)state;
	buf_init(&uid, LEGACY_PATH_MAX);
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		if (legacy_path_uid(span_of(none[i], strlen(none[i])), &uid,
				    &form))
			fail_msg("%s", none[i]);
	}
	assert_false(legacy_path_uid(span_of("a\0b", 3), &uid, &form));
	buf_release(&uid);
}

static void assert_part_is_valid(const char *p, size_t len, bool is_first)
{
	assert_in_range(len, 1, LEGACY_PATH_PART_MAX);
	assert_null(memchr(p, '\0', len));
	assert_false(len <= 2 && !memcmp(p, "..", len));
	assert_false(is_first && len == 4 && !memcmp(p, ".des", 4));
}

static void assert_path_is_valid(const struct buf *path)
{
	const char *p = (const char *)path->p;
	const char *end = p + path->len;

	assert_in_range(path->len, 1, LEGACY_PATH_MAX);
	for (bool is_first = true;; is_first = false) {
		const char *slash = memchr(p, '/', (size_t)(end - p));

		assert_part_is_valid(p, (size_t)((slash ? slash : end) - p),
				     is_first);
		if (!slash)
			break;
		p = slash + 1;
	}
}

/* Both forms are valid paths, differ, and lead back. */
static void assert_comes_back(struct span uid, struct buf path[2],
			      struct buf *back)
{
	for (int form = 0; form < 2; form++) {
		enum legacy_path_form found = LEGACY_PATH_PLAIN;

		path_of(uid, (enum legacy_path_form)form, &path[form]);
		assert_path_is_valid(&path[form]);
		assert_true(legacy_path_uid(
			span_of(path[form].p, path[form].len), back, &found));
		assert_is_uid(back, uid);
		assert_int_equal((int)found, form);
	}
	assert_true(legacy_path_is_uid(uid) ==
		    span_equal(uid, span_of(path[0].p, path[0].len)));
}

struct bufs {
	struct buf path[2];
	struct buf back;
};

static void bufs_init(struct bufs *b)
{
	buf_init(&b->path[0], LEGACY_PATH_MAX);
	buf_init(&b->path[1], LEGACY_PATH_MAX);
	buf_init(&b->back, LEGACY_PATH_MAX);
}

static void bufs_release(struct bufs *b)
{
	buf_release(&b->path[0]);
	buf_release(&b->path[1]);
	buf_release(&b->back);
}

/* All texts of up to five of these bytes. */
static void every_short_uid_comes_back(void **state)
{
	static const char bytes[] = { '/', '.', '%', '2', '0', 'E', 'F', '\0' };
	struct bufs b;

	(void)state;
	bufs_init(&b);
	for (unsigned int len = 0; len <= 5; len++) {
		for (unsigned int i = 0; i < 1u << 3 * len; i++) {
			char uid[5];

			for (unsigned int j = 0; j < len; j++)
				uid[j] = bytes[i >> 3 * j & 7];
			assert_comes_back(span_of(uid, len), b.path, &b.back);
		}
	}
	bufs_release(&b);
}

static uint64_t pick(uint64_t *seed, uint64_t n)
{
	return random_next(seed) % n;
}

/* Of words that mean something, and of any bytes. */
static size_t random_uid(uint64_t *seed, char *out, size_t max)
{
	static const char *const words[] = { "/",     "/",     "/",      "%",
					     "%00",   "%25",   "%2E",    "%2F",
					     "%more", "%file", ".",      "..",
					     ".des",  "more",  "%empty", "/a/b",
					     A250,    E50 };
	size_t n_words = pick(seed, 12);
	size_t len = 0;

	while (n_words--) {
		const char *word = words[pick(seed, ARRAY_LEN(words))];
		char any = (char)pick(seed, 256);
		bool is_any = !pick(seed, 4);
		size_t n = is_any ? 1 : strlen(word);

		n = n > 20 && pick(seed, 3) ? pick(seed, n) : n;
		if (len + n > max)
			break;
		memcpy(out + len, is_any ? &any : word, n);
		len += n;
	}
	return len;
}

static void random_uids_come_back(void **state)
{
	uint64_t seed = 7;
	char uid[4096];
	struct bufs b;

	(void)state;
	bufs_init(&b);
	for (int i = 0; i < 30000; i++) {
		size_t len = random_uid(&seed, uid, sizeof(uid));

		assert_comes_back(span_of(uid, len), b.path, &b.back);
	}
	bufs_release(&b);
}

/* Whatever is taken for a path is the one its uid has. */
static void random_paths_are_those_of_their_uids(void **state)
{
	uint64_t seed = 8;
	char path[4096];
	struct bufs b;
	int n = 0;

	(void)state;
	bufs_init(&b);
	for (int i = 0; i < 30000; i++) {
		size_t len = random_uid(&seed, path, sizeof(path));
		enum legacy_path_form form;

		if (!legacy_path_uid(span_of(path, len), &b.back, &form))
			continue;
		path_of(span_of(b.back.p, b.back.len), form, &b.path[0]);
		assert_true(span_equal(span_of(b.path[0].p, b.path[0].len),
				       span_of(path, len)));
		n++;
	}
	assert_in_range(n, 1000, 29000);
	bufs_release(&b);
}

/* A directory of one path is a marked path of none. */
static void no_directory_is_called_like_a_marked_file(void **state)
{
	uint64_t seed = 9;
	char text[4096];
	struct bufs b;

	(void)state;
	bufs_init(&b);
	for (int i = 0; i < 30000; i++) {
		size_t len = random_uid(&seed, text, sizeof(text));
		struct buf *path = &b.path[pick(&seed, 2)];

		assert_comes_back(span_of(text, len), b.path, &b.back);
		for (size_t at = 1; at < path->len; at++) {
			enum legacy_path_form form;

			if (path->p[at] == '/' &&
			    legacy_path_uid(span_of(path->p, at), &b.back,
					    &form))
				assert_int_equal(form, LEGACY_PATH_PLAIN);
		}
	}
	bufs_release(&b);
}

static void what_is_too_long_is_refused(void **state)
{
	char *uid = malloc(UID_MAX_LEN + 1);
	struct buf path, back;
	enum legacy_path_form form;
	struct err err;
	size_t fits = 0;

	(void)state;
	assert_non_null(uid);
	memset(uid, 'a', UID_MAX_LEN + 1);
	buf_init(&path, LEGACY_PATH_MAX);
	buf_init(&back, LEGACY_PATH_MAX);
	for (size_t len = 60000; len <= UID_MAX_LEN + 1; len += 128) {
		enum rc rc = legacy_path_of(span_of(uid, len),
					    LEGACY_PATH_PLAIN, &path, &err);

		if (rc) {
			assert_int_equal(rc, RC_LIMIT);
			continue;
		}
		fits = len;
		assert_path_is_valid(&path);
		assert_true(legacy_path_uid(span_of(path.p, path.len), &back,
					    &form));
		assert_int_equal(back.len, len);
	}
	assert_in_range(fits, 63900, 64200);
	memset(uid, '\0', UID_MAX_LEN);
	assert_int_equal(legacy_path_of(span_of(uid, UID_MAX_LEN),
					LEGACY_PATH_MARKED, &path, &err),
			 RC_LIMIT);
	assert_int_equal(path.max, LEGACY_PATH_MAX);
	free(uid);
	buf_release(&path);
	buf_release(&back);
}

static void a_long_uid_makes_few_directories(void **state)
{
	char *uid = malloc(UID_MAX_LEN);
	size_t n_slashes = 0;
	struct bufs b;

	(void)state;
	assert_non_null(uid);
	for (size_t i = 0; i < 20000; i++)
		uid[i] = i % 2 ? '/' : 'a';
	bufs_init(&b);
	assert_comes_back(span_of(uid, 2 * LEGACY_PATH_DEPTH - 1), b.path,
			  &b.back);
	assert_true(
		legacy_path_is_uid(span_of(uid, 2 * LEGACY_PATH_DEPTH - 1)));
	assert_comes_back(span_of(uid, 20000), b.path, &b.back);
	for (size_t i = 0; i < b.path[0].len; i++)
		n_slashes += b.path[0].p[i] == '/';
	assert_in_range(n_slashes, LEGACY_PATH_DEPTH,
			LEGACY_PATH_DEPTH + 65536 / 245);
	free(uid);
	bufs_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uids_have_the_paths_of_the_table),
		cmocka_unit_test(a_file_that_is_a_directory_is_marked),
		cmocka_unit_test(other_paths_have_no_uid),
		cmocka_unit_test(every_short_uid_comes_back),
		cmocka_unit_test(random_uids_come_back),
		cmocka_unit_test(random_paths_are_those_of_their_uids),
		cmocka_unit_test(no_directory_is_called_like_a_marked_file),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(a_long_uid_makes_few_directories),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
