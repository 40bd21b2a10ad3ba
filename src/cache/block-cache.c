/* SPDX-License-Identifier: Apache-2.0 */
/* block-cache.c - loaded objects in memory, bounded in bytes, each loaded once.
 *
 * Keys are spread over parts, each with a lock, a hash table and the queues of
 * 2Q (Johnson and Shasha, 1994).  What is new goes through a short queue, where
 * being used counts for nothing, and leaves only its key behind, in a list of
 * ghosts.  What is asked for while its ghost is remembered goes to the second
 * queue, which is kept by use.  So what is read many times within moments and
 * never again does not push out what is read all day.
 *
 * The bound is one for all parts, so that large objects fit; who exceeds it
 * evicts, from its own part first.  Hits touch nothing but their part.
 */
#include "config.h"

#include "cache/block-cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* A part for so many bytes; fewer parts are fairer, more wait less. */
#define PART_BYTES (UINT64_C(2) << 20)
#define MAX_PARTS 32u
#define MIN_BUCKETS 16u

/* Shares of the bound, as the paper has them: of the first queue while there is
 * something in the second, and of what the ghosts were.
 */
#define FRESH_DIVISOR 4
#define GHOST_DIVISOR 2
/* Held items passed over in one look for a victim.  A walk over many shards
 * holds them all, and must not look at each whenever it takes one more.
 */
#define HELD_MAX 4u
/* A part has at most so many ghosts more than objects. */
#define GHOST_EXTRA 16u

enum item_state { ITEM_LOADING, ITEM_READY, ITEM_FAILED, ITEM_GHOST };

struct queue {
	struct block_cache_item *head; /* the oldest */
	uint64_t bytes;
	size_t n;
};

struct block_cache_item {
	struct block_cache_key key;
	atomic_uint refs; /* holders, and 1 while it is in a table */

	/* Guarded by the part's lock. */
	enum item_state state;
	bool is_known;       /* it was a ghost when it was asked for */
	bool is_unwanted;    /* once loaded it is not to be kept */
	struct queue *queue; /* where it is; NULL: in none */
	size_t size;         /* what it counts for, or did */
	struct block_cache_item *next_in_bucket;
	struct block_cache_item *prev, *next; /* in the queue */

	/* Fixed while the state is READY or FAILED. */
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
	struct queue fresh, kept, ghosts;
	uint64_t hits, misses;
} __attribute__((aligned(64)));

struct block_cache {
	uint64_t max_bytes;
	unsigned int n_parts;   /* a power of two */
	_Atomic uint64_t bytes; /* changed by misses only */
	struct part parts[MAX_PARTS];
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
	return &c->parts[hash & (c->n_parts - 1)];
}

static struct block_cache_item **bucket_of(struct part *part, uint64_t hash)
{
	return &part->buckets[hash >> 32 & (part->n_buckets - 1)];
}

struct block_cache *block_cache_new(uint64_t max_bytes)
{
	struct block_cache *c;

	if (posix_memalign((void **)&c, 64, sizeof(*c)))
		abort();
	c->max_bytes = max_bytes;
	atomic_init(&c->bytes, 0);
	c->n_parts = 1;
	while (c->n_parts < MAX_PARTS &&
	       c->n_parts * 2 * PART_BYTES <= max_bytes)
		c->n_parts *= 2;
	for (unsigned int i = 0; i < c->n_parts; i++) {
		c->parts[i] = (struct part){ .n_buckets = MIN_BUCKETS };
		pthread_mutex_init(&c->parts[i].lock, NULL);
		pthread_cond_init(&c->parts[i].loaded, NULL);
		c->parts[i].buckets =
			xcalloc(MIN_BUCKETS, sizeof(*c->parts[i].buckets));
	}
	return c;
}

static void queue_free(struct queue *q)
{
	struct block_cache_item *item, *next;

	DL_FOREACH_SAFE(q->head, item, next)
	block_cache_unref(item);
}

void block_cache_free(struct block_cache *c)
{
	if (!c)
		return;
	for (unsigned int i = 0; i < c->n_parts; i++) {
		struct part *part = &c->parts[i];

		queue_free(&part->fresh);
		queue_free(&part->kept);
		queue_free(&part->ghosts);
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

/* Down to evict_one, all are called with the part's lock held. */

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

static void queue_push(struct queue *q, struct block_cache_item *item)
{
	DL_APPEND(q->head, item);
	q->bytes += item->size;
	q->n++;
	item->queue = q;
}

static void queue_remove(struct block_cache_item *item)
{
	struct queue *q = item->queue;

	DL_DELETE(q->head, item);
	q->bytes -= item->size;
	q->n--;
	item->queue = NULL;
}

/* Note that a READY item is used. */
static void touch(struct part *part, struct block_cache_item *item)
{
	if (item->queue != &part->kept || !item->next)
		return;
	queue_remove(item);
	queue_push(&part->kept, item);
}

/* Forget ghosts that are too many. */
static void trim_ghosts(const struct block_cache *c, struct part *part)
{
	uint64_t max = c->max_bytes / c->n_parts / GHOST_DIVISOR;
	struct queue *q = &part->ghosts;

	while (q->n && (q->bytes > max ||
			q->n > part->fresh.n + part->kept.n + GHOST_EXTRA)) {
		struct block_cache_item *ghost = q->head;

		queue_remove(ghost);
		table_remove(part, ghost);
		block_cache_unref(ghost);
	}
}

/* The oldest of a queue that nobody holds, no longer in the queue.  Held ones
 * are in use, and so go to its end.
 */
static struct block_cache_item *take_oldest(struct queue *q)
{
	for (size_t i = 0; i < HELD_MAX && i < q->n; i++) {
		struct block_cache_item *item = q->head;

		queue_remove(item);
		if (atomic_load(&item->refs) == 1)
			return item;
		queue_push(q, item);
	}
	return NULL;
}

/* Take out one object; false when all are held. */
static bool take_victim(const struct block_cache *c, struct part *part,
			struct block_cache_object *ret)
{
	uint64_t max_fresh = c->max_bytes / c->n_parts / FRESH_DIVISOR;
	struct block_cache_item *item = NULL;

	if (part->fresh.bytes <= max_fresh)
		item = take_oldest(&part->kept);
	if (item) {
		*ret = item->object;
		item->object = (struct block_cache_object){ 0 };
		table_remove(part, item);
		block_cache_unref(item);
		return true;
	}
	item = take_oldest(&part->fresh);
	if (!item)
		item = take_oldest(&part->kept);
	if (!item)
		return false;
	*ret = item->object;
	item->object = (struct block_cache_object){ 0 };
	item->state = ITEM_GHOST;
	queue_push(&part->ghosts, item);
	trim_ghosts(c, part);
	return true;
}

static bool evict_one(struct block_cache *c, struct part *part)
{
	struct block_cache_object victim = { 0 };
	bool found;

	pthread_mutex_lock(&part->lock);
	found = take_victim(c, part, &victim);
	if (found)
		atomic_fetch_sub(&c->bytes, victim.size);
	pthread_mutex_unlock(&part->lock);
	if (victim.destroy)
		victim.destroy(victim.p);
	return found;
}

static void evict(struct block_cache *c, struct part *own)
{
	unsigned int i = (unsigned int)(own - c->parts), n_failed = 0;

	while (atomic_load(&c->bytes) > c->max_bytes && n_failed < c->n_parts) {
		if (evict_one(c, &c->parts[i++ & (c->n_parts - 1)]))
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
	pthread_mutex_lock(&part->lock);
	kept = !rc && object.size <= c->max_bytes && !item->is_unwanted;
	item->object = object;
	item->size = object.size;
	item->err = why;
	item->state = rc ? ITEM_FAILED : ITEM_READY;
	if (kept) {
		queue_push(item->is_known ? &part->kept : &part->fresh, item);
		atomic_fetch_add(&c->bytes, object.size);
	} else {
		table_remove(part, item);
	}
	pthread_cond_broadcast(&part->loaded);
	pthread_mutex_unlock(&part->lock);
	if (kept)
		evict(c, part);
	else
		block_cache_unref(item); /* the table's */
	return rc;
}

/* With the part's lock held: the item that the caller shall load. */
static struct block_cache_item *item_to_load(struct part *part, uint64_t hash,
					     struct block_cache_key key,
					     struct block_cache_item *ghost)
{
	struct block_cache_item *item;

	if (ghost) {
		queue_remove(ghost);
		ghost->state = ITEM_LOADING;
		ghost->is_known = true;
		return block_cache_ref(ghost);
	}
	item = item_new(key);
	table_insert(part, hash, item);
	return item;
}

/* With the part's lock held: the result of an item that is no ghost. */
static enum rc item_await(struct part *part, struct block_cache_item *item,
			  struct err *err)
{
	while (item->state == ITEM_LOADING)
		pthread_cond_wait(&part->loaded, &part->lock);
	if (item->state == ITEM_FAILED) {
		*err = *item->err;
		return err->rc;
	}
	touch(part, item);
	return RC_OK;
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
	found = item && item->state != ITEM_GHOST;
	if (found) {
		part->hits++;
		block_cache_ref(item);
		rc = item_await(part, item, err);
	} else {
		part->misses++;
		item = item_to_load(part, hash, key, item);
	}
	pthread_mutex_unlock(&part->lock);
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
		touch(part, item);
		block_cache_ref(item);
	} else {
		item = NULL;
	}
	pthread_mutex_unlock(&part->lock);
	return item;
}

bool block_cache_has(struct block_cache *c, struct block_cache_key key)
{
	uint64_t hash = key_hash(key);
	struct part *part = part_of(c, hash);
	const struct block_cache_item *item;
	LOCK_SCOPE(&part->lock);

	item = table_find(part, hash, key);
	return item &&
	       (item->state == ITEM_LOADING || item->state == ITEM_READY);
}

struct block_cache_item *block_cache_find(struct block_cache *c,
					  struct block_cache_key key)
{
	uint64_t hash = key_hash(key);
	struct part *part = part_of(c, hash);
	struct block_cache_item *item;
	struct err err;
	enum rc rc = RC_OK;

	pthread_mutex_lock(&part->lock);
	item = table_find(part, hash, key);
	if (item && item->state == ITEM_GHOST)
		item = NULL;
	if (item) {
		block_cache_ref(item);
		rc = item_await(part, item, &err);
		part->hits += !rc;
	}
	pthread_mutex_unlock(&part->lock);
	if (!rc)
		return item;
	block_cache_unref(item);
	return NULL;
}

void block_cache_stats(struct block_cache *c, struct block_cache_stats *ret)
{
	*ret = (struct block_cache_stats){ .bytes = atomic_load(&c->bytes) };
	for (unsigned int i = 0; i < c->n_parts; i++) {
		struct part *part = &c->parts[i];

		pthread_mutex_lock(&part->lock);
		ret->hits += part->hits;
		ret->misses += part->misses;
		pthread_mutex_unlock(&part->lock);
	}
}

/* --- forgetting ----------------------------------------------------------- */

/* With the part's lock held: take an item out of the table.  True: the caller
 * gives up the table's reference.  One that is being loaded stays, marked: who
 * loads it takes it out.
 */
static bool take_out(struct block_cache *c, struct part *part,
		     struct block_cache_item *item)
{
	if (item->state == ITEM_LOADING) {
		item->is_unwanted = true;
		return false;
	}
	if (item->state == ITEM_FAILED)
		return false;
	if (item->state == ITEM_READY)
		atomic_fetch_sub(&c->bytes, item->size);
	queue_remove(item);
	table_remove(part, item);
	return true;
}

void block_cache_remove(struct block_cache *c, struct block_cache_key key)
{
	uint64_t hash = key_hash(key);
	struct part *part = part_of(c, hash);
	struct block_cache_item *item;

	pthread_mutex_lock(&part->lock);
	item = table_find(part, hash, key);
	if (item && !take_out(c, part, item))
		item = NULL;
	pthread_mutex_unlock(&part->lock);
	block_cache_unref(item);
}

/* With the part's lock held: some item of a bucket that is to go, taken out. */
static struct block_cache_item *take_one(struct block_cache *c,
					 struct part *part, size_t bucket,
					 block_cache_key_fn *fn, void *arg)
{
	struct block_cache_item *item = part->buckets[bucket];

	while (item && !(fn(arg, item->key) && take_out(c, part, item)))
		item = item->next_in_bucket;
	return item;
}

void block_cache_remove_if(struct block_cache *c, block_cache_key_fn *fn,
			   void *arg)
{
	for (unsigned int i = 0; i < c->n_parts; i++) {
		struct part *part = &c->parts[i];
		struct block_cache_item *item;
		size_t bucket = 0;

		do {
			item = NULL;
			pthread_mutex_lock(&part->lock);
			while (!item && bucket < part->n_buckets) {
				item = take_one(c, part, bucket, fn, arg);
				bucket += !item;
			}
			pthread_mutex_unlock(&part->lock);
			block_cache_unref(item);
		} while (item);
	}
}
