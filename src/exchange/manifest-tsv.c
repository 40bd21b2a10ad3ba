/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-tsv.c - lines of fields with tabs between them, as PostgreSQL's COPY
 * and MySQL's SELECT INTO OUTFILE write them.
 */
#include "config.h"

#include <string.h>

#include "exchange/manifest-fields.h"

/* Up to the next tab; false at the end. */
static bool next_field(struct span *rest, bool *is_last, struct span *ret)
{
	const char *tab;

	if (*is_last)
		return false;
	tab = rest->len ? memchr(rest->p, '\t', rest->len) : NULL;
	*is_last = !tab;
	*ret = span_of(rest->p, tab ? (size_t)(tab - rest->p) : rest->len);
	if (tab)
		*rest = span_after(*rest, ret->len + 1);
	return true;
}

static enum rc check_columns(const struct manifest_columns *c, struct err *err)
{
	static const char *const needed[] = {
		[MANIFEST_UID] = "uid",
		[MANIFEST_CREATED_AT] = "created_at",
		[MANIFEST_SIZE] = "size_bytes",
		[MANIFEST_SOURCE] = "source_path",
	};

	for (size_t f = 0; f < ARRAY_LEN(needed); f++) {
		bool has = false;

		for (unsigned int i = 0; i < c->n; i++)
			has = has || c->v[i].field == (enum manifest_field)f;
		if (!has)
			return err_set(err, RC_CORRUPT,
				       "neither JSON nor TSV: the first line "
				       "names no column %s",
				       needed[f]);
	}
	return RC_OK;
}

enum rc manifest_tsv_columns(struct span line, struct manifest_columns *ret,
			     struct err *err)
{
	bool is_last = false;
	struct span name;

	ret->n = 0;
	while (next_field(&line, &is_last, &name)) {
		struct manifest_column *c = &ret->v[ret->n];

		if (ret->n == MANIFEST_COLUMNS_MAX)
			return err_set(err, RC_LIMIT,
				       "the first line names more than %u "
				       "columns",
				       MANIFEST_COLUMNS_MAX);
		*c = (struct manifest_column){ .name = "" };
		c->field = manifest_field_of(name, &c->name, &c->rank);
		for (unsigned int i = 0; i < ret->n; i++)
			if (c->field != MANIFEST_FIELDS &&
			    ret->v[i].name == c->name)
				return err_set(err, RC_CORRUPT,
					       "the first line names column %s "
					       "twice",
					       c->name);
		ret->n++;
	}
	return check_columns(ret, err);
}

static bool unescape(struct span text, struct buf *bytes, struct span *ret)
{
	static const char from[] = "\\tnr0", as[] = "\\\t\n\r";
	char *begin, *to;

	*ret = text;
	if (!text.len || !memchr(text.p, '\\', text.len))
		return true;
	begin = (char *)buf_reserve(bytes, text.len);
	if (!begin)
		return false;
	to = begin;
	for (size_t i = 0; i < text.len; i++) {
		const char *known;

		if (text.p[i] != '\\') {
			*to++ = text.p[i];
			continue;
		}
		i++;
		if (i == text.len || !text.p[i])
			return false;
		known = strchr(from, text.p[i]);
		if (!known)
			return false;
		*to++ = as[known - from];
	}
	bytes->len += (size_t)(to - begin);
	*ret = span_of(begin, (size_t)(to - begin));
	return true;
}

static enum rc set_value(const struct manifest_column *c, struct span field,
			 struct buf *bytes, struct manifest_fields *ret,
			 struct err *err)
{
	struct manifest_value v = { .kind = MANIFEST_TEXT,
				    .name = c->name,
				    .rank = c->rank };
	bool may_be_empty = c->field == MANIFEST_UID;

	if (c->field == MANIFEST_FIELDS ||
	    (field.len == 2 && !memcmp(field.p, "\\N", 2)) ||
	    (!field.len && !may_be_empty))
		return RC_OK;
	if (!unescape(field, bytes, &v.text))
		return err_set(err, RC_CORRUPT,
			       "%s has a backslash before what is none of "
			       "\\ t n r 0",
			       c->name);
	if (c->field == MANIFEST_SIZE)
		v.kind = MANIFEST_INTEGER;
	if (c->field == MANIFEST_META)
		v.kind = MANIFEST_OBJECT;
	if (ret->v[c->field].kind == MANIFEST_NONE ||
	    v.rank < ret->v[c->field].rank)
		ret->v[c->field] = v;
	return RC_OK;
}

enum rc manifest_tsv_fields(const struct manifest_columns *columns,
			    struct span line, struct buf *bytes,
			    struct manifest_fields *ret, struct err *err)
{
	bool is_last = false;
	struct span field;
	unsigned int n = 0;

	*ret = (struct manifest_fields){ .v = { { .kind = MANIFEST_NONE } } };
	buf_clear(bytes);
	/* Where it is stays the same from now on. */
	if (!buf_reserve(bytes, line.len + 1))
		return err_set(err, RC_NOMEM, "record: out of memory");
	while (next_field(&line, &is_last, &field)) {
		if (n < columns->n &&
		    set_value(&columns->v[n], field, bytes, ret, err))
			return err->rc;
		n++;
	}
	if (n != columns->n)
		return err_set(err, RC_CORRUPT,
			       "%u fields, the first line names %u", n,
			       columns->n);
	return RC_OK;
}
