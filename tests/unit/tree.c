/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c - tests that files are opened as the walk saw them, or not at all. */
#include "config.h"

#include "pack/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "pack/attr.h"
#include "unit.h"

static struct err err;
static char root[] = "/tmp/desfs-tree.XXXXXX";
static struct sources sources;

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

static void write_file(const char *name, const char *content)
{
	int dir = sources.v[0].fd;
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

/* What the walk would have found of a name in the root. */
static struct item item_of(const char *name)
{
	struct item it = { .name = text(name), .parent = text("") };
	struct stat st;

	assert_int_equal(
		fstatat(sources.v[0].fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(attr_from_stat(&st, &it));
	return it;
}

/* Open it, look at it, and close it. */
static enum rc try_open(struct tree *t, const struct item *it)
{
	int fd = -1;
	enum rc rc = tree_open(t, it, &fd, &err);

	if (rc)
		return rc;
	rc = tree_check(fd, it, &err);
	close(fd);
	return rc;
}

static int setup(void **state)
{
	char *paths[] = { root };

	(void)state;
	return !mkdtemp(root) || sources_open(&sources, paths, 1, &err);
}

/* The tree is deeper than a path may be long, so rm does it. */
static int teardown(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		execlp("rm", "rm", "-rf", root, (char *)NULL);
		_exit(1);
	}
	sources_close(&sources);
	return pid < 0 || waitpid(pid, &status, 0) != pid || status;
}

static void a_file_that_is_as_it_was_is_opened(void **state)
{
	struct tree *t = tree_new(&sources);
	struct item it;
	int fd = -1;

	(void)state;
	write_file("same", "content");
	it = item_of("same");
	assert_int_equal(tree_open(t, &it, &fd, &err), RC_OK);
	assert_int_equal(tree_check(fd, &it, &err), RC_OK);
	close(fd);
	tree_free(t);
}

static void a_file_that_changed_is_not_what_the_walk_saw(void **state)
{
	struct tree *t = tree_new(&sources);
	struct item it;
	int fd = -1;

	(void)state;
	write_file("grows", "content");
	it = item_of("grows");
	assert_int_equal(tree_open(t, &it, &fd, &err), RC_OK);
	write_file("grows", "more content");
	assert_int_equal(tree_check(fd, &it, &err), RC_CHANGED);
	close(fd);
	assert_int_equal(try_open(t, &it), RC_CHANGED);
	assert_non_null(strstr(err.msg, "changed while it was read"));
	tree_free(t);
}

static void a_file_that_was_replaced_is_told_by_its_inode(void **state)
{
	const struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 5 } };
	struct tree *t = tree_new(&sources);
	struct item it;

	(void)state;
	write_file("new", "content");
	write_file("old", "content");
	utimensat(sources.v[0].fd, "new", times, 0);
	utimensat(sources.v[0].fd, "old", times, 0);
	it = item_of("old");
	assert_int_equal(
		renameat(sources.v[0].fd, "new", sources.v[0].fd, "old"), 0);
	assert_int_equal(try_open(t, &it), RC_CHANGED);
	tree_free(t);
}

static void a_fifo_in_the_place_of_a_file_makes_nobody_wait(void **state)
{
	struct tree *t = tree_new(&sources);
	struct item it;

	(void)state;
	write_file("pipe", "content");
	it = item_of("pipe");
	assert_int_equal(unlinkat(sources.v[0].fd, "pipe", 0), 0);
	assert_int_equal(mkfifoat(sources.v[0].fd, "pipe", 0600), 0);
	assert_int_equal(try_open(t, &it), RC_CHANGED);
	assert_non_null(strstr(err.msg, "changed while it was read"));
	tree_free(t);
}

static void a_file_that_vanished_is_told(void **state)
{
	struct tree *t = tree_new(&sources);
	struct item it;

	(void)state;
	write_file("gone", "content");
	it = item_of("gone");
	assert_int_equal(unlinkat(sources.v[0].fd, "gone", 0), 0);
	assert_int_equal(try_open(t, &it), RC_CHANGED);
	assert_non_null(strstr(err.msg, "vanished"));
	tree_free(t);
}

static void no_symbolic_link_is_followed(void **state)
{
	struct tree *t = tree_new(&sources);
	int dir = sources.v[0].fd;
	struct item it;

	(void)state;
	assert_int_equal(mkdirat(dir, "real", 0700), 0);
	write_file("real/file", "content");
	it = item_of("real/file");
	assert_int_equal(symlinkat("real", dir, "link"), 0);
	it.name = text("file");
	it.parent = text("link");
	assert_int_equal(try_open(t, &it), RC_CHANGED);
	it.parent = text("real");
	assert_int_equal(try_open(t, &it), RC_OK);
	tree_free(t);
}

static void make_deep(struct buf *path, unsigned int depth)
{
	int at = fcntl(sources.v[0].fd, F_DUPFD_CLOEXEC, 0);

	for (unsigned int i = 0; i < depth; i++) {
		int next;

		(void)mkdirat(at, "abc", 0700);
		next = openat(at, "abc", O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		close(at);
		at = next;
		buf_append_str(path, i ? "/abc" : "abc");
		if (i == depth - 1 || i == depth / 2) {
			int fd = openat(at, "f", O_CREAT | O_WRONLY, 0600);

			assert_true(fd >= 0);
			close(fd);
		}
	}
	close(at);
}

static void paths_may_be_longer_than_the_kernel_takes(void **state)
{
	struct buf deep = { .max = 1 << 20 };
	struct tree *t = tree_new(&sources);
	struct item it = { .name = text("f"), .type = ENTRY_REG };

	(void)state;
	make_deep(&deep, 2000);
	assert_true(deep.len > 4096);
	/* The attributes are others: what matters is that it is found. */
	for (int i = 0; i < 3; i++) {
		it.parent = span_of(deep.p, deep.len);
		assert_int_equal(try_open(t, &it), RC_CHANGED);
		assert_non_null(strstr(err.msg, "changed"));
		it.parent.len = 4 * 1001 - 1;
		assert_int_equal(try_open(t, &it), RC_CHANGED);
		assert_non_null(strstr(err.msg, "changed"));
		it.parent.len -= 4;
		assert_int_equal(try_open(t, &it), RC_CHANGED);
		assert_non_null(strstr(err.msg, "vanished"));
	}
	tree_free(t);
	buf_release(&deep);
}

static void sources_are_named_as_they_should_be(void **state)
{
	char dot[] = ".", file[] = "/etc/passwd", slashes[] = "/etc///";
	char top[] = "/", *one[] = { file }, *two[] = { slashes, file };
	char *same[] = { slashes, slashes }, *root_too[] = { top, file };
	char *here[] = { dot };
	struct sources s = { 0 };

	(void)state;
	assert_int_equal(sources_open(&s, one, 1, &err), RC_OK);
	assert_true(sources_have_names(&s));
	assert_string_equal(s.v[0].name, "passwd");
	sources_close(&s);
	assert_int_equal(sources_open(&s, here, 1, &err), RC_OK);
	assert_false(sources_have_names(&s));
	sources_close(&s);
	assert_int_equal(sources_open(&s, two, 2, &err), RC_OK);
	assert_string_equal(s.v[0].name, "etc");
	assert_true(
		span_equal(source_relative(&s.v[0], text("etc/x")), text("x")));
	sources_close(&s);
	assert_int_equal(sources_open(&s, same, 2, &err), RC_USAGE);
	assert_int_equal(sources_open(&s, root_too, 2, &err), RC_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_is_as_it_was_is_opened),
		cmocka_unit_test(a_file_that_changed_is_not_what_the_walk_saw),
		cmocka_unit_test(a_file_that_was_replaced_is_told_by_its_inode),
		cmocka_unit_test(
			a_fifo_in_the_place_of_a_file_makes_nobody_wait),
		cmocka_unit_test(a_file_that_vanished_is_told),
		cmocka_unit_test(no_symbolic_link_is_followed),
		cmocka_unit_test(paths_may_be_longer_than_the_kernel_takes),
		cmocka_unit_test(sources_are_named_as_they_should_be),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
