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
	{ "kind-repack-no-shards", RC_CORRUPT, "no member shards" },
	{ "kind-repack-no-replaces", RC_CORRUPT, "no member replaces" },
	{ "kind-repack-no-grace", RC_CORRUPT, "no member grace" },
	{ "kind-repack-no-why", RC_CORRUPT, "no member why" },
	{ "kind-tombstones-no-tombstones", RC_CORRUPT, "no member tombstones" },
	{ "kind-withdrawn-no-withdrawn", RC_CORRUPT, "no member withdrawn" },
	{ "kind-purged-no-purged", RC_CORRUPT, "no member purged" },
	{ "kind-erased-no-receipts", RC_CORRUPT, "no member receipts" },
	{ "kind-erased-no-done", RC_CORRUPT, "no member done" },
	{ "kind-erased-no-suppressed", RC_CORRUPT, "no member suppressed" },
	{ "kind-mixed", RC_CORRUPT, "kind withdrawn and has purged" },
	{ "kind-prev", RC_CORRUPT, "index.json, which is no record" },
	{ "kind-prev-later", RC_CORRUPT, "is no earlier one" },
	{ "kind-prev-sha256", RC_CORRUPT, "prev: sha256 is not" },
	{ "kind-replaces-none", RC_CORRUPT, "replaces is empty" },
	{ "kind-replaces-order", RC_CORRUPT, "replaces 1" },
	{ "kind-replaces-key", RC_CORRUPT, "replaces 0: key desfs.json" },
	{ "kind-replaces-root", RC_CORRUPT, "none of a shard with this root" },
	{ "kind-replaces-itself", RC_CORRUPT, "replaces itself" },
	{ "kind-grace-sign", RC_CORRUPT, "grace is -1" },
	{ "kind-grace-long", RC_CORRUPT, "grace is 316224001" },
	{ "kind-why", RC_UNSUPPORTED, "why fun" },
	{ "kind-tombstone-order", RC_CORRUPT, "tombstone 1 is not in order" },
	{ "kind-tombstone-key", RC_CORRUPT, "tombstones/x.json" },
	{ "kind-tombstone-sha256", RC_CORRUPT, "tombstone 0" },
	{ "kind-withdrawn-twice", RC_CORRUPT, "withdrawn 1 is not in order" },
	{ "kind-withdrawn-form", RC_CORRUPT, "not 32 hex digits" },
	{ "kind-purged-order", RC_CORRUPT, "is not in order" },
	{ "kind-purged-how", RC_UNSUPPORTED, "how lost" },
	{ "kind-purged-until", RC_CORRUPT, "removed has an until" },
	{ "kind-purged-key", RC_CORRUPT, "purged 0: key ../" },
	{ "kind-purged-zone", RC_CORRUPT, "zone" },
	{ "kind-done-order", RC_CORRUPT, "done 1 is not in order" },
	{ "kind-done-key", RC_CORRUPT, "done 0" },
	{ "kind-suppressed-key", RC_CORRUPT, "suppressed 0" },
	{ "kind-receipt", RC_CORRUPT, "receipt 0: no member subject" },
	{ "kind-receipt-twice", RC_CORRUPT, "receipt 1 is not in order" },
	{ "kind-shard-purged", RC_CORRUPT, "shard 0" },
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

static const char *const kinds[] = {
	"shards",    "repack", "lost",   "tombstones",
	"withdrawn", "purged", "erased",
};

static void all_kinds_are_written_as_they_were_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP(oplog_record_release) struct oplog_record r = { 0 };
		CLEANUP_BUF struct buf golden = { 0 };
		CLEANUP_BUF struct buf b = { 0 };
		char name[64];
		struct err err = { 0 };

		snprintf(name, sizeof(name), "good-oplog-kind-%s", kinds[i]);
		golden_read(name, &golden);
		if (oplog_record_decode(golden.p, golden.len, &r, &err))
			fail_msg("%s: %s", name, err.msg);
		buf_init(&b, OPLOG_RECORD_MAX);
		oplog_record_encode(&r, r.archive_id, &b);
		assert_string_equal(buf_str(&b), buf_str(&golden));
	}
}

static void the_members_of_all_kinds_are_read(void **state)
{
	struct oplog_record r = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(decoded("good-oplog-kind-shards", &r, &err), RC_OK);
	assert_true(r.allow_erased);
	assert_string_equal(r.prev.name,
			    "20261121T101530.999999Z-0123456789abcdef"
			    "0123456789abcdef.json");
	assert_int_equal(r.prev.sha256[0], 0x60);
	oplog_record_release(&r);
	assert_int_equal(decoded("good-oplog-kind-repack", &r, &err), RC_OK);
	assert_int_equal(r.kind, OPLOG_REPACK);
	assert_int_equal(r.n_replaces, 2);
	assert_string_equal(
		r.replaces[1].key,
		"20261121/20261121_A_0001_R012_9f86d081884c7d65.des");
	assert_int_equal(r.grace, 86400);
	assert_int_equal(r.why, OPLOG_MERGE);
	assert_int_equal(r.n_shards, 1);
	oplog_record_release(&r);
	assert_int_equal(decoded("good-oplog-kind-tombstones", &r, &err),
			 RC_OK);
	assert_int_equal(r.n_tombstones, 2);
	assert_int_equal(r.tombstones[1].count, 2);
	oplog_record_release(&r);
	assert_int_equal(decoded("good-oplog-kind-purged", &r, &err), RC_OK);
	assert_int_equal(r.n_purged, 4);
	assert_null(r.purged[0].zone);
	assert_string_equal(r.purged[3].zone, "caf\xc3\xa9");
	assert_true(r.purged[2].until == RECEIPT_UNKNOWN);
	assert_true(r.purged[3].until != RECEIPT_UNKNOWN);
	oplog_record_release(&r);
	assert_int_equal(decoded("good-oplog-kind-erased", &r, &err), RC_OK);
	assert_int_equal(r.n_receipts, 1);
	assert_int_equal(r.n_done, 2);
	assert_int_equal(r.n_suppressed, 1);
	oplog_record_release(&r);
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
		cmocka_unit_test(all_kinds_are_written_as_they_were_read),
		cmocka_unit_test(the_members_of_all_kinds_are_read),
		cmocka_unit_test(record_keys_are_fresh_and_dated),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
