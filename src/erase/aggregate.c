/* SPDX-License-Identifier: Apache-2.0 */
/* aggregate.c - the tombstone documents of one hour in one object. */
#include "config.h"

#include "erase/aggregate.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "erase/document.h"

#define HOUR_US (INT64_C(3600) * 1000000)
#define HOURS_A_DAY 24
#define FORM_LEN (sizeof("YYYYMMDD/HH.json") - 1)

static const struct document_form form = {
	.kind = "aggregate",
	.array = "documents",
	.element = "document",
	.max = AGGREGATE_MAX,
	.element_max = TOMBSTONE_MAX,
	.n_max = AGGREGATE_MAX / 64,
};

void aggregate_key(int64_t time, char ret[AGGREGATE_KEY_TEXT])
{
	char day[TIMESTAMP_DAY_TEXT];
	int64_t hour = (time - TIMESTAMP_MIN) / HOUR_US % HOURS_A_DAY;

	timestamp_day(time, day);
	snprintf(ret, AGGREGATE_KEY_TEXT, TOMBSTONE_PREFIX "%s/%02u.json", day,
		 (unsigned int)(hour < 0 ? 0 : hour) % HOURS_A_DAY);
}

bool aggregate_key_is_valid(const char *key)
{
	const size_t prefix = strlen(TOMBSTONE_PREFIX);
	const char *p = key + prefix;

	return !strncmp(key, TOMBSTONE_PREFIX, prefix) &&
	       strlen(p) == FORM_LEN && strspn(p, "0123456789") == 8 &&
	       p[8] == '/' && strspn(p + 9, "0123456789") == 2 &&
	       !strcmp(p + 11, ".json");
}

static bool is_canonical(const uint8_t *p, size_t len)
{
	return len > 2 && p[0] == '{' && p[len - 2] == '}' &&
	       memchr(p, '\n', len) == p + len - 1;
}

/* All but the documents; the time is behind them. */
static void write_around(const struct aggregate_writer *w, int64_t time,
			 struct buf *before, struct buf *after)
{
	CLEANUP_JSON struct json_t *j =
		document_new(&form, w->archive_id, time);

	json_write_around(j, form.array, before, after);
}

void aggregate_begin(struct aggregate_writer *w,
		     const uint8_t archive_id[SHARD_ID_LEN], struct buf *out)
{
	CLEANUP_BUF struct buf after = { .max = DOCUMENT_REST_MAX };

	*w = (struct aggregate_writer){ .out = out,
					.archive_id = archive_id,
					.begin = out->len };
	write_around(w, 0, out, &after);
}

bool aggregate_add(struct aggregate_writer *w, const void *p, size_t len)
{
	if (!is_canonical(p, len))
		return true;
	if (w->out->len - w->begin + len + DOCUMENT_REST_MAX > AGGREGATE_MAX)
		return false;
	if (w->n++)
		buf_append_str(w->out, ",");
	buf_append(w->out, p, len - 1);
	return true;
}

void aggregate_end(struct aggregate_writer *w, int64_t time)
{
	CLEANUP_BUF struct buf before = { .max = DOCUMENT_REST_MAX };

	write_around(w, time, &before, w->out);
	buf_append_str(w->out, "\n");
}

static enum rc hand_over(const struct json_piece *piece, aggregate_fn *fn,
			 void *arg, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = TOMBSTONE_MAX };

	buf_append(&text, piece->p, piece->len);
	buf_append_str(&text, "\n");
	if (!buf_ok(&text))
		return err_set(err, RC_LIMIT,
			       "a document has more than %u bytes",
			       TOMBSTONE_MAX);
	return fn(arg, text.p, text.len, err);
}

enum rc aggregate_each(const void *p, size_t len,
		       const uint8_t archive_id[SHARD_ID_LEN], aggregate_fn *fn,
		       void *arg, struct err *err)
{
	struct json_piece piece;
	struct document d;
	enum rc rc;

	if (document_open(&d, &form, p, len, err))
		return err->rc;
	rc = memcmp(d.archive_id, archive_id, SHARD_ID_LEN)
		     ? err_set(err, RC_CORRUPT, "aggregate of another archive")
		     : RC_OK;
	while (!rc && json_elements_next(&d.elements, &piece))
		rc = hand_over(&piece, fn, arg, err);
	document_release(&d);
	return rc;
}
