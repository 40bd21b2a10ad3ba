/* SPDX-License-Identifier: Apache-2.0 */
/* json-elements.c - tests that the elements of an array are found. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json-elements.h"
#include "base/json.h"

static struct err err;

/* The elements of a of the document, each in <>; NULL when there is no a. */
static const char *elements(const char *text)
{
	static char out[200];
	struct json_elements e;
	struct json_piece piece;
	struct buf b = { .max = sizeof(out) - 1 };

	if (!json_elements_find(&e, text, strlen(text), "a"))
		return NULL;
	while (json_elements_next(&e, &piece)) {
		buf_append_str(&b, "<");
		buf_append(&b, piece.p, piece.len);
		buf_append_str(&b, ">");
	}
	snprintf(out, sizeof(out), "%s", buf_str(&b));
	buf_release(&b);
	return out;
}

static void each_element_is_given(void **state)
{
	(void)state;
	assert_string_equal(elements("{\"a\":[1,2,3]}"), "<1><2><3>");
	assert_string_equal(elements("{\"a\":[]}"), "");
	assert_string_equal(elements("{\"a\":[ ]}"), "");
	assert_string_equal(elements(" { \"b\" : [9,9], \"a\" : [ 1 , 2 ] } "),
			    "<1 >< 2 >");
}

static void commas_within_an_element_end_none(void **state)
{
	(void)state;
	assert_string_equal(elements("{\"a\":[{\"x\":[1,2]},[3,{}],\"],}\"]}"),
			    "<{\"x\":[1,2]}><[3,{}]><\"],}\">");
	assert_string_equal(elements("{\"a\":[\"\\\"],\",\"\\\\\"]}"),
			    "<\"\\\"],\"><\"\\\\\">");
}

static void only_a_member_of_the_document_itself_is_found(void **state)
{
	(void)state;
	assert_string_equal(
		elements(
			"{\"b\":{\"a\":[1]},\"c\":\"\\\"a\\\":[2]\",\"a\":[3]}"),
		"<3>");
	assert_null(elements("{\"b\":{\"a\":[1]}}"));
	assert_null(elements("[{\"a\":[1]}]"));
	assert_null(elements("{\"a\":{}}"));
	assert_null(elements("{\"ab\":[1]}"));
}

static void elements_that_are_missing_are_given_as_nothing(void **state)
{
	(void)state;
	assert_string_equal(elements("{\"a\":[1,]}"), "<1><>");
	assert_string_equal(elements("{\"a\":[,]}"), "<><>");
	assert_string_equal(elements("{\"a\":[1,,2]}"), "<1><><2>");
}

static void what_does_not_end_is_not_found(void **state)
{
	static const char whole[] = "{\"b\":{\"x\":[\"y\"]},\"a\":[{\"z\":1}]";

	(void)state;
	assert_non_null(elements("{\"b\":{\"x\":[\"y\"]},\"a\":[{\"z\":1}]"));
	for (size_t len = 0; len + 1 < sizeof(whole) - 1; len++) {
		char *cut = strndup(whole, len);

		assert_null(elements(cut));
		free(cut);
	}
	assert_null(elements("{\"a\":[1}"));
	assert_null(elements("{\"a\":[\"]}"));
	assert_null(elements("{\"a\":[\"\\"));
}

static void the_rest_is_a_document_with_an_empty_array(void **state)
{
	static const char text[] = "{\"a\":[1,2],\"b\":3}";
	struct json_elements e;

	(void)state;
	assert_true(json_elements_find(&e, text, strlen(text), "a"));
	assert_int_equal(e.before.len, strlen("{\"a\":["));
	assert_memory_equal(e.before.p, text, e.before.len);
	assert_int_equal(e.after.len, strlen("],\"b\":3}"));
	assert_memory_equal(e.after.p, "],\"b\":3}", e.after.len);
}

/* The document in one piece, and around its array. */
static void assert_around(const char *text, const char *name)
{
	CLEANUP_JSON struct json_t *j = NULL;
	struct buf before = { .max = 1000 }, after = { .max = 1000 };
	struct buf whole = { .max = 1000 };

	assert_int_equal(json_parse(text, strlen(text), 1000, &j, &err), RC_OK);
	json_write_around(j, name, &before, &after);
	json_set(j, name, json_new_array());
	json_write(j, &whole);
	buf_append(&before, after.p, after.len);
	assert_string_equal(buf_str(&before), buf_str(&whole));
	buf_release(&before);
	buf_release(&after);
	buf_release(&whole);
}

static void a_document_is_written_around_an_array(void **state)
{
	(void)state;
	assert_around("{}", "m");
	assert_around("{\"a\":1}", "m");
	assert_around("{\"z\":1}", "m");
	assert_around("{\"z\":{\"y\":2},\"ma\":1,\"l\":[3],\"M\":\"\\n\"}",
		      "m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_element_is_given),
		cmocka_unit_test(commas_within_an_element_end_none),
		cmocka_unit_test(only_a_member_of_the_document_itself_is_found),
		cmocka_unit_test(
			elements_that_are_missing_are_given_as_nothing),
		cmocka_unit_test(what_does_not_end_is_not_found),
		cmocka_unit_test(the_rest_is_a_document_with_an_empty_array),
		cmocka_unit_test(a_document_is_written_around_an_array),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
