/* SPDX-License-Identifier: Apache-2.0 */
/* store-local-write.c - objects as files of a directory: the writing half.
 *
 * An upload is a file in STORE_TMP that is renamed into its place when it is
 * whole and on stable storage; RENAME_NOREPLACE, or link(2) where there is no
 * such thing, lets nobody overwrite anything.
 */
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
#include "base/unique.h"
#include "store/store-local-write-backend.h"

#define WRITEBACK_BYTES (8u << 20)

struct upload_local {
	struct store_upload base;
	struct store_run *own_run; /* begun for this upload alone */
	int tmpfd;                 /* the directory STORE_TMP */
	int fd;
	uint64_t size;
	uint64_t begun;         /* bytes the kernel was told to write */
	char name[UPLOAD_TEXT]; /* "" once there is no such file any more */
};

static enum rc local_create(const char *path, const struct store_settings *set,
			    struct err *err)
{
	CLEANUP_FREE char *parent = NULL;
	CLEANUP_FD int fd = -1;
	const char *slash;
	size_t len = strlen(path);

	(void)set;
	if (mkdir(path, 0777)) {
		if (errno == EEXIST)
			return RC_OK;
		return err_set_errno(err, errno, "%s", path);
	}
	while (len > 1 && path[len - 1] == '/')
		len--;
	slash = memrchr(path, '/', len);
	parent = slash ? xmemdup0(path, (size_t)(slash - path) + 1)
		       : xstrdup(".");
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || io_fsync_dir(fd))
		return err_set_errno(err, errno, "%s", parent);
	return RC_OK;
}

static void upload_free(struct store_upload *base)
{
	struct upload_local *up = (struct upload_local *)base;

	if (*up->name)
		unlinkat(up->tmpfd, up->name, 0);
	if (up->fd >= 0)
		close(up->fd);
	if (up->tmpfd >= 0)
		close(up->tmpfd);
	if (up->own_run)
		store_local_run_end(up->own_run, true);
	free(up);
}

static void upload_free_p(struct upload_local **up)
{
	if (*up)
		upload_free(&(*up)->base);
}

static enum rc upload_new(struct store *st, struct store_upload **ret,
			  struct err *err)
{
	struct local_store *ls = (struct local_store *)st;
	CLEANUP(upload_free_p) struct upload_local *up = NULL;
	struct store_run_local *run;
	char random[17];

	up = xcalloc(1, sizeof(*up));
	up->fd = -1;
	up->tmpfd = -1;
	if (!ls->run &&
	    store_local_run_new(st, STORE_RUN_OTHER, &up->own_run, err))
		return err->rc;
	run = (struct store_run_local *)(up->own_run ? up->own_run : ls->run);
	if (unique_text(random, 8, err))
		return err->rc;
	up->tmpfd = fcntl(run->tmpfd, F_DUPFD_CLOEXEC, 0);
	if (up->tmpfd < 0)
		return err_set_errno(err, errno, "%s", STORE_TMP);
	/* Nobody shall write to it again. */
	snprintf(up->name, sizeof(up->name), "%s-%s", run->name, random);
	up->fd = openat(up->tmpfd, up->name,
			O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (up->fd < 0) {
		err_set_errno(err, errno, "%s/%s", STORE_TMP, up->name);
		*up->name = '\0';
		return err->rc;
	}
	*ret = &STEAL_PTR(up)->base;
	return RC_OK;
}

/* Let the kernel write while more is made, so that the fsync at the end finds
 * little to do.  Where it cannot, that takes longer; what goes wrong is told by
 * fsync.
 */
static void begin_writeback(struct upload_local *up)
{
	uint64_t n = up->size - up->begun;

	if (n < WRITEBACK_BYTES)
		return;
	(void)sync_file_range(up->fd, (off_t)up->begun, (off_t)n,
			      SYNC_FILE_RANGE_WRITE);
	up->begun = up->size;
}

static enum rc upload_write(struct store_upload *base, const void *p,
			    size_t len, struct err *err)
{
	struct upload_local *up = (struct upload_local *)base;

	if (io_write(up->fd, p, len))
		return err_set_errno(err, errno, "%s/%s", STORE_TMP, up->name);
	up->size += len;
	begin_writeback(up);
	return RC_OK;
}

static enum rc upload_read(struct store_upload *base, uint64_t off, void *buf,
			   size_t len, struct err *err)
{
	struct upload_local *up = (struct upload_local *)base;
	ssize_t n = io_pread(up->fd, buf, len, off);

	if (n < 0)
		return err_set_errno(err, errno, "%s/%s", STORE_TMP, up->name);
	if ((size_t)n < len)
		return err_set(err, RC_CORRUPT,
			       "%s/%s: ends after %" PRIu64 " bytes", STORE_TMP,
			       up->name, off + (size_t)n);
	return RC_OK;
}

/* Open the directory of the first len bytes of key, making what is missing; all
 * of it durable, since another run may have made it just now.
 */
static enum rc open_dir_durably(const struct local_store *ls, const char *key,
				size_t len, int *ret, struct err *err)
{
	CLEANUP_FREE char *dir = xmemdup0(key, len);
	CLEANUP_FD int fd = store_local_open_dir(ls, "", 0);

	if (fd < 0)
		return err_set_errno(err, errno, "/");
	for (char *part = dir; *part;) {
		size_t n = strcspn(part, "/");
		bool is_last = !part[n];
		int next = -1;

		part[n] = '\0';
		if ((!mkdirat(fd, part, 0777) || errno == EEXIST) &&
		    !io_fsync_dir(fd))
			next = openat(fd, part,
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
					      O_CLOEXEC);
		if (next < 0)
			return err_set_errno(err, errno, "%s", key);
		close(fd);
		fd = next;
		part += is_last ? n : n + 1;
	}
	*ret = STEAL_FD(fd);
	return RC_OK;
}

/* 0 when the upload is name in dirfd now, else -1 and errno. */
static int move_into_place(struct upload_local *up, int dirfd, const char *name)
{
	if (!renameat2(up->tmpfd, up->name, dirfd, name, RENAME_NOREPLACE)) {
		*up->name = '\0';
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
		return -1;
	/* Not every file system knows the flag; upload_free unlinks. */
	return linkat(up->tmpfd, up->name, dirfd, name, 0);
}

/* An object that was there before counts as ours when it has our size; make it
 * durable too, since its writer may not have come that far.
 */
static enum rc take_existing(const struct upload_local *up, int dirfd,
			     const char *name, const char *key, struct err *err)
{
	CLEANUP_FD int fd = openat(
		dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat sb;

	if (fd < 0 || fstat(fd, &sb))
		return err_set_errno(err, errno, "%s", key);
	if (!S_ISREG(sb.st_mode) || (uint64_t)sb.st_size != up->size)
		return err_set(
			err, RC_EXISTS,
			"%s: exists already with %jd bytes, not %" PRIu64, key,
			(intmax_t)sb.st_size, up->size);
	if (fsync(fd))
		return err_set_errno(err, errno, "%s", key);
	return RC_OK;
}

static enum rc upload_commit(struct store_upload *base, const char *key,
			     bool *ret_existed, struct err *err)
{
	struct upload_local *up = (struct upload_local *)base;
	struct local_store *ls = (struct local_store *)base->st;
	CLEANUP_FD int dirfd = -1;
	bool existed = false;
	const char *name;
	size_t dir_len = key_split(key, &name);

	if (fsync(up->fd))
		return err_set_errno(err, errno, "%s", key);
	if (open_dir_durably(ls, key, dir_len, &dirfd, err))
		return err->rc;
	if (ls->run && store_key_is_claimed(key) &&
	    store_local_run_claim(ls->run, key, err))
		return err->rc;
	if (move_into_place(up, dirfd, name)) {
		if (errno != EEXIST)
			return err_set_errno(err, errno, "%s", key);
		if (take_existing(up, dirfd, name, key, err))
			return err->rc;
		existed = true;
	}
	if (io_fsync_dir(dirfd))
		return err_set_errno(err, errno, "%s", key);
	*ret_existed = existed;
	return RC_OK;
}

static enum rc local_replace(struct store *st, const char *key, const void *p,
			     size_t len, struct err *err)
{
	CLEANUP(upload_free_p) struct upload_local *up = NULL;
	struct store_upload *base = NULL;
	CLEANUP_FD int dirfd = -1;
	const char *name;
	size_t dir_len = key_split(key, &name);

	if (upload_new(st, &base, err))
		return err->rc;
	base->st = st;
	up = (struct upload_local *)base;
	if (upload_write(base, p, len, err))
		return err->rc;
	if (fsync(up->fd))
		return err_set_errno(err, errno, "%s", key);
	if (open_dir_durably((struct local_store *)st, key, dir_len, &dirfd,
			     err))
		return err->rc;
	if (renameat(up->tmpfd, up->name, dirfd, name))
		return err_set_errno(err, errno, "%s", key);
	*up->name = '\0';
	if (io_fsync_dir(dirfd))
		return err_set_errno(err, errno, "%s", key);
	return RC_OK;
}

static enum rc local_sync(struct store *st, const char *key, struct err *err)
{
	struct local_store *ls = (struct local_store *)st;
	CLEANUP_FD int at = -1;
	CLEANUP_FD int dirfd = -1;
	CLEANUP_FD int fd = -1;
	const char *name;
	size_t dir_len = key_split(key, &name);

	at = store_local_open_dir(ls, key, dir_len);
	if (at >= 0)
		fd = openat(at, name,
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		return err_set_errno(err, errno, "%s", key);
	if (open_dir_durably(ls, key, dir_len, &dirfd, err))
		return err->rc;
	if (io_fsync_dir(dirfd))
		return err_set_errno(err, errno, "%s", key);
	return RC_OK;
}

static enum rc local_remove(struct store *st, const char *key, struct err *err)
{
	CLEANUP_FD int dirfd = -1;
	const char *name;
	size_t dir_len = key_split(key, &name);

	dirfd = store_local_open_dir((struct local_store *)st, key, dir_len);
	if (dirfd < 0 || unlinkat(dirfd, name, 0) || io_fsync_dir(dirfd))
		return err_set_errno(err, errno, "%s", key);
	return RC_OK;
}

/* Names of a file that others have made stay, as links of a snapshot. */
static enum rc local_purge(struct store *st, const char *key,
			   enum store_gone *ret, int64_t *ret_until,
			   struct err *err)
{
	CLEANUP_FD int dirfd = -1;
	const char *name;
	size_t dir_len = key_split(key, &name);
	struct stat sb;

	(void)ret_until;
	dirfd = store_local_open_dir((struct local_store *)st, key, dir_len);
	if (dirfd < 0 && errno != ENOENT)
		return err_set_errno(err, errno, "%s", key);
	if (dirfd >= 0) {
		if (unlinkat(dirfd, name, 0) && errno != ENOENT)
			return err_set_errno(err, errno, "%s", key);
		if (io_fsync_dir(dirfd))
			return err_set_errno(err, errno, "%s", key);
		if (!fstatat(dirfd, name, &sb, AT_SYMLINK_NOFOLLOW))
			return err_set(err, RC_IO,
				       "%s: is there again after its removal",
				       key);
		if (errno != ENOENT)
			return err_set_errno(err, errno, "%s", key);
	}
	*ret = STORE_REMOVED;
	return RC_OK;
}

static void local_forget(struct store *st, const char *key)
{
	CLEANUP_FD int dirfd = -1;
	CLEANUP_FD int fd = -1;
	const char *name;
	size_t dir_len = key_split(key, &name);

	dirfd = store_local_open_dir((struct local_store *)st, key, dir_len);
	if (dirfd >= 0)
		fd = openat(dirfd, name,
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	/* It is on stable storage, so all of its pages may go. */
	if (fd >= 0)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

const struct store_writer store_writer_local = {
	.backend = &store_backend_local,
	.create = local_create,
	.replace = local_replace,
	.upload_new = upload_new,
	.upload_write = upload_write,
	.upload_read = upload_read,
	.upload_commit = upload_commit,
	.upload_free = upload_free,
	.sync = local_sync,
	.remove = local_remove,
	.purge = local_purge,
	.forget = local_forget,
	.run_begin = store_local_run_begin,
	.run_end = store_local_run_end,
	.runs_alive = store_local_runs_alive,
	.runs_oldest = store_local_runs_oldest,
	.idle_begin = store_local_idle_begin,
	.idle_end = store_local_idle_end,
	.claims = store_local_claims,
	.leftovers = store_local_leftovers,
	.strays = store_local_strays,
	.has_tmp = store_local_has_tmp,
};
