/* SPDX-License-Identifier: Apache-2.0 */
/* fs-stats.h - what was asked of the daemon, and what is being asked just now.
 *
 * Counters are atomics of one struct.  Requests in flight take a slot each, so
 * that .des/requests can tell the oldest; when all slots are taken a request
 * goes unlisted.  How long each took is counted by its kind.  Safe from any
 * thread.
 */
#ifndef DESFS_FS_FS_STATS_H
#define DESFS_FS_FS_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/latency.h"

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
	atomic_bool is_control;
};

struct fs_stats {
	_Atomic uint64_t messages[FS_MESSAGES];
	_Atomic uint64_t control[FS_MESSAGES]; /* about control nodes */
	_Atomic uint64_t errors[RC_COUNT];     /* replies, by their cause */
	_Atomic uint64_t refreshes, refresh_errors, invalidations;
	uint64_t started; /* monotonic ns */

	/* Of requests about files, not about control nodes: */
	struct latency latency[FS_MESSAGES]; /* from arrival to reply */
	atomic_uint in_flight, in_flight_max;
	_Atomic uint64_t busy;  /* times all threads were: more would wait */
	unsigned int n_threads; /* that answer; set before the first request */

	uint64_t readahead; /* of the kernel, bytes; 0: its own */
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

/* A request from its arrival to its reply. */
struct fs_request {
	enum fs_message message;
	bool is_control; /* about the control directory or what is in it */
	unsigned int slot;
	uint64_t since; /* monotonic ns */
};
struct fs_request fs_request_begin(struct fs_stats *s, enum fs_message m,
				   uint64_t ino, pid_t pid, bool is_control);
void fs_request_end(struct fs_stats *s, const struct fs_request *r);

struct volume_stats;

/* The texts of .des/stats, .des/metrics and .des/requests. */
void fs_stats_text(const struct fs_stats *s, const struct volume_stats *vs,
		   struct buf *out);
void fs_stats_metrics(const struct fs_stats *s, const struct volume_stats *vs,
		      struct buf *out);
void fs_stats_requests(struct fs_stats *s, struct buf *out);

/* What the first two say of durations and of requests in flight. */
void fs_stats_latency(const struct fs_stats *s, struct buf *out);
void fs_metrics_latency(const struct fs_stats *s, struct buf *out);

/* metric_head with "desfs_" before the name. */
void fs_metric_head(struct buf *out, const char *name, const char *type,
		    const char *help);

struct fs;

/* What they say of the process and of the age of what it shows. */
void fs_stats_daemon(const struct fs *fs, struct buf *out);
void fs_metrics_daemon(const struct fs *fs, struct buf *out);

struct store;

/* What is added to the first two where the archive has zones. */
void fs_stats_zones(struct store *st, struct buf *out);
void fs_metrics_zones(struct store *st, struct buf *out);

#endif
