/* SPDX-License-Identifier: Apache-2.0 */
/* walk-step.c - what all ways of walking do with one name. */
#include "config.h"

#include "pack/walk-step.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "pack/dirs.h"
#include "pack/filter.h"
#include "pack/keep.h"
#include "pack/links.h"
#include "pack/own.h"
#include "pack/report.h"
#include "shard/shard-format.h"

/* Names found between two reports. */
#define REPORT_AFTER 256

enum rc walk_step_init(struct walk_step *w, const struct walk_options *opts,
		       unsigned int walker, struct err *err)
{
	*w = (struct walk_step){ .opts = opts, .walker = walker };
	w->attrs = attr_reader_new();
	buf_init(&w->uid, 2 * UID_MAX_LEN);
	attr_own_directory(w->attrs);
	if (attr_needs_proc(w->attrs) && access("/proc/self/fd", X_OK))
		return err_set_errno(err, errno,
				     "/proc/self/fd, needed to read "
				     "extended attributes");
	return RC_OK;
}

void walk_step_release(struct walk_step *w)
{
	walk_step_report(w);
	attr_reader_free(w->attrs);
	buf_release(&w->uid);
}

void walk_step_report(struct walk_step *w)
{
	if (w->n_found)
		report_found(w->opts->report, w->n_found, w->found_bytes);
	w->n_found = w->found_bytes = 0;
}

static struct span step_uid(const struct walk_step *w)
{
	return span_of(w->uid.p, w->uid.len);
}

void walk_fail(struct walk_step *w, const struct err *err)
{
	report_failed(w->opts->report, step_uid(w), err);
	keep_add(w->opts->keep, step_uid(w));
}

bool walk_set_uid(struct walk_step *w, size_t parent_len, const char *name)
{
	struct err err;

	w->uid.len = parent_len;
	if (parent_len)
		buf_append_str(&w->uid, "/");
	buf_append_str(&w->uid, name);
	if (w->uid.len <= UID_MAX_LEN)
		return true;
	err_set(&err, RC_LIMIT, "path of more than %u bytes", UID_MAX_LEN);
	walk_fail(w, &err);
	return false;
}

static enum rc emit_item(struct walk_step *w, struct item *it,
			 const struct stat *st, struct err *err)
{
	const struct walk_options *o = w->opts;

	entry_split_uid(step_uid(w), &it->parent, &it->name);
	it->link = it->type != ENTRY_DIR && st->st_nlink > 1;
	if (it->link && links_add(o->links, w->walker, st->st_dev, st->st_ino,
				  step_uid(w), err))
		return err->rc;
	w->found_bytes += it->type == ENTRY_REG ? it->size : 0;
	if (++w->n_found == REPORT_AFTER)
		walk_step_report(w);
	return o->emit(o->arg, w->walker, it, err);
}

static bool is_wanted(const struct walk_step *w)
{
	const struct walk_options *o = w->opts;

	return !o->wants || o->wants(o->arg, step_uid(w));
}

enum rc walk_emit(struct walk_step *w, const char *name, const struct stat *st,
		  const struct item *like, struct err *err)
{
	struct item it = *like;
	struct err failure;

	if (!attr_from_stat(st, &it)) {
		report_left_out(w->opts->report, step_uid(w), "socket");
		return RC_OK;
	}
	it.nlink = it.type == ENTRY_DIR ? like->nlink : 1;
	if (is_wanted(w) && attr_read(w->attrs, name, &it, &failure)) {
		walk_fail(w, &failure);
		return RC_OK;
	}
	return emit_item(w, &it, st, err);
}

enum rc walk_emit_dir(struct walk_step *w, int fd, const struct stat *st,
		      const struct item *like, struct err *err)
{
	struct item it = *like;
	struct err failure;

	if (!attr_from_stat(st, &it))
		return err_set(err, RC_IO, "no directory any more");
	it.nlink = like->nlink;
	if (is_wanted(w) && attr_read_dir(w->attrs, fd, &it, &failure)) {
		walk_fail(w, &failure);
		return RC_OK;
	}
	return emit_item(w, &it, st, err);
}

enum rc walk_add_dir(struct walk_step *w, const struct stat *st,
		     uint64_t parent, uint64_t *ret, struct err *err)
{
	struct item it = { .dir = parent, .implicit = true };

	if (!attr_from_stat(st, &it))
		return err_set(err, RC_IO, "no directory any more");
	it.nlink = 0;
	return dirs_add(w->opts->dirs, &it, ret, err);
}

enum rc walk_add_root(const struct walk_options *opts, uint64_t *ret,
		      struct err *err)
{
	struct item it = { .type = ENTRY_DIR,
			   .dir = ITEM_NO_DIR,
			   .implicit = true,
			   .mode = 0755 };

	return dirs_add(opts->dirs, &it, ret, err);
}

bool walk_is_archive(struct walk_step *w, const struct stat *st)
{
	if (!own_is_dir(w->opts->own, st))
		return false;
	report_left_out(w->opts->report, step_uid(w), "the archive itself");
	return true;
}

bool walk_holds_archive(struct walk_step *w, int dir, const char *name)
{
	if (!own_holds_below(w->opts->own, dir, name))
		return false;
	report_left_out(w->opts->report, step_uid(w),
			"the archive itself, or a copy of it");
	return true;
}

bool walk_is_excluded(struct walk_step *w, bool is_dir)
{
	const struct filter *f = w->opts->filter;

	if (!f || !w->uid.len ||
	    !filter_excludes(f, (char *)w->uid.p, w->uid.len, is_dir))
		return false;
	report_excluded(w->opts->report);
	return true;
}
