/* SPDX-License-Identifier: Apache-2.0 */
/* remove-file.c - takes a packed file out of its source. */
#include "config.h"

#include "pack/remove-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/stop.h"
#include "base/unique.h"
#include "pack/attr.h"
#include "pack/own.h"
#include "pack/tree.h"
#include "run/throttle.h"

#define READ_BYTES (256u << 10)
#define HIDDEN_TEXT 64
#define HIDDEN_TRIES 8

struct removal {
	const struct remove_from *from;
	int dir, fd;
	char name[TREE_NAME_BYTES];
	const struct item *want;
	bool has_lease;
	char hidden[HIDDEN_TEXT];
};

static enum rc changed(struct err *err)
{
	return err_set(err, RC_CHANGED, "not removed: changed since then");
}

static enum rc open_file(struct removal *r, struct err *err)
{
	const int common = O_NOFOLLOW | O_CLOEXEC;
	const int reading = O_RDONLY | O_NONBLOCK | O_NOCTTY | common;

	if (r->want->type != ENTRY_REG) {
		r->fd = openat(r->dir, r->name, O_PATH | common);
	} else {
		r->fd = openat(r->dir, r->name, reading | O_NOATIME);
		if (r->fd < 0 && errno == EPERM)
			r->fd = openat(r->dir, r->name, reading);
	}
	if (r->fd >= 0)
		return RC_OK;
	if (errno == ENOENT)
		return err_set(err, RC_NOENT, "is gone already");
	if (errno == ELOOP || errno == ENXIO)
		return changed(err);
	return err_set_errno(err, errno, "not removed: cannot be opened");
}

static enum rc take_lease(struct removal *r, struct err *err)
{
	if (r->want->type != ENTRY_REG)
		return RC_OK;
	r->has_lease = !fcntl(r->fd, F_SETLEASE, F_RDLCK);
	if (!r->has_lease && errno == EAGAIN)
		return err_set(err, RC_CHANGED,
			       "not removed: somebody may write to it");
	return RC_OK;
}

/* Does nobody wait for the lease, to write? */
static bool is_left_alone(const struct removal *r)
{
	return !r->has_lease || fcntl(r->fd, F_GETLEASE) == F_RDLCK;
}

/* A symbolic link cannot change; that another one has all its numbers is not
 * likely, and yet cheap to see.
 */
static bool has_target(const struct removal *r)
{
	struct span want = r->want->target;
	char target[PATH_MAX + 1];
	ssize_t n = readlinkat(r->fd, "", target, sizeof(target));

	return n >= 0 && span_equal(want, span_of(target, (size_t)n));
}

/* Still what the walk saw; ret: how it is now. */
static enum rc check_state(const struct removal *r, struct stat *ret,
			   struct err *err)
{
	struct item is = { 0 };

	if (fstat(r->fd, ret))
		return err_set_errno(err, errno,
				     "not removed: cannot be examined");
	if (!attr_from_stat(ret, &is))
		return changed(err);
	if (is.type == ENTRY_SYMLINK && r->want->type == ENTRY_SYMLINK) {
		if (!has_target(r))
			return changed(err);
		/* Which has its size by other ways. */
		is.size = r->want->size;
	}
	if (r->want->link) {
		is.ctime_s = r->want->ctime_s;
		is.ctime_ns = r->want->ctime_ns;
	}
	return item_is_same_state(&is, r->want) ? RC_OK : changed(err);
}

/* Still what it was when it was opened. */
static enum rc check_unchanged(const struct removal *r, const struct stat *was,
			       struct err *err)
{
	struct stat is = { 0 };

	if (check_state(r, &is, err))
		return err->rc;
	return is.st_ctim.tv_sec == was->st_ctim.tv_sec &&
			       is.st_ctim.tv_nsec == was->st_ctim.tv_nsec
		       ? RC_OK
		       : changed(err);
}

static enum rc check_bytes(const struct removal *r, const uint8_t *want,
			   struct err *err)
{
	uint64_t left = r->want->size;
	size_t cap = left < READ_BYTES ? (size_t)left : READ_BYTES;
	CLEANUP_FREE uint8_t *bytes = xcalloc(1, cap);
	uint8_t hash[SHA256_LEN];
	struct sha256 sum;

	sha256_init(&sum);
	while (left) {
		size_t len = left < cap ? (size_t)left : cap;
		ssize_t n;

		throttle_wait(r->from->throttle, left == r->want->size, len);
		n = io_read(r->fd, bytes, len);
		if (n < 0)
			return err_set_errno(err, errno,
					     "not removed: cannot be read");
		if ((size_t)n != len || !is_left_alone(r))
			return changed(err);
		if (stop_asked())
			return err_set(err, RC_STOPPED, "stopped by a signal");
		if (left == r->want->size &&
		    own_has_bytes(r->from->own, bytes, len))
			return err_set(err, RC_USAGE,
				       "not removed: it is the archive's, or a "
				       "copy of what is in it");
		sha256_update(&sum, bytes, len);
		left -= len;
	}
	sha256_final(&sum, hash);
	if (!memcmp(hash, want, sizeof(hash)))
		return RC_OK;
	return err_set(err, RC_CHANGED,
		       "not removed: its bytes are not those in the archive");
}

/* Not every file system can rename to new names only. */
static bool cannot_rename_new(void)
{
	return errno == EINVAL || errno == ENOSYS || errno == ENOTSUP;
}

static int rename_to_hidden(const struct removal *r)
{
	if (!renameat2(r->dir, r->name, r->dir, r->hidden, RENAME_NOREPLACE))
		return 0;
	if (!cannot_rename_new())
		return -1;
	/* Nobody else chooses 64 random bits. */
	return renameat(r->dir, r->name, r->dir, r->hidden);
}

static int rename_from_hidden(const struct removal *r)
{
	if (!renameat2(r->dir, r->hidden, r->dir, r->name, RENAME_NOREPLACE))
		return 0;
	if (!cannot_rename_new() ||
	    linkat(r->dir, r->hidden, r->dir, r->name, 0))
		return -1;
	return unlinkat(r->dir, r->hidden, 0);
}

/* Others that know the name shall not find another file there between our last
 * look and the removal; so the last look is under a name that nobody knows.
 */
static enum rc hide(struct removal *r, struct err *err)
{
	char random[HEX_TEXT(8)];

	for (int i = 0; i < HIDDEN_TRIES; i++) {
		if (unique_text(random, 8, err))
			return err->rc;
		snprintf(r->hidden, sizeof(r->hidden), REMOVE_PREFIX "%s",
			 random);
		if (!rename_to_hidden(r))
			return RC_OK;
		if (errno == ENOENT)
			return err_set(err, RC_NOENT, "is gone already");
		if (errno != EEXIST)
			break;
	}
	return err_set_errno(err, errno, "not removed");
}

/* Give the name back; if that fails, err says so before why it was to be. */
static enum rc put_back(const struct removal *r, struct err *err)
{
	struct err failure;

	if (!rename_from_hidden(r))
		return err->rc;
	err_set_errno(&failure, errno, "its name could not be given back");
	return err_prefix(err, "is now called %s: %s", r->hidden, failure.msg);
}

/* Under the hidden name: the file that was looked at, as it was?  Renaming sets
 * the change time.
 */
static bool is_the_one(const struct removal *r, const struct stat *was)
{
	struct stat is;

	return !fstatat(r->dir, r->hidden, &is, AT_SYMLINK_NOFOLLOW) &&
	       is.st_dev == was->st_dev && is.st_ino == was->st_ino &&
	       is.st_mode == was->st_mode && is.st_nlink == was->st_nlink &&
	       is.st_uid == was->st_uid && is.st_gid == was->st_gid &&
	       is.st_size == was->st_size &&
	       is.st_mtim.tv_sec == was->st_mtim.tv_sec &&
	       is.st_mtim.tv_nsec == was->st_mtim.tv_nsec && is_left_alone(r);
}

/* Extended attributes under the hidden name, which no time tells of any more.
 */
static bool has_attributes(const struct removal *r)
{
	struct item is = { .type = r->want->type };
	struct err ignored;

	attr_enter(r->from->attrs, r->dir);
	return !attr_read(r->from->attrs, r->hidden, &is, &ignored) &&
	       span_equal(is.xattrs, r->want->xattrs);
}

static enum rc check_place(const struct removal *r, struct err *err)
{
	return tree_check_place(r->from->tree, err)
		       ? err_prefix(err, "not removed")
		       : RC_OK;
}

static enum rc take_away(struct removal *r, const struct stat *was,
			 struct err *err)
{
	enum rc rc = check_place(r, err);

	if (!rc)
		rc = hide(r, err);
	if (rc)
		return rc;
	/* Directories move with what is hidden in them. */
	if (check_place(r, err))
		return put_back(r, err);
	if (!has_attributes(r) || !is_the_one(r, was)) {
		changed(err);
		return put_back(r, err);
	}
	if (unlinkat(r->dir, r->hidden, 0)) {
		err_set_errno(err, errno, "not removed");
		return put_back(r, err);
	}
	return RC_OK;
}

enum rc remove_file(const struct remove_from *from, const struct item *want,
		    const uint8_t *sha256, struct err *err)
{
	struct removal r = { .from = from, .dir = -1, .fd = -1, .want = want };
	struct stat now = { 0 };
	enum rc rc;

	if (tree_place(from->tree, want, &r.dir, r.name, err))
		return err_prefix(err, "not removed");
	rc = open_file(&r, err);
	if (!rc)
		rc = take_lease(&r, err);
	if (!rc)
		rc = check_state(&r, &now, err);
	if (!rc && sha256)
		rc = check_bytes(&r, sha256, err);
	if (!rc && sha256)
		rc = check_unchanged(&r, &now, err);
	if (!rc)
		rc = take_away(&r, &now, err);
	/* Which ends the lease. */
	if (r.fd >= 0)
		close(r.fd);
	return rc;
}
