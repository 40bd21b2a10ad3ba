/* SPDX-License-Identifier: Apache-2.0 */
/* volume-hide.c - tests of trees of which something is deleted. */
#include "config.h"

#include "volume/volume.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "archive.h"
#include "base/cleanup.h"
#include "erase/tombstone-set.h"
#include "erase/tombstone.h"
#include "shard/route.h"
#include "unit.h"
#include "volume/oplog.h"
#include "volume/volume-memory.h"

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
static unsigned int n_runs; /* made to have something to refresh for */

static void begin(unsigned int route)
{
	archive_begin(&a, route);
	n_runs = 0;
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

/* Delete a version, or with until all up to it. */
static void say(const char *uid, enum erasure_range range, int64_t time)
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

static void refresh(void)
{
	static const struct archive_entry more[] = {
		{ .uid = "zz", .type = ENTRY_REG, .content = "more" },
	};
	bool changed = false;

	archive_add(&a, 9, n_runs++, more, 1);
	if (volume_refresh(v, &changed, &err))
		fail_msg("%s", err.msg);
	assert_true(changed);
}

static void delete_all(const char *uid)
{
	say(uid, ERASURE_UNTIL, ARCHIVE_TIME(8, 0));
	refresh();
}

static void delete_one(const char *uid, unsigned int day, unsigned int second)
{
	say(uid, ERASURE_ONE, ARCHIVE_TIME(day, second));
	refresh();
}

static const char *read_text(const struct volume_entry *ve)
{
	static char text[256];
	size_t n = 0;

	if (ve->e.type == ENTRY_DIR)
		return "directory";
	if (volume_read(v, ve, 0, text, sizeof(text) - 1, &n, &err))
		return rc_text(err.rc);
	text[n] = '\0';
	return text;
}

/* What is at a path. */
static const char *at(const char *path)
{
	struct volume_entry ve;
	const char *text;
	enum rc rc = volume_resolve(v, span_of(path, strlen(path)), &ve, &err);

	if (rc)
		return rc == RC_NOENT || rc == RC_NOTDIR ? "-" : err.msg;
	text = read_text(&ve);
	volume_entry_release(&ve);
	return text;
}

struct names {
	char text[1024];
	unsigned int n, limit;
	uint64_t cookie;
};

static bool add_name(void *arg, struct span name, const struct volume_entry *ve,
		     uint64_t next)
{
	struct names *n = arg;
	size_t used = strlen(n->text);

	(void)ve;
	if (span_equal(name, span_of("zz", 2)))
		return true;
	snprintf(n->text + used, sizeof(n->text) - used, "%.*s ", (int)name.len,
		 name.p);
	n->cookie = next;
	return ++n->n != n->limit;
}

static void list(const struct volume_entry *dir, struct names *n)
{
	if (volume_readdir(v, dir, n->cookie, add_name, n, &err))
		fail_msg("%s", err.msg);
}

/* The names in a directory. */
static const char *names(const char *path)
{
	static struct names n;
	struct volume_entry ve;

	n = (struct names){ .n = 0 };
	if (volume_resolve(v, span_of(path, strlen(path)), &ve, &err))
		return "-";
	list(&ve, &n);
	volume_entry_release(&ve);
	return n.text;
}

/* The names in a directory on a day; both views agree on lookup and list. */
static const char *names_on(uint32_t day, const char *dir)
{
	static struct names n;
	struct volume_entry ve, child;

	n = (struct names){ .n = 0 };
	if (volume_date_root(v, day, &ve, &err))
		return "-";
	if (*dir) {
		enum rc rc = volume_lookup(v, &ve, span_of(dir, strlen(dir)),
					   &child, &err);

		volume_entry_release(&ve);
		if (rc)
			return "-";
		ve = child;
	}
	list(&ve, &n);
	volume_entry_release(&ve);
	return n.text;
}

static struct volume_entry hold(const char *path)
{
	struct volume_entry ve;

	if (volume_resolve(v, span_of(path, strlen(path)), &ve, &err))
		fail_msg("%s", err.msg);
	return ve;
}

static const struct archive_entry two_files[] = {
	{ .uid = "d", .type = ENTRY_DIR },
	{ .uid = "d/f", .type = ENTRY_REG, .content = "old" },
	{ .uid = "d/g", .type = ENTRY_REG, .content = "other" },
};
static const struct archive_entry newer[] = {
	{ .uid = "d/f", .type = ENTRY_REG, .content = "new" },
};

static void a_deleted_file_is_nowhere_and_its_neighbour_stays(void **state)
{
	struct volume_scan *scan = NULL;
	struct volume_entry ve;
	unsigned int n = 0;

	(void)state;
	begin(ROUTE_PARENT);
	archive_add(&a, 0, 1, two_files, ARRAY_LEN(two_files));
	open_volume();
	assert_string_equal(at("d/f"), "old");
	delete_all("d/f");
	assert_string_equal(at("d/f"), "-");
	assert_string_equal(at("d/g"), "other");
	assert_string_equal(names("d"), "g ");
	assert_string_equal(names_on(ARCHIVE_DAY, "d"), "g ");
	assert_int_equal(volume_newest(v, span_of("d/f", 3), &ve, &err),
			 RC_NOENT);
	for (uint32_t slot = 0; slot < 1u << ARCHIVE_N_BITS; slot++) {
		if (volume_scan_slot(v, slot, &scan, &err))
			fail_msg("%s", err.msg);
		while (!volume_scan_next(scan, &ve, &err)) {
			assert_false(span_equal(ve.e.name, span_of("f", 1)));
			n += span_equal(ve.e.name, span_of("g", 1));
			volume_entry_release(&ve);
		}
		volume_scan_free(scan);
	}
	assert_int_equal(n, 1);
	end();
}

static void who_holds_a_deleted_file_cannot_read_it(void **state)
{
	struct volume_pieces pieces = { 0 };
	struct volume_entry ve, other, again;
	uint64_t found;

	(void)state;
	begin(ROUTE_PARENT);
	archive_add(&a, 0, 1, two_files, ARRAY_LEN(two_files));
	open_volume();
	ve = hold("d/f");
	other = hold("d/g");
	assert_string_equal(read_text(&ve), "old");
	assert_true(volume_get_in_memory(v, ve.node, &again));
	volume_entry_release(&again);
	delete_all("d/f");
	assert_string_equal(read_text(&ve), rc_text(RC_DELETED));
	assert_int_equal(volume_read_pieces(v, &ve, 0, 3, &pieces, &err),
			 RC_DELETED);
	assert_int_equal(volume_seek(v, &ve, 0, true, &found, &err),
			 RC_DELETED);
	assert_int_equal(volume_get(v, ve.node, &again, &err), RC_DELETED);
	assert_int_equal(rc_to_errno(RC_DELETED), ESTALE);
	assert_false(volume_get_in_memory(v, ve.node, &again));
	assert_string_equal(read_text(&other), "other");
	assert_int_equal(volume_get(v, other.node, &again, &err), RC_OK);
	volume_entry_release(&again);
	volume_entry_release(&ve);
	volume_entry_release(&other);
	end();
}

static void a_newer_version_deleted_alone_shows_the_one_before(void **state)
{
	(void)state;
	begin(ROUTE_PARENT);
	archive_add(&a, 0, 1, two_files, ARRAY_LEN(two_files));
	archive_add(&a, 0, 9, newer, ARRAY_LEN(newer));
	open_volume();
	assert_string_equal(at("d/f"), "new");
	assert_string_equal(names_on(ARCHIVE_DAY, "d"),
			    "f f@20261121T000001.000000Z g ");
	delete_one("d/f", 0, 9);
	assert_string_equal(at("d/f"), "old");
	assert_string_equal(names("d"), "f g ");
	assert_string_equal(names_on(ARCHIVE_DAY, "d"), "f g ");
	end();
}

static void an_older_version_deleted_alone_leaves_the_newest(void **state)
{
	(void)state;
	begin(ROUTE_PARENT);
	archive_add(&a, 0, 1, two_files, ARRAY_LEN(two_files));
	archive_add(&a, 1, 1, newer, ARRAY_LEN(newer));
	open_volume();
	delete_one("d/f", 0, 1);
	assert_string_equal(at("d/f"), "new");
	assert_string_equal(names_on(ARCHIVE_DAY, "d"), "g ");
	assert_string_equal(names_on(ARCHIVE_DAY + 1, "d"), "f ");
	end();
}

static void a_list_goes_on_behind_a_name_that_was_deleted(void **state)
{
	struct names n = { .limit = 1 };
	struct volume_entry dir;

	(void)state;
	begin(ROUTE_PARENT);
	archive_add(&a, 0, 1, two_files, ARRAY_LEN(two_files));
	open_volume();
	dir = hold("d");
	list(&dir, &n);
	assert_string_equal(n.text, "f ");
	delete_all("d/f");
	n.limit = 0;
	list(&dir, &n);
	assert_string_equal(n.text, "f g ");
	volume_entry_release(&dir);
	end();
}

static const struct archive_entry deep[] = {
	{ .uid = "i", .type = ENTRY_DIR, .implicit = true },
	{ .uid = "i/j", .type = ENTRY_DIR, .implicit = true },
	{ .uid = "i/j/k", .type = ENTRY_DIR, .implicit = true },
	{ .uid = "i-x", .type = ENTRY_DIR, .implicit = true },
	{ .uid = "i/j/k/f", .type = ENTRY_REG, .content = "f" },
	{ .uid = "i/j/g", .type = ENTRY_REG, .content = "g" },
	{ .uid = "i-x/h", .type = ENTRY_REG, .content = "h" },
};

static void inferred_directories_go_with_the_last_below(void **state)
{
	struct volume_entry k, i;

	(void)state;
	begin(ROUTE_PARENT);
	archive_add(&a, 0, 1, deep, ARRAY_LEN(deep));
	open_volume();
	assert_string_equal(at("i/j/k"), "directory");
	k = hold("i/j/k");
	i = hold("i");
	delete_all("i/j/k/f");
	assert_string_equal(at("i/j/k"), "-");
	assert_string_equal(names("i/j"), "g ");
	assert_int_equal(volume_get(v, k.node, &k, &err), RC_DELETED);
	assert_string_equal(names("i"), "j ");
	assert_string_equal(names_on(ARCHIVE_DAY, "i"), "j ");
	delete_all("i/j/g");
	assert_string_equal(at("i"), "-");
	assert_string_equal(names(""), "i-x ");
	assert_string_equal(names_on(ARCHIVE_DAY, ""), "i-x ");
	assert_string_equal(names_on(ARCHIVE_DAY, "i"), "-");
	assert_int_equal(volume_get(v, i.node, &i, &err), RC_DELETED);
	delete_all("i-x/h");
	assert_string_equal(names(""), "");
	assert_string_equal(at(""), "directory");
	volume_entry_release(&k);
	volume_entry_release(&i);
	end();
}

static void packed_directories_stay_without_their_files(void **state)
{
	(void)state;
	begin(ROUTE_PARENT);
	archive_add(&a, 0, 1, two_files, ARRAY_LEN(two_files));
	open_volume();
	delete_all("d/f");
	delete_all("d/g");
	assert_string_equal(at("d"), "directory");
	assert_string_equal(names("d"), "");
	end();
}

static void a_deleted_directory_is_shown_while_something_is_below(void **state)
{
	struct volume_entry ve;

	(void)state;
	begin(ROUTE_PARENT);
	archive_add(&a, 0, 1, two_files, ARRAY_LEN(two_files));
	open_volume();
	delete_all("d");
	ve = hold("d");
	assert_true(ve.e.implicit);
	volume_entry_release(&ve);
	assert_string_equal(names("d"), "f g ");
	assert_string_equal(names_on(ARCHIVE_DAY, "d"), "f g ");
	delete_all("d/f");
	assert_string_equal(names("d"), "g ");
	ve = hold("d");
	delete_all("d/g");
	assert_string_equal(at("d"), "-");
	assert_string_equal(names(""), "");
	assert_string_equal(names_on(ARCHIVE_DAY, ""), "");
	assert_int_equal(volume_get(v, ve.node, &ve, &err), RC_DELETED);
	volume_entry_release(&ve);
	end();
}

static const struct archive_entry gone[] = {
	{ .uid = "d/f", .type = ENTRY_WHITEOUT },
};

static void a_whiteout_deleted_with_all_versions_shows_none(void **state)
{
	(void)state;
	begin(ROUTE_PARENT);
	archive_add(&a, 0, 1, two_files, ARRAY_LEN(two_files));
	archive_add(&a, 1, 1, gone, ARRAY_LEN(gone));
	open_volume();
	assert_string_equal(at("d/f"), "-");
	delete_all("d/f");
	assert_string_equal(at("d/f"), "-");
	assert_string_equal(names_on(ARCHIVE_DAY, "d"), "g ");
	end();
}

static void a_whiteout_deleted_alone_hides_no_more(void **state)
{
	(void)state;
	begin(ROUTE_PARENT);
	archive_add(&a, 0, 1, two_files, ARRAY_LEN(two_files));
	archive_add(&a, 1, 1, gone, ARRAY_LEN(gone));
	open_volume();
	delete_one("d/f", 1, 1);
	assert_string_equal(at("d/f"), "old");
	end();
}

static void below_a_deleted_opaque_directory_nothing_reappears(void **state)
{
	static const struct archive_entry again[] = {
		{ .uid = "d",
		  .type = ENTRY_DIR,
		  .opaque_since = ARCHIVE_TIME(2, 0) },
		{ .uid = "d/h", .type = ENTRY_REG, .content = "h" },
	};

	(void)state;
	begin(ROUTE_PARENT);
	archive_add(&a, 0, 1, two_files, ARRAY_LEN(two_files));
	archive_add(&a, 2, 1, again, ARRAY_LEN(again));
	open_volume();
	assert_string_equal(names("d"), "h ");
	delete_all("d");
	assert_string_equal(names("d"), "h ");
	assert_string_equal(at("d/f"), "-");
	end();
}

static void a_file_shows_again_when_all_of_its_heir_is_deleted(void **state)
{
	static const struct archive_entry file[] = {
		{ .uid = "x", .type = ENTRY_REG, .content = "file" },
	};
	static const struct archive_entry heir[] = {
		{ .uid = "x", .type = ENTRY_DIR, .implicit = true },
		{ .uid = "x/y", .type = ENTRY_REG, .content = "y" },
	};

	(void)state;
	begin(ROUTE_PARENT);
	archive_add(&a, 0, 1, file, ARRAY_LEN(file));
	archive_add(&a, 1, 1, heir, ARRAY_LEN(heir));
	open_volume();
	assert_string_equal(at("x/y"), "y");
	delete_all("x/y");
	assert_string_equal(at("x"), "file");
	assert_string_equal(names(""), "x ");
	end();
}

static void uids_without_directories_are_hidden_too(void **state)
{
	(void)state;
	begin(ROUTE_UID);
	archive_add(&a, 0, 1, deep, ARRAY_LEN(deep));
	open_volume();
	delete_all("i/j/k/f");
	assert_string_equal(names_on(ARCHIVE_DAY, "i"), "j ");
	assert_string_equal(at("i/j/k/f"), "-");
	assert_string_equal(at("i/j/k"), "-");
	assert_string_equal(at("i/j/g"), "g");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_deleted_file_is_nowhere_and_its_neighbour_stays),
		cmocka_unit_test(who_holds_a_deleted_file_cannot_read_it),
		cmocka_unit_test(
			a_newer_version_deleted_alone_shows_the_one_before),
		cmocka_unit_test(
			an_older_version_deleted_alone_leaves_the_newest),
		cmocka_unit_test(a_list_goes_on_behind_a_name_that_was_deleted),
		cmocka_unit_test(inferred_directories_go_with_the_last_below),
		cmocka_unit_test(packed_directories_stay_without_their_files),
		cmocka_unit_test(
			a_deleted_directory_is_shown_while_something_is_below),
		cmocka_unit_test(
			a_whiteout_deleted_with_all_versions_shows_none),
		cmocka_unit_test(a_whiteout_deleted_alone_hides_no_more),
		cmocka_unit_test(
			below_a_deleted_opaque_directory_nothing_reappears),
		cmocka_unit_test(
			a_file_shows_again_when_all_of_its_heir_is_deleted),
		cmocka_unit_test(uids_without_directories_are_hidden_too),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
