/* SPDX-License-Identifier: Apache-2.0 */
/* walk-step.c - what both ways of walking do with one name. */
#include "config.h"

#include "pack/walk-step.h"

#include <string.h>

#include "pack/dirs.h"
#include "pack/keep.h"
#include "pack/links.h"
#include "pack/report.h"
#include "shard/shard-format.h"

void walk_step_init(struct walk_step *w, const struct walk_options *opts)
{
	*w = (struct walk_step){ .opts = opts };
	w->attrs = attr_reader_new();
	buf_init(&w->uid, 2 * UID_MAX_LEN);
}

void walk_step_release(struct walk_step *w)
{
	attr_reader_free(w->attrs);
	buf_release(&w->uid);
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
	if (it->type != ENTRY_DIR && st->st_nlink > 1)
		it->link = links_add(o->links, st->st_dev, st->st_ino,
				     step_uid(w));
	report_found(o->report, it->type == ENTRY_REG ? it->size : 0);
	return o->emit(o->arg, it, err);
}

enum rc walk_emit(struct walk_step *w, int dir, const char *name,
		  const struct stat *st, const struct item *like,
		  struct err *err)
{
	struct item it = *like;
	struct err failure;

	if (!attr_from_stat(st, &it)) {
		report_left_out(w->opts->report, step_uid(w), "socket");
		return RC_OK;
	}
	it.nlink = it.type == ENTRY_DIR ? like->nlink : 1;
	if (attr_read(w->attrs, dir, name, &it, &failure)) {
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

enum rc walk_add_root(struct walk_step *w, uint64_t *ret, struct err *err)
{
	struct item it = { .type = ENTRY_DIR,
			   .dir = ITEM_NO_DIR,
			   .implicit = true,
			   .mode = 0755 };

	return dirs_add(w->opts->dirs, &it, ret, err);
}

bool walk_meets_archive(const struct walk_step *w, const struct stat *st)
{
	const struct walk_options *o = w->opts;

	return o->has_archive && st->st_dev == o->archive_dev &&
	       st->st_ino == o->archive_ino;
}

bool walk_is_archive(struct walk_step *w, const struct stat *st)
{
	if (!walk_meets_archive(w, st))
		return false;
	report_left_out(w->opts->report, step_uid(w), "the archive itself");
	return true;
}
