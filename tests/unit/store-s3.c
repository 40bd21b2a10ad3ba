/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3.c - tests of the S3 store over a double of the wire. */
#include "config.h"

#include "store/store-s3-backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "http-double.h"
#include "store/store.h"
#include "unit.h"

#define ENDPOINT "http://127.0.0.1:8000"

/* The credentials there are at this time. */
static const char *the_access, *the_key;

enum rc secret_load(const struct store_settings *set, struct secret *ret,
		    struct err *err)
{
	(void)set;
	if (!the_access)
		return err_set(err, RC_ACCESS, "no credentials");
	*ret = (struct secret){ 0 };
	snprintf(ret->access, sizeof(ret->access), "%s", the_access);
	snprintf(ret->key, sizeof(ret->key), "%s", the_key);
	snprintf(ret->source, sizeof(ret->source), "the test");
	return RC_OK;
}

void secret_wipe(struct secret *s)
{
	*s = (struct secret){ 0 };
}

static int set_up(void **state)
{
	static const char *const names[] = { "AWS_ENDPOINT_URL",
					     "AWS_ENDPOINT_URL_S3",
					     "AWS_REGION",
					     "AWS_DEFAULT_REGION" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
	the_access = "AKID";
	the_key = "the secret of all";
	return 0;
}

static struct store *open_store(const char *url,
				const struct store_settings *set)
{
	struct store *st = NULL;
	struct err err = { 0 };

	if (store_open(&st, url, set, &err))
		fail_msg("%s", err.msg);
	return st;
}

static const struct store_settings here = { .endpoint = ENDPOINT,
					    .region = "eu-central-1" };

static const struct http_answer good_tail = { .status = 206,
					      .body = "cdef",
					      .etag = "\"t\"",
					      .content_range = "bytes 2-5/6" };

static void tail(struct store *st, const char *key, enum rc want)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct object_info info;
	struct err err = { 0 };

	buf_init(&b, 100);
	assert_int_equal(store_read_tail(st, key, 4, &b, &info, &err), want);
	assert_null(strstr(err.msg, the_key));
	if (want) {
		assert_non_null(strstr(err.msg, key));
		assert_int_equal(b.len, 0);
		return;
	}
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.p, "cdef", 4);
	assert_int_equal(info.size, 6);
	assert_string_equal(info.tag, "\"t\"");
}

static void check_url(const char *url, const struct store_settings *set,
		      const char *want)
{
	struct store *st = open_store(url, set);

	DOUBLE_ANSWERS(good_tail);
	tail(st, "d/k y", RC_OK);
	assert_string_equal(double_sent(0)->url, want);
	double_end();
	store_close(st);
}

static void addresses_follow_endpoint_and_style(void **state)
{
	struct store_settings set = { 0 };

	(void)state;
	check_url("s3://bkt/a/b/", &set,
		  "https://bkt.s3.us-east-1.amazonaws.com/a/b/d/k%20y");
	check_url("s3://b.k.t", &set,
		  "https://s3.us-east-1.amazonaws.com/b.k.t/d/k%20y");
	set.region = "cn-north-1";
	check_url("s3://bkt", &set,
		  "https://bkt.s3.cn-north-1.amazonaws.com.cn/d/k%20y");
	setenv("AWS_ENDPOINT_URL", "http://localhost:1/x/", 1);
	check_url("s3://bkt", &set, "http://localhost:1/x/bkt/d/k%20y");
	setenv("AWS_ENDPOINT_URL_S3", "http://localhost:2", 1);
	check_url("s3://bkt", &set, "http://localhost:2/bkt/d/k%20y");
	set.endpoint = "https://s3.example";
	check_url("s3://bkt//a", &set, "https://s3.example/bkt/a/d/k%20y");
	set.path_style = PATH_STYLE_NO;
	check_url("s3://bkt/a", &set, "https://bkt.s3.example/a/d/k%20y");
}

static void check_usage(const char *url, const struct store_settings *set)
{
	struct store *st = NULL;
	struct err err = { 0 };

	assert_int_equal(store_open(&st, url, set, &err), RC_USAGE);
}

#define LABEL "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff."

static void places_that_cannot_be_are_refused(void **state)
{
	struct store_settings set = here;

	(void)state;
	check_usage("s3://", &set);
	check_usage("s3://ab", &set);
	check_usage("s3://a b c", &set);
	check_usage("s3://a?b", &set);
	check_usage("s3://bkt/a//b", &set);
	check_usage("s3://bkt/../b", &set);
	set.path_style = PATH_STYLE_NO;
	check_usage("s3://bkt", &set);
	set.endpoint = "http://" LABEL LABEL LABEL LABEL "aaaaaa";
	check_usage("s3://bkt", &set);
	set.endpoint = "ftp://x";
	check_usage("s3://bkt", &set);
	set = here;
	set.region = "evil.example/";
	check_usage("s3://bkt", &set);
}

static void opening_sends_nothing_and_names_the_place(void **state)
{
	struct store *st = open_store("s3://bkt/a/", &here);

	(void)state;
	assert_string_equal(store_location(st), "s3://bkt/a at " ENDPOINT);
	assert_true(store_is_remote(st));
	assert_int_equal(double_n_sent(), 0);
	store_close(st);
}

static void no_credentials_no_store(void **state)
{
	struct store *st = NULL;
	struct err err = { 0 };

	(void)state;
	the_access = NULL;
	assert_int_equal(store_open(&st, "s3://bkt", &here, &err), RC_ACCESS);
}

static void a_read_wants_the_object_seen_first(void **state)
{
	struct store *st = open_store("s3://bkt", &here);
	struct object_info seen = { .size = 6, .tag = "\"t\"" };
	struct err err = { 0 };
	char b[4];

	(void)state;
	DOUBLE_ANSWERS({ .status = 206,
			 .body = "bcd",
			 .etag = "\"t\"",
			 .content_range = "bytes 1-3/6" },
		       { .status = 412, .body = "<Error/>" });
	assert_int_equal(store_read_ahead(st, "k", &seen, 1, b, 3, &err),
			 RC_OK);
	assert_memory_equal(b, "bcd", 3);
	assert_true(double_sent(0)->is_ahead);
	assert_true(double_has_header(0, "range: bytes=1-3"));
	assert_true(double_has_header(0, "if-match: \"t\""));
	assert_int_equal(store_read(st, "k", &seen, 1, b, 3, &err), RC_CHANGED);
	double_end();

	/* A weak tag is compared and not sent. */
	snprintf(seen.tag, sizeof(seen.tag), "W/\"t\"");
	DOUBLE_ANSWERS({ .status = 206,
			 .body = "bcd",
			 .etag = "W/\"t\"",
			 .content_range = "bytes 1-3/6" });
	assert_int_equal(store_read(st, "k", &seen, 1, b, 3, &err), RC_OK);
	assert_null(strstr(double_sent(0)->headers, "if-match"));
	double_end();
	store_close(st);
}

#define XML(code) "<?xml version=\"1.0\"?><Error><Code>" code "</Code></Error>"

static void what_may_pass_is_tried_again(void **state)
{
	struct store *st = open_store("s3://bkt", &here);
	struct store_counters n;

	(void)state;
	DOUBLE_ANSWERS(
		{ .status = 503, .body = XML("SlowDown") },
		{ .rc = RC_TIMEOUT }, { .rc = RC_IO },
		{ .status = 400, .body = XML("RequestTimeout") },
		{ .status = 206, .body = "xx", .content_range = "bytes 0-1/6" },
		good_tail);
	tail(st, "k", RC_OK);
	double_end();
	store_count(st, &n);
	assert_int_equal(n.get, 6);
	assert_int_equal(n.retries, 5);
	assert_int_equal(n.throttled, 1);
	assert_int_equal(n.timeouts, 1);
	assert_int_equal(n.bad_replies, 1);
	assert_int_equal(n.reads, 1);
	store_close(st);
}

static void tries_end(void **state)
{
	struct store_settings set = here;
	struct store *st;

	(void)state;
	set.retries = 2;
	st = open_store("s3://bkt", &set);
	DOUBLE_ANSWERS({ .status = 500 }, { .status = 500 }, { .status = 500 });
	tail(st, "k", RC_IO);
	double_end();
	DOUBLE_ANSWERS({ .status = 200, .body = "abcdef" },
		       { .status = 200, .body = "abcdef" },
		       { .status = 200, .body = "abcdef" });
	tail(st, "k", RC_CORRUPT);
	double_end();
	DOUBLE_ANSWERS({ .rc = RC_TIMEOUT }, { .rc = RC_TIMEOUT },
		       { .rc = RC_TIMEOUT });
	tail(st, "k", RC_TIMEOUT);
	double_end();
	store_close(st);
}

static void what_stays_is_told_at_once(void **state)
{
	static const struct {
		struct http_answer a;
		enum rc rc;
	} rows[] = {
		{ { .status = 404, .body = XML("NoSuchKey") }, RC_NOENT },
		{ { .status = 404, .body = XML("NoSuchBucket") }, RC_NOENT },
		{ { .status = 404, .body = "<html>" }, RC_NOENT },
		{ { .status = 403, .body = XML("AccessDenied") }, RC_ACCESS },
		{ { .status = 400, .body = XML("Whatever") }, RC_IO },
		{ { .status = 501 }, RC_UNSUPPORTED },
		{ { .status = 302 }, RC_IO },
		{ { .rc = RC_ACCESS }, RC_ACCESS },
		{ { .status = 503, .retry_after = "100" }, RC_IO },
	};
	struct store *st = open_store("s3://bkt", &here);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		double_answers(&rows[i].a, 1);
		tail(st, "k", rows[i].rc);
		double_end();
	}
	store_close(st);
}

static void a_denial_names_the_rights(void **state)
{
	const struct http_answer denied = { .status = 403,
					    .body = XML("AccessDenied") };
	struct store *st = open_store("s3://bkt", &here);
	CLEANUP_BUF struct buf b = { .max = 1 };
	struct object_info info;
	struct err err;

	(void)state;
	double_answers(&denied, 1);
	assert_int_equal(store_read_tail(st, "k", 1, &b, &info, &err),
			 RC_ACCESS);
	assert_non_null(strstr(err.msg, "s3:GetObject, and s3:ListBucket"));
	double_end();
	store_close(st);
}

static void the_clock_of_the_server_counts(void **state)
{
	struct store *st = open_store("s3://bkt", &here);
	const struct http_answer skewed = {
		.status = 403,
		.body = XML("RequestTimeTooSkewed"),
		.date = "Sat, 21 Nov 2026 10:15:30 GMT",
	};

	(void)state;
	clock_freeze(1, 1000000000LL * 1000000000LL);
	DOUBLE_ANSWERS(skewed, good_tail);
	tail(st, "k", RC_OK);
	assert_true(double_has_header(0, "x-amz-date: 20010909T014640Z"));
	assert_true(double_has_header(1, "x-amz-date: 20261121T101530Z"));
	double_end();
	/* Not without an end. */
	DOUBLE_ANSWERS(skewed, skewed);
	tail(st, "k", RC_ACCESS);
	double_end();
	clock_thaw();
	store_close(st);
}

static void new_credentials_are_looked_for_once(void **state)
{
	struct store *st = open_store("s3://bkt", &here);
	const struct http_answer expired = { .status = 400,
					     .body = XML("ExpiredToken") };

	(void)state;
	DOUBLE_ANSWERS(expired);
	tail(st, "k", RC_ACCESS);
	double_end();
	the_access = "OTHER";
	DOUBLE_ANSWERS(expired, good_tail);
	tail(st, "k", RC_OK);
	assert_non_null(strstr(double_sent(0)->headers, "Credential=AKID/"));
	assert_non_null(strstr(double_sent(1)->headers, "Credential=OTHER/"));
	double_end();
	store_close(st);
}

static void the_region_of_the_bucket_is_learnt(void **state)
{
	struct store_settings set = { .region = "us-east-1" };
	struct store *st = open_store("s3://bkt", &set);

	(void)state;
	DOUBLE_ANSWERS({ .status = 301,
			 .bucket_region = "eu-west-1",
			 .location = "https://evil.example/k" },
		       good_tail, good_tail);
	tail(st, "k", RC_OK);
	assert_string_equal(double_sent(1)->url,
			    "https://bkt.s3.eu-west-1.amazonaws.com/k");
	assert_non_null(strstr(double_sent(1)->headers, "/eu-west-1/s3/"));
	/* The next one knows. */
	tail(st, "k", RC_OK);
	assert_string_equal(double_sent(2)->url,
			    "https://bkt.s3.eu-west-1.amazonaws.com/k");
	double_end();
	/* Once a call. */
	DOUBLE_ANSWERS({ .status = 301, .bucket_region = "a" },
		       { .status = 301, .bucket_region = "b" });
	tail(st, "k", RC_IO);
	double_end();
	DOUBLE_ANSWERS({ .status = 301, .bucket_region = "evil.example/" });
	tail(st, "k", RC_IO);
	double_end();
	store_close(st);
}

static void signatures_stay_at_home(void **state)
{
	static const char *const away[] = {
		"https://evil.example/k",
		"http://bkt.s3.eu-west-1.amazonaws.com/k",
		"https://amazonaws.com.evil.example/k",
		"https://bkt.s3.eu-west-1.amazonaws.com:444/k",
		"//elsewhere/k",
		"nonsense",
	};
	struct store_settings set = { .region = "us-east-1" };
	struct store *st = open_store("s3://bkt", &set);
	const struct http_answer a = {
		.status = 307,
		.location = "https://bkt.s3.eu-west-1.amazonaws.com/k?x=y"
	};
	const struct http_answer b = {
		.status = 307,
		.location = "https://bkt.s3.eu-west-2.amazonaws.com/k"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(away); i++) {
		DOUBLE_ANSWERS({ .status = 307, .location = away[i] });
		tail(st, "k", RC_IO);
		double_end();
	}
	DOUBLE_ANSWERS(a, good_tail);
	tail(st, "k", RC_OK);
	assert_string_equal(double_sent(1)->url,
			    "https://bkt.s3.eu-west-1.amazonaws.com/k");
	double_end();
	/* In circles, but not for long. */
	DOUBLE_ANSWERS(a, b, a, b);
	tail(st, "k", RC_IO);
	double_end();
	store_close(st);
}

struct names {
	char text[256];
	size_t n, stop_at;
};

static enum rc add_name(void *arg, const char *key, uint64_t size,
			struct err *err)
{
	struct names *l = arg;
	size_t len = strlen(l->text);

	snprintf(l->text + len, sizeof(l->text) - len, "%s=%d ", key,
		 (int)size);
	return ++l->n == l->stop_at ? err_set(err, RC_PARTIAL, "enough")
				    : RC_OK;
}

#define ITEM(key, size) \
	"<Contents><Key>" key "</Key><Size>" #size "</Size></Contents>"
#define PAGE(more, items)                                            \
	"<?xml version=\"1.0\"?><ListBucketResult><EncodingType>url" \
	"</EncodingType><IsTruncated>" more "</IsTruncated>" items   \
	"</ListBucketResult>"
#define NEXT(token) "<NextContinuationToken>" token "</NextContinuationToken>"

static enum rc list(struct store *st, const char *prefix, const char *after,
		    struct names *ret)
{
	struct err err = { 0 };

	return store_list(st, prefix, after, add_name, ret, &err);
}

static void pages_make_one_list(void **state)
{
	struct store *st = open_store("s3://bkt/p", &here);
	struct names l = { .text = "" };

	(void)state;
	DOUBLE_ANSWERS(
		{ .status = 200,
		  .body = PAGE("true", NEXT("t 1") ITEM("p/log/", 0)
					       ITEM("p/log/a%20b", 1)
						       ITEM("p/log/c", 2)) },
		{ .status = 503 },
		{ .status = 200, .body = PAGE("true", NEXT("t2")) },
		{ .status = 200, .body = PAGE("false", ITEM("p/log/d", 3)) });
	assert_int_equal(list(st, "log/", "log/a", &l), RC_OK);
	assert_string_equal(l.text, "log/a b=1 log/c=2 log/d=3 ");
	assert_string_equal(double_sent(0)->url,
			    ENDPOINT "/bkt?encoding-type=url&list-type=2&"
				     "max-keys=1000&prefix=p%2Flog%2F&"
				     "start-after=p%2Flog%2Fa");
	assert_non_null(
		strstr(double_sent(1)->url, "continuation-token=t%201&"));
	assert_non_null(strstr(double_sent(3)->url, "continuation-token=t2&"));
	double_end();
	store_close(st);
}

static void the_store_keeps_its_own_to_itself(void **state)
{
	struct store *st = open_store("s3://bkt", &here);
	struct names l = { .text = "" };

	(void)state;
	DOUBLE_ANSWERS({ .status = 200,
			 .body = PAGE("false", ITEM("a", 1) ITEM("tmp/x", 1)
						       ITEM("tmpx", 1)) });
	assert_int_equal(list(st, "", NULL, &l), RC_OK);
	assert_string_equal(l.text, "a=1 tmpx=1 ");
	double_end();
	store_close(st);
}

static void a_list_ends_when_told(void **state)
{
	struct store *st = open_store("s3://bkt", &here);
	struct names l = { .stop_at = 1 };

	(void)state;
	DOUBLE_ANSWERS(
		{ .status = 200,
		  .body = PAGE("true", NEXT("t") ITEM("a", 1) ITEM("b", 1)) });
	assert_int_equal(list(st, "", NULL, &l), RC_PARTIAL);
	assert_string_equal(l.text, "a=1 ");
	double_end();
	store_close(st);
}

static void lists_that_lead_nowhere_are_damaged(void **state)
{
	static const char *const pages[] = {
		"",
		"nonsense",
		PAGE("false", ITEM("b", 1) ITEM("a", 1)),
		PAGE("false", ITEM("a", 1) ITEM("a", 1)),
		PAGE("true", ITEM("a", 1)),
		PAGE("true", NEXT("") ITEM("a", 1)),
	};
	struct store_settings set = here;
	struct store *st;
	struct names l = { .text = "" };

	(void)state;
	set.retries = 1;
	st = open_store("s3://bkt", &set);
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		DOUBLE_ANSWERS({ .status = 200, .body = pages[i] },
			       { .status = 200, .body = pages[i] });
		assert_int_equal(list(st, "", NULL, &l), RC_CORRUPT);
		double_end();
	}
	DOUBLE_ANSWERS({ .status = 200, .body = PAGE("false", ITEM("b", 1)) },
		       { .status = 200, .body = PAGE("false", ITEM("b", 1)) });
	assert_int_equal(list(st, "a", NULL, &l), RC_CORRUPT);
	double_end();
	assert_string_equal(l.text, "");
	store_close(st);
}

static void a_list_without_end_ends(void **state)
{
	static const struct http_answer same = {
		.status = 200, .body = PAGE("true", NEXT("t") ITEM("a", 1))
	};
	static const struct http_answer empty[] = {
		{ .status = 200, .body = PAGE("true", NEXT("t")) },
		{ .status = 200, .body = PAGE("true", NEXT("u")) },
	};
	struct http_answer many[40];
	struct store_settings set = here;
	struct store *st;
	struct names l = { .text = "" };

	(void)state;
	set.retries = 1;
	st = open_store("s3://bkt", &set);
	DOUBLE_ANSWERS(same, same, same);
	assert_int_equal(list(st, "", NULL, &l), RC_CORRUPT);
	assert_string_equal(l.text, "a=1 ");
	double_end();
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = empty[i % 2];
	double_answers(many, ARRAY_LEN(many));
	assert_int_equal(list(st, "", NULL, &l), RC_CORRUPT);
	assert_true(double_n_sent() < ARRAY_LEN(many));
	store_close(st);
}

static void an_error_may_hide_in_a_good_status(void **state)
{
	struct store *st = open_store("s3://bkt", &here);
	struct s3_reply re = { 0 };
	struct err err = { 0 };
	struct s3_request rq = { .kind = REMOTE_POST,
				 .method = HTTP_POST,
				 .key = "k",
				 .body = "abc",
				 .body_len = 3 };

	(void)state;
	DOUBLE_ANSWERS({ .status = 200, .body = XML("InternalError") },
		       { .status = 200, .body = "<Good/>", .etag = "\"e\"" });
	assert_int_equal(s3_send((struct s3_store *)st, &rq, &re, &err), RC_OK);
	assert_string_equal(re.http.etag, "\"e\"");
	assert_int_equal(re.tries, 2);
	assert_true(double_has_header(
		0, "x-amz-content-sha256: ba7816bf8f01cfea414140de5dae2223"
		   "b00361a396177a9cb410ff61f20015ad"));
	double_end();
	s3_reply_release(&re);
	store_close(st);
}

static void what_is_there_exists(void **state)
{
	struct store *st = open_store("s3://bkt", &here);
	struct s3_reply re = { 0 };
	struct err err = { 0 };
	const struct sigv4_pair h = { "if-none-match", "*" };
	struct s3_request rq = { .kind = REMOTE_PUT,
				 .method = HTTP_PUT,
				 .key = "k",
				 .headers = &h,
				 .n_headers = 1 };

	(void)state;
	DOUBLE_ANSWERS({ .status = 412, .body = XML("PreconditionFailed") });
	assert_int_equal(s3_send((struct s3_store *)st, &rq, &re, &err),
			 RC_EXISTS);
	assert_string_equal(re.error.code, "PreconditionFailed");
	assert_true(double_has_header(0, "if-none-match: *"));
	double_end();
	s3_reply_release(&re);
	store_close(st);
}

/* Whether text is "<time> rest <milliseconds> try", all fields but the times.
 */
static bool is_traced(const char *text, const char *rest, const char *try)
{
	const char *p = strstr(text, rest);
	const char *end = p ? strchr(p, '\n') : NULL;

	return end && (size_t)(end - p) > strlen(try) &&
	       !strncmp(end - strlen(try), try, strlen(try));
}

static void requests_are_traced_without_secrets(void **state)
{
	char path[] = "/tmp/desfs-trace-XXXXXX";
	char text[2000] = "";
	int fd = mkstemp(path);
	struct store_settings set = here;
	struct store *st;
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	set.trace = path;
	st = open_store("s3://bkt/p", &set);
	DOUBLE_ANSWERS({ .status = 503 }, { .rc = RC_TIMEOUT }, good_tail);
	tail(st, "d/k y", RC_OK);
	double_end();
	store_close(st);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n > 0);
	assert_true(is_traced(text, "Z GET d/k%20y bytes=-4 503 0 ", " 1"));
	assert_true(is_traced(text,
			      "Z GET d/k%20y bytes=-4 no%20answer%20in%20time "
			      "0 ",
			      " 2"));
	assert_true(is_traced(text, "Z GET d/k%20y bytes=-4 206 4 ", " 3"));
	assert_null(strstr(text, "AKID"));
	assert_null(strstr(text, "ignature"));
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, set_up)
		T(addresses_follow_endpoint_and_style),
		T(places_that_cannot_be_are_refused),
		T(opening_sends_nothing_and_names_the_place),
		T(no_credentials_no_store),
		T(a_read_wants_the_object_seen_first),
		T(what_may_pass_is_tried_again),
		T(tries_end),
		T(what_stays_is_told_at_once),
		T(a_denial_names_the_rights),
		T(the_clock_of_the_server_counts),
		T(new_credentials_are_looked_for_once),
		T(the_region_of_the_bucket_is_learnt),
		T(signatures_stay_at_home),
		T(pages_make_one_list),
		T(the_store_keeps_its_own_to_itself),
		T(a_list_ends_when_told),
		T(lists_that_lead_nowhere_are_damaged),
		T(a_list_without_end_ends),
		T(an_error_may_hide_in_a_good_status),
		T(what_is_there_exists),
		T(requests_are_traced_without_secrets),
#undef T
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
