/* SPDX-License-Identifier: Apache-2.0 */
/* log-index.c - tests of log/index.json. */
#include "config.h"

#include "store/log-index.h"

#include <string.h>

#include "base/cleanup.h"
#include "unit.h"

static enum rc parse(const char *text, struct log_index *ret)
{
	struct err err = { 0 };

	return log_index_parse(text, strlen(text), ret, &err);
}

static void what_is_written_is_read(void **state)
{
	const char *const names[] = { "20261121T101530.123456Z-00.json",
				      "checkpoint-2026-11" };
	CLEANUP(log_index_release) struct log_index ix = { 0 };
	CLEANUP_BUF struct buf b = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(log_index_write(names, 2, &b, &err), RC_OK);
	assert_string_equal(buf_str(&b),
			    "{\"kind\":\"index\",\"names\":["
			    "\"20261121T101530.123456Z-00.json\","
			    "\"checkpoint-2026-11\"],\"version\":1}\n");
	assert_int_equal(parse(buf_str(&b), &ix), RC_OK);
	assert_int_equal(ix.n, 2);
	assert_string_equal(ix.names[0], names[0]);
	assert_string_equal(ix.names[1], names[1]);
}

static void an_empty_log_has_an_index(void **state)
{
	CLEANUP(log_index_release) struct log_index ix = { 0 };
	CLEANUP_BUF struct buf b = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(log_index_write(NULL, 0, &b, &err), RC_OK);
	assert_int_equal(parse(buf_str(&b), &ix), RC_OK);
	assert_int_equal(ix.n, 0);
}

#define DOC(names) "{\"kind\":\"index\",\"names\":" names ",\"version\":1}"

static void bad_documents_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"kind\":\"index\",\"names\":[]}",
		"{\"kind\":\"shards\",\"names\":[],\"version\":1}",
		"{\"kind\":\"index\",\"names\":[],\"version\":0}",
		DOC("{}"),
		DOC("[1]"),
		DOC("[\"b\",\"a\"]"),
		DOC("[\"a\",\"a\"]"),
		DOC("[\"\"]"),
		DOC("[\"../a\"]"),
		DOC("[\"/a\"]"),
		DOC("[\"index.json\"]"),
	};
	struct log_index ix = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i], &ix), RC_CORRUPT);
	assert_int_equal(parse("{\"kind\":\"index\",\"names\":[],"
			       "\"version\":2}",
			       &ix),
			 RC_UNSUPPORTED);
	assert_null(ix.names);
}

static void bad_names_are_not_written(void **state)
{
	const char *const order[] = { "b", "a" };
	const char *const self[] = { "index.json" };
	CLEANUP_BUF struct buf b = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(log_index_write(order, 2, &b, &err), RC_USAGE);
	assert_int_equal(log_index_write(self, 1, &b, &err), RC_USAGE);
	buf_init(&b, 5);
	assert_int_equal(log_index_write(order, 1, &b, &err), RC_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(an_empty_log_has_an_index),
		cmocka_unit_test(bad_documents_are_refused),
		cmocka_unit_test(bad_names_are_not_written),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
