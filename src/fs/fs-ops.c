/* SPDX-License-Identifier: Apache-2.0 */
/* fs-ops.c - the table of operations: each counted, listed, handled, replied.
 *
 * What is missing here libfuse answers with ENOSYS, and the kernel never asks
 * again.  Changes never arrive: every mount is read-only.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "fs/fs.h"

#define MAX_BACKGROUND 64
#define CONGESTION 48

static void want_if_offered(struct fuse_conn_info *conn, unsigned int caps)
{
	conn->want |= conn->capable & caps;
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	static const unsigned int unwanted =
		FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_AUTO_INVAL_DATA |
		FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
		FUSE_CAP_SPLICE_READ;
	static const uint64_t one = 1;
	struct fs *fs = userdata;
	ssize_t n;

	conn->want &= ~unwanted;
	want_if_offered(conn, FUSE_CAP_READDIRPLUS | FUSE_CAP_CACHE_SYMLINKS |
				      FUSE_CAP_EXPLICIT_INVAL_DATA |
				      FUSE_CAP_ASYNC_READ |
				      FUSE_CAP_PARALLEL_DIROPS);
	/* A umask or no view of attributes: fs-acl.c narrows the modes. */
	if (fs->xattr != XATTR_OFF && !fs->o->umask)
		want_if_offered(conn, FUSE_CAP_POSIX_ACL);
	fs->has_acls = conn->want & FUSE_CAP_POSIX_ACL;
	want_if_offered(conn, FUSE_CAP_EXPIRE_ONLY);
	fs->can_expire = conn->want & FUSE_CAP_EXPIRE_ONLY;
	fs->no_open = conn->capable & FUSE_CAP_NO_OPEN_SUPPORT;
	fs->no_opendir = conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT;
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = CONGESTION;
	conn->max_read = FS_MAX_READ;
	/* The least of this and what fs_readahead has set counts. */
	conn->max_readahead = fs->o->readahead > FS_MAX_READ
				      ? (unsigned int)fs->o->readahead
				      : FS_MAX_READ;
	log_debug(LOG_ROOM_FS, "kernel speaks %u.%u, offers %#x, gets %#x",
		  conn->proto_major, conn->proto_minor, conn->capable,
		  conn->want);
	n = write(fs->served, &one, sizeof(one));
	(void)n;
}

static struct fs_call call_begin(fuse_req_t req, fuse_ino_t ino,
				 enum fs_message message, bool is_control)
{
	struct fs *fs = fuse_req_userdata(req);
	struct fs_call c = {
		.fs = fs,
		.req = req,
		.ino = ino,
		.message = message,
	};

	c.request = fs_request_begin(&fs->stats, message, ino,
				     fuse_req_ctx(req)->pid,
				     is_control || nodeid_is_control(ino));
	return c;
}

static void call_end(struct fs_call *c)
{
	fs_request_end(&c->fs->stats, &c->request);
}

void fs_reply_errno(struct fs_call *c, int errnum)
{
	fuse_reply_err(c->req, errnum);
}

/* Names that are not there, links read as directories: no news. */
static bool is_news(enum rc rc)
{
	return rc != RC_NOENT && rc != RC_NOTDIR && rc != RC_USAGE &&
	       rc != RC_DELETED;
}

void fs_reply_rc(struct fs_call *c, const struct err *err)
{
	fs_count(&c->fs->stats.errors[err->rc], 1);
	if (is_news(err->rc))
		log_rc(err, "%s of node %#llx", fs_message_name(c->message),
		       (unsigned long long)c->ino);
	fs_reply_errno(c, rc_to_errno(err->rc));
}

struct buffer {
	size_t size;
	char bytes[];
};

void *fs_buffer(struct fs *fs, size_t size)
{
	struct buffer *b = pthread_getspecific(fs->buffers);

	if (b && b->size >= size)
		return b->bytes;
	free(b);
	pthread_setspecific(fs->buffers, NULL);
	if (size > SIZE_MAX - sizeof(*b))
		return NULL;
	b = malloc(sizeof(*b) + size);
	if (!b)
		return NULL;
	b->size = size;
	if (pthread_setspecific(fs->buffers, b)) {
		free(b);
		return NULL;
	}
	return b->bytes;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct fs *fs = fuse_req_userdata(req);
	bool is_control = parent == FUSE_ROOT_ID &&
			  fs_is_control_name(fs, name, strlen(name));
	struct fs_call c = call_begin(req, parent, FS_LOOKUP, is_control);

	if (is_control || !fs_stale_refuses(&c))
		fs_lookup(&c, name);
	call_end(&c);
}

/* Node numbers are arithmetic: nothing is kept for them, control files apart.
 */
static void forget_one(struct fs *fs, uint64_t ino)
{
	bool is_control = nodeid_is_control(ino);
	struct nodeid n = nodeid_decode(ino);

	fs_count(is_control ? &fs->stats.control[FS_FORGET]
			    : &fs->stats.messages[FS_FORGET],
		 1);
	if (n.kind == NODEID_CONTROL)
		fs_control_forget(fs, n.number);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	(void)nlookup;
	forget_one(fuse_req_userdata(req), ino);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count,
			    struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget_one(fuse_req_userdata(req), forgets[i].ino);
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct fs_call c = call_begin(req, ino, FS_GETATTR, false);

	(void)fi;
	if (ino == FUSE_ROOT_ID || !fs_stale_refuses(&c))
		fs_getattr(&c);
	call_end(&c);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct fs_call c = call_begin(req, ino, FS_READLINK, false);

	if (!fs_stale_refuses(&c))
		fs_readlink(&c);
	call_end(&c);
}

/* ENOSYS: succeed without asking, from now on and for ever. */
static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs_call c = call_begin(req, ino, FS_OPEN, false);

	fi->keep_cache = 1;
	if (c.fs->no_open)
		fs_reply_errno(&c, ENOSYS);
	else
		fuse_reply_open(req, fi);
	call_end(&c);
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct fs_call c = call_begin(req, ino, FS_OPENDIR, false);

	fi->keep_cache = 1;
	fi->cache_readdir = 1;
	if (c.fs->no_opendir)
		fs_reply_errno(&c, ENOSYS);
	else
		fuse_reply_open(req, fi);
	call_end(&c);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct fs_call c = call_begin(req, ino, FS_READ, false);

	(void)fi;
	if (!fs_stale_refuses(&c))
		fs_read(&c, size, off);
	call_end(&c);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	struct fs_call c = call_begin(req, ino, FS_READDIR, false);

	(void)fi;
	if (!fs_stale_refuses(&c))
		fs_readdir(&c, size, off, false);
	call_end(&c);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
			   off_t off, struct fuse_file_info *fi)
{
	struct fs_call c = call_begin(req, ino, FS_READDIRPLUS, false);

	(void)fi;
	if (!fs_stale_refuses(&c))
		fs_readdir(&c, size, off, true);
	call_end(&c);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct fs_call c = call_begin(req, ino, FS_STATFS, false);

	fs_statfs(&c);
	call_end(&c);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
			size_t size)
{
	struct fs_call c = call_begin(req, ino, FS_GETXATTR, false);

	if (c.fs->xattr == XATTR_OFF)
		fs_reply_errno(&c, ENOSYS);
	else if (!fs_stale_refuses(&c))
		fs_getxattr(&c, name, size);
	call_end(&c);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct fs_call c = call_begin(req, ino, FS_LISTXATTR, false);

	if (c.fs->xattr == XATTR_OFF)
		fs_reply_errno(&c, ENOSYS);
	else if (!fs_stale_refuses(&c))
		fs_listxattr(&c, size);
	call_end(&c);
}

static void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
		     struct fuse_file_info *fi)
{
	struct fs_call c = call_begin(req, ino, FS_LSEEK, false);

	(void)fi;
	if (!fs_stale_refuses(&c))
		fs_lseek(&c, off, whence);
	call_end(&c);
}

const struct fuse_lowlevel_ops fs_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.readlink = op_readlink,
	.open = op_open,
	.opendir = op_opendir,
	.read = op_read,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.statfs = op_statfs,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.lseek = op_lseek,
};
