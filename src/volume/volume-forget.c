/* SPDX-License-Identifier: Apache-2.0 */
/* volume-forget.c - what is deleted leaves the caches. */
#include "config.h"

#include "volume/volume-forget.h"

#include "cache/block-cache.h"
#include "cache/disk-cache.h"
#include "catalog/catalog.h"
#include "erase/tombstone-set.h"
#include "shard/shard-block.h"
#include "volume/shard-fetch.h"
#include "volume/volume-hide.h"

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

void volume_forget_shard(struct volume *v, uint32_t shard)
{
	const struct shard_file *sf = shard_set_get(v->set, shard);

	block_cache_remove_if(v->env.blocks, is_of_shard, &shard);
	block_cache_remove_if(v->env.pages, is_of_shard, &shard);
	store_let_go(v->st, sf->meta.key);
	if (v->catalog)
		catalog_drop_shard(v->catalog, sf->meta.root);
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
