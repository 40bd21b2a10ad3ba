/* SPDX-License-Identifier: Apache-2.0 */
/* shard-upper.c - root page and filter of a shard, out of its tail. */
#include "config.h"

#include "volume/shard-upper.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha256.h"

struct stretch {
	uint64_t off;
	const uint8_t *p;
	size_t len;
};

static const uint8_t *part(const struct stretch *s, uint64_t off, uint64_t len)
{
	if (off < s->off || len > s->len || off - s->off > s->len - len)
		return NULL;
	return s->p + (off - s->off);
}

/* The offset cannot overflow: sections lie in the shard, and refs are bounded
 * where they are decoded.
 */
static struct page *take_root(const struct shard_footer *f,
			      const struct stretch *s)
{
	const struct page_ref *ref = &f->root_page;
	struct page *page = NULL;
	const uint8_t *p;
	struct err err;

	if (f->levels < 2 || ref->stored_len > f->index_len ||
	    ref->off > f->index_len - ref->stored_len)
		return NULL;
	p = part(s, f->index_off + ref->off, ref->stored_len);
	if (!p || page_decode(p, ref->stored_len, ref, &page, &err))
		return NULL;
	if (page_kind(page) == PAGE_NODE)
		return page;
	page_free(page);
	return NULL;
}

static uint8_t *take_filter(const struct shard_tail *t, const struct stretch *s)
{
	uint8_t hash[SHA256_LEN];
	const uint8_t *p;

	if (t->n_partitions != 1)
		return NULL;
	p = part(s, t->footer.filter.off, t->partition_size);
	if (!p)
		return NULL;
	sha256_of(p, t->partition_size, hash);
	if (memcmp(hash, t->partition_hashes, BLOCK_HASH_LEN) != 0)
		return NULL;
	return xmemdup0(p, t->partition_size);
}

void shard_upper_take(struct shard_tail *t, uint64_t off, const uint8_t *p,
		      size_t len)
{
	const struct stretch s = { off, p, len };

	t->root = take_root(&t->footer, &s);
	t->filter = take_filter(t, &s);
}

void shard_upper_release(struct shard_tail *t)
{
	page_free(t->root);
	free(t->filter);
	t->root = NULL;
	t->filter = NULL;
}

size_t shard_upper_memory(const struct shard_tail *t)
{
	return (t->root ? page_memory(t->root) : 0) +
	       (t->filter ? t->partition_size : 0);
}
