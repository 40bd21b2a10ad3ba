/* SPDX-License-Identifier: Apache-2.0 */
/* attr.c - what an archive keeps of a file's attributes. */
#include "config.h"

#include "pack/attr.h"

#include <errno.h>
#include <limits.h>
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

struct attr_reader {
	char path[64 + NAME_MAX + 1]; /* /proc/self/fd/N/NAME */
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

static ssize_t list_names(struct attr_reader *a)
{
	return a->path[0] ? llistxattr(a->path, a->list, XATTR_BYTES)
			  : flistxattr(a->fd, a->list, XATTR_BYTES);
}

static ssize_t get_value(struct attr_reader *a, const char *name)
{
	return a->path[0] ? lgetxattr(a->path, name, a->value, XATTR_BYTES)
			  : fgetxattr(a->fd, name, a->value, XATTR_BYTES);
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

static enum rc read_target(struct attr_reader *a, int dir, const char *name,
			   struct item *it, struct err *err)
{
	ssize_t n = readlinkat(dir, name, a->target, sizeof(a->target));

	if (n < 0)
		return err_set_errno(err, errno, "cannot be read");
	if (!n || (size_t)n == sizeof(a->target))
		return err_set(err, RC_LIMIT, "target of %zd bytes", n);
	it->target = span_of(a->target, (size_t)n);
	it->size = (uint64_t)n;
	return RC_OK;
}

enum rc attr_read(struct attr_reader *a, int dir, const char *name,
		  struct item *it, struct err *err)
{
	buf_clear(&a->xattrs);
	it->target = it->xattrs = span_of("", 0);
	if (it->type == ENTRY_SYMLINK) {
		enum rc rc = read_target(a, dir, name, it, err);

		if (rc)
			return rc;
	}
	a->path[0] = '\0';
	a->fd = dir;
	/* The one way to the attributes of a name below a descriptor. */
	if (name)
		snprintf(a->path, sizeof(a->path), "/proc/self/fd/%d/%s", dir,
			 name);
	return read_xattrs(a, it, err);
}
