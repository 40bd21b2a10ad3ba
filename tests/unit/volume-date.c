/* SPDX-License-Identifier: Apache-2.0 */
/* volume-date.c - tests of the date view: every version of a day. */
#include "config.h"

#include "volume/volume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "base/cleanup.h"
#include "shard/route.h"
#include "unit.h"

static struct span str(const char *s)
{
	return span_of(s, strlen(s));
}

static struct volume *open_volume(const struct archive *a)
{
	struct volume *v = NULL;
	struct err err;

	if (volume_open(&v, a->dir, NULL, &err))
		fail_msg("%s", err.msg);
	return v;
}

/* A path of names in the date view of a day. */
static enum rc find(struct volume *v, uint32_t day, const char *path,
		    struct volume_entry *ret)
{
	struct volume_entry at, next;
	struct err err;
	enum rc rc = volume_date_root(v, day, &at, &err);

	while (!rc && *path) {
		size_t n = strcspn(path, "/");

		rc = volume_lookup(v, &at, span_of(path, n), &next, &err);
		volume_entry_release(&at);
		at = next;
		path += n + (path[n] == '/');
	}
	if (rc && rc != RC_NOENT)
		fail_msg("%s", err.msg);
	if (!rc)
		*ret = at;
	return rc;
}

static const char *text_of(struct volume *v, uint32_t day, const char *path)
{
	static char text[256];
	struct volume_entry ve;
	struct err err;
	size_t n = 0;

	if (find(v, day, path, &ve))
		return "-";
	assert_true(ve.node.date);
	if (ve.e.type == ENTRY_DIR)
		snprintf(text, sizeof(text), "directory");
	else if (volume_read(v, &ve, 0, text, sizeof(text) - 1, &n, &err))
		fail_msg("%s", err.msg);
	else
		text[n] = '\0';
	volume_entry_release(&ve);
	return text;
}

struct names {
	struct volume *v;
	char text[4096];
	size_t n, limit;
	uint64_t cookie;
};

static bool collect(void *arg, struct span name, const struct volume_entry *ve,
		    uint64_t next)
{
	struct names *names = arg;
	size_t len = strlen(names->text);

	assert_true(ve->node.date);
	if (names->limit && names->n == names->limit)
		return false;
	names->n++;
	names->cookie = next;
	snprintf(names->text + len, sizeof(names->text) - len, "%.*s ",
		 (int)name.len, name.p);
	return true;
}

/* The names of a directory, read step by step (0: at once), each also found by
 * lookup.
 */
static const char *list(struct volume *v, uint32_t day, const char *path,
			size_t step)
{
	static struct names names;
	struct volume_entry dir;
	struct err err;
	size_t before;

	names = (struct names){ .v = v };
	assert_int_equal(find(v, day, path, &dir), RC_OK);
	do {
		before = names.n;
		names.limit = step ? before + step : 0;
		assert_int_equal(volume_readdir(v, &dir, names.cookie, collect,
						&names, &err),
				 RC_OK);
	} while (step && names.n > before);
	for (const char *p = names.text; *p; p += strcspn(p, " ") + 1) {
		struct volume_entry ve;

		assert_int_equal(volume_lookup(v, &dir,
					       span_of(p, strcspn(p, " ")), &ve,
					       &err),
				 RC_OK);
		volume_entry_release(&ve);
	}
	volume_entry_release(&dir);
	return names.text;
}

static void each_route(void (*test)(unsigned int route))
{
	test(ROUTE_PARENT);
	test(ROUTE_UID);
}

static void check_days(unsigned int route)
{
	static const struct archive_entry first[] = {
		{ .uid = "", .type = ENTRY_DIR },
		{ .uid = "a", .type = ENTRY_DIR, .mode = 0700 },
		{ .uid = "a/x", .type = ENTRY_REG, .content = "x1" },
		{ .uid = "a/y", .type = ENTRY_REG, .content = "y1" },
	};
	static const struct archive_entry second[] = {
		{ .uid = "a/x", .type = ENTRY_REG, .content = "x2" },
		{ .uid = "b/c/z", .type = ENTRY_REG, .content = "z2" },
	};
	CLEANUP_FREE uint32_t *days = NULL;
	struct archive a;
	struct volume *v;
	struct volume_entry ve, other;
	struct err err;
	size_t n = 0;

	archive_begin(&a, route);
	archive_add(&a, 0, 5, first, ARRAY_LEN(first));
	archive_add(&a, 1, 5, second, ARRAY_LEN(second));
	v = open_volume(&a);
	assert_int_equal(volume_days(v, &days, &n, &err), RC_OK);
	assert_int_equal(n, 2);
	assert_int_equal(days[0], ARCHIVE_DAY);
	assert_int_equal(days[1], ARCHIVE_DAY + 1);
	assert_int_equal(volume_date_root(v, ARCHIVE_DAY + 2, &ve, &err),
			 RC_NOENT);
	assert_string_equal(list(v, ARCHIVE_DAY, "", 0), "a ");
	assert_string_equal(list(v, ARCHIVE_DAY, "a", 0), "x y ");
	assert_string_equal(text_of(v, ARCHIVE_DAY, "a/x"), "x1");
	assert_string_equal(list(v, ARCHIVE_DAY + 1, "", 1), "a b ");
	assert_string_equal(list(v, ARCHIVE_DAY + 1, "a", 0), "x ");
	assert_string_equal(list(v, ARCHIVE_DAY + 1, "b", 0), "c ");
	assert_string_equal(text_of(v, ARCHIVE_DAY + 1, "a/x"), "x2");
	assert_string_equal(text_of(v, ARCHIVE_DAY + 1, "a/y"), "-");
	assert_string_equal(text_of(v, ARCHIVE_DAY + 1, "b/c/z"), "z2");
	/* Another version is another file. */
	assert_int_equal(find(v, ARCHIVE_DAY, "a/x", &ve), RC_OK);
	assert_int_equal(find(v, ARCHIVE_DAY + 1, "a/x", &other), RC_OK);
	assert_true(volume_ino(v, &ve) != volume_ino(v, &other));
	volume_entry_release(&ve);
	volume_entry_release(&other);
	assert_int_equal(find(v, ARCHIVE_DAY, "a", &ve), RC_OK);
	assert_int_equal(ve.e.mode, 0700);
	volume_entry_release(&ve);
	volume_close(v);
	archive_end(&a);
}

static void each_day_shows_what_entered_on_it(void **state)
{
	(void)state;
	each_route(check_days);
}

static void check_versions(unsigned int route)
{
	static const struct archive_entry runs[][3] = {
		{ { .uid = "f", .type = ENTRY_REG, .content = "f1" },
		  { .uid = "gone", .type = ENTRY_REG, .content = "gone1" },
		  { .uid = "z", .type = ENTRY_REG, .content = "z1" } },
		{ { .uid = "f", .type = ENTRY_REG, .content = "f2" },
		  { .uid = "gone", .type = ENTRY_WHITEOUT },
		  { .uid = "f/sub", .type = ENTRY_REG, .content = "sub2" } },
		{ { .uid = "f", .type = ENTRY_REG, .content = "f3" },
		  { .uid = "f-", .type = ENTRY_REG, .content = "f-3" },
		  { .uid = "z", .type = ENTRY_WHITEOUT } },
	};
	const char *const want = "f f@20261121T000001.000000Z "
				 "f@20261121T000000.000000Z f- "
				 "gone@20261121T000000.000000Z "
				 "z@20261121T000000.000000Z ";
	struct archive a;
	struct volume *v;

	archive_begin(&a, route);
	for (unsigned int i = 0; i < ARRAY_LEN(runs); i++)
		archive_add(&a, 0, i, runs[i], ARRAY_LEN(runs[i]));
	v = open_volume(&a);
	assert_string_equal(list(v, ARCHIVE_DAY, "", 0), want);
	assert_string_equal(list(v, ARCHIVE_DAY, "", 1), want);
	assert_string_equal(list(v, ARCHIVE_DAY, "", 2), want);
	assert_string_equal(text_of(v, ARCHIVE_DAY, "f"), "f3");
	assert_string_equal(
		text_of(v, ARCHIVE_DAY, "f@20261121T000001.000000Z"), "f2");
	assert_string_equal(
		text_of(v, ARCHIVE_DAY, "f@20261121T000000.000000Z"), "f1");
	assert_string_equal(
		text_of(v, ARCHIVE_DAY, "f@20261121T000007.000000Z"), "-");
	assert_string_equal(text_of(v, ARCHIVE_DAY, "gone"), "-");
	assert_string_equal(
		text_of(v, ARCHIVE_DAY, "gone@20261121T000000.000000Z"),
		"gone1");
	/* Whiteouts have no name at all. */
	assert_string_equal(
		text_of(v, ARCHIVE_DAY, "gone@20261121T000001.000000Z"), "-");
	volume_close(v);
	archive_end(&a);
}

static void older_versions_of_a_day_bear_their_time(void **state)
{
	(void)state;
	each_route(check_versions);
}

static void check_dir_and_file(unsigned int route)
{
	static const struct archive_entry dir[] = {
		{ .uid = "n", .type = ENTRY_DIR },
		{ .uid = "n/in", .type = ENTRY_REG, .content = "in" },
	};
	static const struct archive_entry file[] = {
		{ .uid = "n", .type = ENTRY_REG, .content = "file" },
	};
	struct archive a;
	struct volume *v;

	archive_begin(&a, route);
	archive_add(&a, 0, 0, dir, ARRAY_LEN(dir));
	archive_add(&a, 0, 1, dir, ARRAY_LEN(dir));
	v = open_volume(&a);
	assert_string_equal(list(v, ARCHIVE_DAY, "", 0), "n ");
	volume_close(v);
	archive_add(&a, 0, 2, file, ARRAY_LEN(file));
	v = open_volume(&a);
	assert_string_equal(list(v, ARCHIVE_DAY, "", 1),
			    "n n@20261121T000001.000000Z ");
	assert_string_equal(text_of(v, ARCHIVE_DAY, "n"), "file");
	assert_string_equal(
		list(v, ARCHIVE_DAY, "n@20261121T000001.000000Z", 0),
		"in in@20261121T000000.000000Z ");
	volume_close(v);
	archive_end(&a);
}

static void of_a_directory_one_version_is_shown(void **state)
{
	(void)state;
	each_route(check_dir_and_file);
}

static void a_real_name_goes_before_one_with_a_time(void **state)
{
	static const struct archive_entry runs[][2] = {
		{ { .uid = "f", .type = ENTRY_REG, .content = "old" },
		  { .uid = "f@20261121T000000.000000Z",
		    .type = ENTRY_REG,
		    .content = "real" } },
		{ { .uid = "f", .type = ENTRY_REG, .content = "new" },
		  { .uid = "g", .type = ENTRY_REG, .content = "g" } },
	};
	struct archive a;
	struct volume *v;

	(void)state;
	archive_begin(&a, ROUTE_UID);
	archive_add(&a, 0, 0, runs[0], 2);
	archive_add(&a, 0, 1, runs[1], 2);
	v = open_volume(&a);
	assert_string_equal(
		text_of(v, ARCHIVE_DAY, "f@20261121T000000.000000Z"), "real");
	assert_string_equal(text_of(v, ARCHIVE_DAY, "f"), "new");
	volume_close(v);
	archive_end(&a);
}

static void the_tree_is_told_from_the_days(void **state)
{
	static const struct archive_entry file[] = {
		{ .uid = "f", .type = ENTRY_REG, .content = "f" },
	};
	struct archive a;
	struct volume *v;
	struct volume_entry tree, date, again;
	struct err err;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 0, file, 1);
	v = open_volume(&a);
	assert_int_equal(volume_resolve(v, str("f"), &tree, &err), RC_OK);
	assert_false(tree.node.date);
	assert_int_equal(find(v, ARCHIVE_DAY, "f", &date), RC_OK);
	assert_true(volume_ino(v, &tree) != volume_ino(v, &date));
	assert_true(volume_ino(v, &tree) > 1);
	assert_int_equal(volume_ino(v, &tree) >> 63, 0);
	assert_int_equal(volume_get(v, date.node, &again, &err), RC_OK);
	assert_true(volume_ino(v, &again) == volume_ino(v, &date));
	volume_entry_release(&again);
	volume_entry_release(&tree);
	volume_entry_release(&date);
	/* Even without an explicit root there is one. */
	assert_int_equal(volume_root(v, &tree, &err), RC_OK);
	assert_false(tree.node.date);
	volume_entry_release(&tree);
	volume_close(v);
	archive_end(&a);
}

static void check_links(unsigned int route)
{
	static const char group[LINK_GROUP_LEN + 1] = "sixteen bytes it";
	static const struct archive_entry run[] = {
		{ .uid = "f", .type = ENTRY_REG, .content = "f" },
	};
	struct volume_entry a = { .e = { .name = str("a") } };
	struct volume_entry b = { .e = { .parent = str("b"),
					 .name = str("b") } };
	struct volume_entry c = { .e = { .name = str(group) } };
	struct archive ar;
	struct volume *v;
	uint64_t ino;

	archive_begin(&ar, route);
	archive_add(&ar, 0, 0, run, 1);
	v = open_volume(&ar);
	memcpy(a.e.link_group, group, LINK_GROUP_LEN);
	memcpy(b.e.link_group, group, LINK_GROUP_LEN);
	ino = volume_ino(v, &a);
	assert_true(ino == volume_ino(v, &b));
	assert_true(ino != volume_ino(v, &c));
	b.e.link_group[0]++;
	assert_true(ino != volume_ino(v, &b));
	a.node.date = b.node.date = c.node.date = true;
	assert_true(ino != volume_ino(v, &a));
	assert_true(volume_ino(v, &a) != volume_ino(v, &c));
	b.e.link_group[0]--;
	assert_true(volume_ino(v, &a) == volume_ino(v, &b));
	volume_close(v);
	archive_end(&ar);
}

static void hard_links_share_a_number_that_no_name_has(void **state)
{
	(void)state;
	each_route(check_links);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_day_shows_what_entered_on_it),
		cmocka_unit_test(older_versions_of_a_day_bear_their_time),
		cmocka_unit_test(of_a_directory_one_version_is_shown),
		cmocka_unit_test(a_real_name_goes_before_one_with_a_time),
		cmocka_unit_test(the_tree_is_told_from_the_days),
		cmocka_unit_test(hard_links_share_a_number_that_no_name_has),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
