/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c - opens files of the sources by their paths, however long they are. */
#include "config.h"

#include "pack/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pack/attr.h"
#include "pack/fresh.h"
#include "pack/own.h"
#include "shard/shard-format.h"

#define TREE_DEPTH 48 /* directories kept open on the way to the last one */

/* The way to the directory used last: the names in path, each with the
 * descriptor of the directory it leads to.  Beyond TREE_DEPTH names only the
 * last directory is open.
 */
struct tree {
	const struct sources *sources;
	size_t source;
	char *path; /* relative to the source */
	size_t path_len;
	struct {
		int fd;
		size_t end; /* of its name in path */
	} level[TREE_DEPTH];
	size_t n_levels;
	int deep;      /* -1: path has no more than n_levels names */
	bool is_stale; /* it leads elsewhere now */
	const struct own *refused; /* NULL: nothing */
};

struct tree *tree_new(const struct sources *s)
{
	struct tree *t = xcalloc(1, sizeof(*t));

	t->sources = s;
	t->path = xcalloc(1, UID_MAX_LEN + 1);
	t->deep = -1;
	return t;
}

static void drop_deep(struct tree *t)
{
	if (t->deep >= 0)
		close(t->deep);
	t->deep = -1;
}

static void drop_to(struct tree *t, size_t n)
{
	drop_deep(t);
	while (t->n_levels > n)
		close(t->level[--t->n_levels].fd);
	t->path_len = n ? t->level[n - 1].end : 0;
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	drop_to(t, 0);
	free(t->path);
	free(t);
}

void tree_refuse(struct tree *t, const struct own *own)
{
	t->refused = own;
}

static enum rc name_text(struct span name, char ret[TREE_NAME_BYTES],
			 struct err *err)
{
	if (!name.len || name.len >= TREE_NAME_BYTES)
		return err_set(err, RC_LIMIT, "name of %zu bytes", name.len);
	memcpy(ret, name.p, name.len);
	ret[name.len] = '\0';
	return RC_OK;
}

static enum rc open_name(int dir, struct span name, int flags, int *ret,
			 struct err *err)
{
	char text[TREE_NAME_BYTES];
	int fd;

	if (name_text(name, text, err))
		return err->rc;
	fd = openat(dir, text, flags | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ENOENT || errno == ELOOP || errno == ENOTDIR)
			return err_set(err, RC_CHANGED,
				       "vanished before it was read");
		return err_set_errno(err, errno, "cannot be opened");
	}
	*ret = fd;
	return RC_OK;
}

/* How many of the levels lead along path too. */
static size_t levels_shared(const struct tree *t, struct span path)
{
	size_t n = 0;

	while (n < t->n_levels) {
		size_t end = t->level[n].end;

		if (end > path.len || memcmp(t->path, path.p, end) ||
		    (end < path.len && path.p[end] != '/'))
			break;
		n++;
	}
	return n;
}

/* Remember fd as the directory that path leads to up to end. */
static void push_level(struct tree *t, struct span path, size_t end, int fd)
{
	if (t->n_levels < TREE_DEPTH) {
		t->level[t->n_levels].fd = fd;
		t->level[t->n_levels++].end = end;
	} else {
		drop_deep(t);
		t->deep = fd;
	}
	memcpy(t->path, path.p, end);
	t->path_len = end;
}

static int last_dir(const struct tree *t)
{
	if (t->deep >= 0)
		return t->deep;
	return t->n_levels ? t->level[t->n_levels - 1].fd
			   : t->sources->v[t->source].fd;
}

static enum rc check_allowed(const struct tree *t, int dir, struct err *err)
{
	struct stat st;

	if (!t->refused)
		return RC_OK;
	if (fstat(dir, &st))
		return err_set_errno(err, errno, "cannot be examined");
	if (own_is_dir(t->refused, &st) || own_holds(t->refused, dir))
		return err_set(err, RC_USAGE, "lies in the archive");
	return RC_OK;
}

static enum rc enter(struct tree *t, struct span path, struct err *err)
{
	size_t at;

	if (path.len == t->path_len &&
	    (!path.len || !memcmp(t->path, path.p, path.len)))
		return RC_OK;
	drop_to(t, levels_shared(t, path));
	at = t->path_len;
	while (at < path.len) {
		const char *from = path.p + at + (at ? 1 : 0);
		size_t left = path.len - (size_t)(from - path.p);
		const char *slash = memchr(from, '/', left);
		size_t len = slash ? (size_t)(slash - from) : left;
		int fd = -1;
		enum rc rc;

		rc = open_name(last_dir(t), span_of(from, len),
			       O_PATH | O_DIRECTORY, &fd, err);
		if (!rc)
			rc = check_allowed(t, fd, err);
		if (rc) {
			if (fd >= 0)
				close(fd);
			return rc;
		}
		at = (size_t)(from - path.p) + len;
		push_level(t, path, at, fd);
	}
	return RC_OK;
}

enum rc tree_check(int fd, const struct item *it, struct err *err)
{
	struct item is = { 0 };
	struct stat st;

	if (fstat(fd, &st))
		return err_set_errno(err, errno, "cannot be examined");
	if (!attr_from_stat(&st, &is) || !item_is_same_state(&is, it))
		return err_set(err, RC_CHANGED, "changed while it was read");
	return RC_OK;
}

/* Make the directory that it is in the last one; ret: its name there. */
static enum rc go_to(struct tree *t, const struct item *it, struct span *ret,
		     struct err *err)
{
	const struct source *s = &t->sources->v[it->source];
	struct span parent = { 0 }, name = span_of(s->base, 0);

	if (s->is_dir) {
		parent = it->parent.len > s->name_len
				 ? source_relative(s, it->parent)
				 : span_of("", 0);
		name = it->name;
	} else {
		name.len = strlen(s->base);
	}
	if (it->source != t->source || t->is_stale)
		drop_to(t, 0);
	t->is_stale = false;
	t->source = it->source;
	*ret = name;
	return enter(t, parent, err);
}

enum rc tree_place(struct tree *t, const struct item *it, int *ret_dir,
		   char ret_name[TREE_NAME_BYTES], struct err *err)
{
	struct span name = { 0 };
	enum rc rc = go_to(t, it, &name, err);

	if (!rc)
		rc = name_text(name, ret_name, err);
	if (!rc)
		*ret_dir = last_dir(t);
	return rc;
}

/* Is the directory at the user's own path the one opened in the beginning? */
static bool source_is_there(const struct source *s)
{
	size_t len = strlen(s->path) - (s->is_dir ? 0 : strlen(s->base));
	CLEANUP_FREE char *path = len ? xmemdup0(s->path, len) : xstrdup(".");
	struct stat now, was;

	return !stat(path, &now) && !fstat(s->fd, &was) &&
	       now.st_dev == was.st_dev && now.st_ino == was.st_ino;
}

/* Is fd what path leads to from dir, when no name of it is a symbolic link? */
static bool leads_to(int dir, struct span path, int fd)
{
	CLEANUP_FD int at = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	struct stat now, was;

	while (at >= 0 && path.len) {
		const char *slash = memchr(path.p, '/', path.len);
		size_t len = slash ? (size_t)(slash - path.p) : path.len;
		int next = -1;
		struct err err;

		if (len && open_name(at, span_of(path.p, len),
				     O_PATH | O_DIRECTORY, &next, &err))
			return false;
		len += !!slash;
		path = span_of(path.p + len, path.len - len);
		if (next < 0)
			continue;
		close(at);
		at = next;
	}
	return at >= 0 && !fstat(at, &now) && !fstat(fd, &was) &&
	       now.st_dev == was.st_dev && now.st_ino == was.st_ino;
}

enum rc tree_check_place(struct tree *t, struct err *err)
{
	const struct source *s = &t->sources->v[t->source];

	if (source_is_there(s) &&
	    leads_to(s->fd, span_of(t->path, t->path_len), last_dir(t)))
		return RC_OK;
	t->is_stale = true;
	return err_set(err, RC_CHANGED, "its directory was moved");
}

enum rc tree_open_early(struct tree *t, const struct item *it, int *ret_fd,
			struct err *err)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
	struct span name = { 0 };
	int fd = -1;
	enum rc rc = go_to(t, it, &name, err);

	/* Reading should leave no trace, but only owners may ask for that. */
	if (!rc)
		rc = open_name(last_dir(t), name, flags | O_NOATIME, &fd, err);
	if (rc == RC_ACCESS)
		rc = open_name(last_dir(t), name, flags, &fd, err);
	if (!rc)
		*ret_fd = fd;
	return rc;
}

enum rc tree_open(struct tree *t, const struct item *it, int *ret_fd,
		  struct err *err)
{
	enum rc rc = tree_open_early(t, it, ret_fd, err);

	if (!rc)
		fresh_settle(*ret_fd, it);
	return rc;
}
