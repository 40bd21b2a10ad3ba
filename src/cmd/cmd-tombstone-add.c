/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-tombstone-add.c - desfs tombstone add. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/human.h"
#include "base/mem.h"
#include "base/spool.h"
#include "base/timestamp.h"
#include "cmd/json-row.h"
#include "cmd/tell.h"
#include "cmd/tombstone.h"
#include "erase/erasure-words.h"
#include "pack/list-file.h"
#include "repack/tombstone-add.h"
#include "repack/tombstone-doc.h"

#define COPIES_SHOWN 20u /* without --verbose */

struct add_cmd {
	const struct tombstone_options *o;
	uint64_t n_copies;
};

/* --- what is told of names -------------------------------------------------
 */

/* For JSON. */
static const char *const kinds[] = {
	[TOMBSTONE_TAKEN] = "deleted",
	[TOMBSTONE_ALREADY] = "already-deleted",
	[TOMBSTONE_MISSING] = "missing",
	[TOMBSTONE_NO_VERSION] = "no-such-version",
	[TOMBSTONE_VERSION] = "version",
	[TOMBSTONE_IS_DIR] = "directory",
	[TOMBSTONE_COPY] = "stays-equal",
	[TOMBSTONE_LINK] = "stays-link",
};

static bool has_time(const struct tombstone_note *n)
{
	switch (n->kind) {
	case TOMBSTONE_TAKEN: return !n->is_all;
	case TOMBSTONE_VERSION:
	case TOMBSTONE_COPY:
	case TOMBSTONE_LINK: return true;
	case TOMBSTONE_ALREADY:
	case TOMBSTONE_MISSING:
	case TOMBSTONE_NO_VERSION:
	case TOMBSTONE_IS_DIR: break;
	}
	return false;
}

static void note_json(const struct add_cmd *c, const struct tombstone_note *n)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	const char *kind = kinds[n->kind];
	char time[TIMESTAMP_TEXT];

	if (n->kind == TOMBSTONE_TAKEN && c->o->dry_run)
		kind = "would-delete";
	timestamp_format(n->time, time);
	json_row_begin_kind(&b, kind);
	json_row_bytes(&b, "path", n->uid.p, n->uid.len);
	if (has_time(n))
		json_row_str(&b, "created_at", time);
	json_row_end(&b, stdout);
}

static void failed(const struct tombstone_note *n, const char *why)
{
	struct err err;

	err_set(&err, RC_USAGE, "%s", why);
	tell_failed(n->uid, &err);
}

static void line(const char *before, const struct tombstone_note *n,
		 const char *after)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	char time[TIMESTAMP_TEXT];

	buf_append_str(&b, before);
	name_escape(&b, n->uid.p, n->uid.len);
	timestamp_format(n->time, time);
	if (has_time(n))
		buf_printf(&b, " created at %s", time);
	buf_printf(&b, "%s\n", after);
	fputs(buf_str(&b), stdout);
}

static void note_copy(struct add_cmd *c, const struct tombstone_note *n)
{
	c->n_copies++;
	if (!c->o->verbose && c->n_copies > COPIES_SHOWN)
		return;
	line("stays: ", n,
	     n->kind == TOMBSTONE_LINK ? ", a hard link to what is deleted"
				       : ", with the bytes of what is deleted");
}

static void note_text(struct add_cmd *c, const struct tombstone_note *n)
{
	char text[TIMESTAMP_TEXT + 32], time[TIMESTAMP_TEXT];

	switch (n->kind) {
	case TOMBSTONE_TAKEN:
		if (c->o->verbose)
			line(c->o->dry_run ? "would delete " : "deleted ", n,
			     "");
		return;
	case TOMBSTONE_ALREADY: failed(n, "was deleted before"); return;
	case TOMBSTONE_MISSING: failed(n, "not in the archive"); return;
	case TOMBSTONE_NO_VERSION:
		failed(n, "has no version of that time, but:");
		return;
	case TOMBSTONE_VERSION:
		timestamp_format(n->time, time);
		snprintf(text, sizeof(text), "created at %s", time);
		failed(n, text);
		return;
	case TOMBSTONE_IS_DIR:
		failed(n, "a directory with names below it, which go with "
			  "--recursive");
		return;
	case TOMBSTONE_COPY:
	case TOMBSTONE_LINK: note_copy(c, n); return;
	}
}

static void note(void *arg, const struct tombstone_note *n)
{
	struct add_cmd *c = arg;

	if (c->o->json)
		note_json(c, n);
	else
		note_text(c, n);
}

static void print_json(const struct add_cmd *c, const struct tombstone_added *a)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	char id[TOMBSTONE_ID_TEXT], time[TIMESTAMP_TEXT];

	timestamp_format(a->time, time);
	for (size_t i = 0; i < a->n_keys; i++) {
		tombstone_doc_id(a->keys[i], id);
		json_row_begin_kind(&b, "tombstone");
		json_row_str(&b, "id", id);
		json_row_str(&b, "time", time);
		json_row_end(&b, stdout);
	}
	json_row_begin_kind(&b, "total");
	json_row_bool(&b, "dry_run", c->o->dry_run);
	json_row_u64(&b, "deleted", a->names);
	json_row_u64(&b, "already_deleted", a->already);
	json_row_u64(&b, "stay", a->copies);
	json_row_u64(&b, "damaged_shards", a->damaged);
	json_row_end(&b, stdout);
}

static void print_text(const struct add_cmd *c, const struct tombstone_added *a)
{
	char id[TOMBSTONE_ID_TEXT];

	if (!c->o->verbose && c->n_copies > COPIES_SHOWN)
		printf("... and %" PRIu64 " more, see --verbose\n",
		       c->n_copies - COPIES_SHOWN);
	if (a->damaged)
		tell("%" PRIu64 " shards are damaged, so there may be more "
		     "names that stay; see 'desfs verify'",
		     a->damaged);
	for (size_t i = 0; i < a->n_keys; i++) {
		tombstone_doc_id(a->keys[i], id);
		printf("tombstone %s\n", id);
	}
	printf("%s %" PRIu64 " names, %" PRIu64 " were deleted before\n",
	       c->o->dry_run ? "would delete" : "deleted", a->names,
	       a->already);
}

/* --- names -----------------------------------------------------------------
 */

static enum rc add_arguments(const struct tombstone_options *o,
			     const struct tombstone_time *time, char **args,
			     struct tombstone_add *a, struct err *err)
{
	for (size_t i = 0; args[i]; i++) {
		struct tombstone_name name;

		if (tombstone_name_parse(args[i], strlen(args[i]), true, &name,
					 err))
			return err_prefix(err, "name %zu", i + 1);
		name.has_time = o->created_at;
		name.time = *time;
		if (tombstone_add_name(a, &name, o->recursive, err))
			return err->rc;
	}
	return RC_OK;
}

static enum rc add_list(const struct tombstone_options *o,
			const struct tombstone_time *time, struct list_file *f,
			struct tombstone_add *a, struct err *err)
{
	enum rc rc;
	char *text;
	size_t len;

	for (uint64_t i = 1;; i++) {
		struct tombstone_name name;

		rc = list_file_next(f, &text, &len, err);
		if (rc)
			return rc == RC_NOENT ? RC_OK : rc;
		/* Of a list that was made elsewhere. */
		if (!o->is_null && len && text[len - 1] == '\r')
			text[--len] = '\0';
		if (!len && !o->is_null)
			continue;
		rc = tombstone_name_parse(text, len, o->is_null, &name, err);
		if (rc)
			return err_prefix(err, "%s:%" PRIu64, f->name, i);
		if (!name.has_time && o->created_at) {
			name.has_time = true;
			name.time = *time;
		}
		rc = tombstone_add_name(a, &name, o->recursive, err);
		if (rc)
			return rc;
	}
}

static enum rc add_names(const struct tombstone_options *o, char **args,
			 struct tombstone_add *a, struct err *err)
{
	struct tombstone_time time = { 0 };
	struct list_file f = { 0 };
	enum rc rc;

	if (o->created_at && tombstone_time_parse(o->created_at, &time, err))
		return err_prefix(err, "--created-at");
	rc = add_arguments(o, &time, args, a, err);
	if (rc || !o->from)
		return rc;
	rc = list_file_open(&f, o->from, err);
	if (rc)
		return rc;
	f.max = LIST_FILE_MAX;
	f.end = o->is_null ? '\0' : '\n';
	rc = add_list(o, &time, &f, a, err);
	list_file_close(&f);
	return rc;
}

/* --- the command -----------------------------------------------------------
 */

enum rc tombstone_cmd_add(const struct tombstone_options *o, struct open_log *l,
			  char **args, struct err *err)
{
	CLEANUP_FREE char *by = o->by ? xstrdup(o->by) : NULL;
	CLEANUP_FREE char *ticket = o->ticket ? xstrdup(o->ticket) : NULL;
	struct add_cmd c = { .o = o };
	const struct tombstone_add_options opts = {
		.words = { .reason = (enum erasure_reason)o->reason,
			   .by = by,
			   .ticket = ticket },
		.spool = o->spool ? o->spool : spool_default_dir(),
		.force = o->force,
		.dry_run = o->dry_run,
		.no_copies = o->no_copies,
		.fn = note,
		.arg = &c,
	};
	struct tombstone_added added = { 0 };
	struct tombstone_add *a = NULL;
	enum rc rc;

	rc = tombstone_add_new(&a, l->st, l->log, l->descriptor.archive_id,
			       &opts, err);
	if (!rc)
		rc = add_names(o, args, a, err);
	if (!rc)
		rc = tombstone_add_run(a, &added, err);
	tombstone_add_free(a);
	if (!rc && o->json)
		print_json(&c, &added);
	else if (!rc)
		print_text(&c, &added);
	tombstone_added_release(&added);
	return rc;
}
