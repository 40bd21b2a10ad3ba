/* SPDX-License-Identifier: Apache-2.0 */
/* fs-stale.c - a view that is too old is shown no more.
 *
 * What was erased from the archive must not live on in a mount that has not
 * heard of it.  When the log could not be read for max_age, all but the control
 * directory is answered with an error.  The kernel asks for a name at the top,
 * on which every path depends, once the view would be too old that it is from;
 * and it is made to forget them, where they can still be read, for those who
 * stand in a directory.  Files that are open keep what the kernel has of them:
 * there is no table of nodes to tell it.
 */
#include "config.h"

#include "base/clock.h"
#include "base/log.h"
#include "fs/fs.h"

struct forgetting {
	struct fs *fs;
	uint64_t dir;
	uint64_t n;
};

static bool forget_name(void *arg, struct span name,
			const struct volume_entry *ve, uint64_t next_cookie)
{
	struct forgetting *f = arg;
	struct fs_name n;

	(void)ve;
	(void)next_cookie;
	if (!fs_name_set(&n, name))
		return true;
	fuse_lowlevel_notify_inval_entry(f->fs->se, f->dir, n.text, name.len);
	f->n++;
	return true;
}

static void forget_tree(struct forgetting *f)
{
	struct volume_entry root;
	struct err err;

	if (volume_root(f->fs->v, &root, &err))
		return;
	if (volume_readdir(f->fs->v, &root, 0, forget_name, f, &err))
		log_rc(&err, "names at the top");
	volume_entry_release(&root);
}

static void forget_all(struct fs *fs)
{
	struct forgetting f = { .fs = fs, .dir = FUSE_ROOT_ID };

	/* What the kernel has listed, first: for the rest the store may be
	 * asked, in vain.
	 */
	fuse_lowlevel_notify_inval_inode(fs->se, FUSE_ROOT_ID, 0, 0);
	fuse_lowlevel_notify_inval_inode(
		fs->se, nodeid_of_control(CONTROL_BY_DATE), 0, 0);
	if (!fs->by_date)
		forget_tree(&f);
	fs_count(&fs->stats.invalidations, f.n + 2);
}

void fs_stale_fresh(struct fs *fs)
{
	bool was_late = atomic_load(&fs->fresh_ns) && !fs_stale_left(fs);

	atomic_store(&fs->fresh_ns, clock_boot_ns());
	if (atomic_exchange(&fs->is_stale, false) || was_late)
		log_info("the log can be read again");
}

uint64_t fs_stale_left(const struct fs *fs)
{
	uint64_t age = clock_boot_ns() - atomic_load(&fs->fresh_ns);
	uint64_t max = fs->max_age * CLOCK_NS_PER_SEC;

	if (!fs->max_age)
		return UINT64_MAX;
	return age < max ? max - age : 0;
}

double fs_stale_seconds(const struct fs *fs)
{
	uint64_t left = fs_stale_left(fs);

	return left == UINT64_MAX ? FS_FOREVER
				  : (double)left / CLOCK_NS_PER_SEC;
}

void fs_stale_check(struct fs *fs)
{
	if (fs_stale_left(fs) || atomic_exchange(&fs->is_stale, true))
		return;
	log_err("the log could not be read for %u s: nothing is shown until "
		"it can (tombstone_max_age)",
		fs->max_age);
	fs_push_close(fs);
	forget_all(fs);
	fs_push_open(fs);
}

bool fs_stale_refuses(struct fs_call *c)
{
	struct err err;

	/* The refresh thread may be late, after a sleep of the machine too. */
	if ((!atomic_load_explicit(&c->fs->is_stale, memory_order_relaxed) &&
	     fs_stale_left(c->fs)) ||
	    nodeid_decode(c->ino).kind == NODEID_CONTROL)
		return false;
	err_set(&err, RC_STALE, "the log could not be read for %u s",
		c->fs->max_age);
	fs_reply_rc(c, &err);
	return true;
}
