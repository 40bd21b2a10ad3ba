/* SPDX-License-Identifier: Apache-2.0 */
/* json-members.c - tests of members that come out of JSON fed in pieces. */
#include "config.h"

#include "base/json-members.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "unit.h"

#define MAX 40

/* Names say what to do: s... is skipped, e... entered. */
static enum json_member_use use_of(void *arg, unsigned int level,
				   struct json_piece name)
{
	(void)arg;
	(void)level;
	if (name.len && name.p[0] == 's')
		return JSON_MEMBER_SKIP;
	return name.len && name.p[0] == 'e' ? JSON_MEMBER_ENTER
					    : JSON_MEMBER_TAKE;
}

static enum rc note(void *arg, unsigned int level, struct json_piece name,
		    struct json_piece value, struct err *err)
{
	struct buf *seen = arg;

	buf_printf(seen, "%u:%.*s=%.*s;", level, (int)name.len,
		   name.p ? name.p : "", (int)value.len, value.p);
	(void)err;
	return RC_OK;
}

static enum rc members_of(const char *text, size_t len, size_t piece,
			  struct buf *seen, struct err *err)
{
	struct json_members_handler handler = { use_of, note, seen };
	struct json_members m;
	enum rc rc = RC_OK;

	buf_clear(seen);
	json_members_init(&m, &handler, MAX);
	for (size_t off = 0; off < len && !rc; off += piece) {
		size_t n = len - off < piece ? len - off : piece;
		char *exact = malloc(n);

		memcpy(exact, text + off, n);
		rc = json_members_feed(&m, exact, n, err);
		free(exact);
	}
	if (!rc)
		rc = json_members_end(&m, err);
	json_members_release(&m);
	return rc;
}

static void members_come_whatever_the_pieces(void **state)
{
	static const struct {
		const char *text;
		const char *seen;
	} known[] = {
		{ "{}", "" },
		{ " { } ", "" },
		{ "{\"a\":1}", "1:a=1;" },
		{ "{\"\":1}", "1:=1;" },
		{ "{ \"a\" : [ 1 , {\"b\": \"}\"} ] , \"c\" : \"\" } ",
		  "1:a=[ 1 , {\"b\": \"}\"} ];1:c=\"\";" },
		{ "{\"s\":{\"a\":[\"\\\"]\"]},\"a\":null,\"s2\":7}",
		  "1:a=null;" },
		{ "{\"e\":{},\"a\":1}", "1:a=1;" },
		{ "{\"e\":{\"a\":{\"b\":2}},\"a\":-1.5e3}",
		  "2:a={\"b\":2};1:a=-1.5e3;" },
		{ "{\"e\":{\"e\":{\"a\":3},\"s\":0,\"b\":[]},\"c\":true}",
		  "3:a=3;2:b=[];1:c=true;" },
		{ "{\"e\":[{\"a\":3}],\"e\":4,\"e\":{\"a\":{}}}",
		  "1:e=[{\"a\":3}];1:e=4;2:a={};" },
		{ "{\"a\\\"b\\\\\":\"\\\\\",\"c\":\"\\\\\\\"\"}",
		  "1:a\\\"b\\\\=\"\\\\\";1:c=\"\\\\\\\"\";" },
		{ "{\"a\":{\"e\":{\"b\":1},\"c\":[{}]},\"d\":{ }}",
		  "1:a={\"e\":{\"b\":1},\"c\":[{}]};1:d={ };" },
	};
	struct buf seen;
	struct err err;

	(void)state;
	buf_init(&seen, 4096);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		size_t len = strlen(known[i].text);

		for (size_t piece = 1; piece <= len; piece++) {
			if (members_of(known[i].text, len, piece, &seen, &err))
				fail_msg("%s: %s", known[i].text, err.msg);
			assert_string_equal(buf_str(&seen), known[i].seen);
		}
	}
	buf_release(&seen);
}

static void what_is_no_object_is_corrupt(void **state)
{
	static const char *const bad[] = {
		"",      "[]",           "{",
		"{]",    "{\"a\":1",     "{\"a\":1}}",
		"1",     "{\"a\":1,}",   "{\"a\" 1}",
		"{a:1}", "{\"a\":1}{}",  "{\"\xff\":1}",
		"{,}",   "{\"a\":[1}]}", "{\"e\":{\"a\":1]}",
	};
	struct buf seen;
	struct err err;

	(void)state;
	buf_init(&seen, 4096);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		for (size_t piece = 1; piece <= 8; piece++)
			assert_int_equal(members_of(bad[i], strlen(bad[i]),
						    piece, &seen, &err),
					 RC_CORRUPT);
	}
	buf_release(&seen);
}

static void names_and_taken_values_are_bounded(void **state)
{
	char text[200] = "";
	struct buf seen;
	struct err err;

	(void)state;
	buf_init(&seen, 4096);
	memset(text, '1', sizeof(text) - 1);
	memcpy(text, "{\"a\":", 5);
	text[5 + MAX] = '}';
	assert_int_equal(members_of(text, 6 + MAX, 200, &seen, &err), RC_OK);
	text[5 + MAX] = '1';
	text[6 + MAX] = '}';
	assert_int_equal(members_of(text, 7 + MAX, 200, &seen, &err), RC_LIMIT);
	memcpy(text, "{\"s\":", 5);
	assert_int_equal(members_of(text, 7 + MAX, 200, &seen, &err), RC_OK);
	memcpy(text, "{\"s111", 6);
	memcpy(text + 5 + MAX, "\":1}", 5);
	assert_int_equal(members_of(text, 9 + MAX, 200, &seen, &err), RC_LIMIT);
	buf_release(&seen);
}

static enum rc refuse(void *arg, unsigned int level, struct json_piece name,
		      struct json_piece value, struct err *err)
{
	(void)level;
	(void)name;
	(void)value;
	(*(int *)arg)++;
	return err_set(err, RC_NOENT, "no");
}

static enum json_member_use take(void *arg, unsigned int level,
				 struct json_piece name)
{
	(void)arg;
	(void)level;
	(void)name;
	return JSON_MEMBER_TAKE;
}

static void nothing_follows_an_error(void **state)
{
	static const char text[] = "{\"a\":1,\"b\":2}";
	int n = 0;
	struct json_members_handler handler = { take, refuse, &n };
	struct json_members m;
	struct err err;

	(void)state;
	json_members_init(&m, &handler, MAX);
	assert_int_equal(json_members_feed(&m, text, strlen(text), &err),
			 RC_NOENT);
	assert_int_equal(n, 1);
	json_members_release(&m);
}

static void strings_are_what_their_escapes_stand_for(void **state)
{
	static const struct {
		const char *string;
		const char *bytes;
		size_t len;
	} known[] = {
		{ "", "", 0 },
		{ "abc", "abc", 3 },
		{ "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", 8 },
		{ "\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac", 6 },
		{ "\\u0000x", "\0x", 2 },
		{ "\\ud83e\\uDD80", "\xf0\x9f\xa6\x80", 4 },
		{ "\\uffff\\ud7ff\\ue000",
		  "\xef\xbf\xbf\xed\x9f\xbf\xee\x80\x80", 9 },
		{ "\xc3\xa9\\u007f\\u0080", "\xc3\xa9\x7f\xc2\x80", 5 },
		{ "\\udbff\\udfff", "\xf4\x8f\xbf\xbf", 4 },
	};
	static const char *const halves[] = {
		"\\ud800",        "\\udc00",  "\\ud800x",
		"\\ud800\\n",     "a\\udfff", "\\ud800\\ud800",
		"\\udc00\\ud800", "\\ud83e",  "\\ud83e\\u0041a",
	};
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		size_t len = strlen(known[i].string);
		char *exact = malloc(len + !len);

		memcpy(exact, known[i].string, len);
		buf_clear(&out);
		assert_true(
			json_unescape((struct json_piece){ exact, len }, &out));
		assert_int_equal(out.len, known[i].len);
		if (out.len)
			assert_memory_equal(out.p, known[i].bytes, out.len);
		free(exact);
	}
	for (size_t i = 0; i < ARRAY_LEN(halves); i++) {
		buf_clear(&out);
		assert_false(json_unescape(
			(struct json_piece){ halves[i], strlen(halves[i]) },
			&out));
	}
	buf_release(&out);
}

static void the_last_member_of_a_name_is_its_text(void **state)
{
	static const struct {
		const char *doc, *want;
	} known[] = {
		{ "{\"k\":\"abc\"}", "abc" },
		{ " { \"k\" : \"abc\" } ", "abc" },
		{ "{\"k\":1,\"\\u006b\":\"\\u0061\\n\"}", "a\n" },
		{ "{\"n\":NaN,\"n\":\"\\ud800\",\"k\":\"x\"}", "x" },
		{ "{\"n\":99999999999999999999,\"k\":\"y\"}", "y" },
		{ "{\"k\":\"1234567\"}", "1234567" },
		{ "{\"k\":\"12345678\"}", "" },
		{ "{\"k\":\"a\",\"k\":2}", "" },
		{ "{\"k\":\"a\\u0000\"}", "" },
		{ "{\"k\":\"a\\ud800\"}", "" },
		{ "{\"a\":{\"k\":\"b\"}}", "" },
		{ "{\"k\":[\"b\"]}", "" },
		{ "{\"k\":\"b\"", "" },
		{ "{\"k\":\"b\"} x", "" },
		{ "[]", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct json_piece doc = { known[i].doc, strlen(known[i].doc) };
		char text[8] = "before";
		bool is_there = json_members_text(doc, "k", text, sizeof(text));

		assert_string_equal(text, known[i].want);
		assert_true(is_there == !!*known[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_come_whatever_the_pieces),
		cmocka_unit_test(what_is_no_object_is_corrupt),
		cmocka_unit_test(names_and_taken_values_are_bounded),
		cmocka_unit_test(nothing_follows_an_error),
		cmocka_unit_test(the_last_member_of_a_name_is_its_text),
		cmocka_unit_test(strings_are_what_their_escapes_stand_for),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
