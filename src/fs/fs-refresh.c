/* SPDX-License-Identifier: Apache-2.0 */
/* fs-refresh.c - what was packed since becomes visible in the running mount.
 *
 * The kernel keeps names, absent names, attributes and directories for ever,
 * so each change is told to it.  There is no table of what it knows; but node
 * numbers are arithmetic, so the nodes of a changed name's directory can be
 * computed: those of all its versions, in the tree view and, once days were
 * looked at, in that of the change's day.
 *
 * Order: the new view is published first, then the notices go out.  A lookup
 * that began on the old view holds the directory's lock in the kernel, and the
 * notice for an entry waits for it; what begins later sees the new view.  So
 * notices come from this thread alone, which holds no lock, never from one that
 * answers requests; and they come while requests are still answered.  Pushing
 * stops meanwhile, and forgets what it knew (fs-push.h).
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "fs/fs.h"
#include "volume/oplog.h"

/* After so many failures in a row no more hurry: 2^n seconds. */
#define BACKOFF_MAX 16

/* One directory of a changed name, and the nodes it is or was known by. */
struct parent {
	struct buf uid;
	bool is_set;
	uint64_t *nodes;
	size_t n, cap;
};

struct changes {
	struct fs *fs;
	struct parent parent;
	uint64_t n_notices;
	struct err *err;
};

static void add_node(struct parent *p, uint64_t ino)
{
	p->nodes = mem_grow(p->nodes, &p->cap, p->n + 1, sizeof(*p->nodes));
	p->nodes[p->n++] = ino;
}

static bool add_version(void *arg, const struct volume_entry *ve)
{
	struct parent *p = arg;
	uint64_t ino;

	if (ve->e.type == ENTRY_DIR &&
	    nodeid_of_entry(ve->node.date ? NODEID_DATE : NODEID_TREE, ve->node,
			    &ino))
		add_node(p, ino);
	return true;
}

/* ENOENT: the kernel does not know the node, so nothing below it either. */
static bool is_known(struct fs *fs, uint64_t ino)
{
	return fuse_lowlevel_notify_inval_inode(fs->se, ino, 0, 0) != -ENOENT;
}

/* The directory's names are told; what the kernel listed meanwhile goes too. */
static void parent_end(struct changes *ch)
{
	struct parent *p = &ch->parent;

	for (size_t i = 0; i < p->n; i++)
		fuse_lowlevel_notify_inval_inode(ch->fs->se, p->nodes[i], 0, 0);
	ch->n_notices += p->n;
	p->n = 0;
	p->is_set = false;
}

static enum rc parent_begin(struct changes *ch, struct span uid, uint32_t day)
{
	struct parent *p = &ch->parent;
	size_t n = 0;
	enum rc rc;

	parent_end(ch);
	buf_clear(&p->uid);
	buf_append(&p->uid, uid.p, uid.len);
	p->is_set = true;
	if (!uid.len)
		add_node(p, FUSE_ROOT_ID);
	rc = volume_versions(ch->fs->v, uid, 0, add_version, p, ch->err);
	if (!rc && fs_saw_days(ch->fs))
		rc = volume_versions(ch->fs->v, uid, day, add_version, p,
				     ch->err);
	if (rc)
		return rc;
	for (size_t i = 0; i < p->n; i++) {
		if (is_known(ch->fs, p->nodes[i]))
			p->nodes[n++] = p->nodes[i];
	}
	p->n = n;
	return RC_OK;
}

/* Expired, a name is looked up again; invalidated, it is cut off with all that
 * is below it, and whoever stands there is lost.
 */
static void tell_name(struct changes *ch, uint64_t parent, struct span name)
{
	struct fuse_session *se = ch->fs->se;
	struct fs_name n;

	if (!fs_name_set(&n, name))
		return;
	if (ch->fs->can_expire)
		fuse_lowlevel_notify_expire_entry(se, parent, n.text, name.len,
						  FUSE_LL_EXPIRE_ONLY);
	else
		fuse_lowlevel_notify_inval_entry(se, parent, n.text, name.len);
	ch->n_notices++;
}

static void tell_day(struct changes *ch, uint32_t day)
{
	const uint64_t dirs[] = { nodeid_of_control(CONTROL_BY_DATE),
				  FUSE_ROOT_ID };
	char name[FS_DAY_NAME];

	fs_day_name(day, name);
	for (size_t i = 0; i < (ch->fs->by_date ? 2 : 1); i++) {
		tell_name(ch, dirs[i], span_of(name, strlen(name)));
		fuse_lowlevel_notify_inval_inode(ch->fs->se, dirs[i], 0, 0);
	}
}

static bool is_same_parent(const struct parent *p, struct span uid)
{
	return p->is_set && p->uid.len == uid.len &&
	       (!uid.len || !memcmp(p->uid.p, uid.p, uid.len));
}

static bool tell_entry(void *arg, const struct volume_entry *ve)
{
	struct changes *ch = arg;
	struct span name = ve->e.name;
	uint32_t day = volume_shard(ch->fs->v, ve->node)->day;

	if (stop_requested())
		return false;
	if (!ve->e.parent.len && !name.len) {
		/* The root itself; a new day has one always. */
		fuse_lowlevel_notify_inval_inode(ch->fs->se, FUSE_ROOT_ID, 0,
						 0);
		fuse_lowlevel_notify_inval_inode(
			ch->fs->se, nodeid_of_control(CONTROL_INFO), 0, 0);
		return true;
	}
	if (!is_same_parent(&ch->parent, ve->e.parent) &&
	    parent_begin(ch, ve->e.parent, day))
		return false;
	for (size_t i = 0; i < ch->parent.n; i++)
		tell_name(ch, ch->parent.nodes[i], name);
	return true;
}

static void tell_days(struct changes *ch)
{
	CLEANUP_FREE uint32_t *days = NULL;
	struct err err;
	size_t n = 0;

	if (volume_days(ch->fs->v, &days, &n, &err)) {
		log_rc(&err, "days");
		return;
	}
	for (size_t i = 0; i < n; i++)
		tell_day(ch, days[i]);
}

/* What is not RC_OK has been logged, and all is to be told again. */
static enum rc tell_changes(struct fs *fs, uint32_t first)
{
	struct err err = { .rc = RC_OK };
	struct changes ch = {
		.fs = fs,
		.parent = { .uid = { .max = 65536 } },
		.err = &err,
	};
	struct err walk;
	enum rc rc;

	tell_days(&ch);
	rc = volume_changes(fs->v, first, tell_entry, &ch, &walk);
	if (rc)
		log_rc(&walk, "what changed cannot be told to the kernel");
	else if (err.rc)
		log_rc(&err, "what changed cannot be told to the kernel");
	parent_end(&ch);
	free(ch.parent.nodes);
	buf_release(&ch.parent.uid);
	fs_count(&fs->stats.invalidations, ch.n_notices);
	log_debug(LOG_ROOM_FS, "%llu notices to the kernel",
		  (unsigned long long)ch.n_notices);
	return rc ? rc : err.rc;
}

static uint64_t generation(struct fs *fs)
{
	struct volume_stats vs;

	volume_stats(fs->v, &vs);
	return vs.generation;
}

/* Shards from told on are news to the kernel. */
struct follower {
	struct fs *fs;
	uint32_t told;
};

/* What could not be read of new shards is told once it can be: the kernel asks
 * for nothing it believes to know.  False: hurry.
 */
static bool refresh_once(struct follower *f)
{
	struct fs *fs = f->fs;
	bool changed = false;
	uint32_t bound;
	enum rc rc;
	struct err err;

	fs_count(&fs->stats.refreshes, 1);
	if (volume_refresh(fs->v, &changed, &err)) {
		fs_count(&fs->stats.refresh_errors, 1);
		log_rc(&err, "the log cannot be read, the old view stays");
		fs_stale_check(fs);
		return false;
	}
	fs_stale_fresh(fs);
	if (changed)
		log_info("new shards, view %llu",
			 (unsigned long long)generation(fs));
	bound = volume_shard_bound(fs->v);
	if (bound == f->told)
		return true;
	fs_push_close(fs);
	rc = tell_changes(fs, f->told);
	fs_push_open(fs);
	if (!rc)
		f->told = bound;
	return !rc_is_transient(rc);
}

/* Until the next look: sooner after a failure, and when the view gets too old.
 */
static uint64_t pause_ns(const struct fs *fs, unsigned int n_failed)
{
	uint64_t ns = fs->o->conf.refresh * CLOCK_NS_PER_SEC;
	uint64_t left = fs_stale_left(fs);

	if (n_failed && n_failed < BACKOFF_MAX &&
	    ns > CLOCK_NS_PER_SEC << n_failed)
		ns = CLOCK_NS_PER_SEC << n_failed;
	return left && left < ns ? left : ns;
}

static void *refresh_main(void *arg)
{
	struct fs *fs = arg;
	struct follower f = { fs, volume_shard_bound(fs->v) };
	unsigned int n_failed = 0;

	while (!stop_sleep(pause_ns(fs, n_failed)))
		n_failed = refresh_once(&f) ? 0 : n_failed + 1;
	return NULL;
}

enum rc fs_refresh_start(struct fs *fs, pthread_t *ret, struct err *err)
{
	sigset_t all, old;
	int e;

	fs_stale_fresh(fs);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	e = pthread_create(ret, NULL, refresh_main, fs);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e)
		return err_set_errno(err, e, "refresh thread");
	pthread_setname_np(*ret, "fs-refresh");
	return RC_OK;
}
