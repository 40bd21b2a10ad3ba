/* SPDX-License-Identifier: Apache-2.0 */
/* fd-cache.h - descriptors of the objects read last, by key.
 *
 * Safe from many threads.  A reference keeps its descriptor open until it is
 * put back, also when the cache forgot it meanwhile.
 */
#ifndef DESFS_STORE_FD_CACHE_H
#define DESFS_STORE_FD_CACHE_H

struct fd_cache;

struct fd_ref {
	int fd;
};

struct fd_cache *fd_cache_new(unsigned int max);
/* No reference is out any more. */
void fd_cache_free(struct fd_cache *c);

/* NULL when the key is not there. */
struct fd_ref *fd_cache_get(struct fd_cache *c, const char *key);

/* Takes fd and forgets the one used longest ago when the cache is full. */
struct fd_ref *fd_cache_add(struct fd_cache *c, const char *key, int fd);

void fd_cache_put(struct fd_cache *c, struct fd_ref *ref);

/* Put back, and forget it. */
void fd_cache_drop(struct fd_cache *c, struct fd_ref *ref);

#endif
