/* SPDX-License-Identifier: Apache-2.0 */
/* attr.c - what an archive keeps of a file's attributes. */
#include "config.h"

#include "pack/attr.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "shard/shard-format.h"

#define XATTR_BYTES (64u << 10) /* what the kernel lists or returns at most */
/* What it is asked for first: it takes memory for what it is asked for, and a
 * file seldom has more.
 */
#define XATTR_FEW 256

struct attr_reader {
	bool has_own_dir; /* the thread has a working directory of its own */
	bool is_inside;   /* and that is the directory of names */
	int dir;          /* the directory of names */
	char path[64 + NAME_MAX + 1]; /* NAME or /proc/self/fd/N/NAME */
	int fd;                       /* or this, when path is "" */
	char *list;                   /* names, each with its NUL */
	char *value;
	const char **names;
	size_t n_names, names_cap;
	struct buf xattrs;
	char target[PATH_MAX + 1];
};

struct attr_reader *attr_reader_new(void)
{
	struct attr_reader *a = xcalloc(1, sizeof(*a));

	a->list = xcalloc(1, XATTR_BYTES);
	a->value = xcalloc(1, XATTR_BYTES);
	buf_init(&a->xattrs, XATTRS_MAX);
	return a;
}

void attr_reader_free(struct attr_reader *a)
{
	if (!a)
		return;
	free(a->list);
	free(a->value);
	free(a->names);
	buf_release(&a->xattrs);
	free(a);
}

void attr_own_directory(struct attr_reader *a)
{
	a->has_own_dir = !unshare(CLONE_FS);
}

bool attr_needs_proc(const struct attr_reader *a)
{
	return !a->has_own_dir;
}

void attr_enter(struct attr_reader *a, int dir)
{
	a->dir = dir;
	a->is_inside = a->has_own_dir && !fchdir(dir);
}

static bool type_from_mode(mode_t mode, enum entry_type *ret)
{
	switch (mode & S_IFMT) {
	case S_IFREG: *ret = ENTRY_REG; return true;
	case S_IFDIR: *ret = ENTRY_DIR; return true;
	case S_IFLNK: *ret = ENTRY_SYMLINK; return true;
	case S_IFIFO: *ret = ENTRY_FIFO; return true;
	case S_IFCHR: *ret = ENTRY_CHR; return true;
	case S_IFBLK: *ret = ENTRY_BLK; return true;
	default: return false;
	}
}

bool attr_from_stat(const struct stat *st, struct item *ret)
{
	if (!type_from_mode(st->st_mode, &ret->type))
		return false;
	ret->mode = st->st_mode & 07777;
	ret->uid = st->st_uid;
	ret->gid = st->st_gid;
	ret->mtime_s = st->st_mtim.tv_sec;
	ret->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
	ret->ctime_s = st->st_ctim.tv_sec;
	ret->ctime_ns = (uint32_t)st->st_ctim.tv_nsec;
	ret->dev = st->st_dev;
	ret->ino = st->st_ino;
	ret->nlink = 1;
	ret->size = ret->type == ENTRY_REG ? (uint64_t)st->st_size : 0;
	ret->rdev_major = ret->rdev_minor = 0;
	if (ret->type == ENTRY_CHR || ret->type == ENTRY_BLK) {
		ret->rdev_major = major(st->st_rdev);
		ret->rdev_minor = minor(st->st_rdev);
	}
	return true;
}

static bool is_kept(const char *name)
{
	return !strncmp(name, "user.", 5) || !strncmp(name, "trusted.", 8) ||
	       !strcmp(name, "security.capability") ||
	       !strcmp(name, "system.posix_acl_access") ||
	       !strcmp(name, "system.posix_acl_default");
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static ssize_t list_up_to(struct attr_reader *a, size_t max)
{
	return a->path[0] ? llistxattr(a->path, a->list, max)
			  : flistxattr(a->fd, a->list, max);
}

static ssize_t list_names(struct attr_reader *a)
{
	ssize_t n = list_up_to(a, XATTR_FEW);

	return n < 0 && errno == ERANGE ? list_up_to(a, XATTR_BYTES) : n;
}

static ssize_t get_up_to(struct attr_reader *a, const char *name, size_t max)
{
	return a->path[0] ? lgetxattr(a->path, name, a->value, max)
			  : fgetxattr(a->fd, name, a->value, max);
}

static ssize_t get_value(struct attr_reader *a, const char *name)
{
	ssize_t n = get_up_to(a, name, XATTR_FEW);

	return n < 0 && errno == ERANGE ? get_up_to(a, name, XATTR_BYTES) : n;
}

static enum rc append_value(struct attr_reader *a, const char *name,
			    struct err *err)
{
	ssize_t n = get_value(a, name);

	if (n < 0 && (errno == ENODATA || errno == ENOTSUP))
		return RC_OK; /* removed since it was listed */
	if (n < 0)
		return err_set_errno(err, errno, "extended attribute %s", name);
	xattr_append(&a->xattrs, span_of(name, strlen(name)),
		     span_of(a->value, (size_t)n));
	if (!buf_ok(&a->xattrs)) {
		buf_release(&a->xattrs);
		buf_init(&a->xattrs, XATTRS_MAX);
		return err_set(err, RC_LIMIT,
			       "extended attributes of more than %u bytes",
			       XATTRS_MAX);
	}
	return RC_OK;
}

static enum rc read_xattrs(struct attr_reader *a, struct item *it,
			   struct err *err)
{
	ssize_t n = list_names(a);

	if (n < 0 && (errno == ENOTSUP || errno == ENOSYS))
		return RC_OK;
	if (n < 0)
		return err_set_errno(err, errno, "extended attributes");
	a->n_names = 0;
	for (const char *p = a->list; p < a->list + n; p += strlen(p) + 1) {
		if (!is_kept(p))
			continue;
		a->names = mem_grow(a->names, &a->names_cap, a->n_names + 1,
				    sizeof(const char *));
		a->names[a->n_names++] = p;
	}
	if (!a->n_names)
		return RC_OK;
	qsort(a->names, a->n_names, sizeof(const char *), compare_names);
	for (size_t i = 0; i < a->n_names; i++) {
		enum rc rc = append_value(a, a->names[i], err);

		if (rc)
			return rc;
	}
	it->xattrs = span_of(a->xattrs.p, a->xattrs.len);
	return RC_OK;
}

static enum rc read_target(struct attr_reader *a, const char *name,
			   struct item *it, struct err *err)
{
	ssize_t n = readlinkat(a->dir, name, a->target, sizeof(a->target));

	if (n < 0)
		return err_set_errno(err, errno, "cannot be read");
	if (!n || (size_t)n == sizeof(a->target))
		return err_set(err, RC_LIMIT, "target of %zd bytes", n);
	it->target = span_of(a->target, (size_t)n);
	it->size = (uint64_t)n;
	return RC_OK;
}

static void forget_last(struct attr_reader *a, struct item *it)
{
	buf_clear(&a->xattrs);
	it->target = it->xattrs = span_of("", 0);
}

enum rc attr_read(struct attr_reader *a, const char *name, struct item *it,
		  struct err *err)
{
	forget_last(a, it);
	if (it->type == ENTRY_SYMLINK) {
		enum rc rc = read_target(a, name, it, err);

		if (rc)
			return rc;
	}
	/* Older kernels know no other way to the attributes of a name below a
	 * descriptor.
	 */
	if (a->is_inside)
		snprintf(a->path, sizeof(a->path), "%s", name);
	else
		snprintf(a->path, sizeof(a->path), "/proc/self/fd/%d/%s",
			 a->dir, name);
	return read_xattrs(a, it, err);
}

enum rc attr_read_dir(struct attr_reader *a, int fd, struct item *it,
		      struct err *err)
{
	forget_last(a, it);
	a->path[0] = '\0';
	a->fd = fd;
	return read_xattrs(a, it, err);
}
