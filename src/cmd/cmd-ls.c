/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-ls.c - desfs ls: what is in an archive. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/opt-rows.h"
#include "cmd/cmd.h"
#include "cmd/entry-text.h"
#include "cmd/json-row.h"
#include "cmd/open-archive.h"
#include "cmd/tell.h"
#include "cmd/todo.h"
#include "conf/conf-opts.h"
#include "volume/volume.h"

struct ls_options {
	bool is_long;
	bool recursive;
	bool directory;
	bool null;
	bool json;
	struct conf conf;
};

static const struct opt ls_opts[] = {
	{ .name = "long",
	  .letter = 'l',
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct ls_options, is_long),
	  .help = "with mode, links, owner, group, size and time (UTC)" },
	{ .name = "recursive",
	  .letter = 'R',
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct ls_options, recursive),
	  .help = "list directories in directories too" },
	{ .name = "directory",
	  .letter = 'd',
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct ls_options, directory),
	  .help = "list directories themselves, not what is in them" },
	{ .name = "null",
	  .letter = '0',
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct ls_options, null),
	  .help = "end each line with a NUL, for xargs -0" },
	OPT_ROW_JSON(struct ls_options, json,
		     "print one JSON object for each entry"),
	CONF_OPTS(struct ls_options, conf)
};

struct ls {
	const struct ls_options *o;
	struct volume *v;
	struct todo todo;
	struct span dir; /* path of the directory being listed */
	struct buf line;
	bool escape;
	bool headings;
	bool any_output;
};

/* name is what is shown, path what JSON and pipes with -R get. */
static void print_entry(struct ls *ls, struct span name, struct span path,
			const struct entry *e)
{
	struct buf *b = &ls->line;

	buf_clear(b);
	ls->any_output = true;
	if (ls->o->json) {
		json_row_begin(b);
		entry_json(path, e, b);
		json_row_end(b, stdout);
		return;
	}
	if (ls->o->is_long)
		entry_long_text(e, b);
	entry_path_text(name.len ? name : span_of(".", 1), ls->escape, b);
	if (ls->o->is_long && e->type == ENTRY_SYMLINK) {
		buf_append_str(b, " -> ");
		entry_path_text(e->target, ls->escape, b);
	}
	buf_append(b, ls->o->null ? "" : "\n", 1);
	if (buf_ok(b))
		fwrite(b->p, 1, b->len, stdout);
}

static void print_heading(struct ls *ls)
{
	struct buf *b = &ls->line;

	if (!ls->headings || ls->o->json)
		return;
	buf_clear(b);
	if (ls->any_output && !ls->o->null)
		buf_append_str(b, "\n");
	entry_path_text(ls->dir.len ? ls->dir : span_of(".", 1), ls->escape, b);
	buf_append_str(b, ":");
	buf_append(b, ls->o->null ? "" : "\n", 1);
	if (buf_ok(b))
		fwrite(b->p, 1, b->len, stdout);
	ls->any_output = true;
}

static bool list_entry(void *arg, struct span name,
		       const struct volume_entry *ve, uint64_t next_cookie)
{
	struct ls *ls = arg;
	struct span path = path_join(ls->dir, name);

	(void)next_cookie;
	print_entry(ls, name, path, &ve->e);
	if (ls->o->recursive && ve->e.type == ENTRY_DIR)
		todo_push(&ls->todo, ls->dir, name, ve->node);
	free((void *)(uintptr_t)path.p);
	return !ferror(stdout);
}

static enum rc list_dir(struct ls *ls, const struct todo_dir *d,
			struct err *err)
{
	struct volume_entry ve;
	enum rc rc;

	ls->dir = d->path;
	print_heading(ls);
	rc = volume_get(ls->v, d->node, &ve, err);
	if (rc)
		return rc;
	rc = volume_readdir(ls->v, &ve, 0, list_entry, ls, err);
	volume_entry_release(&ve);
	return rc;
}

/* The directory at path, and with -R all below it. */
static enum rc list_tree(struct ls *ls, struct span path,
			 struct volume_node node, struct err *err)
{
	struct todo_dir d;
	enum rc worst = RC_OK;

	todo_push(&ls->todo, path, span_of("", 0), node);
	while (todo_pop(&ls->todo, &d)) {
		enum rc rc = list_dir(ls, &d, err);

		/* Not what was deleted since it was listed. */
		if (rc && rc != RC_DELETED) {
			tell_failed(d.path, err);
			worst = rc;
		}
		todo_dir_release(&d);
	}
	return worst;
}

/* Errors are told here. */
static enum rc list_path(struct ls *ls, const char *path)
{
	struct span span = span_of(path, strlen(path));
	struct volume_entry ve;
	struct err err;
	enum rc rc;

	rc = volume_resolve(ls->v, span, &ve, &err);
	if (rc) {
		tell_failed(span, &err);
		return rc;
	}
	if (ve.e.type == ENTRY_DIR && !ls->o->directory)
		rc = list_tree(ls, span, ve.node, &err);
	else
		print_entry(ls, span, span, &ve.e);
	volume_entry_release(&ve);
	return rc;
}

static enum rc ls_run(const void *options, int argc, char **argv,
		      struct err *err)
{
	struct ls ls = { .o = options, .line = { .max = JSON_ROW_MAX } };
	char root[] = "";
	char *all[] = { root, NULL };
	char **paths = argc > 1 ? argv + 1 : all;
	size_t n = argc > 1 ? (size_t)argc - 1 : 1, n_failed = 0;
	struct open_archive archive;
	enum rc rc, last = RC_OK;

	rc = open_archive(&archive, argv[0], &ls.o->conf, err);
	if (rc)
		return rc;
	ls.v = archive.v;
	ls.escape = isatty(STDOUT_FILENO) && !ls.o->null;
	ls.headings = ls.o->recursive || n > 1;
	for (size_t i = 0; i < n; i++) {
		rc = list_path(&ls, paths[i]);
		if (rc) {
			last = rc;
			n_failed++;
		}
	}
	rc = archive_result(&archive, tell_result(n_failed, n, last, err), err);
	close_archive(&archive);
	todo_release(&ls.todo);
	buf_release(&ls.line);
	return rc;
}

static const struct ls_options ls_defaults = { .conf = CONF_INIT };

const struct cmd cmd_ls = {
	.name = "ls",
	.usage = "[OPTION]... ARCHIVE [PATH]...",
	.summary = "list files of an archive",
	.opts = ls_opts,
	.n_opts = ARRAY_LEN(ls_opts),
	.defaults = &ls_defaults,
	.options_size = sizeof(ls_defaults),
	.min_args = 1,
	.max_args = CMD_ANY_ARGS,
	.run = ls_run,
};
