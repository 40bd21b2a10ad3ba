/* SPDX-License-Identifier: Apache-2.0 */
/* store-local.c - objects as files of a directory: the reading half. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/key.h"
#include "base/mem.h"
#include "store/fd-cache.h"
#include "store/store-local-backend.h"
#include "store/store-local-list.h"

#define FDS_MAX 128

static enum rc local_open(struct store **ret, const char *scheme,
			  const char *path, const struct store_settings *set,
			  struct err *err)
{
	struct local_store *ls;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)scheme;
	(void)set;
	if (fd < 0)
		return err_set_errno(err, errno, "%s", path);
	ls = xcalloc(1, sizeof(*ls));
	ls->dirfd = fd;
	ls->fds = fd_cache_new(FDS_MAX);
	*ret = &ls->base;
	return RC_OK;
}

static void local_close(struct store *st)
{
	struct local_store *ls = (struct local_store *)st;

	fd_cache_free(ls->fds);
	close(ls->dirfd);
	free(ls);
}

int store_local_open_dir(const struct local_store *ls, const char *key,
			 size_t len)
{
	/* Not a duplicate: those share the position in the directory. */
	CLEANUP_FD int fd =
		openat(ls->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char part[KEY_PART_MAX + 1];

	while (len && fd >= 0) {
		size_t n = strcspn(key, "/");
		int next;

		if (n > len)
			n = len;
		if (n > KEY_PART_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(part, key, n);
		part[n] = '\0';
		next = openat(fd, part,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = next;
		key += n;
		len -= n;
		if (len) {
			key++;
			len--;
		}
	}
	return STEAL_FD(fd);
}

static int open_object(const struct local_store *ls, const char *key)
{
	CLEANUP_FD int dirfd = -1;
	const char *name;
	size_t dir_len = key_split(key, &name);

	if (dir_len) {
		dirfd = store_local_open_dir(ls, key, dir_len);
		if (dirfd < 0)
			return -1;
	}
	/* O_NONBLOCK: a FIFO of that name must not hold us up. */
	return openat(dir_len ? dirfd : ls->dirfd, name,
		      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* A descriptor of the object as it is now, and its state.  One that was removed
 * or replaced since it was cached is opened anew.
 */
static enum rc hold(struct local_store *ls, const char *key,
		    struct fd_ref **ret, struct stat *ret_st, struct err *err)
{
	struct fd_ref *ref = fd_cache_get(ls->fds, key);
	int fd;

	if (ref) {
		if (!fstat(ref->fd, ret_st) && ret_st->st_nlink) {
			*ret = ref;
			return RC_OK;
		}
		fd_cache_drop(ls->fds, ref);
	}
	fd = open_object(ls, key);
	/* Nothing is followed, so it is a symbolic link itself. */
	if (fd < 0 && errno == ELOOP)
		return err_set(err, RC_UNSUPPORTED,
			       "%s: not a regular file but a link", key);
	if (fd < 0)
		return err_set_errno(err, errno, "%s", key);
	ref = fd_cache_add(ls->fds, key, fd);
	if (!fstat(fd, ret_st) && S_ISREG(ret_st->st_mode)) {
		*ret = ref;
		return RC_OK;
	}
	fd_cache_drop(ls->fds, ref);
	return err_set(err, RC_CORRUPT, "%s: not a regular file", key);
}

static void set_info(const struct stat *sb, struct object_info *ret)
{
	ret->size = (uint64_t)sb->st_size;
	snprintf(ret->tag, sizeof(ret->tag), "%jx-%jx.%lx-%jx",
		 (uintmax_t)sb->st_size, (uintmax_t)sb->st_mtim.tv_sec,
		 (unsigned long)sb->st_mtim.tv_nsec, (uintmax_t)sb->st_ino);
}

static enum rc read_exactly(int fd, const char *key, uint64_t off, void *buf,
			    size_t len, struct err *err)
{
	ssize_t n = io_pread(fd, buf, len, off);

	if (n < 0)
		return err_set_errno(err, errno, "%s", key);
	if ((size_t)n < len)
		return err_set(err, RC_CORRUPT,
			       "%s: ends after %" PRIu64
			       " bytes, %zu at %" PRIu64 " are wanted",
			       key, off + (size_t)n, len, off);
	return RC_OK;
}

static enum rc tail_of(int fd, const struct stat *sb, const char *key,
		       size_t max, struct buf *ret, struct err *err)
{
	uint64_t size = (uint64_t)sb->st_size;
	size_t len = size < max ? (size_t)size : max;
	uint8_t *p = buf_reserve(ret, len);

	if (!p)
		return err_set(err, RC_LIMIT, "%s: no room for %zu bytes", key,
			       len);
	if (read_exactly(fd, key, size - len, p, len, err))
		return err->rc;
	ret->len += len;
	return RC_OK;
}

static enum rc local_read_tail(struct store *st, const char *key, size_t max,
			       struct buf *ret, struct object_info *ret_info,
			       struct err *err)
{
	struct local_store *ls = (struct local_store *)st;
	struct fd_ref *ref = NULL;
	struct stat sb;
	enum rc rc;

	if (hold(ls, key, &ref, &sb, err))
		return err->rc;
	rc = tail_of(ref->fd, &sb, key, max, ret, err);
	fd_cache_put(ls->fds, ref);
	if (!rc)
		set_info(&sb, ret_info);
	return rc;
}

static enum rc check_unchanged(const struct stat *sb, const char *key,
			       const struct object_info *expect,
			       struct err *err)
{
	struct object_info now;

	set_info(sb, &now);
	if (expect->size != now.size ||
	    (*expect->tag && strcmp(expect->tag, now.tag) != 0))
		return err_set(err, RC_CHANGED,
			       "%s: is not the object that was seen first "
			       "(%" PRIu64 " bytes now, %" PRIu64 " then)",
			       key, now.size, expect->size);
	return RC_OK;
}

static enum rc local_read(struct store *st, const char *key,
			  const struct object_info *expect, uint64_t off,
			  void *buf, size_t len, bool is_ahead, struct err *err)
{
	struct local_store *ls = (struct local_store *)st;
	struct fd_ref *ref = NULL;
	struct stat sb;
	enum rc rc = RC_OK;

	(void)is_ahead;
	if (hold(ls, key, &ref, &sb, err))
		return err->rc;
	if (expect)
		rc = check_unchanged(&sb, key, expect, err);
	if (!rc)
		rc = read_exactly(ref->fd, key, off, buf, len, err);
	fd_cache_put(ls->fds, ref);
	return rc;
}

static void local_let_go(struct store *st, const char *key)
{
	struct local_store *ls = (struct local_store *)st;
	struct fd_ref *ref = fd_cache_get(ls->fds, key);

	if (ref)
		fd_cache_drop(ls->fds, ref);
}

static const char *const schemes[] = { "file", NULL };

const struct store_backend store_backend_local = {
	.name = "local",
	.schemes = schemes,
	.open = local_open,
	.close = local_close,
	.read_tail = local_read_tail,
	.read = local_read,
	.list = store_local_list,
	.let_go = local_let_go,
};
