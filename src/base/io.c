/* SPDX-License-Identifier: Apache-2.0 */
/* io.c - reading and writing in full, and files that survive a crash. */
#include "config.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

ssize_t io_read(int fd, void *buf, size_t len)
{
	uint8_t *b = buf;
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, b + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Offsets are unsigned with us, and signed with the kernel. */
static int check_range(size_t len, uint64_t off)
{
	if (off > INT64_MAX || len > INT64_MAX - off) {
		errno = EOVERFLOW;
		return -1;
	}
	return 0;
}

ssize_t io_pread(int fd, void *buf, size_t len, uint64_t off)
{
	uint8_t *b = buf;
	size_t done = 0;

	if (check_range(len, off))
		return -1;
	while (done < len) {
		ssize_t n =
			pread(fd, b + done, len - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int io_write(int fd, const void *p, size_t len)
{
	const uint8_t *b = p;

	while (len) {
		ssize_t n = write(fd, b, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		b += n;
		len -= (size_t)n;
	}
	return 0;
}

int io_pwrite(int fd, const void *p, size_t len, uint64_t off)
{
	const uint8_t *b = p;

	if (check_range(len, off))
		return -1;
	while (len) {
		ssize_t n = pwrite(fd, b, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		b += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

DIR *io_fdopendir(int fd)
{
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int failed = errno;

	if (!dir && fd >= 0) {
		close(fd);
		errno = failed;
	}
	return dir;
}

DIR *io_opendir(int dirfd, const char *name)
{
	return io_fdopendir(openat(
		dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

int io_fsync_dir(int dirfd)
{
	if (fsync(dirfd) && errno != EINVAL && errno != ENOTSUP)
		return -1;
	return 0;
}

static int write_file(int dirfd, const char *name, const void *p, size_t len,
		      mode_t mode, bool is_durable)
{
	CLEANUP_FD int fd = -1;

	fd = openat(dirfd, name,
		    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    mode);
	if (fd < 0 || fchmod(fd, mode) || io_write(fd, p, len) ||
	    (is_durable && fsync(fd)))
		return -1;
	/* Some file systems tell of lost writes only here. */
	return close(STEAL_FD(fd));
}

bool io_may_replace(int dirfd, const char *name, struct err *err)
{
	struct stat sb;

	if (fstatat(dirfd, name, &sb, 0) || S_ISREG(sb.st_mode))
		return true;
	err_set(err, RC_USAGE, "%s: no regular file, so it is not replaced",
		name);
	return false;
}

static enum rc replace(int dirfd, const char *name, const void *p, size_t len,
		       mode_t mode, bool is_durable, struct err *err)
{
	CLEANUP_FREE char *tmp = xasprintf("%s.tmp", name);
	int saved;

	if (!io_may_replace(dirfd, name, err))
		return err->rc;
	if (!write_file(dirfd, tmp, p, len, mode, is_durable) &&
	    !renameat(dirfd, tmp, dirfd, name)) {
		if (is_durable && io_fsync_dir(dirfd))
			return err_set_errno(err, errno, "%s", name);
		return RC_OK;
	}
	saved = errno;
	unlinkat(dirfd, tmp, 0);
	return err_set_errno(err, saved, "%s", name);
}

enum rc io_replace(int dirfd, const char *name, const void *p, size_t len,
		   mode_t mode, struct err *err)
{
	return replace(dirfd, name, p, len, mode, true, err);
}

enum rc io_replace_lazily(int dirfd, const char *name, const void *p,
			  size_t len, mode_t mode, struct err *err)
{
	return replace(dirfd, name, p, len, mode, false, err);
}
