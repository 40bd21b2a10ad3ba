/* SPDX-License-Identifier: Apache-2.0 */
/* look.c - what shell tools do not do to files, and whether it works.
 *
 *	look dir DIR        d_ino and d_type against stat; telldir and seekdir
 *	look mmap FILE      mmap against read
 *	look hold FILE      open, then wait for the end of standard input
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct seen {
	char *name;
	long before; /* telldir before it was read */
	ino_t ino;
	unsigned char type;
};

static int failures;

static void complain(const char *what, const char *name)
{
	printf("%s: %s\n", name, what);
	failures++;
}

static void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static struct seen *read_all(DIR *d, size_t *ret_n)
{
	struct seen *all = NULL;
	size_t n = 0, cap = 0;

	for (;;) {
		long before = telldir(d);
		struct dirent *de;

		errno = 0;
		de = readdir(d);
		if (!de && errno)
			die("readdir");
		if (!de)
			break;
		all = mem_grow(all, &cap, n + 1, sizeof(*all));
		all[n++] = (struct seen){ xstrdup(de->d_name), before,
					  de->d_ino, de->d_type };
	}
	*ret_n = n;
	return all;
}

static void compare_stat(DIR *d, const struct seen *s)
{
	struct stat st;

	if (!strcmp(s->name, "..") || !strcmp(s->name, "."))
		return;
	if (fstatat(dirfd(d), s->name, &st, AT_SYMLINK_NOFOLLOW))
		complain(strerror(errno), s->name);
	else if (st.st_ino != s->ino)
		complain("d_ino is not st_ino", s->name);
	else if (s->type != IFTODT(st.st_mode))
		complain("d_type is not that of st_mode", s->name);
}

static void compare_name(DIR *d, const char *name)
{
	struct dirent *de = readdir(d);

	if (!de)
		complain("seekdir leads to the end", name);
	else if (strcmp(de->d_name, name))
		complain("seekdir leads elsewhere", name);
}

static void look_dir(const char *path)
{
	DIR *d = opendir(path);
	struct seen *all;
	size_t n;

	if (!d)
		die(path);
	all = read_all(d, &n);
	printf("%zu entries\n", n);
	for (size_t i = 0; i < n; i++)
		compare_stat(d, &all[i]);
	/* 7919 is prime, so in a directory of another size all are visited. */
	for (size_t i = 0; i < n && i < 3000; i++) {
		size_t at = i * 7919 % n;

		seekdir(d, all[at].before);
		compare_name(d, all[at].name);
		if (at + 1 < n)
			compare_name(d, all[at + 1].name);
	}
	rewinddir(d);
	for (size_t i = 0; i < n; i++) {
		compare_name(d, all[i].name);
		free(all[i].name);
	}
	free(all);
	closedir(d);
}

static void look_mmap(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t buf[8192];
	const uint8_t *map;
	struct stat st;
	size_t at = 0;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die("mmap");
	/* The last byte first, so that nothing is read ahead in order. */
	printf("last byte %u\n", map[st.st_size - 1]);
	while (at < (size_t)st.st_size) {
		ssize_t n = pread(fd, buf, sizeof(buf), (off_t)at);

		if (n <= 0)
			die("pread");
		if (memcmp(map + at, buf, (size_t)n))
			complain("mmap and read differ", path);
		at += (size_t)n;
	}
	close(fd);
}

static void look_hold(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	while (getchar() != EOF)
		;
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "dir")) {
		look_dir(argv[2]);
	} else if (argc == 3 && !strcmp(argv[1], "mmap")) {
		look_mmap(argv[2]);
	} else if (argc == 3 && !strcmp(argv[1], "hold")) {
		look_hold(argv[2]);
	} else {
		fprintf(stderr, "usage: look dir|mmap|hold PATH\n");
		return 2;
	}
	return failures ? 1 : 0;
}
