/* SPDX-License-Identifier: Apache-2.0 */
/* restore-attributes.c - owner, extended attributes, mode and time of a file.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "restore/restore-backend.h"

#define CAPABILITY "security.capability"

static void note(struct restore *r, const struct entry *e, const char *text)
{
	if (r->opts.note)
		r->opts.note(r->opts.arg, e, text);
}

static enum rc set_owner(const struct entry *e, int dir, const char *name,
			 int fd, struct err *err)
{
	int failed = fd >= 0 ? fchown(fd, e->uid, e->gid)
			     : fchownat(dir, name, e->uid, e->gid,
					AT_SYMLINK_NOFOLLOW);

	if (failed)
		return err_set_errno(err, errno, "owner");
	return RC_OK;
}

/* What the target cannot hold is no failure of the file. */
static bool is_tolerable(int error)
{
	return error == ENOTSUP || error == EPERM || error == EACCES ||
	       error == ENOSPC || error == E2BIG || error == ERANGE;
}

/* "/proc/self/fd/N" also leads to symbolic links themselves. */
static enum rc set_xattr(struct restore *r, const struct entry *e,
			 const char *path, struct span name, struct span value,
			 struct err *err)
{
	char key[256], text[512];

	if (name.len >= sizeof(key))
		return RC_OK;
	memcpy(key, name.p, name.len);
	key[name.len] = '\0';
	if (!strcmp(key, CAPABILITY) && !r->opts.setuid)
		return RC_OK;
	if (!setxattr(path, key, value.p, value.len, 0))
		return RC_OK;
	if (!is_tolerable(errno))
		return err_set_errno(err, errno, "attribute %s", key);
	snprintf(text, sizeof(text), "attribute %s not set: %s", key,
		 strerror(errno));
	note(r, e, text);
	return RC_OK;
}

static enum rc set_xattrs(struct restore *r, const struct entry *e, int dir,
			  const char *name, int fd, struct err *err)
{
	CLEANUP_FD int own = -1;
	struct span key, value;
	char path[64];
	size_t pos = 0;

	if (r->opts.no_xattrs || !e->xattrs.len)
		return RC_OK;
	if (fd < 0) {
		own = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (own < 0)
			return err_set_errno(err, errno, "attributes");
		fd = own;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	while (xattr_next(e->xattrs, &pos, &key, &value)) {
		enum rc rc = set_xattr(r, e, path, key, value, err);

		if (rc)
			return rc;
	}
	return RC_OK;
}

/* After the owner, since changing it clears bits. */
static enum rc set_mode(const struct restore *r, const struct entry *e, int dir,
			const char *name, int fd, struct err *err)
{
	mode_t mode = e->mode & 07777;

	if (!r->opts.setuid)
		mode &= (mode_t) ~(S_ISUID | S_ISGID);
	if (fd >= 0 ? fchmod(fd, mode) : fchmodat(dir, name, mode, 0))
		return err_set_errno(err, errno, "mode");
	return RC_OK;
}

static enum rc set_time(const struct entry *e, int dir, const char *name,
			int fd, struct err *err)
{
	struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = e->mtime_s, .tv_nsec = e->mtime_ns },
	};
	int failed = fd >= 0 ? futimens(fd, times)
			     : utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);

	if (failed)
		return err_set_errno(err, errno, "time");
	return RC_OK;
}

enum rc restore_attributes(struct restore *r, const struct entry *e, int dir,
			   const char *name, int fd, struct err *err)
{
	enum rc rc = RC_OK;

	if (r->opts.owner)
		rc = set_owner(e, dir, name, fd, err);
	if (!rc)
		rc = set_xattrs(r, e, dir, name, fd, err);
	/* Symbolic links have no mode of their own. */
	if (!rc && e->type != ENTRY_SYMLINK)
		rc = set_mode(r, e, dir, name, fd, err);
	if (!rc)
		rc = set_time(e, dir, name, fd, err);
	return rc;
}
