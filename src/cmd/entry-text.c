/* SPDX-License-Identifier: Apache-2.0 */
/* entry-text.c - an entry as people and programs read it. */
#include "config.h"

#include "cmd/entry-text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/human.h"
#include "base/timestamp.h"
#include "cmd/json-row.h"

/* As ls(1) has them; whiteouts are ours. */
static char type_letter(enum entry_type type)
{
	static const char letters[] = {
		[ENTRY_REG] = '-',     [ENTRY_DIR] = 'd', [ENTRY_SYMLINK] = 'l',
		[ENTRY_FIFO] = 'p',    [ENTRY_CHR] = 'c', [ENTRY_BLK] = 'b',
		[ENTRY_WHITEOUT] = 'w'
	};

	return letters[type];
}

/* The execute letter with the special bit that shares its place. */
static char execute_letter(bool is_set, bool is_special, char special)
{
	if (!is_special)
		return is_set ? 'x' : '-';
	return is_set ? special : (char)(special & ~0x20);
}

void entry_mode_text(const struct entry *e, char ret[ENTRY_MODE_TEXT])
{
	static const char letters[] = "rwxrwxrwx";
	unsigned int mode = e->mode;

	ret[0] = type_letter(e->type);
	for (unsigned int i = 0; i < 9; i++)
		ret[1 + i] = mode >> (8 - i) & 1 ? letters[i] : '-';
	ret[3] = execute_letter(mode & S_IXUSR, mode & S_ISUID, 's');
	ret[6] = execute_letter(mode & S_IXGRP, mode & S_ISGID, 's');
	ret[9] = execute_letter(mode & S_IXOTH, mode & S_ISVTX, 't');
	ret[10] = '\0';
}

void entry_long_text(const struct entry *e, struct buf *out)
{
	char mode[ENTRY_MODE_TEXT];
	char mtime[TIMESTAMP_MINUTE_TEXT];
	char size[48];

	entry_mode_text(e, mode);
	timestamp_format_minute(e->mtime_s, mtime);
	if (e->type == ENTRY_CHR || e->type == ENTRY_BLK)
		snprintf(size, sizeof(size), "%u, %u", e->rdev_major,
			 e->rdev_minor);
	else
		snprintf(size, sizeof(size), "%" PRIu64, e->size);
	buf_printf(out, "%s %2u %5u %5u %10s %s ", mode,
		   e->nlink ? e->nlink : 1, e->uid, e->gid, size, mtime);
}

void entry_path_text(struct span path, bool escape, struct buf *out)
{
	if (escape)
		name_escape(out, path.p, path.len);
	else if (path.len)
		buf_append(out, path.p, path.len);
}

void entry_json(struct span path, const struct entry *e, struct buf *out)
{
	char mtime[TIMESTAMP_NS_TEXT], created[TIMESTAMP_TEXT];
	char mode[8];

	timestamp_format_ns(e->mtime_s, e->mtime_ns, mtime);
	timestamp_format(e->created_at, created);
	snprintf(mode, sizeof(mode), "%04o", e->mode & 07777u);
	json_row_u64(out, "v", 1);
	json_row_bytes(out, "path", path.p, path.len);
	json_row_str(out, "type", entry_type_text(e->type));
	json_row_str(out, "mode", mode);
	json_row_u64(out, "uid", e->uid);
	json_row_u64(out, "gid", e->gid);
	json_row_u64(out, "size", e->size);
	json_row_u64(out, "nlink", e->nlink);
	json_row_str(out, "mtime", mtime);
	json_row_str(out, "created_at", created);
	if (e->type == ENTRY_SYMLINK)
		json_row_bytes(out, "target", e->target.p, e->target.len);
	if (e->type == ENTRY_CHR || e->type == ENTRY_BLK) {
		json_row_u64(out, "rdev_major", e->rdev_major);
		json_row_u64(out, "rdev_minor", e->rdev_minor);
	}
	if (e->has_hash)
		json_row_hex(out, "sha256", e->sha256, ENTRY_HASH_LEN);
}
