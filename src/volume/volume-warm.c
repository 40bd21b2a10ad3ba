/* SPDX-License-Identifier: Apache-2.0 */
/* volume-warm.c - filling the index cache before anybody asks.
 *
 * Several shards at once, each by one thread.  Tails come as always.  Pages and
 * filter partitions outside them are read many at a time, checked one by one,
 * and kept one by one, as they are asked for.  Block lists of large files are
 * left out: to find them, all pages of entries would have to be decoded.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "base/workers.h"
#include "cache/block-cache.h"
#include "catalog/catalog.h"
#include "volume/shard-kept.h"
#include "volume/volume-state.h"

#define RUN_MAX (4u << 20)

#define SHARDS_AT_ONCE 8u

/* One shard's turn. */
struct warm {
	struct job job;
	struct volume *v;
	const struct shard_file *sf; /* NULL: no turn */
	const struct shard_handle *h;
	uint64_t bytes; /* read, besides the tail */
	enum rc rc;
	struct err err;
};

/* Neighbours to be read at once. */
struct run {
	uint64_t off;
	size_t len, n;
	struct {
		uint64_t off;
		size_t len;
		struct page_ref page; /* of a page, else: */
		const uint8_t *hash;
	} * parts;
	size_t cap;
};

static bool is_kept(const struct warm *w, uint64_t off, size_t len)
{
	CLEANUP_BUF struct buf b = { .max = len };

	return shard_handle_has(w->h, off, len) ||
	       shard_load_kept(w->h, off, len, &b);
}

/* Check a part and keep it. */
static enum rc keep_part(struct warm *w, const struct run *r, size_t i,
			 const uint8_t *p, struct err *err)
{
	const struct shard_handle *h = w->h;
	struct page *page = NULL;
	uint8_t hash[SHA256_LEN];
	size_t len = r->parts[i].len;
	enum rc rc = RC_OK;

	if (r->parts[i].hash) {
		sha256_of(p, len, hash);
		if (memcmp(hash, r->parts[i].hash, BLOCK_HASH_LEN) != 0)
			rc = err_set(err, RC_CORRUPT,
				     "does not match its hash");
	} else {
		rc = page_decode(p, len, &r->parts[i].page, &page, err);
		page_free(page);
	}
	if (rc) {
		shard_env_note(h->env, rc);
		return err_prefix(err, "%s: index at %llu", h->sf->meta.key,
				  (unsigned long long)r->parts[i].off);
	}
	catalog_put_range(h->env->catalog, h->env->location, h->sf->meta.root,
			  h->tail->info.tag, r->parts[i].off, p, len);
	return RC_OK;
}

/* Read what has gathered. */
static enum rc run_end(struct warm *w, struct run *r, struct err *err)
{
	uint8_t *p;
	enum rc rc;

	if (!r->n)
		return RC_OK;
	p = mem_array(r->len, 1);
	if (!p)
		return err_set(err, RC_NOMEM, "no memory for %zu bytes",
			       r->len);
	rc = shard_store_read(w->h->env, w->h->sf, &w->h->tail->info, r->off, p,
			      r->len, false, err);
	for (size_t i = 0; !rc && i < r->n; i++)
		rc = keep_part(w, r, i, p + (r->parts[i].off - r->off), err);
	if (!rc)
		w->bytes += r->len;
	free(p);
	r->n = 0;
	return rc;
}

/* hash: of a filter partition, else ref is a page's. */
static enum rc run_add(struct warm *w, struct run *r, uint64_t off, size_t len,
		       const struct page_ref *ref, const uint8_t *hash,
		       struct err *err)
{
	if (is_kept(w, off, len))
		return RC_OK;
	if (r->n && (off != r->off + r->len || r->len + len > RUN_MAX) &&
	    run_end(w, r, err))
		return err->rc;
	if (!r->n) {
		r->off = off;
		r->len = 0;
	}
	r->parts = mem_grow(r->parts, &r->cap, r->n + 1, sizeof(*r->parts));
	r->parts[r->n].off = off;
	r->parts[r->n].len = len;
	r->parts[r->n].hash = hash;
	if (ref)
		r->parts[r->n].page = *ref;
	r->n++;
	r->len += len;
	return RC_OK;
}

/* The children of a node, all at once. */
static enum rc warm_children(struct warm *w, const struct page *node,
			     struct err *err)
{
	const struct shard_footer *f = &w->h->tail->footer;
	struct run r = { 0 };
	enum rc rc = RC_OK;

	for (uint32_t i = 0; !rc && i < page_count(node); i++) {
		struct page_child c;

		page_child(node, i, &c);
		if (c.ref.stored_len > f->index_len ||
		    c.ref.off > f->index_len - c.ref.stored_len ||
		    c.ref.stored_len > RUN_MAX)
			continue; /* its reader says so */
		rc = run_add(w, &r, f->index_off + c.ref.off, c.ref.stored_len,
			     &c.ref, NULL, err);
	}
	if (!rc)
		rc = run_end(w, &r, err);
	free(r.parts);
	return rc;
}

/* A node on the way from the root to the leaves. */
struct step {
	struct block_cache_item *item;
	uint32_t next;
};

/* All nodes, each before its children. */
static enum rc warm_pages(struct warm *w, struct err *err)
{
	const struct shard_footer *f = &w->h->tail->footer;
	struct step steps[PAGE_LEVELS_MAX] = { 0 };
	unsigned int depth = 0;
	enum rc rc = RC_OK;

	if (f->levels < 2)
		return RC_OK;
	rc = shard_handle_page(w->h, &f->root_page, PAGE_NODE, &steps[0].item,
			       err);
	if (!rc)
		rc = warm_children(w, block_cache_object(steps[0].item), err);
	while (!rc) {
		struct step *s = &steps[depth];
		const struct page *node = block_cache_object(s->item);
		struct page_child c;

		if (depth + 2 >= f->levels || s->next >= page_count(node)) {
			block_cache_unref(s->item);
			*s = (struct step){ 0 };
			if (!depth--)
				return RC_OK;
			continue;
		}
		page_child(node, s->next++, &c);
		s = &steps[++depth];
		rc = shard_handle_page(w->h, &c.ref, PAGE_NODE, &s->item, err);
		if (!rc)
			rc = warm_children(w, block_cache_object(s->item), err);
	}
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		block_cache_unref(steps[i].item);
	return rc;
}

static enum rc warm_filter(struct warm *w, struct err *err)
{
	const struct shard_tail *t = w->h->tail;
	struct run r = { 0 };
	enum rc rc = RC_OK;

	for (uint32_t i = 0; !rc && i < t->n_partitions; i++)
		rc = run_add(
			w, &r,
			t->footer.filter.off + (uint64_t)i * t->partition_size,
			t->partition_size, NULL,
			t->partition_hashes + (size_t)i * BLOCK_HASH_LEN, err);
	if (!rc)
		rc = run_end(w, &r, err);
	free(r.parts);
	return rc;
}

static void warm_shard(void *arg)
{
	struct warm *w = arg;
	struct shard_handle h = { 0 };

	w->rc = shard_handle_open(&h, &w->v->env, w->sf, &w->err);
	w->h = &h;
	if (!w->rc)
		w->rc = warm_filter(w, &w->err);
	if (!w->rc)
		w->rc = warm_pages(w, &w->err);
	shard_handle_release(&h);
}

/* The shards of a view, from the oldest day on, so that the newest stay
 * longest.
 */
struct warming {
	struct volume *v;
	struct workers *workers;
	struct warm turns[SHARDS_AT_ONCE];
	uint64_t n_opened; /* tails read before */
	uint64_t bytes;    /* besides tails */
	struct volume_warm *total;
	struct err *err;
};

static uint64_t bytes_read(const struct warming *ws)
{
	return ws->bytes + (atomic_load(&ws->v->env.n_opened) - ws->n_opened) *
				   ws->v->env.tail_window;
}

/* Wait for a turn; the first error is kept. */
static void turn_end(struct warming *ws, struct warm *w)
{
	if (!w->sf)
		return;
	job_wait(ws->workers, &w->job);
	ws->bytes += w->bytes;
	ws->total->shards++;
	if (w->rc && !ws->err->rc)
		*ws->err = w->err;
	w->sf = NULL;
}

static void turn_begin(struct warming *ws, struct warm *w,
		       const struct shard_file *sf)
{
	*w = (struct warm){ .v = ws->v, .sf = sf };
	job_submit(ws->workers, &w->job, warm_shard, w);
}

/* True: all of them. */
static bool warm_view(struct warming *ws, const struct view *view,
		      uint64_t max_bytes)
{
	size_t left = view->n_shards;

	for (size_t n = 0; left; n++) {
		struct warm *w = &ws->turns[n % SHARDS_AT_ONCE];

		turn_end(ws, w);
		if (ws->err->rc || bytes_read(ws) >= max_bytes)
			break;
		turn_begin(ws, w, view->by_day[--left]);
	}
	for (size_t i = 0; i < SHARDS_AT_ONCE; i++)
		turn_end(ws, &ws->turns[i]);
	return !left && !ws->err->rc;
}

enum rc volume_warm(struct volume *v, uint64_t max_bytes,
		    struct volume_warm *ret, struct err *err)
{
	CLEANUP_VIEW struct view *view = volume_view(v);
	struct warming *ws;

	*ret = (struct volume_warm){ 0 };
	if (!v->catalog)
		return err_set(err, RC_USAGE, "%s",
			       v->index_cache_error
				       ? v->index_cache_error
				       : "no index cache is used for it");
	err->rc = RC_OK;
	ws = xcalloc(1, sizeof(*ws));
	ws->v = v;
	ws->total = ret;
	ws->err = err;
	ws->n_opened = atomic_load(&v->env.n_opened);
	if (!workers_start(&ws->workers, "warm", SHARDS_AT_ONCE, SHARDS_AT_ONCE,
			   err)) {
		ret->is_complete = warm_view(ws, view, max_bytes);
		ret->bytes = bytes_read(ws);
		workers_stop(ws->workers);
	}
	free(ws);
	return err->rc;
}
