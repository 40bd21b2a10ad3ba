/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-stat.c - desfs stat: all that an archive knows of a file. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/json-text.h"
#include "base/opt-rows.h"
#include "base/timestamp.h"
#include "cmd/cmd.h"
#include "cmd/entry-text.h"
#include "cmd/json-row.h"
#include "cmd/open-archive.h"
#include "cmd/tell.h"
#include "codec/codec.h"
#include "conf/conf-opts.h"
#include "verify/raw-shard.h"
#include "volume/volume.h"

struct stat_options {
	bool json;
	struct conf conf;
};

static const struct opt stat_opts[] = {
	OPT_ROW_JSON(struct stat_options, json,
		     "print one JSON object for each file"),
	CONF_OPTS(struct stat_options, conf)
};

/* One file and where it lies. */
struct stat_item {
	struct span path;
	const struct entry *e;
	const struct shard_meta *shard;
	uint64_t ordinal, ino;
	const struct block_ref *refs; /* e->content.n_blocks of them */
};

/* --- text ----------------------------------------------------------------- */

static void text_span(struct buf *b, const char *name, struct span s)
{
	buf_printf(b, "%s: ", name);
	entry_path_text(s, true, b);
	buf_append_str(b, "\n");
}

static void text_xattrs(struct buf *b, const struct entry *e)
{
	struct span name, value;
	size_t pos = 0;

	while (xattr_next(e->xattrs, &pos, &name, &value)) {
		buf_append_str(b, "xattr: ");
		entry_path_text(name, true, b);
		buf_append_str(b, "=");
		entry_path_text(value, true, b);
		buf_append_str(b, "\n");
	}
}

static const char *codec_name(const struct block_ref *ref)
{
	const struct codec *c = codec_by_id(ref->codec);

	return c ? c->name : "?";
}

static void text_blocks(struct buf *b, const struct stat_item *it)
{
	const struct content *c = &it->e->content;

	if (it->e->type != ENTRY_REG)
		return;
	buf_printf(b, "blocks: %u\n", c->n_blocks);
	if (c->n_blocks)
		buf_printf(b, "block_size: %u\ntail_offset: %u\n",
			   c->block_size, c->tail_off);
	for (uint32_t i = 0; i < c->n_blocks; i++) {
		const struct block_ref *ref = &it->refs[i];
		char hash[HEX_TEXT(BLOCK_HASH_LEN)];

		if (block_is_hole(ref)) {
			buf_printf(b, "block: hole of %u\n", ref->data_len);
			continue;
		}
		hex_encode(ref->hash, BLOCK_HASH_LEN, hash);
		buf_printf(b,
			   "block: %u bytes %s at %" PRIu64 ", %u stored, %s\n",
			   ref->data_len, codec_name(ref), ref->off,
			   ref->stored_len, hash);
	}
}

static void text_attributes(struct buf *b, const struct entry *e)
{
	char mode[ENTRY_MODE_TEXT];
	char time[TIMESTAMP_NS_TEXT], created[TIMESTAMP_TEXT];
	char group[HEX_TEXT(LINK_GROUP_LEN)];

	entry_mode_text(e, mode);
	timestamp_format_ns(e->mtime_s, e->mtime_ns, time);
	timestamp_format(e->created_at, created);
	buf_printf(b, "type: %s%s\n", entry_type_text(e->type),
		   e->implicit ? " (implicit)" : "");
	buf_printf(b, "mode: %04o %s\n", e->mode & 07777u, mode);
	buf_printf(b, "uid: %u\ngid: %u\nsize: %" PRIu64 "\nnlink: %u\n",
		   e->uid, e->gid, e->size, e->nlink);
	buf_printf(b, "mtime: %s\ncreated_at: %s\n", time, created);
	if (e->type == ENTRY_CHR || e->type == ENTRY_BLK)
		buf_printf(b, "device: %u, %u\n", e->rdev_major, e->rdev_minor);
	if (e->type == ENTRY_SYMLINK)
		text_span(b, "target", e->target);
	if (link_group_is_set(e->link_group)) {
		hex_encode(e->link_group, LINK_GROUP_LEN, group);
		buf_printf(b, "link_group: %s\n", group);
	}
	if (e->has_opaque) {
		timestamp_format(e->opaque_since, created);
		buf_printf(b, "opaque_since: %s\n", created);
	}
}

static void print_text(const struct stat_item *it, struct buf *b)
{
	char hash[HEX_TEXT(ENTRY_HASH_LEN)];
	const struct shard_meta *s = it->shard;

	text_span(b, "path", it->path.len ? it->path : span_of(".", 1));
	text_attributes(b, it->e);
	if (it->e->has_hash) {
		hex_encode(it->e->sha256, ENTRY_HASH_LEN, hash);
		buf_printf(b, "sha256: %s\n", hash);
	}
	buf_printf(b, "inode: %" PRIu64 "\n", it->ino);
	if (s)
		buf_printf(b,
			   "shard: %s\nslot: %u\npart: %u\nrevision: %u\n"
			   "ordinal: %" PRIu64 "\n",
			   s->key, s->slot, s->part, s->revision, it->ordinal);
	text_xattrs(b, it->e);
	if (it->e->meta.len)
		text_span(b, "meta", it->e->meta);
	text_blocks(b, it);
	if (buf_ok(b))
		fwrite(b->p, 1, b->len, stdout);
}

/* --- JSON ----------------------------------------------------------------- */

static void json_xattrs(struct buf *b, const struct entry *e)
{
	struct span name, value;
	size_t pos = 0;

	json_row_name(b, "xattrs");
	json_row_begin(b);
	while (xattr_next(e->xattrs, &pos, &name, &value)) {
		if (b->p && b->p[b->len - 1] != '{')
			buf_append_str(b, ",");
		json_text_string(b, name.p, name.len);
		buf_append_str(b, ":");
		json_text_string(b, value.p, value.len);
	}
	buf_append_str(b, "}");
}

static void json_blocks(struct buf *b, const struct stat_item *it)
{
	const struct content *c = &it->e->content;

	json_row_u64(b, "block_size", c->block_size);
	json_row_u64(b, "tail_offset", c->tail_off);
	json_row_name(b, "blocks");
	buf_append_str(b, "[");
	for (uint32_t i = 0; i < c->n_blocks; i++) {
		const struct block_ref *ref = &it->refs[i];

		if (i)
			buf_append_str(b, ",");
		json_row_begin(b);
		json_row_bool(b, "hole", block_is_hole(ref));
		json_row_u64(b, "data_len", ref->data_len);
		if (!block_is_hole(ref)) {
			json_row_u64(b, "offset", ref->off);
			json_row_u64(b, "stored_len", ref->stored_len);
			json_row_str(b, "codec", codec_name(ref));
			json_row_hex(b, "hash", ref->hash, BLOCK_HASH_LEN);
		}
		buf_append_str(b, "}");
	}
	buf_append_str(b, "]");
}

/* The root of an archive without entries is in none. */
static void json_shard(struct buf *b, const struct stat_item *it)
{
	if (!it->shard)
		return;
	json_row_str(b, "shard", it->shard->key);
	json_row_u64(b, "slot", it->shard->slot);
	json_row_u64(b, "part", it->shard->part);
	json_row_u64(b, "revision", it->shard->revision);
	json_row_u64(b, "ordinal", it->ordinal);
}

static void print_json(const struct stat_item *it, struct buf *b)
{
	const struct entry *e = it->e;
	char time[TIMESTAMP_TEXT];

	json_row_begin(b);
	entry_json(it->path, e, b);
	json_row_bool(b, "implicit", e->implicit);
	if (e->has_opaque) {
		timestamp_format(e->opaque_since, time);
		json_row_str(b, "opaque_since", time);
	}
	if (link_group_is_set(e->link_group))
		json_row_hex(b, "link_group", e->link_group, LINK_GROUP_LEN);
	if (e->meta.len)
		json_row_bytes(b, "meta", e->meta.p, e->meta.len);
	json_row_u64(b, "inode", it->ino);
	json_shard(b, it);
	json_xattrs(b, e);
	if (e->type == ENTRY_REG)
		json_blocks(b, it);
	json_row_end(b, stdout);
}

/* --- the command ---------------------------------------------------------- */

/* The references of large files are not in the entry itself. */
static enum rc get_refs(struct volume *v, struct stat_item *it,
			struct block_ref **ret_owned, struct err *err)
{
	struct raw_shard s;
	enum rc rc;

	*ret_owned = NULL;
	it->refs = it->e->content.blocks;
	if (it->refs || !it->e->content.n_blocks)
		return RC_OK;
	rc = raw_shard_open(&s, volume_store(v), it->shard->key, err);
	if (!rc)
		rc = raw_shard_refs(&s, it->e, &it->refs, ret_owned, err);
	return rc;
}

static enum rc stat_path(struct volume *v, const struct stat_options *o,
			 struct span path, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	CLEANUP_FREE struct block_ref *owned = NULL;
	struct stat_item it = { .path = path };
	struct volume_entry ve;
	enum rc rc;

	rc = volume_resolve(v, path, &ve, err);
	if (rc)
		return rc;
	it.e = &ve.e;
	it.shard = volume_shard(v, ve.node);
	it.ordinal = ve.node.ordinal;
	it.ino = volume_ino(v, &ve);
	rc = get_refs(v, &it, &owned, err);
	if (!rc && o->json)
		print_json(&it, &b);
	else if (!rc)
		print_text(&it, &b);
	volume_entry_release(&ve);
	return rc;
}

static enum rc stat_run(const void *options, int argc, char **argv,
			struct err *err)
{
	const struct stat_options *o = options;
	char root[] = "";
	char *all[] = { root, NULL };
	char **paths = argc > 1 ? argv + 1 : all;
	size_t n = argc > 1 ? (size_t)argc - 1 : 1, n_failed = 0;
	struct open_archive archive;
	enum rc rc, last = RC_OK;

	rc = open_archive(&archive, argv[0], &o->conf, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		struct span path = span_of(paths[i], strlen(paths[i]));

		if (i && !o->json)
			putchar('\n');
		rc = stat_path(archive.v, o, path, err);
		if (rc) {
			tell_failed(path, err);
			last = rc;
			n_failed++;
		}
	}
	rc = archive_result(&archive, tell_result(n_failed, n, last, err), err);
	close_archive(&archive);
	return rc;
}

static const struct stat_options stat_defaults = { .conf = CONF_INIT };

const struct cmd cmd_stat = {
	.name = "stat",
	.usage = "[OPTION]... ARCHIVE [PATH]...",
	.summary = "tell all that is known of files",
	.opts = stat_opts,
	.n_opts = ARRAY_LEN(stat_opts),
	.defaults = &stat_defaults,
	.options_size = sizeof(stat_defaults),
	.min_args = 1,
	.max_args = CMD_ANY_ARGS,
	.run = stat_run,
};
