/* SPDX-License-Identifier: Apache-2.0 */
/* row-file.c - a file of JSON rows that has another name while it is written.
 */
#include "config.h"

#include "cmd/row-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"
#include "cmd/json-row.h"

#define MODE 0644

void row_file_init(struct row_file *f)
{
	*f = (struct row_file){ .to = NULL };
	buf_init(&f->row, JSON_ROW_MAX);
}

void row_file_release(struct row_file *f)
{
	if (f->to)
		fclose(f->to);
	f->to = NULL;
	buf_release(&f->row);
}

static enum rc open_locked(const char *path, int flags, FILE **ret,
			   struct err *err)
{
	CLEANUP_FD int fd =
		open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_RDWR, MODE);
	FILE *file;

	if (fd < 0)
		return err_set_errno(err, errno, "%s", path);
	if (flock(fd, LOCK_EX | LOCK_NB))
		return err_set(err, RC_EXISTS, "%s: another run writes it",
			       path);
	file = fdopen(fd, "r+");
	if (!file)
		return err_set_errno(err, errno, "%s", path);
	(void)STEAL_FD(fd);
	*ret = file;
	return RC_OK;
}

enum rc row_file_lock(const char *path, FILE **ret, struct err *err)
{
	return open_locked(path, 0, ret, err);
}

enum rc row_file_begin(struct row_file *f, const char *path, struct err *err)
{
	if (open_locked(path, O_CREAT, &f->to, err))
		return err->rc;
	if (ftruncate(fileno(f->to), 0))
		return err_set_errno(err, errno, "%s", path);
	return RC_OK;
}

void row_file_put(struct row_file *f, const char *end)
{
	buf_append_str(&f->row, end);
	if (!buf_ok(&f->row))
		f->rc = RC_LIMIT;
	else if (fwrite(f->row.p, 1, f->row.len, f->to) != f->row.len)
		f->rc = RC_IO;
	buf_clear(&f->row);
}

static enum rc sync_dir(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP_FREE char *dir =
		slash ? xmemdup0(path, (size_t)(slash + 1 - path))
		      : xstrdup(".");
	CLEANUP_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || io_fsync_dir(fd))
		return err_set_errno(err, errno, "%s", dir);
	return RC_OK;
}

enum rc row_file_publish(struct row_file *f, const char *from, const char *to,
			 struct err *err)
{
	if (fflush(f->to) || ferror(f->to) || f->rc)
		return err_set(err, f->rc ? f->rc : RC_IO, "%s: cannot write",
			       from);
	if (fsync(fileno(f->to)) || rename(from, to))
		return err_set_errno(err, errno, "%s", from);
	return sync_dir(to, err);
}
