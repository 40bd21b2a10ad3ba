/* SPDX-License-Identifier: Apache-2.0 */
/* json-check.c - tests of telling JSON objects from all else. */
#include "config.h"

#include "base/json-check.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "unit.h"

/* In pieces of every size up to 3, and at once. */
static bool is_object(const char *p, size_t len)
{
	struct json_check c;
	bool is_one;

	json_check_init(&c);
	is_one = json_check_feed(&c, p, len) && json_check_end(&c);
	for (size_t piece = 1; piece <= 3; piece++) {
		bool is_fine = true;

		json_check_init(&c);
		for (size_t off = 0; off < len && is_fine; off += piece)
			is_fine = json_check_feed(&c, p + off,
						  len - off < piece ? len - off
								    : piece);
		assert_int_equal(is_fine && json_check_end(&c), is_one);
	}
	return is_one;
}

static void objects_are_taken(void **state)
{
	static const char *const good[] = {
		"{}",
		" \t\r\n{ }\n",
		"{\"a\":1}",
		"{\"a\":[],\"a\":{}}",
		"{ \"a\" : [ 1 , -0 , 0.5 , 1e9 , 1E-2 , 10.25e+3 , 0e0 ] }",
		"{\"\":[true,false,null,NaN,Infinity,-Infinity,\"\"]}",
		"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\ud800\"}",
		"{\"\xc5\xbc\":\"\xe2\x82\xac\xf0\x9f\xa6\x80\x7f\"}",
		"{\"a\":123456789012345678901234567890123456789012}",
		"{\"a\":{\"b\":[[{\"c\":[0]}],{}]},\"d\":-1}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!is_object(good[i], strlen(good[i])))
			fail_msg("%s", good[i]);
}

static void all_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"[]",
		"[1]",
		"1",
		"\"a\"",
		"null",
		"{",
		"}",
		"{}{}",
		"{} x",
		"{,}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{\"a\":1 \"b\":2}",
		"{a:1}",
		"{'a':1}",
		"{\"a\":[1,]}",
		"{\"a\":[,1]}",
		"{\"a\":[1}",
		"{\"a\":[1}]",
		"{\"a\":01}",
		"{\"a\":+1}",
		"{\"a\":.5}",
		"{\"a\":1.}",
		"{\"a\":1e}",
		"{\"a\":1e+}",
		"{\"a\":-}",
		"{\"a\":-a}",
		"{\"a\":1.5.5}",
		"{\"a\":0x1}",
		"{\"a\":tru}",
		"{\"a\":truey}",
		"{\"a\":nan}",
		"{\"a\":-NaN}",
		"{\"a\":\"}",
		"{\"a\":\"\\x\"}",
		"{\"a\":\"\\u00g0\"}",
		"{\"a\":\"\\u00\"}",
		"{\"a\":\"\n\"}",
		"{\"a\":\"\x1f\"}",
		"{\"a\":\"\x80\"}",
		"{\"a\":\"\xc0\x80\"}",
		"{\"a\":\"\xc3\"}",
		"{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\xf4\x90\x80\x80\"}",
		"{\"a\":\"\xe0\x9f\xbf\"}",
		"{\"a\":\"\xf0\x8f\xbf\xbf\"}",
		"\xef\xbb\xbf{}",
		"{\"a\":1}\xff",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (is_object(bad[i], strlen(bad[i])))
			fail_msg("%s", bad[i]);
	assert_false(is_object("{\"a\":\"\0\"}", 9));
	assert_false(is_object("{}\0", 3));
	assert_false(is_object("{\"a\":\"\\\0\"}", 10));
}

static void the_wrong_byte_is_known(void **state)
{
	struct json_check c;

	(void)state;
	json_check_init(&c);
	assert_true(json_check_feed(&c, "{\"a\"", 4));
	assert_false(json_check_feed(&c, ":x}", 3));
	assert_int_equal(c.at, 5);
	assert_false(json_check_feed(&c, "1", 1));
	assert_int_equal(c.at, 5);
	assert_false(json_check_end(&c));
}

static void nesting_has_a_limit(void **state)
{
	enum { OBJECT = 5 };
	char text[2 * OBJECT + 2 * JSON_CHECK_DEPTH];

	(void)state;
	for (size_t n = JSON_CHECK_DEPTH - 1; n <= JSON_CHECK_DEPTH; n++) {
		memcpy(text, "{\"a\":", OBJECT);
		memset(text + OBJECT, '[', n);
		memset(text + OBJECT + n, ']', n);
		text[OBJECT + 2 * n] = '}';
		assert_int_equal(is_object(text, OBJECT + 2 * n + 1),
				 n < JSON_CHECK_DEPTH);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_taken),
		cmocka_unit_test(all_else_is_refused),
		cmocka_unit_test(the_wrong_byte_is_known),
		cmocka_unit_test(nesting_has_a_limit),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
