/* SPDX-License-Identifier: Apache-2.0 */
/* catalog-place.c - the index cache's directory, files and lock.
 *
 * The database is never opened here: closing a descriptor of it would drop the
 * locks SQLite holds in this process.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "catalog/catalog-backend.h"

#define LOCK_WAIT_MS 2000u
#define LOCK_STEP_MS 5u

char *catalog_default_path(void)
{
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (cache && *cache == '/')
		return xasprintf("%s/desfs/index.sqlite", cache);
	if (home && *home == '/' && (home[1] || geteuid()))
		return xasprintf("%s/.cache/desfs/index.sqlite", home);
	return xstrdup("/var/cache/desfs/index.sqlite");
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/")
			     : xmemdup0(path, (size_t)(slash - path));
}

/* With all that is missing above it. */
static enum rc make_directory(char *dir, struct err *err)
{
	for (char *p = dir + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(dir, 0700) && errno != EEXIST && errno != EROFS &&
		    errno != EACCES)
			return err_set_errno(err, errno, "index cache: %s",
					     dir);
		*p = '/';
	}
	if (mkdir(dir, 0700) && errno != EEXIST)
		return err_set_errno(err, errno, "index cache: %s", dir);
	return RC_OK;
}

/* Who can write the cache decides what files are shown. */
static enum rc check_directory(const char *dir, struct err *err)
{
	struct stat st;

	if (stat(dir, &st))
		return err_set_errno(err, errno, "index cache: %s", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, RC_NOTDIR,
			       "index cache: %s: not a directory", dir);
	if (st.st_uid && st.st_uid != geteuid())
		return err_set(err, RC_ACCESS,
			       "index cache: %s belongs to another user", dir);
	if (st.st_mode & S_IWOTH)
		return err_set(err, RC_ACCESS,
			       "index cache: %s may be written by everybody; "
			       "name a file in a directory of your own",
			       dir);
	return RC_OK;
}

static enum rc check_file(const char *path, const char *suffix, struct err *err)
{
	CLEANUP_FREE char *file = xasprintf("%s%s", path, suffix);
	struct stat st;

	if (lstat(file, &st)) {
		if (errno == ENOENT)
			return RC_OK;
		return err_set_errno(err, errno, "index cache: %s", file);
	}
	if (!S_ISREG(st.st_mode))
		return err_set(err, RC_ACCESS,
			       "index cache: %s is not a regular file", file);
	if (st.st_uid != geteuid())
		return err_set(err, RC_ACCESS,
			       "index cache: %s belongs to another user", file);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, RC_ACCESS,
			       "index cache: %s may be written by others: "
			       "remove it or chmod 600",
			       file);
	return RC_OK;
}

enum rc place_prepare(const char *path, struct err *err)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal",
						".lock" };
	CLEANUP_FREE char *dir = directory_of(path);

	if (make_directory(dir, err) || check_directory(dir, err))
		return err->rc;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (check_file(path, suffixes[i], err))
			return err->rc;
	}
	return RC_OK;
}

enum rc place_lock(const char *path, int *ret, struct err *err)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000 };
	CLEANUP_FREE char *file = xasprintf("%s.lock", path);
	CLEANUP_FD int fd = -1;

	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set_errno(err, errno, "index cache: %s", file);
	for (unsigned int ms = 0; flock(fd, LOCK_EX | LOCK_NB);
	     ms += LOCK_STEP_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set_errno(err, errno, "index cache: lock %s",
					     file);
		if (ms >= LOCK_WAIT_MS)
			return err_set(err, RC_TIMEOUT,
				       "index cache: %s is held by others",
				       file);
		nanosleep(&step, NULL);
	}
	*ret = STEAL_FD(fd);
	return RC_OK;
}

static enum rc remove_file(const char *path, const char *suffix,
			   struct err *err)
{
	CLEANUP_FREE char *file = xasprintf("%s%s", path, suffix);

	if (unlink(file) && errno != ENOENT)
		return err_set_errno(err, errno, "index cache: %s", file);
	return RC_OK;
}

/* A write-ahead log left alone would be played into the next database. */
static enum rc remove_beside(const char *path, struct err *err)
{
	static const char *const suffixes[] = { "-wal", "-shm", "-journal" };

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (remove_file(path, suffixes[i], err))
			return err->rc;
	}
	return RC_OK;
}

enum rc place_create(const char *path, struct err *err)
{
	CLEANUP_FD int fd = -1;
	struct stat st;

	if (!lstat(path, &st))
		return RC_OK;
	if (remove_beside(path, err))
		return err->rc;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return err_set_errno(err, errno, "index cache: %s", path);
	return RC_OK;
}

enum rc place_put_aside(const char *path, struct err *err)
{
	CLEANUP_FREE char *aside = xasprintf("%s.damaged", path);

	/* The log first: left behind by a crash it must not meet a new file. */
	if (!io_may_replace(AT_FDCWD, path, err) || remove_beside(path, err))
		return err->rc;
	if (rename(path, aside) && errno != ENOENT)
		return err_set_errno(err, errno, "index cache: %s", path);
	return RC_OK;
}

bool place_is_local(const char *path)
{
	static const uint32_t remote[] = {
		0x6969,     /* NFS */
		0xff534d42, /* CIFS */
		0xfe534d42, /* SMB2 */
		0x517b,     /* SMB */
		0x5346414f, /* AFS */
		0x01021997, /* 9P */
		0x00c36400, /* Ceph */
		0x0bd00bd0, /* Lustre */
		0x65735546, /* FUSE */
	};
	CLEANUP_FREE char *dir = directory_of(path);
	struct statfs fs;

	if (statfs(dir, &fs))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(remote); i++) {
		if ((uint32_t)fs.f_type == remote[i])
			return false;
	}
	return true;
}
