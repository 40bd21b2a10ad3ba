/* SPDX-License-Identifier: Apache-2.0 */
/* shard-kept.c - the parts of a shard in the index cache, and second tries. */
#include "config.h"

#include "volume/shard-kept.h"

#include <string.h>

#include "base/clock.h"
#include "catalog/catalog.h"

/* However many readers miss a shard, the log is looked at no more often for its
 * sake.
 */
#define LOOK_NS CLOCK_NS_PER_SEC

bool shard_load_kept(const struct shard_handle *h, uint64_t off, size_t len,
		     struct buf *ret)
{
	if (!h->env->catalog || atomic_load(h->sf->epoch) ||
	    off < shard_data_end(&h->tail->footer))
		return false;
	return catalog_get_range(h->env->catalog, h->sf->meta.root, off, len,
				 ret);
}

void shard_handle_keep(const struct shard_handle *h, uint64_t off,
		       const struct shard_bytes *b, size_t len)
{
	if (!h->env->catalog || b->window || b->is_kept ||
	    off < shard_data_end(&h->tail->footer))
		return;
	catalog_put_range(h->env->catalog, h->env->location, h->sf->meta.root,
			  h->tail->info.tag, off, b->p, len);
}

void shard_distrust(struct shard_env *env, const struct shard_file *sf,
		    uint32_t epoch)
{
	/* What was kept of it is all there is. */
	if (atomic_load(&sf->life->is_gone))
		return;
	if (!atomic_compare_exchange_strong(sf->epoch, &epoch, epoch + 1))
		return;
	if (env->catalog)
		catalog_drop_shard(env->catalog, sf->meta.root);
}

bool shard_handle_distrust(const struct shard_handle *h,
			   const struct shard_bytes *b)
{
	if (!b->is_kept)
		return false;
	shard_distrust(h->env, h->sf, b->epoch);
	return true;
}

bool shard_look_again(struct shard_env *env, const struct shard_file *sf)
{
	struct shard_life *life = sf->life;
	uint64_t last = atomic_load(&life->looked_ns);
	uint64_t now = clock_mono_ns();

	if (!env->look_again || atomic_load(&life->is_gone))
		return false;
	if (!atomic_load(&life->is_replaced) &&
	    (!last || now - last >= LOOK_NS)) {
		/* Others who miss it meanwhile wait for the same look. */
		env->look_again(env->look_again_arg, now);
		atomic_store(&life->looked_ns, clock_mono_ns());
	}
	if (!atomic_load(&life->is_replaced))
		return true;
	atomic_store(&life->is_gone, true);
	return false;
}

enum rc shard_missing(const struct shard_file *sf, enum rc rc, struct err *err)
{
	if (rc != RC_NOENT)
		return rc;
	if (atomic_load(&sf->life->is_replaced))
		return err_set(err, RC_CHANGED, "%s: was replaced, and is gone",
			       sf->meta.key);
	return err_set(err, RC_CORRUPT,
		       "%s: the log names this shard, the store has it not",
		       sf->meta.key);
}

struct range {
	uint64_t off;
	void *buf;
	size_t len;
	bool is_ahead;
};

static enum rc read_once(struct shard_env *env, const struct shard_file *sf,
			 const struct object_info *info, const struct range *r,
			 struct err *err)
{
	if (atomic_load(&sf->life->is_gone))
		return RC_NOENT;
	if (r->is_ahead)
		return store_read_ahead(env->st, sf->meta.key, info, r->off,
					r->buf, r->len, err);
	return store_read(env->st, sf->meta.key, info, r->off, r->buf, r->len,
			  err);
}

/* The shard by its tag now: opened by another reader since, or by this one. */
static enum rc open_anew(struct shard_handle *ret, struct shard_env *env,
			 const struct shard_file *sf,
			 const struct object_info *info, struct err *err)
{
	uint32_t epoch = atomic_load(sf->epoch);

	if (shard_handle_open(ret, env, sf, err))
		return err->rc;
	if (strcmp(ret->tail->info.tag, info->tag) != 0)
		return RC_OK;
	shard_handle_release(ret);
	shard_distrust(env, sf, epoch);
	return shard_handle_open(ret, env, sf, err);
}

enum rc shard_store_read(struct shard_env *env, const struct shard_file *sf,
			 const struct object_info *info, uint64_t off,
			 void *buf, size_t len, bool is_ahead, struct err *err)
{
	const struct range r = { off, buf, len, is_ahead };
	struct shard_handle h = { 0 };
	enum rc rc;

	rc = read_once(env, sf, info, &r, err);
	if (rc == RC_NOENT && shard_look_again(env, sf))
		rc = read_once(env, sf, info, &r, err);
	if (rc == RC_CHANGED && env->fetch) {
		rc = open_anew(&h, env, sf, info, err);
		if (!rc)
			rc = read_once(env, sf, &h.tail->info, &r, err);
		shard_handle_release(&h);
	}
	return shard_missing(sf, rc, err);
}
