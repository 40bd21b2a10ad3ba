/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-export.c - desfs export: files of an archive as one tar or zip. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/table.h"
#include "cmd/cmd.h"
#include "cmd/open-archive.h"
#include "cmd/out-file.h"
#include "cmd/tell.h"
#include "cmd/todo.h"
#include "conf/conf-opts.h"
#include "exchange/export.h"
#include "pack/by-place.h"
#include "restore/volume-source.h"
#include "volume/volume.h"

#define NO_NAME UINT64_MAX
/* Of one directory's entries in the view of a day. */
#define NAMES_MAX (UINT64_C(1) << 40)

/* Files of several directories that are done together, where they lie in an
 * order that has nothing to do with directories and each read is a request.
 */
#define TOGETHER_MAX (64u << 10)

enum format { FORMAT_AUTO, FORMAT_TAR, FORMAT_ZIP };

static const char *const format_names[] = { "auto", "tar", "zip", NULL };

struct export_cmd_options {
	enum format format;
	const char *output, *date;
	bool verbose;
	struct conf conf;
};

static const struct opt export_opts[] = {
	{ .name = "format",
	  .arg = "auto|tar|zip",
	  .kind = OPT_CHOICE,
	  .offset = offsetof(struct export_cmd_options, format),
	  .choices = format_names,
	  .help = "what is written; auto: by FILE's name, else tar" },
	{ .name = "output",
	  .letter = 'o',
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct export_cmd_options, output),
	  .help = "write there, not to standard output ('-')" },
	{ .name = "date",
	  .arg = "YYYYMMDD",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct export_cmd_options, date),
	  .help = "what came in on that day (UTC), all versions" },
	{ .name = "verbose",
	  .letter = 'v',
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct export_cmd_options, verbose),
	  .help = "tell at the end how much was written" },
	CONF_OPTS(struct export_cmd_options, conf)
};

/* A directory above one that was asked for, and in the stream already. */
struct above {
	char *path; /* owned */
	UT_hash_handle hh;
};

struct job {
	struct volume *v;
	uint32_t day; /* 0: the tree view */
	bool is_together;
	struct export *to;
	struct todo todo;
	struct span dir;       /* path of the directory being done */
	struct by_place files; /* of that directory, or of several */
	struct buf names;      /* theirs, where the entries have others */
	struct above *above;
	uint64_t n_failed;
	bool is_damaged;   /* files may be missing that nobody knows of */
	struct err broken; /* why the stream is */
};

static bool is_over(const struct job *j)
{
	return stop_requested() || export_is_broken(j->to);
}

/* What was deleted since it was listed is as if it had never been. */
static void failed(struct job *j, struct span path, const struct err *err)
{
	if (err->rc == RC_DELETED)
		return;
	if (export_is_broken(j->to)) {
		if (!j->broken.rc)
			j->broken = *err;
		return;
	}
	tell_failed(path.len ? path : span_of("/", 1), err);
	j->n_failed++;
}

/* --- entries -------------------------------------------------------------- */

static void export_one(struct job *j, struct span path,
		       const struct volume_entry *ve)
{
	struct volume_source s;
	const struct restore_source src = volume_source(&s, j->v, ve);
	struct err err;

	if (export_entry(j->to, path, &ve->e, &src, &err))
		failed(j, path, &err);
}

static void export_named(struct job *j, struct span name,
			 const struct volume_entry *ve)
{
	struct span path = path_join(j->dir, name);

	export_one(j, path, ve);
	free((void *)(uintptr_t)path.p);
}

/* In the view of a day, older versions have names of their own. */
static uint64_t keep_name(struct job *j, struct span name,
			  const struct volume_entry *ve)
{
	uint64_t at = j->names.len;

	if (span_equal(name, ve->e.name))
		return NO_NAME;
	buf_append(&j->names, name.p, name.len);
	buf_append(&j->names, "", 1);
	return at;
}

/* Directories and small things at once; files when their order is known. */
static bool sort_in(void *arg, struct span name, const struct volume_entry *ve,
		    uint64_t next_cookie)
{
	struct job *j = arg;

	(void)next_cookie;
	if (ve->e.type == ENTRY_DIR)
		todo_push(&j->todo, j->dir, name, ve->node);
	else if (ve->e.type == ENTRY_REG)
		by_place_add(&j->files, ve, keep_name(j, name, ve));
	else
		export_named(j, name, ve);
	return !is_over(j);
}

static struct span name_of(const struct job *j, const struct by_place_file *f,
			   const struct volume_entry *ve)
{
	const char *name;

	if (f->number == NO_NAME)
		return ve->e.name;
	name = (const char *)j->names.p + f->number;
	return span_of(name, strlen(name));
}

static void export_files(struct job *j)
{
	by_place_sort(&j->files);
	for (size_t i = 0; i < j->files.n && !is_over(j); i++) {
		const struct by_place_file *f = &j->files.files[i];
		struct volume_entry ve;
		struct err err;

		if (volume_get(j->v, f->node, &ve, &err)) {
			failed(j, j->is_together ? span_of("", 0) : j->dir,
			       &err);
			continue;
		}
		if (j->is_together)
			j->dir = ve.e.parent;
		export_named(j, name_of(j, f, &ve), &ve);
		volume_entry_release(&ve);
	}
	j->files.n = 0;
	buf_clear(&j->names);
}

static void export_dir(struct job *j, const struct todo_dir *d)
{
	struct volume_entry ve;
	struct err err;

	j->dir = d->path;
	if (volume_get(j->v, d->node, &ve, &err)) {
		failed(j, d->path, &err);
		return;
	}
	export_one(j, d->path, &ve);
	if (volume_readdir(j->v, &ve, 0, sort_in, j, &err))
		failed(j, d->path, &err);
	volume_entry_release(&ve);
	if (!j->is_together || j->files.n >= TOGETHER_MAX)
		export_files(j);
}

static void export_tree(struct job *j, struct span path,
			struct volume_node node)
{
	struct todo_dir d;

	todo_push(&j->todo, path, span_of("", 0), node);
	while (todo_pop(&j->todo, &d)) {
		if (!is_over(j))
			export_dir(j, &d);
		todo_dir_release(&d);
	}
	export_files(j);
}

/* --- paths ---------------------------------------------------------------- */

/* The next name of a path, without slashes; false at the end. */
static bool next_name(struct span path, size_t *pos, struct span *ret)
{
	size_t from;

	do {
		while (*pos < path.len && path.p[*pos] == '/')
			++*pos;
		for (from = *pos; *pos < path.len && path.p[*pos] != '/';)
			++*pos;
		*ret = span_of(path.p + from, *pos - from);
	} while (ret->len == 1 && *ret->p == '.');
	return ret->len;
}

/* As names are in the stream; owned. */
static struct span clean_path(const char *path)
{
	struct span s = span_of(path, strlen(path)), name;
	char *to = xcalloc(1, s.len + 1);
	size_t pos = 0, len = 0;

	while (next_name(s, &pos, &name)) {
		if (len)
			to[len++] = '/';
		memcpy(to + len, name.p, name.len);
		len += name.len;
	}
	return span_of(to, len);
}

static enum rc resolve(struct job *j, struct span path,
		       struct volume_entry *ret, struct err *err)
{
	struct volume_entry ve, next;
	struct span name;
	size_t pos = 0;
	enum rc rc;

	if (!j->day)
		return volume_resolve(j->v, path, ret, err);
	rc = volume_date_root(j->v, j->day, &ve, err);
	while (!rc && next_name(path, &pos, &name)) {
		rc = volume_lookup(j->v, &ve, name, &next, err);
		volume_entry_release(&ve);
		if (!rc)
			ve = next;
	}
	if (!rc)
		*ret = ve;
	return rc;
}

static bool is_first_time(struct job *j, struct span path)
{
	struct above *a = NULL;

	HASH_FIND(hh, j->above, path.p, path.len, a);
	if (a)
		return false;
	a = xcalloc(1, sizeof(*a));
	a->path = xmemdup0(path.p, path.len);
	HASH_ADD_KEYPTR(hh, j->above, a->path, path.len, a);
	return true;
}

/* The directories above a path that was asked for. */
static enum rc export_above(struct job *j, struct span path, struct err *err)
{
	for (size_t i = 1; i < path.len; i++) {
		struct span above = span_of(path.p, i);
		struct volume_entry ve;
		enum rc rc;

		if (path.p[i] != '/' || !is_first_time(j, above))
			continue;
		rc = resolve(j, above, &ve, err);
		if (rc)
			return rc;
		export_one(j, above, &ve);
		volume_entry_release(&ve);
	}
	return RC_OK;
}

static void export_path(struct job *j, const char *asked)
{
	struct span path = clean_path(asked);
	struct volume_entry ve;
	struct err err;

	if (resolve(j, path, &ve, &err)) {
		failed(j, span_of(asked, strlen(asked)), &err);
	} else {
		if (export_above(j, path, &err))
			failed(j, path, &err);
		else if (ve.e.type == ENTRY_DIR)
			export_tree(j, path, ve.node);
		else
			export_one(j, path, &ve);
		volume_entry_release(&ve);
	}
	free((void *)(uintptr_t)path.p);
}

static void release(struct job *j)
{
	struct above *a, *next;

	HASH_ITER(hh, j->above, a, next)
	{
		HASH_DEL(j->above, a);
		free(a->path);
		free(a);
	}
	todo_release(&j->todo);
	buf_release(&j->names);
	free(j->files.files);
	export_free(j->to);
}

/* --- the command ---------------------------------------------------------- */

static enum rc choose(const struct export_cmd_options *o,
		      struct export_options *ret, struct err *err)
{
	bool is_file = o->output && strcmp(o->output, "-");
	bool is_known = is_file &&
			export_by_name(o->output, &ret->format, &ret->filter);
	enum export_format asked =
		o->format == FORMAT_ZIP ? EXPORT_ZIP : EXPORT_TAR;

	if (is_known && (o->format == FORMAT_AUTO || ret->format == asked))
		return RC_OK;
	if (is_known)
		return err_set(err, RC_USAGE,
			       "%s does not end as a %s does, see --format",
			       o->output, format_names[o->format]);
	if (is_file && o->format == FORMAT_AUTO)
		return err_set(err, RC_USAGE,
			       "what to write to %s? see --format", o->output);
	ret->format = asked;
	ret->filter = EXPORT_PLAIN;
	return RC_OK;
}

static enum rc parse_day(const char *s, uint32_t *ret, struct err *err)
{
	int64_t day = 0;

	*ret = 0;
	if (!s)
		return RC_OK;
	if (strlen(s) != 8 || opt_number(s, 10, 10101, 99991231, &day, err))
		return err_set(err, RC_USAGE, "--date: want YYYYMMDD, not '%s'",
			       s);
	*ret = (uint32_t)day;
	return RC_OK;
}

static void tell_totals(const struct job *j, bool is_zip, bool is_verbose)
{
	struct export_totals t;

	export_totals(j->to, &t);
	if (t.no_special || t.no_xattrs || (is_zip && t.no_link))
		tell("zip has no place for: %" PRIu64
		     " devices and FIFOs, left out; extended attributes of "
		     "%" PRIu64 " entries; %" PRIu64
		     " hard links, which are copies",
		     t.no_special, t.no_xattrs, t.no_link);
	if (t.no_meta)
		tell("the metadata of %" PRIu64
		     " entries, which 'desfs stat' shows, have no place in it",
		     t.no_meta);
	if (t.odd_xattrs)
		tell("GNU tar restores extended attributes of %" PRIu64
		     " entries under other names, with %%XX for bytes that are "
		     "no visible ASCII",
		     t.odd_xattrs);
	if (t.padded)
		tell("%" PRIu64 " files could not be read to their end; zeros "
		     "stand for the rest",
		     t.padded);
	if (is_verbose)
		tell("%" PRIu64 " files of %" PRIu64 " bytes, %" PRIu64
		     " directories, %" PRIu64 " others, %" PRIu64 " hard links",
		     t.files, t.bytes, t.dirs, t.others, t.links);
}

static enum rc result(struct job *j, struct err *err)
{
	if (stop_requested())
		return err_set(err, RC_STOPPED, "stopped by a signal");
	if (j->broken.rc) {
		*err = j->broken;
		return err->rc;
	}
	return export_finish(j->to, err);
}

static enum rc export_all(struct job *j, const struct export_cmd_options *o,
			  const struct export_options *eo, int argc,
			  char **argv, struct err *err)
{
	enum rc rc;

	for (int i = 1; i < argc && !is_over(j); i++)
		export_path(j, argv[i]);
	if (argc == 1)
		export_path(j, "");
	rc = result(j, err);
	if (!rc)
		tell_totals(j, eo->format == EXPORT_ZIP, o->verbose);
	return rc;
}

static enum rc run_job(struct job *j, const struct export_cmd_options *o,
		       struct export_options *eo, int argc, char **argv,
		       struct err *err)
{
	struct out_file out;
	bool is_aside = false;
	enum rc rc = out_file_open(&out, o->output, err);

	if (rc)
		return rc;
	eo->fd = out.fd;
	rc = export_open(&j->to, eo, err);
	if (!rc)
		rc = export_all(j, o, eo, argc, argv, err);
	if (!rc)
		rc = j->n_failed || j->is_damaged
			     ? out_file_commit_partial(&out, &is_aside, err)
			     : out_file_commit(&out, err);
	if (!rc && is_aside)
		tell("%s is left as it was, what could be read is in "
		     "%s.partial",
		     o->output, o->output);
	out_file_release(&out);
	if (!rc && j->n_failed)
		return err_set(err, RC_PARTIAL,
			       "%" PRIu64 " of the files failed", j->n_failed);
	return rc;
}

static enum rc export_run(const void *options, int argc, char **argv,
			  struct err *err)
{
	const struct export_cmd_options *o = options;
	struct job j = { .names = { .max = NAMES_MAX } };
	struct open_archive archive;
	struct export_options eo;
	enum rc rc;

	rc = choose(o, &eo, err);
	if (!rc)
		rc = parse_day(o->date, &j.day, err);
	if (!rc)
		rc = stop_init(STOP_ON_HUP | STOP_TWICE_KILLS, err);
	if (!rc)
		rc = open_archive(&archive, argv[0], &o->conf, err);
	if (rc)
		return rc;
	j.v = archive.v;
	/* In the tree view names are those of entries. */
	j.is_together =
		!j.day && volume_is_legacy(j.v) && volume_is_remote(j.v);
	j.is_damaged = archive.n_damage;
	rc = run_job(&j, o, &eo, argc, argv, err);
	release(&j);
	rc = archive_result(&archive, rc, err);
	close_archive(&archive);
	return rc;
}

static const struct export_cmd_options export_defaults = { .conf = CONF_INIT };

const struct cmd cmd_export = {
	.name = "export",
	.usage = "[OPTION]... ARCHIVE [PATH]...",
	.summary = "write files of an archive as one tar or zip",
	.opts = export_opts,
	.n_opts = ARRAY_LEN(export_opts),
	.defaults = &export_defaults,
	.options_size = sizeof(export_defaults),
	.min_args = 1,
	.max_args = CMD_ANY_ARGS,
	.run = export_run,
};
