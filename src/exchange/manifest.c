/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c - reads the records of a manifest. */
#include "config.h"

#include "exchange/manifest.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "exchange/manifest-fields.h"
#include "exchange/manifest-record.h"

struct manifest {
	struct manifest_cut cut;
	struct manifest_columns columns;
	struct manifest_fields fields;
	struct manifest_scratch scratch;
	struct buf bytes; /* of fields that were written with escapes */
	uint64_t n;       /* records so far */
};

/* The first line of TSV; an empty manifest is one of no records. */
static enum rc read_columns(struct manifest *m, struct err *err)
{
	struct manifest_text text;
	enum rc rc = manifest_cut_next(&m->cut, &text, err);

	if (rc)
		return rc == RC_NOENT ? RC_OK : rc;
	if (text.bad)
		return err_set(err, RC_CORRUPT,
			       "neither JSON nor TSV: the first line has %s",
			       text.bad);
	return manifest_tsv_columns(text.text, &m->columns, err);
}

enum rc manifest_open(struct manifest **ret, manifest_read_fn *read,
		      void *read_arg, struct err *err)
{
	struct manifest *m = xcalloc(1, sizeof(*m));
	enum rc rc;

	manifest_scratch_init(&m->scratch);
	buf_init(&m->bytes, MANIFEST_RECORD_MAX + 1);
	rc = manifest_cut_init(&m->cut, read, read_arg, err);
	if (!rc && m->cut.form == MANIFEST_TSV)
		rc = read_columns(m, err);
	if (rc) {
		manifest_free(m);
		return rc;
	}
	*ret = m;
	return RC_OK;
}

void manifest_free(struct manifest *m)
{
	if (!m)
		return;
	manifest_cut_release(&m->cut);
	manifest_scratch_release(&m->scratch);
	buf_release(&m->bytes);
	free(m);
}

enum manifest_form manifest_form(const struct manifest *m)
{
	return m->cut.form;
}

static enum rc set(struct manifest *m, const struct manifest_text *text,
		   struct manifest_record *ret, struct err *err)
{
	enum rc rc;

	if (text->bad)
		return err_set(err, RC_CORRUPT, "line %" PRIu64 ": %s",
			       text->line, text->bad);
	if (m->cut.form == MANIFEST_TSV)
		rc = manifest_tsv_fields(&m->columns, text->text, &m->bytes,
					 &m->fields, err);
	else
		rc = manifest_json_fields(text->text, &m->bytes, &m->fields,
					  err);
	if (!rc)
		rc = manifest_record_set(&m->fields, &m->scratch, ret, err);
	return rc ? err_prefix(err, "line %" PRIu64, text->line) : RC_OK;
}

enum rc manifest_next(struct manifest *m, struct manifest_record *ret,
		      struct err *err)
{
	struct manifest_text text;
	enum rc rc = manifest_cut_next(&m->cut, &text, err);

	if (rc)
		return rc;
	*ret = (struct manifest_record){ .number = m->n++, .source = "" };
	ret->why.rc = set(m, &text, ret, &ret->why);
	/* Nothing of one record is a reason to end. */
	if (ret->why.rc != RC_NOMEM)
		return RC_OK;
	*err = ret->why;
	return err->rc;
}
