/* SPDX-License-Identifier: Apache-2.0 */
/* fs-push.c - contents of small files sent to the kernel before it asks. */
#include "config.h"

#include "fs/fs-push.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/workers.h"
#include "fs/fs.h"
#include "store/store.h"
#include "volume/volume-memory.h"

/* A reader waits no longer for some files to be pushed. */
#define HOLD_NS (20 * CLOCK_NS_PER_MS)
/* So many powers of 2. */
#define VAIN_MAX 8u

/* --- listings and reads --------------------------------------------------- */

void fs_push_list_begin(const struct fs *fs, struct fs_push_listing *l,
			uint64_t dir, bool plus, bool is_first)
{
	l->is_off = !plus || fs->o->push != PUSH_ON;
	l->epoch = atomic_load(&fs->push.epoch);
	l->dir = dir;
	l->is_first = is_first;
	l->n = 0;
}

static bool is_small(const struct volume_entry *ve)
{
	return ve->e.type == ENTRY_REG && ve->e.size &&
	       ve->e.size <= PUSH_FILE_MAX;
}

/* The run that a node can be added to; NULL: none.  Versions and whiteouts
 * leave gaps, and directories of several shards have runs in each.
 */
static struct push_run *run_for(struct fs_push_listing *l, uint64_t ino)
{
	for (unsigned int i = 0; i < l->n; i++) {
		struct push_run *r = &l->runs[i];

		if (ino >= r->first + r->n && ino - r->first < PUSH_RUN_MAX)
			return r;
	}
	if (l->n == FS_PUSH_RUNS)
		return NULL;
	l->runs[l->n] = (struct push_run){ .dir = l->dir,
					   .first = ino,
					   .is_first = l->is_first };
	l->is_first = false;
	return &l->runs[l->n++];
}

void fs_push_list_entry(struct fs_push_listing *l, uint64_t ino,
			const struct volume_entry *ve)
{
	struct push_run *r;
	uint32_t i;

	if (l->is_off || !is_small(ve))
		return;
	r = run_for(l, ino);
	if (!r)
		return;
	i = (uint32_t)(ino - r->first);
	r->small[i / 64] |= UINT64_C(1) << i % 64;
	r->n = i + 1;
}

/* Called with the lock held, by who takes n streams itself. */
static void wake(struct fs_push *p, uint32_t n)
{
	if (p->n_waiting && !p->n_closed && push_streams_ready(p->streams) > n)
		pthread_cond_signal(&p->work);
}

static unsigned int n_threads(void)
{
	unsigned int n = workers_n_cpus() / 2;

	return n > FS_PUSH_THREADS ? FS_PUSH_THREADS : n ? n : 1;
}

static void *push_main(void *arg);

/* Called with the lock held, by the first listing: most mounts of an hour are
 * asked for a file or two, and to start costs them time and memory.  Without
 * threads nothing is pushed.
 */
static void start(struct fs *fs)
{
	struct fs_push *p = &fs->push;
	unsigned int n = n_threads();
	sigset_t all, old;
	int e = 0;

	p->streams = push_streams_new();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (p->n_threads < n) {
		char name[16];

		e = pthread_create(&p->threads[p->n_threads], NULL, push_main,
				   fs);
		if (e)
			break;
		snprintf(name, sizeof(name), "fs-push-%u", p->n_threads);
		pthread_setname_np(p->threads[p->n_threads++], name);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e)
		log_warn("push thread: %s", strerror(e));
}

void fs_push_list_end(struct fs *fs, const struct fs_push_listing *l,
		      bool is_all)
{
	struct fs_push *p = &fs->push;

	if (l->is_off || (!l->n && !is_all))
		return;
	pthread_mutex_lock(&p->lock);
	if (l->epoch == atomic_load(&p->epoch) && !p->is_ending) {
		if (!p->streams)
			start(fs);
		atomic_store(&p->has_listed, true);
		for (unsigned int i = 0; i < l->n; i++)
			push_streams_listed(p->streams, &l->runs[i]);
		if (is_all)
			push_streams_listed_all(p->streams, l->dir);
		wake(p, 0);
	}
	pthread_mutex_unlock(&p->lock);
}

/* One reader at a time waits; none for a while after it was in vain: pushers
 * may wait for a lock that another READ holds.
 */
static bool may_hold(struct fs_push *p)
{
	if (p->is_holding || p->n_closed || p->is_ending || !p->n_threads)
		return false;
	if (!p->n_vain || ++p->n_passed >> p->n_vain)
		return true;
	return false;
}

/* Called with the lock held. */
static void hold(struct fs_push *p, uint64_t ino)
{
	uint64_t until = clock_mono_ns() + HOLD_NS;
	bool is_in_time = true;

	p->is_holding = true;
	while (is_in_time && !p->n_closed && !p->is_ending &&
	       push_streams_is_behind(p->streams, ino)) {
		uint64_t now = clock_mono_ns();

		is_in_time = now < until &&
			     cond_wait_for(&p->ahead, &p->lock, until - now);
	}
	p->is_holding = false;
	p->n_passed = 0;
	if (is_in_time)
		p->n_vain = 0;
	else if (p->n_vain < VAIN_MAX)
		p->n_vain++;
}

void fs_push_read(struct fs *fs, uint64_t ino)
{
	struct fs_push *p = &fs->push;

	if (!atomic_load_explicit(&p->has_listed, memory_order_relaxed))
		return;
	pthread_mutex_lock(&p->lock);
	push_streams_read(p->streams, ino);
	wake(p, 0);
	if (push_streams_is_behind(p->streams, ino) && may_hold(p))
		hold(p, ino);
	pthread_mutex_unlock(&p->lock);
}

/* --- pushing -------------------------------------------------------------- */

struct pusher {
	struct fs *fs;
	bool only_in_memory;
	char *buf; /* PUSH_FILE_MAX bytes */
};

static int store(const struct pusher *w, uint64_t ino, size_t len)
{
	struct fuse_bufvec bv = FUSE_BUFVEC_INIT(len);

	bv.buf[0].mem = w->buf;
	return fuse_lowlevel_notify_store(w->fs->se, ino, 0, &bv,
					  FUSE_BUF_NO_SPLICE);
}

static enum push_result send(const struct pusher *w, uint64_t ino, size_t len)
{
	struct fs_push *p = &w->fs->push;
	int e = store(w, ino, len);

	if (!e) {
		fs_count(&p->n_files, 1);
		fs_count(&p->n_bytes, len);
		return PUSH_STORED;
	}
	fs_count(&p->n_refused, 1);
	/* Interrupted we are not; out of memory the kernel may be. */
	return PUSH_REFUSED;
}

static enum push_result push_entry(const struct pusher *w, uint64_t ino,
				   const struct volume_entry *ve, size_t *ret)
{
	struct fs_push *p = &w->fs->push;
	struct err err;

	if (!is_small(ve))
		return PUSH_SKIPPED;
	if (w->only_in_memory && !volume_is_in_memory(w->fs->v, ve)) {
		fs_count(&p->n_absent, 1);
		return PUSH_ABSENT;
	}
	/* Who reads the file hears of the error. */
	if (volume_read(w->fs->v, ve, 0, w->buf, (size_t)ve->e.size, ret,
			&err) ||
	    *ret != ve->e.size) {
		fs_count(&p->n_failed, 1);
		return PUSH_SKIPPED;
	}
	return send(w, ino, *ret);
}

static enum push_result push(const struct pusher *w, uint64_t ino, size_t *ret)
{
	struct nodeid n = nodeid_decode(ino);
	struct volume_entry ve;
	enum push_result result;
	struct err err;

	/* The view is too old, all is to be refused. */
	if (atomic_load(&w->fs->is_stale) || !fs_stale_left(w->fs))
		return PUSH_ABSENT;
	if (w->only_in_memory) {
		if (!volume_get_in_memory(w->fs->v, n.node, &ve))
			return PUSH_ABSENT;
	} else if (volume_get(w->fs->v, n.node, &ve, &err)) {
		return PUSH_SKIPPED;
	}
	result = push_entry(w, ino, &ve, ret);
	volume_entry_release(&ve);
	return result;
}

/* Wait for a file to push; false: the end.  Called with the lock held. */
static bool next(struct fs_push *p, uint64_t *ret)
{
	while (!p->is_ending &&
	       (p->n_closed || !push_streams_begin(p->streams, ret))) {
		p->n_waiting++;
		pthread_cond_wait(&p->work, &p->lock);
		p->n_waiting--;
	}
	return !p->is_ending;
}

static void *push_main(void *arg)
{
	struct fs *fs = arg;
	struct fs_push *p = &fs->push;
	struct pusher w = { .fs = fs,
			    .only_in_memory =
				    store_is_remote(volume_store(fs->v)),
			    .buf = xcalloc(1, PUSH_FILE_MAX) };
	uint64_t ino = 0;

	pthread_mutex_lock(&p->lock);
	while (next(p, &ino)) {
		enum push_result result;
		size_t len = 0;

		p->n_busy++;
		pthread_mutex_unlock(&p->lock);
		result = push(&w, ino, &len);
		pthread_mutex_lock(&p->lock);
		push_streams_end(p->streams, ino, len, result);
		wake(p, 1);
		if (p->is_holding)
			pthread_cond_signal(&p->ahead);
		if (!--p->n_busy && p->n_closed)
			pthread_cond_broadcast(&p->idle);
	}
	pthread_mutex_unlock(&p->lock);
	free(w.buf);
	return NULL;
}

void fs_push_close(struct fs *fs)
{
	struct fs_push *p = &fs->push;

	pthread_mutex_lock(&p->lock);
	p->n_closed++;
	atomic_fetch_add(&p->epoch, 1);
	pthread_cond_signal(&p->ahead);
	while (p->n_busy)
		pthread_cond_wait(&p->idle, &p->lock);
	if (p->streams)
		push_streams_forget(p->streams);
	atomic_store(&p->has_listed, false);
	pthread_mutex_unlock(&p->lock);
}

void fs_push_open(struct fs *fs)
{
	struct fs_push *p = &fs->push;

	pthread_mutex_lock(&p->lock);
	p->n_closed--;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
}

/* --- start and end -------------------------------------------------------- */

void fs_push_init(struct fs *fs)
{
	struct fs_push *p = &fs->push;

	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->idle, NULL);
	cond_init(&p->ahead);
}

void fs_push_release(struct fs *fs)
{
	struct fs_push *p = &fs->push;

	push_streams_free(p->streams);
	p->streams = NULL;
	pthread_cond_destroy(&p->ahead);
	pthread_cond_destroy(&p->idle);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
}

void fs_push_stop(struct fs *fs)
{
	struct fs_push *p = &fs->push;

	pthread_mutex_lock(&p->lock);
	p->is_ending = true;
	pthread_cond_signal(&p->ahead);
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	while (p->n_threads)
		pthread_join(p->threads[--p->n_threads], NULL);
}

void fs_push_stats(struct fs *fs, struct fs_push_stats *ret)
{
	struct fs_push *p = &fs->push;

	*ret = (struct fs_push_stats){ .files = fs_counted(&p->n_files),
				       .bytes = fs_counted(&p->n_bytes),
				       .refused = fs_counted(&p->n_refused),
				       .absent = fs_counted(&p->n_absent),
				       .failed = fs_counted(&p->n_failed) };
	pthread_mutex_lock(&p->lock);
	if (p->streams)
		push_streams_stats(p->streams, &ret->streams);
	pthread_mutex_unlock(&p->lock);
}
