/* SPDX-License-Identifier: Apache-2.0 */
/* volume-near.c - what lies around a block that is read, for the fetcher.
 *
 * A large file is a range of its own.  Of small ones the directory counts, so
 * far as the leaf page at hand tells: it has the files before and after in the
 * order in which their blocks were written.
 */
#include "config.h"

#include "volume/volume-near.h"

#include "cache/block-cache.h"
#include "shard/shard-block.h"
#include "volume/volume-state.h"

/* Files up to so many bytes count as part of their directory. */
#define SMALL_MAX (UINT64_C(1) << 20)

static uint64_t end_of(const struct block_ref *ref)
{
	return ref->off + ref->stored_len;
}

/* Blocks that are elsewhere, for example shared ones, are left out. */
static void extend_up(struct byte_range *r, const struct block_ref *ref)
{
	if (!block_is_hole(ref) && ref->off >= r->lo &&
	    ref->off <= r->hi + READAHEAD_GAP && end_of(ref) > r->hi)
		r->hi = end_of(ref);
}

static void extend_down(struct byte_range *r, const struct block_ref *ref)
{
	if (!block_is_hole(ref) && ref->off < r->lo &&
	    end_of(ref) + READAHEAD_GAP >= r->lo)
		r->lo = ref->off;
}

static void tell_file(const struct volume_near *n, struct readahead_near *ret)
{
	struct byte_range *r = &ret->range;
	uint32_t k = n->k + 1;

	ret->is_file = true;
	ret->group = n->ve->node.ordinal << 1 | 1;
	for (; k < n->n; k++) {
		if (!block_is_hole(&n->refs[k]) &&
		    (n->refs[k].off < r->hi ||
		     n->refs[k].off > r->hi + READAHEAD_GAP))
			return;
		extend_up(r, &n->refs[k]);
	}
	/* The rest is thought to be like these. */
	r->hi += (r->hi - r->lo) / (n->n - n->k) * n->behind;
}

/* Whether the walk along the directory goes on after this entry. */
static bool take_entry(struct readahead_near *ret, const struct entry *e,
		       bool is_up)
{
	const struct content *c = &e->content;

	if (e->type != ENTRY_REG || !c->n_blocks)
		return true;
	if (!c->blocks)
		return false;
	for (uint32_t i = 0; i < c->n_blocks; i++) {
		if (is_up)
			extend_up(&ret->range, &c->blocks[i]);
		else
			extend_down(&ret->range,
				    &c->blocks[c->n_blocks - 1 - i]);
	}
	return ret->range.hi - ret->range.lo < 2 * READAHEAD_MAX;
}

static uint64_t group_of(struct span parent)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < parent.len; i++)
		h = (h ^ (uint8_t)parent.p[i]) * UINT64_C(0x100000001b3);
	return h << 1;
}

static void tell_directory(const struct volume_near *n,
			   struct readahead_near *ret)
{
	const struct page *page = block_cache_object(n->ve->hold);
	struct span parent = n->ve->e.parent;
	uint32_t at = page_lower_bound(page, parent, n->ve->e.name);
	uint64_t lo = ret->range.lo;
	struct entry e;
	uint32_t i;

	ret->group = group_of(parent);
	ret->is_open = true;
	for (i = at; i < page_count(page); i++) {
		page_entry(page, i, &e);
		ret->is_open = span_equal(e.parent, parent);
		if (!ret->is_open || !take_entry(ret, &e, true) ||
		    ret->range.hi - lo > READAHEAD_MAX)
			break;
	}
	for (i = at < page_count(page) ? at + 1 : at; i-- > 0;) {
		page_entry(page, i, &e);
		if (!span_equal(e.parent, parent) ||
		    !take_entry(ret, &e, false) ||
		    lo - ret->range.lo > READAHEAD_MAX)
			break;
	}
}

/* In a shard that is made of older ones files lie in an order that has nothing
 * to do with directories.  Who reads on from one to the next goes through all
 * of it; that others are near by is chance.
 */
static void tell_alone(const struct volume_near *n, struct readahead_near *ret)
{
	ret->is_file = ret->is_open = ret->is_strict = true;
	ret->group = n->refs[n->k].off << 1 | 1;
}

void volume_near_tell(void *arg, struct readahead_near *ret)
{
	const struct volume_near *n = arg;
	const struct block_ref *ref = &n->refs[n->k];

	*ret = (struct readahead_near){ .range = { ref->off, end_of(ref) } };
	for (uint32_t i = 1; i < n->wanted && n->k + i < n->n; i++)
		extend_up(&ret->range, &n->refs[n->k + i]);
	ret->call_end = ret->range.hi;
	ret->range.hi = end_of(ref);
	if (n->ve->e.size > SMALL_MAX || !n->ve->hold)
		tell_file(n, ret);
	else if (n->is_made)
		tell_alone(n, ret);
	else
		tell_directory(n, ret);
}
