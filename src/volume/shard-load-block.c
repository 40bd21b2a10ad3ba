/* SPDX-License-Identifier: Apache-2.0 */
/* shard-load-block.c - blocks of an open shard, decoded as far as is wanted. */
#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cache/block-cache.h"
#include "cache/block-pool.h"
#include "cache/disk-cache.h"
#include "shard/shard-block.h"
#include "volume/shard-fetch.h"
#include "volume/shard-file.h"

/* Stored bytes of one block a reader accepts. */
#define BLOCK_STORED_MAX \
	(BLOCK_HEADER_SIZE + BLOCK_SIZE_MAX + BLOCK_RECORDS_MAX)

/* Blocks a prefix is worth while of, see ADR 8: of smaller ones it is not worth
 * its second decoding, for larger ones each thread would keep as much memory.
 */
#define PREFIX_FROM (224u << 10)
#define PREFIX_TO (1u << 20)

struct block_request {
	const struct shard_handle *h;
	uint64_t off; /* in the shard */
	size_t len;
	const struct block_ref *block;
	const struct fetch_hint *hint;
	size_t want; /* bytes of its data */
};

static struct shard_block *block_new(struct block_pool *pool, uint32_t len)
{
	struct shard_block *b = xcalloc(1, sizeof(*b));

	*b = (struct shard_block){ .len = len, .pool = pool };
	b->data = block_pool_take(pool, len, &b->cap);
	if (b->data)
		return b;
	free(b);
	return NULL;
}

static void block_destroy(void *p)
{
	struct shard_block *b = p;

	block_pool_give(b->pool, b->data, b->cap);
	free(b);
}

/* Stored bytes to decoded data. */
static enum rc block_decode(const struct block_request *rq,
			    const uint8_t *stored, bool check_hash,
			    struct block_cache_object *ret, struct err *err)
{
	struct block_header head;
	struct shard_block *b;
	size_t len;
	enum rc rc;

	rc = block_check(stored, rq->len, rq->block, check_hash, &head, err);
	if (rc)
		return rc;
	len = block_prefix(stored, &head, rq->want);
	b = block_new(rq->h->env->pool, (uint32_t)len);
	if (!b)
		return err_set(err, RC_NOMEM, "no memory for %zu bytes", len);
	rc = block_decode_prefix(stored, &head, b->data, len, err);
	if (rc) {
		block_destroy(b);
		return rc;
	}
	*ret = (struct block_cache_object){ b, sizeof(*b) + b->cap,
					    block_destroy };
	return RC_OK;
}

/* From the disk cache, which has checked the hash. */
static bool block_from_disk(const struct block_request *rq,
			    struct block_cache_object *ret)
{
	struct disk_cache *disk = rq->h->env->disk;
	struct block_pool *pool = rq->h->env->pool;
	uint8_t *stored;
	struct err err;
	size_t cap = 0;
	bool ok;

	if (!disk || shard_handle_has(rq->h, rq->off, rq->len))
		return false;
	stored = block_pool_take(pool, rq->len, &cap);
	ok = stored && disk_cache_get(disk, rq->block->hash, stored, rq->len) &&
	     !block_decode(rq, stored, false, ret, &err);
	block_pool_give(pool, stored, cap);
	return ok;
}

/* Decode the bytes, give them back, and keep those that cost a request. */
static enum rc block_take(const struct block_request *rq,
			  struct shard_bytes *bytes,
			  struct block_cache_object *ret, struct err *err)
{
	const struct shard_env *env = rq->h->env;
	enum rc rc;

	rc = block_decode(rq, bytes->p, env->check_hash, ret, err);
	if (!rc && env->disk && !bytes->window)
		disk_cache_put(env->disk, rq->block->hash, rq->h->sf->meta.root,
			       bytes->p, rq->len);
	shard_bytes_release(bytes);
	return rc;
}

static enum rc block_load(void *arg, struct block_cache_object *ret,
			  struct err *err)
{
	const struct block_request *rq = arg;
	struct shard_bytes bytes;
	enum rc rc;

	if (block_from_disk(rq, ret))
		return RC_OK;
	rc = shard_handle_read_near(rq->h, rq->off, rq->len, rq->hint, &bytes,
				    err);
	if (rc)
		return shard_env_note(rq->h->env, rc);
	rc = block_take(rq, &bytes, ret, err);
	if (shard_fetch_again(rq->h, rq->off, rq->len, rq->block->hash, rc,
			      &bytes))
		rc = block_take(rq, &bytes, ret, err);
	if (rc) {
		shard_env_note(rq->h->env, rc);
		return err_prefix(err, "%s: block at %llu", rq->h->sf->meta.key,
				  (unsigned long long)rq->off);
	}
	return RC_OK;
}

static enum rc block_get(const struct shard_handle *h,
			 const struct block_ref *ref, enum shard_object kind,
			 size_t want, const struct fetch_hint *hint,
			 struct block_cache_item **ret, struct err *err)
{
	const struct shard_footer *f = &h->tail->footer;
	struct block_request rq = {
		.h = h,
		.off = ref->off,
		.len = ref->stored_len,
		.block = ref,
		.hint = hint,
		.want = want,
	};

	if (ref->off < f->data_off || ref->stored_len > f->data_len ||
	    ref->off - f->data_off > f->data_len - ref->stored_len ||
	    ref->stored_len > BLOCK_STORED_MAX) {
		shard_env_note(h->env, RC_CORRUPT);
		return err_set(err, RC_CORRUPT,
			       "%s: block of %u bytes at %llu is outside the "
			       "data",
			       h->sf->meta.key, (unsigned int)ref->stored_len,
			       (unsigned long long)ref->off);
	}
	return block_cache_get(h->env->blocks,
			       shard_cache_key(kind, h->sf->ordinal, ref->off),
			       block_load, &rq, ret, err);
}

/* What was wanted as a prefix and could not be had as one. */
static struct block_cache_item *find_whole(const struct shard_handle *h,
					   const struct block_ref *ref)
{
	struct block_cache_item *item = block_cache_peek(
		h->env->blocks,
		shard_cache_key(SHARD_PREFIX, h->sf->ordinal, ref->off));
	const struct shard_block *b = item ? block_cache_object(item) : NULL;

	if (b && b->len == ref->data_len)
		return item;
	block_cache_unref(item);
	return NULL;
}

/* Not of remote archives: reading stored bytes twice would cost two requests.
 */
static bool has_prefixes(const struct shard_handle *h,
			 const struct block_ref *ref)
{
	return !h->env->fetch && ref->data_len >= PREFIX_FROM &&
	       ref->data_len <= PREFIX_TO;
}

enum rc shard_handle_block(const struct shard_handle *h,
			   const struct block_ref *ref,
			   const struct fetch_hint *hint,
			   struct block_cache_item **ret, struct err *err)
{
	struct block_cache_item *item = NULL;

	if (has_prefixes(h, ref) &&
	    !shard_env_has_block(h->env, h->sf->ordinal, ref))
		item = find_whole(h, ref);
	if (!item)
		return block_get(h, ref, SHARD_BLOCK, ref->data_len, hint, ret,
				 err);
	*ret = item;
	return RC_OK;
}

enum rc shard_handle_prefix(const struct shard_handle *h,
			    const struct block_ref *ref, size_t want,
			    const struct fetch_hint *hint,
			    struct block_cache_item **ret, struct err *err)
{
	struct block_cache_item *item = NULL;
	const struct shard_block *b;
	enum rc rc;

	/* The second who needs more decodes again what the first did. */
	if (!has_prefixes(h, ref) || want > ref->data_len / 2)
		return shard_handle_block(h, ref, hint, ret, err);
	item = block_cache_find(
		h->env->blocks,
		shard_cache_key(SHARD_BLOCK, h->sf->ordinal, ref->off));
	if (item) {
		*ret = item;
		return RC_OK;
	}
	rc = block_get(h, ref, SHARD_PREFIX, want, hint, &item, err);
	if (rc)
		return rc;
	b = block_cache_object(item);
	if (b->len >= want) {
		*ret = item;
		return RC_OK;
	}
	block_cache_unref(item);
	return shard_handle_block(h, ref, hint, ret, err);
}

bool shard_env_has_block(const struct shard_env *env, uint32_t shard,
			 const struct block_ref *ref)
{
	return block_cache_has(env->blocks,
			       shard_cache_key(SHARD_BLOCK, shard, ref->off));
}
