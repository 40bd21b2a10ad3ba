/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-extract.c - desfs extract: files of an archive as files of a directory.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/stop.h"
#include "cmd/cmd.h"
#include "cmd/open-archive.h"
#include "cmd/tell.h"
#include "cmd/todo.h"
#include "conf/conf-opts.h"
#include "pack/by-place.h"
#include "restore/restore.h"
#include "restore/volume-source.h"
#include "volume/volume.h"

struct extract_options {
	bool overwrite, setuid, devices, no_owner, no_xattrs, verbose;
	struct conf conf;
};

static const struct opt extract_opts[] = {
	{ .name = "overwrite",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct extract_options, overwrite),
	  .help = "replace files that are there already" },
	{ .name = "setuid",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct extract_options, setuid),
	  .help = "keep setuid and setgid bits and capabilities" },
	{ .name = "devices",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct extract_options, devices),
	  .help = "make device nodes" },
	{ .name = "no-owner",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct extract_options, no_owner),
	  .help = "do not set owner and group, which root does" },
	{ .name = "no-xattrs",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct extract_options, no_xattrs),
	  .help = "do not set extended attributes" },
	{ .name = "verbose",
	  .letter = 'v',
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct extract_options, verbose),
	  .help = "tell at the end how much was written" },
	CONF_OPTS(struct extract_options, conf)
};

/* Files of several directories that are done together, where they lie in an
 * order that has nothing to do with directories and each read is a request.
 */
#define TOGETHER_MAX (64u << 10)

struct extract {
	struct volume *v;
	bool is_together;
	struct restore *to;
	struct todo todo;
	struct span dir;       /* path of the directory being done */
	struct by_place files; /* of that directory, or of several */
	uint64_t n_failed;
	bool is_full; /* the target's file system */
};

/* What was deleted since it was listed is as if it had never been. */
static void failed(struct extract *x, struct span path, const struct err *err)
{
	if (err->rc == RC_DELETED)
		return;
	tell_failed(path, err);
	x->n_failed++;
	x->is_full |= err->rc == RC_NOSPACE;
}

static void entry_failed(struct extract *x, const struct entry *e,
			 const struct err *err)
{
	struct span path = path_join(e->parent, e->name);

	failed(x, path, err);
	free((void *)(uintptr_t)path.p);
}

static void tell_note(void *arg, const struct entry *e, const char *text)
{
	struct span path = path_join(e->parent, e->name);
	struct err err = { .msg = "" };

	(void)arg;
	err_set(&err, RC_OK, "%s", text);
	tell_failed(path, &err);
	free((void *)(uintptr_t)path.p);
}

/* --- entries -------------------------------------------------------------- */

static void restore_one(struct extract *x, const struct volume_entry *ve)
{
	struct volume_source s;
	const struct restore_source src = volume_source(&s, x->v, ve);
	struct err err;

	if (restore_entry(x->to, &ve->e, &src, &err))
		entry_failed(x, &ve->e, &err);
}

/* --- directories ---------------------------------------------------------- */

/* Directories and small things at once; files when their order is known. */
static bool sort_in(void *arg, struct span name, const struct volume_entry *ve,
		    uint64_t next_cookie)
{
	struct extract *x = arg;

	(void)next_cookie;
	if (ve->e.type == ENTRY_DIR) {
		todo_push(&x->todo, x->dir, name, ve->node);
	} else if (ve->e.type == ENTRY_REG) {
		by_place_add(&x->files, ve, 0);
	} else {
		restore_one(x, ve);
	}
	return !stop_requested() && !x->is_full;
}

static void restore_files(struct extract *x)
{
	by_place_sort(&x->files);
	for (size_t i = 0; i < x->files.n; i++) {
		struct volume_entry ve;
		struct err err;

		if (stop_requested() || x->is_full)
			break;
		if (volume_get(x->v, x->files.files[i].node, &ve, &err)) {
			failed(x, x->is_together ? span_of("", 0) : x->dir,
			       &err);
			continue;
		}
		restore_one(x, &ve);
		volume_entry_release(&ve);
	}
	x->files.n = 0;
}

static void restore_dir(struct extract *x, const struct todo_dir *d)
{
	struct volume_entry ve;
	struct err err;

	x->dir = d->path;
	if (volume_get(x->v, d->node, &ve, &err)) {
		failed(x, d->path, &err);
		return;
	}
	if (restore_entry(x->to, &ve.e, NULL, &err))
		failed(x, d->path, &err);
	else if (volume_readdir(x->v, &ve, 0, sort_in, x, &err))
		failed(x, d->path, &err);
	volume_entry_release(&ve);
	if (!x->is_together || x->files.n >= TOGETHER_MAX)
		restore_files(x);
}

static void restore_tree(struct extract *x, struct span path,
			 struct volume_node node)
{
	struct todo_dir d;

	todo_push(&x->todo, path, span_of("", 0), node);
	while (todo_pop(&x->todo, &d)) {
		if (!stop_requested() && !x->is_full)
			restore_dir(x, &d);
		todo_dir_release(&d);
	}
	restore_files(x);
}

/* --- the command ---------------------------------------------------------- */

/* The directories above a path that was asked for. */
static enum rc restore_above(struct extract *x, struct span uid,
			     struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 1; i < uid.len && !rc; i++) {
		struct volume_entry ve;

		if (uid.p[i] != '/')
			continue;
		rc = volume_resolve(x->v, span_of(uid.p, i), &ve, err);
		if (rc)
			return rc;
		rc = restore_entry(x->to, &ve.e, NULL, err);
		volume_entry_release(&ve);
	}
	return rc;
}

static void restore_path(struct extract *x, const char *path)
{
	struct span span = span_of(path, strlen(path)), uid;
	struct volume_entry ve;
	struct err err;

	if (volume_resolve(x->v, span, &ve, &err)) {
		failed(x, span, &err);
		return;
	}
	uid = path_join(ve.e.parent, ve.e.name);
	if (restore_above(x, uid, &err))
		failed(x, span, &err);
	else if (ve.e.type == ENTRY_DIR)
		restore_tree(x, uid, ve.node);
	else
		restore_one(x, &ve);
	free((void *)(uintptr_t)uid.p);
	volume_entry_release(&ve);
}

static void restore_all(struct extract *x, int argc, char **argv)
{
	struct err err;

	for (int i = 2; i < argc && !stop_requested() && !x->is_full; i++)
		restore_path(x, argv[i]);
	if (argc == 2)
		restore_path(x, "");
	if (restore_finish(x->to, &err))
		failed(x, span_of("", 0), &err);
}

static enum rc result(const struct extract *x, struct err *err)
{
	if (stop_requested())
		return err_set(err, RC_STOPPED, "stopped by a signal");
	if (x->is_full)
		return err_set(err, RC_NOSPACE, "no space left, gave up");
	if (x->n_failed)
		return err_set(err, RC_PARTIAL,
			       "%" PRIu64 " of the files failed", x->n_failed);
	return RC_OK;
}

static void print_totals(struct restore *to)
{
	struct restore_totals t;

	restore_totals(to, &t);
	tell("%" PRIu64 " files of %" PRIu64 " bytes, %" PRIu64
	     " directories, %" PRIu64 " others, %" PRIu64 " hard links",
	     t.files, t.bytes, t.dirs, t.others, t.links);
}

static enum rc extract_run(const void *options, int argc, char **argv,
			   struct err *err)
{
	const struct extract_options *o = options;
	const struct restore_options ro = {
		.owner = !geteuid() && !o->no_owner,
		.setuid = o->setuid,
		.devices = o->devices,
		.no_xattrs = o->no_xattrs,
		.overwrite = o->overwrite,
		.note = tell_note,
	};
	struct extract x = { .v = NULL };
	struct open_archive archive;
	enum rc rc;

	rc = stop_init(STOP_ON_HUP | STOP_TWICE_KILLS, err);
	if (!rc)
		rc = open_archive(&archive, argv[0], &o->conf, err);
	if (rc)
		return rc;
	x.v = archive.v;
	x.is_together = volume_is_legacy(x.v) && volume_is_remote(x.v);
	rc = restore_open(&x.to, argv[1], &ro, err);
	if (!rc) {
		restore_all(&x, argc, argv);
		if (o->verbose)
			print_totals(x.to);
		rc = archive_result(&archive, result(&x, err), err);
	}
	restore_free(x.to);
	close_archive(&archive);
	todo_release(&x.todo);
	free(x.files.files);
	return rc;
}

static const struct extract_options extract_defaults = { .conf = CONF_INIT };

const struct cmd cmd_extract = {
	.name = "extract",
	.usage = "[OPTION]... ARCHIVE DIR [PATH]...",
	.summary = "write files of an archive into a directory",
	.opts = extract_opts,
	.n_opts = ARRAY_LEN(extract_opts),
	.defaults = &extract_defaults,
	.options_size = sizeof(extract_defaults),
	.min_args = 2,
	.max_args = CMD_ANY_ARGS,
	.run = extract_run,
};
