/* SPDX-License-Identifier: Apache-2.0 */
/* volume-tree.c - tests of names and listings in the tree view. */
#include "config.h"

#include "volume/volume.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "shard/route.h"
#include "unit.h"

#define MANY 20000u

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

static enum rc resolve(struct volume *v, const char *path,
		       struct volume_entry *ret)
{
	struct err err;
	enum rc rc = volume_resolve(v, str(path), ret, &err);

	if (rc && rc != RC_NOENT && rc != RC_NOTDIR)
		fail_msg("%s: %s", path, err.msg);
	return rc;
}

/* The content of a small file; "-" when it is not there. */
static const char *text_of(struct volume *v, const char *path)
{
	static char text[4096];
	struct volume_entry ve;
	struct err err;
	size_t n = 0;

	if (resolve(v, path, &ve))
		return "-";
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
	char text[65536];
	size_t n, limit; /* limit: stop after as many */
	uint64_t cookie; /* after the last one */
};

static bool collect(void *arg, struct span name, const struct volume_entry *ve,
		    uint64_t next)
{
	struct names *names = arg;
	size_t len = strlen(names->text);

	assert_true(next && next < UINT64_C(1) << 62);
	assert_non_null(ve->hold);
	if (names->limit && names->n == names->limit)
		return false;
	names->n++;
	names->cookie = next;
	snprintf(names->text + len, sizeof(names->text) - len, "%.*s ",
		 (int)name.len, name.p);
	return true;
}

static void list_from(struct volume *v, const char *path, uint64_t cookie,
		      size_t limit, struct names *ret)
{
	struct volume_entry dir;
	struct err err;

	*ret = (struct names){ .limit = limit };
	assert_int_equal(resolve(v, path, &dir), RC_OK);
	if (volume_readdir(v, &dir, cookie, collect, ret, &err))
		fail_msg("%s", err.msg);
	volume_entry_release(&dir);
}

static const char *list(struct volume *v, const char *path)
{
	static struct names names;

	list_from(v, path, 0, 0, &names);
	return names.text;
}

static const struct archive_entry first_run[] = {
	{ .uid = "", .type = ENTRY_DIR },
	{ .uid = "a", .type = ENTRY_DIR, .mode = 0700 },
	{ .uid = "a/b", .type = ENTRY_DIR },
	{ .uid = "a/b/c", .type = ENTRY_REG, .content = "c1" },
	{ .uid = "a/one", .type = ENTRY_REG, .content = "one1" },
	{ .uid = "a/two", .type = ENTRY_REG, .content = "two1" },
	{ .uid = "link", .type = ENTRY_SYMLINK, .content = "a/one" },
	{ .uid = "top", .type = ENTRY_REG, .content = "top1" },
};

static void each_route(void (*test)(unsigned int route))
{
	test(ROUTE_PARENT);
	test(ROUTE_UID);
}

static void check_one_run(unsigned int route)
{
	struct archive a;
	struct volume *v;
	struct volume_entry ve;

	archive_begin(&a, route);
	archive_add(&a, 0, 0, first_run, ARRAY_LEN(first_run));
	v = open_volume(&a);
	assert_string_equal(list(v, ""), "a link top ");
	assert_string_equal(list(v, "/a/"), "b one two ");
	assert_string_equal(list(v, "a//./b"), "c ");
	assert_string_equal(text_of(v, "a/b/c"), "c1");
	assert_string_equal(text_of(v, "top"), "top1");
	assert_int_equal(resolve(v, "a/none", &ve), RC_NOENT);
	assert_int_equal(resolve(v, "none/x", &ve), RC_NOENT);
	assert_int_equal(resolve(v, "a/..", &ve), RC_NOENT);
	assert_int_equal(resolve(v, "top/x", &ve), RC_NOTDIR);
	assert_int_equal(resolve(v, "a", &ve), RC_OK);
	assert_int_equal(ve.e.mode, 0700);
	assert_false(ve.e.implicit);
	volume_entry_release(&ve);
	assert_int_equal(resolve(v, "link", &ve), RC_OK);
	assert_int_equal(ve.e.type, ENTRY_SYMLINK);
	assert_true(span_equal(ve.e.target, str("a/one")));
	volume_entry_release(&ve);
	volume_close(v);
	archive_end(&a);
}

static void one_run_is_a_tree(void **state)
{
	(void)state;
	each_route(check_one_run);
}

static void check_second_run(unsigned int route)
{
	static const struct archive_entry second_run[] = {
		{ .uid = "a/one", .type = ENTRY_REG, .content = "one2" },
		{ .uid = "a/b", .type = ENTRY_WHITEOUT },
		{ .uid = "a/b/c", .type = ENTRY_WHITEOUT },
		{ .uid = "top", .type = ENTRY_WHITEOUT },
		{ .uid = "new/deep", .type = ENTRY_DIR },
		{ .uid = "new", .type = ENTRY_DIR },
		{ .uid = "new/deep/x", .type = ENTRY_REG, .content = "x2" },
	};
	struct archive a;
	struct volume *v;
	struct volume_entry before, after;
	struct volume_stats st;
	struct err err;
	bool changed = true;
	char text[8] = "";
	size_t n = 0;

	archive_begin(&a, route);
	archive_add(&a, 0, 0, first_run, ARRAY_LEN(first_run));
	v = open_volume(&a);
	assert_int_equal(resolve(v, "a/one", &before), RC_OK);
	assert_int_equal(volume_refresh(v, &changed, &err), RC_OK);
	assert_false(changed);
	archive_add(&a, 1, 0, second_run, ARRAY_LEN(second_run));
	assert_string_equal(text_of(v, "a/one"), "one1");
	assert_int_equal(volume_refresh(v, &changed, &err), RC_OK);
	assert_true(changed);
	volume_stats(v, &st);
	assert_int_equal(st.generation, 2);
	assert_string_equal(text_of(v, "a/one"), "one2");
	assert_string_equal(text_of(v, "a/two"), "two1");
	assert_string_equal(text_of(v, "top"), "-");
	assert_string_equal(text_of(v, "a/b"), "-");
	assert_string_equal(text_of(v, "a/b/c"), "-");
	assert_string_equal(list(v, "a"), "one two ");
	assert_string_equal(list(v, ""), "a link new ");
	assert_string_equal(text_of(v, "new/deep/x"), "x2");
	/* The directory's entry is the explicit one still. */
	assert_int_equal(resolve(v, "a", &after), RC_OK);
	assert_int_equal(after.e.mode, 0700);
	volume_entry_release(&after);
	/* A node stays what it was. */
	assert_int_equal(volume_get(v, before.node, &after, &err), RC_OK);
	assert_int_equal(volume_read(v, &after, 0, text, 8, &n, &err), RC_OK);
	assert_memory_equal(text, "one1", 4);
	assert_true(volume_ino(v, &before) == volume_ino(v, &after));
	volume_entry_release(&after);
	volume_entry_release(&before);
	volume_close(v);
	archive_end(&a);
}

static void a_later_run_replaces_and_hides(void **state)
{
	(void)state;
	each_route(check_second_run);
}

static void check_opaque(unsigned int route)
{
	static const struct archive_entry dir[] = {
		{ .uid = "d", .type = ENTRY_DIR },
		{ .uid = "d/old", .type = ENTRY_REG, .content = "old" },
		{ .uid = "d/same", .type = ENTRY_REG, .content = "same1" },
	};
	static const struct archive_entry file[] = {
		{ .uid = "d", .type = ENTRY_REG, .content = "a file" },
	};
	static const struct archive_entry again[] = {
		{ .uid = "d",
		  .type = ENTRY_DIR,
		  .opaque_since = ARCHIVE_TIME(2, 0) },
		{ .uid = "d/same", .type = ENTRY_REG, .content = "same3" },
	};
	struct archive a;
	struct volume *v;
	struct err err;
	bool changed;

	archive_begin(&a, route);
	archive_add(&a, 0, 0, dir, ARRAY_LEN(dir));
	v = open_volume(&a);
	assert_string_equal(list(v, "d"), "old same ");
	archive_add(&a, 1, 0, file, ARRAY_LEN(file));
	assert_int_equal(volume_refresh(v, &changed, &err), RC_OK);
	assert_string_equal(text_of(v, "d"), "a file");
	archive_add(&a, 2, 0, again, ARRAY_LEN(again));
	assert_int_equal(volume_refresh(v, &changed, &err), RC_OK);
	assert_string_equal(list(v, "d"), "same ");
	assert_string_equal(text_of(v, "d/old"), "-");
	assert_string_equal(text_of(v, "d/same"), "same3");
	volume_close(v);
	archive_end(&a);
}

static void an_opaque_directory_hides_what_is_older(void **state)
{
	(void)state;
	each_route(check_opaque);
}

static void an_implicit_directory_shows_over_what_is_none(void **state)
{
	static const struct archive_entry file[] = {
		{ .uid = "f", .type = ENTRY_REG, .content = "f" },
		{ .uid = "d", .type = ENTRY_DIR, .mode = 0700 },
		{ .uid = "w", .type = ENTRY_WHITEOUT },
	};
	static const struct archive_entry implicit[] = {
		{ .uid = "f", .type = ENTRY_DIR, .implicit = true },
		{ .uid = "d", .type = ENTRY_DIR, .implicit = true },
		{ .uid = "w", .type = ENTRY_DIR, .implicit = true },
	};
	struct archive a;
	struct volume *v;
	struct volume_entry ve;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 0, file, ARRAY_LEN(file));
	archive_add(&a, 1, 0, implicit, ARRAY_LEN(implicit));
	v = open_volume(&a);
	assert_string_equal(list(v, ""), "d f w ");
	assert_string_equal(text_of(v, "f"), "directory");
	assert_string_equal(text_of(v, "w"), "directory");
	assert_int_equal(resolve(v, "d", &ve), RC_OK);
	assert_false(ve.e.implicit);
	assert_int_equal(ve.e.mode, 0700);
	volume_entry_release(&ve);
	volume_close(v);
	archive_end(&a);
}

static void names_that_cannot_be_are_not_there(void **state)
{
	static const struct archive_entry hostile[] = {
		{ .uid = "..", .type = ENTRY_DIR },
		{ .uid = "../x", .type = ENTRY_REG, .content = "x" },
		{ .uid = ".", .type = ENTRY_DIR },
		{ .uid = "a//b", .type = ENTRY_REG, .content = "b" },
		{ .uid = "a", .type = ENTRY_DIR },
		{ .uid = "ok", .type = ENTRY_REG, .content = "ok" },
	};
	struct archive a;
	struct volume *v;
	struct volume_entry root;
	struct err err;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 0, hostile, ARRAY_LEN(hostile));
	v = open_volume(&a);
	assert_string_equal(list(v, ""), "a ok ");
	assert_string_equal(list(v, "a"), "");
	assert_int_equal(volume_root(v, &root, &err), RC_OK);
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "..", "", "a/b" };
		struct volume_entry ve;

		assert_int_equal(
			volume_lookup(v, &root, str(names[i]), &ve, &err),
			RC_NOENT);
	}
	volume_entry_release(&root);
	volume_close(v);
	archive_end(&a);
}

/* Entries of a directory of MANY files; *names is to be freed too. */
static struct archive_entry *many(char (**names)[16])
{
	struct archive_entry *e = xcalloc(MANY, sizeof(*e));

	*names = xcalloc(MANY, sizeof(**names));
	for (unsigned int i = 0; i < MANY; i++) {
		snprintf((*names)[i], sizeof((*names)[i]), "d/%05u", i);
		e[i] = (struct archive_entry){ .uid = (*names)[i],
					       .type = ENTRY_REG,
					       .content = (*names)[i] };
	}
	return e;
}

static bool count(void *arg, struct span name, const struct volume_entry *ve,
		  uint64_t next)
{
	struct names *names = arg;
	char want[16];

	(void)ve;
	if (names->limit && names->n == names->limit)
		return false;
	snprintf(want, sizeof(want), "%05zu", names->n);
	assert_true(span_equal(name, str(want)));
	names->n++;
	names->cookie = next;
	return true;
}

static void a_large_directory_is_read_in_pieces(void **state)
{
	CLEANUP_FREE char(*names)[16] = NULL;
	CLEANUP_FREE struct archive_entry *e = many(&names);
	static struct names got;
	struct volume_entry dir;
	struct archive a;
	struct volume *v;
	struct err err;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 0, e, MANY);
	v = open_volume(&a);
	/* Its entry is only where its children are. */
	assert_int_equal(resolve(v, "d", &dir), RC_NOENT);
	archive_add(&a, 0, 1,
		    &(struct archive_entry){ .uid = "d", .type = ENTRY_DIR },
		    1);
	volume_close(v);
	v = open_volume(&a);
	assert_int_equal(resolve(v, "d", &dir), RC_OK);
	got = (struct names){ 0 };
	while (got.n < MANY) {
		size_t before = got.n;

		got.limit = before + 37;
		assert_int_equal(
			volume_readdir(v, &dir, got.cookie, count, &got, &err),
			RC_OK);
		assert_true(got.n > before);
	}
	assert_int_equal(volume_readdir(v, &dir, got.cookie, count, &got, &err),
			 RC_OK);
	assert_int_equal(got.n, MANY);
	assert_int_equal(volume_readdir(v, &dir, UINT64_MAX, count, &got, &err),
			 RC_USAGE);
	volume_entry_release(&dir);
	volume_close(v);
	archive_end(&a);
}

static void a_first_read_costs_tail_page_and_block(void **state)
{
	CLEANUP_FREE char(*names)[16] = NULL;
	CLEANUP_FREE struct archive_entry *e = many(&names);
	struct volume_entry ve, dir = { .e = { .type = ENTRY_DIR } };
	struct volume_stats before, after;
	struct archive a;
	struct volume *v;
	struct err err;
	char text[16];
	size_t n;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 0, e, MANY);
	for (unsigned int i = 0; i < MANY; i += 997) {
		v = open_volume(&a);
		dir.e.name = str("d");
		volume_stats(v, &before);
		assert_int_equal(
			volume_lookup(v, &dir, str(names[i] + 2), &ve, &err),
			RC_OK);
		assert_int_equal(
			volume_read(v, &ve, 0, text, sizeof(text), &n, &err),
			RC_OK);
		assert_memory_equal(text, names[i], 7);
		volume_stats(v, &after);
		/* A page may be among the bytes read for the tail, or the page
		 * above it not.
		 */
		assert_in_range(after.store_reads - before.store_reads, 2, 4);
		assert_int_equal(after.shards_opened, 1);
		volume_entry_release(&ve);
		volume_close(v);
	}
	archive_end(&a);
}

static void cookies_outlive_a_refresh(void **state)
{
	static const struct archive_entry more[] = {
		{ .uid = "a/aaa", .type = ENTRY_REG, .content = "before" },
		{ .uid = "a/b", .type = ENTRY_WHITEOUT },
		{ .uid = "a/p", .type = ENTRY_REG, .content = "between" },
	};
	static struct names got;
	struct archive a;
	struct volume *v;
	struct err err;
	bool changed;
	uint64_t cookie;

	(void)state;
	archive_begin(&a, ROUTE_UID);
	archive_add(&a, 0, 0, first_run, ARRAY_LEN(first_run));
	v = open_volume(&a);
	list_from(v, "a", 0, 1, &got);
	assert_string_equal(got.text, "b ");
	cookie = got.cookie;
	archive_add(&a, 0, 1, more, ARRAY_LEN(more));
	assert_int_equal(volume_refresh(v, &changed, &err), RC_OK);
	list_from(v, "a", cookie, 0, &got);
	assert_string_equal(got.text, "one p two ");
	list_from(v, "a", got.cookie, 0, &got);
	assert_string_equal(got.text, "");
	volume_close(v);
	archive_end(&a);
}

static void a_scan_gives_each_version_of_a_slot_once(void **state)
{
	struct archive a;
	struct volume *v;
	size_t n = 0;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 0, first_run, ARRAY_LEN(first_run));
	archive_add(&a, 1, 0, first_run, ARRAY_LEN(first_run));
	v = open_volume(&a);
	for (uint32_t slot = 0; slot < 1u << ARCHIVE_N_BITS; slot++) {
		struct volume_entry ve, last = { 0 };
		struct volume_scan *scan = NULL;
		struct err err;

		assert_int_equal(volume_scan_slot(v, slot, &scan, &err), RC_OK);
		while (!volume_scan_next(scan, &ve, &err)) {
			if (last.hold)
				assert_true(entry_compare(&last.e, &ve.e) < 0);
			volume_entry_release(&last);
			last = ve;
			n += !ve.e.implicit;
		}
		assert_int_equal(err.rc, RC_NOENT);
		volume_entry_release(&last);
		volume_scan_free(scan);
	}
	assert_int_equal(n, 2 * ARRAY_LEN(first_run));
	volume_close(v);
	archive_end(&a);
}

static void an_archive_without_entries_has_no_root(void **state)
{
	struct archive a;
	struct volume *v = NULL;
	struct volume_entry ve;
	struct err err;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	v = open_volume(&a);
	assert_int_equal(volume_root(v, &ve, &err), RC_NOENT);
	volume_close(v);
	archive_end(&a);
	assert_int_equal(volume_open(&v, a.dir, NULL, &err), RC_NOENT);
}

struct crowd {
	struct volume *v;
	const struct archive *a;
};

static void *visitor(void *arg)
{
	const struct crowd *crowd = arg;
	static const char *const paths[] = { "a",   "a/b",  "a/b/c", "a/one",
					     "top", "none", "" };

	for (size_t i = 0; i < 300; i++) {
		struct volume_entry ve;
		struct names *names;
		struct err err;
		char text[8];
		size_t n;

		if (resolve(crowd->v, paths[i % ARRAY_LEN(paths)], &ve))
			continue;
		names = xcalloc(1, sizeof(*names));
		if (ve.e.type == ENTRY_DIR)
			assert_int_equal(volume_readdir(crowd->v, &ve, 0,
							collect, names, &err),
					 RC_OK);
		else
			assert_int_equal(volume_read(crowd->v, &ve, 0, text, 8,
						     &n, &err),
					 RC_OK);
		free(names);
		volume_entry_release(&ve);
	}
	return NULL;
}

static void *refresher(void *arg)
{
	const struct crowd *crowd = arg;

	for (unsigned int i = 0; i < 10; i++) {
		struct err err;
		bool changed;

		assert_int_equal(volume_refresh(crowd->v, &changed, &err),
				 RC_OK);
	}
	return NULL;
}

static void threads_read_while_others_refresh(void **state)
{
	struct archive a;
	struct crowd crowd = { .a = &a };
	pthread_t t[5];

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 0, first_run, ARRAY_LEN(first_run));
	crowd.v = open_volume(&a);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL,
						i < 3 ? visitor : refresher,
						&crowd),
				 0);
	for (unsigned int i = 1; i < 8; i++)
		archive_add(&a, i, 0, first_run, ARRAY_LEN(first_run));
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		pthread_join(t[i], NULL);
	volume_close(crowd.v);
	archive_end(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_run_is_a_tree),
		cmocka_unit_test(a_later_run_replaces_and_hides),
		cmocka_unit_test(an_opaque_directory_hides_what_is_older),
		cmocka_unit_test(an_implicit_directory_shows_over_what_is_none),
		cmocka_unit_test(names_that_cannot_be_are_not_there),
		cmocka_unit_test(a_large_directory_is_read_in_pieces),
		cmocka_unit_test(a_first_read_costs_tail_page_and_block),
		cmocka_unit_test(cookies_outlive_a_refresh),
		cmocka_unit_test(a_scan_gives_each_version_of_a_slot_once),
		cmocka_unit_test(an_archive_without_entries_has_no_root),
		cmocka_unit_test(threads_read_while_others_refresh),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
