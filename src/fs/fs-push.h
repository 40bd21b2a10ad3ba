/* SPDX-License-Identifier: Apache-2.0 */
/* fs-push.h - contents of small files sent to the kernel before it asks.
 *
 * Listings and READs are told from any thread; threads of our own decide by
 * push-stream.h, read and store.  A store waits for the page's lock, which a
 * READ of that page holds until it is answered: so who answers requests never
 * stores, and pushers hold no lock.
 */
#ifndef DESFS_FS_FS_PUSH_H
#define DESFS_FS_FS_PUSH_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/err.h"
#include "fs/push-stream.h"
#include "volume/volume.h"

struct fs;

#define FS_PUSH_THREADS 2

struct fs_push {
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;  /* there is something to push, or the end */
	pthread_cond_t idle;  /* n_busy is 0 */
	pthread_cond_t ahead; /* a file more was pushed */
	struct push_streams *streams; /* NULL: nothing was listed yet */
	unsigned int n_waiting, n_busy, n_closed;
	bool is_ending;
	bool is_holding;       /* a reader waits */
	unsigned int n_vain;   /* times one did in vain, */
	unsigned int n_passed; /* and READs since that were not held */

	_Atomic uint64_t epoch; /* how often the gate was closed */
	atomic_bool has_listed; /* else READs need no look */
	/* Guarded by the lock until is_ending is set, main's then. */
	pthread_t threads[FS_PUSH_THREADS];
	unsigned int n_threads;

	/* Counted. */
	_Atomic uint64_t n_files, n_bytes, n_refused, n_absent, n_failed;
};

/* Before the first request; release it in any case. */
void fs_push_init(struct fs *fs);
void fs_push_release(struct fs *fs);

/* Pushers run from the first listing to stop, which waits for stores under way.
 * These may wait for the answers to READs, so requests must still be answered
 * then.
 */
void fs_push_stop(struct fs *fs);

/* The gate.  Who tells the kernel what changed publishes the new view, closes
 * it, sends the notices, and opens it.  Close returns once nothing is being
 * stored; what listings gave out before is forgotten.  Requests must be
 * answered meanwhile.
 */
void fs_push_close(struct fs *fs);
void fs_push_open(struct fs *fs);

/* What one listing gives out, entry by entry. */
#define FS_PUSH_RUNS 4
struct fs_push_listing {
	uint64_t epoch;
	uint64_t dir;
	bool is_off; /* no pushing, or no READDIRPLUS */
	bool is_first;
	unsigned int n;
	struct push_run runs[FS_PUSH_RUNS];
};
/* Before the listing is begun: what is hidden meanwhile is not pushed. */
void fs_push_list_begin(const struct fs *fs, struct fs_push_listing *l,
			uint64_t dir, bool plus, bool is_first);
void fs_push_list_entry(struct fs_push_listing *l, uint64_t ino,
			const struct volume_entry *ve);
/* Before the reply; is_all: the kernel has heard of all names before. */
void fs_push_list_end(struct fs *fs, const struct fs_push_listing *l,
		      bool is_all);

/* A READ of the beginning of a file is about to be answered.  Where a stream
 * begins, or is met by its reader, this waits until some files are pushed,
 * for HOLD_NS at most: their READs would take longer.
 */
void fs_push_read(struct fs *fs, uint64_t ino);

struct fs_push_stats {
	uint64_t files, bytes, refused, absent, failed;
	struct push_stats streams;
};
void fs_push_stats(struct fs *fs, struct fs_push_stats *ret);

/* What is added to .des/stats and .des/metrics. */
void fs_push_text(struct fs *fs, struct buf *out);
void fs_push_metrics(struct fs *fs, struct buf *out);

#endif
