/* SPDX-License-Identifier: Apache-2.0 */
/* beneath.c - tests of directories below one that was opened. */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "restore/beneath.h"

struct place {
	char dir[64];
	int top;
};

static int make_place(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));

	snprintf(p->dir, sizeof(p->dir), "/tmp/desfs-beneath.XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	p->top = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = p;
	return p->top < 0 ? -1 : 0;
}

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

static enum rc check(const char *path, size_t len)
{
	struct err err;

	return beneath_check(span_of(path, len), &err);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const bad[] = { "..", "../x", "a/..", "a/../b",
					   "/",  "/a",   "a//b", "a/",
					   ".",  "./a",  "a/.",  "a/./b" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(check(bad[i], strlen(bad[i])), RC_ACCESS);
	assert_int_equal(check("a\0b", 3), RC_ACCESS);
}

static void names_that_only_look_odd_are_fine(void **state)
{
	static const char *const good[] = { "",   "a",   "a/b", "...", "..a",
					    ".a", "a\n", "-rf", "\377" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(check(good[i], strlen(good[i])), RC_OK);
}

static void a_name_longer_than_a_file_system_takes_is_refused(void **state)
{
	char *name = xcalloc(1, 300);

	(void)state;
	memset(name, 'n', 299);
	assert_int_equal(check(name, 255), RC_OK);
	assert_int_equal(check(name, 256), RC_ACCESS);
	free(name);
}

static void missing_directories_are_made_when_asked_for(void **state)
{
	struct place *p = *state;
	struct err err;
	struct stat st;
	int fd = -1;

	assert_int_equal(
		beneath_open_dir(p->top, text("a/b/c"), false, &fd, &err),
		RC_NOENT);
	assert_int_equal(
		beneath_open_dir(p->top, text("a/b/c"), true, &fd, &err),
		RC_OK);
	assert_int_equal(mkdirat(fd, "d", 0700), 0);
	close(fd);
	assert_int_equal(fstatat(p->top, "a/b/c/d", &st, 0), 0);
	assert_int_equal(
		beneath_open_dir(p->top, text("a/b/c/d"), false, &fd, &err),
		RC_OK);
	close(fd);
}

static void links_are_not_followed(void **state)
{
	struct place *p = *state;
	struct err err;
	int fd = -1;

	assert_int_equal(symlinkat("/tmp", p->top, "out"), 0);
	assert_int_equal(symlinkat("a", p->top, "in"), 0);
	assert_int_equal(mkdirat(p->top, "sub", 0700), 0);
	assert_int_equal(symlinkat("../a", p->top, "sub/up"), 0);
	for (int create = 0; create < 2; create++) {
		assert_int_equal(beneath_open_dir(p->top, text("out"), create,
						  &fd, &err),
				 RC_ACCESS);
		assert_int_equal(beneath_open_dir(p->top, text("out/x"), create,
						  &fd, &err),
				 RC_ACCESS);
		assert_int_equal(beneath_open_dir(p->top, text("in/b"), create,
						  &fd, &err),
				 RC_ACCESS);
		assert_int_equal(beneath_open_dir(p->top, text("sub/up/b"),
						  create, &fd, &err),
				 RC_ACCESS);
	}
	assert_int_equal(fd, -1);
}

static void files_are_no_directories(void **state)
{
	struct place *p = *state;
	struct err err;
	int fd = openat(p->top, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	close(fd);
	assert_int_equal(
		beneath_open_dir(p->top, text("file/x"), true, &fd, &err),
		RC_ACCESS);
}

static void the_empty_path_is_the_top(void **state)
{
	struct place *p = *state;
	struct stat a, b;
	struct err err;
	int fd = -1;

	assert_int_equal(beneath_open_dir(p->top, text(""), false, &fd, &err),
			 RC_OK);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstat(p->top, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	close(fd);
}

static void paths_may_be_longer_than_the_kernel_takes(void **state)
{
	struct place *p = *state;
	size_t len = 0, max = 20000;
	char *path = xcalloc(1, max + 1);
	struct err err;
	int fd = -1;

	while (len + 201 < max) {
		memset(path + len, 'x', 200);
		path[len + 200] = '/';
		len += 201;
	}
	len--;
	assert_int_equal(
		beneath_open_dir(p->top, span_of(path, len), true, &fd, &err),
		RC_OK);
	close(fd);
	assert_int_equal(
		beneath_open_dir(p->top, span_of(path, len), false, &fd, &err),
		RC_OK);
	close(fd);
	free(path);
}

static int remove_place(void **state)
{
	struct place *p = *state;
	char rm[] = "rm", flags[] = "-rf";
	char *command[] = { rm, flags, p->dir, NULL };
	pid_t pid;

	close(p->top);
	pid = fork();
	if (!pid) {
		execvp(rm, command);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	free(p);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_lead_elsewhere_are_refused),
		cmocka_unit_test(names_that_only_look_odd_are_fine),
		cmocka_unit_test(
			a_name_longer_than_a_file_system_takes_is_refused),
		cmocka_unit_test(missing_directories_are_made_when_asked_for),
		cmocka_unit_test(links_are_not_followed),
		cmocka_unit_test(files_are_no_directories),
		cmocka_unit_test(the_empty_path_is_the_top),
		cmocka_unit_test(paths_may_be_longer_than_the_kernel_takes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_place, remove_place);
}
