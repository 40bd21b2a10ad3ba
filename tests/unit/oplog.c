/* SPDX-License-Identifier: Apache-2.0 */
/* oplog.c - tests of the log as a whole, in a directory. */
#include "config.h"

#include "volume/oplog.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "store/store-write.h"
#include "unit.h"

struct fixture {
	char dir[32];
	struct store *st;
	struct oplog *log;
};

#define NOW INT64_C(1795256130000000)
#define MINUTE INT64_C(60000000)

static const uint8_t this_archive[SHARD_ID_LEN] = { 1 };
static const uint8_t other_archive[SHARD_ID_LEN] = { 2 };
static struct err err;

#define OK(call)                                 \
	do {                                     \
		err.msg[0] = '\0';               \
		if (call)                        \
			fail_msg("%s", err.msg); \
	} while (0)

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	memcpy(f->dir, "/tmp/desfs-oplog.XXXXXX", 24);
	assert_non_null(mkdtemp(f->dir));
	OK(store_create(&f->st, f->dir, NULL, &err));
	f->log = oplog_new();
	clock_freeze(0, NOW * 1000);
	*state = f;
	return 0;
}

static int remove_one(const char *path, const struct stat *sb, int type,
		      struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	clock_thaw();
	oplog_free(f->log);
	store_close(f->st);
	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *key, const void *p, size_t len)
{
	bool existed;

	OK(store_put(f->st, key, p, len, &existed, &err));
}

/* Write a record of one shard, part n. */
static void add(struct fixture *f, int64_t time, unsigned int n, uint64_t size,
		const uint8_t *archive_id)
{
	struct shard_meta m = { .size = size,
				.root = { (uint8_t)n },
				.day = 20261121,
				.part = n,
				.n_bits = 4,
				.first = xstrdup(""),
				.last = xstrdup("x"),
				.last_len = 1,
				.created_min = NOW,
				.created_max = NOW };
	struct oplog_record r = { .time = time, .shards = &m, .n_shards = 1 };
	CLEANUP_BUF struct buf b = { 0 };
	char key[SHARD_KEY_TEXT];

	shard_key(&m, key);
	m.key = xstrdup(key);
	buf_init(&b, 65536);
	oplog_record_encode(&r, archive_id, &b);
	shard_meta_release(&m);
	OK(oplog_record_key(time, key, sizeof(key), &err));
	put(f, key, b.p, b.len);
}

static bool changed(struct fixture *f)
{
	bool ret = false;

	OK(oplog_read(f->log, f->st, &ret, &err));
	return ret;
}

static enum rc result(struct fixture *f)
{
	bool was_changed = false;
	enum rc rc = oplog_read(f->log, f->st, &was_changed, &err);

	assert_false(was_changed && rc);
	return rc;
}

static void shards_add_up(void **state)
{
	struct fixture *f = *state;

	assert_false(changed(f));
	assert_int_equal(oplog_count(f->log), 0);
	add(f, NOW, 2, 1000, this_archive);
	add(f, NOW, 1, 1000, this_archive);
	assert_true(changed(f));
	assert_int_equal(oplog_count(f->log), 2);
	assert_int_equal(oplog_shard(f->log, 0)->part, 1);
	assert_false(changed(f));
	add(f, NOW + 1, 3, 1000, this_archive);
	assert_true(changed(f));
	assert_int_equal(oplog_count(f->log), 3);
}

static void a_key_named_twice_counts_once(void **state)
{
	struct fixture *f = *state;

	add(f, NOW, 1, 1000, this_archive);
	add(f, NOW + 1, 1, 1000, this_archive);
	assert_true(changed(f));
	add(f, NOW + 2, 1, 1000, this_archive);
	assert_true(changed(f));
	assert_int_equal(oplog_count(f->log), 1);
	add(f, NOW + 3, 1, 1001, this_archive);
	assert_int_equal(result(f), RC_CORRUPT);
	assert_int_equal(oplog_count(f->log), 1);
}

static void late_records_are_found_for_15_minutes(void **state)
{
	struct fixture *f = *state;

	add(f, NOW, 1, 1000, this_archive);
	assert_true(changed(f));
	add(f, NOW - 14 * MINUTE, 2, 1000, this_archive);
	assert_true(changed(f));
	add(f, NOW - 16 * MINUTE, 3, 1000, this_archive);
	assert_false(changed(f));
	assert_int_equal(oplog_count(f->log), 2);
}

static void later_ones_are_found_within_an_hour(void **state)
{
	struct fixture *f = *state;

	add(f, NOW, 1, 1000, this_archive);
	assert_true(changed(f));
	add(f, NOW - 16 * MINUTE, 2, 1000, this_archive);
	assert_false(changed(f));
	clock_advance(61 * 60 * CLOCK_NS_PER_SEC);
	assert_true(changed(f));
	assert_int_equal(oplog_count(f->log), 2);
	add(f, NOW - 16 * MINUTE, 3, 1000, this_archive);
	assert_false(changed(f));
}

static void a_record_from_the_future_hides_nothing(void **state)
{
	struct fixture *f = *state;

	add(f, NOW + 600 * MINUTE, 1, 1000, this_archive);
	assert_true(changed(f));
	add(f, NOW, 2, 1000, this_archive);
	assert_true(changed(f));
	assert_int_equal(oplog_count(f->log), 2);
}

static void a_bad_record_leaves_the_log_as_it_was(void **state)
{
	struct fixture *f = *state;

	add(f, NOW, 1, 1000, this_archive);
	assert_true(changed(f));
	add(f, NOW + 1, 2, 1000, this_archive);
	put(f,
	    "log/20261121T101531.000000Z-00000000000000000000000000000000.json",
	    "{}", 2);
	assert_int_equal(result(f), RC_CORRUPT);
	assert_non_null(strstr(err.msg, "log/20261121T101531.000000Z-0000"));
	assert_int_equal(oplog_count(f->log), 1);
}

static void records_of_other_archives_are_refused(void **state)
{
	struct fixture *f = *state;

	add(f, NOW, 1, 1000, this_archive);
	oplog_expect(f->log, other_archive);
	assert_int_equal(result(f), RC_CORRUPT);
	oplog_expect(f->log, this_archive);
	assert_true(changed(f));
	add(f, NOW, 2, 1000, other_archive);
	assert_int_equal(result(f), RC_CORRUPT);
}

static void other_names_are_passed_over_but_for_checkpoints(void **state)
{
	static const char *const names[] = {
		"log/index.json",
		"log/x/y",
		"log/20261121T101530.123456Z.json",
		"log/20261121T101530.123456Z-0123456789ABCDEF0123456789ABCDEF"
		".json",
		"log/20261131T101530.123456Z-0123456789abcdef0123456789abcdef"
		".json",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		put(f, names[i], "", 0);
	assert_false(changed(f));
	put(f, "log/checkpoint-202611.json", "", 0);
	assert_int_equal(result(f), RC_UNSUPPORTED);
}

static void a_record_must_have_the_time_of_its_name(void **state)
{
	struct fixture *f = *state;
	struct oplog_record r = { .time = NOW };
	CLEANUP_BUF struct buf b = { 0 };
	char key[80];

	buf_init(&b, 4096);
	oplog_record_encode(&r, this_archive, &b);
	OK(oplog_record_key(NOW + 1, key, sizeof(key), &err));
	put(f, key, b.p, b.len);
	assert_int_equal(result(f), RC_CORRUPT);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shards_add_up),
		TEST(a_key_named_twice_counts_once),
		TEST(late_records_are_found_for_15_minutes),
		TEST(later_ones_are_found_within_an_hour),
		TEST(a_record_from_the_future_hides_nothing),
		TEST(a_bad_record_leaves_the_log_as_it_was),
		TEST(records_of_other_archives_are_refused),
		TEST(other_names_are_passed_over_but_for_checkpoints),
		TEST(a_record_must_have_the_time_of_its_name),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
