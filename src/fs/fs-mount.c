/* SPDX-License-Identifier: Apache-2.0 */
/* fs-mount.c - the mount point checked, the mount made and taken away. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/mountinfo.h"
#include "fs/fs.h"

#define TEXT_MAX 1024

enum rc fs_mountpoint_check(const char *path, struct err *err)
{
	bool is_mounted = false;
	struct stat st;

	if (stat(path, &st)) {
		if (errno == ENOTCONN)
			return err_set(err, RC_IO,
				       "mount point %s: a dead mount is there, "
				       "remove it with: fusermount3 -u %s",
				       path, path);
		return err_set_errno(err, errno, "mount point %s", path);
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(err, RC_NOTDIR,
			       "mount point %s: not a directory", path);
	if (mountinfo_has_desfs(path, &is_mounted, err))
		return err_prefix(err, "mount point %s", path);
	if (is_mounted)
		return err_set(err, RC_EXISTS,
			       "mount point %s: an archive is mounted there "
			       "already",
			       path);
	return RC_OK;
}

/* Run fuse_session_mount; what it and fusermount3 say goes to ret. */
static int mount_quietly(struct fuse_session *se, const char *path,
			 char ret[TEXT_MAX])
{
	CLEANUP_FD int said = memfd_create("stderr", MFD_CLOEXEC);
	CLEANUP_FD int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ssize_t n = 0;
	int failed;

	fflush(stderr);
	if (said >= 0)
		dup2(said, STDERR_FILENO);
	failed = fuse_session_mount(se, path);
	fflush(stderr);
	if (saved >= 0)
		dup2(saved, STDERR_FILENO);
	if (said >= 0)
		n = pread(said, ret, TEXT_MAX - 1, 0);
	ret[n > 0 ? n : 0] = '\0';
	return failed;
}

/* The first line, without the name of the program that says it. */
static const char *first_line(char *text)
{
	static const char *const names[] = { "fusermount3: ", "fuse: " };

	text[strcspn(text, "\n")] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!strncmp(text, names[i], strlen(names[i])))
			text += strlen(names[i]);
	}
	return *text ? text : "cannot be mounted";
}

static char *mount_options(const struct fs *fs)
{
	struct buf b = { .max = 1 << 20 };

	buf_printf(&b,
		   "-oro,nosuid,nodev,default_permissions,subtype=desfs,"
		   "max_read=%u",
		   FS_MAX_READ);
	if (fs->o->allow_other)
		buf_append_str(&b, ",allow_other");
	if (fs->o->auto_unmount)
		buf_append_str(&b, ",auto_unmount");
	if (fs->o->noexec)
		buf_append_str(&b, ",noexec");
	buf_append_str(&b, ",fsname=");
	for (const char *p = fs->o->archive; *p; p++) {
		if (*p == ',' || *p == '\\')
			buf_append(&b, "\\", 1);
		buf_append(&b, p, 1);
	}
	buf_append(&b, "", 1);
	return (char *)b.p;
}

enum rc fs_mount(struct fs *fs, struct err *err)
{
	CLEANUP_FREE char *options = mount_options(fs);
	char name[] = "mount.desfs";
	char *argv[] = { name, options, NULL };
	struct fuse_args args = { .argc = 2, .argv = argv };
	struct fuse_lowlevel_ops ops = fs_ops;
	char said[TEXT_MAX];

	if (fs->xattr == XATTR_OFF) {
		ops.getxattr = NULL;
		ops.listxattr = NULL;
	}
	fs->se = fuse_session_new(&args, &ops, sizeof(ops), fs);
	fuse_opt_free_args(&args);
	if (!fs->se)
		return err_set(err, RC_NOMEM, "no FUSE session");
	if (mount_quietly(fs->se, fs->o->mountpoint, said)) {
		fuse_session_destroy(fs->se);
		fs->se = NULL;
		return err_set(err, RC_ACCESS, "mount point %s: %s",
			       fs->o->mountpoint, first_line(said));
	}
	fs_readahead(fs);
	return RC_OK;
}

void fs_unmount(struct fs *fs)
{
	if (!fs->se)
		return;
	fuse_session_unmount(fs->se);
	fuse_session_destroy(fs->se);
	fs->se = NULL;
}
