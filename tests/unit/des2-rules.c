/* SPDX-License-Identifier: Apache-2.0 */
/* des2-rules.c - tests of what the original does with names, sizes and times.
 */
#include "config.h"

#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "pack/des2-record.h"
#include "pack/des2-rules.h"

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

static void names_of_what_is_compressed_stay_plain(void **state)
{
	static const struct {
		const char *uid;
		bool stays;
	} known[] = {
		{ "a.jpg", true },        { "a.jpeg", true },
		{ "a.png", true },        { "a.gif", true },
		{ "a.gz", true },         { "a.zip", true },
		{ "a.bz2", true },        { "a.xz", true },
		{ "b/c.d/a.JpG", true },  { "a.tar.gz", true },
		{ "a.gz/", true },        { "..gz", true },
		{ "a.mp4", false },       { "a.mp3", false },
		{ "a.avi", false },       { "a.txt", false },
		{ ".gz", false },         { "x/.gz", false },
		{ "tail.", false },       { "a.gz.", false },
		{ "dir.gz/file", false }, { "a.gz ", false },
		{ "gz", false },          { "", false },
		{ ".", false },           { "..", false },
		{ "/", false },           { "a.jpgg", false },
		{ "a.gz.txt", false },    { "a.gz/.", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (des2_stays_plain(text(known[i].uid)) != known[i].stays)
			fail_msg("%s", known[i].uid);
}

static void a_shard_ends_before_it_is_too_large(void **state)
{
	struct des2_fill f = { .max = 1000 };

	(void)state;
	/* A file has a shard of its own rather than none. */
	assert_false(des2_fill_is_full(&f, 5000));
	des2_fill_add(&f, 600);
	assert_false(des2_fill_is_full(&f, 400));
	assert_true(des2_fill_is_full(&f, 401));
	assert_true(des2_fill_is_full(&f, UINT64_MAX));
	des2_fill_add(&f, 400);
	assert_false(des2_fill_is_full(&f, 0));
	assert_true(des2_fill_is_full(&f, 1));
	f = (struct des2_fill){ .max = 1000 };
	des2_fill_add(&f, 5000);
	assert_true(des2_fill_is_full(&f, 0));
	f = (struct des2_fill){ .max = 1000, .n = DES2_SHARD_FILES };
	assert_true(des2_fill_is_full(&f, 0));
}

static void names_of_shards_come_back(void **state)
{
	static const char *const bad[] = {
		"20260101_39_0000.meta",  "20260101_39_0000.des.tmp",
		"20260101_39_000.des",    "20260101_39_00000.des",
		"20260101_3f_0000.des",   "20260101_0000.des",
		"_39_0000.des",           "20260101__0000.des",
		"x/20260101_39_0000.des", "20260101_39_0000",
		"20260101_39_-001.des",   "20260101_39_9999999999.des",
		"20260101/39.des",        "",
	};
	char key[DES2_KEY_TEXT];
	struct des2_name n;

	(void)state;
	des2_shard_key("20260101", "3F", 7, key);
	assert_string_equal(key, "20260101_3F_0007.des");
	assert_true(des2_parse_key(key, &n));
	assert_string_equal(n.day, "20260101");
	assert_string_equal(n.hex, "3F");
	assert_int_equal(n.number, 7);
	des2_shard_key("330102", "3FF", 12345, key);
	assert_string_equal(key, "330102_3FF_12345.des");
	assert_true(des2_parse_key(key, &n));
	assert_int_equal(n.number, 12345);
	des2_sidecar_key(&n, key);
	assert_string_equal(key, "330102_3FF_12345.meta");
	assert_false(des2_parse_key(key, &n));
	assert_true(des2_parse_sidecar(key, &n));
	assert_int_equal(n.number, 12345);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (des2_parse_key(bad[i], &n))
			fail_msg("%s", bad[i]);
}

static void big_files_are_known_by_their_names(void **state)
{
	char key[128] = "_bigFiles/";

	(void)state;
	memset(key + strlen(key), 'a', 64);
	assert_true(des2_is_big_key(key));
	key[20] = 'A';
	assert_false(des2_is_big_key(key));
	key[20] = 'b';
	key[strlen(key)] = 'c';
	assert_false(des2_is_big_key(key));
	assert_false(des2_is_big_key("_bigFiles/"));
}

static void assert_meta(const struct des2_meta *m, const char *want)
{
	CLEANUP_BUF struct buf out = { .max = 1000 };

	des2_meta_write(m, &out);
	assert_string_equal(buf_str(&out), want);
}

static void metadata_tell_when_a_file_was_made(void **state)
{
	struct des2_meta m = {
		.created = timestamp_in_zone(INT64_C(1772683200000001), 3600),
	};

	(void)state;
	assert_meta(&m, "{\"created_at\":"
			"\"2026-03-05T05:00:00.000001+01:00\"}");
	m.has_mtime = true;
	m.mtime_s = 5;
	m.mtime_ns = 7;
	m.created = timestamp_from_us(0);
	assert_meta(&m, "{\"created_at\":\"1970-01-01T00:00:00.000000+00:00\","
			"\"mtime\":\"1970-01-01T00:00:05.000000007Z\"}");
	m.has_mtime = false;
	m.more = text(" { \"k\" : 1 } ");
	assert_meta(&m, "{\"created_at\":\"1970-01-01T00:00:00.000000+00:00\","
			"\"k\":1}");
	m.more = text("{}");
	assert_meta(&m,
		    "{\"created_at\":\"1970-01-01T00:00:00.000000+00:00\"}");
	m.more = text("{\"a\":{\"created_at\":1},\"mtime\":\"x\"}");
	assert_meta(&m, "{\"created_at\":\"1970-01-01T00:00:00.000000+00:00\","
			"\"a\":{\"created_at\":1},\"mtime\":\"x\"}");
}

static void others_do_not_tell_it_otherwise(void **state)
{
	static const char *const same[] = {
		"{\"a\":{\"created_at\":1},\"created_at\":\"1970-01-01\"}",
		"{\"created\\u005fat\":\"1970-01-01T01:00:00+01:00\"}",
		"{\"n\":NaN,\"n\":1e999,\"created_at\":\"1970-01-01T00:00Z\"}",
	};
	static const char *const others[] = {
		"1",
		"null",
		"[\"1970-01-01\"]",
		"\"\"",
		"\"x\"",
		"\"1970-01-01T00:00:01Z\"",
		"\"1969-12-31T23:00:00-01:00\"",
		"\"1970-01-01\\u0000\"",
		"\"1970-01-01\\ud800\"",
		"\"1970-01-01\",\"created_at\":5",
	};
	struct des2_meta m = { .created = timestamp_from_us(0) };
	char more[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		m.more = text(same[i]);
		assert_meta(&m, same[i]);
	}
	m.has_mtime = true;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		snprintf(more, sizeof(more),
			 "{\"created_at\":%s,\"z\":{\"y\":[\"}\\\"\",1 ]},"
			 "\"m\\u0074ime\":1,\"z\":-99999999999999999999}",
			 others[i]);
		m.more = text(more);
		assert_meta(&m, "{\"created_at\":"
				"\"1970-01-01T00:00:00.000000+00:00\","
				"\"mtime\":\"1970-01-01T00:00:00.000000000Z\","
				"\"z\":{\"y\":[\"}\\\"\",1 ]},"
				"\"z\":-99999999999999999999}");
	}
}

static void records_come_back_and_are_in_order(void **state)
{
	CLEANUP_BUF struct buf key = { .max = 1000 }, value = { .max = 1000 },
			       key2 = { .max = 1000 }, value2 = { .max = 1000 };
	struct des2_record r = { .uid = text("a//b/"),
				 .created = timestamp_in_zone(
					 INT64_C(1772683199999999), -18000),
				 .it = { .type = ENTRY_REG,
					 .is_fed = true,
					 .number = 3,
					 .place = UINT64_MAX,
					 .has_sha256 = true,
					 .meta = text("{\"x\":1}"),
					 .size = 77,
					 .mtime_s = -5,
					 .mtime_ns = 6 } };
	struct des2_record got;
	struct err err;

	(void)state;
	r.it.sha256[31] = 9;
	des2_record_encode(&r, &key, &value);
	assert_int_equal(des2_record_decode(span_of(key.p, key.len),
					    span_of(value.p, value.len), &got,
					    &err),
			 0);
	assert_true(span_equal(got.uid, r.uid));
	assert_true(got.created.us == r.created.us);
	assert_int_equal(got.created.wall_zone, -18000);
	assert_int_equal(got.created.wall_day, 4);
	assert_true(got.it.number == 3 && got.it.place == UINT64_MAX);
	assert_memory_equal(got.it.sha256, r.it.sha256, sizeof(r.it.sha256));
	assert_true(span_equal(got.it.meta, r.it.meta));
	assert_true(got.it.size == 77 && got.it.mtime_s == -5);
	assert_true(span_equal(got.it.parent, text("a//b")));
	assert_int_equal(got.it.name.len, 0);

	/* The next day, whatever its names. */
	r.created = timestamp_in_zone(r.created.us, 0);
	r.created = timestamp_in_zone(r.created.us + 1, 0);
	r.uid = text("");
	des2_record_encode(&r, &key2, &value2);
	assert_true(memcmp(key.p, key2.p, DES2_DAY_LEN) < 0);
	assert_int_not_equal(des2_record_decode(span_of(key.p, key.len),
						span_of(value.p, 9), &got,
						&err),
			     0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_what_is_compressed_stay_plain),
		cmocka_unit_test(a_shard_ends_before_it_is_too_large),
		cmocka_unit_test(names_of_shards_come_back),
		cmocka_unit_test(big_files_are_known_by_their_names),
		cmocka_unit_test(metadata_tell_when_a_file_was_made),
		cmocka_unit_test(others_do_not_tell_it_otherwise),
		cmocka_unit_test(records_come_back_and_are_in_order),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
