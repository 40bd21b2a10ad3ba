/* SPDX-License-Identifier: Apache-2.0 */
/* store-http.c - tests of web servers as stores over a double of the wire. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "conf/store-settings.h"
#include "http-double.h"
#include "store/store-write.h"
#include "store/store.h"
#include "unit.h"

static struct store *open_store(const char *url)
{
	struct store *st = NULL;
	struct err err = { 0 };

	if (store_open(&st, url, NULL, &err))
		fail_msg("%s", err.msg);
	return st;
}

static const struct http_answer good_tail = { .status = 206,
					      .body = "cdef",
					      .etag = "\"t\"",
					      .content_range = "bytes 2-5/6" };

static enum rc tail(struct store *st, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct object_info info;

	buf_init(&b, 100);
	if (store_read_tail(st, "d/k y", 4, &b, &info, err))
		return err->rc;
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.p, "cdef", 4);
	return RC_OK;
}

static void check_url(const char *url, const char *want)
{
	struct store *st = open_store(url);
	struct err err = { 0 };

	DOUBLE_ANSWERS(good_tail);
	assert_int_equal(tail(st, &err), RC_OK);
	assert_string_equal(double_sent(0)->url, want);
	assert_string_equal(double_sent(0)->headers, "range: bytes=-4\n");
	double_end();
	store_close(st);
}

static void objects_lie_below_the_url(void **state)
{
	struct store *st = NULL;
	struct err err = { 0 };

	(void)state;
	check_url("https://host", "https://host/d/k%20y");
	check_url("https://host/", "https://host/d/k%20y");
	check_url("http://host:81/a%20b//", "http://host:81/a%20b/d/k%20y");
	assert_int_equal(store_open(&st, "https://u:p@host/", NULL, &err),
			 RC_USAGE);
	assert_null(strstr(err.msg, "u:p"));
	assert_int_equal(store_open(&st, "https://host/?q", NULL, &err),
			 RC_USAGE);
	assert_int_equal(store_create(&st, "https://host/", NULL, &err),
			 RC_USAGE);
}

static void check_move(const char *from, const char *to, const char *want)
{
	struct store *st = open_store(from);
	struct err err = { 0 };
	const struct http_answer a[] = { { .status = 302, .location = to },
					 good_tail };

	double_answers(a, want ? 2 : 1);
	assert_int_equal(tail(st, &err), want ? RC_OK : RC_IO);
	if (want)
		assert_string_equal(double_sent(1)->url, want);
	double_end();
	store_close(st);
}

static void redirects_never_lower_the_guard(void **state)
{
	(void)state;
	check_move("https://h/a", "https://cdn/x?sig=1", "https://cdn/x?sig=1");
	check_move("https://h/a", "https://h:8/x", "https://h:8/x");
	check_move("https://h/a", "/x%20y", "https://h/x%20y");
	check_move("https://h/a", "//cdn/x#f", "https://cdn/x");
	check_move("http://h/a", "http://h/x", "http://h/x");
	check_move("https://h/a", "http://h/a", NULL);
	check_move("http://h/a", "https://h/a", NULL);
	check_move("http://h/a", "http://cdn/a", NULL);
	check_move("http://h/a", "http://h:8/a", NULL);
	check_move("https://h/a", "file:///etc/passwd", NULL);
	check_move("https://h/a", "https://u:p@h/x", NULL);
	check_move("https://h/a", "https://h/x y", NULL);
	check_move("https://h/a", "x", NULL);
	check_move("https://h/a", NULL, NULL);
}

static void redirects_end(void **state)
{
	struct store *st = open_store("https://h");
	struct err err = { 0 };
	const struct http_answer to = { .status = 307, .location = "/again" };

	(void)state;
	DOUBLE_ANSWERS(to, to, to, to);
	assert_int_equal(tail(st, &err), RC_IO);
	double_end();
	store_close(st);
}

static void statuses_become_results(void **state)
{
	static const struct {
		unsigned int status;
		enum rc rc;
	} rows[] = { { 404, RC_NOENT },  { 410, RC_NOENT }, { 401, RC_ACCESS },
		     { 403, RC_ACCESS }, { 400, RC_IO },    { 304, RC_IO } };
	struct store *st = open_store("https://h");
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		DOUBLE_ANSWERS({ .status = rows[i].status });
		assert_int_equal(tail(st, &err), rows[i].rc);
		double_end();
	}
	store_close(st);
}

static enum rc look(void *arg, const void *p, size_t len,
		    const struct object_info *info, struct err *err)
{
	(void)arg;
	assert_non_null(p);
	assert_int_equal(len, 0);
	assert_int_equal(info->size, 0);
	return err_set(err, RC_CORRUPT, "empty");
}

static void an_empty_object_is_looked_at_too(void **state)
{
	struct store *st = open_store("https://h");
	CLEANUP_BUF struct buf b = { 0 };
	struct object_info info;
	struct err err = { 0 };

	(void)state;
	DOUBLE_ANSWERS({ .status = 416, .content_range = "bytes */0" });
	buf_init(&b, 100);
	assert_int_equal(store_read_tail_checked(st, "k", 8, &b, &info, look,
						 NULL, &err),
			 RC_CORRUPT);
	double_end();
	store_close(st);
}

static enum rc add_name(void *arg, const char *key, uint64_t size,
			struct err *err)
{
	char *text = arg;

	(void)err;
	assert_int_equal(size, 0);
	snprintf(text + strlen(text), 256 - strlen(text), "%s ", key);
	return RC_OK;
}

static struct http_answer whole(const char *doc, char range[64])
{
	size_t len = strlen(doc);

	snprintf(range, 64, "bytes 0-%zu/%zu", len - 1, len);
	return (struct http_answer){ .status = 206,
				     .body = doc,
				     .content_range = range };
}

static enum rc list(struct store *st, const char *prefix, const char *after,
		    char text[256])
{
	struct err err = { 0 };

	text[0] = '\0';
	return store_list(st, prefix, after, add_name, text, &err);
}

static void the_index_tells_what_the_log_has(void **state)
{
	static const char doc[] =
		"{\"kind\":\"index\",\"names\":[\"a\",\"b\",\"c\"],"
		"\"version\":1}\n";
	struct store *st = open_store("https://h/x");
	char range[64];
	char text[256];
	const struct http_answer a = whole(doc, range);

	(void)state;
	DOUBLE_ANSWERS(a, a);
	assert_int_equal(list(st, "log/", NULL, text), RC_OK);
	assert_string_equal(text, "log/a log/b log/c ");
	assert_string_equal(double_sent(0)->url, "https://h/x/log/index.json");
	assert_true(double_has_header(0, "cache-control: no-cache"));
	assert_int_equal(list(st, "log/", "log/b", text), RC_OK);
	assert_string_equal(text, "log/c ");
	double_end();
	DOUBLE_ANSWERS({ .status = 404 });
	assert_int_equal(list(st, "log/", NULL, text), RC_NOENT);
	assert_int_equal(list(st, "2026", NULL, text), RC_UNSUPPORTED);
	assert_int_equal(list(st, "", NULL, text), RC_UNSUPPORTED);
	double_end();
	store_close(st);
}

static void a_damaged_index_lists_nothing(void **state)
{
	struct store *st = open_store("https://h");
	char range[64];
	char text[256];
	const struct http_answer a =
		whole("{\"kind\":\"index\",\"names\":[\"a\",\"a\"],"
		      "\"version\":1}",
		      range);

	(void)state;
	DOUBLE_ANSWERS(a, { .status = 200 });
	assert_int_equal(list(st, "log/", NULL, text), RC_CORRUPT);
	assert_string_equal(text, "");
	assert_int_equal(list(st, "log/", NULL, text), RC_CORRUPT);
	double_end();
	store_close(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_lie_below_the_url),
		cmocka_unit_test(redirects_never_lower_the_guard),
		cmocka_unit_test(redirects_end),
		cmocka_unit_test(statuses_become_results),
		cmocka_unit_test(an_empty_object_is_looked_at_too),
		cmocka_unit_test(the_index_tells_what_the_log_has),
		cmocka_unit_test(a_damaged_index_lists_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
