/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-record.c - tests of log records with golden files. */
#include "config.h"

#include "volume/oplog.h"

#include <string.h>

#include "base/cleanup.h"
#include "golden.h"
#include "shard/route.h"
#include "unit.h"

static const struct {
	const char *name;
	enum rc rc;
	const char *says;
} bad[] = {
	{ "version", RC_UNSUPPORTED, "version 2" },
	{ "kind", RC_UNSUPPORTED, "kind checkpoint" },
	{ "route", RC_UNSUPPORTED, "route random" },
	{ "no-kind", RC_CORRUPT, "no member kind" },
	{ "no-version", RC_CORRUPT, "no member version" },
	{ "no-shards", RC_CORRUPT, "no member shards" },
	{ "no-digest", RC_CORRUPT, "no member digest" },
	{ "digest", RC_CORRUPT, "digest does not fit" },
	{ "array", RC_CORRUPT, "not a JSON object" },
	{ "cut", RC_CORRUPT, "line 1" },
	{ "archive-id", RC_CORRUPT, "archive_id is not 32 hex digits" },
	{ "time", RC_CORRUPT, "time is 2026-11-21T10:15:31Z" },
	{ "order", RC_CORRUPT, "not in order" },
	{ "same-key", RC_CORRUPT, "not in order" },
	{ "shard-type", RC_CORRUPT, "shard 0" },
	{ "key", RC_CORRUPT, "the other members give" },
	{ "key-escape", RC_CORRUPT, "the other members give" },
	{ "root", RC_CORRUPT, "the other members give" },
	{ "root-short", RC_CORRUPT, "root is not 64 hex digits" },
	{ "day", RC_CORRUPT, "20261131, which is no date" },
	{ "slot", RC_CORRUPT, "slot is 16, not 0 to 15" },
	{ "part", RC_CORRUPT, "part is 10000" },
	{ "revision", RC_CORRUPT, "revision is 1000" },
	{ "n-bits", RC_CORRUPT, "n_bits is 3" },
	{ "size", RC_CORRUPT, "size is 703" },
	{ "size-sign", RC_CORRUPT, "size is -1" },
	{ "files", RC_CORRUPT, "4 files in 3 entries" },
	{ "first-last", RC_CORRUPT, "first comes after last" },
	{ "name-form", RC_CORRUPT, "last is not percent-encoded" },
	{ "name-long", RC_CORRUPT, "last stands for 65536 bytes" },
	{ "created", RC_CORRUPT, "created_min" },
	{ "incompat", RC_CORRUPT, "incompat is 4294967296" },
};

static enum rc decoded(const char *name, struct oplog_record *ret,
		       struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };

	golden_read(name, &b);
	return oplog_record_decode(b.p, b.len, ret, err);
}

static void good_records_are_read(void **state)
{
	CLEANUP(oplog_record_release) struct oplog_record r = { 0 };
	const struct shard_meta *m;
	struct err err;

	(void)state;
	assert_int_equal(decoded("good-oplog-two", &r, &err), RC_OK);
	assert_int_equal(r.archive_id[15], 0x0f);
	assert_int_equal(r.n_shards, 2);
	m = &r.shards[0];
	assert_string_equal(
		m->key, "20261121/20261121_00A_0012_R001_60303ae22b998861.des");
	assert_int_equal(m->route, ROUTE_UID);
	assert_int_equal(m->part, 12);
	assert_int_equal(m->revision, 1);
	m = &r.shards[1];
	assert_string_equal(m->key,
			    "20261121/20261121_A_0000_9f86d081884c7d65.des");
	assert_int_equal(m->day, 20261121);
	assert_int_equal(m->slot, 10);
	assert_int_equal(m->n_bits, 4);
	assert_int_equal(m->route, ROUTE_PARENT);
	assert_int_equal(m->first_len, 0);
	assert_string_equal(m->last, "a/caf\xc3\xa9 \"x\"\n");
	assert_int_equal(m->last_len, 12);
	assert_true(m->created_max == INT64_C(1795256130123456));
	assert_int_equal(m->n_entries, 3);
	assert_int_equal(m->n_files, 1);
	assert_true(m->plain_bytes == UINT64_C(12345678901));
	assert_int_equal(m->compat, 1);
}

static void what_later_versions_add_is_passed_over(void **state)
{
	static const char *const names[] = { "good-oplog-none",
					     "good-oplog-more" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(oplog_record_release) struct oplog_record r = { 0 };
		struct err err;

		assert_int_equal(decoded(names[i], &r, &err), RC_OK);
		assert_int_equal(r.n_shards, i);
	}
}

static void bad_records_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct oplog_record r = { 0 };
		struct err err = { 0 };
		char name[64];

		snprintf(name, sizeof(name), "bad-oplog-%s", bad[i].name);
		if (decoded(name, &r, &err) != bad[i].rc ||
		    !strstr(err.msg, bad[i].says))
			fail_msg("%s: rc %d, %s", name, err.rc, err.msg);
	}
}

static void the_written_form_is_the_golden_one(void **state)
{
	CLEANUP(oplog_record_release) struct oplog_record r = { 0 };
	CLEANUP_BUF struct buf golden = { 0 };
	CLEANUP_BUF struct buf b = { 0 };
	struct shard_meta m;
	struct err err;

	(void)state;
	golden_read("good-oplog-two", &golden);
	assert_int_equal(oplog_record_decode(golden.p, golden.len, &r, &err),
			 RC_OK);
	/* The order in memory does not matter. */
	m = r.shards[0];
	r.shards[0] = r.shards[1];
	r.shards[1] = m;
	buf_init(&b, OPLOG_RECORD_MAX);
	oplog_record_encode(&r, r.archive_id, &b);
	assert_string_equal(buf_str(&b), buf_str(&golden));
}

static void record_keys_are_fresh_and_dated(void **state)
{
	char one[80], two[80];
	struct err err;

	(void)state;
	assert_int_equal(oplog_record_key(INT64_C(1795256130123456), one,
					  sizeof(one), &err),
			 RC_OK);
	assert_int_equal(oplog_record_key(INT64_C(1795256130123456), two,
					  sizeof(two), &err),
			 RC_OK);
	assert_memory_equal(one, "log/20261121T101530.123456Z-", 28);
	assert_int_equal(strlen(one), 28 + 32 + 5);
	assert_string_equal(one + 60, ".json");
	assert_string_not_equal(one, two);
	assert_int_equal(oplog_record_key(0, one, 65, &err), RC_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_records_are_read),
		cmocka_unit_test(what_later_versions_add_is_passed_over),
		cmocka_unit_test(bad_records_are_refused),
		cmocka_unit_test(the_written_form_is_the_golden_one),
		cmocka_unit_test(record_keys_are_fresh_and_dated),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
