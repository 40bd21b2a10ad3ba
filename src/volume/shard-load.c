/* SPDX-License-Identifier: Apache-2.0 */
/* shard-load.c - pages, filter partitions and blocks of an open shard. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "cache/block-cache.h"
#include "shard/shard-block.h"
#include "shard/shard-filter.h"
#include "volume/shard-file.h"
#include "volume/shard-kept.h"

/* Stored bytes of one page or block a reader accepts. */
#define PAGE_STORED_MAX (PAGE_HEADER_SIZE + PAGE_RAW_MAX)
#define BLOCK_STORED_MAX \
	(BLOCK_HEADER_SIZE + BLOCK_SIZE_MAX + BLOCK_RECORDS_MAX)

struct load_request {
	const struct shard_handle *h;
	uint64_t off; /* in the shard */
	size_t len;
	const struct page_ref *page;
	enum page_kind kind;
	const struct block_ref *block;
	uint32_t partition;
};

static struct block_cache_key cache_key(const struct shard_handle *h,
					enum shard_object kind, uint64_t b)
{
	return (struct block_cache_key){ (uint64_t)kind << 32 | h->sf->ordinal,
					 b };
}

static const char *kind_name(enum page_kind kind)
{
	switch (kind) {
	case PAGE_LEAF: return "entries";
	case PAGE_NODE: return "pages";
	case PAGE_EXTENT: return "blocks";
	}
	return "nothing known";
}

static void page_destroy(void *p)
{
	page_free(p);
}

/* Decode a page; again, from the store, when what was kept of it is wrong. */
static enum rc page_read(const struct load_request *rq, struct page **ret,
			 struct err *err)
{
	struct shard_bytes bytes;
	bool is_again;
	enum rc rc;

	do {
		rc = shard_handle_read(rq->h, rq->off, rq->len, &bytes, err);
		if (rc)
			return rc;
		rc = page_decode(bytes.p, rq->len, rq->page, ret, err);
		is_again = rc == RC_CORRUPT &&
			   shard_handle_distrust(rq->h, &bytes);
		if (!rc)
			shard_handle_keep(rq->h, rq->off, &bytes, rq->len);
		shard_bytes_release(&bytes);
	} while (is_again);
	if (!rc)
		return RC_OK;
	return err_prefix(err, "%s: index page at %llu", rq->h->sf->meta.key,
			  (unsigned long long)rq->off);
}

static enum rc page_load(void *arg, struct block_cache_object *ret,
			 struct err *err)
{
	const struct load_request *rq = arg;
	struct page *page = NULL;
	enum rc rc = page_read(rq, &page, err);

	if (rc)
		return shard_env_note(rq->h->env, rc);
	*ret = (struct block_cache_object){ page, page_memory(page),
					    page_destroy };
	return RC_OK;
}

enum rc shard_handle_page(const struct shard_handle *h,
			  const struct page_ref *ref, enum page_kind kind,
			  struct block_cache_item **ret, struct err *err)
{
	const struct shard_footer *f = &h->tail->footer;
	struct load_request rq = { .h = h,
				   .off = f->index_off + ref->off,
				   .len = ref->stored_len,
				   .page = ref };
	struct block_cache_item *item = NULL;
	enum page_kind found;
	enum rc rc;

	if (ref->stored_len > f->index_len ||
	    ref->off > f->index_len - ref->stored_len ||
	    ref->stored_len > PAGE_STORED_MAX) {
		shard_env_note(h->env, RC_CORRUPT);
		return err_set(err, RC_CORRUPT,
			       "%s: index page of %u bytes at %llu is outside "
			       "the index",
			       h->sf->meta.key, (unsigned int)ref->stored_len,
			       (unsigned long long)rq.off);
	}
	rc = block_cache_get(h->env->pages, cache_key(h, SHARD_PAGE, ref->off),
			     page_load, &rq, &item, err);
	if (rc)
		return rc;
	found = page_kind(block_cache_object(item));
	if (found != kind) {
		block_cache_unref(item);
		shard_env_note(h->env, RC_CORRUPT);
		return err_set(err, RC_CORRUPT,
			       "%s: index page at %llu lists %s, not %s",
			       h->sf->meta.key, (unsigned long long)rq.off,
			       kind_name(found), kind_name(kind));
	}
	*ret = item;
	return RC_OK;
}

static enum rc partition_load(void *arg, struct block_cache_object *ret,
			      struct err *err)
{
	const struct load_request *rq = arg;
	const uint8_t *want = rq->h->tail->partition_hashes +
			      (size_t)rq->partition * BLOCK_HASH_LEN;
	uint8_t hash[SHA256_LEN];
	struct shard_bytes bytes;
	bool is_wrong, is_again;
	enum rc rc;

	do {
		rc = shard_handle_read(rq->h, rq->off, rq->len, &bytes, err);
		if (rc)
			return shard_env_note(rq->h->env, rc);
		sha256_of(bytes.p, rq->len, hash);
		is_wrong = memcmp(hash, want, BLOCK_HASH_LEN);
		is_again = is_wrong && shard_handle_distrust(rq->h, &bytes);
		if (is_wrong)
			shard_bytes_release(&bytes);
	} while (is_again);
	if (is_wrong) {
		shard_env_note(rq->h->env, RC_CORRUPT);
		return err_set(err, RC_CORRUPT,
			       "%s: filter at %llu does not match its hash",
			       rq->h->sf->meta.key,
			       (unsigned long long)rq->off);
	}
	shard_handle_keep(rq->h, rq->off, &bytes, rq->len);
	*ret = (struct block_cache_object){ xmemdup0(bytes.p, rq->len), rq->len,
					    free };
	shard_bytes_release(&bytes);
	return RC_OK;
}

enum rc shard_handle_may_contain(const struct shard_handle *h, uint64_t hash,
				 bool if_cheap, bool *ret, struct err *err)
{
	struct load_request rq = { .h = h, .len = h->tail->partition_size };
	struct block_cache_item *item;
	struct block_cache_key key;
	enum rc rc;

	*ret = true;
	if (!h->tail->n_partitions)
		return RC_OK;
	rq.partition = filter_partition(hash, h->tail->n_partitions);
	rq.off = h->tail->footer.filter.off + (uint64_t)rq.partition * rq.len;
	key = cache_key(h, SHARD_PARTITION, rq.partition);
	item = block_cache_peek(h->env->pages, key);
	if (!item) {
		if (if_cheap && !shard_handle_has(h, rq.off, rq.len))
			return RC_OK;
		rc = block_cache_get(h->env->pages, key, partition_load, &rq,
				     &item, err);
		if (rc)
			return rc;
	}
	*ret = filter_may_contain(block_cache_object(item),
				  h->tail->partition_size, hash);
	block_cache_unref(item);
	return RC_OK;
}

/* Stored bytes to decoded data. */
static enum rc block_decode(const struct load_request *rq,
			    const uint8_t *stored,
			    struct block_cache_object *ret, struct err *err)
{
	struct block_header head;
	struct shard_block *b;
	enum rc rc;

	rc = block_check(stored, rq->len, rq->block, rq->h->env->check_hash,
			 &head, err);
	if (rc)
		return rc;
	b = mem_array(sizeof(*b) + head.data_len, 1);
	if (!b)
		return err_set(err, RC_NOMEM, "no memory for %u bytes",
			       (unsigned int)head.data_len);
	b->len = head.data_len;
	rc = block_decode_data(stored, &head, b->data, err);
	if (rc) {
		free(b);
		return rc;
	}
	*ret = (struct block_cache_object){ b, sizeof(*b) + b->len, free };
	return RC_OK;
}

static enum rc block_load(void *arg, struct block_cache_object *ret,
			  struct err *err)
{
	const struct load_request *rq = arg;
	struct shard_bytes bytes;
	enum rc rc;

	rc = shard_handle_read(rq->h, rq->off, rq->len, &bytes, err);
	if (rc)
		return shard_env_note(rq->h->env, rc);
	rc = block_decode(rq, bytes.p, ret, err);
	shard_bytes_release(&bytes);
	if (rc) {
		shard_env_note(rq->h->env, rc);
		return err_prefix(err, "%s: block at %llu", rq->h->sf->meta.key,
				  (unsigned long long)rq->off);
	}
	return RC_OK;
}

enum rc shard_handle_block(const struct shard_handle *h,
			   const struct block_ref *ref,
			   struct block_cache_item **ret, struct err *err)
{
	const struct shard_footer *f = &h->tail->footer;
	struct load_request rq = {
		.h = h, .off = ref->off, .len = ref->stored_len, .block = ref
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
			       cache_key(h, SHARD_WINDOW, ref->off), block_load,
			       &rq, ret, err);
}
