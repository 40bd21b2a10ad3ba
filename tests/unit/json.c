/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - tests of JSON behind one door. */
#include "config.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static struct err err;

static struct json_t *parsed(const char *text)
{
	struct json_t *j = NULL;

	assert_int_equal(json_parse(text, strlen(text), 4096, &j, &err), RC_OK);
	return j;
}

static enum rc result(const char *text)
{
	struct json_t *j = NULL;
	enum rc rc = json_parse(text, strlen(text), 64, &j, &err);

	json_free(j);
	return rc;
}

static void faults_are_told_with_line_and_column(void **state)
{
	(void)state;
	assert_int_equal(result("{\n \"a\": x}"), RC_CORRUPT);
	assert_non_null(strstr(err.msg, "line 2, column 7"));
	assert_int_equal(result(""), RC_CORRUPT);
	assert_int_equal(result("{} {}"), RC_CORRUPT);
	assert_int_equal(result("{\"a\":1,\"a\":2}"), RC_CORRUPT);
	assert_int_equal(result("\"\xff\""), RC_CORRUPT);
	assert_int_equal(result("{\"a\":\"\\u0000\"}"), RC_CORRUPT);
	assert_int_equal(result("99999999999999999999"), RC_CORRUPT);
	assert_int_equal(result("{}"), RC_OK);
	assert_int_equal(
		json_parse(NULL, 0, 64, &(struct json_t *){ NULL }, &err),
		RC_CORRUPT);
}

static void long_documents_are_not_read(void **state)
{
	char text[66] = { 0 };

	(void)state;
	memset(text, ' ', sizeof(text) - 1);
	text[0] = '1';
	assert_int_equal(result(text), RC_LIMIT);
}

static void getters_check_type_and_range(void **state)
{
	CLEANUP_JSON struct json_t *j = parsed(
		"{\"n\":7,\"m\":-1,\"s\":\"text\",\"a\":[1,2],\"t\":true,"
		"\"o\":{},\"r\":1.5}");
	const char *s = NULL;
	struct json_t *v = NULL;
	uint64_t u = 0;
	int64_t i = 0;
	bool b = false;
	size_t n = 0;

	(void)state;
	assert_int_equal(json_get_u64(j, "n", 7, &u, &err), RC_OK);
	assert_int_equal(u, 7);
	assert_int_equal(json_get_u64(j, "n", 6, &u, &err), RC_CORRUPT);
	assert_string_equal(err.msg, "n is 7, not 0 to 6");
	assert_int_equal(json_get_u64(j, "m", UINT64_MAX, &u, &err),
			 RC_CORRUPT);
	assert_int_equal(json_get_u64(j, "s", 9, &u, &err), RC_CORRUPT);
	assert_string_equal(err.msg, "s is not an integer");
	assert_int_equal(json_get_u64(j, "r", 9, &u, &err), RC_CORRUPT);
	assert_int_equal(json_get_u64(j, "x", 9, &u, &err), RC_CORRUPT);
	assert_string_equal(err.msg, "no member x");
	assert_int_equal(json_get_i64(j, "m", -1, 0, &i, &err), RC_OK);
	assert_int_equal(i, -1);
	assert_int_equal(json_get_str(j, "s", 4, &s, &err), RC_OK);
	assert_string_equal(s, "text");
	assert_int_equal(json_get_str(j, "s", 3, &s, &err), RC_CORRUPT);
	assert_int_equal(json_get_bool(j, "t", &b, &err), RC_OK);
	assert_true(b);
	assert_int_equal(json_get_bool(j, "n", &b, &err), RC_CORRUPT);
	assert_int_equal(json_get_array(j, "a", 2, &v, &n, &err), RC_OK);
	assert_int_equal(n, 2);
	assert_int_equal(json_get_array(j, "a", 1, &v, &n, &err), RC_CORRUPT);
	assert_int_equal(json_get_obj(j, "o", &v, &err), RC_OK);
	assert_int_equal(json_get_obj(j, "a", &v, &err), RC_CORRUPT);
	/* No object, no members. */
	assert_int_equal(json_get_obj(json_at(v, 0), "a", &v, &err),
			 RC_CORRUPT);
}

static void bytes_are_decoded_strictly(void **state)
{
	CLEANUP_JSON struct json_t *j = parsed(
		"{\"h\":\"00ff\",\"p\":\"a%0A\",\"bad\":\"%41\",\"u\":\"00FF\"}");
	uint8_t two[2];
	char *p = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(json_get_hex(j, "h", two, 2, &err), RC_OK);
	assert_int_equal(two[1], 0xff);
	assert_int_equal(json_get_hex(j, "h", two, 1, &err), RC_CORRUPT);
	assert_int_equal(json_get_hex(j, "u", two, 2, &err), RC_CORRUPT);
	assert_int_equal(json_get_bytes(j, "bad", 9, &p, &len, &err),
			 RC_CORRUPT);
	assert_int_equal(json_get_bytes(j, "p", 1, &p, &len, &err), RC_CORRUPT);
	assert_int_equal(json_get_bytes(j, "p", 2, &p, &len, &err), RC_OK);
	assert_int_equal(len, 2);
	assert_string_equal(p, "a\n");
	free(p);
}

static void times_have_one_form(void **state)
{
	CLEANUP_JSON struct json_t *j =
		parsed("{\"t\":\"2026-11-21T10:15:30.000001Z\",\"bad\":\"x\","
		       "\"short\":\"2026-11-21T10:15:30Z\"}");
	int64_t us = 0;

	(void)state;
	assert_int_equal(json_get_time(j, "t", &us, &err), RC_OK);
	assert_true(us == INT64_C(1795256130000001));
	assert_int_equal(json_get_time(j, "bad", &us, &err), RC_CORRUPT);
	assert_int_equal(json_get_time(j, "short", &us, &err), RC_CORRUPT);
}

static void the_written_form_is_canonical(void **state)
{
	CLEANUP_JSON struct json_t *j = json_new_obj();
	CLEANUP_BUF struct buf b = { 0 };
	struct json_t *a = json_new_array();

	(void)state;
	json_add_str(a, "x/y");
	json_add(a, json_new_obj());
	json_set(j, "b", a);
	json_set_u64(j, "a", JSON_INT_MAX);
	json_set_i64(j, "B", -5);
	json_set_bool(j, "c", false);
	json_set_hex(j, "d", "\x01\xfe", 2);
	json_set_bytes(j, "e", "\"\n", 2);
	json_set_str(j, "gone", "");
	json_unset(j, "gone");
	buf_init(&b, 4096);
	json_write(j, &b);
	assert_string_equal(buf_str(&b),
			    "{\"B\":-5,\"a\":9223372036854775807,"
			    "\"b\":[\"x/y\",{}],\"c\":false,\"d\":\"01fe\","
			    "\"e\":\"%22%0A\"}");
}

static void assert_written(const char *text, const char *want)
{
	CLEANUP_JSON struct json_t *j = parsed(text);
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 4096);
	json_write(j, &b);
	assert_string_equal(buf_str(&b), want);
}

static void any_value_has_one_form(void **state)
{
	(void)state;
	assert_written(" { \"b\" : 1, \"aa\":[ ], \"\":{\"z\":0,\"y\":0},"
		       "\"a\":[1 ,\"\", 2]}",
		       "{\"\":{\"y\":0,\"z\":0},\"a\":[1,\"\",2],"
		       "\"aa\":[],\"b\":1}");
	assert_written("\"\\u0001\\b\\f\\n\\r\\t\\u001F\\\"\\\\\\/\\u007f"
		       "\\u00e4\\ud83d\\ude00\"",
		       "\"\\u0001\\b\\f\\n\\r\\t\\u001F\\\"\\\\/\x7f"
		       "\u00e4\U0001f600\"");
	assert_written("[-9223372036854775808,0,-10,1.50,true,false,null]",
		       "[-9223372036854775808,0,-10,1.5,true,false,null]");
	assert_written("{\"\\u00e9\":1,\"\\n\":2,\"z\":3}",
		       "{\"\\n\":2,\"z\":3,\"\u00e9\":1}");
}

static void assert_around(const char *text, const char *before,
			  const char *after)
{
	CLEANUP_JSON struct json_t *j = parsed(text);
	CLEANUP_BUF struct buf b = { 0 }, a = { 0 };

	buf_init(&b, 4096);
	buf_init(&a, 4096);
	json_write_around(j, "m", &b, &a);
	assert_string_equal(buf_str(&b), before);
	assert_string_equal(buf_str(&a), after);
}

static void members_are_written_around_an_array(void **state)
{
	(void)state;
	assert_around("{}", "{\"m\":[", "]}");
	assert_around("{\"b\":2,\"a\":1}", "{\"a\":1,\"b\":2,\"m\":[", "]}");
	assert_around("{\"mm\":2,\"z\":1}", "{\"m\":[", "],\"mm\":2,\"z\":1}");
	assert_around("{\"z\":2,\"b\":1}", "{\"b\":1,\"m\":[", "],\"z\":2}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_are_told_with_line_and_column),
		cmocka_unit_test(long_documents_are_not_read),
		cmocka_unit_test(getters_check_type_and_range),
		cmocka_unit_test(bytes_are_decoded_strictly),
		cmocka_unit_test(times_have_one_form),
		cmocka_unit_test(the_written_form_is_canonical),
		cmocka_unit_test(any_value_has_one_form),
		cmocka_unit_test(members_are_written_around_an_array),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
