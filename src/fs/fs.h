/* SPDX-License-Identifier: Apache-2.0 */
/* fs.h - one mounted archive, and the request handlers; private to fs/.
 *
 * A handler gets a struct fs_call and replies to it exactly once, on every
 * path.  Handlers run on many threads; struct fs does not change once the
 * kernel's INIT was answered, but for what has atomics or a lock of its own.
 */
#ifndef DESFS_FS_FS_H
#define DESFS_FS_FS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "base/err.h"
#include "fs/fs-options.h"
#include "fs/fs-push.h"
#include "fs/fs-stats.h"
#include "fs/nodeid.h"
#include "volume/volume.h"

/* Nothing changes in secret: what does is told to the kernel (fs-refresh.c). */
#define FS_FOREVER 1e9 /* seconds */

#define FS_MAX_READ (1u << 20)
#define FS_BLKSIZE (128u << 10)
#define FS_NAME_MAX 1024 /* the kernel's limit for FUSE */

/* A name with a NUL behind it, which libfuse reads too; false: the kernel has
 * none as long.
 */
struct fs_name {
	char text[FS_NAME_MAX + 1];
};
static inline bool fs_name_set(struct fs_name *n, struct span name)
{
	if (name.len > FS_NAME_MAX)
		return false;
	if (name.len)
		memcpy(n->text, name.p, name.len);
	n->text[name.len] = '\0';
	return true;
}

struct fs_snapshots;

struct fs {
	struct volume *v;
	const struct fs_options *o;
	struct fuse_session *se;
	struct store_settings store; /* as the volume's store has them */
	struct fs_stats stats;
	struct fs_snapshots *snapshots;
	struct fs_push push;
	pthread_key_t buffers; /* see fs_buffer */
	bool by_date;          /* the root shows days */
	enum fs_xattr xattr;   /* not AUTO */
	time_t started;
	uid_t owner; /* of what is not in the archive */
	gid_t group;
	atomic_bool saw_days;      /* the kernel has nodes of the date view */
	unsigned int max_age;      /* seconds a view may be old; 0: no limit */
	atomic_bool is_stale;      /* it is older */
	_Atomic uint64_t fresh_ns; /* clock_boot_ns of the log read last */

	/* Set by INIT. */
	bool no_open;
	bool no_opendir;
	bool has_acls;   /* the kernel judges ACLs */
	bool can_expire; /* names can be made to be looked up again */
	int served;      /* an eventfd, readable once INIT was answered */
};

struct fs_call {
	struct fs *fs;
	fuse_req_t req;
	fuse_ino_t ino;
	enum fs_message message;
	struct fs_request request;
};

/* fs-ops.c */
extern const struct fuse_lowlevel_ops fs_ops;

/* Reply what err says; log what the operator should know. */
void fs_reply_rc(struct fs_call *c, const struct err *err);
void fs_reply_errno(struct fs_call *c, int errnum);

/* Bytes for one reply, of this thread until its next call; NULL: no memory. */
void *fs_buffer(struct fs *fs, size_t size);

/* fs-meta.c: entries as the kernel wants them. */

/* The entry behind a node of the root, tree, date or info view. */
enum rc fs_get(struct fs *fs, fuse_ino_t ino, struct volume_entry *ret,
	       struct err *err) MUST_CHECK;
void fs_attr(const struct fs *fs, const struct volume_entry *ve,
	     struct stat *ret);
/* What a directory that is in no archive looks like. */
void fs_attr_virtual(const struct fs *fs, fuse_ino_t ino, mode_t mode,
		     uint64_t size, struct stat *ret);
enum rc fs_entry_param(const struct fs *fs, enum nodeid_kind kind,
		       const struct volume_entry *ve,
		       struct fuse_entry_param *ret,
		       struct err *err) MUST_CHECK;
static inline bool fs_saw_days(const struct fs *fs)
{
	return atomic_load(&fs->saw_days);
}
/* The root of an archive where nothing was packed yet. */
bool fs_is_empty_root(const struct fs_call *c, enum rc rc);
void fs_getattr(struct fs_call *c);
void fs_readlink(struct fs_call *c);
void fs_statfs(struct fs_call *c);

/* fs-dir.c */
struct fs_listing {
	struct fs_call *c;
	enum nodeid_kind kind;
	bool plus;
	char *p;
	size_t size, used;
	struct fs_push_listing push;
	struct err *err;
};

/* Add one name; false when there is no room for it.  next is the offset of what
 * follows.
 */
bool fs_list_add(struct fs_listing *l, const char *name,
		 const struct fuse_entry_param *e, off_t next);
void fs_lookup(struct fs_call *c, const char *name);
void fs_readdir(struct fs_call *c, size_t size, off_t off, bool plus);
/* ENOENT that the kernel remembers. */
void fs_reply_negative(struct fs_call *c);

/* fs-days.c: a directory of days. */
void fs_days_lookup(struct fs_call *c, const char *name);
enum rc fs_days_list(struct fs_listing *l, off_t off,
		     struct err *err) MUST_CHECK;
#define FS_DAY_NAME 16
void fs_day_name(uint32_t day, char ret[FS_DAY_NAME]);
/* Of eight digits; 0 of all other names. */
uint32_t fs_day_of_name(const char *name);

/* fs-file.c */
void fs_read(struct fs_call *c, size_t size, off_t off);
void fs_lseek(struct fs_call *c, off_t off, int whence);

/* fs-xattr.c */
void fs_getxattr(struct fs_call *c, const char *name, size_t size);
void fs_listxattr(struct fs_call *c, size_t size);

/* fs-control.c: the control directory; numbers of its fixed nodes. */
enum { CONTROL_TOP, CONTROL_BY_DATE, CONTROL_INFO };
struct fs_snapshots *fs_snapshots_new(void);
void fs_snapshots_free(struct fs_snapshots *s);
bool fs_is_control_name(const struct fs *fs, const char *name, size_t len);
/* Reply the control directory itself. */
void fs_control_enter(struct fs_call *c);
void fs_control_lookup(struct fs_call *c, uint64_t number, const char *name);
void fs_control_getattr(struct fs_call *c, uint64_t number);
void fs_control_list(struct fs_listing *l, off_t off);
void fs_control_read(struct fs_call *c, uint64_t number, size_t size,
		     off_t off);
void fs_control_forget(struct fs *fs, uint64_t number);
/* A piece of a text as the reply to READ. */
void fs_reply_piece(struct fs_call *c, const void *p, size_t len, size_t size,
		    off_t off);

/* fs-info.c: .des/info */
void fs_info_text(const struct fs *fs, const struct volume_entry *ve,
		  struct buf *out);
/* The attributes of an entry's file or directory below info. */
void fs_info_attr(const struct fs *fs, const struct volume_entry *ve,
		  struct stat *ret);
void fs_info_read(struct fs_call *c, size_t size, off_t off);

/* fs-refresh.c: a thread that follows the archive's log until stop is
 * requested.
 */
enum rc fs_refresh_start(struct fs *fs, pthread_t *ret,
			 struct err *err) MUST_CHECK;

/* fs-stale.c: the refresh thread tells when the log was read, and looks whether
 * that is too long ago.
 */
void fs_stale_fresh(struct fs *fs);

/* Of an archive of an older program: log what is known of it. */
void fs_tell_legacy(struct fs *fs);
uint64_t fs_stale_left(const struct fs *fs); /* ns until the view is too old */
/* How long the kernel may go without asking for a name at the top. */
double fs_stale_seconds(const struct fs *fs);
void fs_stale_check(struct fs *fs);
/* True: the view is too old, and the call was answered so. */
bool fs_stale_refuses(struct fs_call *c);

/* fs-mount.c */
enum rc fs_mountpoint_check(const char *path, struct err *err) MUST_CHECK;
enum rc fs_mount(struct fs *fs, struct err *err) MUST_CHECK;
void fs_unmount(struct fs *fs);

/* fs-readahead.c: once mounted, tell the kernel how far to read ahead; where
 * that is not allowed it stays with its own.
 */
void fs_readahead(struct fs *fs);

/* fs-serve.c: answer until SIGTERM, SIGINT or an unmount.  serving is called
 * once the kernel got its first answer.
 */
typedef void fs_serving_fn(void *arg);
enum rc fs_serve(struct fs *fs, fs_serving_fn *serving, void *arg,
		 struct err *err) MUST_CHECK;

#endif
