/* SPDX-License-Identifier: Apache-2.0 */
/* shard-fetch.c - pages and blocks of remote shards through the fetcher. */
#include "config.h"

#include "volume/shard-fetch.h"

#include <string.h>

#include "base/compiler.h"
#include "base/sha256.h"
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

	bool is_made = h->env->features & SHARD_INCOMPAT_UNHASHED;
	/* The index of a shard that is made of older ones is at hand. */
	uint32_t n = is_made ? 1 : ARRAY_LEN(parts);

	/* A handle that is being opened has no hold yet. */
	if (!h->env->fetch || !h->hold)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (off < parts[i].lo || off >= parts[i].hi ||
		    len > parts[i].hi - off)
			continue;
		*ret = (struct fetch_source){
			.id = (uint64_t)h->sf->ordinal << 1 | i,
			.shard = h->sf,
			.info = h->tail->info,
			.data = parts[i],
			.is_made = is_made,
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

static enum rc check_hash(void *arg, const void *p, size_t len,
			  const struct object_info *info, struct err *err)
{
	uint8_t hash[SHA256_LEN];

	(void)info;
	sha256_of(p, len, hash);
	if (memcmp(hash, arg, BLOCK_HASH_LEN))
		return err_set(err, RC_CORRUPT, "does not match its hash");
	return RC_OK;
}

bool shard_fetch_again(const struct shard_handle *h, uint64_t off, size_t len,
		       const uint8_t *hash, enum rc rc, struct shard_bytes *ret)
{
	uint8_t want[BLOCK_HASH_LEN];
	struct fetch_source src;
	struct err err; /* the first one is told */
	uint8_t *p;

	*ret = (struct shard_bytes){ .epoch = atomic_load(h->sf->epoch) };
	if (rc != RC_CORRUPT || !h->env->check_hash ||
	    !find_source(h, off, len, &src))
		return false;
	fetch_forget(h->env->fetch, &src,
		     (struct byte_range){ off, off + len });
	memcpy(want, hash, sizeof(want));
	buf_init(&ret->owned, len);
	p = buf_reserve(&ret->owned, len);
	if (!p ||
	    store_read_checked(h->env->st, h->sf->meta.key, &h->tail->info, off,
			       p, len, check_hash, want, &err)) {
		shard_bytes_release(ret);
		return false;
	}
	ret->owned.len = len;
	ret->p = ret->owned.p;
	return true;
}

void shard_fetch_forget(const struct shard_handle *h, uint64_t off, size_t len)
{
	struct fetch_source src;

	if (find_source(h, off, len, &src))
		fetch_forget(h->env->fetch, &src,
			     (struct byte_range){ off, off + len });
}
