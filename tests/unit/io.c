/* SPDX-License-Identifier: Apache-2.0 */
/* io.c - tests of reading and writing in full. */
#include "config.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static int made_dir(char *path)
{
	int fd;

	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void files_are_replaced_whole(void **state)
{
	char path[] = "/tmp/desfs-io.XXXXXX";
	int dirfd = made_dir(path);
	char got[16] = { 0 };
	struct err err;
	int fd;

	(void)state;
	assert_int_equal(io_replace(dirfd, "f", "first", 5, 0644, &err), RC_OK);
	assert_int_equal(io_replace(dirfd, "f", "2nd", 3, 0644, &err), RC_OK);
	fd = openat(dirfd, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(io_read(fd, got, sizeof(got)), 3);
	assert_string_equal(got, "2nd");
	assert_int_equal(io_pread(fd, got, sizeof(got), 1), 2);
	assert_int_equal(io_pread(fd, got, sizeof(got), 3), 0);
	close(fd);
	assert_int_equal(io_replace_lazily(dirfd, "f", "three", 5, 0600, &err),
			 RC_OK);
	fd = openat(dirfd, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(io_read(fd, got, sizeof(got)), 5);
	assert_string_equal(got, "three");
	close(fd);
	assert_int_equal(faccessat(dirfd, "f.tmp", F_OK, 0), -1);
	assert_int_equal(io_replace_lazily(dirfd, "no/f", "", 0, 0644, &err),
			 RC_NOENT);
	assert_int_equal(io_replace(dirfd, "no/f", "", 0, 0644, &err),
			 RC_NOENT);
	unlinkat(dirfd, "f", 0);
	close(dirfd);
	rmdir(path);
}

static void a_device_is_never_replaced(void **state)
{
	char path[] = "/tmp/desfs-io.XXXXXX";
	int dirfd = made_dir(path);
	struct stat sb;
	struct err err;

	(void)state;
	/* It takes no right to make one of these. */
	assert_int_equal(mkfifoat(dirfd, "pipe", 0600), 0);
	assert_int_equal(symlinkat("pipe", dirfd, "link"), 0);
	assert_int_equal(io_replace(dirfd, "pipe", "x", 1, 0644, &err),
			 RC_USAGE);
	assert_int_equal(io_replace_lazily(dirfd, "link", "x", 1, 0644, &err),
			 RC_USAGE);
	assert_int_equal(fstatat(dirfd, "pipe", &sb, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISFIFO(sb.st_mode));
	assert_int_equal(fstatat(dirfd, "link", &sb, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(sb.st_mode));
	assert_int_equal(faccessat(dirfd, "pipe.tmp", F_OK, 0), -1);
	assert_true(io_may_replace(dirfd, "none", &err));
	unlinkat(dirfd, "link", 0);
	unlinkat(dirfd, "pipe", 0);
	close(dirfd);
	rmdir(path);
}

static void pieces_go_where_they_belong(void **state)
{
	char path[] = "/tmp/desfs-io.XXXXXX";
	int dirfd = made_dir(path);
	char got[8] = { 0 };
	int fd;

	(void)state;
	fd = openat(dirfd, "f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(io_pwrite(fd, "cd", 2, 2), 0);
	assert_int_equal(io_write(fd, "ab", 2), 0);
	assert_int_equal(io_pread(fd, got, 4, 0), 4);
	assert_string_equal(got, "abcd");
	close(fd);
	unlinkat(dirfd, "f", 0);
	close(dirfd);
	rmdir(path);
}

static void offsets_beyond_the_kernel_are_errors(void **state)
{
	char b[2];

	(void)state;
	assert_int_equal(io_pread(0, b, 2, INT64_MAX), -1);
	assert_int_equal(errno, EOVERFLOW);
	assert_int_equal(io_pwrite(0, b, 1, UINT64_MAX), -1);
	assert_int_equal(errno, EOVERFLOW);
}

static unsigned int n_names(DIR *dir)
{
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void directories_are_read_from_their_start(void **state)
{
	char path[] = "/tmp/desfs-io.XXXXXX";
	int dirfd = made_dir(path);

	(void)state;
	assert_int_equal(mkdirat(dirfd, "d", 0700), 0);
	assert_int_equal(symlinkat("d", dirfd, "l"), 0);
	assert_int_equal(n_names(io_opendir(dirfd, ".")), 4);
	assert_int_equal(n_names(io_opendir(dirfd, ".")), 4);
	assert_int_equal(n_names(io_opendir(dirfd, "d")), 2);
	assert_null(io_opendir(dirfd, "l"));
	assert_int_equal(errno, ENOTDIR);
	assert_null(io_opendir(dirfd, "none"));
	assert_int_equal(errno, ENOENT);
	unlinkat(dirfd, "l", 0);
	unlinkat(dirfd, "d", AT_REMOVEDIR);
	close(dirfd);
	rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_replaced_whole),
		cmocka_unit_test(a_device_is_never_replaced),
		cmocka_unit_test(pieces_go_where_they_belong),
		cmocka_unit_test(directories_are_read_from_their_start),
		cmocka_unit_test(offsets_beyond_the_kernel_are_errors),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
