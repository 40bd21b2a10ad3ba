/* SPDX-License-Identifier: Apache-2.0 */
/* find-version.c - versions of names in the shards that count. */
#include "config.h"

#include "repack/find-version.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "cache/block-cache.h"
#include "cache/block-pool.h"
#include "erase/tombstone-set.h"
#include "shard/shard-filter.h"
#include "store/store.h"
#include "volume/oplog.h"
#include "volume/shard-cursor.h"
#include "volume/shard-set.h"
#include "volume/view.h"

#define PAGES_BYTES (UINT64_C(32) << 20)
#define BLOCKS_BYTES (UINT64_C(1) << 20) /* none is read */

struct find {
	struct shard_env env;
	struct shard_set *set;
	struct view *view;
	const struct tombstone_set *deleted;
	struct buf uid;
};

struct search {
	struct find *f;
	find_fn *fn;
	void *arg;
};

enum rc find_new(struct find **ret, struct store *st, const struct oplog *log,
		 const uint8_t archive_id[SHARD_ID_LEN], struct err *err)
{
	struct find *f = xcalloc(1, sizeof(*f));

	f->env.st = st;
	f->env.tail_window = store_tail_window(st);
	f->env.pages = block_cache_new(PAGES_BYTES);
	f->env.blocks = block_cache_new(BLOCKS_BYTES);
	f->env.pool = block_pool_new(BLOCKS_BYTES);
	f->env.location = store_location(st);
	memcpy(f->env.archive_id, archive_id, SHARD_ID_LEN);
	buf_init(&f->uid, 2 * UID_MAX_LEN);
	f->deleted = oplog_deleted(log);
	f->set = shard_set_new();
	if (view_new(&f->view, log, f->set, 1, NULL, err)) {
		find_free(f);
		return err->rc;
	}
	*ret = f;
	return RC_OK;
}

void find_free(struct find *f)
{
	if (!f)
		return;
	view_unref(f->view);
	block_cache_free(f->env.blocks);
	block_cache_free(f->env.pages);
	block_pool_free(f->env.pool);
	shard_set_free(f->set);
	buf_release(&f->uid);
	free(f);
}

uint32_t find_n_shards(const struct find *f)
{
	return (uint32_t)f->view->n_shards;
}

const char *find_shard_key(const struct find *f, uint32_t shard)
{
	return shard_set_get(f->set, shard)->meta.key;
}

static enum rc tell(const struct search *s, const struct shard_cursor *c,
		    struct err *err)
{
	struct found found = { .e = c->e, .shard = c->h.sf->ordinal };
	struct buf *uid = &s->f->uid;

	buf_clear(uid);
	buf_append(uid, c->e.parent.p, c->e.parent.len);
	if (c->e.parent.len)
		buf_append_str(uid, "/");
	buf_append(uid, c->e.name.p, c->e.name.len);
	found.is_copy = !shard_file_owns(c->h.sf, span_of(uid->p, uid->len));
	found.is_deleted = tombstone_set_hides(s->f->deleted, c->e.parent,
					       c->e.name, c->e.created_at);
	return s->fn(s->arg, &found, err);
}

/* The first damage waits until the end. */
static enum rc note_damage(enum rc rc, const struct err *err,
			   struct err *damage)
{
	if (rc != RC_CORRUPT)
		return rc;
	if (!damage->rc)
		*damage = *err;
	return RC_OK;
}

static enum rc end_search(const struct err *damage, struct err *err)
{
	if (damage->rc)
		*err = *damage;
	return damage->rc;
}

/* --- one uid ---------------------------------------------------------------
 */

static enum rc search_uid(const struct search *s, const struct shard_file *sf,
			  struct span parent, struct span name, struct err *err)
{
	struct shard_cursor c = { 0 };
	bool may = true;
	enum rc rc;

	if (!shard_file_may_have_key(sf, parent, name))
		return RC_OK;
	rc = shard_cursor_open(&c, &s->f->env, sf, err);
	if (!rc)
		rc = shard_handle_may_contain(&c.h, filter_hash(parent, name),
					      true, &may, err);
	if (!rc && may)
		rc = shard_cursor_seek(&c, parent, name, err);
	while (!rc && may && shard_cursor_is_at(&c, parent, name)) {
		rc = tell(s, &c, err);
		if (!rc)
			rc = shard_cursor_next(&c, err);
	}
	shard_cursor_close(&c);
	return rc;
}

enum rc find_versions(struct find *f, struct span uid, find_fn *fn, void *arg,
		      struct err *err)
{
	const struct search s = { .f = f, .fn = fn, .arg = arg };
	struct view_walk walk = view_walk_uid(f->view, uid);
	const struct shard_file *sf;
	struct span parent, name;
	struct err damage = { .rc = RC_OK };
	enum rc rc = RC_OK;

	entry_split_uid(uid, &parent, &name);
	for (sf = view_walk_next(&walk); sf && !rc; sf = view_walk_next(&walk))
		rc = note_damage(search_uid(&s, sf, parent, name, err), err,
				 &damage);
	return rc ? rc : end_search(&damage, err);
}

/* --- directories -----------------------------------------------------------
 */

/* Is dir the parent, or above it? */
static bool is_below(struct span parent, struct span dir)
{
	return parent.len >= dir.len && !memcmp(parent.p, dir.p, dir.len) &&
	       (parent.len == dir.len || parent.p[dir.len] == '/');
}

/* The entries of the directory itself, and those of directories below it, are
 * two ranges: "a-b" comes between "a" and "a/b".
 */
static enum rc search_range(const struct search *s, struct shard_cursor *c,
			    struct span dir, struct span from, struct err *err)
{
	enum rc rc = shard_cursor_seek(c, from, span_of("", 0), err);

	while (!rc && !c->at_end && is_below(c->e.parent, dir) &&
	       (from.len > dir.len || c->e.parent.len == dir.len)) {
		rc = tell(s, c, err);
		if (!rc)
			rc = shard_cursor_next(c, err);
	}
	return rc;
}

static enum rc search_dir(const struct search *s, const struct shard_file *sf,
			  struct span dir, struct span below, struct err *err)
{
	struct shard_cursor c = { 0 };
	enum rc rc = shard_cursor_open(&c, &s->f->env, sf, err);

	if (!rc)
		rc = search_range(s, &c, dir, dir, err);
	if (!rc)
		rc = search_range(s, &c, dir, below, err);
	shard_cursor_close(&c);
	return rc;
}

/* Can the shard have keys from the directory's first to the last below it? */
static bool may_have(const struct shard_file *sf, struct span dir,
		     struct span below)
{
	const struct span none = span_of("", 0);

	return entry_key_compare(sf->last_parent, sf->last_name, dir, none) >=
		       0 &&
	       (entry_key_compare(sf->first_parent, none, below, none) < 0 ||
		is_below(sf->first_parent, dir));
}

enum rc find_below(struct find *f, struct span dir, find_fn *fn, void *arg,
		   struct err *err)
{
	const struct search s = { .f = f, .fn = fn, .arg = arg };
	CLEANUP_FREE char *p = xcalloc(1, dir.len + 1);
	struct span below = span_of(p, dir.len + 1);
	struct err damage = { .rc = RC_OK };
	enum rc rc = RC_OK;

	memcpy(p, dir.p, dir.len);
	p[dir.len] = '/';
	for (uint32_t i = 0; !rc && i < find_n_shards(f); i++) {
		const struct shard_file *sf = shard_set_get(f->set, i);

		if (may_have(sf, dir, below))
			rc = note_damage(search_dir(&s, sf, dir, below, err),
					 err, &damage);
	}
	return rc ? rc : end_search(&damage, err);
}

/* --- all -------------------------------------------------------------------
 */

enum rc find_in_shard(struct find *f, uint32_t shard, find_fn *fn, void *arg,
		      struct err *err)
{
	const struct search s = { .f = f, .fn = fn, .arg = arg };
	struct shard_cursor c = { 0 };
	enum rc rc = shard_cursor_open(&c, &f->env,
				       shard_set_get(f->set, shard), err);

	if (!rc)
		rc = shard_cursor_goto(&c, 0, err);
	while (!rc && !c.at_end) {
		rc = tell(&s, &c, err);
		if (!rc)
			rc = shard_cursor_next(&c, err);
	}
	shard_cursor_close(&c);
	return rc;
}
