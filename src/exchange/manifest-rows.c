/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-rows.c - the records of a manifest kept aside in a temporary file.
 */
#include "config.h"

#include "exchange/manifest-rows.h"

#include <string.h>

#include "base/rd.h"
#include "base/wr.h"

#define ROWS_MEMORY (1u << 20)
#define HEAD 4 /* bytes before each row: how many there are */

enum { ROW_UID = 1, ROW_SIZE = 2 };

struct manifest_state manifest_state_of(const struct stat *st)
{
	return (struct manifest_state){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_s = st->st_mtim.tv_sec,
		.ctime_s = st->st_ctim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
		.ctime_ns = (uint32_t)st->st_ctim.tv_nsec,
	};
}

bool manifest_state_is(const struct manifest_state *s, const struct stat *st)
{
	struct manifest_state now = manifest_state_of(st);

	return s->dev == now.dev && s->ino == now.ino && s->size == now.size &&
	       s->mtime_s == now.mtime_s && s->mtime_ns == now.mtime_ns &&
	       s->ctime_s == now.ctime_s && s->ctime_ns == now.ctime_ns;
}

void manifest_rows_init(struct manifest_rows *r, const char *dir)
{
	spool_init(&r->spool, dir, ROWS_MEMORY);
	buf_init(&r->one, MANIFEST_ROW_MAX);
}

void manifest_rows_release(struct manifest_rows *r)
{
	spool_release(&r->spool);
	buf_release(&r->one);
}

uint64_t manifest_rows_end(const struct manifest_rows *r)
{
	return spool_len(&r->spool);
}

static void put_span(struct buf *out, struct span s)
{
	wr_varint(out, s.len);
	buf_append(out, s.p, s.len);
}

enum rc manifest_rows_add(struct manifest_rows *r,
			  const struct manifest_row *row, struct err *err)
{
	const struct manifest_state *s = &row->state;
	struct buf *out = &r->one;

	buf_clear(out);
	wr_u32(out, 0);
	wr_u8(out, (uint8_t)((row->has_uid ? ROW_UID : 0) |
			     (row->has_size ? ROW_SIZE : 0)));
	wr_varint(out, s->dev);
	wr_varint(out, s->ino);
	wr_varint(out, s->size);
	wr_zigzag(out, s->mtime_s);
	wr_varint(out, s->mtime_ns);
	wr_zigzag(out, s->ctime_s);
	wr_varint(out, s->ctime_ns);
	put_span(out, row->uid);
	put_span(out, row->created_at);
	put_span(out, row->source);
	buf_append(out, "", 1);
	if (!buf_ok(out))
		return err_set(err, RC_NOMEM, "out of memory");
	wr_patch_le(out, 0, out->len - HEAD, HEAD);
	return spool_append(&r->spool, out->p, out->len, err);
}

static struct span take_span(struct rd *r)
{
	uint64_t len = rd_varint_max(r, r->left);
	const uint8_t *p = rd_take(r, (size_t)len);

	return span_of(p, p ? (size_t)len : 0);
}

enum rc manifest_rows_read(const struct manifest_rows *r, uint64_t place,
			   struct buf *bytes, struct manifest_row *ret,
			   uint64_t *ret_next, struct err *err)
{
	struct manifest_state *s = &ret->state;
	uint8_t head[HEAD], flags, *p;
	struct rd rd = { .p = head, .left = HEAD };
	size_t len;

	if (spool_read(&r->spool, place, head, HEAD, err))
		return err->rc;
	len = (size_t)rd_le(&rd, HEAD);
	buf_clear(bytes);
	p = buf_reserve(bytes, len);
	if (!p)
		return err_set(err, RC_NOMEM, "out of memory");
	if (spool_read(&r->spool, place + HEAD, p, len, err))
		return err->rc;
	rd = (struct rd){ .p = p, .left = len };
	flags = rd_u8(&rd);
	*ret = (struct manifest_row){ .has_uid = flags & ROW_UID,
				      .has_size = flags & ROW_SIZE };
	s->dev = rd_varint(&rd);
	s->ino = rd_varint(&rd);
	s->size = rd_varint(&rd);
	s->mtime_s = rd_zigzag(&rd);
	s->mtime_ns = (uint32_t)rd_varint(&rd);
	s->ctime_s = rd_zigzag(&rd);
	s->ctime_ns = (uint32_t)rd_varint(&rd);
	ret->uid = take_span(&rd);
	ret->created_at = take_span(&rd);
	ret->source = take_span(&rd);
	if (!rd_ok(&rd) || rd.left != 1)
		return err_set(err, RC_IO, "temporary data were damaged");
	*ret_next = place + HEAD + len;
	return RC_OK;
}
