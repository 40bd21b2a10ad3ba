/* SPDX-License-Identifier: Apache-2.0 */
/* block-cache.h - loaded objects in memory, bounded in bytes, each loaded once.
 *
 * An object is found by two numbers.  However many threads want one that is
 * not there, one of them loads it and the others wait for its result.  Failures
 * are not kept: who waited gets the same error, the next caller tries again.
 *
 * An item stays valid until its holder gives it back, in the cache or not. Held
 * items are not evicted, so the bound may be exceeded by what is held.  An
 * object larger than the whole bound is served but not kept.
 *
 * What is used again after it was evicted is kept longest; many uses within a
 * short time count as one, so reading everything once does no harm.
 */
#ifndef DESFS_CACHE_BLOCK_CACHE_H
#define DESFS_CACHE_BLOCK_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct block_cache;
struct block_cache_item;

struct block_cache_key {
	uint64_t a, b;
};

/* What a loader made. */
struct block_cache_object {
	void *p;
	size_t size;              /* bytes it counts for */
	void (*destroy)(void *p); /* from any thread; must not use the cache */
};

/* Runs without a lock.  It may use the cache, but for other keys. */
typedef enum rc block_cache_load_fn(void *arg, struct block_cache_object *ret,
				    struct err *err);

struct block_cache *block_cache_new(uint64_t max_bytes);

/* No call may be under way; items still held stay valid. */
void block_cache_free(struct block_cache *c);

/* The object of a key, loaded if it is not there; give it back with
 * block_cache_unref.
 */
enum rc block_cache_get(struct block_cache *c, struct block_cache_key key,
			block_cache_load_fn *load, void *arg,
			struct block_cache_item **ret,
			struct err *err) MUST_CHECK;

/* The same if it is there now, else NULL.  Not counted as hit or miss. */
struct block_cache_item *block_cache_peek(struct block_cache *c,
					  struct block_cache_key key);

/* The same, counted as a hit when it is there; waits for a load under way, and
 * is NULL when that fails.
 */
struct block_cache_item *block_cache_find(struct block_cache *c,
					  struct block_cache_key key);

/* True when it is there or being loaded.  Not counted, and no use of it. */
bool block_cache_has(struct block_cache *c, struct block_cache_key key);

/* Forget objects; their holders keep them, and one that is being loaded is
 * handed to who waits for it and not kept, or was begun later.
 */
void block_cache_remove(struct block_cache *c, struct block_cache_key key);
/* All whose key fn is true for; it is called with a lock held. */
typedef bool block_cache_key_fn(void *arg, struct block_cache_key key);
void block_cache_remove_if(struct block_cache *c, block_cache_key_fn *fn,
			   void *arg);

void *block_cache_object(const struct block_cache_item *item);
struct block_cache_item *block_cache_ref(struct block_cache_item *item);
/* Takes NULL. */
void block_cache_unref(struct block_cache_item *item);

struct block_cache_stats {
	uint64_t hits; /* those who waited for another's load among them */
	uint64_t misses;
	uint64_t bytes; /* kept now */
};
void block_cache_stats(struct block_cache *c, struct block_cache_stats *ret);

#endif
