/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint-file.c - a checkpoint as a file that one run has for itself. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/unique.h"
#include "pack/checkpoint.h"

/* It names files. */
#define MODE 0600

static enum rc open_dir(struct checkpoint_file *f, struct err *err)
{
	CLEANUP_FREE char *dir = NULL;
	const char *slash = strrchr(f->path, '/');
	const char *name = slash ? slash + 1 : f->path;

	if (!*name)
		return err_set(err, RC_USAGE, "%s: a directory", f->path);
	dir = slash ? xmemdup0(f->path, (size_t)(slash - f->path) + 1)
		    : xstrdup(".");
	f->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dirfd < 0)
		return err_set_errno(err, errno, "%s", dir);
	f->name = xstrdup(name);
	return RC_OK;
}

/* Not every file system knows locks. */
static bool is_locked_by_others(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
}

static enum rc check_kind(const struct checkpoint_file *f, struct err *err)
{
	struct stat st;

	if (fstatat(f->dirfd, f->name, &st, AT_SYMLINK_NOFOLLOW) ||
	    S_ISREG(st.st_mode))
		return RC_OK;
	return err_set(err, RC_USAGE, "%s: not a file", f->path);
}

/* 1: it is ours; 0: somebody has put another one in its place; -1: failed. */
static int open_and_lock(struct checkpoint_file *f, struct stat *st,
			 struct err *err)
{
	CLEANUP_FD int fd = openat(
		f->dirfd, f->name,
		O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, MODE);
	struct stat there;

	if (fd < 0 || fstat(fd, st)) {
		err_set_errno(err, errno, "%s", f->path);
		return -1;
	}
	if (!S_ISREG(st->st_mode)) {
		err_set(err, RC_USAGE, "%s: not a file", f->path);
		return -1;
	}
	if (is_locked_by_others(fd)) {
		err_set(err, RC_EXISTS, "%s: another run has it", f->path);
		return -1;
	}
	if (fstat(fd, st) ||
	    fstatat(f->dirfd, f->name, &there, AT_SYMLINK_NOFOLLOW) ||
	    there.st_dev != st->st_dev || there.st_ino != st->st_ino)
		return 0;
	f->fd = STEAL_FD(fd);
	return 1;
}

static enum rc read_text(struct checkpoint_file *f, off_t size,
			 struct buf *ret_text, struct err *err)
{
	ssize_t n;

	if (size > (off_t)CHECKPOINT_MAX)
		return err_set(err, RC_CORRUPT,
			       "%s: no checkpoint, it has %jd bytes", f->path,
			       (intmax_t)size);
	buf_init(ret_text, CHECKPOINT_MAX);
	if (!buf_reserve(ret_text, (size_t)size))
		return err_set(err, RC_NOMEM, "no memory for %s", f->path);
	n = io_pread(f->fd, ret_text->p, (size_t)size, 0);
	if (n < 0)
		return err_set_errno(err, errno, "%s", f->path);
	ret_text->len = (size_t)n;
	return RC_OK;
}

#define RANDOM_LEN 8
#define SUFFIX ".tmp"

static bool is_temporary(const struct checkpoint_file *f, const char *name)
{
	size_t len = strlen(f->name), digits = HEX_TEXT(RANDOM_LEN) - 1;
	uint8_t b[RANDOM_LEN];

	return strlen(name) == len + 1 + digits + strlen(SUFFIX) &&
	       !memcmp(name, f->name, len) && name[len] == '.' &&
	       hex_decode(name + len + 1, digits, b, sizeof(b)) &&
	       !strcmp(name + len + 1 + digits, SUFFIX);
}

/* What runs that were killed have left: the file is ours, so they are dead. */
static void remove_leftovers(const struct checkpoint_file *f)
{
	CLEANUP_DIR DIR *dir = io_opendir(f->dirfd, ".");
	const struct dirent *e;

	if (!dir)
		return;
	while ((e = readdir(dir)))
		if (is_temporary(f, e->d_name))
			unlinkat(f->dirfd, e->d_name, 0);
}

enum rc checkpoint_file_open(struct checkpoint_file *f, const char *path,
			     struct buf *ret_text, struct err *err)
{
	struct stat st;
	int done;

	*f = (struct checkpoint_file){ .path = path, .dirfd = -1, .fd = -1 };
	if (open_dir(f, err) || check_kind(f, err))
		return err->rc;
	do
		done = open_and_lock(f, &st, err);
	while (!done);
	if (done < 0)
		return err->rc;
	remove_leftovers(f);
	f->size = (uint64_t)st.st_size;
	f->is_empty = !st.st_size;
	return f->is_empty ? RC_OK : read_text(f, st.st_size, ret_text, err);
}

/* Where there are no locks another run may be at the same. */
static char *temporary_name(const struct checkpoint_file *f)
{
	char text[HEX_TEXT(RANDOM_LEN)];
	struct err err;

	if (unique_text(text, RANDOM_LEN, &err))
		return NULL;
	return xasprintf("%s.%s" SUFFIX, f->name, text);
}

/* The new one is locked before it has the name. */
static int write_temporary(struct checkpoint_file *f, const char *tmp,
			   const void *p, size_t len)
{
	CLEANUP_FD int fd = openat(
		f->dirfd, tmp,
		O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);

	if (fd < 0)
		return -1;
	if (is_locked_by_others(fd) || io_write(fd, p, len) || fsync(fd))
		return -1;
	return STEAL_FD(fd);
}

enum rc checkpoint_file_write(struct checkpoint_file *f, const void *p,
			      size_t len, struct err *err)
{
	CLEANUP_FREE char *tmp = temporary_name(f);
	int fd = tmp ? write_temporary(f, tmp, p, len) : -1;
	int saved = errno;

	if (fd < 0 || renameat(f->dirfd, tmp, f->dirfd, f->name)) {
		saved = fd < 0 ? saved : errno;
		if (tmp && saved != EEXIST)
			unlinkat(f->dirfd, tmp, 0);
		if (fd >= 0)
			close(fd);
		return err_set_errno(err, saved, "%s", f->path);
	}
	close(f->fd);
	f->fd = fd;
	f->size = len;
	f->is_empty = false;
	if (io_fsync_dir(f->dirfd))
		return err_set_errno(err, errno, "%s", f->path);
	return RC_OK;
}

enum rc checkpoint_file_append(struct checkpoint_file *f, const void *p,
			       size_t len, struct err *err)
{
	if (io_pwrite(f->fd, p, len, f->size) || fdatasync(f->fd))
		return err_set_errno(err, errno, "%s", f->path);
	f->size += len;
	return RC_OK;
}

enum rc checkpoint_file_remove(struct checkpoint_file *f, struct err *err)
{
	if (unlinkat(f->dirfd, f->name, 0) || io_fsync_dir(f->dirfd))
		return err_set_errno(err, errno, "%s", f->path);
	f->is_empty = false;
	return RC_OK;
}

void checkpoint_file_close(struct checkpoint_file *f)
{
	if (!f->name)
		return;
	if (f->is_empty)
		unlinkat(f->dirfd, f->name, 0);
	if (f->fd >= 0)
		close(f->fd);
	if (f->dirfd >= 0)
		close(f->dirfd);
	free(f->name);
	*f = (struct checkpoint_file){ 0 };
}
