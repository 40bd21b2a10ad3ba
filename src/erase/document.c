/* SPDX-License-Identifier: Apache-2.0 */
/* document.c - JSON documents that are one long array and a few members. */
#include "config.h"

#include "erase/document.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"

#define DOCUMENT_VERSION 1
#define KIND_MAX 64

/* All but the elements, which are left to be read. */
static enum rc parse_rest(struct document *d, const void *p, size_t len,
			  struct err *err)
{
	const struct document_form *f = d->form;
	struct json_elements *e = &d->elements;
	CLEANUP_BUF struct buf text = { .max = DOCUMENT_REST_MAX };

	if (len > f->max)
		return err_set(err, RC_LIMIT,
			       "document has %zu bytes, at most %zu are read",
			       len, f->max);
	if (!json_elements_find(e, p, len, f->array)) {
		*e = (struct json_elements){ .is_begun = false };
		if (len > DOCUMENT_REST_MAX)
			return err_set(err, RC_CORRUPT,
				       "no array %s in the %zu bytes of the "
				       "document",
				       f->array, len);
		return json_parse(p, len, DOCUMENT_REST_MAX, &d->j, err);
	}
	if (e->before.len + e->after.len > DOCUMENT_REST_MAX)
		return err_set(err, RC_LIMIT,
			       "document has %zu bytes beside %s, at most %u "
			       "are read",
			       e->before.len + e->after.len, f->array,
			       DOCUMENT_REST_MAX);
	buf_append(&text, e->before.p, e->before.len);
	buf_append(&text, e->after.p, e->after.len);
	if (!buf_ok(&text))
		return err_set(err, RC_NOMEM, "no memory for a document");
	return json_parse(text.p, text.len, DOCUMENT_REST_MAX, &d->j, err);
}

static enum rc check_kind(const struct document *d, struct err *err)
{
	const char *kind = "";
	uint64_t version = 0;

	if (!json_is_obj(d->j))
		return err_set(err, RC_CORRUPT, "not a JSON object");
	if (json_get_u64(d->j, "version", JSON_INT_MAX, &version, err))
		return err->rc;
	if (version != DOCUMENT_VERSION)
		return err_set(err, RC_UNSUPPORTED,
			       "document has version %" PRIu64
			       ", this program reads %d",
			       version, DOCUMENT_VERSION);
	if (json_get_str(d->j, "kind", KIND_MAX, &kind, err))
		return err->rc;
	if (strcmp(kind, d->form->kind) != 0)
		return err_set(err, RC_UNSUPPORTED,
			       "document is of kind %s, not %s", kind,
			       d->form->kind);
	return RC_OK;
}

enum rc document_open(struct document *ret, const struct document_form *form,
		      const void *p, size_t len, struct err *err)
{
	struct document d = { .form = form };
	struct json_t *array = NULL;
	size_t n = 0;

	/* An array that was not found by its name has to be empty. */
	if (parse_rest(&d, p, len, err) || check_kind(&d, err) ||
	    json_get_array(d.j, form->array, 0, &array, &n, err) ||
	    json_get_hex(d.j, "archive_id", d.archive_id, SHARD_ID_LEN, err) ||
	    json_get_time(d.j, "time", &d.time, err)) {
		document_release(&d);
		return err->rc;
	}
	*ret = d;
	return RC_OK;
}

void document_release(struct document *d)
{
	json_free(d->j);
	*d = (struct document){ 0 };
}

static enum rc hand_over(const struct document *d,
			 const struct json_piece *piece, document_fn *fn,
			 void *arg, struct err *err)
{
	CLEANUP_JSON struct json_t *j = NULL;

	if (json_parse(piece->p, piece->len, d->form->element_max, &j, err))
		return err->rc;
	return fn(arg, j, err);
}

enum rc document_each(struct document *d, document_fn *fn, void *arg,
		      struct err *err)
{
	struct json_piece piece;

	for (size_t n = 0; json_elements_next(&d->elements, &piece); n++) {
		if (n == d->form->n_max)
			return err_set(err, RC_LIMIT,
				       "%s has more than %zu elements",
				       d->form->array, n);
		if (hand_over(d, &piece, fn, arg, err))
			return err_prefix(err, "%s %zu", d->form->element, n);
	}
	return RC_OK;
}

struct json_t *document_new(const struct document_form *form,
			    const uint8_t archive_id[SHARD_ID_LEN],
			    int64_t time)
{
	struct json_t *j = json_new_obj();

	json_set_u64(j, "version", DOCUMENT_VERSION);
	json_set_str(j, "kind", form->kind);
	json_set_hex(j, "archive_id", archive_id, SHARD_ID_LEN);
	json_set_time(j, "time", time);
	return j;
}

void document_begin(struct document_writer *w, const struct document_form *form,
		    const struct json_t *j, struct buf *out)
{
	*w = (struct document_writer){ .out = out,
				       .after = { .max = form->max } };
	json_write_around(j, form->array, out, &w->after);
}

void document_text(struct document_writer *w, const struct json_t *element)
{
	if (w->n++)
		buf_append_str(w->out, ",");
	json_write(element, w->out);
}

enum rc document_end(struct document_writer *w,
		     const struct document_form *form, struct err *err)
{
	bool ok;

	buf_append(w->out, w->after.p, w->after.len);
	buf_append_str(w->out, "\n");
	ok = buf_ok(w->out) && buf_ok(&w->after) && w->out->len <= form->max;
	buf_release(&w->after);
	if (!ok)
		return err_set(err, RC_LIMIT,
			       "document of %zu %ss has over %zu bytes", w->n,
			       form->element, form->max);
	return RC_OK;
}
