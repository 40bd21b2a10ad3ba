/* SPDX-License-Identifier: Apache-2.0 */
/* shard-set.c - all shards a session has met, by ordinal and by key.
 *
 * Chunk k has room for CHUNK_FIRST << k shards, so that nothing moves when the
 * set grows.
 */
#include "config.h"

#include "volume/shard-set.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/key.h"
#include "base/mem.h"
#include "shard/route.h"

#define CHUNK_FIRST_BITS 6
#define CHUNK_FIRST (1u << CHUNK_FIRST_BITS)
#define N_CHUNKS (SHARD_ORDINAL_BITS + 1 - CHUNK_FIRST_BITS)
#define MIN_BUCKETS 64u

struct shard_set {
	struct shard_file **chunks[N_CHUNKS];
	_Atomic uint32_t n; /* those below are complete */
	/* By key: ordinals + 1 in open addressing, at most half full. */
	uint32_t *buckets;
	size_t n_buckets; /* a power of two */
};

struct shard_set *shard_set_new(void)
{
	struct shard_set *set = xcalloc(1, sizeof(*set));

	set->n_buckets = MIN_BUCKETS;
	set->buckets = xcalloc(MIN_BUCKETS, sizeof(*set->buckets));
	return set;
}

static struct shard_file **place(const struct shard_set *set, uint32_t ordinal)
{
	uint32_t n = ordinal + CHUNK_FIRST;
	unsigned int top = 31 - (unsigned int)__builtin_clz(n);

	return &set->chunks[top - CHUNK_FIRST_BITS][n - (1u << top)];
}

const struct shard_file *shard_set_get(const struct shard_set *set,
				       uint32_t ordinal)
{
	if (ordinal >= atomic_load_explicit(&set->n, memory_order_acquire))
		return NULL;
	return *place(set, ordinal);
}

void shard_set_free(struct shard_set *set)
{
	if (!set)
		return;
	for (uint32_t i = 0; i < atomic_load(&set->n); i++) {
		struct shard_file *sf = *place(set, i);

		free(sf->meta.key);
		free(sf->meta.first);
		free(sf->meta.last);
		free((void *)(uintptr_t)sf->epoch);
		free(sf->life);
		free(sf);
	}
	for (size_t i = 0; i < N_CHUNKS; i++)
		free(set->chunks[i]);
	free(set->buckets);
	free(set);
}

/* The bucket of a key, or the empty one where it belongs. */
static uint32_t *find_bucket(const struct shard_set *set, const char *key)
{
	size_t mask = set->n_buckets - 1;

	for (size_t i = key_hash(key) & mask;; i = (i + 1) & mask) {
		uint32_t *b = &set->buckets[i];

		if (!*b || !strcmp((*place(set, *b - 1))->meta.key, key))
			return b;
	}
}

static void grow_buckets(struct shard_set *set, uint32_t n)
{
	if (n < set->n_buckets / 2)
		return;
	free(set->buckets);
	set->n_buckets *= 2;
	set->buckets = xcalloc(set->n_buckets, sizeof(*set->buckets));
	for (uint32_t i = 0; i < n; i++)
		*find_bucket(set, (*place(set, i))->meta.key) = i + 1;
}

static enum rc check_meta(const struct shard_meta *m, uint32_t n,
			  struct err *err)
{
	if (m->n_bits < ROUTE_BITS_MIN || m->n_bits > ROUTE_BITS_MAX ||
	    m->slot >> m->n_bits || m->route > ROUTE_PARENT)
		return err_set(err, RC_CORRUPT,
			       "%s: log says n_bits %u, slot %u, route %u",
			       m->key, m->n_bits, (unsigned int)m->slot,
			       m->route);
	if (n >> SHARD_ORDINAL_BITS || m->n_entries >> ENTRY_ORDINAL_BITS)
		return err_set(err, RC_LIMIT,
			       "%s: shard %u of the session, %llu entries",
			       m->key, (unsigned int)n,
			       (unsigned long long)m->n_entries);
	return RC_OK;
}

static struct shard_file *file_new(const struct shard_meta *meta,
				   uint32_t ordinal)
{
	struct shard_file *sf = xcalloc(1, sizeof(*sf));

	sf->epoch = xcalloc(1, sizeof(*sf->epoch));
	sf->life = xcalloc(1, sizeof(*sf->life));
	sf->ordinal = ordinal;
	sf->meta = *meta;
	sf->meta.key = xstrdup(meta->key);
	sf->meta.first = xmemdup0(meta->first, meta->first_len);
	sf->meta.last = xmemdup0(meta->last, meta->last_len);
	entry_split_uid(span_of(sf->meta.first, meta->first_len),
			&sf->first_parent, &sf->first_name);
	entry_split_uid(span_of(sf->meta.last, meta->last_len),
			&sf->last_parent, &sf->last_name);
	return sf;
}

enum rc shard_set_add(struct shard_set *set, const struct shard_meta *meta,
		      const struct shard_file **ret, struct err *err)
{
	uint32_t n = atomic_load(&set->n);
	unsigned int top = 31 - (unsigned int)__builtin_clz(n + CHUNK_FIRST);
	struct shard_file ***chunk;
	uint32_t *bucket;
	enum rc rc;

	grow_buckets(set, n);
	bucket = find_bucket(set, meta->key);
	if (*bucket) {
		*ret = *place(set, *bucket - 1);
		return RC_OK;
	}
	rc = check_meta(meta, n, err);
	if (rc)
		return rc;
	chunk = &set->chunks[top - CHUNK_FIRST_BITS];
	if (!*chunk)
		*chunk = xcalloc((size_t)1 << top, sizeof(**chunk));
	*place(set, n) = file_new(meta, n);
	*bucket = n + 1;
	*ret = *place(set, n);
	atomic_store_explicit(&set->n, n + 1, memory_order_release);
	return RC_OK;
}
