/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-checkpoint.c - tests of checkpoints of the log with golden files. */
#include "config.h"

#include "volume/oplog-checkpoint.h"

#include <string.h>

#include "golden.h"
#include "unit.h"

#define RECORDS_MAX 8

static struct err err;

static const struct {
	const char *name;
	enum rc rc;
	const char *says;
} bad[] = {
	{ "version", RC_UNSUPPORTED, "version 2" },
	{ "kind", RC_UNSUPPORTED, "kind shards" },
	{ "no-time", RC_CORRUPT, "no member time" },
	{ "old", RC_CORRUPT, "it is older than record 20261121T101536" },
	{ "order", RC_CORRUPT, "is not in order" },
	{ "twice", RC_CORRUPT, "is not in order" },
	{ "archive", RC_CORRUPT, "record 0: it is of another archive" },
	{ "name", RC_CORRUPT, "record 0: name x.json" },
	{ "name-time", RC_CORRUPT, "does not fit the time" },
	{ "sha256", RC_CORRUPT, "record 0: sha256" },
	{ "purged", RC_CORRUPT, "purged is not true" },
	{ "record", RC_CORRUPT, "record 0: digest does not fit" },
	{ "digest", RC_CORRUPT, "digest does not fit" },
	{ "no-records", RC_CORRUPT, "no member records" },
};

struct read {
	struct oplog_record records[RECORDS_MAX];
	size_t n;
	uint8_t archive_id[SHARD_ID_LEN];
	int64_t time;
};

static enum rc take(void *arg, struct oplog_record *r, struct err *ret)
{
	struct read *all = arg;

	(void)ret;
	assert_true(all->n < RECORDS_MAX);
	all->records[all->n++] = *r;
	return RC_OK;
}

static void release(struct read *all)
{
	while (all->n)
		oplog_record_release(&all->records[--all->n]);
}

static enum rc decoded(const char *name, struct read *ret)
{
	CLEANUP_BUF struct buf b = { 0 };

	golden_read(name, &b);
	return oplog_checkpoint_decode(b.p, b.len, ret->archive_id, &ret->time,
				       take, ret, &err);
}

static void good_ones_are_read_and_written(void **state)
{
	CLEANUP_BUF struct buf golden = { 0 };
	CLEANUP_BUF struct buf b = { .max = OPLOG_CHECKPOINT_MAX };
	const struct oplog_record *at[RECORDS_MAX];
	struct read all = { .n = 0 };
	size_t n = 0;

	(void)state;
	assert_int_equal(decoded("good-log-checkpoint", &all), RC_OK);
	assert_int_equal(all.n, 6);
	for (size_t i = 0; i < all.n; i++) {
		at[i] = &all.records[i];
		assert_int_equal(at[i]->kind, i);
		assert_int_equal(at[i]->sha256[31], 31 + i);
	}
	assert_true(at[0]->shards[0].is_purged);
	assert_null(at[0]->shards[0].first);
	assert_string_equal(at[1]->name, "20261121T101532.000000Z-000000000000"
					 "00000000000000000020.json");
	assert_int_equal(oplog_checkpoint_encode(at, all.n, all.archive_id,
						 all.time, NULL, NULL, &b, &n,
						 &err),
			 RC_OK);
	assert_int_equal(n, 6);
	golden_read("good-log-checkpoint", &golden);
	assert_string_equal(buf_str(&b), buf_str(&golden));
	release(&all);
	assert_int_equal(decoded("good-log-checkpoint-none", &all), RC_OK);
	assert_int_equal(all.n, 0);
}

static void bad_ones_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct read all = { .n = 0 };
		char name[64];

		snprintf(name, sizeof(name), "bad-log-checkpoint-%s",
			 bad[i].name);
		if (decoded(name, &all) != bad[i].rc ||
		    !strstr(err.msg, bad[i].says))
			fail_msg("%s: rc %d, %s", name, err.rc, err.msg);
		release(&all);
	}
}

static bool is_gone(void *arg, const struct shard_meta *m)
{
	(void)arg;
	return m->part == 12;
}

static void names_of_what_is_gone_are_left_out(void **state)
{
	CLEANUP_BUF struct buf b = { .max = OPLOG_CHECKPOINT_MAX };
	struct read all = { .n = 0 }, again = { .n = 0 };
	const struct oplog_record *repack;
	bool is_less = false;
	size_t n = 0;

	(void)state;
	assert_int_equal(decoded("good-log-checkpoint", &all), RC_OK);
	repack = &all.records[1];
	assert_string_equal(repack->shards[0].last, "a/caf\xc3\xa9 \"x\"\n");
	assert_int_equal(oplog_checkpoint_encode(&repack, 1, all.archive_id,
						 all.time, is_gone, NULL, &b,
						 &n, &err),
			 RC_OK);
	assert_null(strstr(buf_str(&b), "caf"));
	assert_int_equal(oplog_checkpoint_decode(b.p, b.len, again.archive_id,
						 &again.time, take, &again,
						 &err),
			 RC_OK);
	/* The one with more gets it from the one with less, not back. */
	assert_int_equal(
		oplog_record_reduce(&again.records[0], repack, &is_less, &err),
		RC_OK);
	assert_true(is_less);
	assert_true(again.records[0].shards[0].is_purged);
	assert_int_equal(oplog_record_reduce(&all.records[1], &again.records[0],
					     &is_less, &err),
			 RC_OK);
	assert_false(is_less);
	assert_true(all.records[1].shards[0].is_purged);
	again.records[0].sha256[0]++;
	assert_int_equal(oplog_record_reduce(&all.records[1], &again.records[0],
					     &is_less, &err),
			 RC_CORRUPT);
	release(&all);
	release(&again);
}

static void names_have_times(void **state)
{
	char key[OPLOG_CHECKPOINT_KEY_TEXT];
	int64_t time = 0;

	(void)state;
	assert_int_equal(oplog_checkpoint_key(INT64_C(1795256130123456), key,
					      sizeof(key), &err),
			 RC_OK);
	assert_memory_equal(key, "log/checkpoint-20261121T101530.123456Z-", 39);
	assert_true(oplog_checkpoint_name_time(key + 4, &time));
	assert_true(time == INT64_C(1795256130123456));
	assert_false(oplog_checkpoint_name_time(key, &time));
	assert_false(
		oplog_checkpoint_name_time("checkpoint-202611.json", &time));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_are_read_and_written),
		cmocka_unit_test(bad_ones_are_refused),
		cmocka_unit_test(names_of_what_is_gone_are_left_out),
		cmocka_unit_test(names_have_times),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
