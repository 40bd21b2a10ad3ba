/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-run.c - tests of a run in a bucket: its marks, and versions whose
 * ids do not come whole.
 */
#include "config.h"

#include <sched.h>
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

static uint64_t n_put(struct store *st)
{
	struct store_counters c;

	store_count(st, &c);
	return c.put;
}

static void check_sent(size_t i, const char *method, const char *part)
{
	assert_string_equal(double_sent(i)->method, method);
	assert_non_null(strstr(double_sent(i)->url, part));
}

static struct store *create(void)
{
	struct store *st = NULL;
	struct err err = { 0 };

	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	if (store_create(&st, "s3://bucket/a", &here, &err))
		fail_msg("%s", err.msg);
	return st;
}

static void a_run_without_uploads_stays_alive(void **state)
{
	const struct http_answer ok = { .status = 200 };
	struct store_run *run = NULL;
	struct store *st = NULL;
	struct err err = { 0 };

	(void)state;
	clock_freeze(CLOCK_NS_PER_SEC, 1795255200LL * 1000000000);
	DOUBLE_ANSWERS(ok, ok, ok, ok, ok);
	st = create();
	if (store_run_begin(st, STORE_RUN_PACK, &run, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(n_put(st), 1);
	clock_advance(601 * CLOCK_NS_PER_SEC);
	while (n_put(st) < 2)
		sched_yield();
	store_run_end(run, true);
	check_sent(1, "PUT", "/alive-20261121T100000.000000Z-pack");
	check_sent(
		2, "PUT",
		"/alive-20261121T101001.000000Z-20261121T100000.000000Z-pack");
	check_sent(3, "DELETE", "/alive-20261121T100000.000000Z-pack");
	check_sent(
		4, "DELETE",
		"/alive-20261121T101001.000000Z-20261121T100000.000000Z-pack");
	double_end();
	store_close(st);
	clock_thaw();
}

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
/* Of header fields 255 bytes are kept. */
#define LONG FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY

static const struct http_answer ok = { .status = 200 };
static const struct http_answer stored = { .status = 200, .version_id = LONG };

static void a_mark_of_a_long_version_goes_by_its_whole_id(void **state)
{
	char list[2048] = "";
	const struct http_answer listed = { .status = 200, .body = list };
	struct store_run *run = NULL;
	struct err err = { 0 };
	struct store *st;
	const char *key;

	(void)state;
	DOUBLE_ANSWERS(ok, stored, listed, ok);
	st = create();
	if (store_run_begin(st, STORE_RUN_PACK, &run, &err))
		fail_msg("%s", err.msg);
	key = strstr(double_sent(1)->url, "a/tmp/");
	snprintf(list, sizeof(list),
		 "<ListVersionsResult><IsTruncated>false</IsTruncated><Version>"
		 "<Key>%s</Key><VersionId>%s</VersionId><IsLatest>true"
		 "</IsLatest><Size>5</Size></Version></ListVersionsResult>",
		 key, LONG);
	store_run_end(run, true);
	check_sent(2, "GET", "?prefix=a%2Ftmp%2Frun-");
	check_sent(3, "DELETE", "?versionId=" LONG);
	double_end();
	store_close(st);
}

#define ONE_VERSION(id, latest)                                         \
	"<Version><Key>a/desfs.json</Key><VersionId>" id "</VersionId>" \
	"<IsLatest>" latest "</IsLatest><Size>2</Size></Version>"
#define LIST_OF(...)                                                       \
	"<ListVersionsResult><IsTruncated>false</IsTruncated>" __VA_ARGS__ \
	"</ListVersionsResult>"

static enum rc put_descriptor(const char *list, struct err *err)
{
	const struct http_answer none = { .status = 404 };
	const struct http_answer listed = { .status = 200, .body = list };
	struct store *st;
	bool existed = false;
	enum rc rc;

	DOUBLE_ANSWERS(ok, none, stored, listed);
	st = create();
	rc = store_put(st, "desfs.json", "{}", 2, &existed, err);
	check_sent(2, "PUT", "/a/desfs.json");
	check_sent(3, "GET", "prefix=a%2Fdesfs.json");
	double_end();
	store_close(st);
	return rc;
}

static void a_long_version_that_is_alone_counts(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(
		put_descriptor(LIST_OF(ONE_VERSION(LONG, "true")), &err),
		RC_OK);
}

/* Which of them is ours is not known: none is removed. */
static void a_long_version_is_not_taken_back(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(
		put_descriptor(LIST_OF(ONE_VERSION(LONG, "true")
					       ONE_VERSION("v1", "false")),
			       &err),
		RC_LIMIT);
	assert_non_null(strstr(err.msg, "desfs.json: stays"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_without_uploads_stays_alive),
		cmocka_unit_test(a_mark_of_a_long_version_goes_by_its_whole_id),
		cmocka_unit_test(a_long_version_that_is_alone_counts),
		cmocka_unit_test(a_long_version_is_not_taken_back),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
