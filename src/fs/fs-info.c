/* SPDX-License-Identifier: Apache-2.0 */
/* fs-info.c - .des/info: what the archive knows of a file, as one JSON object.
 *
 * Made anew from the entry each time: an entry never changes, so the size the
 * kernel was told stays right, and nothing is kept.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/json-text.h"
#include "base/timestamp.h"
#include "fs/fs.h"
#include "volume/oplog.h"

#define INFO_MAX (1u << 20)

static void put_key(struct buf *out, const char *key)
{
	buf_printf(out, ",\n  \"%s\": ", key);
}

static void put_number(struct buf *out, const char *key, uint64_t value)
{
	put_key(out, key);
	buf_printf(out, "%" PRIu64, value);
}

static void put_text(struct buf *out, const char *key, const void *p,
		     size_t len)
{
	put_key(out, key);
	json_text_string(out, p, len);
}

static void put_string(struct buf *out, const char *key, const char *s)
{
	put_text(out, key, s, strlen(s));
}

static void put_path(struct buf *out, const struct entry *e)
{
	CLEANUP_BUF struct buf path = { .max = 2 * 65536 };

	buf_append(&path, e->parent.p, e->parent.len);
	if (e->parent.len)
		buf_append(&path, "/", 1);
	buf_append(&path, e->name.p, e->name.len);
	buf_append_str(out, "{\n  \"version\": 1");
	put_text(out, "path", path.p ? (const void *)path.p : "", path.len);
}

static void put_meta(struct buf *out, const struct entry *e)
{
	char created[TIMESTAMP_TEXT];
	char mtime[TIMESTAMP_NS_TEXT];
	char group[HEX_TEXT(LINK_GROUP_LEN)];

	timestamp_format(e->created_at, created);
	timestamp_format_ns(e->mtime_s, e->mtime_ns, mtime);
	put_string(out, "type", entry_type_text(e->type));
	put_string(out, "created_at", created);
	put_key(out, "mode");
	buf_printf(out, "\"%04o\"", (unsigned int)e->mode);
	put_number(out, "uid", e->uid);
	put_number(out, "gid", e->gid);
	put_number(out, "size", e->size);
	put_string(out, "mtime", mtime);
	put_number(out, "nlink", e->nlink);
	if (link_group_is_set(e->link_group)) {
		hex_encode(e->link_group, LINK_GROUP_LEN, group);
		put_string(out, "link_group", group);
	}
	if (e->type == ENTRY_SYMLINK)
		put_text(out, "target", e->target.p, e->target.len);
	if (e->type == ENTRY_CHR || e->type == ENTRY_BLK) {
		put_number(out, "major", e->rdev_major);
		put_number(out, "minor", e->rdev_minor);
	}
}

static void put_content(struct buf *out, const struct entry *e)
{
	char digest[HEX_TEXT(ENTRY_HASH_LEN)];

	if (e->type != ENTRY_REG)
		return;
	if (e->has_hash) {
		hex_encode(e->sha256, sizeof(e->sha256), digest);
		put_string(out, "sha256", digest);
	}
	put_number(out, "n_blocks", e->content.n_blocks);
	if (!e->content.n_blocks)
		return;
	put_number(out, "block_size", e->content.block_size);
	put_number(out, "tail_offset", e->content.tail_off);
	if (!e->content.blocks)
		return;
	put_key(out, "blocks");
	for (uint32_t i = 0; i < e->content.n_blocks; i++) {
		const struct block_ref *b = &e->content.blocks[i];

		buf_printf(out,
			   "%s\n    {\"offset\": %" PRIu64
			   ", \"stored\": %" PRIu32 ", \"data\": %" PRIu32
			   ", \"codec\": %u}",
			   i ? "," : "[", b->off, b->stored_len, b->data_len,
			   b->codec);
	}
	buf_append_str(out, "\n  ]");
}

static void put_place(struct buf *out, const struct fs *fs,
		      const struct volume_entry *ve)
{
	const struct shard_meta *m = volume_shard(fs->v, ve->node);

	/* The root of an archive without entries is in none. */
	if (!m)
		return;
	put_string(out, "shard", m->key);
	put_number(out, "day", m->day);
	put_number(out, "slot", m->slot);
	put_number(out, "part", m->part);
	put_number(out, "revision", m->revision);
	put_number(out, "ordinal", ve->node.ordinal);
}

void fs_info_text(const struct fs *fs, const struct volume_entry *ve,
		  struct buf *out)
{
	put_path(out, &ve->e);
	put_meta(out, &ve->e);
	put_place(out, fs, ve);
	put_content(out, &ve->e);
	buf_append_str(out, "\n}\n");
}

/* Who may not see a file may not see what is told of it. */
void fs_info_attr(const struct fs *fs, const struct volume_entry *ve,
		  struct stat *ret)
{
	CLEANUP_BUF struct buf text = { .max = INFO_MAX };

	fs_attr(fs, ve, ret);
	if (S_ISDIR(ret->st_mode))
		return;
	fs_info_text(fs, ve, &text);
	ret->st_mode = S_IFREG | (ret->st_mode & 0444);
	ret->st_nlink = 1;
	ret->st_rdev = 0;
	ret->st_size = (off_t)text.len;
	ret->st_blocks = (blkcnt_t)((text.len + 511) / 512);
}

void fs_info_read(struct fs_call *c, size_t size, off_t off)
{
	CLEANUP_BUF struct buf text = { .max = INFO_MAX };
	struct volume_entry ve;
	struct err err;

	if (fs_get(c->fs, c->ino, &ve, &err)) {
		fs_reply_rc(c, &err);
		return;
	}
	fs_info_text(c->fs, &ve, &text);
	volume_entry_release(&ve);
	fs_reply_piece(c, text.p, text.len, size, off);
}
