/* SPDX-License-Identifier: Apache-2.0 */
/* fs-refresh.c - what was packed or deleted since becomes visible in the
 * running mount.
 *
 * The kernel keeps names, absent names, attributes, contents and directories
 * for ever, so each change is told to it (fs-notice.h).
 *
 * Order: the new view is published first, then the notices go out.  A lookup
 * that began on the old view holds the directory's lock in the kernel, and the
 * notice for an entry waits for it; what begins later sees the new view.  So
 * notices come from this thread alone, which holds no lock, never from one that
 * answers requests; and they come while requests are still answered.  Pushing
 * stops meanwhile, and forgets what it knew (fs-push.h).
 */
#include "config.h"

#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "fs/fs-notice.h"
#include "fs/fs.h"

/* After so many failures in a row no more hurry: 2^n seconds. */
#define BACKOFF_MAX 16

static bool tell_entry(void *arg, const struct volume_entry *ve)
{
	return notices_entry(arg, ve);
}

static bool tell_uid(void *arg, struct span uid)
{
	return notices_uid(arg, uid);
}

static void tell_lost(void *arg, struct volume_node node, uint64_t n)
{
	notices_lost(arg, node, n);
}

/* Of several results the one that counts: what may pass is to be tried again.
 */
static void add_result(struct err *sum, enum rc rc, const struct err *err)
{
	if (rc && (!sum->rc || rc_is_transient(rc)))
		*sum = *err;
}

/* What is not RC_OK has been logged; what may pass is all to be told again.
 * What is deleted comes first.  What became of shards that were replaced may
 * take long to learn, and tells of nodes that are or were deleted, too.
 */
static enum rc tell_changes(struct fs *fs, const struct view *told,
			    const struct view *now, uint32_t first)
{
	bool is_settled = volume_is_settled(fs->v);
	struct err sum = { .rc = RC_OK }, err;
	struct notices ns;

	notices_begin(&ns, fs);
	volume_mark_deleted(told, now, tell_uid, &ns);
	add_result(&sum, volume_forget(fs->v, told, now, &err), &err);
	if (!is_settled) {
		add_result(&sum, volume_settle(fs->v, &err), &err);
		volume_lost(fs->v, tell_lost, &ns);
		volume_mark_deleted(told, now, tell_uid, &ns);
	}
	notices_days(&ns);
	add_result(&sum, volume_changes(fs->v, first, tell_entry, &ns, &err),
		   &err);
	add_result(&sum, notices_end(&ns), &ns.err);
	if (sum.rc)
		log_rc(&sum, "what changed cannot be told to the kernel");
	return sum.rc;
}

/* What the kernel was told: a view, and shards below told_shards. */
struct follower {
	struct fs *fs;
	struct view *told;
	uint32_t told_shards;
};

static enum rc follow(struct follower *f)
{
	struct fs *fs = f->fs;
	struct view *now = volume_mark(fs->v);
	uint32_t bound = volume_shard_bound(fs->v);
	enum rc rc = RC_OK;

	volume_let_go(fs->v);
	if (now != f->told) {
		fs_push_close(fs);
		rc = tell_changes(fs, f->told, now, f->told_shards);
		fs_push_open(fs);
	}
	if (rc_is_transient(rc)) {
		volume_mark_release(now);
		return rc;
	}
	volume_mark_release(f->told);
	f->told = now;
	f->told_shards = bound;
	return RC_OK;
}

/* What could not be read of new shards is told once it can be: the kernel asks
 * for nothing it believes to know.  False: hurry.
 */
static bool refresh_once(struct follower *f)
{
	struct fs *fs = f->fs;
	bool changed = false;
	struct err err;

	fs_count(&fs->stats.refreshes, 1);
	if (volume_refresh(fs->v, &changed, &err)) {
		fs_count(&fs->stats.refresh_errors, 1);
		log_rc(&err, "the log cannot be read, the old view stays");
		fs_stale_check(fs);
		return false;
	}
	fs_stale_fresh(fs);
	if (changed) {
		log_info("the archive has changed, view %llu",
			 (unsigned long long)volume_generation(fs->v));
		fs_tell_legacy(fs);
	}
	return !rc_is_transient(follow(f));
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
	struct follower f = { .fs = fs, .told = volume_mark(fs->v) };
	unsigned int n_failed = 0;
	struct err err;

	f.told_shards = volume_shard_bound(fs->v);
	if (volume_forget_known(fs->v, &err))
		log_rc(&err, "caches of shards that were replaced");
	while (!stop_sleep(pause_ns(fs, n_failed)))
		n_failed = refresh_once(&f) ? 0 : n_failed + 1;
	volume_mark_release(f.told);
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
