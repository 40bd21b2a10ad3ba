/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-name.c - tests of names that are to be deleted, and their times. */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "repack/tombstone-name.h"
#include "shard/shard-format.h"

static struct tombstone_name name;
static struct err err;
static char *line;

static enum rc parse_n(const char *text, size_t len, bool is_raw)
{
	free(line);
	line = xmemdup0(text, len);
	err.msg[0] = '\0';
	return tombstone_name_parse(line, len, is_raw, &name, &err);
}

static enum rc parse(const char *text)
{
	return parse_n(text, strlen(text), false);
}

static void is_named(const char *uid, size_t len)
{
	assert_int_equal(name.uid.len, len);
	assert_memory_equal(name.uid.p, uid, len);
}

static int64_t at(const char *text)
{
	struct timestamp ts;

	assert_int_equal(timestamp_parse(text, &ts, &err), RC_OK);
	return ts.us;
}

static void a_line_is_a_name_as_it_is(void **state)
{
	static const char bytes[] = " a/\xff\\%41\r\"#";

	(void)state;
	assert_int_equal(parse(bytes), RC_OK);
	is_named(bytes, strlen(bytes));
	assert_false(name.has_time);
	assert_int_equal(parse_n("a\0b", 3, false), RC_OK);
	is_named("a\0b", 3);
}

static void what_follows_the_last_tab_is_a_time(void **state)
{
	(void)state;
	assert_int_equal(parse("a b\tc\t2026-11-21T10:15:30.5Z"), RC_OK);
	is_named("a b\tc", 5);
	assert_true(name.has_time);
	assert_int_equal(name.time.from, at("2026-11-21T10:15:30.5Z"));
	assert_int_equal(name.time.to, name.time.from);
}

static void a_time_without_a_fraction_is_its_second(void **state)
{
	static const char *const texts[] = { "a\t2026-11-21T10:15:30Z",
					     "a\t2026-11-21 10:15:30",
					     "a\t20261121T111530+0100" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(parse(texts[i]), RC_OK);
		assert_int_equal(name.time.from, at("2026-11-21T10:15:30Z"));
		assert_int_equal(name.time.to,
				 at("2026-11-21T10:15:30.999999Z"));
	}
	assert_int_equal(parse("a\t2026-11-21T10:15:30.000000Z"), RC_OK);
	assert_int_equal(name.time.from, name.time.to);
	assert_int_equal(parse("a\t2026-11-21T10:15:30,0Z"), RC_OK);
	assert_int_equal(name.time.from, name.time.to);
}

static void refused(enum rc want, const char *text, size_t len)
{
	assert_int_equal(parse_n(text, len, false), want);
	assert_true(err.msg[0]);
	assert_null(strstr(err.msg, "SECRET"));
}

static void what_is_no_time_is_refused_without_the_name(void **state)
{
	static const char *const texts[] = {
		"SECRET\t",
		"SECRET\tSECRET",
		"SECRET\t2026-11-21T10:15:30Z\t",
		"SECRET\t2026-13-21T10:15:30Z",
		"SECRET\tnow",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		refused(RC_USAGE, texts[i], strlen(texts[i]));
	refused(RC_USAGE, "SECRET\t2026-11-21\0SECRET", 24);
}

static void without_a_name_there_is_nothing_to_delete(void **state)
{
	(void)state;
	refused(RC_USAGE, "", 0);
	refused(RC_USAGE, "\t2026-11-21T10:15:30Z", 21);
	assert_int_equal(parse_n("", 0, true), RC_USAGE);
}

static void a_raw_name_may_have_tabs(void **state)
{
	(void)state;
	assert_int_equal(parse_n("a\t2026-11-21T10:15:30Z", 22, true), RC_OK);
	is_named("a\t2026-11-21T10:15:30Z", 22);
	assert_false(name.has_time);
}

static void names_are_as_long_as_they_may_be(void **state)
{
	CLEANUP_FREE char *text = xcalloc(1, UID_MAX_LEN + 64);

	(void)state;
	memset(text, 'x', UID_MAX_LEN);
	assert_int_equal(parse_n(text, UID_MAX_LEN, false), RC_OK);
	memcpy(text + UID_MAX_LEN, "\t2026-11-21T10:15:30Z", 21);
	assert_int_equal(parse_n(text, UID_MAX_LEN + 21, false), RC_OK);
	is_named(text, UID_MAX_LEN);
	assert_int_equal(parse_n(text, UID_MAX_LEN + 1, true), RC_LIMIT);
	text[UID_MAX_LEN] = 'x';
	assert_int_equal(parse_n(text, UID_MAX_LEN + 1, false), RC_LIMIT);
}

static int end(void **state)
{
	(void)state;
	free(line);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_a_name_as_it_is),
		cmocka_unit_test(what_follows_the_last_tab_is_a_time),
		cmocka_unit_test(a_time_without_a_fraction_is_its_second),
		cmocka_unit_test(what_is_no_time_is_refused_without_the_name),
		cmocka_unit_test(without_a_name_there_is_nothing_to_delete),
		cmocka_unit_test(a_raw_name_may_have_tabs),
		cmocka_unit_test(names_are_as_long_as_they_may_be),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tombstone-name", tests, NULL, end);
}
