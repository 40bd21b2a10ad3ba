/* SPDX-License-Identifier: Apache-2.0 */
/* walk-down.c - one walker's way through directories. */
#include "config.h"

#include "pack/walk-down.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pack/keep.h"
#include "pack/own.h"
#include "pack/report.h"
#include "volume/descriptor.h"

#define WALK_OPEN 32            /* directories kept open, the deepest ones */
#define NAMES_BYTES (32u << 10) /* of names read at once */
#define SHARE_BYTES (2u << 10)  /* of names that are worth handing over */

enum rc walker_init(struct walker *w, const struct walk_options *opts,
		    struct walk_team *team, unsigned int number,
		    struct err *err)
{
	*w = (struct walker){ .team = team };
	w->names = xcalloc(1, NAMES_BYTES);
	name_stack_init(&w->subdirs, opts->spool_dir, opts->memory);
	return walk_step_init(&w->step, opts, number, err);
}

static struct walk_frame *top(struct walker *w)
{
	return &w->frames[w->n - 1];
}

static void drop_frame(struct walker *w)
{
	name_stack_end(&w->subdirs, &top(w)->subdirs);
	walk_frame_release(top(w));
	w->n--;
}

void walker_release(struct walker *w)
{
	assert(!w->n);
	free(w->frames);
	free(w->names);
	name_stack_release(&w->subdirs);
	walk_step_release(&w->step);
}

static struct walk_frame *push_frame(struct walker *w,
				     const struct walk_frame *f)
{
	w->frames = mem_grow(w->frames, &w->cap, w->n + 1, sizeof(*w->frames));
	w->frames[w->n++] = *f;
	top(w)->subdirs = name_stack_begin(&w->subdirs);
	if (w->n > WALK_OPEN && w->frames[w->n - 1 - WALK_OPEN].fd >= 0) {
		close(w->frames[w->n - 1 - WALK_OPEN].fd);
		w->frames[w->n - 1 - WALK_OPEN].fd = -1;
	}
	return top(w);
}

/* --- handing over -----------------------------------------------------------
 */

/* Hand over half of what is to be entered in the highest directory that has
 * something; of the one at hand not all.
 */
static enum rc give_subdirs(struct walker *w, struct err *err)
{
	size_t i = w->n > WALK_OPEN ? w->n - WALK_OPEN : 0;
	bool is_single = false;
	struct walk_task *t;
	struct walk_frame *f;
	enum rc rc = RC_OK;

	while (i < w->n && (w->frames[i].fd < 0 ||
			    name_range_is_empty(&w->frames[i].subdirs)))
		i++;
	if (i == w->n)
		return RC_OK;
	f = &w->frames[i];
	if (f == top(w))
		rc = name_stack_is_single(&w->subdirs, &f->subdirs, &is_single,
					  err);
	if (rc || is_single)
		return rc;
	rc = walk_task_new(&t, f, w->step.uid.p, err);
	if (rc)
		return rc;
	rc = name_stack_split(&w->subdirs, &f->subdirs, &t->subdirs,
			      &t->subdirs_len, err);
	if (rc)
		walk_task_free(t);
	else
		walk_team_give(w->team, t);
	return rc;
}

static size_t name_len(const uint8_t *p)
{
	const struct dirent64 *e = (const void *)p;

	return e->d_reclen;
}

/* Hand over the names p to the walker's directory f. */
static enum rc give_names(struct walker *w, struct walk_frame *f,
			  const uint8_t *p, size_t len, struct err *err)
{
	struct walk_task *t;
	enum rc rc = walk_task_new(&t, f, w->step.uid.p, err);

	if (rc)
		return rc;
	if (!f->shared) {
		f->shared = xcalloc(1, sizeof(*f->shared));
		atomic_init(&f->shared->n_walkers, 1);
	}
	atomic_fetch_add(&f->shared->n_walkers, 1);
	t->frame.shared = f->shared;
	t->names = xmemdup0(p, len);
	t->names_len = len;
	walk_team_give(w->team, t);
	return RC_OK;
}

/* Of len bytes of names, hand over a share to each who waits.  Those from *ret
 * on are left.
 */
static enum rc share_names(struct walker *w, struct walk_frame *f, size_t len,
			   size_t *ret, struct err *err)
{
	size_t share = len / (walk_team_wants(w->team) + 1);
	size_t from = 0;
	enum rc rc = RC_OK;

	if (share < SHARE_BYTES)
		share = SHARE_BYTES;
	while (!rc && walk_team_wants(w->team) &&
	       len - from >= share + SHARE_BYTES) {
		size_t to = from;

		while (to - from < share)
			to += name_len(w->names + to);
		rc = give_names(w, f, w->names + from, to - from, err);
		from = to;
	}
	*ret = from;
	return rc;
}

/* --- the names in a directory -----------------------------------------------
 */

/* One name in the directory f. */
static enum rc walk_name(struct walker *w, struct walk_frame *f,
			 const char *name, struct err *err)
{
	struct item like = { .source = f->source, .dir = f->number };
	struct walk_step *s = &w->step;
	struct err failure;
	struct stat st;

	if (!walk_set_uid(s, f->uid_len, name))
		return RC_OK;
	if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		err_set_errno(&failure, errno, "cannot be examined");
		walk_fail(s, &failure);
		return RC_OK;
	}
	if (walk_is_excluded(s, S_ISDIR(st.st_mode)))
		return RC_OK;
	if (!S_ISDIR(st.st_mode))
		return walk_emit(s, name, &st, &like, err);
	if (walk_is_archive(s, &st))
		return RC_OK;
	f->n_subdirs++;
	return name_stack_add(&w->subdirs, &f->subdirs, name, strlen(name) + 1,
			      err);
}

/* Subdirectories are remembered, all others emitted. */
static enum rc walk_names(struct walker *w, struct walk_frame *f,
			  const uint8_t *names, size_t len, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t at = 0; at < len && !rc; at += name_len(names + at)) {
		const struct dirent64 *e = (const void *)(names + at);

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		rc = walk_name(w, f, e->d_name, err);
		if (!rc)
			rc = walk_team_check(w->team, err);
	}
	w->step.uid.len = f->uid_len;
	return rc;
}

/* All names in f were looked at, or, when others do that too, all of this
 * walker's: whoever is the last one emits it.
 */
static enum rc end_names(struct walker *w, struct walk_frame *f,
			 struct err *err)
{
	struct item like = { .source = f->source, .dir = f->parent };
	struct walk_shared *shared = f->shared;
	unsigned int n = f->n_subdirs;

	f->shared = NULL;
	if (shared) {
		atomic_fetch_add(&shared->n_subdirs, n);
		if (atomic_fetch_sub(&shared->n_walkers, 1) > 1)
			return RC_OK;
		n = atomic_load(&shared->n_subdirs);
		free(shared);
	}
	like.nlink = 2 + n;
	return walk_emit_dir(&w->step, f->fd, &f->st, &like, err);
}

/* More names, so many bytes; *ret_is_last: there are no others. */
static size_t read_some(struct walker *w, const struct walk_frame *f,
			bool *ret_is_last)
{
	struct err failure;
	size_t len = 0;
	ssize_t n = 1;

	/* There is always room for one. */
	while (n > 0 && len <= NAMES_BYTES / 2) {
		n = getdents64(f->fd, w->names + len, NAMES_BYTES - len);
		len += n > 0 ? (size_t)n : 0;
	}
	*ret_is_last = n <= 0;
	if (n < 0) {
		err_set_errno(&failure, errno, "directory cannot be read");
		walk_fail(&w->step, &failure);
	}
	return len;
}

static bool has_descriptor(const struct walker *w, size_t len)
{
	for (size_t at = 0; at < len; at += name_len(w->names + at)) {
		const struct dirent64 *e = (const void *)(w->names + at);

		if (!strcmp(e->d_name, DESCRIPTOR_KEY))
			return true;
	}
	return false;
}

/* To be decided before any name of it is emitted: where there are more names
 * than were read the descriptor is looked for, otherwise it must be among them.
 */
static bool is_own(struct walker *w, const struct walk_frame *f, size_t len,
		   bool is_all)
{
	return own_has_id(w->step.opts->own) &&
	       (!is_all || has_descriptor(w, len)) &&
	       walk_holds_archive(&w->step, f->fd, ".");
}

static enum rc read_names(struct walker *w, struct walk_frame *f,
			  struct err *err)
{
	bool is_first = true, is_last = false;
	enum rc rc = RC_OK;

	attr_enter(w->step.attrs, f->fd);
	while (!rc && !is_last) {
		size_t len = read_some(w, f, &is_last), from = 0;

		if (is_first && is_own(w, f, len, is_last))
			return RC_OK;
		is_first = false;
		rc = share_names(w, f, len, &from, err);
		if (!rc)
			rc = walk_names(w, f, w->names + from, len - from, err);
	}
	return rc ? rc : end_names(w, f, err);
}

/* --- down and up ------------------------------------------------------------
 */

/* Go down into the directory w->step.uid, open as fd, which is taken over. */
static enum rc push(struct walker *w, int fd, const struct stat *st,
		    uint32_t source, uint64_t parent, struct err *err)
{
	struct walk_frame new = { .fd = fd,
				  .st = *st,
				  .source = source,
				  .parent = parent,
				  .uid_len = w->step.uid.len };
	struct walk_frame *f = push_frame(w, &new);
	enum rc rc = walk_add_dir(&w->step, st, parent, &f->number, err);

	return rc ? rc : read_names(w, f, err);
}

/* The directory could not be entered: emit it as far as it is known. */
static enum rc emit_closed(struct walker *w, const struct walk_frame *f,
			   const char *name, const struct stat *st,
			   struct err *err)
{
	struct item like = { .source = f->source,
			     .dir = f->number,
			     .nlink = 2 };

	attr_enter(w->step.attrs, f->fd);
	return walk_emit(&w->step, name, st, &like, err);
}

static enum rc enter_subdir(struct walker *w, const char *name, struct err *err)
{
	const struct walk_frame *f = top(w);
	const struct walk_options *o = w->step.opts;
	const struct buf *uid = &w->step.uid;
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
	if (o->one_file_system && st.st_dev != f->st.st_dev) {
		keep_add(o->keep, span_of(uid->p, uid->len));
		report_left_out(o->report, span_of(uid->p, uid->len),
				"contents are on another file system");
		return emit_closed(w, f, name, &st, err);
	}
	return push(w, STEAL_FD(fd), &st, f->source, f->number, err);
}

/* Open the directory above the top one again. */
static void reopen_above(struct walker *w)
{
	struct walk_frame *f = top(w), *above = f - 1;
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

/* The next thing to do at the top. */
static enum rc step_top(struct walker *w, struct err *err)
{
	struct walk_frame *f = top(w);
	char name[NAME_STACK_BYTES];
	struct err failure;

	if (name_range_is_empty(&f->subdirs)) {
		reopen_above(w);
		drop_frame(w);
		return RC_OK;
	}
	if (name_stack_take(&w->subdirs, &f->subdirs, name, err))
		return err->rc;
	if (f->fd >= 0)
		return enter_subdir(w, name, err);
	/* It moved while it was walked, so there is no way back into it. */
	if (walk_set_uid(&w->step, f->uid_len, name)) {
		err_set(&failure, RC_CHANGED, "moved while it was read");
		walk_fail(&w->step, &failure);
	}
	return RC_OK;
}

static enum rc walk_subdirs(struct walker *w, enum rc rc, struct err *err)
{
	while (!rc && w->n) {
		/* For empty directories too, which have no name to ask at. */
		rc = walk_team_check(w->team, err);
		if (!rc && walk_team_wants(w->team))
			rc = give_subdirs(w, err);
		if (!rc)
			rc = step_top(w, err);
	}
	while (w->n)
		drop_frame(w);
	return rc;
}

enum rc walk_down(struct walker *w, int fd, const struct stat *st,
		  uint32_t source, uint64_t parent, struct err *err)
{
	enum rc rc = push(w, fd, st, source, parent, err);

	return walk_subdirs(w, rc, err);
}

enum rc walk_down_task(struct walker *w, struct walk_task *t, struct err *err)
{
	struct walk_frame *f;
	enum rc rc = RC_OK;

	buf_clear(&w->step.uid);
	buf_append(&w->step.uid, t->uid, t->frame.uid_len);
	f = push_frame(w, &t->frame);
	t->frame = (struct walk_frame){ .fd = -1 };
	if (t->subdirs)
		rc = name_stack_add(&w->subdirs, &f->subdirs, t->subdirs,
				    t->subdirs_len, err);
	if (!rc && t->names) {
		attr_enter(w->step.attrs, f->fd);
		rc = walk_names(w, f, t->names, t->names_len, err);
		if (!rc)
			rc = end_names(w, f, err);
	}
	return walk_subdirs(w, rc, err);
}
