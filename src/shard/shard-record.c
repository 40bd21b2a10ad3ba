/* SPDX-License-Identifier: Apache-2.0 */
/* shard-record.c - entries as rows: records in blocks, input of logical_root. */
#include "config.h"

#include "shard/shard-record.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rd.h"
#include "base/wr.h"
#include "shard/shard-columns.h"
#include "shard/shard-format.h"

/* What follows the uid in both forms, without the content. */
static void write_fields(const struct entry *e, struct buf *out)
{
	wr_zigzag(out, e->created_at);
	wr_varint(out, e->mode);
	wr_varint(out, e->uid);
	wr_varint(out, e->gid);
	wr_zigzag(out, e->mtime_s);
	wr_varint(out, e->mtime_ns);
	wr_varint(out, e->size);
	if (e->has_opaque)
		wr_zigzag(out, e->opaque_since);
	if (e->type == ENTRY_SYMLINK)
		string_encode(e->target, out);
	if (e->type == ENTRY_CHR || e->type == ENTRY_BLK) {
		wr_varint(out, e->rdev_major);
		wr_varint(out, e->rdev_minor);
	}
	if (link_group_is_set(e->link_group))
		buf_append(out, e->link_group, LINK_GROUP_LEN);
	if (e->nlink != nlink_default(e->type))
		wr_varint(out, e->nlink);
	if (e->xattrs.len)
		string_encode(e->xattrs, out);
	if (e->meta.len)
		string_encode(e->meta, out);
}

/* Bytes of the common beginning of two uids, without joining them. */
static char uid_byte(const struct entry *e, size_t i)
{
	if (i < e->parent.len)
		return e->parent.p[i];
	if (!e->parent.len)
		return e->name.p[i];
	return i == e->parent.len ? '/' : e->name.p[i - e->parent.len - 1];
}

static size_t uid_shared(const struct entry *a, const struct entry *b)
{
	size_t la = entry_uid_len(a->parent, a->name);
	size_t lb = entry_uid_len(b->parent, b->name);
	size_t n = la < lb ? la : lb, i = 0;

	while (i < n && uid_byte(a, i) == uid_byte(b, i))
		i++;
	return i;
}

static void write_uid(const struct entry *e, const struct entry *prev,
		      struct buf *out)
{
	size_t shared = prev ? uid_shared(e, prev) : 0;
	size_t len = entry_uid_len(e->parent, e->name);
	char *to;

	wr_varint(out, shared);
	wr_varint(out, len - shared);
	to = (char *)buf_reserve(out, len);
	if (!to)
		return;
	entry_uid(e->parent, e->name, to);
	memmove(to, to + shared, len - shared);
	out->len += len - shared;
}

void record_encode(const struct record *rec, const struct entry *prev,
		   struct buf *out)
{
	const struct entry *e = &rec->entry;

	/* The hash of the content is left to the index: a record's bytes are
	 * under the block's checksum, or named by hash.
	 */
	wr_varint(out, entry_flags(e) & ~FLAG_HASH);
	write_uid(e, prev, out);
	write_fields(e, out);
	wr_u8(out, (uint8_t)rec->where);
	switch (rec->where) {
	case RECORD_NONE:
		break;
	case RECORD_HERE:
		wr_varint(out, e->content.tail_off);
		break;
	case RECORD_HASHES:
		wr_varint(out, e->content.n_blocks);
		wr_varint(out, e->content.block_size);
		wr_varint(out, e->content.tail_off);
		buf_append(out, rec->hashes,
			   (size_t)e->content.n_blocks * BLOCK_HASH_LEN);
		break;
	}
}

void record_encode_logical(const struct entry *e, struct buf *out)
{
	wr_varint(out, entry_flags(e));
	write_uid(e, NULL, out);
	write_fields(e, out);
	if (e->has_hash)
		buf_append(out, e->sha256, ENTRY_HASH_LEN);
}

struct record_reader {
	struct rd r;
	uint32_t left;
	char *uid; /* of the last record */
	size_t uid_len, uid_max;
};

enum rc record_reader_new(const uint8_t *p, size_t len, uint32_t n_records,
			  struct record_reader **ret, struct err *err)
{
	struct record_reader *rr = xcalloc(1, sizeof(*rr));

	/* A record takes more than ten bytes. */
	if (n_records > len / 10) {
		free(rr);
		return err_set(err, RC_CORRUPT, "%u records in %zu bytes",
			       n_records, len);
	}
	rr->r = (struct rd){ .p = p, .left = len };
	rr->left = n_records;
	/* All of it is written out in this or an earlier record. */
	rr->uid_max = len < UID_MAX_LEN ? len : UID_MAX_LEN;
	rr->uid = mem_array(1, rr->uid_max);
	if (!rr->uid) {
		free(rr);
		return err_set(err, RC_NOMEM, "no memory for a uid");
	}
	*ret = rr;
	return RC_OK;
}

void record_reader_free(struct record_reader *r)
{
	if (!r)
		return;
	free(r->uid);
	free(r);
}

static bool read_uid(struct record_reader *rr)
{
	size_t shared = rd_varint_max(&rr->r, rr->uid_len);
	struct span rest = string_decode(&rr->r, rr->uid_max - shared);

	if (!rd_ok(&rr->r))
		return false;
	if (rest.len)
		memcpy(rr->uid + shared, rest.p, rest.len);
	rr->uid_len = shared + rest.len;
	return true;
}

static void read_fields(struct rd *r, uint32_t flags, struct entry *e)
{
	e->created_at = rd_zigzag(r);
	e->mode = (uint16_t)rd_varint_max(r, 07777);
	e->uid = (uint32_t)rd_varint_max(r, UINT32_MAX);
	e->gid = (uint32_t)rd_varint_max(r, UINT32_MAX);
	e->mtime_s = rd_zigzag(r);
	e->mtime_ns = (uint32_t)rd_varint_max(r, 999999999);
	e->size = rd_varint_max(r, INT64_MAX);
	if (e->has_opaque)
		e->opaque_since = rd_zigzag(r);
	if (e->type == ENTRY_SYMLINK)
		e->target = string_decode(r, LINK_TARGET_MAX);
	if (e->type == ENTRY_CHR || e->type == ENTRY_BLK) {
		e->rdev_major = (uint32_t)rd_varint_max(r, UINT32_MAX);
		e->rdev_minor = (uint32_t)rd_varint_max(r, UINT32_MAX);
	}
	if (flags & FLAG_GROUP) {
		const uint8_t *p = rd_take(r, LINK_GROUP_LEN);

		if (p)
			memcpy(e->link_group, p, LINK_GROUP_LEN);
	}
	e->nlink = flags & FLAG_NLINK ?
			   (uint32_t)rd_varint_max(r, UINT32_MAX) :
			   nlink_default(e->type);
	if (flags & FLAG_XATTRS)
		e->xattrs = string_decode(r, XATTRS_MAX);
	if (flags & FLAG_META)
		e->meta = string_decode(r, META_MAX);
}

static bool read_where(struct rd *r, struct record *rec)
{
	struct content *c = &rec->entry.content;
	uint8_t where = rd_u8(r);

	if (where > RECORD_HASHES)
		return false;
	rec->where = (enum record_content)where;
	if (rec->where != RECORD_NONE && rec->entry.type != ENTRY_REG)
		return false;
	if (rec->where == RECORD_HERE) {
		c->n_blocks = 1;
		c->tail_off = (uint32_t)rd_varint_max(r, BLOCK_SIZE_MAX);
	} else if (rec->where == RECORD_HASHES) {
		c->n_blocks = (uint32_t)rd_varint_max(r, INT32_MAX);
		c->block_size = (uint32_t)rd_varint_max(r, BLOCK_SIZE_MAX);
		c->tail_off = (uint32_t)rd_varint_max(r, BLOCK_SIZE_MAX);
		if (!c->n_blocks || c->n_blocks > r->left / BLOCK_HASH_LEN)
			return false;
		rec->hashes =
			rd_take(r, (size_t)c->n_blocks * BLOCK_HASH_LEN);
	}
	return rd_ok(r);
}

enum rc record_next(struct record_reader *rr, struct record *ret,
		    struct err *err)
{
	struct record rec = { 0 };
	uint32_t flags;

	if (!rr->left) {
		if (rr->r.left)
			return err_set(err, RC_CORRUPT,
				       "%zu bytes after the last record",
				       rr->r.left);
		return err_set(err, RC_NOENT, "no more records");
	}
	flags = (uint32_t)rd_varint_max(&rr->r, FLAG_ALL);
	/* Records have no hash of the content, see record_encode. */
	if (flags & FLAG_HASH || !entry_set_flags(&rec.entry, flags) ||
	    !read_uid(rr))
		return err_set(err, RC_CORRUPT, "ill-formed record");
	read_fields(&rr->r, flags, &rec.entry);
	if (!rd_ok(&rr->r) || !read_where(&rr->r, &rec))
		return err_set(err, RC_CORRUPT, "ill-formed record");
	entry_split_uid(span_of(rr->uid, rr->uid_len), &rec.entry.parent,
			&rec.entry.name);
	if (entry_flags(&rec.entry) != flags || !entry_is_sound(&rec.entry))
		return err_set(err, RC_CORRUPT, "record out of bounds");
	rr->left--;
	*ret = rec;
	return RC_OK;
}
