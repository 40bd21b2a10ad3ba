/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - tests what goes into which shard, and what the walk must remember.
 */
#include "config.h"

#include "pack/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "pack/dirs.h"
#include "pack/keep.h"
#include "unit.h"

#define DAY_US INT64_C(86400000000)
#define STAMP (20000 * DAY_US + 5) /* 2024-10-04 */

static struct err err;

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

static struct plan *new_plan(const struct dirs *d, uint64_t bytes,
			     uint64_t items)
{
	struct plan_options o = { .spool_dir = "/tmp",
				  .memory = 1 << 20,
				  .part_bytes = bytes,
				  .part_items = items,
				  .dirs = d,
				  .stamp = STAMP };

	return plan_new(&o);
}

/* Directories "", "a", "a/b": returns the number of the last. */
static uint64_t add_dirs(struct dirs *d)
{
	struct item it = { .type = ENTRY_DIR,
			   .mode = 0700,
			   .dir = ITEM_NO_DIR };
	uint64_t number = 0;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(dirs_add(d, &it, &number, &err), RC_OK);
		it.dir = number;
		it.mode++;
	}
	return number;
}

static void add_file(struct plan *p, const char *name, uint64_t dir,
		     uint64_t size, int64_t at)
{
	struct item it = { .type = ENTRY_REG,
			   .parent = text("a/b"),
			   .name = text(name),
			   .size = size,
			   .dir = dir,
			   .created_at = at };
	struct plan_place place;

	assert_int_equal(plan_add(p, &it, &place, &err), RC_OK);
}

/* "DAY/PART:PATH[*] ..." in order; * marks implied directories. */
static struct buf contents(struct plan *p)
{
	struct buf all = { .max = 1 << 20 };
	struct plan_place place;
	struct item it;

	assert_int_equal(plan_finish(p, &err), RC_OK);
	while (!plan_next(p, &place, &it, &err))
		buf_printf(&all, "%u/%u:%.*s/%.*s%s ", (unsigned int)place.day,
			   (unsigned int)place.part, (int)it.parent.len,
			   it.parent.p, (int)it.name.len, it.name.p,
			   it.implicit ? "*" : "");
	assert_int_equal(err.rc, RC_NOENT);
	buf_str(&all);
	return all;
}

static void each_part_has_the_directories_above_its_files(void **state)
{
	struct dirs *d = dirs_new("/tmp");
	uint64_t b = add_dirs(d);
	struct plan *p = new_plan(d, 100, 1000);
	struct buf all;

	(void)state;
	add_file(p, "1", b, 60, STAMP);
	add_file(p, "2", b, 60, STAMP);
	add_file(p, "3", b, 0, STAMP);
	all = contents(p);
	assert_string_equal(buf_str(&all),
			    "20241004/0:/* 20241004/0:/a* 20241004/0:a/b* "
			    "20241004/0:a/b/1 "
			    "20241004/1:/* 20241004/1:/a* 20241004/1:a/b* "
			    "20241004/1:a/b/2 20241004/1:a/b/3 ");
	assert_int_equal(plan_count(p), 3);
	buf_release(&all);
	plan_free(p);
	dirs_free(d);
}

static void a_large_file_has_a_part_of_its_own(void **state)
{
	struct dirs *d = dirs_new("/tmp");
	struct plan *p = new_plan(d, 100, 1000);
	struct buf all;

	(void)state;
	add_file(p, "1", ITEM_NO_DIR, 10, STAMP);
	add_file(p, "2", ITEM_NO_DIR, 5000, STAMP);
	add_file(p, "3", ITEM_NO_DIR, 10, STAMP);
	add_file(p, "4", ITEM_NO_DIR, 90, STAMP);
	all = contents(p);
	assert_string_equal(buf_str(&all),
			    "20241004/0:a/b/1 20241004/1:a/b/2 "
			    "20241004/2:a/b/3 20241004/2:a/b/4 ");
	buf_release(&all);
	plan_free(p);
	dirs_free(d);
}

static void a_part_is_full_by_number_too(void **state)
{
	struct dirs *d = dirs_new("/tmp");
	struct plan *p = new_plan(d, 100, 2);
	struct buf all;

	(void)state;
	add_file(p, "1", ITEM_NO_DIR, 0, STAMP);
	add_file(p, "2", ITEM_NO_DIR, 0, STAMP);
	add_file(p, "3", ITEM_NO_DIR, 0, STAMP);
	all = contents(p);
	assert_string_equal(buf_str(&all), "20241004/0:a/b/1 20241004/0:a/b/2 "
					   "20241004/1:a/b/3 ");
	buf_release(&all);
	plan_free(p);
	dirs_free(d);
}

static void days_are_planned_apart(void **state)
{
	struct dirs *d = dirs_new("/tmp");
	uint64_t b = add_dirs(d);
	struct plan *p = new_plan(d, 100, 1000);
	struct buf all;

	(void)state;
	add_file(p, "1", b, 1, STAMP);
	add_file(p, "2", b, 1, -1);
	add_file(p, "3", b, 1, STAMP + 1);
	all = contents(p);
	assert_string_equal(buf_str(&all),
			    "19691231/0:/* 19691231/0:/a* 19691231/0:a/b* "
			    "19691231/0:a/b/2 "
			    "20241004/0:/* 20241004/0:/a* 20241004/0:a/b* "
			    "20241004/0:a/b/1 20241004/0:a/b/3 ");
	buf_release(&all);
	plan_free(p);
	dirs_free(d);
}

/* Two files of each of n days, day after day: in each all is there once, the
 * directories as new as the second file.
 */
static void assert_days(struct span parent, int64_t n)
{
	struct plan_options o = { .spool_dir = "/tmp",
				  .memory = 1 << 20,
				  .part_bytes = 100,
				  .part_items = 100,
				  .is_fed = true };
	struct plan *p = plan_new(&o);
	struct item it = { .type = ENTRY_REG, .parent = parent };
	struct plan_place place;
	int64_t count = 0;

	for (int64_t i = 0; i < 2 * n; i++) {
		it.name = text(i < n ? "1" : "2");
		it.created_at = i % n * DAY_US + i / n;
		assert_int_equal(plan_add(p, &it, &place, &err), RC_OK);
	}
	assert_int_equal(plan_finish(p, &err), RC_OK);
	for (; !plan_next(p, &place, &it, &err); count++) {
		assert_int_equal(it.implicit, count % 4 < 2);
		assert_int_equal(it.created_at,
				 count / 4 * DAY_US + (count % 4 != 2));
	}
	assert_int_equal(err.rc, RC_NOENT);
	assert_int_equal(count, 4 * n);
	plan_free(p);
}

static void many_days_are_planned_at_once(void **state)
{
	char parent[5000];

	(void)state;
	memset(parent, 'a', sizeof(parent));
	assert_days(text("a"), 1);
	assert_days(text("a"), 4200);
	assert_days(span_of(parent, sizeof(parent)), 600);
}

static void a_directory_that_is_packed_is_not_implied_too(void **state)
{
	struct dirs *d = dirs_new("/tmp");
	uint64_t b = add_dirs(d);
	struct plan *p = new_plan(d, 100, 1000);
	struct item dir = { .type = ENTRY_DIR,
			    .parent = text("a"),
			    .name = text("b"),
			    .dir = ITEM_NO_DIR,
			    .created_at = STAMP + 7 };
	struct plan_place place;
	struct item it;
	unsigned int n = 0;

	(void)state;
	add_file(p, "1", b, 1, STAMP);
	assert_int_equal(plan_add(p, &dir, &place, &err), RC_OK);
	assert_int_equal(plan_finish(p, &err), RC_OK);
	while (!plan_next(p, &place, &it, &err)) {
		if (!span_equal(it.name, text("b")))
			continue;
		n++;
		assert_false(it.implicit);
		assert_true(it.created_at == STAMP + 7);
	}
	assert_int_equal(n, 1);
	plan_free(p);
	dirs_free(d);
}

static void implied_directories_do_not_depend_on_their_children(void **state)
{
	struct dirs *d = dirs_new("/tmp");
	uint64_t b = add_dirs(d);
	struct plan *p = new_plan(d, 100, 1000);
	struct plan_place place;
	struct item it;

	(void)state;
	add_file(p, "1", b, 1, STAMP + 99);
	add_file(p, "2", b, 1, STAMP + 2 * DAY_US);
	assert_int_equal(plan_finish(p, &err), RC_OK);
	while (!plan_next(p, &place, &it, &err)) {
		if (!it.implicit)
			continue;
		assert_int_equal(it.mode & 0700, 0700);
		if (place.day == 20241004)
			assert_true(it.created_at == STAMP);
		else
			assert_true(it.created_at == 20002 * DAY_US);
	}
	plan_free(p);
	dirs_free(d);
}

static void what_was_not_seen_is_kept_with_all_below(void **state)
{
	struct keep *k = keep_new();

	(void)state;
	assert_false(keep_covers(k, text("a")));
	keep_add(k, text("a/b"));
	keep_add(k, text("a/b"));
	assert_true(keep_covers(k, text("a/b")));
	assert_true(keep_covers(k, text("a/b/c/d")));
	assert_false(keep_covers(k, text("a")));
	assert_false(keep_covers(k, text("a/bc")));
	assert_false(keep_covers(k, text("")));
	keep_add(k, text(""));
	assert_true(keep_covers(k, text("anything")));
	keep_free(k);
}

static void many_names_are_kept_with_their_directories(void **state)
{
	struct keep *k = keep_new();
	unsigned int n = 0;
	char uid[100];

	(void)state;
	do {
		snprintf(uid, sizeof(uid), "dir/%080u", n);
		keep_add(k, text(uid));
		assert_true(keep_covers(k, text(uid)));
		assert_true(++n < KEEP_MEMORY / 80);
	} while (!keep_covers(k, text("dir/other")));
	assert_true(n > KEEP_MEMORY / 1000);
	assert_false(keep_covers(k, text("elsewhere")));
	for (n = 0; !keep_covers(k, text("elsewhere")); n++) {
		snprintf(uid, sizeof(uid), "%080u/file", n);
		keep_add(k, text(uid));
		assert_true(keep_covers(k, text(uid)));
		assert_true(n < KEEP_MEMORY / 80);
	}
	keep_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_has_the_directories_above_its_files),
		cmocka_unit_test(a_large_file_has_a_part_of_its_own),
		cmocka_unit_test(a_part_is_full_by_number_too),
		cmocka_unit_test(days_are_planned_apart),
		cmocka_unit_test(many_days_are_planned_at_once),
		cmocka_unit_test(a_directory_that_is_packed_is_not_implied_too),
		cmocka_unit_test(
			implied_directories_do_not_depend_on_their_children),
		cmocka_unit_test(what_was_not_seen_is_kept_with_all_below),
		cmocka_unit_test(many_names_are_kept_with_their_directories),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
