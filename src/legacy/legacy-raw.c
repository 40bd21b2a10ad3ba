/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-raw.c - records of what shards of older archives say. */
#include "config.h"

#include "legacy/legacy-raw.h"

#include <string.h>

#define PIECE (256u << 10) /* bytes read at a time */

/* In keys: what is below a path comes before it, and before what only begins
 * like it.
 */
#define BYTE_SLASH 1
#define BYTE_END 2
#define BYTE_ESCAPE 3 /* before a byte that would be one of these */

static void append_be(struct buf *out, uint64_t v, size_t n)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(v >> 8 * (n - 1 - i));
	buf_append(out, bytes, n);
}

void legacy_raw_key(const struct legacy_raw_place *p, struct buf *out)
{
	buf_clear(out);
	for (size_t i = 0; i < p->path.len; i++) {
		uint8_t c = (uint8_t)p->path.p[i];
		const uint8_t escaped[] = { BYTE_ESCAPE, c };
		const uint8_t slash = BYTE_SLASH;

		if (c == '/')
			buf_append(out, &slash, 1);
		else if (c <= BYTE_ESCAPE)
			buf_append(out, escaped, sizeof(escaped));
		else
			buf_append(out, &c, 1);
	}
	append_be(out, BYTE_END, 1);
	append_be(out, p->day, LEGACY_RAW_DAY_LEN);
	append_be(out, !p->is_tombstone, 1);
	buf_append(out, p->object.p, p->object.len);
	append_be(out, 0, 1);
	append_be(out, ~p->ordinal, 8);
}

size_t legacy_raw_path_len(struct span key)
{
	size_t i = 0;

	while (i < key.len && key.p[i] != BYTE_END)
		i += key.p[i] == BYTE_ESCAPE ? 2 : 1;
	return i < key.len ? i + 1 : key.len;
}

void legacy_raw_path(struct span key, struct buf *out)
{
	buf_clear(out);
	for (size_t i = 0; i < key.len && key.p[i] != BYTE_END; i++) {
		const char *p = &key.p[i];

		if (*p == BYTE_ESCAPE && i + 1 < key.len)
			buf_append(out, &key.p[++i], 1);
		else
			buf_append(out, *p == BYTE_SLASH ? "/" : p, 1);
	}
}

void legacy_raw_value(const struct legacy_raw *r, const void *text,
		      const void *meta, struct buf *out)
{
	buf_clear(out);
	buf_append(out, r, sizeof(*r));
	buf_append(out, text, r->text_len);
	buf_append(out, meta, r->meta_len);
}

void legacy_raw_parse(struct span value, struct legacy_raw *ret,
		      struct span *ret_text, struct span *ret_meta)
{
	struct span rest;

	memcpy(ret, value.p, sizeof(*ret));
	rest = span_after(value, sizeof(*ret));
	*ret_text = span_of(rest.p, ret->text_len);
	*ret_meta = span_after(rest, ret->text_len);
}

enum rc legacy_raw_write(struct spool *sp, const struct buf *key,
			 const struct buf *value, struct err *err)
{
	const uint32_t lengths[] = { (uint32_t)key->len, (uint32_t)value->len };

	if (!buf_ok(key) || !buf_ok(value))
		return err_set(err, RC_NOMEM, "no memory for an entry");
	if (spool_append(sp, lengths, sizeof(lengths), err) ||
	    spool_append(sp, key->p, key->len, err) ||
	    spool_append(sp, value->p, value->len, err))
		return err->rc;
	return RC_OK;
}

/* Have at least n bytes of what is not used yet. */
static enum rc fill(struct legacy_raw_reader *r, size_t n, struct err *err)
{
	struct buf *b = &r->piece;
	size_t left = b->len - r->used;
	size_t more = n > PIECE ? n : PIECE;
	uint8_t *p;

	if (left >= n)
		return RC_OK;
	if (left)
		memmove(b->p, b->p + r->used, left);
	b->len = left;
	r->used = 0;
	more -= left;
	if (more > r->end - r->at)
		more = (size_t)(r->end - r->at);
	p = buf_reserve(b, more);
	if (!p)
		return err_set(err, RC_NOMEM, "no memory for an entry");
	if (left + more < n)
		return err_set(err, RC_IO, "temporary data end too early");
	if (spool_read(r->sp, r->at, p, more, err))
		return err->rc;
	b->len += more;
	r->at += more;
	return RC_OK;
}

enum rc legacy_raw_next(struct legacy_raw_reader *r, struct span *ret_key,
			struct span *ret_value, struct err *err)
{
	uint32_t lengths[2];
	const uint8_t *p;

	if (r->at == r->end && r->used == r->piece.len)
		return err_set(err, RC_NOENT, "no more records");
	if (fill(r, sizeof(lengths), err))
		return err->rc;
	memcpy(lengths, r->piece.p + r->used, sizeof(lengths));
	r->used += sizeof(lengths);
	if (fill(r, (size_t)lengths[0] + lengths[1], err))
		return err->rc;
	p = r->piece.p + r->used;
	r->used += (size_t)lengths[0] + lengths[1];
	*ret_key = span_of(p, lengths[0]);
	*ret_value = span_of(p + lengths[0], lengths[1]);
	return RC_OK;
}
