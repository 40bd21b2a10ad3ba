/* SPDX-License-Identifier: Apache-2.0 */
/* fs-file.c - bytes: read, and lseek for data and holes. */
#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "fs/fs.h"

static void read_entry(struct fs_call *c, size_t size, off_t off)
{
	struct volume_pieces pieces = { 0 };
	struct volume_entry ve;
	struct err err;
	enum rc rc;

	rc = fs_get(c->fs, c->ino, &ve, &err);
	if (!rc) {
		rc = volume_read_pieces(c->fs->v, &ve, (uint64_t)off, size,
					&pieces, &err);
		volume_entry_release(&ve);
	}
	if (!off)
		fs_push_read(c->fs, c->ino);
	if (rc)
		fs_reply_rc(c, &err);
	else
		fuse_reply_iov(c->req, pieces.iov, (int)pieces.n);
	volume_pieces_release(&pieces);
}

void fs_read(struct fs_call *c, size_t size, off_t off)
{
	struct nodeid n = nodeid_decode(c->ino);

	if (off < 0) {
		fs_reply_errno(c, EINVAL);
		return;
	}
	switch (n.kind) {
	case NODEID_TREE:
	case NODEID_DATE: read_entry(c, size, off); break;
	case NODEID_INFO: fs_info_read(c, size, off); break;
	case NODEID_CONTROL: fs_control_read(c, n.number, size, off); break;
	case NODEID_ROOT: fs_reply_errno(c, EISDIR); break;
	}
}

static void seek_entry(struct fs_call *c, off_t off, int whence)
{
	struct volume_entry ve;
	uint64_t found = 0;
	struct err err;
	enum rc rc;

	rc = fs_get(c->fs, c->ino, &ve, &err);
	if (!rc) {
		rc = volume_seek(c->fs->v, &ve, (uint64_t)off,
				 whence == SEEK_DATA, &found, &err);
		volume_entry_release(&ve);
	}
	if (rc == RC_LIMIT)
		fs_reply_errno(c, ENXIO);
	else if (rc)
		fs_reply_rc(c, &err);
	else
		fuse_reply_lseek(c->req, (off_t)found);
}

/* Only SEEK_DATA and SEEK_HOLE come this far. */
void fs_lseek(struct fs_call *c, off_t off, int whence)
{
	enum nodeid_kind kind = nodeid_decode(c->ino).kind;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		fs_reply_errno(c, EINVAL);
	else if (off < 0)
		fs_reply_errno(c, ENXIO);
	else if (kind == NODEID_TREE || kind == NODEID_DATE)
		seek_entry(c, off, whence);
	else
		fs_reply_errno(c, EINVAL);
}
