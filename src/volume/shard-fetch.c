/* SPDX-License-Identifier: Apache-2.0 */
/* shard-fetch.c - pages and blocks of remote shards through the fetcher. */
#include "config.h"

#include "volume/shard-fetch.h"

#include "base/compiler.h"
#include "volume/shard-kept.h"

/* Reads ahead at a time. */
#define N_AHEAD 4u

static enum rc read_range(void *arg, const struct fetch_source *src,
			  uint64_t off, void *buf, size_t len, bool is_ahead,
			  struct err *err)
{
	return shard_store_read(arg, src->shard, &src->info, off, buf, len,
				is_ahead, err);
}

struct fetch *shard_fetch_new(struct shard_env *env)
{
	const struct fetch_options o = { .read = read_range,
					 .arg = env,
					 .n_ahead = N_AHEAD };

	return fetch_new(&o);
}

static bool find_source(const struct shard_handle *h, uint64_t off, size_t len,
			struct fetch_source *ret)
{
	const struct shard_footer *f = &h->tail->footer;
	const struct byte_range parts[] = {
		{ f->data_off, f->data_off + f->data_len },
		{ f->index_off, f->index_off + f->index_len },
	};

	/* A handle that is being opened has no hold yet. */
	if (!h->env->fetch || !h->hold)
		return false;
	for (uint32_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (off < parts[i].lo || off >= parts[i].hi ||
		    len > parts[i].hi - off)
			continue;
		*ret = (struct fetch_source){
			.id = (uint64_t)h->sf->ordinal << 1 | i,
			.shard = h->sf,
			.info = h->tail->info,
			.data = parts[i],
		};
		return true;
	}
	return false;
}

bool shard_fetch(const struct shard_handle *h, uint64_t off, size_t len,
		 const struct fetch_hint *hint, struct fetch_bytes *ret,
		 enum rc *rc, struct err *err)
{
	struct fetch_source src;

	if (!find_source(h, off, len, &src))
		return false;
	*rc = fetch_block(h->env->fetch, &src,
			  (struct byte_range){ off, off + len }, hint, ret,
			  err);
	return true;
}

bool shard_fetch_again(const struct shard_handle *h, uint64_t off, size_t len,
		       enum rc rc, struct shard_bytes *ret)
{
	struct fetch_source src;
	struct err err; /* the first one is told */

	*ret = (struct shard_bytes){ .epoch = atomic_load(h->sf->epoch) };
	if (rc != RC_CORRUPT || !find_source(h, off, len, &src) ||
	    fetch_block_again(h->env->fetch, &src,
			      (struct byte_range){ off, off + len },
			      &ret->fetched, &err))
		return false;
	ret->p = ret->fetched.p;
	return true;
}
