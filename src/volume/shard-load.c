/* SPDX-License-Identifier: Apache-2.0 */
/* shard-load.c - pages and filter partitions of an open shard. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "cache/block-cache.h"
#include "shard/shard-filter.h"
#include "volume/shard-fetch.h"
#include "volume/shard-file.h"
#include "volume/shard-kept.h"

/* Stored bytes of one page a reader accepts. */
#define PAGE_STORED_MAX (PAGE_HEADER_SIZE + PAGE_RAW_MAX)

struct load_request {
	const struct shard_handle *h;
	uint64_t off; /* in the shard */
	size_t len;
	const struct page_ref *page;
	enum page_kind kind;
	uint32_t partition;
};

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

/* Pages have all of the index around them. */
static void page_near(void *arg, struct readahead_near *ret)
{
	const struct load_request *rq = arg;
	const struct shard_footer *f = &rq->h->tail->footer;

	*ret = (struct readahead_near){
		.range = { f->index_off, f->index_off + f->index_len },
		.is_file = true,
	};
}

/* Decode a page; again, from the store, when what was kept of it is wrong. */
static enum rc page_read(struct load_request *rq, struct page **ret,
			 struct err *err)
{
	const struct fetch_hint hint = { page_near, rq };
	struct shard_bytes bytes;
	bool is_again;
	enum rc rc;

	do {
		rc = shard_handle_read_near(rq->h, rq->off, rq->len, &hint,
					    &bytes, err);
		if (rc)
			return rc;
		rc = page_decode(bytes.p, rq->len, rq->page, ret, err);
		is_again = rc == RC_CORRUPT &&
			   shard_handle_distrust(rq->h, &bytes);
		if (!rc)
			shard_handle_keep(rq->h, rq->off, &bytes, rq->len);
		shard_bytes_release(&bytes);
	} while (is_again);
	if (shard_fetch_again(rq->h, rq->off, rq->len, rq->page->hash, rc,
			      &bytes)) {
		rc = page_decode(bytes.p, rq->len, rq->page, ret, err);
		if (!rc)
			shard_handle_keep(rq->h, rq->off, &bytes, rq->len);
		shard_bytes_release(&bytes);
	}
	if (!rc)
		return RC_OK;
	return err_prefix(err, "%s: index page at %llu", rq->h->sf->meta.key,
			  (unsigned long long)rq->off);
}

static enum rc page_load(void *arg, struct block_cache_object *ret,
			 struct err *err)
{
	struct load_request *rq = arg;
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
	struct block_cache_key key;
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
	key = shard_cache_key(SHARD_PAGE, h->sf->ordinal, ref->off);
	if (h->is_peek) {
		item = block_cache_peek(h->env->pages, key);
		rc = item ? RC_OK
			  : err_set(err, RC_NOENT, "%s: page not in memory",
				    h->sf->meta.key);
	} else {
		rc = block_cache_get(h->env->pages, key, page_load, &rq, &item,
				     err);
	}
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
	if (h->tail->filter) {
		*ret = filter_may_contain(h->tail->filter,
					  h->tail->partition_size, hash);
		return RC_OK;
	}
	rq.partition = filter_partition(hash, h->tail->n_partitions);
	rq.off = h->tail->footer.filter.off + (uint64_t)rq.partition * rq.len;
	key = shard_cache_key(SHARD_PARTITION, h->sf->ordinal, rq.partition);
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
