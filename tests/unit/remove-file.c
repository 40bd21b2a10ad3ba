/* SPDX-License-Identifier: Apache-2.0 */
/* remove-file.c - tests that a file goes only while it is what was packed. */
#include "config.h"

#include "pack/remove-file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sha256.h"
#include "pack/attr.h"
#include "pack/tree.h"
#include "unit.h"

static struct err err;
static char root[] = "/tmp/desfs-remove.XXXXXX";
static struct sources sources;
static struct tree *tree;
static struct attr_reader *attrs;
static uint8_t hash[SHA256_LEN];

static int dir(void)
{
	return sources.v[0].fd;
}

static bool is_there(const char *name)
{
	struct stat st;

	return !fstatat(dir(), name, &st, AT_SYMLINK_NOFOLLOW);
}

/* What the walk would have found of a name in the root. */
static struct item item_of(const char *name)
{
	struct item it = { .name = span_of(name, strlen(name)),
			   .parent = span_of("", 0) };
	struct stat st;

	assert_int_equal(fstatat(dir(), name, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(attr_from_stat(&st, &it));
	return it;
}

static struct item file(void)
{
	int fd = openat(dir(), "f", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "bytes", 5), 5);
	close(fd);
	sha256_of("bytes", 5, hash);
	return item_of("f");
}

static struct item link_to(const char *target)
{
	struct item it;

	unlinkat(dir(), "l", 0);
	assert_int_equal(symlinkat(target, dir(), "l"), 0);
	it = item_of("l");
	it.target = span_of(target, strlen(target));
	it.size = strlen(target);
	return it;
}

static enum rc remove_it(const struct item *it)
{
	const struct remove_from from = { .tree = tree, .attrs = attrs };

	return remove_file(&from, it, it->type == ENTRY_REG ? hash : NULL,
			   &err);
}

static void what_was_packed_goes(void **state)
{
	struct item it = file();

	(void)state;
	assert_int_equal(remove_it(&it), RC_OK);
	assert_false(is_there("f"));
	assert_int_equal(remove_it(&it), RC_NOENT);
	it = link_to("target");
	assert_int_equal(remove_it(&it), RC_OK);
	assert_false(is_there("l"));
}

static void one_of_another_device_stays(void **state)
{
	struct item it = file();

	(void)state;
	it.dev++;
	assert_int_equal(remove_it(&it), RC_CHANGED);
	assert_true(is_there("f"));
}

static void one_with_another_owner_or_mode_stays(void **state)
{
	struct item it = file();

	(void)state;
	it.uid++;
	assert_int_equal(remove_it(&it), RC_CHANGED);
	it.uid--;
	it.gid++;
	assert_int_equal(remove_it(&it), RC_CHANGED);
	it.gid--;
	it.mode ^= 0100;
	assert_int_equal(remove_it(&it), RC_CHANGED);
	assert_true(is_there("f"));
	it.mode ^= 0100;
	assert_int_equal(remove_it(&it), RC_OK);
}

static void one_of_other_bytes_stays(void **state)
{
	struct item it = file();

	(void)state;
	hash[7] ^= 1;
	assert_int_equal(remove_it(&it), RC_CHANGED);
	assert_true(is_there("f"));
}

/* The other one of two names goes first, and takes the change time along. */
static struct item second_name(void)
{
	struct item it, first;

	file();
	unlinkat(dir(), "g", 0);
	assert_int_equal(linkat(dir(), "f", dir(), "g", 0), 0);
	it = item_of("f");
	it.link = 7;
	first = it;
	first.name = span_of("g", 1);
	assert_int_equal(remove_it(&first), RC_OK);
	assert_false(is_there("g"));
	return it;
}

static void the_last_name_goes_unless_more_than_a_name_went(void **state)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
	struct item it = second_name();

	(void)state;
	assert_int_equal(remove_it(&it), RC_OK);
	it = second_name();
	assert_int_equal(fchmodat(dir(), "f", 0640, 0), 0);
	assert_int_equal(remove_it(&it), RC_CHANGED);
	it = second_name();
	assert_int_equal(utimensat(dir(), "f", times, 0), 0);
	assert_int_equal(remove_it(&it), RC_CHANGED);
	assert_true(is_there("f"));
}

static void one_with_other_attributes_stays(void **state)
{
	static const uint8_t more[] = "more";
	struct item it = file();

	(void)state;
	it.xattrs = span_of(more, sizeof(more));
	assert_int_equal(remove_it(&it), RC_CHANGED);
	assert_true(is_there("f"));
}

static void one_with_another_change_time_stays(void **state)
{
	struct item it = file();

	(void)state;
	it.ctime_ns ^= 1;
	assert_int_equal(remove_it(&it), RC_CHANGED);
	assert_true(is_there("f"));
}

static void a_link_to_another_target_stays(void **state)
{
	static const char *const others[] = { "targe", "targets", "tarGet",
					      "" };
	struct item it = link_to("target");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct item other = it;

		other.target = span_of(others[i], strlen(others[i]));
		other.size = other.target.len;
		assert_int_equal(remove_it(&other), RC_CHANGED);
		assert_true(is_there("l"));
	}
	assert_int_equal(remove_it(&it), RC_OK);
}

static void a_link_where_a_file_was_stays(void **state)
{
	struct item it = file();

	(void)state;
	it.type = ENTRY_SYMLINK;
	it.target = span_of("bytes", 5);
	assert_int_equal(remove_it(&it), RC_CHANGED);
	assert_true(is_there("f"));
}

/* Below more directories than a tree keeps open. */
static void one_in_a_moved_directory_stays(void **state)
{
	char parent[400] = "deep";
	size_t parent_len = 4;
	struct item it;
	int at = dir();

	(void)state;
	for (int i = 0; i < 60; i++) {
		const char *name = i ? "sub" : "deep";

		assert_int_equal(mkdirat(at, name, 0700), 0);
		at = openat(at, name, O_RDONLY | O_DIRECTORY);
		assert_true(at >= 0);
		if (i)
			parent_len += (size_t)snprintf(
				parent + parent_len,
				sizeof(parent) - parent_len, "/sub");
	}
	(void)file();
	assert_int_equal(renameat(dir(), "f", at, "f"), 0);
	for (int i = 0; i < 3; i++) {
		CLEANUP_FD int fd = openat(at, "f", O_RDONLY);
		struct stat st;
		int was = -1;
		char name[TREE_NAME_BYTES];

		it = (struct item){ .name = span_of("f", 1),
				    .parent = span_of(parent, strlen(parent)) };
		assert_int_equal(fstat(fd, &st), 0);
		assert_true(attr_from_stat(&st, &it));
		assert_int_equal(tree_place(tree, &it, &was, name, &err),
				 RC_OK);
		assert_int_equal(renameat(dir(), i == 1 ? "deep/sub" : "deep",
					  dir(), "moved"),
				 0);
		assert_int_equal(remove_it(&it), RC_CHANGED);
		assert_int_equal(faccessat(at, "f", F_OK, 0), 0);
		assert_int_equal(renameat(dir(), "moved", dir(),
					  i == 1 ? "deep/sub" : "deep"),
				 0);
	}
	assert_int_equal(remove_it(&it), RC_OK);
	assert_int_not_equal(faccessat(at, "f", F_OK, 0), 0);
}

static int setup(void **state)
{
	char *paths[] = { root };

	(void)state;
	if (!mkdtemp(root) || sources_open(&sources, paths, 1, &err))
		return 1;
	tree = tree_new(&sources);
	attrs = attr_reader_new();
	return 0;
}

static int teardown(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		execlp("rm", "rm", "-rf", root, (char *)NULL);
		_exit(1);
	}
	tree_free(tree);
	attr_reader_free(attrs);
	sources_close(&sources);
	return pid < 0 || waitpid(pid, &status, 0) != pid || status;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_goes),
		cmocka_unit_test(one_of_another_device_stays),
		cmocka_unit_test(one_with_another_owner_or_mode_stays),
		cmocka_unit_test(one_of_other_bytes_stays),
		cmocka_unit_test(
			the_last_name_goes_unless_more_than_a_name_went),
		cmocka_unit_test(one_with_other_attributes_stays),
		cmocka_unit_test(one_with_another_change_time_stays),
		cmocka_unit_test(a_link_to_another_target_stays),
		cmocka_unit_test(a_link_where_a_file_was_stays),
		cmocka_unit_test(one_in_a_moved_directory_stays),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
