/* SPDX-License-Identifier: Apache-2.0 */
/* fs-meta.c - entries as the kernel wants them: attributes, links, totals. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "fs/fs-acl.h"
#include "fs/fs.h"

#define SECTOR 512
#define STATFS_BLOCK 4096

enum rc fs_get(struct fs *fs, fuse_ino_t ino, struct volume_entry *ret,
	       struct err *err)
{
	struct nodeid n = nodeid_decode(ino);

	switch (n.kind) {
	case NODEID_TREE:
	case NODEID_DATE:
	case NODEID_INFO: return volume_get(fs->v, n.node, ret, err);
	case NODEID_ROOT: return volume_root(fs->v, ret, err);
	case NODEID_CONTROL: break;
	}
	assert(n.number == CONTROL_INFO);
	return volume_root(fs->v, ret, err);
}

static mode_t type_bits(enum entry_type type)
{
	switch (type) {
	case ENTRY_REG: return S_IFREG;
	case ENTRY_DIR: return S_IFDIR;
	case ENTRY_SYMLINK: return S_IFLNK;
	case ENTRY_FIFO: return S_IFIFO;
	case ENTRY_CHR: return S_IFCHR;
	case ENTRY_BLK: return S_IFBLK;
	case ENTRY_WHITEOUT: break;
	}
	return 0;
}

static bool find_acl(struct span xattrs, struct span *ret)
{
	static const struct span wanted = { FS_ACL_ACCESS,
					    sizeof(FS_ACL_ACCESS) - 1 };
	struct span name;
	size_t pos = 0;

	while (xattr_next(xattrs, &pos, &name, ret)) {
		if (span_equal(name, wanted))
			return true;
	}
	return false;
}

static mode_t permissions(const struct fs *fs, const struct entry *e)
{
	uint16_t mode = e->mode;
	struct span acl;

	if (e->type == ENTRY_SYMLINK)
		return 0777;
	if (!fs->has_acls && e->xattrs.len && find_acl(e->xattrs, &acl))
		mode = fs_acl_narrow(mode, acl);
	return mode & ~(mode_t)fs->o->umask & 07777;
}

/* The bytes that are no holes.  Block lists are not read for this; one sector
 * less than the size makes cp and tar ask with SEEK_HOLE.
 */
static uint64_t data_bytes(const struct entry *e)
{
	uint64_t holes = 0;

	if (e->content.n_extents && e->size > SECTOR)
		return e->size - SECTOR;
	if (!e->content.blocks)
		return e->size;
	for (uint32_t i = 0; i < e->content.n_blocks; i++) {
		if (!e->content.blocks[i].stored_len)
			holes += e->content.blocks[i].data_len;
	}
	return holes < e->size ? e->size - holes : 0;
}

void fs_attr(const struct fs *fs, const struct volume_entry *ve,
	     struct stat *ret)
{
	const struct entry *e = &ve->e;

	*ret = (struct stat){
		.st_ino = volume_ino(fs->v, ve),
		.st_mode = type_bits(e->type) | permissions(fs, e),
		.st_nlink = e->nlink ? e->nlink : 1,
		.st_uid = fs->o->uid == FS_ID_UNSET ? e->uid : fs->o->uid,
		.st_gid = fs->o->gid == FS_ID_UNSET ? e->gid : fs->o->gid,
		.st_blksize = FS_BLKSIZE,
		.st_mtim.tv_sec = e->mtime_s,
		.st_mtim.tv_nsec = e->mtime_ns,
	};
	ret->st_atim = ret->st_mtim;
	ret->st_ctim = ret->st_mtim;
	if (e->type == ENTRY_REG || e->type == ENTRY_SYMLINK)
		ret->st_size = (off_t)e->size;
	if (e->type == ENTRY_REG)
		ret->st_blocks =
			(blkcnt_t)((data_bytes(e) + SECTOR - 1) / SECTOR);
	if (e->type == ENTRY_CHR || e->type == ENTRY_BLK)
		ret->st_rdev = makedev(e->rdev_major, e->rdev_minor);
}

void fs_attr_virtual(const struct fs *fs, fuse_ino_t ino, mode_t mode,
		     uint64_t size, struct stat *ret)
{
	*ret = (struct stat){
		/* volume_ino gives no such numbers to the archive's files. */
		.st_ino = ino & INT64_MAX,
		.st_mode = mode & ~(mode_t)fs->o->umask,
		.st_nlink = 1,
		.st_uid = fs->o->uid == FS_ID_UNSET ? fs->owner : fs->o->uid,
		.st_gid = fs->o->gid == FS_ID_UNSET ? fs->group : fs->o->gid,
		.st_size = (off_t)size,
		.st_blksize = STATFS_BLOCK,
		.st_mtim.tv_sec = fs->started,
		.st_atim.tv_sec = fs->started,
		.st_ctim.tv_sec = fs->started,
	};
}

enum rc fs_entry_param(const struct fs *fs, enum nodeid_kind kind,
		       const struct volume_entry *ve,
		       struct fuse_entry_param *ret, struct err *err)
{
	uint64_t ino = 0;

	if (!nodeid_of_entry(kind, ve->node, &ino))
		return err_set(err, RC_LIMIT,
			       "shard %u, entry %llu: too many for one mount",
			       ve->node.shard,
			       (unsigned long long)ve->node.ordinal);
	*ret = (struct fuse_entry_param){
		.ino = ino,
		.attr_timeout = FS_FOREVER,
		.entry_timeout = FS_FOREVER,
	};
	/* What is below info is nobody's second pass. */
	if (kind == NODEID_INFO)
		ret->entry_timeout = 0;
	else if (!ve->e.parent.len)
		ret->entry_timeout = fs_stale_seconds(fs);
	if (kind == NODEID_INFO)
		fs_info_attr(fs, ve, &ret->attr);
	else
		fs_attr(fs, ve, &ret->attr);
	return RC_OK;
}

bool fs_is_empty_root(const struct fs_call *c, enum rc rc)
{
	return rc == RC_NOENT && c->ino == FUSE_ROOT_ID;
}

void fs_getattr(struct fs_call *c)
{
	struct nodeid n = nodeid_decode(c->ino);
	struct volume_entry ve;
	struct stat st;
	struct err err;
	enum rc rc;

	if (n.kind == NODEID_CONTROL && n.number != CONTROL_INFO) {
		fs_control_getattr(c, n.number);
		return;
	}
	if (n.kind == NODEID_ROOT && c->fs->by_date) {
		fs_attr_virtual(c->fs, c->ino, S_IFDIR | 0555, 0, &st);
		fuse_reply_attr(c->req, &st, FS_FOREVER);
		return;
	}
	rc = fs_get(c->fs, c->ino, &ve, &err);
	if (fs_is_empty_root(c, rc)) {
		fs_attr_virtual(c->fs, c->ino, S_IFDIR | 0555, 0, &st);
	} else if (rc) {
		fs_reply_rc(c, &err);
		return;
	} else {
		if (n.kind == NODEID_INFO || n.kind == NODEID_CONTROL)
			fs_info_attr(c->fs, &ve, &st);
		else
			fs_attr(c->fs, &ve, &st);
		if (n.kind == NODEID_CONTROL)
			st.st_ino = c->ino & INT64_MAX;
		volume_entry_release(&ve);
	}
	fuse_reply_attr(c->req, &st, FS_FOREVER);
}

static bool is_entry(enum nodeid_kind kind)
{
	return kind == NODEID_TREE || kind == NODEID_DATE;
}

void fs_readlink(struct fs_call *c)
{
	struct volume_entry ve;
	struct err err;

	if (!is_entry(nodeid_decode(c->ino).kind)) {
		fs_reply_errno(c, EINVAL);
		return;
	}
	if (fs_get(c->fs, c->ino, &ve, &err)) {
		fs_reply_rc(c, &err);
		return;
	}
	if (ve.e.type == ENTRY_SYMLINK) {
		CLEANUP_FREE char *target =
			xmemdup0(ve.e.target.p, ve.e.target.len);

		fuse_reply_readlink(c->req, target);
	} else {
		fs_reply_errno(c, EINVAL);
	}
	volume_entry_release(&ve);
}

void fs_statfs(struct fs_call *c)
{
	struct volume_stats vs;
	struct statvfs sv = {
		.f_bsize = STATFS_BLOCK,
		.f_frsize = STATFS_BLOCK,
		.f_namemax = 255,
	};

	volume_stats(c->fs->v, &vs);
	/* What du finds, as on the file system the files came from. */
	sv.f_blocks = (vs.plain_bytes + STATFS_BLOCK - 1) / STATFS_BLOCK;
	sv.f_files = vs.n_entries;
	fuse_reply_statfs(c->req, &sv);
}
