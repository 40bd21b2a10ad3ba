/* SPDX-License-Identifier: Apache-2.0 */
/* walk.c - finds all that is in the sources. */
#include "config.h"

#include "pack/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/stop.h"
#include "pack/dirs.h"
#include "pack/filter.h"
#include "pack/keep.h"
#include "pack/report.h"
#include "pack/walk-step.h"

#define WALK_OPEN 64 /* directories kept open, the deepest ones */

/* A directory on the way down. */
struct frame {
	int fd; /* -1: closed, to be had by ".." from the one below it */
	struct stat st;
	size_t uid_len;  /* its uid: so many bytes of the walk's */
	uint64_t number; /* in struct dirs */
	uint64_t parent; /* likewise, of its parent */
	char *subdirs;   /* their names, each with its NUL */
	size_t len, cap, next;
	uint32_t n_subdirs;
};

struct walk {
	struct walk_step step;
	const struct walk_options *opts;
	uint32_t source;
	struct frame *frames;
	size_t n, cap;
};

static void frame_release(struct frame *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->subdirs);
}

static void add_subdir(struct frame *f, const char *name)
{
	size_t len = strlen(name) + 1;

	f->subdirs = mem_grow(f->subdirs, &f->cap, f->len + len, 1);
	memcpy(f->subdirs + f->len, name, len);
	f->len += len;
	f->n_subdirs++;
}

/* Does a pattern leave out the name that was just set? */
static bool is_excluded(struct walk *w, bool is_dir)
{
	const struct buf *uid = &w->step.uid;
	const struct filter *f = w->opts->filter;

	if (!f || !uid->len ||
	    !filter_excludes(f, (char *)uid->p, uid->len, is_dir))
		return false;
	report_excluded(w->opts->report);
	return true;
}

/* One name in the directory f. */
static enum rc walk_name(struct walk *w, struct frame *f, const char *name,
			 struct err *err)
{
	struct item like = { .source = w->source, .dir = f->number };
	struct err failure;
	struct stat st;

	if (!walk_set_uid(&w->step, f->uid_len, name))
		return RC_OK;
	if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		err_set_errno(&failure, errno, "cannot be examined");
		walk_fail(&w->step, &failure);
		return RC_OK;
	}
	if (is_excluded(w, S_ISDIR(st.st_mode)))
		return RC_OK;
	if (!S_ISDIR(st.st_mode))
		return walk_emit(&w->step, f->fd, name, &st, &like, err);
	if (!walk_is_archive(&w->step, &st))
		add_subdir(f, name);
	return RC_OK;
}

/* Read the names in f: subdirectories are remembered, all others emitted. */
static enum rc read_names(struct walk *w, struct frame *f, struct err *err)
{
	int fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	enum rc rc = RC_OK;
	struct err failure;
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return err_set_errno(err, errno, "open directories");
	}
	while (!rc) {
		errno = 0;
		e = readdir(d);
		if (!e)
			break;
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		rc = walk_name(w, f, e->d_name, err);
		if (!rc && stop_requested())
			rc = err_set(err, RC_STOPPED, "stopped by a signal");
	}
	w->step.uid.len = f->uid_len;
	if (!rc && errno) {
		err_set_errno(&failure, errno, "directory cannot be read");
		walk_fail(&w->step, &failure);
	}
	closedir(d);
	return rc;
}

/* Go down into the directory w->step.uid, open as fd, which is taken over. */
static enum rc push(struct walk *w, int fd, const struct stat *st,
		    uint64_t parent, struct err *err)
{
	struct frame *f;
	enum rc rc;

	w->frames = mem_grow(w->frames, &w->cap, w->n + 1, sizeof(*w->frames));
	f = &w->frames[w->n++];
	*f = (struct frame){ .fd = fd,
			     .st = *st,
			     .parent = parent,
			     .uid_len = w->step.uid.len };
	if (w->n > WALK_OPEN && w->frames[w->n - 1 - WALK_OPEN].fd >= 0) {
		close(w->frames[w->n - 1 - WALK_OPEN].fd);
		w->frames[w->n - 1 - WALK_OPEN].fd = -1;
	}
	rc = walk_add_dir(&w->step, st, parent, &f->number, err);
	return rc ? rc : read_names(w, f, err);
}

/* The directory could not be entered: emit it as far as it is known. */
static enum rc emit_closed(struct walk *w, const struct frame *f,
			   const char *name, const struct stat *st,
			   struct err *err)
{
	struct item like = { .source = w->source,
			     .dir = f->number,
			     .nlink = 2 };

	return walk_emit(&w->step, f->fd, name, st, &like, err);
}

static enum rc enter_subdir(struct walk *w, const char *name, struct err *err)
{
	const struct frame *f = &w->frames[w->n - 1];
	const struct walk_options *o = w->opts;
	struct err failure;
	CLEANUP_FD int fd = -1;
	struct stat st;

	if (!walk_set_uid(&w->step, f->uid_len, name))
		return RC_OK;
	fd = openat(f->fd, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		err_set_errno(&failure, errno, "directory cannot be read");
		walk_fail(&w->step, &failure);
		if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISDIR(st.st_mode))
			return RC_OK;
		return emit_closed(w, f, name, &st, err);
	}
	if (o->one_file_system && st.st_dev != w->frames[0].st.st_dev) {
		keep_add(o->keep, span_of(w->step.uid.p, w->step.uid.len));
		report_left_out(o->report,
				span_of(w->step.uid.p, w->step.uid.len),
				"contents are on another file system");
		return emit_closed(w, f, name, &st, err);
	}
	return push(w, STEAL_FD(fd), &st, f->number, err);
}

/* Open the directory above the top one again. */
static void reopen_above(struct walk *w)
{
	struct frame *f = &w->frames[w->n - 1], *above = f - 1;
	struct stat st;
	int fd;

	if (w->n < 2 || above->fd >= 0)
		return;
	fd = openat(f->fd, "..",
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st) && st.st_dev == above->st.st_dev &&
	    st.st_ino == above->st.st_ino)
		above->fd = fd;
	else if (fd >= 0)
		close(fd);
}

/* All in the top directory is done: emit it and go up. */
static enum rc pop(struct walk *w, struct err *err)
{
	struct frame *f = &w->frames[w->n - 1];
	struct item like = { .source = w->source,
			     .dir = f->parent,
			     .nlink = 2 + f->n_subdirs };
	enum rc rc;

	w->step.uid.len = f->uid_len;
	rc = walk_emit(&w->step, f->fd, NULL, &f->st, &like, err);
	reopen_above(w);
	frame_release(f);
	w->n--;
	return rc;
}

/* The next thing to do at the top. */
static enum rc step_top(struct walk *w, struct err *err)
{
	struct frame *f = &w->frames[w->n - 1];
	const char *name;
	struct err failure;

	if (f->next == f->len)
		return pop(w, err);
	name = f->subdirs + f->next;
	f->next += strlen(name) + 1;
	if (f->fd >= 0)
		return enter_subdir(w, name, err);
	/* It moved while it was walked, so there is no way back into it. */
	if (walk_set_uid(&w->step, f->uid_len, name)) {
		err_set(&failure, RC_CHANGED, "moved while it was read");
		walk_fail(&w->step, &failure);
	}
	return RC_OK;
}

static enum rc walk_file_source(struct walk *w, const struct source *s,
				uint64_t root, struct err *err)
{
	struct item like = { .source = w->source, .dir = root };
	struct err failure;
	struct stat st;

	if (fstatat(s->fd, s->base, &st, AT_SYMLINK_NOFOLLOW)) {
		err_set_errno(&failure, errno, "cannot be examined");
		walk_fail(&w->step, &failure);
		return RC_OK;
	}
	if (is_excluded(w, S_ISDIR(st.st_mode)))
		return RC_OK;
	return walk_emit(&w->step, s->fd, s->base, &st, &like, err);
}

static enum rc walk_source(struct walk *w, const struct source *s,
			   uint64_t root, struct err *err)
{
	struct stat st;
	enum rc rc;
	int fd;

	buf_clear(&w->step.uid);
	buf_append(&w->step.uid, s->name, s->name_len);
	if (!s->is_dir)
		return walk_file_source(w, s, root, err);
	/* Named by the user, and yet as any other name, as rsync has it. */
	if (is_excluded(w, true))
		return RC_OK;
	fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || fstat(fd, &st)) {
		err_set_errno(err, errno, "%s", s->path);
		if (fd >= 0)
			close(fd);
		return err->rc;
	}
	if (w->opts->has_archive && st.st_dev == w->opts->archive_dev &&
	    st.st_ino == w->opts->archive_ino) {
		close(fd);
		return err_set(err, RC_USAGE, "%s: is the archive itself",
			       s->path);
	}
	rc = push(w, fd, &st, root, err);
	while (!rc && w->n)
		rc = step_top(w, err);
	while (w->n)
		frame_release(&w->frames[--w->n]);
	return rc;
}

enum rc walk_sources(const struct walk_options *opts, struct err *err)
{
	struct walk w = { .opts = opts };
	uint64_t root = ITEM_NO_DIR;
	enum rc rc = RC_OK;

	walk_step_init(&w.step, opts);
	if (sources_have_names(opts->sources))
		rc = walk_add_root(&w.step, &root, err);
	for (size_t i = 0; i < opts->sources->n && !rc; i++) {
		w.source = (uint32_t)i;
		rc = walk_source(&w, &opts->sources->v[i], root, err);
	}
	free(w.frames);
	walk_step_release(&w.step);
	return rc;
}
