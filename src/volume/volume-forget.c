/* SPDX-License-Identifier: Apache-2.0 */
/* volume-forget.c - what is deleted leaves the caches. */
#include "config.h"

#include "volume/volume-forget.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cache/block-cache.h"
#include "cache/disk-cache.h"
#include "catalog/catalog.h"
#include "erase/tombstone-set.h"
#include "shard/shard-block.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"
#include "volume/shard-fetch.h"
#include "volume/shard-set.h"
#include "volume/volume-hide.h"
#include "volume/volume-old.h"

static void forget_block(void *arg, const struct shard_handle *h,
			 const struct block_ref *ref)
{
	static const enum shard_object kinds[] = { SHARD_BLOCK, SHARD_PREFIX };
	struct shard_env *env = arg;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		block_cache_remove(
			env->blocks,
			shard_cache_key(kinds[i], h->sf->ordinal, ref->off));
	shard_fetch_forget(h, ref->off, ref->stored_len);
	if (env->disk)
		disk_cache_remove(env->disk, ref->hash);
}

void volume_forget_entry(struct volume *v, const struct volume_entry *ve)
{
	struct err err;

	if (ve->e.type == ENTRY_REG && ve->e.content.n_blocks)
		(void)!volume_each_block(v, ve, forget_block, &v->env, &err);
}

static bool is_of_shard(void *arg, struct block_cache_key key)
{
	const uint32_t *shard = arg;

	return (uint32_t)key.a == *shard;
}

static bool is_root(void *arg, const uint8_t root[CATALOG_ROOT_LEN])
{
	return !memcmp(arg, root, CATALOG_ROOT_LEN);
}

void volume_forget_shard(struct volume *v, uint32_t shard)
{
	const struct shard_file *sf = shard_set_get(v->set, shard);

	block_cache_remove_if(v->env.blocks, is_of_shard, &shard);
	block_cache_remove_if(v->env.pages, is_of_shard, &shard);
	store_let_go(v->st, sf->meta.key);
	if (v->catalog)
		catalog_erase_shards(v->catalog, v->env.location, is_root,
				     (void *)(uintptr_t)sf->meta.root);
}

static int by_root(const void *a, const void *b)
{
	return memcmp(a, b, DISK_CACHE_OWNER_LEN);
}

static bool is_one_of(void *arg, const uint8_t owner[DISK_CACHE_OWNER_LEN])
{
	const struct volume_roots *r = arg;

	return bsearch(owner, r->root, r->n, sizeof(*r->root), by_root);
}

void volume_roots_add(struct volume_roots *r, const uint8_t *root)
{
	r->root = mem_grow(r->root, &r->cap, r->n + 1, sizeof(*r->root));
	memcpy(r->root[r->n++], root, sizeof(*r->root));
}

void volume_forget_blocks(struct volume *v, struct volume_roots *r)
{
	if (v->env.disk && r->n) {
		qsort(r->root, r->n, sizeof(*r->root), by_root);
		disk_cache_sweep(v->env.disk, is_one_of, r);
	}
	free(r->root);
	*r = (struct volume_roots){ .root = NULL };
}

/* Does not count by what the log says. */
static bool is_old_root(void *arg, const uint8_t root[CATALOG_ROOT_LEN])
{
	const struct oplog_state *s = arg;

	for (size_t i = 0; i < oplog_state_n_old(s); i++) {
		const struct oplog_old *old = oplog_state_old(s, i);

		if (!memcmp(old->root, root, CATALOG_ROOT_LEN))
			return true;
	}
	return false;
}

void volume_forget_rows(struct volume *v)
{
	struct oplog_state *s = (void *)(uintptr_t)oplog_state(v->log);

	if (v->catalog && s && oplog_state_n_old(s))
		catalog_erase_shards(v->catalog, v->env.location, is_old_root,
				     s);
}

struct forgetting {
	struct volume *v;
	const struct view *after;
	enum rc rc;
	struct err *err;
};

static bool forget_version(void *arg, const struct volume_entry *ve)
{
	const struct forgetting *f = arg;

	if (view_hides(f->after, &ve->e))
		volume_forget_entry(f->v, ve);
	return true;
}

static bool forget_uid(struct forgetting *f, struct span uid)
{
	struct err one;
	enum rc rc = volume_versions(f->v, uid, 0, forget_version, f, &one);

	if (rc && (!f->rc || rc_is_transient(rc))) {
		f->rc = rc;
		*f->err = one;
	}
	return !rc_is_transient(rc);
}

enum rc volume_forget(struct volume *v, const struct view *before,
		      const struct view *after, struct err *err)
{
	struct forgetting f = { .v = v, .after = after, .err = err };
	struct tombstone_diff d = { .before = before ? before->deleted : NULL,
				    .after = after->deleted };
	struct tombstone_uid t;

	while (tombstone_diff_next(&d, &t)) {
		if (!forget_uid(&f, t.uid))
			break;
	}
	return f.rc;
}

/* --- without a mount -------------------------------------------------------
 */

/* A shard that was replaced before this session began. */
static enum rc add_old(struct volume *v, const struct oplog_old *old,
		       struct err *err)
{
	const struct shard_file *sf = NULL;

	if (shard_set_add(v->set, old->meta, &sf, err))
		return err->rc;
	atomic_store(&sf->life->is_replaced, true);
	volume_old_add(v->old, sf->ordinal);
	return RC_OK;
}

/* Roots of which the index cache has something. */
struct known {
	uint8_t (*root)[CATALOG_ROOT_LEN];
	size_t n, cap;
};

static bool note_root(void *arg, const uint8_t root[CATALOG_ROOT_LEN])
{
	struct known *k = arg;

	k->root = mem_grow(k->root, &k->cap, k->n + 1, sizeof(*k->root));
	memcpy(k->root[k->n++], root, CATALOG_ROOT_LEN);
	return false;
}

static bool is_known(const struct known *k, const uint8_t *root)
{
	for (size_t i = 0; i < k->n; i++) {
		if (!memcmp(k->root[i], root, CATALOG_ROOT_LEN))
			return true;
	}
	return false;
}

/* known: those it has something of; NULL: all. */
static bool may_be_learnt(const struct oplog_old *old,
			  const struct known *known)
{
	return old->meta && !old->is_garbage && !old->is_purged &&
	       (!known || is_known(known, old->root));
}

static enum rc add_all_old(struct volume *v, const struct known *known,
			   struct err *err)
{
	const struct oplog_state *s = oplog_state(v->log);
	enum rc rc = RC_OK;

	for (size_t i = 0; s && i < oplog_state_n_old(s) && !rc; i++) {
		const struct oplog_old *old = oplog_state_old(s, i);

		if (may_be_learnt(old, known))
			rc = add_old(v, old, err);
	}
	return rc;
}

/* A record of a clock that is behind may still come in before the newest. */
static int64_t swept_until(int64_t newest)
{
	int64_t settled = clock_wall_us() - 2 * CLOCK_SKEW_US;

	return settled < newest ? settled : newest;
}

/* Of all others the blocks go whole, unless they did before. */
static void sweep_others(struct volume *v, const struct known *known)
{
	const struct oplog_state *s = oplog_state(v->log);
	struct volume_roots roots = { .root = NULL };
	int64_t newest = INT64_MIN;

	for (size_t i = 0; s && v->env.disk && i < oplog_state_n_old(s); i++) {
		const struct oplog_old *old = oplog_state_old(s, i);

		if (old->record->time > newest)
			newest = old->record->time;
		if (!may_be_learnt(old, known))
			volume_roots_add(&roots, old->root);
	}
	if (newest == INT64_MIN ||
	    disk_cache_swept(v->env.disk, v->env.location) >= newest) {
		free(roots.root);
		return;
	}
	volume_forget_blocks(v, &roots);
	disk_cache_set_swept(v->env.disk, v->env.location, swept_until(newest));
}

enum rc volume_forget_all(struct volume *v, struct err *err)
{
	CLEANUP_VIEW struct view *view = volume_view(v);
	enum rc rc = volume_forget(v, NULL, view, err);

	if (!rc)
		rc = add_all_old(v, NULL, err);
	if (!rc)
		rc = volume_settle(v, err);
	if (!rc)
		sweep_others(v, NULL);
	volume_forget_rows(v);
	return rc;
}

enum rc volume_forget_known(struct volume *v, struct err *err)
{
	struct known known = { 0 };
	enum rc rc = RC_OK;

	if (!v->catalog) {
		sweep_others(v, &known);
		return RC_OK;
	}
	catalog_erase_shards(v->catalog, v->env.location, note_root, &known);
	if (known.n)
		rc = add_all_old(v, &known, err);
	if (!rc)
		rc = volume_settle(v, err);
	if (!rc)
		sweep_others(v, &known);
	free(known.root);
	return rc;
}
