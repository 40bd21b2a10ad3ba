/* SPDX-License-Identifier: Apache-2.0 */
/* shard-columns.c - flags, block tables and strings of pages and records. */
#include "config.h"

#include "shard/shard-columns.h"

#include <string.h>

#include "base/wr.h"
#include "codec/codec.h"
#include "shard/shard-format.h"

uint32_t entry_flags(const struct entry *e)
{
	uint32_t flags = (uint32_t)e->type;

	if (e->implicit)
		flags |= FLAG_IMPLICIT;
	if (e->has_opaque)
		flags |= FLAG_OPAQUE;
	if (e->has_hash)
		flags |= FLAG_HASH;
	if (e->xattrs.len)
		flags |= FLAG_XATTRS;
	if (e->meta.len)
		flags |= FLAG_META;
	if (link_group_is_set(e->link_group))
		flags |= FLAG_GROUP;
	if (e->nlink != nlink_default(e->type))
		flags |= FLAG_NLINK;
	return flags;
}

bool entry_set_flags(struct entry *e, uint32_t flags)
{
	uint32_t type = flags & FLAG_TYPE_MASK;

	if (type < ENTRY_REG || type > ENTRY_WHITEOUT || flags & ~FLAG_ALL)
		return false;
	e->type = (enum entry_type)type;
	e->implicit = flags & FLAG_IMPLICIT;
	e->has_opaque = flags & FLAG_OPAQUE;
	e->has_hash = flags & FLAG_HASH;
	return true;
}

bool xattrs_are_sound(struct span list)
{
	struct span name, value, last = { 0 };
	size_t pos = 0;

	if (list.len > XATTRS_MAX)
		return false;
	while (pos < list.len) {
		if (!xattr_next(list, &pos, &name, &value) || !name.len ||
		    memchr(name.p, '\0', name.len))
			return false;
		if (last.len && span_compare(last, name) >= 0)
			return false;
		last = name;
	}
	return true;
}

bool entry_key_is_sound(struct span parent, struct span name)
{
	const char *slash = name.len ? memrchr(name.p, '/', name.len) : NULL;

	if (slash && (parent.len || slash != name.p))
		return false;
	return entry_uid_len(parent, name) <= UID_MAX_LEN;
}

/* Size, number of segments and, where they are at hand, the lengths of the blocks
 * must agree.
 */
static bool content_is_sound(const struct entry *e)
{
	const struct content *c = &e->content;
	uint64_t whole = 0, most = BLOCK_SIZE_MAX, tail;

	if (!c->n_blocks)
		return !e->size || e->type != ENTRY_REG;
	if (c->n_blocks > 1) {
		/* A reader holds all blocks of a READ. */
		if (c->block_size < BLOCK_SIZE_MIN)
			return false;
		whole = (uint64_t)c->block_size * (c->n_blocks - 1);
		most = c->block_size;
	}
	if (most > BLOCK_SIZE_MAX || e->size <= whole ||
	    e->size - whole > most)
		return false;
	tail = c->tail_off + (e->size - whole);
	if (!c->blocks)
		return tail <= BLOCK_SIZE_MAX;
	for (uint32_t i = 0; i + 1 < c->n_blocks; i++)
		if (c->blocks[i].data_len != most)
			return false;
	return tail <= c->blocks[c->n_blocks - 1].data_len;
}

static bool type_is_sound(const struct entry *e)
{
	switch (e->type) {
	case ENTRY_REG:
		return !e->target.len;
	case ENTRY_SYMLINK:
		return e->target.len == e->size && e->size &&
		       !memchr(e->target.p, '\0', e->target.len);
	case ENTRY_DIR:
	case ENTRY_FIFO:
	case ENTRY_CHR:
	case ENTRY_BLK:
	case ENTRY_WHITEOUT:
		return !e->size && !e->target.len;
	}
	return false;
}

bool entry_is_sound(const struct entry *e)
{
	if (e->mode > 07777 || e->mtime_ns > 999999999 || e->size > INT64_MAX ||
	    !entry_key_is_sound(e->parent, e->name) || e->meta.len > META_MAX)
		return false;
	if (e->type != ENTRY_DIR && (e->implicit || e->has_opaque))
		return false;
	if (e->type != ENTRY_REG && (e->has_hash || e->content.n_blocks))
		return false;
	return type_is_sound(e) && content_is_sound(e) &&
	       xattrs_are_sound(e->xattrs);
}

void block_table_encode(const struct block_ref *refs, size_t n, struct buf *out)
{
	uint64_t end = 0;

	for (size_t i = 0; i < n; i++)
		wr_varint(out, refs[i].stored_len);
	for (size_t i = 0; i < n; i++)
		wr_varint(out, refs[i].data_len);
	for (size_t i = 0; i < n; i++) {
		if (!refs[i].stored_len)
			continue;
		wr_zigzag(out, (int64_t)(refs[i].off - end));
		end = refs[i].off + refs[i].stored_len;
	}
	for (size_t i = 0; i < n; i++)
		if (refs[i].stored_len)
			wr_u8(out, refs[i].codec);
	for (size_t i = 0; i < n; i++)
		if (refs[i].stored_len)
			buf_append(out, refs[i].hash, BLOCK_HASH_LEN);
}

static void decode_offsets(struct rd *r, struct block_ref *refs, size_t n)
{
	uint64_t end = 0;

	for (size_t i = 0; i < n; i++) {
		if (!refs[i].stored_len)
			continue;
		refs[i].off = end + (uint64_t)rd_zigzag(r);
		if (refs[i].off > INT64_MAX)
			rd_fail(r);
		end = refs[i].off + refs[i].stored_len;
	}
}

void block_table_decode(struct rd *r, struct block_ref *refs, size_t n)
{
	const uint32_t stored_max = BLOCK_HEADER_SIZE + BLOCK_SIZE_MAX +
				    BLOCK_RECORDS_MAX;
	const uint8_t *p;

	memset(refs, 0, n * sizeof(*refs));
	for (size_t i = 0; i < n; i++) {
		refs[i].stored_len = (uint32_t)rd_varint_max(r, stored_max);
		if (refs[i].stored_len && refs[i].stored_len < BLOCK_HEADER_SIZE)
			rd_fail(r);
	}
	for (size_t i = 0; i < n; i++)
		refs[i].data_len = (uint32_t)rd_varint_max(r, BLOCK_SIZE_MAX);
	decode_offsets(r, refs, n);
	for (size_t i = 0; i < n; i++) {
		if (!refs[i].stored_len)
			continue;
		refs[i].codec = rd_u8(r);
		if (!codec_by_id(refs[i].codec))
			rd_fail(r);
	}
	for (size_t i = 0; i < n; i++) {
		if (!refs[i].stored_len)
			continue;
		p = rd_take(r, BLOCK_HASH_LEN);
		if (p)
			memcpy(refs[i].hash, p, BLOCK_HASH_LEN);
	}
}

void string_encode(struct span s, struct buf *out)
{
	wr_varint(out, s.len);
	buf_append(out, s.p, s.len);
}

struct span string_decode(struct rd *r, size_t max)
{
	size_t len = rd_varint_max(r, max);
	const uint8_t *p = rd_take(r, len);

	return span_of(p, p ? len : 0);
}

size_t common_prefix(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	size_t i = 0;

	while (i < n && a.p[i] == b.p[i])
		i++;
	return i;
}
