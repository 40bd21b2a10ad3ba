/* SPDX-License-Identifier: Apache-2.0 */
/* disk-cache.h - stored blocks of remote archives in a local directory.
 *
 * An object is found by the first half of its SHA-256, so an entry is right
 * whoever wrote it, for whatever archive: its hash is checked on the way in and
 * on the way out, and an entry that fails is removed and counts as absent.
 * The cache is bounded in bytes and leaves space free on its file system.
 * Losing any of it, at any time, costs only requests; nothing here fails a
 * read. Several processes may share a directory.  Any thread.
 */
#ifndef DESFS_CACHE_DISK_CACHE_H
#define DESFS_CACHE_DISK_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DISK_CACHE_HASH_LEN 16

struct disk_cache;

struct disk_cache_options {
	uint64_t max_bytes; /* 0: 10 GiB */
	uint64_t keep_free; /* bytes left free; 0: a tenth of the disk */
};

/* Make the directory (mode 0700) if it is missing, and begin to look through it
 * in the background: the call does not wait for that.
 */
enum rc disk_cache_open(struct disk_cache **ret, const char *dir,
			const struct disk_cache_options *o,
			struct err *err) MUST_CHECK;
void disk_cache_close(struct disk_cache *dc); /* takes NULL */

/* True: buf has the len bytes of this hash. */
bool disk_cache_get(struct disk_cache *dc,
		    const uint8_t hash[DISK_CACHE_HASH_LEN], void *buf,
		    size_t len);

/* Keep the bytes, which have this hash; may do nothing.  owner: the beginning
 * of the root of the shard they were read from.
 */
#define DISK_CACHE_OWNER_LEN 12
void disk_cache_put(struct disk_cache *dc,
		    const uint8_t hash[DISK_CACHE_HASH_LEN],
		    const uint8_t owner[DISK_CACHE_OWNER_LEN], const void *p,
		    size_t len);

/* Forget the block of this hash, whoever it is of. */
void disk_cache_remove(struct disk_cache *dc,
		       const uint8_t hash[DISK_CACHE_HASH_LEN]);

/* Forget the blocks of owners for which fn says so, and those that do not say
 * whose they are.  Reads the end of each file.
 */
typedef bool disk_cache_owner_fn(void *arg,
				 const uint8_t owner[DISK_CACHE_OWNER_LEN]);
void disk_cache_sweep(struct disk_cache *dc, disk_cache_owner_fn *fn,
		      void *arg);
/* Remember how far an archive was swept, and ask; INT64_MIN: it never was. */
void disk_cache_set_swept(struct disk_cache *dc, const char *location,
			  int64_t time);
int64_t disk_cache_swept(struct disk_cache *dc, const char *location);

struct disk_cache_stats {
	uint64_t hits, misses, puts, evictions, damaged, errors;
	uint64_t bytes, files; /* as far as known */
	bool is_scanned;
};
void disk_cache_stats(struct disk_cache *dc, struct disk_cache_stats *ret);

/* For the tools, which may run beside mounts. */
enum rc disk_cache_clear(const char *dir, struct err *err) MUST_CHECK;
/* Read all of it and remove what is damaged. */
enum rc disk_cache_verify(const char *dir, uint64_t *ret_files,
			  uint64_t *ret_damaged, struct err *err) MUST_CHECK;

#endif
