/* SPDX-License-Identifier: Apache-2.0 */
/* item.c - what the walk found out about one name, on its way through the
 * sorter. */
#include "config.h"

#include "pack/item.h"

#include <string.h>

#include "base/rd.h"
#include "base/wr.h"

enum {
	ITEM_IMPLICIT = 1,
	ITEM_OPAQUE = 2,
	ITEM_GROUP = 4,
	ITEM_FED = 8,
	ITEM_HASH = 16
};

static void put_span(struct buf *out, struct span s)
{
	wr_varint(out, s.len);
	buf_append(out, s.p, s.len);
}

static void put_fed(const struct item *it, struct buf *out)
{
	wr_varint(out, it->number);
	wr_varint(out, it->place);
	put_span(out, it->meta);
	if (it->has_sha256)
		buf_append(out, it->sha256, ENTRY_HASH_LEN);
}

void item_encode(const struct item *it, struct buf *out)
{
	unsigned int flags = 0;

	if (it->implicit)
		flags |= ITEM_IMPLICIT;
	if (it->has_opaque)
		flags |= ITEM_OPAQUE;
	if (link_group_is_set(it->link_group))
		flags |= ITEM_GROUP;
	if (it->is_fed)
		flags |= ITEM_FED;
	if (it->has_sha256)
		flags |= ITEM_HASH;
	wr_u8(out, (uint8_t)it->type);
	wr_u8(out, (uint8_t)flags);
	wr_varint(out, it->mode);
	wr_varint(out, it->uid);
	wr_varint(out, it->gid);
	wr_zigzag(out, it->mtime_s);
	wr_varint(out, it->mtime_ns);
	wr_zigzag(out, it->ctime_s);
	wr_varint(out, it->ctime_ns);
	wr_varint(out, it->dev);
	wr_varint(out, it->ino);
	wr_varint(out, it->size);
	wr_varint(out, it->rdev_major);
	wr_varint(out, it->rdev_minor);
	wr_varint(out, it->nlink);
	wr_varint(out, it->link);
	wr_varint(out, it->source);
	wr_varint(out, it->dir);
	put_span(out, it->target);
	put_span(out, it->xattrs);
	if (flags & ITEM_GROUP)
		buf_append(out, it->link_group, LINK_GROUP_LEN);
	wr_zigzag(out, it->created_at);
	if (it->has_opaque)
		wr_zigzag(out, it->opaque_since);
	if (it->is_fed)
		put_fed(it, out);
}

static struct span take_span(struct rd *r)
{
	size_t len = (size_t)rd_varint_max(r, r->left);
	const uint8_t *p = rd_take(r, len);

	return span_of(p, p ? len : 0);
}

static void take_bytes(struct rd *r, uint8_t *to, size_t len)
{
	const uint8_t *p = rd_take(r, len);

	if (p)
		memcpy(to, p, len);
}

static void take_fed(struct rd *r, struct item *it)
{
	it->number = rd_varint(r);
	it->place = rd_varint(r);
	it->meta = take_span(r);
	if (it->has_sha256)
		take_bytes(r, it->sha256, ENTRY_HASH_LEN);
}

enum rc item_decode(const void *p, size_t len, struct item *ret,
		    struct err *err)
{
	struct rd r = { .p = p, .left = len };
	struct item it = { .type = (enum entry_type)rd_u8(&r) };
	uint8_t flags = rd_u8(&r);

	it.implicit = flags & ITEM_IMPLICIT;
	it.has_opaque = flags & ITEM_OPAQUE;
	it.is_fed = flags & ITEM_FED;
	it.has_sha256 = flags & ITEM_HASH;
	it.mode = (uint16_t)rd_varint(&r);
	it.uid = (uint32_t)rd_varint(&r);
	it.gid = (uint32_t)rd_varint(&r);
	it.mtime_s = rd_zigzag(&r);
	it.mtime_ns = (uint32_t)rd_varint(&r);
	it.ctime_s = rd_zigzag(&r);
	it.ctime_ns = (uint32_t)rd_varint(&r);
	it.dev = rd_varint(&r);
	it.ino = rd_varint(&r);
	it.size = rd_varint(&r);
	it.rdev_major = (uint32_t)rd_varint(&r);
	it.rdev_minor = (uint32_t)rd_varint(&r);
	it.nlink = (uint32_t)rd_varint(&r);
	it.link = rd_varint(&r);
	it.source = (uint32_t)rd_varint(&r);
	it.dir = rd_varint(&r);
	it.target = take_span(&r);
	it.xattrs = take_span(&r);
	if (flags & ITEM_GROUP)
		take_bytes(&r, it.link_group, LINK_GROUP_LEN);
	it.created_at = rd_zigzag(&r);
	if (it.has_opaque)
		it.opaque_since = rd_zigzag(&r);
	if (it.is_fed)
		take_fed(&r, &it);
	if (!rd_ok(&r) || r.left)
		return err_set(err, RC_IO,
			       "temporary data were damaged: item of %zu bytes",
			       len);
	*ret = it;
	return RC_OK;
}

bool item_is_same_state(const struct item *a, const struct item *b)
{
	return a->type == b->type && a->mode == b->mode && a->uid == b->uid &&
	       a->gid == b->gid && a->dev == b->dev && a->ino == b->ino &&
	       a->size == b->size && a->rdev_major == b->rdev_major &&
	       a->rdev_minor == b->rdev_minor && a->mtime_s == b->mtime_s &&
	       a->mtime_ns == b->mtime_ns && a->ctime_s == b->ctime_s &&
	       a->ctime_ns == b->ctime_ns && a->has_sha256 == b->has_sha256 &&
	       (!a->has_sha256 ||
		!memcmp(a->sha256, b->sha256, ENTRY_HASH_LEN));
}

void item_key_encode(struct span parent, struct span name, struct buf *out)
{
	buf_append(out, parent.p, parent.len);
	wr_u8(out, 0);
	buf_append(out, name.p, name.len);
}

bool item_key_decode(struct span key, struct span *ret_parent,
		     struct span *ret_name)
{
	const char *nul = key.len ? memchr(key.p, 0, key.len) : NULL;

	if (!nul)
		return false;
	*ret_parent = span_of(key.p, (size_t)(nul - key.p));
	*ret_name = span_of(nul + 1, key.len - ret_parent->len - 1);
	return true;
}

/* Most significant first; a later time is less. */
void item_put_newest(int64_t created_at, struct buf *out)
{
	uint64_t v = ~((uint64_t)created_at ^ UINT64_C(1) << 63);
	uint8_t b[ITEM_NEWEST_BYTES];

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)(v >> (56 - 8 * i));
	buf_append(out, b, sizeof(b));
}

int64_t item_get_newest(const char p[ITEM_NEWEST_BYTES])
{
	uint64_t v = 0;

	for (size_t i = 0; i < ITEM_NEWEST_BYTES; i++)
		v = v << 8 | (uint8_t)p[i];
	return (int64_t)(~v ^ UINT64_C(1) << 63);
}

struct item item_implied(struct span uid, int64_t created_at)
{
	struct item it = { .type = ENTRY_DIR,
			   .implicit = true,
			   .mode = 0755,
			   .dir = ITEM_NO_DIR,
			   .created_at = created_at };
	int64_t us = created_at % 1000000;

	it.mtime_s = created_at / 1000000 - (us < 0);
	it.mtime_ns = (uint32_t)(us < 0 ? us + 1000000 : us) * 1000;
	entry_split_uid(uid, &it.parent, &it.name);
	return it;
}
