/* SPDX-License-Identifier: Apache-2.0 */
/* block-cache.c - loaded objects in memory, bounded in bytes, each loaded once.
 *
 * Keys are spread over parts, each with a lock, a hash table and a queue for
 * eviction.  Eviction is CLOCK: the head of the queue goes, unless it was used
 * since it was queued or is held; then it is queued again.  What is read once
 * therefore leaves before what is read often.
 */
#include "config.h"

#include "cache/block-cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

#define N_PARTS 32u
#define MIN_BUCKETS 16u

enum item_state { ITEM_LOADING, ITEM_READY, ITEM_FAILED };

struct block_cache_item {
	struct block_cache_key key;
	atomic_uint refs; /* holders, and 1 while it is in a table */

	/* Guarded by the part's lock. */
	enum item_state state;
	bool touched; /* used since it was queued */
	struct block_cache_item *next_in_bucket;
	struct block_cache_item *next_in_queue;

	/* Fixed once the state is no longer LOADING. */
	struct block_cache_object object;
	struct err *err; /* why it FAILED */
};

/* No lock is held during loads; none is taken while another is held. */
struct part {
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t loaded;
	struct block_cache_item **buckets;
	size_t n_buckets; /* a power of two */
	size_t n_items;
	struct block_cache_item *head, *tail; /* queue of READY items */
	size_t n_queued;
} __attribute__((aligned(64)));

struct block_cache {
	uint64_t max_bytes;
	_Atomic uint64_t bytes, hits, misses;
	atomic_uint hand; /* the part to evict from next */
	struct part parts[N_PARTS];
};

/* The finalizer of MurmurHash3. */
static uint64_t mix(uint64_t h)
{
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

static uint64_t key_hash(struct block_cache_key key)
{
	return mix(key.a + mix(key.b));
}

static struct part *part_of(struct block_cache *c, uint64_t hash)
{
	return &c->parts[hash % N_PARTS];
}

static struct block_cache_item **bucket_of(struct part *part, uint64_t hash)
{
	return &part->buckets[hash / N_PARTS & (part->n_buckets - 1)];
}

struct block_cache *block_cache_new(uint64_t max_bytes)
{
	struct block_cache *c;

	if (posix_memalign((void **)&c, 64, sizeof(*c)))
		abort();
	c->max_bytes = max_bytes;
	atomic_init(&c->bytes, 0);
	atomic_init(&c->hits, 0);
	atomic_init(&c->misses, 0);
	atomic_init(&c->hand, 0);
	for (unsigned int i = 0; i < N_PARTS; i++) {
		c->parts[i] = (struct part){ .n_buckets = MIN_BUCKETS };
		pthread_mutex_init(&c->parts[i].lock, NULL);
		pthread_cond_init(&c->parts[i].loaded, NULL);
		c->parts[i].buckets =
			xcalloc(MIN_BUCKETS, sizeof(*c->parts[i].buckets));
	}
	return c;
}

void block_cache_free(struct block_cache *c)
{
	if (!c)
		return;
	for (unsigned int i = 0; i < N_PARTS; i++) {
		struct part *part = &c->parts[i];

		while (part->head) {
			struct block_cache_item *item = part->head;

			part->head = item->next_in_queue;
			block_cache_unref(item);
		}
		free(part->buckets);
		pthread_cond_destroy(&part->loaded);
		pthread_mutex_destroy(&part->lock);
	}
	free(c);
}

void *block_cache_object(const struct block_cache_item *item)
{
	return item->object.p;
}

struct block_cache_item *block_cache_ref(struct block_cache_item *item)
{
	atomic_fetch_add_explicit(&item->refs, 1, memory_order_relaxed);
	return item;
}

void block_cache_unref(struct block_cache_item *item)
{
	if (!item || atomic_fetch_sub_explicit(&item->refs, 1,
					       memory_order_acq_rel) != 1)
		return;
	if (item->object.destroy)
		item->object.destroy(item->object.p);
	free(item->err);
	free(item);
}

/* The next six are called with the part's lock held. */

static struct block_cache_item *table_find(struct part *part, uint64_t hash,
					   struct block_cache_key key)
{
	struct block_cache_item *item = *bucket_of(part, hash);

	while (item && (item->key.a != key.a || item->key.b != key.b))
		item = item->next_in_bucket;
	return item;
}

static void table_grow(struct part *part)
{
	struct block_cache_item **old = part->buckets;
	size_t n_old = part->n_buckets;

	part->n_buckets = n_old * 2;
	part->buckets = xcalloc(part->n_buckets, sizeof(*part->buckets));
	for (size_t i = 0; i < n_old; i++) {
		while (old[i]) {
			struct block_cache_item *item = old[i];
			struct block_cache_item **to =
				bucket_of(part, key_hash(item->key));

			old[i] = item->next_in_bucket;
			item->next_in_bucket = *to;
			*to = item;
		}
	}
	free(old);
}

static void table_insert(struct part *part, uint64_t hash,
			 struct block_cache_item *item)
{
	struct block_cache_item **to;

	if (part->n_items >= part->n_buckets)
		table_grow(part);
	to = bucket_of(part, hash);
	item->next_in_bucket = *to;
	*to = item;
	part->n_items++;
}

static void table_remove(struct part *part, struct block_cache_item *item)
{
	struct block_cache_item **at = bucket_of(part, key_hash(item->key));

	while (*at != item)
		at = &(*at)->next_in_bucket;
	*at = item->next_in_bucket;
	part->n_items--;
}

static void queue_push(struct part *part, struct block_cache_item *item)
{
	item->touched = false;
	item->next_in_queue = NULL;
	if (part->head)
		part->tail->next_in_queue = item;
	else
		part->head = item;
	part->tail = item;
	part->n_queued++;
}

static struct block_cache_item *queue_pop(struct part *part)
{
	struct block_cache_item *item = part->head;

	part->head = item->next_in_queue;
	part->n_queued--;
	return item;
}

/* Drop one item of a part; false when all are held. */
static bool evict_one(struct block_cache *c, struct part *part)
{
	struct block_cache_item *victim = NULL;

	pthread_mutex_lock(&part->lock);
	for (size_t n = 2 * part->n_queued; n > 0 && !victim; n--) {
		struct block_cache_item *item = queue_pop(part);

		if (item->touched || atomic_load(&item->refs) > 1)
			queue_push(part, item);
		else
			victim = item;
	}
	if (victim) {
		table_remove(part, victim);
		atomic_fetch_sub(&c->bytes, victim->object.size);
	}
	pthread_mutex_unlock(&part->lock);
	block_cache_unref(victim);
	return victim;
}

static void evict(struct block_cache *c)
{
	unsigned int n_failed = 0;

	while (atomic_load(&c->bytes) > c->max_bytes && n_failed < N_PARTS) {
		unsigned int i = atomic_fetch_add(&c->hand, 1) % N_PARTS;

		if (evict_one(c, &c->parts[i]))
			n_failed = 0;
		else
			n_failed++;
	}
}

static struct block_cache_item *item_new(struct block_cache_key key)
{
	struct block_cache_item *item = xcalloc(1, sizeof(*item));

	item->key = key;
	item->state = ITEM_LOADING;
	atomic_init(&item->refs, 2); /* the table's and the caller's */
	return item;
}

/* Load an item that this thread put into the table. */
static enum rc load_item(struct block_cache *c, struct part *part,
			 struct block_cache_item *item,
			 block_cache_load_fn *load, void *arg, struct err *err)
{
	struct block_cache_object object = { 0 };
	struct err *why = NULL;
	bool kept;
	enum rc rc = load(arg, &object, err);

	if (rc) {
		why = xcalloc(1, sizeof(*why));
		*why = *err;
	}
	kept = !rc && object.size <= c->max_bytes;
	pthread_mutex_lock(&part->lock);
	item->object = object;
	item->err = why;
	item->state = rc ? ITEM_FAILED : ITEM_READY;
	if (kept) {
		queue_push(part, item);
		atomic_fetch_add(&c->bytes, object.size);
	} else {
		table_remove(part, item);
	}
	pthread_cond_broadcast(&part->loaded);
	pthread_mutex_unlock(&part->lock);
	if (kept)
		evict(c);
	else
		block_cache_unref(item); /* the table's */
	return rc;
}

enum rc block_cache_get(struct block_cache *c, struct block_cache_key key,
			block_cache_load_fn *load, void *arg,
			struct block_cache_item **ret, struct err *err)
{
	uint64_t hash = key_hash(key);
	struct part *part = part_of(c, hash);
	struct block_cache_item *item;
	bool found;
	enum rc rc = RC_OK;

	pthread_mutex_lock(&part->lock);
	item = table_find(part, hash, key);
	found = item;
	if (found) {
		block_cache_ref(item);
		item->touched = true;
		while (item->state == ITEM_LOADING)
			pthread_cond_wait(&part->loaded, &part->lock);
		if (item->state == ITEM_FAILED) {
			*err = *item->err;
			rc = err->rc;
		}
	} else {
		item = item_new(key);
		table_insert(part, hash, item);
	}
	pthread_mutex_unlock(&part->lock);
	atomic_fetch_add_explicit(found ? &c->hits : &c->misses, 1,
				  memory_order_relaxed);
	if (!found)
		rc = load_item(c, part, item, load, arg, err);
	if (rc) {
		block_cache_unref(item);
		return rc;
	}
	*ret = item;
	return RC_OK;
}

struct block_cache_item *block_cache_peek(struct block_cache *c,
					  struct block_cache_key key)
{
	uint64_t hash = key_hash(key);
	struct part *part = part_of(c, hash);
	struct block_cache_item *item;

	pthread_mutex_lock(&part->lock);
	item = table_find(part, hash, key);
	if (item && item->state == ITEM_READY) {
		item->touched = true;
		block_cache_ref(item);
	} else {
		item = NULL;
	}
	pthread_mutex_unlock(&part->lock);
	return item;
}

void block_cache_stats(const struct block_cache *c,
		       struct block_cache_stats *ret)
{
	ret->hits = atomic_load_explicit(&c->hits, memory_order_relaxed);
	ret->misses = atomic_load_explicit(&c->misses, memory_order_relaxed);
	ret->bytes = atomic_load_explicit(&c->bytes, memory_order_relaxed);
}
