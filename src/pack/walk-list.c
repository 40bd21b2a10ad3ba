/* SPDX-License-Identifier: Apache-2.0 */
/* walk-list.c - finds the files that a list names. */
#include "config.h"

#include "pack/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sorter.h"
#include "base/stop.h"
#include "base/workers.h"
#include "pack/dirs.h"
#include "pack/filter.h"
#include "pack/list-file.h"
#include "pack/own.h"
#include "pack/report.h"
#include "pack/walk-step.h"
#include "shard/shard-format.h"

#define LIST_MEMORY (16u << 20) /* bytes of names sorted in memory */

struct list {
	struct walk_step step;
	const struct walk_options *opts;
	struct sorter *names; /* those listed and the directories they are in */
	struct buf key, last;
	/* The directory of the names looked at now. */
	struct buf parent;
	int fd;           /* -1: could not be entered, err says why */
	bool is_archive;  /* or should not, as the archive is there */
	bool has_entered; /* it could, and should */
	uint64_t number;
	struct err err;
	const char *file;   /* the list */
	struct err failure; /* of the whole */
};

static enum rc add_name(struct list *l, struct span uid, struct err *err)
{
	struct span parent, name;

	entry_split_uid(uid, &parent, &name);
	buf_clear(&l->key);
	item_key_encode(parent, name, &l->key);
	return sorter_add(l->names, 0, span_of(l->key.p, l->key.len),
			  span_of("", 0), err);
}

/* Add the directories uid is in that the one added before was not in. */
static enum rc add_ancestors(struct list *l, struct span uid, struct err *err)
{
	struct span last = span_of(l->last.p, l->last.len);
	struct span parent, name;
	enum rc rc = RC_OK;

	entry_split_uid(uid, &parent, &name);
	while (!rc && parent.len) {
		bool known = last.len > parent.len &&
			     last.p[parent.len] == '/' &&
			     !memcmp(last.p, parent.p, parent.len);
		struct span up;

		if (known)
			break;
		rc = add_name(l, parent, err);
		entry_split_uid(parent, &up, &name);
		parent = up;
	}
	buf_clear(&l->last);
	buf_append(&l->last, uid.p, uid.len);
	return rc;
}

/* A path as people write it, in place: without "./", "//" and '/' at either
 * end.  RC_USAGE when it leads upwards.
 */
static enum rc normalise(char *path, size_t *len, struct err *err)
{
	size_t in = 0, out = 0;

	while (in < *len) {
		const char *slash = memchr(path + in, '/', *len - in);
		size_t n = slash ? (size_t)(slash - path) - in : *len - in;

		if (n == 2 && !memcmp(path + in, "..", 2))
			return err_set(err, RC_USAGE,
				       "%s: leads out of the source", path);
		if (n && !(n == 1 && path[in] == '.')) {
			if (out)
				path[out++] = '/';
			memmove(path + out, path + in, n);
			out += n;
		}
		in += n + 1;
	}
	*len = out;
	return RC_OK;
}

static enum rc read_list(struct list *l, struct list_file *f, struct err *err)
{
	enum rc rc = add_name(l, span_of("", 0), err);

	while (!rc) {
		char *path = NULL;
		size_t len = 0;

		rc = list_file_next(f, &path, &len, err);
		if (rc == RC_NOENT)
			return RC_OK;
		if (!rc)
			rc = normalise(path, &len, err);
		if (!rc)
			rc = add_ancestors(l, span_of(path, len), err);
		if (!rc)
			rc = add_name(l, span_of(path, len), err);
	}
	return rc == RC_STOPPED ? rc : err_prefix(err, "%s", f->name);
}

/* The name as a string; false when no file system could have it. */
static bool name_text(struct span name, char out[NAME_MAX + 1], struct err *err)
{
	if (name.len > NAME_MAX) {
		err_set(err, RC_LIMIT, "name of %zu bytes", name.len);
		return false;
	}
	memcpy(out, name.p, name.len);
	out[name.len] = '\0';
	return true;
}

/* Open the next directory of the way; takes the place of l->fd.  is_new: it was
 * not on the way before.
 */
static enum rc enter_name(struct list *l, struct span name, bool is_new,
			  struct err *err)
{
	char text[NAME_MAX + 1];
	struct stat st;
	int fd = -1;

	if (name_text(name, text, &l->err)) {
		fd = openat(l->fd, text,
			    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			err_set_errno(&l->err, errno, "cannot be examined");
	}
	close(l->fd);
	l->fd = fd;
	if (fd < 0)
		return RC_OK;
	if (fstat(fd, &st))
		return err_set_errno(err, errno, "directories");
	l->is_archive = own_is_dir(l->opts->own, &st) ||
			(is_new && own_holds(l->opts->own, fd));
	if (l->is_archive) {
		close(fd);
		l->fd = -1;
		return RC_OK;
	}
	return walk_add_dir(&l->step, &st, l->number, &l->number, err);
}

/* Did the way to the directory looked at last lead through this one? */
static bool was_entered(const struct list *l, struct span dir)
{
	const struct buf *last = &l->parent;

	return l->has_entered && dir.len <= last->len &&
	       !memcmp(last->p, dir.p, dir.len) &&
	       (dir.len == last->len || last->p[dir.len] == '/');
}

/* Make parent the directory looked at. */
static enum rc enter_parent(struct list *l, struct span parent, struct err *err)
{
	const struct source *s = &l->opts->sources->v[0];
	struct stat st;
	size_t at = 0;
	enum rc rc;

	if (l->fd >= 0)
		close(l->fd);
	l->is_archive = false;
	l->fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
	if (l->fd < 0 || fstat(l->fd, &st))
		return err_set_errno(err, errno, "%s", s->path);
	rc = walk_add_dir(&l->step, &st, ITEM_NO_DIR, &l->number, err);
	while (!rc && at < parent.len && l->fd >= 0) {
		const char *from = parent.p + at;
		const char *slash = memchr(from, '/', parent.len - at);
		size_t len = slash ? (size_t)(slash - from) : parent.len - at;

		rc = enter_name(l, span_of(from, len),
				!was_entered(l, span_of(parent.p, at + len)),
				err);
		at += len + 1;
	}
	l->has_entered = l->fd >= 0;
	if (l->has_entered)
		attr_enter(l->step.attrs, l->fd);
	buf_clear(&l->parent);
	buf_append(&l->parent, parent.p, parent.len);
	return rc;
}

static enum rc look_at(struct list *l, struct span name, struct err *err)
{
	struct walk_step *w = &l->step;
	struct item like = { .dir = l->number };
	char text[NAME_MAX + 1];
	struct stat st;

	if (l->is_archive)
		return RC_OK; /* which its own name reports */
	if (l->fd < 0) {
		walk_fail(w, &l->err);
		return RC_OK;
	}
	if (!name_text(name, text, &l->err)) {
		walk_fail(w, &l->err);
		return RC_OK;
	}
	if (fstatat(l->fd, text, &st, AT_SYMLINK_NOFOLLOW)) {
		err_set_errno(&l->err, errno, "cannot be examined");
		walk_fail(w, &l->err);
		return RC_OK;
	}
	if (filter_excludes_below(l->opts->filter, (const char *)w->uid.p,
				  w->uid.len, S_ISDIR(st.st_mode))) {
		report_excluded(l->opts->report);
		return RC_OK;
	}
	if (S_ISDIR(st.st_mode) &&
	    (walk_is_archive(w, &st) || walk_holds_archive(w, l->fd, text)))
		return RC_OK;
	return walk_emit(w, text, &st, &like, err);
}

static enum rc emit_root(struct list *l, struct err *err)
{
	struct item like = { .dir = ITEM_NO_DIR };
	struct stat st;

	if (enter_parent(l, span_of("", 0), err))
		return err->rc;
	if (fstat(l->fd, &st))
		return err_set_errno(err, errno, "%s",
				     l->opts->sources->v[0].path);
	return walk_emit_dir(&l->step, l->fd, &st, &like, err);
}

static enum rc walk_key(struct list *l, struct span key, struct err *err)
{
	struct span parent, name;
	enum rc rc = RC_OK;

	if (!item_key_decode(key, &parent, &name))
		return err_set(err, RC_IO, "temporary data were damaged");
	buf_clear(&l->step.uid);
	if (!name.len)
		return emit_root(l, err);
	if (!span_equal(parent, span_of(l->parent.p, l->parent.len)))
		rc = enter_parent(l, parent, err);
	buf_append(&l->step.uid, parent.p, parent.len);
	if (parent.len)
		buf_append_str(&l->step.uid, "/");
	buf_append(&l->step.uid, name.p, name.len);
	return rc ? rc : look_at(l, name, err);
}

static enum rc walk_names(struct list *l, struct sorter_reader *r,
			  struct err *err)
{
	struct span key, value;
	enum rc rc;

	buf_clear(&l->last);
	for (;;) {
		rc = sorter_next(r, &key, &value, err);
		if (rc)
			return rc == RC_NOENT ? RC_OK : rc;
		if (stop_requested())
			return err_set(err, RC_STOPPED, "stopped by a signal");
		if (l->last.len &&
		    span_equal(key, span_of(l->last.p, l->last.len)))
			continue;
		buf_clear(&l->last);
		buf_append(&l->last, key.p, key.len);
		rc = walk_key(l, key, err);
		if (rc)
			return rc;
	}
}

static enum rc list_run(struct list *l, struct list_file *f, struct err *err)
{
	struct sorter_reader *r = NULL;
	enum rc rc = walk_step_init(&l->step, l->opts, 0, err);

	if (!rc)
		rc = read_list(l, f, err);
	if (!rc)
		rc = sorter_finish(l->names, err);
	if (!rc)
		rc = sorter_read(l->names, 0, &r, err);
	if (!rc)
		rc = walk_names(l, r, err);
	sorter_reader_free(r);
	walk_step_release(&l->step);
	return rc;
}

static void list_main(void *arg)
{
	struct list *l = arg;
	struct list_file f = { 0 };

	if (!list_file_open(&f, l->file, &l->failure) &&
	    !list_run(l, &f, &l->failure))
		l->failure.rc = RC_OK;
	list_file_close(&f);
}

enum rc walk_list(const struct walk_options *opts, const char *list,
		  const char *spool_dir, struct err *err)
{
	struct list l = { .opts = opts, .file = list, .fd = -1 };
	struct workers *thread = NULL;
	enum rc rc = workers_start(&thread, "walk", 1, 1, err);

	if (rc)
		return rc;
	buf_init(&l.key, 2 * UID_MAX_LEN);
	buf_init(&l.last, 2 * UID_MAX_LEN);
	buf_init(&l.parent, 2 * UID_MAX_LEN);
	l.names = sorter_new(spool_dir, LIST_MEMORY, 1);
	workers_submit(thread, list_main, &l);
	workers_stop(thread);
	sorter_free(l.names);
	if (l.fd >= 0)
		close(l.fd);
	buf_release(&l.key);
	buf_release(&l.last);
	buf_release(&l.parent);
	*err = l.failure;
	return err->rc;
}
