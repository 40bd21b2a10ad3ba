/* SPDX-License-Identifier: Apache-2.0 */
/* beneath.c - directories below one that was opened. */
#include "config.h"

#include "restore/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* The length of the first part of a path. */
static size_t part_len(struct span path)
{
	const char *slash = path.len ? memchr(path.p, '/', path.len) : NULL;

	return slash ? (size_t)(slash - path.p) : path.len;
}

static bool part_is_good(struct span part)
{
	if (!part.len || part.len > NAME_MAX)
		return false;
	if (part.p[0] == '.' &&
	    (part.len == 1 || (part.len == 2 && part.p[1] == '.')))
		return false;
	return !memchr(part.p, '\0', part.len);
}

enum rc beneath_check(struct span path, struct err *err)
{
	while (path.len) {
		size_t n = part_len(path);

		if (!part_is_good(span_of(path.p, n)) || n + 1 == path.len)
			return err_set(err, RC_ACCESS,
				       "refused: no file below a directory can "
				       "have this name");
		n += n < path.len;
		path = span_of(path.p + n, path.len - n);
	}
	return RC_OK;
}

/* Set when the kernel does not know openat2. */
static atomic_bool is_without_openat2;

static int open_kernel(int dir, const char *path)
{
	struct open_how how = {
		.flags = DIR_FLAGS,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

/* As many parts at once as the kernel takes; *used is their length. */
static int open_some(int dir, struct span path, size_t *used)
{
	char text[PATH_MAX];
	size_t n = 0;

	if (atomic_load(&is_without_openat2))
		return -2;
	while (n < path.len) {
		size_t more = part_len(span_of(path.p + n, path.len - n));

		if (n + more + 2 > sizeof(text))
			break;
		n += more;
		n += n < path.len;
	}
	memcpy(text, path.p, n);
	text[n] = '\0';
	*used = n;
	return open_kernel(dir, text);
}

static int open_part(int dir, struct span part, bool create)
{
	char name[NAME_MAX + 1];
	int fd;

	memcpy(name, part.p, part.len);
	name[part.len] = '\0';
	fd = openat(dir, name, DIR_FLAGS);
	if (fd >= 0 || errno != ENOENT || !create)
		return fd;
	if (mkdirat(dir, name, 0777) && errno != EEXIST)
		return -1;
	return openat(dir, name, DIR_FLAGS);
}

static bool is_refused_call(int error)
{
	return error == ENOSYS || error == EPERM || error == EINVAL;
}

/* The next directory on the way, and how much of the path that was. */
static int step(int dir, struct span path, bool create, size_t *used)
{
	int fd = open_some(dir, path, used);

	if (fd >= 0)
		return fd;
	if (fd == -1 && is_refused_call(errno))
		atomic_store(&is_without_openat2, true);
	else if (fd == -1 && !(errno == ENOENT && create))
		return -1;
	*used = part_len(path);
	fd = open_part(dir, span_of(path.p, *used), create);
	*used += *used < path.len;
	return fd;
}

enum rc beneath_open_dir(int top, struct span path, bool create, int *ret,
			 struct err *err)
{
	CLEANUP_FD int fd = fcntl(top, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return err_set_errno(err, errno, "target directory");
	while (path.len) {
		size_t used = 0;
		int next = step(fd, path, create, &used);

		if (next < 0 && (errno == ELOOP || errno == ENOTDIR))
			return err_set(err, RC_ACCESS,
				       "refused: a part of its path is there "
				       "and is no directory");
		if (next < 0)
			return err_set_errno(err, errno, "directory");
		close(fd);
		fd = next;
		path = span_of(path.p + used, path.len - used);
	}
	*ret = STEAL_FD(fd);
	return RC_OK;
}
