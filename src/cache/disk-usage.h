/* SPDX-License-Identifier: Apache-2.0 */
/* disk-usage.h - what a disk cache holds, counted by all processes together.
 *
 * A file gets its name, or loses it, between disk_usage_begin and
 * disk_usage_end: so what is counted is what is there, unless a process dies
 * just then; the next scan puts that right.  Any thread.
 */
#ifndef DESFS_CACHE_DISK_USAGE_H
#define DESFS_CACHE_DISK_USAGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* The content of the file.  added never shrinks; what is there is the
 * difference, modulo 2^64.
 */
struct disk_sums {
	uint64_t magic;
	uint64_t is_scanned; /* 0: bytes were there before the file */
	uint64_t added, removed;
	uint64_t files_added, files_removed;
};

static inline uint64_t disk_sums_bytes(const struct disk_sums *s)
{
	return s->added - s->removed;
}

struct disk_usage {
	int fd;
	pthread_mutex_t lock; /* flock does not tell threads apart */
};

enum rc disk_usage_open(struct disk_usage *ret, int dirfd,
			struct err *err) MUST_CHECK;
void disk_usage_close(struct disk_usage *u);

bool disk_usage_get(struct disk_usage *u, struct disk_sums *ret);

/* Keep all others from changing anything; then end.  s NULL: unchanged.  False,
 * and nothing is to be ended: another process has it and does not let go.
 */
bool disk_usage_begin(struct disk_usage *u, struct disk_sums *ret);
bool disk_usage_end(struct disk_usage *u, const struct disk_sums *s);

/* True when so many bytes more make no more than max; false also when nobody
 * knows yet how many there are.
 */
bool disk_sums_has_room(const struct disk_sums *s, uint64_t bytes,
			uint64_t max);
void disk_sums_add(struct disk_sums *s, uint64_t bytes);
void disk_sums_remove(struct disk_sums *s, uint64_t bytes);

/* A walk that began when the sums were before found so much. */
void disk_usage_set(struct disk_usage *u, const struct disk_sums *before,
		    uint64_t bytes, uint64_t files);

#endif
