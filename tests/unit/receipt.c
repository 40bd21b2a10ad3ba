/* SPDX-License-Identifier: Apache-2.0 */
/* receipt.c - tests of what proves that a deletion was done. */
#include "config.h"

#include "erase/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "changed-text.h"
#include "erase/receipt-share.h"
#include "unit.h"

#define TIME INT64_C(1795256130123456) /* 2026-11-21T10:15:30.123456Z */

/* printf 'a/b\0until 2026-11-21T10:15:30.123456Z' |
 *	openssl dgst -sha256 -mac HMAC -macopt hexkey:5a5a...
 */
#define SUBJECT \
	"8361f68a7986911ae9250cafebb2e226518d1fe4248b0feb97e422e332432790"
#define ROOT_1 \
	"1111111111111111111111111111111111111111111111111111111111111111"
#define ROOT_2 \
	"2222222222222222222222222222222222222222222222222222222222222222"
#define ROOT_3 \
	"3333333333333333333333333333333333333333333333333333333333333333"

static const char good[] =
	"{\"asked\":\"2026-11-21T10:15:30.123456Z\",\"by\":\"op\","
	"\"hidden\":\"2026-11-21T10:15:31.000000Z\","
	"\"id\":\"000102030405060708090a0b0c0d0e0f\",\"purged\":["
	"{\"how\":\"removed\",\"root\":\"" ROOT_1 "\","
	"\"time\":\"2026-11-22T10:15:30.123456Z\",\"zone\":\"disk\"},"
	"{\"how\":\"pending\",\"root\":\"" ROOT_1 "\","
	"\"time\":\"2026-11-22T10:15:30.123456Z\","
	"\"until\":\"2033-01-01T00:00:00.000000Z\",\"zone\":\"s3\"}],"
	"\"reason\":\"retention\",\"replaced\":["
	"{\"from\":\"" ROOT_1 "\",\"time\":\"2026-11-21T11:00:00.000000Z\","
	"\"to\":[\"" ROOT_2 "\",\"" ROOT_3 "\"]}],"
	"\"subject\":\"" SUBJECT "\"}";

static const struct change bad[] = {
	{ "", "", RC_CORRUPT, "line 1" },
	{ "", "[]", RC_CORRUPT, "not a JSON object" },
	{ "asked", "a", RC_CORRUPT, "no member asked" },
	{ "\"hidden\":\"2026", "\"hidden\":\"026", RC_CORRUPT, "hidden" },
	{ "\"id\":\"00", "\"id\":\"", RC_CORRUPT, "id is not 32 hex digits" },
	{ "subject\":\"", "subject\":\"0", RC_CORRUPT,
	  "subject is not 64 hex digits" },
	{ "retention", "other", RC_UNSUPPORTED, "reason other" },
	{ "purged", "p", RC_CORRUPT, "no member purged" },
	{ "replaced\":[", "replaced\":[7,", RC_CORRUPT,
	  "replaced 0: no member from" },
	{ "removed", "burnt", RC_UNSUPPORTED,
	  "purged 0: how burnt is not known here" },
	{ "pending", "version-removed", RC_CORRUPT,
	  "purged 1: version-removed has an until" },
	{ "disk", "t", RC_CORRUPT, "purged 1 is not in order" },
	{ "disk", "s3", RC_CORRUPT, "purged 1 is not in order" },
	{ "disk", "", RC_CORRUPT, "purged 0: zone has 0 bytes" },
	{ "disk", "\\u001b", RC_CORRUPT, "purged 0: zone has a control" },
	{ "\"to\":[\"2", "\"to\":[\"", RC_CORRUPT,
	  "replaced 0: to 0 is not 64 hex digits" },
	{ "\"to\":[\"2", "\"to\":[\"" ROOT_3 "\",\"2", RC_CORRUPT,
	  "replaced 0: to 1 is not in order" },
	{ "\"to\":[\"2", "\"to\":[0,\"2", RC_CORRUPT,
	  "replaced 0: to 0 is not 64 hex digits" },
	{ "[{\"from\":\"1",
	  "[{\"from\":\"" ROOT_1 "\",\"to\":[],\"time\":"
	  "\"2026-11-21T11:00:00.000000Z\"},{\"from\":\"1",
	  RC_CORRUPT, "replaced 1: from is not in order" },
};

static struct receipt_root root_of(int byte)
{
	struct receipt_root ret;

	memset(ret.b, byte, sizeof(ret.b));
	return ret;
}

static void salt_of(int byte, uint8_t salt[RECEIPT_SALT_LEN])
{
	memset(salt, byte, RECEIPT_SALT_LEN);
}

static void make(struct receipt *r)
{
	const struct receipt_root one = root_of(0x11);
	const struct receipt_root to[] = { root_of(0x33), root_of(0x22) };
	uint8_t salt[RECEIPT_SALT_LEN];

	*r = (struct receipt){ .asked = TIME, .hidden = TIME + 876544 };
	salt_of(0x5a, salt);
	receipt_subject(salt, "a/b", 3, ERASURE_UNTIL, TIME, r->subject);
	for (size_t i = 0; i < sizeof(r->id); i++)
		r->id[i] = (uint8_t)i;
	r->words.reason = ERASURE_RETENTION;
	r->words.by = strdup("op");
	receipt_add_replaced(r, &one, to, 2, INT64_C(1795258800000000));
	receipt_add_purged(r, &one, "s3", RECEIPT_PENDING,
			   TIME + INT64_C(86400000000),
			   INT64_C(1988150400000000));
	receipt_add_purged(r, &one, "disk", RECEIPT_REMOVED,
			   TIME + INT64_C(86400000000), 7);
}

static void what_is_written_is_the_form_in_the_manual(void **state)
{
	CLEANUP(receipt_release) struct receipt r = { 0 };
	CLEANUP_BUF struct buf b = { .max = RECEIPT_MAX };
	struct err err = { 0 };

	(void)state;
	make(&r);
	assert_int_equal(receipt_encode(&r, &b, &err), RC_OK);
	assert_string_equal(buf_str(&b), good);
}

/* Of desfs-archive(5). */
static const char example[] =
	"{\"asked\":\"2026-11-22T08:00:00.000000Z\",\"by\":\"op\","
	"\"hidden\":\"2026-11-22T08:00:00.500000Z\","
	"\"id\":\"8d0f6a3c1b2e4d5f9a7b6c5d4e3f2a10\","
	"\"purged\":[{\"how\":\"removed\","
	"\"root\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\","
	"\"time\":\"2026-11-23T09:00:00.000000Z\"}],"
	"\"reason\":\"gdpr\",\"replaced\":[{"
	"\"from\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\","
	"\"time\":\"2026-11-22T08:30:00.000000Z\","
	"\"to\":[\"60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752\"]}],"
	"\"subject\":\"3d47b9174022d9b6da21636bb01aed05f38ebef3777f14de690e797c61172692\","
	"\"ticket\":\"4711\"}";

static void the_example_of_the_manual_is_of_its_tombstone(void **state)
{
	static const char uid[] = "a/caf\xc3\xa9";
	CLEANUP(receipt_release) struct receipt r = { 0 };
	CLEANUP_BUF struct buf b = { .max = RECEIPT_MAX };
	uint8_t salt[RECEIPT_SALT_LEN];
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(salt); i++)
		salt[i] = (uint8_t)i;
	assert_int_equal(receipt_decode(example, strlen(example), &r, &err),
			 RC_OK);
	assert_true(receipt_is_of(&r, salt, uid, strlen(uid), ERASURE_UNTIL,
				  INT64_C(1795334400000000)));
	assert_int_equal(receipt_encode(&r, &b, &err), RC_OK);
	assert_string_equal(buf_str(&b), example);
}

static void what_is_read_is_written_the_same(void **state)
{
	CLEANUP(receipt_release) struct receipt r = { 0 };
	CLEANUP_BUF struct buf b = { .max = RECEIPT_MAX };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(receipt_decode(good, strlen(good), &r, &err), RC_OK);
	assert_int_equal(r.n_replaced, 1);
	assert_int_equal(r.replaced[0].n_to, 2);
	assert_int_equal(r.n_purged, 2);
	assert_string_equal(r.purged[0].zone, "disk");
	assert_int_equal(r.purged[1].how, RECEIPT_PENDING);
	assert_int_equal(receipt_encode(&r, &b, &err), RC_OK);
	assert_string_equal(buf_str(&b), good);
}

/* With a sanitizer: there is room behind three of what was read. */
static void what_is_read_can_be_added_to(void **state)
{
	CLEANUP(receipt_release) struct receipt r = { 0 };
	CLEANUP(receipt_release) struct receipt back = { 0 };
	CLEANUP_BUF struct buf b = { .max = RECEIPT_MAX };
	const struct receipt_root two = root_of(0x12);
	struct err err = { 0 };

	(void)state;
	make(&r);
	receipt_add_purged(&r, &two, NULL, RECEIPT_REMOVED, TIME, 0);
	assert_int_equal(receipt_encode(&r, &b, &err), RC_OK);
	assert_int_equal(receipt_decode(b.p, b.len, &back, &err), RC_OK);
	for (uint8_t i = 3; i < 9; i++) {
		const struct receipt_root more = root_of(0x20 + i);

		assert_int_equal(back.n_purged, i);
		receipt_add_purged(&back, &more, "s3", RECEIPT_REMOVED, TIME,
				   0);
	}
	assert_int_equal(back.n_purged, 9);
	assert_string_equal(back.purged[8].zone, "s3");
}

static void a_receipt_is_of_its_uid_and_versions_alone(void **state)
{
	CLEANUP(receipt_release) struct receipt r = { 0 };
	uint8_t salt[RECEIPT_SALT_LEN], other[RECEIPT_SALT_LEN];

	(void)state;
	make(&r);
	salt_of(0x5a, salt);
	salt_of(0x5b, other);
	assert_true(receipt_is_of(&r, salt, "a/b", 3, ERASURE_UNTIL, TIME));
	assert_false(receipt_is_of(&r, other, "a/b", 3, ERASURE_UNTIL, TIME));
	assert_false(receipt_is_of(&r, salt, "a/c", 3, ERASURE_UNTIL, TIME));
	assert_false(receipt_is_of(&r, salt, "a/b", 2, ERASURE_UNTIL, TIME));
	assert_false(receipt_is_of(&r, salt, "a/b", 3, ERASURE_ONE, TIME));
	assert_false(
		receipt_is_of(&r, salt, "a/b", 3, ERASURE_UNTIL, TIME + 1));
}

static void a_receipt_is_final_when_nothing_is_pending(void **state)
{
	CLEANUP(receipt_release) struct receipt r = { 0 };
	struct receipt none = { 0 };

	(void)state;
	make(&r);
	assert_false(receipt_is_final(&r));
	assert_true(receipt_is_final(&none));
	r.purged[0].how = RECEIPT_VERSION_REMOVED;
	r.purged[1].how = RECEIPT_REMOVED;
	assert_true(receipt_is_final(&r));
}

static void missing_zones_words_and_ends_are_no_error(void **state)
{
	static const struct change fine[] = {
		{ ",\"zone\":\"disk\"", "", RC_OK, "" },
		{ "\"by\":\"op\",", "", RC_OK, "" },
		{ ",\"until\":\"2033-01-01T00:00:00.000000Z\"", "", RC_OK, "" },
		{ "\"to\":[\"" ROOT_2 "\",\"" ROOT_3 "\"]", "\"to\":[]", RC_OK,
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		CLEANUP(receipt_release) struct receipt r = { 0 };
		CLEANUP_BUF struct buf b = { 0 };
		CLEANUP_BUF struct buf out = { .max = RECEIPT_MAX };
		struct err err = { 0 };

		change_text(good, fine[i].from, fine[i].to, &b);
		assert_int_equal(receipt_decode(b.p, b.len, &r, &err), RC_OK);
		assert_int_equal(receipt_encode(&r, &out, &err), RC_OK);
		assert_string_equal(buf_str(&out), buf_str(&b));
	}
}

static void bad_receipts_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP_BUF struct buf b = { 0 };
		struct receipt r = { 0 };
		struct err err = { 0 };

		change_text(good, bad[i].from, bad[i].to, &b);
		if ((int)receipt_decode(b.p, b.len, &r, &err) != bad[i].rc ||
		    !strstr(err.msg, bad[i].says))
			fail_msg("change %zu: rc %d, %s", i, err.rc, err.msg);
		assert_null(r.replaced);
		assert_null(r.purged);
	}
}

static void what_cannot_be_read_is_not_written(void **state)
{
	const struct receipt_root one = root_of(0x11);
	const struct receipt_root twice[] = { one, one };

	(void)state;
	for (int i = 0; i < 9; i++) {
		CLEANUP(receipt_release) struct receipt r = { 0 };
		CLEANUP_BUF struct buf b = { .max = RECEIPT_MAX };
		struct err err = { 0 };
		int rc = RC_USAGE;

		make(&r);
		switch (i) {
		case 0: r.asked = INT64_MAX; break;
		case 1: receipt_add_replaced(&r, &one, NULL, 0, TIME); break;
		case 2:
			r.replaced[0].from = root_of(0x10);
			receipt_add_replaced(&r, &one, twice, 2, TIME);
			break;
		case 3:
			receipt_add_purged(&r, &one, "s3", RECEIPT_REMOVED,
					   TIME, 0);
			break;
		case 4:
			receipt_add_purged(&r, &one, "\xc0", RECEIPT_REMOVED,
					   TIME, 0);
			break;
		case 5:
			free(r.words.by);
			r.words.by = strdup("");
			break;
		case 6:
			receipt_add_purged(&r, &one, "z", RECEIPT_PENDING, TIME,
					   INT64_MAX);
			break;
		case 7:
			for (uint32_t k = 0; k < RECEIPT_ITEMS_MAX; k++)
				receipt_add_replaced(&r, &one, NULL, 0, TIME);
			rc = RC_LIMIT;
			break;
		default:
			for (uint32_t k = 0; k < RECEIPT_ITEMS_MAX; k++)
				receipt_add_purged(&r, &one, NULL,
						   RECEIPT_REMOVED, TIME, 0);
			rc = RC_LIMIT;
		}
		assert_int_equal(receipt_encode(&r, &b, &err), rc);
	}
}

static void check_text(struct receipt *r, const char *want)
{
	CLEANUP_BUF struct buf b = { .max = 65536 };
	struct err err;

	assert_int_equal(receipt_encode(r, &b, &err), RC_OK);
	assert_string_equal(buf_str(&b), want);
}

static void what_receipts_say_alike_is_there_once(void **state)
{
	static const char *const others[][2] = {
		{ "\"op\"", "\"o\"" },
		{ "retention", "gdpr" },
		{ "\"disk\"", "\"disc\"" },
		{ "2033", "2034" },
		{ "21T11:00", "21T11:01" },
		{ "22T10:15:30.1", "22T10:15:30.2" },
		{ "to\":[\"2222", "to\":[\"2122" },
	};
	struct receipt_share *share = receipt_share_new();
	struct receipt first = { 0 }, r = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(receipt_decode(good, strlen(good), &first, &err),
			 RC_OK);
	receipt_share_add(share, &first);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		CLEANUP_BUF struct buf b = { 0 };
		const char *text;

		change_text(good, others[i][0], others[i][1], &b);
		text = buf_str(&b);
		assert_int_equal(receipt_decode(text, strlen(text), &r, &err),
				 RC_OK);
		receipt_share_add(share, &r);
		assert_ptr_not_equal(r.replaced, first.replaced);
		check_text(&r, text);
		receipt_release(&r);
	}
	receipt_share_add(share, &r); /* of nothing */
	receipt_release(&r);
	receipt_share_free(share);
	share = receipt_share_new();
	assert_int_equal(receipt_decode(good, strlen(good), &r, &err), RC_OK);
	receipt_share_add(share, &r);
	receipt_release(&first);
	assert_int_equal(receipt_decode(good, strlen(good), &first, &err),
			 RC_OK);
	receipt_share_add(share, &first);
	assert_ptr_equal(r.replaced, first.replaced);
	assert_ptr_equal(r.purged, first.purged);
	assert_ptr_equal(r.words.by, first.words.by);
	receipt_share_free(share);
	receipt_release(&r);
	check_text(&first, good);
	receipt_release(&first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_the_form_in_the_manual),
		cmocka_unit_test(the_example_of_the_manual_is_of_its_tombstone),
		cmocka_unit_test(what_is_read_is_written_the_same),
		cmocka_unit_test(what_is_read_can_be_added_to),
		cmocka_unit_test(a_receipt_is_of_its_uid_and_versions_alone),
		cmocka_unit_test(a_receipt_is_final_when_nothing_is_pending),
		cmocka_unit_test(missing_zones_words_and_ends_are_no_error),
		cmocka_unit_test(bad_receipts_are_refused),
		cmocka_unit_test(what_receipts_say_alike_is_there_once),
		cmocka_unit_test(what_cannot_be_read_is_not_written),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
