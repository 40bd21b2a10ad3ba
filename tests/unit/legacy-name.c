/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-name.c - tests of what names of older archives tell. */
#include "config.h"

#include "legacy/legacy-name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "legacy/legacy-bits.h"
#include "unit.h"

#define H64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct known {
	const char *key;
	enum legacy_name_kind kind;
	uint32_t day;
	uint32_t slot;
	unsigned int hex_width;
	uint64_t number;
	const char *file;
};

static const struct known good[] = {
	{ "20250115_0A_0000.des", LEGACY_NAME_SHARD, 20250115, 10, 2, 0, "" },
	{ "20240229_F_0012.des", LEGACY_NAME_SHARD, 20240229, 15, 1, 12, "" },
	{ "20250115_3FF_9999.des", LEGACY_NAME_SHARD, 20250115, 1023, 3, 9999,
	  "" },
	{ "20250115_FFFF_10000.meta", LEGACY_NAME_META, 20250115, 65535, 4,
	  10000, "" },
	{ "20250115_00_999999999999999999.des", LEGACY_NAME_SHARD, 20250115, 0,
	  2, 999999999999999999, "" },
	{ "330102_00_0000.des", LEGACY_NAME_SHARD, 330102, 0, 2, 0, "" },
	{ "00330102_00_0000.des", LEGACY_NAME_SHARD, 330102, 0, 2, 0, "" },
	{ "10101_00_0000.meta", LEGACY_NAME_META, 10101, 0, 2, 0, "" },
	{ "_bigFiles/" H64, LEGACY_NAME_BIG_FILE, 0, 0, 0, 0, H64 },
	{ "2025-01-15/0a.des", LEGACY_NAME_CONTAINER, 20250115, 10, 2, 0, "" },
	{ "0033-01-02/ffffffff.des", LEGACY_NAME_CONTAINER, 330102, UINT32_MAX,
	  8, 0, "" },
	{ "2025-01-15/shard_00.des", LEGACY_NAME_CONTAINER_NUMBER, 20250115, 0,
	  2, 0, "" },
	{ "2025-01-15/shard_4294967295.des", LEGACY_NAME_CONTAINER_NUMBER,
	  20250115, UINT32_MAX, 10, 0, "" },
	{ "2025-01-15/_bigFiles/a b.pdf", LEGACY_NAME_EXTERNAL, 20250115, 0, 0,
	  0, "a b.pdf" },
};

static bool parse(const char *key, size_t len, struct legacy_name *ret)
{
	char *exact = malloc(len ? len : 1);
	bool is_one;

	memcpy(exact, key, len);
	is_one = legacy_name_parse(exact, len, ret);
	/* It must not be needed, but for what is borrowed. */
	if (is_one && ret->file.len)
		ret->file.p = key + (ret->file.p - exact);
	free(exact);
	return is_one;
}

static void what_the_original_writes_is_known(void **state)
{
	struct legacy_name n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const struct known *k = &good[i];

		if (!parse(k->key, strlen(k->key), &n))
			fail_msg("%s", k->key);
		assert_int_equal(n.kind, k->kind);
		assert_int_equal(n.day, k->day);
		assert_int_equal(n.slot, k->slot);
		assert_int_equal(n.hex_width, k->hex_width);
		assert_int_equal(n.number, k->number);
		assert_int_equal(n.file.len, strlen(k->file));
		assert_memory_equal(n.file.p ? n.file.p : "", k->file,
				    n.file.len);
	}
}

static void all_else_is_of_no_older_archive(void **state)
{
	static const char *const bad[] = {
		"",
		".des",
		"_",
		"desfs.json",
		"20250115/0A.des",
		"20250115/20250115_0A_0000_9f86d081884c7d65.des",
		"20250115_0A_0000",
		"20250115_0A_0000.des ",
		"20250115_0A_0000.DES",
		"20250115_0A_0000.des.tmp",
		"20250115_0A_0000.metadata",
		" 20250115_0A_0000.des",
		"x/20250115_0A_0000.des",
		"20250115_0a_0000.des",
		"20250115__0000.des",
		"20250115_0G_0000.des",
		"20250115_00F_000.des",
		"20250115_01000_0000.des",
		"20250115_10000_0000.des",
		"20250115_0A_000.des",
		"20250115_0A_00000.des",
		"20250115_0A_09999.des",
		"20250115_0A_-001.des",
		"20250115_0A_1000000000000000000.des",
		"20250115_0A_0000_R001.des",
		"20250229_0A_0000.des",
		"20251301_0A_0000.des",
		"20250100_0A_0000.des",
		"20250132_0A_0000.des",
		"00000101_0A_0000.des",
		"0101_0A_0000.des",
		"0330102_0A_0000.des",
		"120250115_0A_0000.des",
		"2025-01-15_0A_0000.des",
		"_bigFiles",
		"_bigFiles/",
		"_bigFiles/../20250115_0A_0000.des",
		"_bigFiles/" H64 "0",
		"_bigFiles/X123456789abcdef0123456789abcdef0123456789abcdef0123"
		"456789abcdef",
		"_bigFiles/A123456789abcdef0123456789abcdef0123456789abcdef0123"
		"456789abcdef",
		"2025-01-15",
		"2025-01-15/",
		"2025-01-15/.des",
		"2025-01-15/0A.des",
		"2025-01-15/123456789.des",
		"2025-01-15/0a.meta",
		"2025-1-15/0a.des",
		"2025-02-29/0a.des",
		"33-01-02/0a.des",
		"2025-01-15/shard_0.des",
		"2025-01-15/shard_000.des",
		"2025-01-15/shard_0a.des",
		"2025-01-15/shard_4294967296.des",
		"2025-01-15/_bigFiles/",
		"2025-01-15/_bigFiles/a/b",
		"2025-01-15//0a.des",
	};
	struct legacy_name n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (parse(bad[i], strlen(bad[i]), &n))
			fail_msg("%s", bad[i]);
		assert_int_equal(n.kind, LEGACY_NAME_NONE);
	}
	assert_false(parse("20250115_0A_0000.de\0", 20, &n));
	assert_false(parse("20250115_0A_0000.des\0", 21, &n));
}

/* No byte may be changed to make another name of the same. */
static void no_two_names_are_the_same_shard(void **state)
{
	struct legacy_name a, b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		size_t len = strlen(good[i].key);
		char *key = strdup(good[i].key);

		assert_true(parse(good[i].key, len, &a));
		for (size_t at = 0; at < len; at++) {
			for (int c = 0; c < 256; c++) {
				if (c == (uint8_t)good[i].key[at])
					continue;
				key[at] = (char)c;
				if (!parse(key, len, &b))
					continue;
				assert_false(a.kind == b.kind &&
					     a.day == b.day &&
					     a.slot == b.slot &&
					     a.number == b.number &&
					     span_equal(a.file, b.file));
			}
			key[at] = good[i].key[at];
			/* And cut short it is none, or another. */
			if (parse(key, at, &b))
				assert_false(a.kind == b.kind &&
					     a.number == b.number &&
					     span_equal(a.file, b.file));
		}
		free(key);
	}
}

static void every_slot_of_all_n_bits_is_known(void **state)
{
	(void)state;
	for (unsigned int n = LEGACY_BITS_MIN; n <= LEGACY_BITS_MAX; n++) {
		for (uint32_t slot = 0; slot >> n == 0; slot++) {
			struct legacy_name name;
			char key[LEGACY_BITS_KEY];
			int len = snprintf(key, sizeof(key),
					   "20250115_%0*X_0000.des",
					   (int)(n / 4), slot);

			if (!legacy_name_parse(key, (size_t)len, &name) ||
			    name.slot != slot ||
			    !legacy_name_slot_fits(slot, name.hex_width, n))
				fail_msg("%s", key);
			assert_true(legacy_name_is_of(&name, 20250115, slot));
			assert_false(
				legacy_name_is_of(&name, 20250115, slot + 1));
			assert_false(legacy_name_is_of(&name, 20250116, slot));
		}
	}
}

static void the_original_looks_in_the_order_of_bytes(void **state)
{
	(void)state;
	assert_true(legacy_name_compare(span_of("20250115_0A_10000.des", 21),
					span_of("20250115_0A_9999.des", 20)) <
		    0);
	assert_true(legacy_name_compare(span_of("20250115_0A_0001.des", 20),
					span_of("20250115_0A_0000.des", 20)) >
		    0);
}

static void tell(struct legacy_bits *b, const char *key)
{
	struct legacy_name n;

	assert_true(legacy_name_parse(key, strlen(key), &n));
	legacy_bits_name(b, &n, span_of(key, strlen(key)));
}

static unsigned int bits_of(const struct legacy_bits *b)
{
	unsigned int n = 0;
	struct err err;

	if (legacy_bits_get(b, 0, &n, &err))
		fail_msg("%s", err.msg);
	return n;
}

static void n_bits_is_read_off_the_names(void **state)
{
	static const struct {
		const char *keys[3];
		unsigned int n_bits;
		bool is_sure;
	} known[] = {
		{ { NULL }, 8, false },
		{ { "20250115_0_0000.des" }, 4, false },
		{ { "20250115_F_0000.des", "20250115_1F_0000.des" }, 5, false },
		{ { "20250115_F_0000.des", "20250115_7F_0000.des" }, 7, true },
		{ { "20250115_1F_0000.des" }, 5, false },
		{ { "20250115_0A_0000.des" }, 8, false },
		{ { "20250115_0A_0000.meta" }, 8, false },
		{ { "20250115_07_0000.des", "20250115_3FF_0000.des" },
		  10,
		  false },
		{ { "20250115_07_0000.des", "20250115_7FF_0000.des" },
		  11,
		  true },
		{ { "20250115_00A_0000.des" }, 12, false },
		{ { "20250115_000A_0000.des" }, 16, true },
		{ { "20250115_00A_0000.des", "20250115_4000_0000.des" },
		  15,
		  true },
		{ { "2025-01-15/0a.des", "20250115_0_0000.des" }, 4, false },
	};
	struct legacy_bits b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		legacy_bits_init(&b);
		for (size_t j = 0; j < 3 && known[i].keys[j]; j++)
			tell(&b, known[i].keys[j]);
		assert_int_equal(bits_of(&b), known[i].n_bits);
		assert_int_equal(legacy_bits_is_sure(&b), known[i].is_sure);
	}
}

/* All names of an archive are explained by what its n_bits is. */
static void all_slots_together_leave_one_n_bits(void **state)
{
	(void)state;
	for (unsigned int n = LEGACY_BITS_MIN; n <= LEGACY_BITS_MAX; n++) {
		struct legacy_bits b;

		legacy_bits_init(&b);
		for (uint32_t slot = 0; slot >> n == 0; slot++) {
			char key[LEGACY_BITS_KEY];

			snprintf(key, sizeof(key), "20250115_%0*X_0000.des",
				 (int)(n / 4), slot);
			tell(&b, key);
		}
		assert_int_equal(bits_of(&b), n);
	}
}

static void names_that_no_n_bits_explains_are_named(void **state)
{
	char text[LEGACY_BITS_TEXT];
	struct legacy_bits b;
	struct err err;
	unsigned int n;

	(void)state;
	legacy_bits_init(&b);
	tell(&b, "20250115_0A_0000.des");
	tell(&b, "20250115_00B_0000.des");
	tell(&b, "20250115_C_0000.des");
	assert_int_equal(legacy_bits_get(&b, 0, &n, &err), RC_CORRUPT);
	assert_non_null(strstr(err.msg, "20250115_0A_0000.des"));
	assert_non_null(strstr(err.msg, "20250115_00B_0000.des"));
	assert_int_equal(legacy_bits_get(&b, 8, &n, &err), RC_CORRUPT);
	legacy_bits_text(&b, text);
	assert_string_equal(text, err.msg);
}

static void n_bits_that_was_given_must_agree_with_the_names(void **state)
{
	struct legacy_bits b;
	struct err err;
	unsigned int n = 0;

	(void)state;
	legacy_bits_init(&b);
	assert_int_equal(legacy_bits_get(&b, 16, &n, &err), RC_OK);
	assert_int_equal(n, 16);
	tell(&b, "20250115_0A_0000.des");
	tell(&b, "20250115_1FF_0000.des");
	assert_int_equal(legacy_bits_get(&b, 11, &n, &err), RC_OK);
	assert_int_equal(n, 11);
	assert_int_equal(legacy_bits_get(&b, 8, &n, &err), RC_USAGE);
	assert_non_null(strstr(err.msg, "20250115_1FF_0000.des"));
	assert_int_equal(legacy_bits_get(&b, 12, &n, &err), RC_USAGE);
	assert_non_null(strstr(err.msg, "20250115_0A_0000.des"));
	assert_int_equal(legacy_bits_get(&b, 3, &n, &err), RC_USAGE);
	assert_int_equal(legacy_bits_get(&b, 17, &n, &err), RC_USAGE);
	assert_int_equal(n, 11);
}

static void what_was_inferred_is_told(void **state)
{
	char text[LEGACY_BITS_TEXT];
	struct legacy_bits b;

	(void)state;
	legacy_bits_init(&b);
	legacy_bits_text(&b, text);
	assert_string_equal(text, "n_bits is 8: there is no shard, so it is "
				  "the default");
	tell(&b, "2025-01-15/0a.des");
	legacy_bits_text(&b, text);
	assert_string_equal(text, "containers of Datavision do without n_bits");
	tell(&b, "20250115_0A_0000.des");
	legacy_bits_text(&b, text);
	assert_string_equal(text, "n_bits is 8: from the names of 1 objects; "
				  "the smallest, up to 11 is possible");
	tell(&b, "20250115_7FF_0000.des");
	legacy_bits_text(&b, text);
	assert_string_equal(text, "n_bits is 11: from the names of 2 objects; "
				  "no other is possible");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_original_writes_is_known),
		cmocka_unit_test(all_else_is_of_no_older_archive),
		cmocka_unit_test(no_two_names_are_the_same_shard),
		cmocka_unit_test(every_slot_of_all_n_bits_is_known),
		cmocka_unit_test(the_original_looks_in_the_order_of_bytes),
		cmocka_unit_test(n_bits_is_read_off_the_names),
		cmocka_unit_test(all_slots_together_leave_one_n_bits),
		cmocka_unit_test(names_that_no_n_bits_explains_are_named),
		cmocka_unit_test(
			n_bits_that_was_given_must_agree_with_the_names),
		cmocka_unit_test(what_was_inferred_is_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
