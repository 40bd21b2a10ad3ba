/* SPDX-License-Identifier: Apache-2.0 */
/* catalog-query.c - what is got from and put into the index cache. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "catalog/catalog-backend.h"

/* When something was used is known to the hour, so that reading hardly writes.
 */
#define TOUCH_SECONDS 3600

static void sum_of(const void *p, size_t len, uint8_t ret[CATALOG_SUM_LEN])
{
	uint8_t hash[SHA256_LEN];

	sha256_of(p, len, hash);
	memcpy(ret, hash, CATALOG_SUM_LEN);
}

/* The columns sum and body of a row; false when they do not agree. */
struct body {
	const uint8_t *p;
	size_t len;
};

static bool body_of(sqlite3_stmt *st, struct body *ret)
{
	const void *sum = sqlite3_column_blob(st, 0);
	uint8_t want[CATALOG_SUM_LEN];

	ret->p = sqlite3_column_blob(st, 1);
	ret->len = (size_t)sqlite3_column_bytes(st, 1);
	if (!sum || sqlite3_column_bytes(st, 0) != CATALOG_SUM_LEN)
		return false;
	if (!ret->p)
		ret->p = (const uint8_t *)"";
	sum_of(ret->p, ret->len, want);
	return !memcmp(sum, want, sizeof(want));
}

static bool append(struct buf *to, const void *p, size_t len)
{
	size_t before = to->len;

	buf_append(to, p, len);
	return buf_ok(to) && to->len - before == len;
}

/* Whoever writes need not be waited for: another time is as good. */
static void touch(struct catalog *c, enum statement id, int64_t row,
		  int64_t last_used)
{
	int64_t now = now_seconds();
	struct call call;
	sqlite3_stmt *st;

	if (last_used <= now && now - last_used < TOUCH_SECONDS)
		return;
	if (pthread_mutex_trylock(&c->write.lock))
		return;
	pthread_mutex_unlock(&c->write.lock);
	if (!call_begin(&call, c, &c->write))
		return;
	st = call_statement(&call, id);
	if (st) {
		sqlite3_bind_int64(st, 1, now);
		sqlite3_bind_int64(st, 2, row);
		call_run(&call, st);
	}
	call_end(&call);
}

static bool count(struct catalog *c, bool is_hit)
{
	atomic_fetch_add(is_hit ? &c->hits : &c->misses, 1);
	return is_hit;
}

static void bind_text(sqlite3_stmt *st, int i, const char *text)
{
	sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
}

/* --- documents ------------------------------------------------------------ */

bool catalog_get_document(struct catalog *c, const char *location,
			  const char *key, struct buf *ret)
{
	int64_t archive = 0, last_used = 0;
	bool is_hit = false;
	struct call call;
	struct body body;
	sqlite3_stmt *st;

	if (!call_begin(&call, c, &c->read))
		return false;
	st = call_statement(&call, ST_DOCUMENT_GET);
	if (st) {
		bind_text(st, 1, location);
		bind_text(st, 2, key);
		if (call_step(&call, st) && body_of(st, &body)) {
			archive = sqlite3_column_int64(st, 2);
			last_used = sqlite3_column_int64(st, 3);
			is_hit = append(ret, body.p, body.len);
		}
	}
	call_end(&call);
	if (is_hit)
		touch(c, ST_ARCHIVE_TOUCH, archive, last_used);
	return count(c, is_hit);
}

void catalog_each_document(struct catalog *c, const char *location,
			   const char *prefix, catalog_document_fn *fn,
			   void *arg)
{
	int64_t archive = 0, last_used = INT64_MAX;
	size_t len = strlen(prefix);
	struct call call;
	sqlite3_stmt *st;

	if (!call_begin(&call, c, &c->read))
		return;
	st = call_statement(&call, ST_DOCUMENT_EACH);
	if (st) {
		bind_text(st, 1, location);
		bind_text(st, 2, prefix);
	}
	while (st && call_step(&call, st)) {
		const char *key = (const char *)sqlite3_column_text(st, 4);
		struct body body;

		if (!key || strncmp(key, prefix, len) != 0)
			break;
		archive = sqlite3_column_int64(st, 2);
		last_used = sqlite3_column_int64(st, 3);
		if (!body_of(st, &body))
			continue;
		count(c, true);
		if (!fn(arg, key, body.p, body.len))
			break;
	}
	call_end(&call);
	if (archive)
		touch(c, ST_ARCHIVE_TOUCH, archive, last_used);
}

/* The row of an archive, made if need be. */
static int64_t put_archive(struct call *call, const char *location)
{
	sqlite3_stmt *st = call_statement(call, ST_ARCHIVE_PUT);
	int64_t id = 0;

	if (!st)
		return 0;
	bind_text(st, 1, location);
	sqlite3_bind_int64(st, 2, now_seconds());
	if (call_step(call, st)) {
		id = sqlite3_column_int64(st, 0);
		call_run(call, st);
	}
	return id;
}

static void put_document(struct call *call, int64_t archive,
			 const struct catalog_document *d)
{
	sqlite3_stmt *st = call_statement(call, ST_DOCUMENT_PUT);
	uint8_t sum[CATALOG_SUM_LEN];

	if (!st)
		return;
	sum_of(d->p, d->len, sum);
	sqlite3_bind_int64(st, 1, archive);
	bind_text(st, 2, d->key);
	sqlite3_bind_blob(st, 3, sum, sizeof(sum), SQLITE_STATIC);
	sqlite3_bind_blob64(st, 4, d->p, d->len, SQLITE_STATIC);
	call_run(call, st);
	sqlite3_clear_bindings(st);
}

/* What takes the place of much else is not worth it. */
static bool is_kept(const struct catalog *c, size_t len, size_t max)
{
	return len <= max && len <= c->max_bytes / 4;
}

bool catalog_put_documents(struct catalog *c, const char *location,
			   const struct catalog_document *docs, size_t n)
{
	struct call call;
	int64_t archive;

	if (strlen(location) > CATALOG_LOCATION_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_kept(c, docs[i].len, CATALOG_DOCUMENT_MAX))
			return false;
	}
	if (!call_begin_write(&call, c))
		return false;
	archive = put_archive(&call, location);
	for (size_t i = 0; i < n; i++)
		put_document(&call, archive, &docs[i]);
	evict(&call, archive);
	call_end_write(&call);
	if (call.rc)
		return false;
	atomic_fetch_add(&c->puts, n);
	return true;
}

void catalog_put_document(struct catalog *c, const char *location,
			  const char *key, const void *p, size_t len)
{
	const struct catalog_document d = { key, p, len };

	(void)catalog_put_documents(c, location, &d, 1);
}

bool catalog_drop_documents(struct catalog *c, const char *location,
			    const char *const *keys, size_t n)
{
	struct call call;

	if (!call_begin_write(&call, c))
		return false;
	for (size_t i = 0; i < n; i++) {
		sqlite3_stmt *st = call_statement(&call, ST_DOCUMENT_DROP);

		if (!st)
			break;
		bind_text(st, 1, keys[i]);
		bind_text(st, 2, location);
		call_run(&call, st);
	}
	call_end_write(&call);
	if (call.rc || !call_begin(&call, c, &c->write))
		return false;
	truncate_log(&call);
	call_end(&call);
	return !call.rc;
}

void catalog_drop(struct catalog *c, const char *location)
{
	struct call call;
	sqlite3_stmt *st;

	if (!call_begin_write(&call, c))
		return;
	st = call_statement(&call, ST_ARCHIVE_DROP);
	if (st) {
		bind_text(st, 1, location);
		call_run(&call, st);
	}
	call_end_write(&call);
}

/* --- ranges --------------------------------------------------------------- */

static void bind_root(sqlite3_stmt *st, int i,
		      const uint8_t root[CATALOG_ROOT_LEN])
{
	sqlite3_bind_blob(st, i, root, CATALOG_ROOT_LEN, SQLITE_STATIC);
}

/* Of the row a range statement is at: shard and when it was used. */
struct used {
	int64_t shard, last_used;
};

static bool range_at(struct call *call, sqlite3_stmt *st, struct body *ret,
		     struct used *ret_used)
{
	if (!call_step(call, st) || !body_of(st, ret))
		return false;
	ret_used->shard = sqlite3_column_int64(st, 2);
	ret_used->last_used = sqlite3_column_int64(st, 3);
	return true;
}

bool catalog_get_range(struct catalog *c, const uint8_t root[CATALOG_ROOT_LEN],
		       uint64_t off, size_t len, struct buf *ret)
{
	bool is_hit = false;
	struct used used = { 0 };
	struct body body;
	struct call call;
	sqlite3_stmt *st;

	if (off > INT64_MAX - len || !call_begin(&call, c, &c->read))
		return false;
	st = call_statement(&call, ST_RANGE_GET);
	if (st) {
		bind_root(st, 1, root);
		sqlite3_bind_int64(st, 2, (int64_t)off);
		sqlite3_bind_int64(st, 3, (int64_t)(off + len));
		if (range_at(&call, st, &body, &used)) {
			uint64_t begin = (uint64_t)sqlite3_column_int64(st, 4);
			uint64_t skip = off - begin;

			is_hit = begin <= off && skip <= body.len &&
				 body.len - skip >= len &&
				 append(ret, body.p + skip, len);
		}
	}
	call_end(&call);
	if (is_hit)
		touch(c, ST_SHARD_TOUCH, used.shard, used.last_used);
	return count(c, is_hit);
}

static bool tail_at(sqlite3_stmt *st, const struct body *body,
		    const char *location, uint64_t end, uint64_t *ret_off,
		    struct buf *ret, char *ret_tag, size_t tag_size)
{
	uint64_t off = (uint64_t)sqlite3_column_int64(st, 4);
	const char *tag = (const char *)sqlite3_column_text(st, 5);
	const char *of = (const char *)sqlite3_column_text(st, 6);

	if (!tag || !of || strlen(tag) >= tag_size || off > end ||
	    end - off != body->len || !append(ret, body->p, body->len))
		return false;
	*ret_off = off;
	memcpy(ret_tag, tag, strlen(tag) + 1);
	if (strcmp(of, location) != 0)
		*ret_tag = '\0';
	return true;
}

bool catalog_get_tail(struct catalog *c, const char *location,
		      const uint8_t root[CATALOG_ROOT_LEN], uint64_t end,
		      uint64_t *ret_off, struct buf *ret, char *ret_tag,
		      size_t tag_size)
{
	bool is_hit = false;
	struct used used = { 0 };
	struct body body;
	struct call call;
	sqlite3_stmt *st;

	if (end > INT64_MAX || !call_begin(&call, c, &c->read))
		return false;
	st = call_statement(&call, ST_RANGE_TAIL);
	if (st) {
		bind_root(st, 1, root);
		sqlite3_bind_int64(st, 2, (int64_t)end);
		sqlite3_bind_int64(st, 3, (int64_t)end);
		is_hit = range_at(&call, st, &body, &used) &&
			 tail_at(st, &body, location, end, ret_off, ret,
				 ret_tag, tag_size);
	}
	call_end(&call);
	if (is_hit)
		touch(c, ST_SHARD_TOUCH, used.shard, used.last_used);
	return count(c, is_hit);
}

static int64_t put_shard(struct call *call, int64_t archive,
			 const uint8_t root[CATALOG_ROOT_LEN], const char *tag)
{
	sqlite3_stmt *st = call_statement(call, ST_SHARD_PUT);
	int64_t id = 0;

	if (!st)
		return 0;
	bind_root(st, 1, root);
	sqlite3_bind_int64(st, 2, archive);
	bind_text(st, 3, tag);
	sqlite3_bind_int64(st, 4, now_seconds());
	if (call_step(call, st)) {
		id = sqlite3_column_int64(st, 0);
		call_run(call, st);
	}
	return id;
}

static void put_range(struct call *call, int64_t shard, uint64_t off,
		      const void *p, size_t len)
{
	sqlite3_stmt *st = call_statement(call, ST_RANGE_PUT);
	uint8_t sum[CATALOG_SUM_LEN];

	if (!st)
		return;
	sum_of(p, len, sum);
	sqlite3_bind_int64(st, 1, shard);
	sqlite3_bind_int64(st, 2, (int64_t)off);
	sqlite3_bind_int64(st, 3, (int64_t)len);
	sqlite3_bind_blob(st, 4, sum, sizeof(sum), SQLITE_STATIC);
	sqlite3_bind_blob64(st, 5, p, len, SQLITE_STATIC);
	call_run(call, st);
	sqlite3_clear_bindings(st);
}

void catalog_put_range(struct catalog *c, const char *location,
		       const uint8_t root[CATALOG_ROOT_LEN], const char *tag,
		       uint64_t off, const void *p, size_t len)
{
	int64_t archive, shard;
	struct call call;

	if (!is_kept(c, len, CATALOG_RANGE_MAX) || off > INT64_MAX - len ||
	    strlen(location) > CATALOG_LOCATION_MAX)
		return;
	if (!call_begin_write(&call, c))
		return;
	archive = put_archive(&call, location);
	shard = put_shard(&call, archive, root, tag);
	put_range(&call, shard, off, p, len);
	evict(&call, archive);
	call_end_write(&call);
	if (!call.rc)
		atomic_fetch_add(&c->puts, 1);
}

void catalog_drop_shard(struct catalog *c, const uint8_t root[CATALOG_ROOT_LEN])
{
	struct call call;
	sqlite3_stmt *st;

	if (!call_begin_write(&call, c))
		return;
	st = call_statement(&call, ST_SHARD_DROP);
	if (st) {
		bind_root(st, 1, root);
		call_run(&call, st);
	}
	call_end_write(&call);
}

struct roots {
	uint8_t (*root)[CATALOG_ROOT_LEN];
	size_t n, cap;
};

static void find_roots(struct catalog *c, const char *location,
		       catalog_root_fn *fn, void *arg, struct roots *to)
{
	struct call call;
	sqlite3_stmt *st;

	if (!call_begin(&call, c, &c->read))
		return;
	st = call_statement(&call, ST_SHARD_ROOTS);
	if (st)
		bind_text(st, 1, location);
	while (st && call_step(&call, st)) {
		const uint8_t *root = sqlite3_column_blob(st, 0);

		if (!root || sqlite3_column_bytes(st, 0) != CATALOG_ROOT_LEN ||
		    !fn(arg, root))
			continue;
		to->root = mem_grow(to->root, &to->cap, to->n + 1,
				    sizeof(*to->root));
		memcpy(to->root[to->n++], root, CATALOG_ROOT_LEN);
	}
	call_end(&call);
}

void catalog_erase_shards(struct catalog *c, const char *location,
			  catalog_root_fn *fn, void *arg)
{
	struct roots r = { 0 };
	struct call call;

	find_roots(c, location, fn, arg, &r);
	if (r.n && call_begin_write(&call, c)) {
		for (size_t i = 0; i < r.n; i++) {
			sqlite3_stmt *st = call_statement(&call, ST_SHARD_DROP);

			if (!st)
				break;
			bind_root(st, 1, r.root[i]);
			call_run(&call, st);
		}
		call_end_write(&call);
		if (!call.rc && call_begin(&call, c, &c->write)) {
			truncate_log(&call);
			call_end(&call);
		}
	}
	free(r.root);
}
