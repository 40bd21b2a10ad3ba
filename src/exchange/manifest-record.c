/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-record.c - what the fields of a manifest's record mean. */
#include "config.h"

#include "exchange/manifest-record.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "base/hex.h"
#include "base/json-check.h"
#include "shard/shard-format.h"

#define TIME_TEXT_MAX 64u

void manifest_scratch_init(struct manifest_scratch *s)
{
	buf_init(&s->source, PATH_MAX);
	buf_init(&s->meta, META_MAX);
}

void manifest_scratch_release(struct manifest_scratch *s)
{
	buf_release(&s->source);
	buf_release(&s->meta);
}

static enum rc is_none(const char *what, struct err *err)
{
	return err_set(err, RC_CORRUPT, "no %s", what);
}

static enum rc is_no_text(const struct manifest_value *v, struct err *err)
{
	return err_set(err, RC_CORRUPT, "%s is not a string", v->name);
}

/* An integer is its digits, as Python's str() makes them. */
static enum rc set_uid(const struct manifest_value *v,
		       struct manifest_record *ret, struct err *err)
{
	if (v->kind == MANIFEST_NONE)
		return is_none("uid", err);
	if (v->kind != MANIFEST_TEXT && v->kind != MANIFEST_INTEGER)
		return err_set(err, RC_CORRUPT,
			       "uid is neither a string nor an integer");
	if (v->text.len > UID_MAX_LEN)
		return err_set(err, RC_LIMIT,
			       "uid has %zu bytes, at most %u are possible",
			       v->text.len, UID_MAX_LEN);
	ret->uid = v->text;
	if (v->kind == MANIFEST_INTEGER && v->text.len == 2 &&
	    !memcmp(v->text.p, "-0", 2))
		ret->uid = span_of("0", 1);
	ret->has_uid = true;
	return RC_OK;
}

static enum rc set_created_at(const struct manifest_value *v,
			      struct manifest_record *ret, struct err *err)
{
	char text[TIME_TEXT_MAX + 1] = "";
	size_t len = v->text.len < TIME_TEXT_MAX ? v->text.len : TIME_TEXT_MAX;

	if (v->kind == MANIFEST_NONE)
		return is_none("created_at", err);
	ret->created_at_text = span_of(v->text.p, len);
	if (v->kind != MANIFEST_TEXT)
		return is_no_text(v, err);
	memcpy(text, v->text.p, len);
	if (len < v->text.len || strlen(text) < len)
		return err_set(err, RC_CORRUPT, "created_at is no time");
	if (timestamp_parse(text, &ret->created_at, err)) {
		err_prefix(err, "created_at");
		err->rc = RC_CORRUPT;
		return err->rc;
	}
	return RC_OK;
}

static enum rc set_size(const struct manifest_value *v,
			struct manifest_record *ret, struct err *err)
{
	uint64_t n = 0;

	if (v->kind == MANIFEST_NONE)
		return is_none("size_bytes", err);
	if (v->kind != MANIFEST_INTEGER)
		return err_set(err, RC_CORRUPT, "%s is not an integer",
			       v->name);
	for (size_t i = 0; i < v->text.len; i++) {
		char b = v->text.p[i];

		if (b < '0' || b > '9')
			return err_set(err, RC_CORRUPT,
				       "%s is not an integer from 0 on",
				       v->name);
		if (n > (INT64_MAX - 9) / 10)
			return err_set(err, RC_CORRUPT, "%s is too large",
				       v->name);
		n = n * 10 + (uint64_t)(b - '0');
	}
	ret->size = n;
	return RC_OK;
}

static enum rc set_source(const struct manifest_value *v,
			  struct manifest_scratch *scratch,
			  struct manifest_record *ret, struct err *err)
{
	if (v->kind == MANIFEST_NONE)
		return is_none("source_path", err);
	if (v->kind != MANIFEST_TEXT)
		return is_no_text(v, err);
	if (!v->text.len)
		return err_set(err, RC_CORRUPT, "%s is empty", v->name);
	if (memchr(v->text.p, '\0', v->text.len))
		return err_set(err, RC_CORRUPT, "%s has a NUL byte", v->name);
	if (v->text.len >= PATH_MAX)
		return err_set(err, RC_LIMIT,
			       "%s has %zu bytes, at most %u are possible",
			       v->name, v->text.len, PATH_MAX - 1);
	buf_clear(&scratch->source);
	buf_append(&scratch->source, v->text.p, v->text.len);
	buf_append(&scratch->source, "", 1);
	if (!buf_ok(&scratch->source))
		return err_set(err, RC_NOMEM, "record: out of memory");
	ret->source = (const char *)scratch->source.p;
	return RC_OK;
}

static enum rc set_sha256(const struct manifest_value *v,
			  struct manifest_record *ret, struct err *err)
{
	char text[2 * SHA256_LEN];

	if (v->kind == MANIFEST_NONE)
		return RC_OK;
	if (v->kind != MANIFEST_TEXT)
		return is_no_text(v, err);
	for (size_t i = 0; i < sizeof(text) && i < v->text.len; i++)
		text[i] = (char)tolower((unsigned char)v->text.p[i]);
	if (v->text.len != sizeof(text) ||
	    !hex_decode(text, sizeof(text), ret->sha256, SHA256_LEN))
		return err_set(err, RC_CORRUPT, "sha256 is not %zu hex digits",
			       sizeof(text));
	ret->has_sha256 = true;
	return RC_OK;
}

/* Append an object without the blanks between its parts. */
static void append_compact(struct buf *out, struct span s)
{
	bool in_string = false;
	size_t from = 0;

	for (size_t i = 0; i < s.len; i++) {
		char b = s.p[i];

		if (in_string) {
			i += b == '\\';
			in_string = b != '"';
		} else if (b == '"') {
			in_string = true;
		} else if (b == ' ' || b == '\t' || b == '\n' || b == '\r') {
			buf_append(out, s.p + from, i - from);
			from = i + 1;
		}
	}
	buf_append(out, s.p + from, s.len - from);
}

static enum rc set_meta(const struct manifest_value *v,
			struct manifest_scratch *scratch,
			struct manifest_record *ret, struct err *err)
{
	struct json_check check;

	if (v->kind == MANIFEST_NONE)
		return RC_OK;
	json_check_init(&check);
	if (v->kind != MANIFEST_OBJECT ||
	    !json_check_feed(&check, v->text.p, v->text.len) ||
	    !json_check_end(&check))
		return err_set(err, RC_CORRUPT, "%s is not a JSON object",
			       v->name);
	buf_release(&scratch->meta);
	buf_init(&scratch->meta, META_MAX);
	append_compact(&scratch->meta, v->text);
	if (!buf_ok(&scratch->meta))
		return err_set(err, RC_LIMIT,
			       "%s has more than %u bytes, at most that many "
			       "are kept",
			       v->name, META_MAX);
	ret->meta = span_of(scratch->meta.p, scratch->meta.len);
	return RC_OK;
}

enum rc manifest_record_set(const struct manifest_fields *fields,
			    struct manifest_scratch *scratch,
			    struct manifest_record *ret, struct err *err)
{
	const struct manifest_value *v = fields->v;
	enum rc rc;

	/* A record without uid that has a time can still be told apart. */
	rc = set_uid(&v[MANIFEST_UID], ret, err);
	if (rc) {
		struct err other;

		(void)set_created_at(&v[MANIFEST_CREATED_AT], ret, &other);
		return rc;
	}
	rc = set_created_at(&v[MANIFEST_CREATED_AT], ret, err);
	if (!rc)
		rc = set_size(&v[MANIFEST_SIZE], ret, err);
	if (!rc)
		rc = set_source(&v[MANIFEST_SOURCE], scratch, ret, err);
	if (!rc)
		rc = set_sha256(&v[MANIFEST_SHA256], ret, err);
	return rc ? rc : set_meta(&v[MANIFEST_META], scratch, ret, err);
}
