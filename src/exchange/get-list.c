/* SPDX-License-Identifier: Apache-2.0 */
/* get-list.c - reads lists of (uid, created_at). */
#include "config.h"

#include "exchange/get-list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "exchange/manifest-fields.h"

struct get_list {
	struct manifest_cut cut;
	struct manifest_columns columns; /* n is 0: uid and time, if any */
	struct manifest_fields fields;
	struct buf bytes; /* of fields that were written with escapes */
	uint64_t n;
	struct manifest_text first; /* read already, unless it named columns */
	bool has_first;
};

static bool names_uid(const struct manifest_columns *c)
{
	for (unsigned int i = 0; i < c->n; i++) {
		if (c->v[i].field == MANIFEST_UID)
			return true;
	}
	return false;
}

/* Does the first line name the columns? */
static enum rc look_at_first(struct get_list *l, struct err *err)
{
	enum rc rc = manifest_cut_next(&l->cut, &l->first, err);
	struct err other;

	if (rc)
		return rc == RC_NOENT ? RC_OK : rc;
	l->has_first = true;
	if (l->first.bad)
		return RC_OK;
	/* Not all that a manifest needs has to be among them. */
	rc = manifest_tsv_columns(l->first.text, &l->columns, &other);
	if (rc == RC_LIMIT || !names_uid(&l->columns))
		l->columns.n = 0;
	else
		l->has_first = false;
	return RC_OK;
}

enum rc get_list_open(struct get_list **ret, manifest_read_fn *read,
		      void *read_arg, struct err *err)
{
	struct get_list *l = xcalloc(1, sizeof(*l));
	enum rc rc;

	buf_init(&l->bytes, MANIFEST_RECORD_MAX + 1);
	rc = manifest_cut_init(&l->cut, read, read_arg, err);
	if (!rc && l->cut.form == MANIFEST_TSV)
		rc = look_at_first(l, err);
	if (rc) {
		get_list_free(l);
		return rc;
	}
	*ret = l;
	return RC_OK;
}

void get_list_free(struct get_list *l)
{
	if (!l)
		return;
	manifest_cut_release(&l->cut);
	buf_release(&l->bytes);
	free(l);
}

static enum rc split(struct get_list *l, struct span line, struct err *err)
{
	static const struct manifest_columns pair = {
		.n = 2,
		.v = { { .field = MANIFEST_UID, .name = "uid" },
		       { .field = MANIFEST_CREATED_AT, .name = "created_at" } }
	};
	static const struct manifest_columns uid = {
		.n = 1, .v = { { .field = MANIFEST_UID, .name = "uid" } }
	};
	const struct manifest_columns *c = &l->columns;

	if (l->cut.form != MANIFEST_TSV)
		return manifest_json_fields(line, &l->bytes, &l->fields, err);
	if (!c->n)
		c = line.len && memchr(line.p, '\t', line.len) ? &pair : &uid;
	return manifest_tsv_fields(c, line, &l->bytes, &l->fields, err);
}

static enum rc set_pair(const struct manifest_fields *f, struct get_pair *ret,
			struct err *err)
{
	const struct manifest_value *uid = &f->v[MANIFEST_UID];
	const struct manifest_value *time = &f->v[MANIFEST_CREATED_AT];

	if (uid->kind != MANIFEST_TEXT && uid->kind != MANIFEST_INTEGER)
		return err_set(err, RC_USAGE,
			       uid->kind == MANIFEST_NONE
				       ? "no uid"
				       : "uid is neither a string nor an "
					 "integer");
	ret->uid = uid->text;
	if (time->kind == MANIFEST_NONE)
		return RC_OK;
	if (time->kind != MANIFEST_TEXT ||
	    memchr(time->text.len ? time->text.p : "", '\0', time->text.len))
		return err_set(err, RC_USAGE, "created_at is no time");
	ret->created_at = time->text;
	return RC_OK;
}

static enum rc set(struct get_list *l, const struct manifest_text *text,
		   struct get_pair *ret, struct err *err)
{
	enum rc rc;

	if (text->bad)
		return err_set(err, RC_USAGE, "line %" PRIu64 ": %s",
			       text->line, text->bad);
	rc = split(l, text->text, err);
	if (!rc)
		rc = set_pair(&l->fields, ret, err);
	return rc ? err_prefix(err, "line %" PRIu64, text->line) : RC_OK;
}

enum rc get_list_next(struct get_list *l, struct get_pair *ret, struct err *bad,
		      struct err *err)
{
	struct manifest_text text = l->first;
	enum rc rc = RC_OK;

	if (!l->has_first)
		rc = manifest_cut_next(&l->cut, &text, err);
	l->has_first = false;
	if (rc)
		return rc;
	*ret = (struct get_pair){ .number = l->n++,
				  .uid = span_of("", 0),
				  .created_at = span_of("", 0) };
	bad->rc = RC_OK;
	rc = set(l, &text, ret, bad);
	/* A pair that is wrong is no damage of the archive. */
	if (rc == RC_CORRUPT)
		bad->rc = RC_USAGE;
	if (rc != RC_NOMEM)
		return RC_OK;
	*err = *bad;
	return err->rc;
}
