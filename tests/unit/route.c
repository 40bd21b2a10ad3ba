/* SPDX-License-Identifier: Apache-2.0 */
/* route.c - tests of the routing against vectors of the original and of Python.
 */
#include "config.h"

#include "shard/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "unit.h"

static struct timestamp at(const char *text)
{
	struct timestamp ts;
	struct err err;

	if (timestamp_parse(text, &ts, &err))
		fail_msg("%s", err.msg);
	return ts;
}

static struct route located(enum route_kind kind, unsigned int n_bits,
			    const char *uid)
{
	struct timestamp ts = at("2025-03-04T23:30:00-05:00");
	struct route r;
	struct err err;

	if (locate_shard(ROUTE_V3, kind, n_bits, uid, strlen(uid), &ts, &r,
			 &err))
		fail_msg("%s: %s", uid, err.msg);
	assert_int_equal(r.slot, route_slot(kind, n_bits, uid, strlen(uid)));
	return r;
}

static unsigned int nibble(char c)
{
	const char *digits = "0123456789abcdef";
	const char *p = strchr(digits, c);

	assert_true(p && *p);
	return (unsigned int)(p - digits);
}

/* Decode hex in place; returns how many bytes there are. */
static size_t unhex(char *s)
{
	size_t n = strlen(s) / 2;

	for (size_t i = 0; i < n; i++)
		s[i] = (char)(nibble(s[2 * i]) << 4 | nibble(s[2 * i + 1]));
	return n;
}

/* A row: uid in hex, created_at, n_bits, then what comes out of it. */
static void check_row(char *line)
{
	char *field[3];
	char got[160] = "error";
	struct timestamp ts;
	struct route r;
	struct err err;
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(field); i++) {
		field[i] = strsep(&line, "\t");
		assert_non_null(line);
	}
	ts = at(field[1]);
	len = unhex(field[0]);
	if (!locate_shard(ROUTE_V2, ROUTE_UID,
			  (unsigned int)strtoul(field[2], NULL, 10), field[0],
			  len, &ts, &r, &err))
		snprintf(got, sizeof(got), "%s\t%u\t%s\t%s", r.day, r.slot,
			 r.hex, r.key);
	else
		assert_int_equal(err.rc, RC_USAGE);
	assert_string_equal(got, line);
}

static int check_golden(const char *name)
{
	char path[4096];
	char *line = NULL;
	size_t cap = 0;
	int n = 0;
	FILE *in;

	snprintf(path, sizeof(path), "%s/tests/golden/%s",
		 getenv("SRCDIR") ? getenv("SRCDIR") : ".", name);
	in = fopen(path, "r");
	assert_non_null(in);
	while (getline(&line, &cap, in) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		if (*line == '#')
			continue;
		check_row(line);
		n++;
	}
	free(line);
	fclose(in);
	return n;
}

static void format_2_reproduces_the_vectors_of_the_original(void **state)
{
	(void)state;
	assert_int_equal(check_golden("route-v2.tsv"), 21);
}

static void format_2_takes_the_digits_that_python_takes(void **state)
{
	(void)state;
	assert_true(check_golden("route-v2-more.tsv") > 400);
}

static void format_2_wants_utf8_of_one_spelling(void **state)
{
	static const char *const bad[] = {
		"\x80",
		"a\xff",
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xc3",
		"\xe2\x82",
		"\xf0\x9f\xa6",
		"\xc3(",
		"1\xe2(\xa1",
	};
	struct timestamp ts = at("2025-03-04");
	struct route r;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(locate_shard(ROUTE_V2, ROUTE_UID, 8, bad[i],
					      strlen(bad[i]), &ts, &r, &err),
				 RC_USAGE);
}

static void format_2_has_no_route_parent(void **state)
{
	struct timestamp ts = at("2025-03-04");
	struct route r;
	struct err err;

	(void)state;
	assert_int_equal(
	    locate_shard(ROUTE_V2, ROUTE_PARENT, 8, "a", 1, &ts, &r, &err),
	    RC_USAGE);
}

static void format_3_keys_hold_the_utc_day_twice(void **state)
{
	struct route r = located(ROUTE_UID, 16, "report.pdf");

	(void)state;
	assert_string_equal(r.day, "20250305");
	assert_int_equal(r.slot, 25842);
	assert_string_equal(r.hex, "64F2");
	assert_string_equal(r.key, "20250305/20250305_64F2");
}

static void format_3_pads_hex_for_every_n_bits(void **state)
{
	(void)state;
	for (unsigned int n_bits = 4; n_bits <= 16; n_bits++) {
		char uid[16];
		char want[16];
		struct route r = located(ROUTE_UID, n_bits, "1");

		snprintf(want, sizeof(want), "%0*X", (int)(n_bits + 3) / 4, 1u);
		assert_string_equal(r.hex, want);
		assert_int_equal(strlen(r.hex), route_hex_width(n_bits));
		snprintf(uid, sizeof(uid), "%u", (1u << n_bits) - 1);
		r = located(ROUTE_UID, n_bits, uid);
		assert_int_equal(r.slot, (1u << n_bits) - 1);
		snprintf(want, sizeof(want), "%X", (1u << n_bits) - 1);
		assert_string_equal(r.hex, want);
		snprintf(uid, sizeof(uid), "%u", (1u << n_bits) + 2);
		assert_int_equal(located(ROUTE_UID, n_bits, uid).slot, 2);
	}
}

static void ascii_numbers_go_by_value_and_all_else_by_crc(void **state)
{
	static const struct {
		const char *uid;
		unsigned int n_bits;
		uint32_t slot;
	} known[] = {
		{ "12345", 8, 57 },
		{ "007", 8, 7 },
		{ "000", 8, 0 },
		{ "123456789012345678901234567890", 16, 2770 },
		{ "9999999999999999999999999999999999999999", 8, 255 },
		{ "", 8, 0 },
		{ "-5", 8, 51 },
		{ "file-abc-001", 8, 143 },
		{ "123456789", 16, 0xcd15 },
		{ "123456789/", 16, 0xa310 },
		{ "user/1001/photo.jpg", 10, 560 },
		{ "\xc3\xa9", 8, 62 },
		/* These are numbers or errors in format 2. */
		{ "\xd9\xa3\xd9\xa4\xd9\xa5", 16, 0x239c },
		{ "\xc2\xb2", 16, 0x7593 },
		{ "\xff\xfe", 16, 0x3096 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		assert_int_equal(
		    located(ROUTE_UID, known[i].n_bits, known[i].uid).slot,
		    known[i].slot);
}

static void a_number_may_have_any_length(void **state)
{
	char uid[10000];

	(void)state;
	memset(uid, '9', sizeof(uid));
	assert_int_equal(route_slot(ROUTE_UID, 16, uid, sizeof(uid)), 0xffff);
	uid[0] = 'x';
	assert_int_equal(route_slot(ROUTE_UID, 16, uid, sizeof(uid)), 0xeea6);
}

static void a_uid_may_hold_nul(void **state)
{
	(void)state;
	assert_int_equal(route_slot(ROUTE_UID, 16, "a\0b", 3), 0x7871);
	assert_int_equal(route_slot(ROUTE_UID, 16, NULL, 0), 0);
}

static void the_parent_ends_before_the_last_slash(void **state)
{
	static const struct {
		const char *uid;
		size_t len;
	} known[] = {
		{ "", 0 },       { "a", 0 },       { "a/b", 1 }, { "a/b/c", 3 },
		{ "ab/", 2 },    { "/a", 0 },      { "//a", 1 }, { "/", 0 },
		{ "2024/x", 4 }, { "a/\xff/", 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		assert_int_equal(
		    route_parent_len(known[i].uid, strlen(known[i].uid)),
		    known[i].len);
}

static void children_of_a_directory_share_a_slot(void **state)
{
	(void)state;
	for (unsigned int n_bits = 4; n_bits <= 16; n_bits++) {
		uint32_t slot = located(ROUTE_UID, n_bits, "home/ada").slot;

		assert_int_equal(
		    located(ROUTE_PARENT, n_bits, "home/ada/a").slot, slot);
		assert_int_equal(
		    located(ROUTE_PARENT, n_bits, "home/ada/9").slot, slot);
		assert_int_equal(located(ROUTE_PARENT, n_bits, "top").slot, 0);
		assert_int_equal(located(ROUTE_PARENT, n_bits, "15").slot, 0);
		assert_int_equal(located(ROUTE_PARENT, n_bits, "13/x").slot,
				 13);
	}
}

static void n_bits_are_4_to_16(void **state)
{
	static const unsigned int bad[] = { 0, 3, 17, 32, 64, UINT32_MAX };
	struct timestamp ts = at("2025-03-04");
	struct route r;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(locate_shard(ROUTE_V3, ROUTE_UID, bad[i], "a",
					      1, &ts, &r, &err),
				 RC_USAGE);
		assert_int_equal(locate_shard(ROUTE_V2, ROUTE_UID, bad[i], "a",
					      1, &ts, &r, &err),
				 RC_USAGE);
	}
}

static void a_time_that_is_not_valid_has_no_shard(void **state)
{
	struct timestamp ts = timestamp_from_us(TIMESTAMP_MAX + 1);
	struct route r;
	struct err err;

	(void)state;
	assert_int_equal(
	    locate_shard(ROUTE_V3, ROUTE_UID, 8, "a", 1, &ts, &r, &err),
	    RC_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    format_2_reproduces_the_vectors_of_the_original),
		cmocka_unit_test(format_2_takes_the_digits_that_python_takes),
		cmocka_unit_test(format_2_wants_utf8_of_one_spelling),
		cmocka_unit_test(format_2_has_no_route_parent),
		cmocka_unit_test(format_3_keys_hold_the_utc_day_twice),
		cmocka_unit_test(format_3_pads_hex_for_every_n_bits),
		cmocka_unit_test(ascii_numbers_go_by_value_and_all_else_by_crc),
		cmocka_unit_test(a_number_may_have_any_length),
		cmocka_unit_test(a_uid_may_hold_nul),
		cmocka_unit_test(the_parent_ends_before_the_last_slash),
		cmocka_unit_test(children_of_a_directory_share_a_slot),
		cmocka_unit_test(n_bits_are_4_to_16),
		cmocka_unit_test(a_time_that_is_not_valid_has_no_shard),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
