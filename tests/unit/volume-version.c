/* SPDX-License-Identifier: Apache-2.0 */
/* volume-version.c - tests of versions by uid and time. */
#include "config.h"

#include "volume/volume-version.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "base/cleanup.h"
#include "erase/tombstone-set.h"
#include "erase/tombstone.h"
#include "shard/route.h"
#include "unit.h"
#include "volume/oplog.h"
#include "volume/volume.h"

#define SECOND INT64_C(1000000)

/* What the log says is deleted. */
static struct tombstone_set *deleted;

const struct tombstone_set *__wrap_oplog_deleted(const struct oplog *log);
const struct tombstone_set *__wrap_oplog_deleted(const struct oplog *log)
{
	(void)log;
	return deleted;
}

static struct archive a;
static struct volume *v;
static struct err err;

static void add(unsigned int day, unsigned int second, const char *uid,
		enum entry_type type, const char *content)
{
	const struct archive_entry e = { .uid = uid,
					 .type = type,
					 .content = content };

	archive_add(&a, day, second, &e, 1);
}

static void open_volume(void)
{
	if (volume_open(&v, a.dir, NULL, &err))
		fail_msg("%s", err.msg);
}

static void end(void)
{
	volume_close(v);
	archive_end(&a);
	tombstone_set_unref(deleted);
	deleted = NULL;
	v = NULL;
}

static void erase(const char *uid, enum erasure_range range, int64_t time)
{
	static const uint8_t id[ERASURE_ID_LEN];
	CLEANUP(tombstone_release) struct tombstone t = { 0 };
	const struct tombstone *doc = &t;
	struct tombstone_set *old = deleted;

	tombstone_add(&t, id, uid, strlen(uid), range, time);
	if (tombstone_set_new(&deleted, old, &doc, 1, &err))
		fail_msg("%s", err.msg);
	tombstone_set_unref(old);
}

static const char *get(const char *uid, const struct volume_when *when)
{
	static char text[64];
	struct volume_entry ve;
	size_t n = 0;

	if (volume_version(v, span_of(uid, strlen(uid)), when, &ve, &err))
		return rc_text(err.rc);
	if (ve.e.type == ENTRY_DIR) {
		volume_entry_release(&ve);
		return "directory";
	}
	if (volume_read(v, &ve, 0, text, sizeof(text) - 1, &n, &err))
		fail_msg("%s", err.msg);
	text[n] = '\0';
	volume_entry_release(&ve);
	return text;
}

static const char *newest(const char *uid)
{
	return get(uid, &(struct volume_when){ 0 });
}

/* Within span microseconds from that time on. */
static const char *at(const char *uid, unsigned int day, unsigned int second,
		      int64_t span)
{
	int64_t t = ARCHIVE_TIME(day, second);

	return get(uid, &(struct volume_when){ .has_time = true,
					       .first = t,
					       .last = t + span - 1,
					       .exact = t });
}

static void begin_three(void)
{
	archive_begin(&a, ROUTE_UID);
	add(0, 0, "f", ENTRY_REG, "midnight");
	add(0, 60, "f", ENTRY_REG, "minute");
	add(1, 5, "f", ENTRY_REG, "next day");
	add(1, 5, "d/g", ENTRY_REG, "other");
}

static void a_version_is_found_by_its_time(void **state)
{
	(void)state;
	begin_three();
	open_volume();
	assert_string_equal(newest("f"), "next day");
	assert_string_equal(at("f", 0, 0, 1), "midnight");
	assert_string_equal(at("f", 0, 60, 1), "minute");
	assert_string_equal(at("f", 0, 59, SECOND), "not found");
	assert_string_equal(at("f", 0, 61, SECOND), "not found");
	assert_string_equal(at("g", 0, 0, 1), "not found");
	assert_string_equal(newest("g"), "not found");
	assert_string_equal(at("d/g", 1, 5, 1), "other");
	end();
}

static void of_several_the_exact_one_comes_before_the_newest(void **state)
{
	(void)state;
	begin_three();
	open_volume();
	assert_string_equal(at("f", 0, 0, ARCHIVE_DAY_US), "midnight");
	assert_string_equal(at("f", 0, 1, ARCHIVE_DAY_US - SECOND), "minute");
	assert_string_equal(at("f", 1, 0, ARCHIVE_DAY_US), "next day");
	end();
}

static void what_was_removed_is_there_by_its_time_only(void **state)
{
	(void)state;
	begin_three();
	add(1, 7, "f", ENTRY_WHITEOUT, NULL);
	open_volume();
	assert_string_equal(newest("f"), "not found");
	assert_string_equal(at("f", 1, 7, SECOND), "not found");
	assert_string_equal(at("f", 1, 0, ARCHIVE_DAY_US), "next day");
	end();
}

static void a_deleted_version_is_not_given_for_a_near_time(void **state)
{
	(void)state;
	begin_three();
	erase("f", ERASURE_ONE, ARCHIVE_TIME(1, 5));
	open_volume();
	assert_string_equal(newest("f"), "minute");
	assert_string_equal(at("f", 1, 5, 1), "deleted");
	assert_string_equal(at("f", 1, 0, ARCHIVE_DAY_US), "deleted");
	assert_string_equal(at("f", 0, 60, 1), "minute");
	assert_string_equal(at("f", 2, 0, 1), "not found");
	end();
}

static void what_is_in_no_shard_any_more_is_told_from_what_never_was(
	void **state)
{
	(void)state;
	begin_three();
	erase("gone", ERASURE_UNTIL, ARCHIVE_TIME(0, 9));
	erase("f", ERASURE_UNTIL, ARCHIVE_TIME(8, 0));
	open_volume();
	assert_string_equal(newest("gone"), "deleted");
	assert_string_equal(at("gone", 0, 9, SECOND), "deleted");
	assert_string_equal(at("gone", 0, 10, SECOND), "not found");
	assert_string_equal(newest("f"), "deleted");
	assert_string_equal(newest("never"), "not found");
	end();
}

static void an_inferred_directory_is_no_version(void **state)
{
	static const struct archive_entry e[] = {
		{ .uid = "d", .type = ENTRY_DIR, .implicit = true },
		{ .uid = "f", .type = ENTRY_DIR, .implicit = true },
	};

	(void)state;
	begin_three();
	archive_add(&a, 2, 0, e, ARRAY_LEN(e));
	open_volume();
	assert_string_equal(newest("f"), "next day");
	assert_string_equal(newest("d"), "directory");
	end();
}

static void spoil(unsigned int i)
{
	CLEANUP_FREE char *path = archive_shard_path(&a, i);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "spoilt", 6, size - 100), 6);
}

static void a_damaged_shard_matters_where_it_may_have_the_answer(void **state)
{
	(void)state;
	archive_begin(&a, ROUTE_UID);
	add(0, 0, "f", ENTRY_REG, "midnight");
	add(1, 0, "f", ENTRY_REG, "next day");
	spoil(1);
	open_volume();
	assert_string_equal(newest("f"), "damaged data");
	assert_string_equal(at("f", 1, 0, 1), "damaged data");
	assert_string_equal(at("f", 0, 0, 1), "midnight");
	assert_string_equal(at("f", 0, 0, 3 * ARCHIVE_DAY_US), "midnight");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_version_is_found_by_its_time),
		cmocka_unit_test(
			of_several_the_exact_one_comes_before_the_newest),
		cmocka_unit_test(what_was_removed_is_there_by_its_time_only),
		cmocka_unit_test(
			a_deleted_version_is_not_given_for_a_near_time),
		cmocka_unit_test(
			what_is_in_no_shard_any_more_is_told_from_what_never_was),
		cmocka_unit_test(an_inferred_directory_is_no_version),
		cmocka_unit_test(
			a_damaged_shard_matters_where_it_may_have_the_answer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
