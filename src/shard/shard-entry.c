/* SPDX-License-Identifier: Apache-2.0 */
/* shard-entry.c - order of entries, uids, lists of extended attributes. */
#include "config.h"

#include "shard/shard-entry.h"

#include <string.h>

#include "base/rd.h"
#include "base/sha256.h"
#include "base/wr.h"

const char *entry_type_text(enum entry_type type)
{
	switch (type) {
	case ENTRY_REG: return "file";
	case ENTRY_DIR: return "directory";
	case ENTRY_SYMLINK: return "symlink";
	case ENTRY_FIFO: return "fifo";
	case ENTRY_CHR: return "character device";
	case ENTRY_BLK: return "block device";
	case ENTRY_WHITEOUT: return "whiteout";
	}
	return "unknown";
}

int entry_key_compare(struct span parent_a, struct span name_a,
		      struct span parent_b, struct span name_b)
{
	int c = span_compare(parent_a, parent_b);

	return c ? c : span_compare(name_a, name_b);
}

int entry_compare(const struct entry *a, const struct entry *b)
{
	int c = entry_key_compare(a->parent, a->name, b->parent, b->name);

	if (c)
		return c;
	return (a->created_at < b->created_at) -
	       (a->created_at > b->created_at);
}

bool entry_is_same_file(const struct entry *a, const struct entry *b)
{
	return a->type == b->type && a->size == b->size && a->mode == b->mode &&
	       a->uid == b->uid && a->gid == b->gid &&
	       a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns &&
	       a->has_hash == b->has_hash && a->rdev_major == b->rdev_major &&
	       a->rdev_minor == b->rdev_minor &&
	       !memcmp(a->sha256, b->sha256, ENTRY_HASH_LEN);
}

void entry_split_uid(struct span uid, struct span *ret_parent,
		     struct span *ret_name)
{
	const char *slash = uid.len ? memrchr(uid.p, '/', uid.len) : NULL;
	size_t at;

	/* A slash at the very start separates nothing: "/x" is all name. */
	if (!slash || slash == uid.p) {
		*ret_parent = span_of(uid.p, 0);
		*ret_name = uid;
		return;
	}
	at = (size_t)(slash - uid.p);
	*ret_parent = span_of(uid.p, at);
	*ret_name = span_of(slash + 1, uid.len - at - 1);
}

size_t entry_uid_len(struct span parent, struct span name)
{
	return parent.len ? parent.len + 1 + name.len : name.len;
}

size_t entry_uid(struct span parent, struct span name, char *out)
{
	size_t n = 0;

	if (parent.len) {
		memcpy(out, parent.p, parent.len);
		n = parent.len;
		out[n++] = '/';
	}
	if (name.len)
		memcpy(out + n, name.p, name.len);
	return n + name.len;
}

void link_group_of(const uint8_t archive_id[SHARD_ID_LEN],
		   struct span smallest_uid, uint8_t ret[LINK_GROUP_LEN])
{
	uint8_t digest[SHA256_LEN];
	struct sha256 h;

	sha256_init(&h);
	sha256_update(&h, archive_id, SHARD_ID_LEN);
	sha256_update(&h, smallest_uid.p, smallest_uid.len);
	sha256_final(&h, digest);
	memcpy(ret, digest, LINK_GROUP_LEN);
}

bool xattr_next(struct span list, size_t *pos, struct span *ret_name,
		struct span *ret_value)
{
	struct span rest = span_after(list, *pos);
	struct rd r = { .p = (const uint8_t *)rest.p, .left = rest.len };
	size_t len;
	const uint8_t *p;

	if (!r.left)
		return false;
	len = rd_varint_max(&r, r.left);
	p = rd_take(&r, len);
	*ret_name = span_of(p, len);
	len = rd_varint_max(&r, r.left);
	p = rd_take(&r, len);
	*ret_value = span_of(p, len);
	*pos = list.len - r.left;
	return rd_ok(&r);
}

void xattr_append(struct buf *list, struct span name, struct span value)
{
	wr_varint(list, name.len);
	buf_append(list, name.p, name.len);
	wr_varint(list, value.len);
	buf_append(list, value.p, value.len);
}
