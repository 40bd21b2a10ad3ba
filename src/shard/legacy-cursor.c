/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-cursor.c - an index of an older format, read piece by piece. */
#include "config.h"

#include "shard/legacy-cursor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json-check.h"
#include "base/mem.h"
#include "base/rd.h"
#include "base/utf8.h"
#include "shard/legacy-backend.h"

/* Bytes of an index read at a time. */
#define PIECE (1u << 20)

struct legacy_cursor *legacy_cursor_new(const struct legacy_index *index,
					legacy_read_fn *read, void *arg)
{
	struct legacy_cursor *c = xcalloc(1, sizeof(*c));
	const struct legacy_index *ix = index;

	c->ix = *ix;
	c->format = legacy_format_of(ix->kind);
	c->read = read;
	c->arg = arg;
	c->index.off = ix->off;
	c->index.end = ix->off + ix->len;
	c->metas.off = ix->meta_off;
	c->metas.end = ix->meta_end;
	legacy_run_init(&c->data, "content", ix->data_off, ix->data_end);
	legacy_run_init(&c->meta, "metadata", ix->meta_off, ix->meta_end);
	buf_init(&c->uid, UID_MAX_LEN);
	buf_init(&c->text, LEGACY_META_MAX);
	return c;
}

void legacy_cursor_free(struct legacy_cursor *c)
{
	if (!c)
		return;
	free(c->index.p);
	free(c->metas.p);
	buf_release(&c->uid);
	buf_release(&c->text);
	free(c);
}

bool legacy_cursor_is_cut(const struct legacy_cursor *c)
{
	return c->is_cut;
}

/* Read on, so that the piece begins with what was not taken yet. */
static enum rc refill(struct legacy_cursor *c, struct legacy_piece *from,
		      struct err *err)
{
	size_t left = from->len - from->used;
	uint64_t off = from->off + left;
	uint64_t n = from->end - off;
	enum rc rc;

	if (!from->p) {
		from->cap = n < PIECE ? (size_t)n : PIECE;
		from->p = mem_array(from->cap, 1);
		if (!from->p)
			return err_set(err, RC_NOMEM, "no memory for an index");
	}
	memmove(from->p, from->p + from->used, left);
	from->used = 0;
	from->len = left;
	if (n > from->cap - left)
		n = from->cap - left;
	rc = c->read(c->arg, off, from->p + left, (size_t)n, err);
	if (!rc)
		from->len += (size_t)n;
	return rc;
}

enum rc legacy_take(struct legacy_cursor *c, struct legacy_piece *from,
		    size_t len, const char *what, const uint8_t **ret,
		    struct err *err)
{
	enum rc rc;

	if (len > legacy_left(from))
		return err_set(err, RC_CORRUPT,
			       "%s of %zu bytes at byte %" PRIu64
			       " is cut at byte %" PRIu64,
			       what, len, from->off, from->end);
	if (len > from->len - from->used) {
		rc = refill(c, from, err);
		if (rc)
			return rc;
	}
	*ret = from->p + from->used;
	from->used += len;
	from->off += len;
	return RC_OK;
}

void legacy_seek(struct legacy_piece *from, uint64_t off)
{
	if (off >= from->off && off - from->off <= from->len - from->used) {
		from->used += (size_t)(off - from->off);
		from->off = off;
		return;
	}
	/* The memory was made for what was left from there on. */
	free(from->p);
	*from = (struct legacy_piece){ .off = off, .end = from->end };
}

void legacy_damage(struct legacy_cursor *c, const char *fmt, ...)
{
	char text[ERR_MSG_MAX / 2];
	va_list ap;

	if (c->damage.rc)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(&c->damage, RC_CORRUPT, "%s", text);
}

/* The offset of the first byte that is no UTF-8; len when there is none. */
static size_t utf8_len(const uint8_t *p, size_t len)
{
	size_t off = 0;

	while (off < len) {
		uint32_t ch;
		size_t n = utf8_decode(p + off, len - off, &ch);

		if (!n)
			break;
		off += n;
	}
	return off;
}

enum rc legacy_take_uid(struct legacy_cursor *c, struct legacy_entry *e,
			struct err *err)
{
	const uint8_t *p = NULL;
	size_t len, good;
	uint64_t at;
	enum rc rc = legacy_take(c, &c->index, 2, "length of a uid", &p, err);

	if (rc)
		return rc;
	len = (size_t)(p[0] | p[1] << 8);
	at = c->index.off;
	rc = legacy_take(c, &c->index, len, "uid", &p, err);
	if (rc)
		return rc;
	buf_clear(&c->uid);
	buf_reserve(&c->uid, 1);
	buf_append(&c->uid, p, len);
	if (!buf_ok(&c->uid))
		return err_set(err, RC_NOMEM, "no memory for a uid");
	e->uid = span_of((const char *)c->uid.p, len);
	good = utf8_len(c->uid.p, len);
	if (good < len)
		legacy_damage(c, "uid is no UTF-8 at byte %" PRIu64 ": %02x",
			      at + good, c->uid.p[good]);
	return RC_OK;
}

enum rc legacy_take_meta(struct legacy_cursor *c, struct legacy_piece *from,
			 struct legacy_entry *e, struct err *err)
{
	bool is_kept = e->meta_len <= LEGACY_META_MAX;
	uint64_t left = e->meta_len;
	struct json_check check;
	bool is_fine = true;

	e->meta_off = from->off;
	if (left > legacy_left(from))
		return err_set(err, RC_CORRUPT,
			       "metadata of %" PRIu64 " bytes at byte %" PRIu64
			       " are cut at byte %" PRIu64,
			       left, from->off, from->end);
	buf_clear(&c->text);
	json_check_init(&check);
	while (left) {
		size_t n =
			left < LEGACY_TAKE_MAX ? (size_t)left : LEGACY_TAKE_MAX;
		const uint8_t *p = NULL;
		enum rc rc = legacy_take(c, from, n, "metadata", &p, err);

		if (rc)
			return rc;
		is_fine = is_fine && json_check_feed(&check, p, n);
		if (is_kept)
			buf_append(&c->text, p, n);
		left -= n;
	}
	if (!buf_ok(&c->text))
		return err_set(err, RC_NOMEM, "no memory for metadata");
	if (e->meta_len && !(is_fine && json_check_end(&check)))
		legacy_damage(c, "metadata are no JSON object at byte %" PRIu64,
			      e->meta_off + check.at);
	e->meta = span_of((const char *)c->text.p, c->text.len);
	return RC_OK;
}

static enum rc begin(struct legacy_cursor *c, struct err *err)
{
	enum rc rc = RC_OK;

	if (!c->is_begun)
		rc = c->format->begin(c, err);
	c->is_begun = true;
	if (rc) {
		c->is_over = true;
		c->is_cut = true;
	}
	return rc;
}

/* The end, or what is wrong there. */
static enum rc finish(struct legacy_cursor *c, struct err *err)
{
	enum rc rc = c->format->end(c, err);

	if (!rc)
		rc = legacy_run_end(&c->data, err);
	if (!rc)
		rc = legacy_run_end(&c->meta, err);
	c->is_over = true;
	return rc ? rc : RC_NOENT;
}

enum rc legacy_cursor_next(struct legacy_cursor *c, struct legacy_entry *ret,
			   struct err *err)
{
	uint64_t at;
	enum rc rc;

	*ret = (struct legacy_entry){ 0 };
	if (c->is_over)
		return err_set(err, RC_NOENT, "no more entries");
	rc = begin(c, err);
	if (rc)
		return rc;
	if (!c->format->has_more(c))
		return finish(c, err);
	at = c->index.off;
	c->damage.rc = RC_OK;
	ret->ordinal = c->n++;
	ret->entry_off = at;
	rc = c->format->next(c, ret, err);
	if (!rc)
		rc = legacy_run_settle(c, &c->data, err);
	if (!rc)
		rc = legacy_run_settle(c, &c->meta, err);
	if (rc) {
		*ret = (struct legacy_entry){ 0 };
		c->is_over = true;
		c->is_cut = true;
	} else if (c->damage.rc) {
		*err = c->damage;
		rc = RC_CORRUPT;
	}
	return rc ? err_prefix(err, "entry %" PRIu64 " at byte %" PRIu64,
			       c->n - 1, at)
		  : RC_OK;
}
