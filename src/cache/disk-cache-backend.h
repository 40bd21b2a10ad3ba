/* SPDX-License-Identifier: Apache-2.0 */
/* disk-cache-backend.h - what the files of the disk cache share; private to it.
 *
 *	DIR/ab/ab0123...	a block, named by its hash, and whose it is
 *	DIR/swept-0123...	how far an archive was swept; by its hash
 *	DIR/new-PID-NUMBER	one being written
 *	DIR/usage		bytes and files in all, see disk-usage.h
 */
#ifndef DESFS_CACHE_DISK_CACHE_BACKEND_H
#define DESFS_CACHE_DISK_CACHE_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "cache/disk-cache.h"
#include "cache/disk-usage.h"

#define DISK_CACHE_NEW "new-"
/* "ab/" and the hash in hex. */
#define DISK_CACHE_NAME_LEN (3 + 2 * DISK_CACHE_HASH_LEN)

/* What follows the bytes of a block. */
#define DISK_CACHE_MAGIC "own1"
#define DISK_CACHE_TAG_LEN (4 + DISK_CACHE_OWNER_LEN)

/* A directory opened. */
struct disk_dir {
	int fd;
	struct disk_usage usage;
};

enum rc disk_dir_open(struct disk_dir *ret, const char *path, bool make,
		      struct err *err) MUST_CHECK;
void disk_dir_close(struct disk_dir *d);

void disk_cache_name(const uint8_t hash[DISK_CACHE_HASH_LEN],
		     char ret[DISK_CACHE_NAME_LEN + 1]);

/* What a file takes, as it is accounted. */
static inline uint64_t disk_cache_cost(uint64_t size)
{
	return (size + 4095) & ~UINT64_C(4095);
}

/* Read a block; it is not there, or was damaged and is removed. */
enum disk_found { DISK_ABSENT, DISK_FOUND, DISK_DAMAGED };
enum disk_found disk_dir_read(struct disk_dir *d,
			      const uint8_t hash[DISK_CACHE_HASH_LEN],
			      void *buf, size_t len);

/* Give a new file its place and count it, unless there would be more than max
 * bytes then (ENOSPC) or it is there already (EEXIST); 0 or an errno.
 */
int disk_dir_publish(struct disk_dir *d, const char *temp, const char *name,
		     uint64_t cost, uint64_t max);

/* Remove a block, by name. */
bool disk_dir_remove(struct disk_dir *d, const char *name);

/* Whose it is; false: it does not say. */
bool disk_dir_owner(const struct disk_dir *d, const char *name,
		    uint8_t ret[DISK_CACHE_OWNER_LEN]);

/* Called for each block; false ends. */
struct disk_file {
	char name[DISK_CACHE_NAME_LEN + 1];
	uint8_t hash[DISK_CACHE_HASH_LEN];
	uint64_t size;
	int64_t mtime_ns;
};
typedef bool disk_walk_fn(void *arg, const struct disk_file *file);
/* Stale files that were being written are removed on the way.  False: it was
 * not walked through to the end.
 */
bool disk_dir_walk(struct disk_dir *d, disk_walk_fn *fn, void *arg);

/* Count all there is, once; *stop ends it. */
void disk_dir_scan(struct disk_dir *d, const atomic_bool *stop);

/* Remove the files used longest ago until the cache has at most so many bytes;
 * returns their number.
 */
uint64_t disk_dir_evict(struct disk_dir *d, uint64_t target,
			const atomic_bool *stop);

#endif
