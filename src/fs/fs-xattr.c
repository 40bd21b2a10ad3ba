/* SPDX-License-Identifier: Apache-2.0 */
/* fs-xattr.c - extended attributes: the packed ones, and user.des.* by name. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/timestamp.h"
#include "fs/fs-acl.h"
#include "fs/fs.h"
#include "volume/oplog.h"

#define OURS "user.des."
/* The kernel takes lists and values of at most this size. */
#define REPLY_MAX 65536

static void reply_value(struct fs_call *c, const void *p, size_t len,
			size_t size)
{
	if (!size)
		fuse_reply_xattr(c->req, len);
	else if (len > size)
		fs_reply_errno(c, ERANGE);
	else
		fuse_reply_buf(c->req, p, len);
}

static bool find_packed(struct span xattrs, const char *name, struct span *ret)
{
	struct span wanted = span_of(name, strlen(name));
	struct span found;
	size_t pos = 0;

	while (xattr_next(xattrs, &pos, &found, ret)) {
		if (span_equal(found, wanted))
			return true;
	}
	return false;
}

/* The values user.des.* stand for; false when there is none of that name. */
static bool our_value(const struct fs *fs, const struct volume_entry *ve,
		      const char *name, struct buf *out)
{
	const char *key = name + strlen(OURS);
	const struct shard_meta *m = volume_shard(fs->v, ve->node);
	const struct entry *e = &ve->e;
	char digest[HEX_TEXT(ENTRY_HASH_LEN)];
	char when[TIMESTAMP_TEXT];

	if (!strcmp(key, "created_at")) {
		timestamp_format(e->created_at, when);
		buf_append_str(out, when);
	} else if (!strcmp(key, "shard") && m) {
		buf_append_str(out, m->key);
	} else if (!strcmp(key, "ordinal") && m) {
		buf_printf(out, "%" PRIu64, ve->node.ordinal);
	} else if (!strcmp(key, "uid")) {
		buf_append(out, e->parent.p, e->parent.len);
		if (e->parent.len)
			buf_append(out, "/", 1);
		buf_append(out, e->name.p, e->name.len);
	} else if (!strcmp(key, "sha256") && e->has_hash) {
		hex_encode(e->sha256, sizeof(e->sha256), digest);
		buf_append_str(out, digest);
	} else if (!strcmp(key, "blocks") && e->type == ENTRY_REG) {
		buf_printf(out, "%" PRIu32, e->content.n_blocks);
	} else {
		return false;
	}
	return true;
}

static void reply_ours(struct fs_call *c, const struct volume_entry *ve,
		       const char *name, size_t size)
{
	CLEANUP_BUF struct buf value = { .max = REPLY_MAX };

	if (c->fs->xattr != XATTR_ALL || !our_value(c->fs, ve, name, &value))
		fs_reply_errno(c, ENODATA);
	else if (!buf_ok(&value))
		fs_reply_errno(c, E2BIG);
	else
		reply_value(c, value.p ? (const void *)value.p : "", value.len,
			    size);
}

/* Below info the kernel asks for the ACLs that guard the real names. */
static bool is_shown(enum nodeid_kind kind, const char *name)
{
	if (kind == NODEID_TREE || kind == NODEID_DATE)
		return true;
	return kind == NODEID_INFO && !strcmp(name, FS_ACL_ACCESS);
}

static bool has_xattrs(const struct fs_call *c, enum nodeid_kind *ret_kind)
{
	*ret_kind = nodeid_decode(c->ino).kind;
	if (*ret_kind == NODEID_ROOT && !c->fs->by_date)
		*ret_kind = NODEID_TREE;
	return *ret_kind != NODEID_ROOT && *ret_kind != NODEID_CONTROL;
}

void fs_getxattr(struct fs_call *c, const char *name, size_t size)
{
	enum nodeid_kind kind;
	struct volume_entry ve;
	struct span value;
	struct err err;
	enum rc rc;

	if (!has_xattrs(c, &kind) || !is_shown(kind, name)) {
		fs_reply_errno(c, ENODATA);
		return;
	}
	rc = fs_get(c->fs, c->ino, &ve, &err);
	if (fs_is_empty_root(c, rc)) {
		fs_reply_errno(c, ENODATA);
		return;
	}
	if (rc) {
		fs_reply_rc(c, &err);
		return;
	}
	if (!strncmp(name, OURS, strlen(OURS)))
		reply_ours(c, &ve, name, size);
	else if (find_packed(ve.e.xattrs, name, &value))
		reply_value(c, value.p, value.len, size);
	else
		fs_reply_errno(c, ENODATA);
	volume_entry_release(&ve);
}

/* As other file systems do: trusted.* is for the administrator alone. */
static bool is_listed(struct span name, bool is_admin)
{
	static const char trusted[] = "trusted.";
	size_t n = sizeof(trusted) - 1;

	return is_admin || name.len < n || memcmp(name.p, trusted, n);
}

static void append_names(struct buf *out, struct span xattrs, bool is_admin)
{
	struct span name, value;
	size_t pos = 0;

	while (xattr_next(xattrs, &pos, &name, &value)) {
		if (!is_listed(name, is_admin))
			continue;
		buf_append(out, name.p, name.len);
		buf_append(out, "", 1);
	}
}

void fs_listxattr(struct fs_call *c, size_t size)
{
	bool is_admin = fuse_req_ctx(c->req)->uid == 0;
	CLEANUP_BUF struct buf names = { .max = REPLY_MAX };
	enum nodeid_kind kind;
	struct volume_entry ve;
	struct err err;

	if (has_xattrs(c, &kind) && kind != NODEID_INFO) {
		enum rc rc = fs_get(c->fs, c->ino, &ve, &err);

		if (rc && !fs_is_empty_root(c, rc)) {
			fs_reply_rc(c, &err);
			return;
		}
		if (!rc) {
			append_names(&names, ve.e.xattrs, is_admin);
			volume_entry_release(&ve);
		}
	}
	if (!buf_ok(&names))
		fs_reply_errno(c, E2BIG);
	else
		reply_value(c, names.p ? (const void *)names.p : "", names.len,
			    size);
}
