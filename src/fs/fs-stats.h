/* SPDX-License-Identifier: Apache-2.0 */
/* fs-stats.h - what was asked of the daemon, and what is being asked just now.
 *
 * Counters are atomics of one struct.  Requests in flight take a slot each, so
 * that .des/requests can tell the oldest; when all slots are taken a request
 * goes unlisted.  Safe from any thread.
 */
#ifndef DESFS_FS_FS_STATS_H
#define DESFS_FS_FS_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* The FUSE messages we know, by the names of the kernel's. */
enum fs_message {
	FS_LOOKUP,
	FS_FORGET,
	FS_GETATTR,
	FS_READLINK,
	FS_OPEN,
	FS_READ,
	FS_OPENDIR,
	FS_READDIR,
	FS_READDIRPLUS,
	FS_STATFS,
	FS_GETXATTR,
	FS_LISTXATTR,
	FS_LSEEK,
	FS_MESSAGES
};

#define FS_SLOTS 64
#define FS_NO_SLOT FS_SLOTS

struct fs_slot {
	atomic_bool taken;
	/* What follows is only shown, and may be of the next request. */
	_Atomic uint64_t since; /* monotonic ns; 0: free */
	_Atomic uint64_t ino;
	atomic_int message;
	atomic_int pid;
};

struct fs_stats {
	_Atomic uint64_t messages[FS_MESSAGES];
	_Atomic uint64_t control[FS_MESSAGES]; /* about control nodes */
	_Atomic uint64_t errors[RC_COUNT];     /* replies, by their cause */
	_Atomic uint64_t refreshes, refresh_errors, invalidations;
	uint64_t started; /* monotonic ns */
	struct fs_slot slots[FS_SLOTS];
};

static inline void fs_count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline uint64_t fs_counted(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

const char *fs_message_name(enum fs_message m);

/* A request came; returns its slot, or FS_NO_SLOT. */
unsigned int fs_slot_take(struct fs_stats *s, enum fs_message m, uint64_t ino,
			  pid_t pid);
void fs_slot_give(struct fs_stats *s, unsigned int slot);

struct volume_stats;

/* The texts of .des/stats, .des/metrics and .des/requests. */
void fs_stats_text(const struct fs_stats *s, const struct volume_stats *vs,
		   struct buf *out);
void fs_stats_metrics(const struct fs_stats *s, const struct volume_stats *vs,
		      struct buf *out);
void fs_stats_requests(struct fs_stats *s, struct buf *out);

struct store;

/* What is added to the first two where the archive has zones. */
void fs_stats_zones(struct store *st, struct buf *out);
void fs_metrics_zones(struct store *st, struct buf *out);

#endif
