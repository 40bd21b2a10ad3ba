/* SPDX-License-Identifier: Apache-2.0 */
/* volume-fetch.c - what a volume in a remote store has to make blocks come
 * fast.
 */
#include "config.h"

#include "cache/disk-cache.h"
#include "store/store.h"
#include "volume/fetch.h"
#include "volume/shard-fetch.h"
#include "volume/volume-state.h"

static enum rc open_disk_cache(struct volume *v,
			       const struct volume_options *opts,
			       struct err *err)
{
	const struct disk_cache_options o = {
		.max_bytes = opts->disk_cache_size,
		.keep_free = opts->disk_cache_free,
	};

	if (disk_cache_open(&v->env.disk, opts->disk_cache, &o, err))
		return err_prefix(err, "disk cache");
	return RC_OK;
}

/* Blocks of an older archive have hashes that say nothing of their bytes, so
 * none are checked nor kept on a disk.
 */
static bool is_made_of_remote(const struct volume *v)
{
	return v->below && store_is_remote(v->below);
}

bool volume_is_remote(const struct volume *v)
{
	return store_is_remote(v->st) || is_made_of_remote(v);
}

enum rc volume_fetch_begin(struct volume *v, const struct volume_options *opts,
			   struct err *err)
{
	if (is_made_of_remote(v))
		v->env.fetch = shard_fetch_new(&v->env);
	if (!store_is_remote(v->st))
		return RC_OK;
	/* What came over a network is checked wholly, once. */
	v->env.check_hash = true;
	v->env.fetch = shard_fetch_new(&v->env);
	if (!opts || !opts->disk_cache || !*opts->disk_cache)
		return RC_OK;
	return open_disk_cache(v, opts, err);
}

void volume_fetch_end(struct volume *v)
{
	fetch_free(v->env.fetch);
	disk_cache_close(v->env.disk);
	v->env.fetch = NULL;
	v->env.disk = NULL;
}

void volume_fetch_count(struct volume *v, struct volume_stats *ret)
{
	struct disk_cache_stats disk;
	struct fetch_stats fetch;

	if (v->env.disk) {
		disk_cache_stats(v->env.disk, &disk);
		ret->disk_hits = disk.hits;
		ret->disk_misses = disk.misses;
		ret->disk_bytes = disk.bytes;
	}
	if (!v->env.fetch)
		return;
	fetch_stats(v->env.fetch, &fetch);
	ret->fetch_ranges = fetch.ranges;
	ret->fetch_ahead = fetch.ahead;
	ret->fetch_bytes = fetch.bytes;
	ret->fetch_used = fetch.used;
}
