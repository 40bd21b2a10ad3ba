/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-purge.c - tests of removing all there is of an object of a bucket:
 * versions, markers, locks, and servers that refuse.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conf/store-settings.h"
#include "http-double.h"
#include "store/store-write.h"
#include "unit.h"

static const struct store_settings here = { .endpoint = "http://127.0.0.1:8000",
					    .region = "eu-central-1" };

#define NOW 1795255200LL /* 2026-11-21T10:00:00Z */
#define LATER "2026-11-22T10:00:00Z"
#define LATER_US ((NOW + 86400) * 1000000)

#define UPLOADS(items)                                              \
	{                                                           \
		.status = 200,                                      \
		.body = "<ListMultipartUploadsResult><IsTruncated>" \
			"false</IsTruncated>" items                 \
			"</ListMultipartUploadsResult>"             \
	}
#define UPLOAD(key, id)                                         \
	"<Upload><Key>" key "</Key><UploadId>" id "</UploadId>" \
	"<Initiated>2026-11-20T10:00:00Z</Initiated></Upload>"
#define LISTED(items)                                                  \
	{                                                              \
		.status = 200,                                         \
		.body = "<ListVersionsResult><IsTruncated>false"       \
			"</IsTruncated>" items "</ListVersionsResult>" \
	}
#define ONE(key, id, latest)                                       \
	"<Version><Key>" key "</Key><VersionId>" id "</VersionId>" \
	"<IsLatest>" latest "</IsLatest><Size>5</Size></Version>"
#define MARKER(key, id, latest)                          \
	"<DeleteMarker><Key>" key "</Key><VersionId>" id \
	"</VersionId><IsLatest>" latest "</IsLatest></DeleteMarker>"
#define DENIED                                                     \
	{                                                          \
		.status = 403,                                     \
		.body = "<Error><Code>AccessDenied</Code></Error>" \
	}

static const struct http_answer ok = { .status = 204 };
static const struct http_answer not_there = {
	.status = 404, .body = "<Error><Code>NoSuchKey</Code></Error>"
};
static const struct http_answer no_uploads = UPLOADS("");
static const struct http_answer nothing = LISTED("");
static const struct http_answer denied = DENIED;
static const struct http_answer no_hold = {
	.status = 404,
	.body = "<Error><Code>NoSuchObjectLockConfiguration</Code></Error>"
};

static struct store *st;
static struct err err;
static enum store_gone gone;
static int64_t until;

static int setup(void **state)
{
	const struct http_answer there = { .status = 200 };

	(void)state;
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	clock_freeze(CLOCK_NS_PER_SEC, NOW * 1000000000);
	DOUBLE_ANSWERS(there);
	if (store_create(&st, "s3://bucket/a", &here, &err))
		fail_msg("%s", err.msg);
	double_end();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(st);
	clock_thaw();
	return 0;
}

static void purge(void)
{
	if (store_purge(st, "d/x", &gone, &until, &err))
		fail_msg("%s", err.msg);
}

static void check_sent(size_t i, const char *method, const char *end)
{
	const char *url = double_sent(i)->url;

	assert_string_equal(double_sent(i)->method, method);
	if (strlen(url) < strlen(end) ||
	    strcmp(url + strlen(url) - strlen(end), end) != 0)
		fail_msg("%s does not end with %s", url, end);
}

static void an_object_of_a_plain_bucket_goes(void **state)
{
	const struct http_answer one = LISTED(
		ONE("a/d/x", "null", "true") ONE("a/d/xy", "null", "true"));
	const struct http_answer other = LISTED(ONE("a/d/xy", "null", "true"));

	(void)state;
	DOUBLE_ANSWERS(no_uploads, one, ok, other, not_there);
	purge();
	assert_int_equal(gone, STORE_REMOVED);
	check_sent(0, "GET", "?prefix=a%2Fd%2Fx&uploads=");
	check_sent(1, "GET", "?prefix=a%2Fd%2Fx&versions=");
	check_sent(2, "DELETE", "/a/d/x?versionId=null");
	double_end();
}

static void what_is_not_there_is_removed(void **state)
{
	(void)state;
	DOUBLE_ANSWERS(no_uploads, nothing, nothing, not_there);
	purge();
	assert_int_equal(gone, STORE_REMOVED);
	double_end();
}

/* As a plain DELETE has left it: hidden, and all of its bytes there. */
static void versions_go_from_the_oldest_on_and_markers_last(void **state)
{
	const struct http_answer all =
		LISTED(MARKER("a/d/x", "m2", "true") ONE("a/d/x", "v2", "false")
			       MARKER("a/d/x", "m1", "false")
				       ONE("a/d/x", "v1", "false"));

	(void)state;
	DOUBLE_ANSWERS(no_uploads, all, ok, ok, ok, ok, nothing, not_there);
	purge();
	assert_int_equal(gone, STORE_VERSIONS_REMOVED);
	check_sent(2, "DELETE", "?versionId=v1");
	check_sent(3, "DELETE", "?versionId=v2");
	check_sent(4, "DELETE", "?versionId=m1");
	check_sent(5, "DELETE", "?versionId=m2");
	double_end();
}

static void unfinished_uploads_of_the_key_go_too(void **state)
{
	const struct http_answer some =
		UPLOADS(UPLOAD("a/d/x", "u1") UPLOAD("a/d/xy", "u2"));

	(void)state;
	DOUBLE_ANSWERS(some, ok, nothing, nothing, not_there);
	purge();
	check_sent(1, "DELETE", "/a/d/x?uploadId=u1");
	double_end();
}

static void what_is_there_again_is_removed_again(void **state)
{
	const struct http_answer one = LISTED(ONE("a/d/x", "v1", "true"));
	const struct http_answer two = LISTED(ONE("a/d/x", "v2", "true"));

	(void)state;
	DOUBLE_ANSWERS(no_uploads, one, ok, two, ok, nothing, not_there);
	purge();
	assert_int_equal(gone, STORE_VERSIONS_REMOVED);
	double_end();
	/* But not for ever. */
	DOUBLE_ANSWERS(no_uploads, one, ok, one, ok, one, ok, one, ok, one);
	assert_int_equal(store_purge(st, "d/x", &gone, &until, &err), RC_IO);
	assert_non_null(strstr(err.msg, "there again"));
	double_end();
}

static void what_can_be_read_afterwards_is_not_gone(void **state)
{
	const struct http_answer there = { .status = 206,
					   .body = "x",
					   .etag = "\"1\"",
					   .content_range = "bytes 0-0/1" };

	(void)state;
	DOUBLE_ANSWERS(no_uploads, nothing, nothing, there);
	assert_int_equal(store_purge(st, "d/x", &gone, &until, &err), RC_IO);
	double_end();
}

static void a_lock_keeps_it_until_it_ends(void **state)
{
	const struct http_answer before =
		LISTED(ONE("a/d/x", "v2", "true") ONE("a/d/x", "v1", "false"));
	const struct http_answer after = LISTED(
		MARKER("a/d/x", "m", "true") ONE("a/d/x", "v1", "false"));
	const struct http_answer retention = {
		.status = 200,
		.body = "<Retention><Mode>COMPLIANCE</Mode>"
			"<RetainUntilDate>" LATER
			"</RetainUntilDate></Retention>"
	};

	(void)state;
	DOUBLE_ANSWERS(no_uploads, before, denied, no_hold, retention, ok, ok,
		       after, not_there);
	purge();
	assert_int_equal(gone, STORE_KEPT);
	assert_int_equal(until, LATER_US);
	check_sent(2, "DELETE", "?versionId=v1");
	check_sent(3, "GET", "/a/d/x?legal-hold=&versionId=v1");
	check_sent(4, "GET", "/a/d/x?retention=&versionId=v1");
	check_sent(5, "DELETE", "?versionId=v2");
	/* Hidden from plain readers. */
	check_sent(6, "DELETE", "/a/d/x");
	double_end();
	/* Asked again it makes no marker more. */
	DOUBLE_ANSWERS(no_uploads, after, denied, no_hold, retention, after,
		       not_there);
	purge();
	assert_int_equal(gone, STORE_KEPT);
	double_end();
}

static void nobody_knows_when_a_legal_hold_ends(void **state)
{
	const struct http_answer all = LISTED(
		MARKER("a/d/x", "m", "true") ONE("a/d/x", "v1", "false"));
	const struct http_answer hold = {
		.status = 200,
		.body = "<LegalHold><Status>ON</Status></LegalHold>"
	};

	(void)state;
	DOUBLE_ANSWERS(no_uploads, all, denied, hold, all, not_there);
	purge();
	assert_int_equal(gone, STORE_KEPT);
	assert_true(until == STORE_UNTIL_UNKNOWN);
	double_end();
}

static void a_refusal_without_a_lock_is_an_error(void **state)
{
	const struct http_answer one = LISTED(ONE("a/d/x", "v1", "true"));
	const struct http_answer past = {
		.status = 200,
		.body = "<Retention><RetainUntilDate>2026-11-20T10:00:00Z"
			"</RetainUntilDate></Retention>"
	};

	(void)state;
	DOUBLE_ANSWERS(no_uploads, one, denied, no_hold, past);
	assert_int_equal(store_purge(st, "d/x", &gone, &until, &err),
			 RC_ACCESS);
	double_end();
	/* Nor is what nobody may look at gone. */
	DOUBLE_ANSWERS(no_uploads, denied);
	assert_int_equal(store_purge(st, "d/x", &gone, &until, &err),
			 RC_ACCESS);
	double_end();
}

static void a_server_without_versions_has_one_object(void **state)
{
	const struct http_answer unknown = {
		.status = 501,
		.body = "<Error><Code>NotImplemented</Code></Error>"
	};
	const struct http_answer there = { .status = 206,
					   .body = "x",
					   .etag = "\"1\"",
					   .content_range = "bytes 0-0/1" };

	(void)state;
	DOUBLE_ANSWERS(unknown, unknown, there, ok, unknown, not_there,
		       not_there);
	purge();
	assert_int_equal(gone, STORE_REMOVED);
	check_sent(3, "DELETE", "/a/d/x");
	double_end();
}

static void what_was_replaced_goes_but_not_of_the_log(void **state)
{
	const struct http_answer stored = { .status = 200, .version_id = "v3" };
	const struct http_answer all = LISTED(ONE("a/d/x", "v3", "true") ONE(
		"a/d/x", "v2", "false") ONE("a/d/x", "v1", "false"));

	(void)state;
	DOUBLE_ANSWERS(stored, all, denied, ok);
	if (store_replace(st, "d/x", "new", 3, &err))
		fail_msg("%s", err.msg);
	check_sent(2, "DELETE", "?versionId=v1");
	check_sent(3, "DELETE", "?versionId=v2");
	double_end();
	DOUBLE_ANSWERS(stored);
	if (store_replace(st, "log/index.json", "new", 3, &err))
		fail_msg("%s", err.msg);
	double_end();
}

#define MARK(run, name, time)                                            \
	"<Version><Key>a/tmp/run-" run "/alive-" name                    \
	"</Key><VersionId>1</VersionId><IsLatest>true</IsLatest><Size>5" \
	"</Size><LastModified>" time "</LastModified></Version>"

static void the_oldest_run_is_told_by_its_marks(void **state)
{
	/* The second has a second mark; the third is dead. */
	const struct http_answer marks = LISTED(
		MARK("0000000000000001", "20261121T095000.000000Z",
		     "2026-11-21T09:50:00.000Z")
			MARK("0000000000000002",
			     "20261121T095500.000000Z-20261121T080000.000000Z",
			     "2026-11-21T09:55:00.000Z")
				MARK("0000000000000003",
				     "20261121T070000.000000Z",
				     "2026-11-21T07:00:00.000Z"));
	const struct http_answer strange = LISTED(
		MARK("0000000000000001", "20261121T095000.000000Z-yesterday",
		     "2026-11-21T09:50:00.000Z"));
	int64_t us;

	(void)state;
	DOUBLE_ANSWERS(marks, strange, nothing);
	if (store_runs_oldest(st, STORE_RUNS_BRINGING, NULL, &us, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(us, (NOW - 2 * 3600) * 1000000);
	if (store_runs_oldest(st, STORE_RUNS_BRINGING, NULL, &us, &err))
		fail_msg("%s", err.msg);
	assert_true(us == INT64_MIN);
	if (store_runs_oldest(st, STORE_RUNS_BRINGING, NULL, &us, &err))
		fail_msg("%s", err.msg);
	assert_true(us == INT64_MAX);
	double_end();
}

static void runs_of_other_kinds_are_not_waited_for(void **state)
{
	/* A packer began before a reap, and a deletion before both. */
	const struct http_answer marks = LISTED(
		MARK("0000000000000001",
		     "20261121T095000.000000Z-20261121T060000.000000Z-tombstone",
		     "2026-11-21T09:50:00.000Z")
			MARK("0000000000000002",
			     "20261121T095500.000000Z-20261121T080000.000000Z-"
			     "pack",
			     "2026-11-21T09:55:00.000Z")
				MARK("0000000000000003",
				     "20261121T093000.000000Z-reap",
				     "2026-11-21T09:30:00.000Z"));
	int64_t us;

	(void)state;
	DOUBLE_ANSWERS(marks, marks);
	if (store_runs_oldest(st, STORE_RUNS_REPLACING, NULL, &us, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(us, (NOW - 1800) * 1000000);
	if (store_runs_oldest(st, STORE_RUNS_BRINGING, NULL, &us, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(us, (NOW - 2 * 3600) * 1000000);
	double_end();
}

static void add_stray(void *arg, const char *what, uint64_t size, int64_t age,
		      bool is_removed)
{
	char *text = arg;
	size_t len = strlen(text);

	snprintf(text + len, 512 - len, "%s:%u:%d%s ", what, (unsigned int)size,
		 (int)(age / 1000000), is_removed ? " removed" : "");
}

static void uploads_of_others_go_when_they_are_old(void **state)
{
	const struct http_answer runs = LISTED(
		"<Version><Key>a/tmp/run-0000000000000001/claim/d/y</Key>"
		"<VersionId>1</VersionId><IsLatest>true</IsLatest><Size>0"
		"</Size></Version>");
	const struct http_answer uploads = UPLOADS(UPLOAD("a/d/x", "u1") UPLOAD(
		"a/d/y", "u2") UPLOAD("a/tmp/run-0000000000000001/1",
				      "u3") "<Upload><Key>a/z</Key><UploadId>u4"
					    "</UploadId></Upload>");
	const struct http_answer tmp = LISTED(ONE(
		"a/tmp/run-0000000000000001/alive-x", "1",
		"true") "<Version><Key>a/tmp/y</Key><VersionId>v1</VersionId>"
			"<IsLatest>true</IsLatest><Size>7</Size><LastModified>"
			"2026-11-21T09:59:50Z</LastModified></Version>");
	char text[512] = "";

	(void)state;
	DOUBLE_ANSWERS(runs, uploads, ok, tmp);
	if (store_strays(st, true, 3600000000, add_stray, text, &err))
		fail_msg("%s", err.msg);
	assert_string_equal(text, "unfinished upload of d/x:0:86400 removed "
				  "unfinished upload of z:0:0 "
				  "tmp/y:7:10 ");
	check_sent(2, "DELETE", "/a/d/x?uploadId=u1");
	double_end();
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_object_of_a_plain_bucket_goes),
		TEST(what_is_not_there_is_removed),
		TEST(versions_go_from_the_oldest_on_and_markers_last),
		TEST(unfinished_uploads_of_the_key_go_too),
		TEST(what_is_there_again_is_removed_again),
		TEST(what_can_be_read_afterwards_is_not_gone),
		TEST(a_lock_keeps_it_until_it_ends),
		TEST(nobody_knows_when_a_legal_hold_ends),
		TEST(a_refusal_without_a_lock_is_an_error),
		TEST(a_server_without_versions_has_one_object),
		TEST(what_was_replaced_goes_but_not_of_the_log),
		TEST(the_oldest_run_is_told_by_its_marks),
		TEST(runs_of_other_kinds_are_not_waited_for),
		TEST(uploads_of_others_go_when_they_are_old),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
