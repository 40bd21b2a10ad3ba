/* SPDX-License-Identifier: Apache-2.0 */
/* store-range.c - tests of what counts as the range that was asked for. */
#include "config.h"

#include "store/store-range.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static char bytes[4096];

static struct http_response reply(unsigned int status, const char *range,
				  size_t len, const char *etag)
{
	struct http_response r = { .status = status };

	snprintf(r.content_range, sizeof(r.content_range), "%s", range);
	snprintf(r.etag, sizeof(r.etag), "%s", etag);
	r.body.p = (uint8_t *)bytes;
	r.body.len = len;
	return r;
}

static void content_ranges_are_read_to_the_letter(void **state)
{
	static const char *const bad[] = {
		"",
		"bytes",
		"bytes ",
		"bytes 0-9",
		"bytes 0-9/",
		"bytes 0-9/*",
		"bytes 0-10/10",
		"bytes 9-0/10",
		"bytes -9/10",
		"bytes 0-9/10 ",
		"bytes  0-9/10",
		"bytes=0-9/10",
		"bytes 0-9/18446744073709551616",
		"bytes 0x0-9/10",
		"bytes */x",
	};
	struct content_range cr;

	(void)state;
	assert_true(content_range_parse("bytes 5-9/10", &cr));
	assert_true(cr.has_range && cr.first == 5 && cr.last == 9 &&
		    cr.size == 10);
	assert_true(content_range_parse("bytes */10", &cr));
	assert_true(!cr.has_range && cr.size == 10);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(content_range_parse(bad[i], &cr));
}

static void check_tail(unsigned int status, const char *range, size_t len,
		       size_t max, enum remote_verdict want)
{
	struct http_response r = reply(status, range, len, "\"a\"");
	struct object_info info = { 0 };
	struct err err = { 0 };

	assert_int_equal(range_check_tail(&r, max, &info, &err), want);
	if (want == REMOTE_DONE)
		assert_string_equal(info.tag, "\"a\"");
	else
		assert_int_equal(err.rc, RC_CORRUPT);
}

static void a_tail_ends_with_the_object(void **state)
{
	(void)state;
	check_tail(206, "bytes 90-99/100", 10, 10, REMOTE_DONE);
	check_tail(206, "bytes 0-99/100", 100, 200, REMOTE_DONE);
	check_tail(206, "bytes 0-99/100", 100, 100, REMOTE_DONE);
	check_tail(206, "bytes 80-89/100", 10, 10, REMOTE_RETRY);
	check_tail(206, "bytes 91-99/100", 9, 10, REMOTE_RETRY);
	check_tail(206, "bytes 0-99/100", 100, 10, REMOTE_RETRY);
	check_tail(206, "bytes 90-99/100", 9, 10, REMOTE_RETRY);
	check_tail(206, "bytes 90-99/100", 11, 10, REMOTE_RETRY);
	check_tail(206, "", 10, 10, REMOTE_RETRY);
	check_tail(200, "", 10, 10, REMOTE_RETRY);
	check_tail(200, "bytes 90-99/100", 10, 10, REMOTE_RETRY);
	check_tail(204, "", 0, 10, REMOTE_RETRY);
}

static void the_tail_of_nothing_is_nothing(void **state)
{
	(void)state;
	check_tail(200, "", 0, 10, REMOTE_DONE);
	check_tail(416, "", 300, 10, REMOTE_DONE);
	check_tail(416, "bytes */0", 0, 10, REMOTE_DONE);
	check_tail(416, "bytes */5", 0, 10, REMOTE_RETRY);
	check_tail(416, "nonsense", 0, 10, REMOTE_RETRY);
}

static const struct object_info seen = { .size = 100, .tag = "\"a\"" };

static void check(unsigned int status, const char *range, size_t len,
		  const char *etag, enum remote_verdict want, enum rc rc)
{
	struct http_response r = reply(status, range, len, etag);
	struct err err = { 0 };

	assert_int_equal(range_check(&r, &seen, 10, 20, &err), want);
	assert_int_equal(err.rc, rc);
}

static void a_range_is_the_one_that_was_asked_for(void **state)
{
	(void)state;
	check(206, "bytes 10-29/100", 20, "\"a\"", REMOTE_DONE, RC_OK);
	check(206, "bytes 10-29/100", 20, "", REMOTE_DONE, RC_OK);
	check(206, "bytes 10-28/100", 19, "\"a\"", REMOTE_RETRY, RC_CORRUPT);
	check(206, "bytes 11-30/100", 20, "\"a\"", REMOTE_RETRY, RC_CORRUPT);
	check(206, "bytes 10-29/100", 19, "\"a\"", REMOTE_RETRY, RC_CORRUPT);
	check(206, "bytes 10-29/101", 20, "\"a\"", REMOTE_RETRY, RC_CORRUPT);
	check(206, "bytes 10-29/*", 20, "\"a\"", REMOTE_RETRY, RC_CORRUPT);
	check(206, "", 20, "\"a\"", REMOTE_RETRY, RC_CORRUPT);
	check(200, "", 100, "\"a\"", REMOTE_RETRY, RC_CORRUPT);
	check(416, "bytes */100", 0, "\"a\"", REMOTE_RETRY, RC_CORRUPT);
}

static void another_object_is_told_at_once(void **state)
{
	(void)state;
	check(206, "bytes 10-29/100", 20, "\"b\"", REMOTE_FAILED, RC_CHANGED);
	check(206, "bytes 10-29/100", 20, "W/\"a\"", REMOTE_FAILED, RC_CHANGED);
	check(200, "", 100, "\"b\"", REMOTE_FAILED, RC_CHANGED);
	check(206, "bytes 10-29/101", 20, "", REMOTE_FAILED, RC_CHANGED);
	check(412, "", 0, "", REMOTE_FAILED, RC_CHANGED);
	check(416, "bytes */15", 0, "", REMOTE_FAILED, RC_CHANGED);
	check(416, "", 0, "", REMOTE_FAILED, RC_CORRUPT);
}

static void a_shorter_object_is_damaged(void **state)
{
	struct http_response cut = reply(206, "bytes 10-14/15", 5, "");
	struct http_response none = reply(416, "bytes */5", 0, "");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(range_check(&cut, NULL, 10, 20, &err), REMOTE_FAILED);
	assert_int_equal(err.rc, RC_CORRUPT);
	assert_int_equal(range_check(&none, NULL, 10, 20, &err), REMOTE_FAILED);
	assert_int_equal(err.rc, RC_CORRUPT);
	assert_int_equal(range_check_wanted("k", &seen, 90, 10, &err), RC_OK);
	assert_int_equal(range_check_wanted("k", &seen, 90, 11, &err),
			 RC_CORRUPT);
	assert_int_equal(range_check_wanted("k", &seen, 101, 0, &err),
			 RC_CORRUPT);
	assert_int_equal(range_check_wanted("k", NULL, UINT64_MAX, 1, &err),
			 RC_CORRUPT);
}

static void tags_fit_and_differ(void **state)
{
	struct http_response r = reply(206, "", 0, "");
	char a[64], b[64];

	(void)state;
	range_tag(&r, a);
	assert_string_equal(a, "");
	assert_false(range_tag_is_strong(a));
	memset(r.etag, 'x', 200);
	r.etag[0] = '"';
	r.etag[199] = '"';
	range_tag(&r, a);
	assert_true(strlen(a) < sizeof(a));
	assert_false(range_tag_is_strong(a));
	r.etag[150] = 'y';
	range_tag(&r, b);
	assert_string_not_equal(a, b);
	assert_true(range_tag_is_strong("\"a\""));
	assert_false(range_tag_is_strong("W/\"a\""));
	assert_false(range_tag_is_strong("\""));
	r = reply(206, "", 0, "");
	snprintf(r.last_modified, sizeof(r.last_modified), "today");
	range_tag(&r, a);
	assert_string_equal(a, "@today");
	assert_false(range_tag_is_strong(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_ranges_are_read_to_the_letter),
		cmocka_unit_test(a_tail_ends_with_the_object),
		cmocka_unit_test(the_tail_of_nothing_is_nothing),
		cmocka_unit_test(a_range_is_the_one_that_was_asked_for),
		cmocka_unit_test(another_object_is_told_at_once),
		cmocka_unit_test(a_shorter_object_is_damaged),
		cmocka_unit_test(tags_fit_and_differ),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
