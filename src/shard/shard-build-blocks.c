/* SPDX-License-Identifier: Apache-2.0 */
/* shard-build-blocks.c - references of entries to blocks, and the pages of
 * those that have many.
 */
#include "config.h"

#include <inttypes.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "shard/shard-block.h"
#include "shard/shard-build-backend.h"
#include "shard/shard-format.h"

/* Blocks are shared, and need not be in the order of the entries. */
void shard_build_use_blocks(struct shard_build *b, const struct block_ref *refs,
			    uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!block_is_hole(&refs[i]))
			unused_remove(&b->unused, refs[i].off,
				      refs[i].off + refs[i].stored_len);
}

/* What a block's data must have at least: all blocks are whole ones, but the
 * last may be shared with others.
 */
static uint64_t bytes_wanted(const struct entry *e, uint32_t i)
{
	const struct content *c = &e->content;

	if (i + 1 < c->n_blocks)
		return c->block_size;
	return c->tail_off + e->size - (uint64_t)i * c->block_size;
}

static enum rc check_blocks(const struct entry *e, uint32_t first, uint32_t n,
			    const struct block_ref *refs, struct err *err)
{
	const struct content *c = &e->content;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t wanted = bytes_wanted(e, first + i);
		bool is_last = first + i + 1 == c->n_blocks;

		if (is_last ? refs[i].data_len < wanted
			    : refs[i].data_len != wanted)
			return err_set(err, RC_LIMIT,
				       "block %" PRIu32 " of %" PRIu32
				       " of a file has %" PRIu32
				       " bytes, not %s%" PRIu64,
				       first + i, c->n_blocks, refs[i].data_len,
				       is_last ? "at least " : "", wanted);
	}
	return RC_OK;
}

static enum rc read_blocks(struct shard_build *b, const struct entry *e,
			   const struct blocks_source *from, uint32_t i,
			   uint32_t n, struct block_ref *ret, struct err *err)
{
	if (from->fn(from->arg, i, n, ret, err) ||
	    check_blocks(e, i, n, ret, err))
		return err->rc;
	shard_build_use_blocks(b, ret, n);
	return RC_OK;
}

enum rc shard_build_extents(struct shard_build *b, const struct entry *e,
			    const struct blocks_source *from,
			    struct extents *ret, struct err *err)
{
	const struct content *c = &e->content;
	CLEANUP_FREE struct block_ref *blocks = NULL;
	CLEANUP_FREE struct page_ref *refs = NULL;
	uint32_t per = EXTENT_BLOCKS, n;
	enum rc rc;

	while ((c->n_blocks - 1) / per + 1 > EXTENTS_MAX)
		per *= 2;
	if (per > EXTENT_BLOCKS_MAX)
		return err_set(err, RC_LIMIT, "file of %u blocks", c->n_blocks);
	n = (c->n_blocks - 1) / per + 1;
	refs = xcalloc(n, sizeof(*refs));
	blocks = xcalloc(per, sizeof(*blocks));
	for (uint32_t i = 0; i < n; i++) {
		CLEANUP_BUF struct buf out = { .max = 2 * PAGE_RAW_MAX };
		struct page_build pb = shard_build_next_page(b);
		uint32_t len = c->n_blocks - i * per;

		if (len > per)
			len = per;
		rc = read_blocks(b, e, from, i * per, len, blocks, err);
		if (!rc)
			rc = page_build_extent(&pb, blocks, len, &out, &refs[i],
					       err);
		if (!rc)
			rc = shard_build_write_page(b, &out, err);
		if (rc)
			return rc;
	}
	*ret = (struct extents){ STEAL_PTR(refs), n, per };
	return RC_OK;
}
