/* SPDX-License-Identifier: Apache-2.0 */
/* volume.c - opening an archive, refreshing its view, its numbers. */
#include "config.h"

#include "volume/volume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cache/block-cache.h"
#include "cache/block-pool.h"
#include "catalog/catalog.h"
#include "codec/codec.h"
#include "store/store.h"
#include "volume/oplog.h"
#include "volume/volume-ahead.h"
#include "volume/volume-forget.h"
#include "volume/volume-old.h"
#include "volume/volume-state.h"

#define BLOCK_CACHE_DEFAULT (UINT64_C(128) << 20)
/* Of the memory for blocks, this share may wait to be used again. */
#define IDLE_DIVISOR 16
#define PAGE_CACHE_DEFAULT (UINT64_C(32) << 20)

static enum rc decode_descriptor(struct volume *v, const struct buf *b,
				 struct err *err)
{
	enum rc rc = descriptor_decode(b->p, b->len, &v->descriptor, err);

	if (rc)
		return err_prefix(err, "%s", DESCRIPTOR_KEY);
	if (store_n_bits(v->st) && store_n_bits(v->st) != v->descriptor.n_bits)
		return err_set(err, RC_USAGE,
			       "%s: its zones are made for n_bits %u, the "
			       "archive has %u",
			       store_url(v->st), store_n_bits(v->st),
			       v->descriptor.n_bits);
	memcpy(v->env.archive_id, v->descriptor.archive_id, SHARD_ID_LEN);
	oplog_expect(v->log, v->descriptor.archive_id);
	return RC_OK;
}

static enum rc read_descriptor(struct volume *v, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, DESCRIPTOR_MAX);
	if (descriptor_read(v->st, &b, err) || decode_descriptor(v, &b, err))
		return err->rc;
	if (v->catalog)
		catalog_put_document(v->catalog, store_location(v->st),
				     DESCRIPTOR_KEY, b.p, b.len);
	return RC_OK;
}

/* Descriptor and log from the index cache.  A descriptor without a record says
 * nothing: only the log tells whether it is the same archive still.
 */
static enum rc load_kept(struct volume *v, bool *ret_loaded, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	size_t n = 0;

	*ret_loaded = false;
	buf_init(&b, DESCRIPTOR_MAX);
	if (!catalog_get_document(v->catalog, store_location(v->st),
				  DESCRIPTOR_KEY, &b))
		return RC_OK;
	if (decode_descriptor(v, &b, err) || oplog_load(v->log, &n, err))
		return err->rc;
	*ret_loaded = n;
	return RC_OK;
}

static void begin_log(struct volume *v)
{
	oplog_free(v->log);
	v->log = oplog_new();
	if (v->catalog)
		oplog_attach(v->log, v->catalog, store_location(v->st));
}

/* The archive at the place is another, or what was kept of it is wrong. */
static void forget_kept(struct volume *v)
{
	catalog_drop(v->catalog, store_location(v->st));
	begin_log(v);
}

/* Whether what is kept is of the archive the store has now. */
static bool is_same_archive(struct volume *v)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct descriptor now;
	struct err err;

	buf_init(&b, DESCRIPTOR_MAX);
	return !descriptor_read(v->st, &b, &err) &&
	       !descriptor_decode(b.p, b.len, &now, &err) &&
	       !memcmp(now.archive_id, v->descriptor.archive_id, SHARD_ID_LEN);
}

static enum rc read_archive(struct volume *v, struct err *err)
{
	bool is_loaded = false, changed;
	enum rc rc;

	begin_log(v);
	if (v->catalog && load_kept(v, &is_loaded, err)) {
		is_loaded = false;
		forget_kept(v);
	}
	if (is_loaded) {
		rc = volume_refresh(v, &changed, err);
		/* The list may be that of a mirror which lags behind. */
		if (rc == RC_CHANGED && store_n_bits(v->st) &&
		    is_same_archive(v)) {
			oplog_trust(v->log);
			rc = volume_refresh(v, &changed, err);
		}
		if (rc != RC_CHANGED && rc != RC_CORRUPT)
			return rc;
		forget_kept(v);
	}
	rc = read_descriptor(v, err);
	return rc ? rc : volume_refresh(v, &changed, err);
}

/* Its absence costs requests, so it fails nothing. */
static void open_catalog(struct volume *v, const struct volume_options *opts)
{
	CLEANUP_FREE char *path = NULL;
	struct err err;

	if (!store_is_remote(v->st) ||
	    (opts && opts->index_cache && !*opts->index_cache))
		return;
	path = opts && opts->index_cache ? xstrdup(opts->index_cache)
					 : catalog_default_path();
	if (catalog_open(&v->catalog, path, opts ? opts->index_cache_size : 0,
			 &err)) {
		v->catalog = NULL;
		v->index_cache_error = xstrdup(err.msg);
	}
}

/* Wait until this thread is the only refresher. */
static void begin_refresh(struct volume *v)
{
	LOCK_SCOPE(&v->lock);
	while (v->is_refreshing)
		pthread_cond_wait(&v->refreshed, &v->lock);
	v->is_refreshing = true;
}

/* Publish the view, if there is a new one. */
static void end_refresh(struct volume *v, struct view *view)
{
	struct view *old = NULL;

	pthread_mutex_lock(&v->lock);
	if (view) {
		old = v->view;
		v->view = view;
		atomic_store(&v->has_deleted, view->deleted);
		atomic_store(&v->generation, view->generation);
	}
	v->is_refreshing = false;
	pthread_cond_broadcast(&v->refreshed);
	pthread_mutex_unlock(&v->lock);
	view_unref(old);
}

/* Shards that the view before had and this one has not are replaced. */
static void mark_replaced(struct volume *v, const struct view *view)
{
	for (size_t i = 0; i < view->n_shards; i++)
		atomic_store(&view->by_day[i]->life->view, view->generation);
	for (size_t i = 0; v->view && i < v->view->n_shards; i++) {
		const struct shard_file *sf = v->view->by_day[i];

		if (atomic_load(&sf->life->view) == view->generation)
			continue;
		atomic_store(&sf->life->is_replaced, true);
		volume_old_add(v->old, sf->ordinal);
	}
}

/* Read the log, and make a view if there is something new; the caller is the
 * refresher.
 */
static enum rc make_view(struct volume *v, struct view **ret, struct err *err)
{
	uint64_t now = clock_mono_ns();
	bool changed = false;
	enum rc rc;

	rc = oplog_read(v->log, v->st, &changed, err);
	if (!rc)
		v->looked_ns = now;
	if (rc || (!changed && !v->is_stale))
		return rc;
	v->is_stale = true;
	rc = view_new(ret, v->log, v->set,
		      v->view ? v->view->generation + 1 : 1,
		      v->has_without ? &v->without : NULL, err);
	if (rc)
		return rc;
	v->is_stale = false;
	mark_replaced(v, *ret);
	return RC_OK;
}

/* A reader misses a shard.  Who follows the views tells others what has
 * changed.  A look that began after since is as good.
 */
static void look_again(void *arg, uint64_t since_ns)
{
	struct view *view = NULL;
	struct volume *v = arg;
	struct err err;

	begin_refresh(v);
	if (v->looked_ns < since_ns)
		(void)!make_view(v, &view, &err);
	end_refresh(v, view);
}

static void set_env(struct volume *v)
{
	v->env.st = v->st;
	v->env.tail_window = store_tail_window(v->st);
	v->env.catalog = v->catalog;
	v->env.location = store_location(v->st);
	v->env.look_again_arg = v;
	v->env.look_again = look_again;
}

static struct volume *volume_new(const struct volume_options *opts)
{
	struct volume *v = xcalloc(1, sizeof(*v));
	uint64_t blocks = opts ? opts->block_cache : 0;
	uint64_t pages = opts ? opts->page_cache : 0;

	v->verify = opts ? opts->verify : VERIFY_CRC;
	v->has_without = opts && opts->has_without;
	v->without = opts ? opts->without : 0;
	v->env.check_hash = v->verify != VERIFY_CRC;
	if (!blocks)
		blocks = BLOCK_CACHE_DEFAULT;
	v->env.pool = block_pool_new(blocks / IDLE_DIVISOR);
	v->env.blocks = block_cache_new(blocks - blocks / IDLE_DIVISOR);
	v->block_cache = blocks;
	v->env.pages = block_cache_new(pages ? pages : PAGE_CACHE_DEFAULT);
	v->set = shard_set_new();
	v->old = volume_old_new();
	v->is_stale = true;
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->refreshed, NULL);
	return v;
}

static enum rc open_store(struct volume *v, const char *url,
			  const struct volume_options *opts, struct err *err)
{
	if (!opts || !opts->store)
		return store_open(&v->st, url, opts ? opts->settings : NULL,
				  err);
	v->st = opts->store;
	v->is_store_borrowed = true;
	return RC_OK;
}

/* What reading the store needs, and what is in it. */
static enum rc begin(struct volume *v, const struct volume_options *opts,
		     struct err *err)
{
	enum rc rc;

	open_catalog(v, opts);
	set_env(v);
	rc = volume_fetch_begin(v, opts, err);
	if (!v->env.fetch)
		v->ahead = volume_ahead_new(v, v->block_cache);
	if (!rc)
		rc = read_archive(v, err);
	if (!rc && !v->env.disk)
		volume_forget_rows(v);
	return rc;
}

static void end(struct volume *v)
{
	volume_ahead_free(v->ahead);
	volume_fetch_end(v);
	oplog_free(v->log);
	catalog_close(v->catalog);
	v->ahead = NULL;
	v->log = NULL;
	v->catalog = NULL;
}

static enum rc begin_legacy(struct volume *v, const struct volume_options *opts,
			    struct err *err)
{
	end(v);
	free(v->index_cache_error);
	v->index_cache_error = NULL;
	if (volume_legacy_begin(v, opts, err))
		return err->rc;
	/* Hashes of its blocks are not those of their bytes. */
	v->env.check_hash = false;
	v->env.features = SHARD_INCOMPAT_UNHASHED;
	return begin(v, opts, err);
}

/* An archive of an older program in place of none, which err tells of. */
static enum rc try_legacy(struct volume *v, const struct volume_options *opts,
			  struct err *err)
{
	bool is_there = false;
	struct err why;

	if (volume_legacy_exists(v, opts, &is_there, &why)) {
		*err = why;
		return err->rc;
	}
	return is_there ? begin_legacy(v, opts, err) : err->rc;
}

enum rc volume_open(struct volume **ret, const char *url,
		    const struct volume_options *opts, struct err *err)
{
	struct volume *v = volume_new(opts);
	enum rc rc;

	rc = open_store(v, url, opts, err);
	if (!rc) {
		rc = begin(v, opts, err);
		if (rc == RC_NOENT)
			rc = try_legacy(v, opts, err);
	}
	if (rc) {
		volume_close(v);
		return rc;
	}
	*ret = v;
	return RC_OK;
}

void volume_close(struct volume *v)
{
	if (!v)
		return;
	volume_ahead_free(v->ahead);
	volume_fetch_end(v);
	view_unref(v->view);
	block_cache_free(v->env.blocks);
	block_cache_free(v->env.pages);
	block_pool_free(v->env.pool);
	volume_old_free(v->old);
	shard_set_free(v->set);
	oplog_free(v->log);
	catalog_close(v->catalog);
	volume_legacy_end(v);
	if (v->st && !v->is_store_borrowed)
		store_close(v->st);
	free(v->index_cache_error);
	pthread_cond_destroy(&v->refreshed);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

const char *volume_index_cache_error(const struct volume *v)
{
	return v->index_cache_error;
}

const struct descriptor *volume_descriptor(const struct volume *v)
{
	return &v->descriptor;
}

struct store *volume_store(struct volume *v)
{
	return v->st;
}

const struct oplog *volume_log(const struct volume *v)
{
	return v->log;
}

struct view *volume_view(struct volume *v)
{
	struct view *view;

	pthread_mutex_lock(&v->lock);
	view = view_ref(v->view);
	pthread_mutex_unlock(&v->lock);
	return view;
}

enum rc volume_refresh(struct volume *v, bool *ret_changed, struct err *err)
{
	struct view *view = NULL;
	enum rc rc;

	begin_refresh(v);
	rc = make_view(v, &view, err);
	shard_env_note(&v->env, rc);
	*ret_changed = view;
	end_refresh(v, view);
	return rc;
}

enum rc volume_days(struct volume *v, uint32_t **ret, size_t *ret_n,
		    struct err *err)
{
	CLEANUP_VIEW struct view *view = volume_view(v);
	uint32_t *days = mem_array(view->n_days, sizeof(*days));

	if (!days)
		return err_set(err, RC_NOMEM, "no memory for %zu days",
			       view->n_days);
	for (size_t i = 0; i < view->n_days; i++)
		days[i] = view->days[i].day;
	*ret = days;
	*ret_n = view->n_days;
	return RC_OK;
}

const struct shard_meta *volume_shard(const struct volume *v,
				      struct volume_node node)
{
	const struct shard_file *sf = shard_set_get(v->set, node.shard);

	return sf ? &sf->meta : NULL;
}

static void count_index(struct volume *v, struct volume_stats *ret)
{
	struct catalog_stats index;

	if (!v->catalog)
		return;
	catalog_stats(v->catalog, &index);
	ret->index_hits = index.hits;
	ret->index_misses = index.misses;
	ret->index_bytes = index.bytes;
	ret->index_errors = index.errors;
}

static void count_caches(struct volume *v, struct volume_stats *ret)
{
	struct block_cache_stats blocks, pages;
	struct store_counters store;

	block_cache_stats(v->env.blocks, &blocks);
	block_cache_stats(v->env.pages, &pages);
	store_count(v->st, &store);
	ret->block_hits = blocks.hits;
	ret->block_misses = blocks.misses;
	ret->block_cache_bytes = blocks.bytes;
	ret->page_hits = pages.hits;
	ret->page_misses = pages.misses;
	ret->page_cache_bytes = pages.bytes;
	ret->store_reads = store.reads;
	ret->store_bytes = store.bytes_read;
	ret->store_lists = store.lists;
	ret->store_get = store.get;
	ret->store_get_list = store.get_list;
	ret->store_put = store.put;
	ret->store_post = store.post;
	ret->store_del = store.del;
	ret->store_head = store.head;
	ret->store_retries = store.retries;
	ret->store_timeouts = store.timeouts;
	ret->store_throttled = store.throttled;
	ret->store_bad_replies = store.bad_replies;
	ret->store_wire_in = store.wire_bytes_in;
	ret->store_wire_out = store.wire_bytes_out;
}

void volume_stats(struct volume *v, struct volume_stats *ret)
{
	CLEANUP_VIEW struct view *view = volume_view(v);

	*ret = (struct volume_stats){
		.n_shards = view->n_shards,
		.n_entries = view->n_entries,
		.n_files = view->n_files,
		.plain_bytes = view->plain_bytes,
		.stored_bytes = view->stored_bytes,
		.lookups = atomic_load(&v->lookups),
		.readdirs = atomic_load(&v->readdirs),
		.reads = atomic_load(&v->reads),
		.bytes_served = atomic_load(&v->bytes_served),
		.shards_opened = atomic_load(&v->env.n_opened),
		.corrupt = atomic_load(&v->env.n_corrupt),
		.generation = view->generation,
		.any_xattrs = view->any_xattrs,
	};
	count_caches(v, ret);
	count_index(v, ret);
	volume_fetch_count(v, ret);
	volume_ahead_count(v->ahead, ret);
}

const char *volume_libraries(void)
{
	static _Thread_local char text[320];

	snprintf(text, sizeof(text), "%s, %s", codec_libraries(),
		 catalog_library());
	return text;
}
