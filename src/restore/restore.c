/* SPDX-License-Identifier: Apache-2.0 */
/* restore.c - entries written as files beneath a target directory. */
#include "config.h"

#include "restore/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "restore/beneath.h"
#include "restore/restore-backend.h"

#define TEMPORARY_TRIES 100

enum rc restore_open(struct restore **ret, const char *dir,
		     const struct restore_options *opts, struct err *err)
{
	CLEANUP_FD int top = -1;
	struct restore *r;

	if (mkdir(dir, 0777) && errno != EEXIST)
		return err_set_errno(err, errno, "%s", dir);
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return err_set_errno(err, errno, "%s", dir);
	r = xcalloc(1, sizeof(*r));
	r->opts = *opts;
	r->top = STEAL_FD(top);
	r->dir = -1;
	r->piece = xcalloc(1, RESTORE_PIECE);
	*ret = r;
	return RC_OK;
}

static void free_dir(struct restore_dir *d)
{
	free((void *)(uintptr_t)d->path.p);
	free((void *)(uintptr_t)d->e.xattrs.p);
}

void restore_free(struct restore *r)
{
	if (!r)
		return;
	close(r->top);
	if (r->dir >= 0)
		close(r->dir);
	for (size_t i = 0; i < r->n_dirs; i++)
		free_dir(&r->dirs[i]);
	free(r->dirs);
	free(r->dir_path);
	free(r->piece);
	restore_free_links(r);
	free(r);
}

void restore_totals(const struct restore *r, struct restore_totals *ret)
{
	*ret = r->totals;
}

/* Make r->dir the directory at path: mostly it is that already. */
static enum rc enter(struct restore *r, struct span path, struct err *err)
{
	int fd = -1;
	enum rc rc;

	if (r->dir >= 0 && span_equal(path, span_of(r->dir_path, r->dir_len)))
		return RC_OK;
	rc = beneath_open_dir(r->top, path, true, &fd, err);
	if (rc)
		return rc;
	if (r->dir >= 0)
		close(r->dir);
	r->dir = fd;
	free(r->dir_path);
	r->dir_path = xmemdup0(path.p, path.len);
	r->dir_len = path.len;
	return RC_OK;
}

/* --- directories ---------------------------------------------------------- */

static void remember_dir(struct restore *r, const struct entry *e,
			 struct span path)
{
	struct restore_dir *d;

	r->dirs = mem_grow(r->dirs, &r->cap_dirs, r->n_dirs + 1,
			   sizeof(*r->dirs));
	d = &r->dirs[r->n_dirs++];
	d->e = *e;
	d->path = span_of(xmemdup0(path.p, path.len), path.len);
	d->e.xattrs.p = xmemdup0(e->xattrs.p, e->xattrs.len);
	d->e.parent = d->e.name = d->e.meta = span_of(NULL, 0);
	entry_split_uid(d->path, &d->e.parent, &d->e.name);
}

/* Something else in a directory's place: true when it is out of the way. */
static bool clear_way(struct restore *r, const char *name)
{
	struct stat st;

	if (!r->opts.overwrite ||
	    fstatat(r->dir, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    S_ISDIR(st.st_mode))
		return false;
	return !unlinkat(r->dir, name, 0);
}

static enum rc make_dir(struct restore *r, const char *name, mode_t mode,
			struct err *err)
{
	struct stat st;

	if (!mkdirat(r->dir, name, mode))
		return RC_OK;
	if (errno == EEXIST && clear_way(r, name) &&
	    !mkdirat(r->dir, name, mode))
		return RC_OK;
	if (errno != EEXIST)
		return err_set_errno(err, errno, "directory");
	if (!fstatat(r->dir, name, &st, AT_SYMLINK_NOFOLLOW) &&
	    S_ISDIR(st.st_mode))
		return RC_OK;
	return err_set(err, RC_EXISTS, "is there already and is no directory");
}

static enum rc restore_dir(struct restore *r, const struct entry *e,
			   const char *name, struct err *err)
{
	CLEANUP_FREE char *path = NULL;
	size_t len;
	enum rc rc = RC_OK;

	/* One that was only inferred has no attributes of its own. */
	if (e->name.len)
		rc = make_dir(r, name, e->implicit ? 0777 : 0700, err);
	if (rc)
		return rc;
	r->totals.dirs++;
	if (e->implicit)
		return RC_OK;
	path = xcalloc(1, entry_uid_len(e->parent, e->name) + 1);
	len = entry_uid(e->parent, e->name, path);
	remember_dir(r, e, span_of(path, len));
	return RC_OK;
}

static enum rc finish_dir(struct restore *r, const struct restore_dir *d,
			  struct err *err)
{
	CLEANUP_FD int fd = -1;
	enum rc rc;

	rc = beneath_open_dir(r->top, d->path, false, &fd, err);
	if (!rc)
		rc = restore_attributes(r, &d->e, -1, NULL, fd, err);
	if (rc)
		err_prefix(err, "%.*s",
			   (int)(d->path.len < 200 ? d->path.len : 200),
			   d->path.p);
	return rc;
}

enum rc restore_finish(struct restore *r, struct err *err)
{
	enum rc rc, last = RC_OK;

	for (size_t i = r->n_dirs; i-- > 0;) {
		struct restore_dir *d = &r->dirs[i];

		rc = finish_dir(r, d, err);
		if (rc)
			last = rc;
		free_dir(d);
	}
	r->n_dirs = 0;
	return last;
}

/* --- all else ------------------------------------------------------------- */

static void name_temporary(struct restore *r, char *ret, size_t size)
{
	snprintf(ret, size, ".desfs-%ld-%llu.tmp", (long)getpid(),
		 (unsigned long long)r->n_temporary++);
}

/* As system calls do: -1 and errno, a descriptor for regular files only. */
static int make_node(struct restore *r, const struct entry *e, const char *name)
{
	CLEANUP_FREE char *target = NULL;
	mode_t kind = S_IFIFO;

	if (e->type == ENTRY_REG)
		return openat(r->dir, name,
			      O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
				      O_CLOEXEC,
			      0600);
	if (e->type == ENTRY_SYMLINK) {
		target = xmemdup0(e->target.p, e->target.len);
		return symlinkat(target, r->dir, name);
	}
	if (e->type != ENTRY_FIFO)
		kind = e->type == ENTRY_CHR ? S_IFCHR : S_IFBLK;
	return mknodat(r->dir, name, kind | 0600,
		       makedev(e->rdev_major, e->rdev_minor));
}

/* Under a name nobody uses. */
static enum rc make_temporary(struct restore *r, const struct entry *e,
			      char *ret, size_t size, int *ret_fd,
			      struct err *err)
{
	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		int fd;

		name_temporary(r, ret, size);
		fd = make_node(r, e, ret);
		if (fd >= 0) {
			*ret_fd = e->type == ENTRY_REG ? fd : -1;
			return RC_OK;
		}
		if (errno != EEXIST)
			return err_set_errno(err, errno, "cannot be made");
	}
	return err_set(err, RC_EXISTS, "no temporary name is free");
}

static enum rc fill(struct restore *r, const struct entry *e,
		    const struct restore_source *src, const char *temporary,
		    int fd, struct err *err)
{
	enum rc rc = RC_OK;

	if (e->type == ENTRY_REG)
		rc = restore_content(r, e, src, fd, err);
	if (!rc)
		rc = restore_attributes(r, e, r->dir, temporary, fd, err);
	return rc;
}

static enum rc publish(struct restore *r, const char *temporary,
		       const char *name, struct err *err)
{
	int failed;

	if (r->opts.overwrite)
		failed = renameat(r->dir, temporary, r->dir, name);
	else
		failed = renameat2(r->dir, temporary, r->dir, name,
				   RENAME_NOREPLACE);
	if (failed && errno == EINVAL && !r->opts.overwrite)
		failed = linkat(r->dir, temporary, r->dir, name, 0);
	if (!failed)
		return RC_OK;
	if (errno == EEXIST)
		return err_set(err, RC_EXISTS,
			       "is there already (see --overwrite)");
	if (errno == EISDIR)
		return err_set(err, RC_EXISTS, "is there and is a directory");
	return err_set_errno(err, errno, "rename");
}

static enum rc restore_leaf(struct restore *r, const struct entry *e,
			    const struct restore_source *src, const char *name,
			    struct err *err)
{
	CLEANUP_FD int fd = -1;
	char temporary[64];
	struct stat st;
	bool is_link;
	enum rc rc = RC_OK;

	if (!r->opts.overwrite &&
	    !fstatat(r->dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return err_set(err, RC_EXISTS,
			       "is there already (see --overwrite)");
	name_temporary(r, temporary, sizeof(temporary));
	is_link = restore_as_link(r, e, r->dir, temporary);
	if (!is_link) {
		rc = make_temporary(r, e, temporary, sizeof(temporary), &fd,
				    err);
		if (rc)
			return rc;
		rc = fill(r, e, src, temporary, fd, err);
	}
	if (!rc)
		rc = publish(r, temporary, name, err);
	/* Gone by now, but for names of the same file and failures. */
	unlinkat(r->dir, temporary, 0);
	if (rc)
		return rc;
	restore_note_link(r, e);
	r->totals.links += is_link;
	r->totals.bytes += e->type == ENTRY_REG ? e->size : 0;
	r->totals.files += e->type == ENTRY_REG;
	r->totals.others += e->type != ENTRY_REG;
	return RC_OK;
}

static bool is_device(const struct entry *e)
{
	return e->type == ENTRY_CHR || e->type == ENTRY_BLK;
}

enum rc restore_entry(struct restore *r, const struct entry *e,
		      const struct restore_source *src, struct err *err)
{
	char name[NAME_MAX + 1];
	enum rc rc;

	if (e->type == ENTRY_WHITEOUT)
		return RC_OK;
	if (is_device(e) && !r->opts.devices) {
		r->totals.skipped++;
		if (r->opts.note)
			r->opts.note(r->opts.arg, e,
				     "device left out (see --devices)");
		return RC_OK;
	}
	rc = beneath_check(e->parent, err);
	if (!rc)
		rc = beneath_check(e->name, err);
	if (!rc && memchr(e->name.p ? e->name.p : "", '/', e->name.len))
		rc = err_set(err, RC_ACCESS, "refused: a name with a slash");
	if (!rc)
		rc = enter(r, e->parent, err);
	if (rc)
		return rc;
	memcpy(name, e->name.p ? e->name.p : "", e->name.len);
	name[e->name.len] = '\0';
	if (e->type == ENTRY_DIR)
		return restore_dir(r, e, name, err);
	if (!e->name.len)
		return err_set(err, RC_ACCESS, "refused: no name");
	return restore_leaf(r, e, src, name, err);
}
