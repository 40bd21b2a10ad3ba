/* SPDX-License-Identifier: Apache-2.0 */
/* shard-file.c - opening a shard: its tail read once and checked. */
#include "config.h"

#include "volume/shard-file.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "cache/block-cache.h"
#include "cache/block-pool.h"
#include "catalog/catalog.h"
#include "shard/route.h"
#include "volume/shard-fetch.h"
#include "volume/shard-kept.h"
#include "volume/shard-upper.h"

/* Bytes of the filter directory a reader accepts. */
#define PARTITION_HASHES_MAX (64u << 20)

/* The last bytes of a shard as read. */
struct window {
	uint64_t off;
	struct buf bytes;
	struct object_info info;
	bool is_kept; /* from the index cache */
};

struct open_request {
	struct shard_env *env;
	const struct shard_file *sf;
};

static struct block_cache_key cache_key(enum shard_object kind,
					const struct shard_file *sf)
{
	return shard_cache_key(kind, sf->ordinal, atomic_load(sf->epoch));
}

bool shard_file_may_have_key(const struct shard_file *sf, struct span parent,
			     struct span name)
{
	return entry_key_compare(sf->first_parent, sf->first_name, parent,
				 name) <= 0 &&
	       entry_key_compare(parent, name, sf->last_parent,
				 sf->last_name) <= 0;
}

bool shard_file_may_have_children(const struct shard_file *sf, struct span dir)
{
	return span_compare(sf->first_parent, dir) <= 0 &&
	       span_compare(dir, sf->last_parent) <= 0;
}

bool shard_file_owns(const struct shard_file *sf, struct span uid)
{
	return route_slot((enum route_kind)sf->meta.route, sf->meta.n_bits,
			  uid.p, uid.len) == sf->meta.slot;
}

enum rc shard_env_note(struct shard_env *env, enum rc rc)
{
	if (rc == RC_CORRUPT)
		atomic_fetch_add_explicit(&env->n_corrupt, 1,
					  memory_order_relaxed);
	return rc;
}

static void window_destroy(void *p)
{
	struct window *w = p;

	buf_release(&w->bytes);
	free(w);
}

static const uint8_t *window_bytes(const struct window *w, uint64_t off,
				   uint64_t len)
{
	if (off < w->off || len > w->bytes.len ||
	    off - w->off > w->bytes.len - len)
		return NULL;
	return w->bytes.p + (off - w->off);
}

/* Footer and log must agree: one of these numbers. */
struct claim {
	const char *what;
	uint64_t found, want;
};

static enum rc check_claims(const struct shard_meta *m,
			    const struct shard_footer *f, struct err *err)
{
	const struct claim claims[] = {
		{ "day", f->header.day, m->day },
		{ "slot", f->header.slot, m->slot },
		{ "n_bits", f->header.n_bits, m->n_bits },
		{ "route", f->header.route, m->route },
		{ "part", f->header.part, m->part },
		{ "revision", f->header.revision, m->revision },
		{ "first created_at", (uint64_t)f->created_min,
		  (uint64_t)m->created_min },
		{ "last created_at", (uint64_t)f->created_max,
		  (uint64_t)m->created_max },
		{ "number of entries", f->n_entries, m->n_entries },
	};

	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		if (claims[i].found != claims[i].want)
			return err_set(err, RC_CORRUPT,
				       "%s: footer says %s %llu, the log %llu",
				       m->key, claims[i].what,
				       (unsigned long long)claims[i].found,
				       (unsigned long long)claims[i].want);
	}
	return RC_OK;
}

static enum rc check_footer(const struct shard_env *env,
			    const struct shard_meta *m,
			    const struct shard_footer *f, struct err *err)
{
	if (memcmp(f->root, m->root, SHARD_ROOT_LEN))
		return err_set(err, RC_CORRUPT,
			       "%s: root hash is not the one the log states",
			       m->key);
	if (memcmp(f->header.archive_id, env->archive_id, SHARD_ID_LEN))
		return err_set(err, RC_CORRUPT,
			       "%s: belongs to another archive", m->key);
	return check_claims(m, f, err);
}

/* The bytes of a section, checked. */
static enum rc read_section(const struct shard_handle *h,
			    const struct window *w,
			    const struct shard_section *s, const char *what,
			    struct shard_bytes *ret, struct err *err)
{
	uint8_t hash[SHA256_LEN];
	bool is_wrong = true;
	enum rc rc;

	*ret = (struct shard_bytes){ .p = window_bytes(w, s->off, s->len) };
	while (is_wrong) {
		if (!ret->p) {
			rc = shard_handle_read(h, s->off, s->len, ret, err);
			if (rc)
				return rc;
		}
		sha256_of(ret->p, s->len, hash);
		is_wrong = memcmp(hash, s->hash, BLOCK_HASH_LEN);
		if (is_wrong && !shard_handle_distrust(h, ret))
			break;
		if (is_wrong)
			shard_bytes_release(ret);
	}
	if (!is_wrong) {
		shard_handle_keep(h, s->off, ret, s->len);
		return RC_OK;
	}
	shard_bytes_release(ret);
	return err_set(err, RC_CORRUPT,
		       "%s: %s at %llu does not match its hash",
		       h->sf->meta.key, what, (unsigned long long)s->off);
}

static enum rc read_partition_hashes(const struct shard_handle *h,
				     const struct window *w,
				     struct shard_tail *t, struct err *err)
{
	const struct shard_footer *f = &t->footer;
	uint64_t n = f->filter_dir.len / BLOCK_HASH_LEN;
	struct shard_bytes bytes;
	enum rc rc;

	if (!n)
		return RC_OK;
	if (f->filter_dir.len > PARTITION_HASHES_MAX)
		return err_set(
			err, RC_CORRUPT, "%s: filter directory of %llu bytes",
			h->sf->meta.key, (unsigned long long)f->filter_dir.len);
	rc = read_section(h, w, &f->filter_dir, "filter directory", &bytes,
			  err);
	if (rc)
		return rc;
	t->n_partitions = (uint32_t)n;
	t->partition_size = (uint32_t)(f->filter.len / n);
	t->partition_hashes = xmemdup0(bytes.p, f->filter_dir.len);
	shard_bytes_release(&bytes);
	return RC_OK;
}

/* The range of names decides where a uid is looked for, so it must be true. */
static enum rc check_info(const struct shard_handle *h, const struct window *w,
			  struct err *err)
{
	const struct shard_section *s = &h->tail->footer.info;
	const struct shard_meta *m = &h->sf->meta;
	struct shard_bytes bytes;
	struct shard_info info;
	enum rc rc;

	if (s->len > SHARD_INFO_MAX)
		return err_set(err, RC_CORRUPT, "%s: info of %llu bytes",
			       m->key, (unsigned long long)s->len);
	rc = read_section(h, w, s, "info", &bytes, err);
	if (rc)
		return rc;
	rc = shard_info_decode(bytes.p, s->len, &info, err);
	if (rc)
		rc = err_prefix(err, "%s", m->key);
	else if (!span_equal(info.first, span_of(m->first, m->first_len)) ||
		 !span_equal(info.last, span_of(m->last, m->last_len)))
		rc = err_set(err, RC_CORRUPT,
			     "%s: first or last name is not as the log says",
			     m->key);
	shard_bytes_release(&bytes);
	return rc;
}

static void tail_destroy(void *p)
{
	struct shard_tail *t = p;

	shard_upper_release(t);
	free(t->partition_hashes);
	free(t);
}

/* A footer that asks for what the log knows nothing of is damaged, not new. */
static enum rc footer_error(const struct shard_meta *m, size_t len,
			    struct err *err)
{
	if (err->rc == RC_UNSUPPORTED && !(m->incompat & ~SHARD_KNOWN_INCOMPAT))
		err->rc = RC_CORRUPT;
	return err_prefix(err, "%s: footer at %llu", m->key,
			  (unsigned long long)(m->size - len));
}

/* The footer at the end of a tail, as the log knows it. */
static enum rc decode_footer(const struct open_request *rq, const uint8_t *p,
			     size_t tail_len, struct shard_footer *ret,
			     struct err *err)
{
	const struct shard_meta *m = &rq->sf->meta;
	size_t len =
		tail_len < SHARD_FOOTER_SIZE ? tail_len : SHARD_FOOTER_SIZE;

	if (shard_footer_decode_of(p + (tail_len - len), len, m->size,
				   SHARD_KNOWN_INCOMPAT | rq->env->features,
				   ret, err))
		return footer_error(m, len, err);
	return check_footer(rq->env, m, ret, err);
}

static enum rc tail_fill(const struct open_request *rq, const struct window *w,
			 struct shard_tail *t, struct err *err)
{
	const struct shard_handle h = { .env = rq->env,
					.sf = rq->sf,
					.tail = t };
	enum rc rc;

	t->info = w->info;
	rc = decode_footer(rq, w->bytes.p, w->bytes.len, &t->footer, err);
	if (!rc)
		rc = check_info(&h, w, err);
	if (!rc)
		rc = read_partition_hashes(&h, w, t, err);
	return rc;
}

/* store_check_fn: the size is right and the footer the one the log knows, so
 * that another mirror is asked where there is one.
 */
static enum rc check_tail(void *arg, const void *p, size_t len,
			  const struct object_info *info, struct err *err)
{
	const struct open_request *rq = arg;
	const struct shard_meta *m = &rq->sf->meta;
	size_t max = rq->env->tail_window;
	uint64_t want = m->size < max ? m->size : max;
	struct shard_footer f;

	if (info->size != m->size || len != want)
		return err_set(err, RC_CORRUPT,
			       "%s: is %llu bytes, the log says %llu", m->key,
			       (unsigned long long)info->size,
			       (unsigned long long)m->size);
	return decode_footer(rq, p, len, &f, err);
}

/* One more try when it is missing, see shard_store_read. */
static enum rc read_tail(struct open_request *rq, struct window *w,
			 struct err *err)
{
	const char *key = rq->sf->meta.key;
	size_t max = rq->env->tail_window;
	enum rc rc;

	if (atomic_load(&rq->sf->life->is_gone))
		return shard_missing(rq->sf, RC_NOENT, err);
	rc = store_read_tail_checked(rq->env->st, key, max, &w->bytes, &w->info,
				     check_tail, rq, err);
	if (rc == RC_NOENT && shard_look_again(rq->env, rq->sf))
		rc = store_read_tail_checked(rq->env->st, key, max, &w->bytes,
					     &w->info, check_tail, rq, err);
	return shard_missing(rq->sf, rc, err);
}

static enum rc read_window(struct open_request *rq, struct window *w,
			   struct err *err)
{
	buf_init(&w->bytes, rq->env->tail_window);
	if (read_tail(rq, w, err))
		return err->rc;
	atomic_fetch_add_explicit(&rq->env->n_opened, 1, memory_order_relaxed);
	w->off = rq->sf->meta.size - w->bytes.len;
	return RC_OK;
}

/* What the index cache has, if it is right as far as can be told now. */
static bool load_kept_window(const struct open_request *rq, struct window *w)
{
	const struct shard_meta *m = &rq->sf->meta;
	struct shard_tail *t;
	struct err err;
	enum rc rc;

	if (!rq->env->catalog || atomic_load(rq->sf->epoch))
		return false;
	buf_init(&w->bytes, rq->env->tail_window);
	if (!catalog_get_tail(rq->env->catalog, rq->env->location, m->root,
			      m->size, &w->off, &w->bytes, w->info.tag,
			      sizeof(w->info.tag)))
		return false;
	w->info.size = m->size;
	w->is_kept = true;
	t = xcalloc(1, sizeof(*t));
	rc = tail_fill(rq, w, t, &err);
	tail_destroy(t);
	if (!rc)
		return true;
	if (rc == RC_CORRUPT)
		catalog_drop_shard(rq->env->catalog, m->root);
	buf_release(&w->bytes);
	w->is_kept = false;
	return false;
}

static enum rc window_load(void *arg, struct block_cache_object *ret,
			   struct err *err)
{
	struct open_request *rq = arg;
	struct window *w = xcalloc(1, sizeof(*w));

	if (!load_kept_window(rq, w) && read_window(rq, w, err)) {
		window_destroy(w);
		return err->rc;
	}
	*ret = (struct block_cache_object){ w, sizeof(*w) + w->bytes.len,
					    window_destroy };
	return RC_OK;
}

/* Index cache: what is no data, now that it is known to be right. */
static void keep_window(const struct open_request *rq, const struct window *w,
			const struct shard_tail *t)
{
	uint64_t off = shard_data_end(&t->footer);

	if (!rq->env->catalog || w->is_kept)
		return;
	if (off < w->off)
		off = w->off;
	catalog_put_range(rq->env->catalog, rq->env->location,
			  rq->sf->meta.root, w->info.tag, off,
			  w->bytes.p + (off - w->off),
			  w->bytes.len - (size_t)(off - w->off));
}

static enum rc tail_try(struct open_request *rq, struct shard_tail *t,
			struct err *err)
{
	struct block_cache_item *item = NULL;
	const struct window *w;
	enum rc rc;

	rc = block_cache_get(rq->env->pages, cache_key(SHARD_WINDOW, rq->sf),
			     window_load, rq, &item, err);
	if (rc)
		return rc;
	w = block_cache_object(item);
	rc = tail_fill(rq, w, t, err);
	if (!rc) {
		shard_upper_take(t, w->off, w->bytes.p, w->bytes.len);
		keep_window(rq, w, t);
	}
	block_cache_unref(item);
	return rc;
}

static enum rc tail_load(void *arg, struct block_cache_object *ret,
			 struct err *err)
{
	struct open_request *rq = arg;
	struct shard_tail *t = xcalloc(1, sizeof(*t));
	uint32_t epoch = atomic_load(rq->sf->epoch);
	enum rc rc;

	rc = tail_try(rq, t, err);
	if (rc == RC_CHANGED) {
		shard_distrust(rq->env, rq->sf, epoch);
		rc = tail_try(rq, t, err);
	}
	if (rc) {
		tail_destroy(t);
		return shard_env_note(rq->env, rc);
	}
	*ret = (struct block_cache_object){
		t,
		sizeof(*t) + (size_t)t->n_partitions * BLOCK_HASH_LEN +
			shard_upper_memory(t),
		tail_destroy
	};
	return RC_OK;
}

enum rc shard_handle_open(struct shard_handle *ret, struct shard_env *env,
			  const struct shard_file *sf, struct err *err)
{
	struct open_request rq = { .env = env, .sf = sf };
	struct block_cache_item *item = NULL;
	enum rc rc;

	rc = block_cache_get(env->pages, cache_key(SHARD_TAIL, sf), tail_load,
			     &rq, &item, err);
	if (rc)
		return rc;
	*ret = (struct shard_handle){ .env = env,
				      .sf = sf,
				      .tail = block_cache_object(item),
				      .hold = item };
	return RC_OK;
}

bool shard_handle_peek(struct shard_handle *ret, struct shard_env *env,
		       const struct shard_file *sf)
{
	struct block_cache_item *item =
		block_cache_peek(env->pages, cache_key(SHARD_TAIL, sf));

	if (!item)
		return false;
	*ret = (struct shard_handle){ .env = env,
				      .sf = sf,
				      .tail = block_cache_object(item),
				      .hold = item,
				      .is_peek = true };
	return true;
}

void shard_handle_release(struct shard_handle *h)
{
	block_cache_unref(h->hold);
	*h = (struct shard_handle){ 0 };
}

/* The window the bytes are in, if it is in memory. */
static struct block_cache_item *window_with(const struct shard_handle *h,
					    uint64_t off, size_t len,
					    const uint8_t **ret)
{
	struct block_cache_item *item;

	if (h->sf->meta.size > h->env->tail_window &&
	    off < h->sf->meta.size - h->env->tail_window)
		return NULL;
	item = block_cache_peek(h->env->pages, cache_key(SHARD_WINDOW, h->sf));
	if (!item)
		return NULL;
	*ret = window_bytes(block_cache_object(item), off, len);
	if (*ret)
		return item;
	block_cache_unref(item);
	return NULL;
}

bool shard_handle_has(const struct shard_handle *h, uint64_t off, size_t len)
{
	const uint8_t *p = NULL;
	struct block_cache_item *item = window_with(h, off, len, &p);

	block_cache_unref(item);
	return item;
}

/* A handle that is being opened reads but once: who opens tries again. */
static enum rc read_store(const struct shard_handle *h, uint64_t off,
			  uint8_t *p, size_t len, struct err *err)
{
	const struct shard_meta *m = &h->sf->meta;
	enum rc rc;

	if (h->hold)
		return shard_store_read(h->env, h->sf, &h->tail->info, off, p,
					len, false, err);
	if (atomic_load(&h->sf->life->is_gone))
		return shard_missing(h->sf, RC_NOENT, err);
	rc = store_read(h->env->st, m->key, &h->tail->info, off, p, len, err);
	return shard_missing(h->sf, rc, err);
}

/* Stored lengths are of all sizes: by powers of two they share memory. */
static size_t room_for(size_t len)
{
	size_t n = 4096;

	while (n < len)
		n *= 2;
	return n;
}

static enum rc read_room(const struct shard_handle *h, uint64_t off, size_t len,
			 struct shard_bytes *ret, struct err *err)
{
	ret->pool = h->env->pool;
	ret->room = block_pool_take(ret->pool, room_for(len), &ret->cap);
	if (!ret->room)
		return err_set(err, RC_NOMEM, "%s: no memory for %zu bytes",
			       h->sf->meta.key, len);
	if (read_store(h, off, ret->room, len, err)) {
		shard_bytes_release(ret);
		return err->rc;
	}
	ret->p = ret->room;
	return RC_OK;
}

enum rc shard_handle_read(const struct shard_handle *h, uint64_t off,
			  size_t len, struct shard_bytes *ret, struct err *err)
{
	return shard_handle_read_near(h, off, len, NULL, ret, err);
}

enum rc shard_handle_read_near(const struct shard_handle *h, uint64_t off,
			       size_t len, const struct fetch_hint *hint,
			       struct shard_bytes *ret, struct err *err)
{
	enum rc rc;

	*ret = (struct shard_bytes){ .epoch = atomic_load(h->sf->epoch) };
	ret->window = window_with(h, off, len, &ret->p);
	if (ret->window) {
		const struct window *w = block_cache_object(ret->window);

		ret->is_kept = w->is_kept;
		return RC_OK;
	}
	buf_init(&ret->owned, len);
	ret->is_kept = shard_load_kept(h, off, len, &ret->owned);
	if (!ret->is_kept &&
	    shard_fetch(h, off, len, hint, &ret->fetched, &rc, err)) {
		ret->p = ret->fetched.p;
		return rc;
	}
	ret->p = ret->owned.p;
	return ret->is_kept ? RC_OK : read_room(h, off, len, ret, err);
}

void shard_bytes_release(struct shard_bytes *b)
{
	buf_release(&b->owned);
	if (b->room)
		block_pool_give(b->pool, b->room, b->cap);
	block_cache_unref(b->window);
	fetch_bytes_release(&b->fetched);
	*b = (struct shard_bytes){ 0 };
}
