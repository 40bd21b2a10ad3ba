/* SPDX-License-Identifier: Apache-2.0 */
/* volume-changes.c - tests of what a refresh may have changed. */
#include "config.h"

#include "volume/volume.h"

#include <stdio.h>
#include <string.h>

#include "archive.h"
#include "shard/route.h"
#include "store/store.h"
#include "unit.h"

static const struct archive_entry first[] = {
	{ .uid = "a", .type = ENTRY_DIR },
	{ .uid = "a/f", .type = ENTRY_REG, .content = "one" },
};
static const struct archive_entry second[] = {
	{ .uid = "a/f", .type = ENTRY_REG, .content = "two" },
	{ .uid = "a/g", .type = ENTRY_WHITEOUT },
};

struct seen {
	char text[256]; /* uids and types, in order */
	unsigned int n, n_dates, limit;
};

static bool note(void *arg, const struct volume_entry *ve)
{
	struct seen *s = arg;
	size_t used = strlen(s->text);

	snprintf(s->text + used, sizeof(s->text) - used, "%.*s/%.*s:%d ",
		 (int)ve->e.parent.len, ve->e.parent.p, (int)ve->e.name.len,
		 ve->e.name.p, (int)ve->e.type);
	s->n_dates += ve->node.date;
	return ++s->n != s->limit;
}

/* Tails read from the store, which fail when a result is set. */
static enum rc tail_result;
static unsigned int n_tails;

enum rc __wrap_store_read_tail_checked(struct store *st, const char *key,
				       size_t max, struct buf *ret,
				       struct object_info *ret_info,
				       store_check_fn *check, void *arg,
				       struct err *err);
enum rc __real_store_read_tail_checked(struct store *st, const char *key,
				       size_t max, struct buf *ret,
				       struct object_info *ret_info,
				       store_check_fn *check, void *arg,
				       struct err *err);
enum rc __wrap_store_read_tail_checked(struct store *st, const char *key,
				       size_t max, struct buf *ret,
				       struct object_info *ret_info,
				       store_check_fn *check, void *arg,
				       struct err *err)
{
	n_tails++;
	if (tail_result)
		return err_set(err, tail_result, "as the test has it");
	return __real_store_read_tail_checked(st, key, max, ret, ret_info,
					      check, arg, err);
}

static struct volume *open_volume(const struct archive *a)
{
	struct volume *v = NULL;
	struct err err;

	if (volume_open(&v, a->dir, NULL, &err))
		fail_msg("%s", err.msg);
	return v;
}

static void refresh(struct volume *v)
{
	bool changed = false;
	struct err err;

	if (volume_refresh(v, &changed, &err))
		fail_msg("%s", err.msg);
	assert_true(changed);
}

static void only_new_shards_are_walked(void **state)
{
	struct seen s = { .n = 0 };
	struct archive a;
	struct volume *v;
	struct err err;
	uint32_t bound;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 1, first, ARRAY_LEN(first));
	v = open_volume(&a);
	bound = volume_shard_bound(v);
	assert_int_equal(volume_changes(v, bound, note, &s, &err), RC_OK);
	assert_string_equal(s.text, "");
	archive_add(&a, 1, 1, second, ARRAY_LEN(second));
	refresh(v);
	assert_true(volume_shard_bound(v) > bound);
	assert_int_equal(volume_changes(v, bound, note, &s, &err), RC_OK);
	assert_non_null(strstr(s.text, "a/f:1 "));
	assert_non_null(strstr(s.text, "a/g:7 "));
	volume_close(v);
	archive_end(&a);
}

static void a_walk_ends_when_told(void **state)
{
	struct seen s = { .limit = 1 };
	struct archive a;
	struct volume *v;
	struct err err;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 1, first, ARRAY_LEN(first));
	v = open_volume(&a);
	assert_int_equal(volume_changes(v, 0, note, &s, &err), RC_OK);
	assert_int_equal(s.n, 1);
	volume_close(v);
	archive_end(&a);
}

/* Walk two shards whose tails fail like that; the number of tries. */
static unsigned int tries(enum rc result)
{
	struct seen s = { .n = 0 };
	struct archive a;
	struct volume *v;
	struct err err;

	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 1, first, ARRAY_LEN(first));
	archive_add(&a, 1, 1, second, ARRAY_LEN(second));
	v = open_volume(&a);
	n_tails = 0;
	tail_result = result;
	assert_int_equal(volume_changes(v, 0, note, &s, &err), result);
	assert_int_equal(err.rc, result);
	tail_result = RC_OK;
	volume_close(v);
	archive_end(&a);
	return n_tails;
}

static void a_damaged_shard_keeps_back_none(void **state)
{
	(void)state;
	assert_true(tries(RC_CORRUPT) > 1);
}

static void a_store_that_is_silent_is_asked_once(void **state)
{
	(void)state;
	assert_int_equal(tries(RC_TIMEOUT), 1);
}

static void all_versions_of_a_uid_are_found(void **state)
{
	static const struct span uid = { "a/f", 3 };
	struct seen all = { .n = 0 }, day = { .n = 0 }, none = { .n = 0 };
	struct archive a;
	struct volume *v;
	struct err err;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 1, first, ARRAY_LEN(first));
	archive_add(&a, 1, 1, second, ARRAY_LEN(second));
	v = open_volume(&a);
	assert_int_equal(volume_versions(v, uid, 0, note, &all, &err), RC_OK);
	assert_string_equal(all.text, "a/f:1 a/f:1 ");
	assert_int_equal(all.n_dates, 0);
	assert_int_equal(volume_versions(v, uid, ARCHIVE_DAY, note, &day, &err),
			 RC_OK);
	assert_string_equal(day.text, "a/f:1 ");
	assert_int_equal(day.n_dates, 1);
	assert_int_equal(volume_versions(v, uid, 20200101, note, &none, &err),
			 RC_OK);
	assert_int_equal(none.n, 0);
	volume_close(v);
	archive_end(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_new_shards_are_walked),
		cmocka_unit_test(a_walk_ends_when_told),
		cmocka_unit_test(a_damaged_shard_keeps_back_none),
		cmocka_unit_test(a_store_that_is_silent_is_asked_once),
		cmocka_unit_test(all_versions_of_a_uid_are_found),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
