/* SPDX-License-Identifier: Apache-2.0 */
/* out-file.c - one file of output, which appears when it is whole. */
#include "config.h"

#include "cmd/out-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"

static enum rc open_stdout(struct out_file *ret, struct err *err)
{
	if (isatty(STDOUT_FILENO))
		return err_set(err, RC_USAGE,
			       "will not write that to a terminal; see "
			       "--output, or use a pipe");
	*ret = (struct out_file){ .fd = STDOUT_FILENO };
	return RC_OK;
}

enum rc out_file_open(struct out_file *ret, const char *name, struct err *err)
{
	struct out_file f = { .fd = -1, .name = name };
	struct stat st;

	if (!name || !strcmp(name, "-"))
		return open_stdout(ret, err);
	if (stat(name, &st) || S_ISREG(st.st_mode)) {
		f.temporary =
			xasprintf("%s.desfs-%ld.tmp", name, (long)getpid());
		f.fd = open(f.temporary,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
				    O_CLOEXEC,
			    0666);
	} else {
		f.fd = open(name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	}
	if (f.fd < 0) {
		err_set_errno(err, errno, "%s",
			      f.temporary ? f.temporary : name);
		free(f.temporary);
		return err->rc;
	}
	*ret = f;
	return RC_OK;
}

/* Of the directory the name is in. */
static int sync_dir(const char *name)
{
	const char *slash = strrchr(name, '/');
	CLEANUP_FREE char *dir =
		slash ? xmemdup0(name, (size_t)(slash - name) + 1)
		      : xstrdup(".");
	CLEANUP_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -1 : io_fsync_dir(fd);
}

static enum rc commit_as(struct out_file *f, const char *name, struct err *err)
{
	if (fsync(f->fd))
		return err_set_errno(err, errno, "%s", f->temporary);
	if (!io_may_replace(AT_FDCWD, name, err))
		return err->rc;
	if (rename(f->temporary, name))
		return err_set_errno(err, errno, "%s", name);
	free(f->temporary);
	f->temporary = NULL;
	if (sync_dir(name))
		return err_set_errno(err, errno, "%s", name);
	return RC_OK;
}

enum rc out_file_commit(struct out_file *f, struct err *err)
{
	return f->temporary ? commit_as(f, f->name, err) : RC_OK;
}

enum rc out_file_commit_partial(struct out_file *f, bool *ret_is_aside,
				struct err *err)
{
	CLEANUP_FREE char *aside = NULL;

	*ret_is_aside = false;
	if (!f->temporary || access(f->name, F_OK))
		return out_file_commit(f, err);
	aside = xasprintf("%s.partial", f->name);
	*ret_is_aside = true;
	return commit_as(f, aside, err);
}

void out_file_release(struct out_file *f)
{
	if (f->temporary)
		unlink(f->temporary);
	free(f->temporary);
	if (f->name)
		close(f->fd);
}
