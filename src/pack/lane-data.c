/* SPDX-License-Identifier: Apache-2.0 */
/* lane-data.c - bytes of files into the blocks of a lane. */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "base/sha256.h"
#include "pack/compressible.h"
#include "pack/lane-backend.h"
#include "pack/same.h"
#include "shard/shard-format.h"

/* One that has no data yet belongs to whoever has some first. */
static struct lane_block *without_data(struct lane *l)
{
	for (unsigned int k = 0; k < ALONE; k++) {
		struct lane_block *b = l->open[k];

		if (b && !b->data.len) {
			l->open[k] = NULL;
			return b;
		}
	}
	return NULL;
}

static bool fits(const struct lane *l, const struct lane_block *b, size_t len)
{
	return b && b->data.len + len <= l->opts.sizes.group;
}

static enum rc reserve(struct lane *l, struct lane_block *b, size_t len,
		       uint8_t **ret, struct err *err)
{
	l->reserved = b;
	*ret = buf_reserve(&b->data, len);
	if (!*ret)
		return err_set(err, RC_NOMEM, "no memory for a block");
	return RC_OK;
}

/* The empty block that is large enough. */
static struct lane_block **aside_for(struct lane *l, size_t len)
{
	bool is_large = len > l->opts.sizes.group;
	struct lane_block **aside = is_large ? &l->aside_large : &l->aside;

	if (!*aside)
		*aside = lane_take_block(l, is_large);
	return aside;
}

enum rc lane_reserve(struct lane *l, size_t len, uint8_t **ret, struct err *err)
{
	/* Most likely it is of the kind of the one before. */
	struct lane_block *b = l->open[l->last];

	assert(len && len <= l->opts.sizes.large);
	l->quick = 0;
	if (!fits(l, b, len))
		b = *aside_for(l, len);
	return reserve(l, b, len, ret, err);
}

static enum kind kind_of(const struct lane *l, const uint8_t *p, size_t len)
{
	if (len > l->opts.sizes.group)
		return ALONE;
	if (l->opts.codec == CODEC_NONE || is_compressible(p, len))
		return DENSE;
	return NOISE;
}

/* The block for what is alone, with the entries of one without data. */
static struct lane_block *begin_alone(struct lane *l)
{
	struct lane_block *b = without_data(l), *large = l->aside_large;

	if (!b) {
		l->aside_large = NULL;
		return large;
	}
	lane_block_swap_room(b, large);
	l->aside_large = NULL;
	lane_give_block(l, large);
	return b;
}

/* Have a block of kind k open with room for len bytes. */
static enum rc open_block(struct lane *l, enum kind k, size_t len,
			  struct err *err)
{
	struct lane_block *b = l->open[k];

	if (b && !fits(l, b, len)) {
		enum rc rc = lane_end_block(l, k, err);

		if (rc)
			return rc;
		b = NULL;
	}
	if (k == ALONE)
		b = begin_alone(l);
	if (!b)
		b = without_data(l);
	if (!b && l->reserved == l->aside)
		b = l->aside;
	if (!b)
		b = lane_take_block(l, false);
	if (b == l->aside)
		l->aside = NULL;
	l->open[k] = b;
	return RC_OK;
}

/* What is reserved may be in an open block, which may have to go. */
static enum rc set_aside(struct lane *l, size_t len, struct err *err)
{
	const struct lane_block *from = l->reserved;
	struct lane_block *b = *aside_for(l, len);
	uint8_t *to;

	if (b == from)
		return RC_OK;
	if (reserve(l, b, len, &to, err))
		return err->rc;
	memcpy(to, from->data.p + from->data.len, len);
	return RC_OK;
}

/* Have the block in the shard, with all before it. */
static enum rc wait_for(struct lane *l, uint64_t number, struct err *err)
{
	enum rc rc = RC_OK;

	while (!rc && l->first <= number)
		rc = lane_retire(l, err);
	return rc;
}

/* The bytes of f are in an open block.  Its workers hash them once more. */
static struct content_parts *share_open(struct lane_block *b,
					const struct same_file *f)
{
	struct content_parts *c = content_new(f->size, BLOCK_SIZE_MAX, NULL);

	c->tail_off = f->off;
	c->tail_block = b->number;
	content_add_stored(c);
	lane_block_add_segment(b, c, 0, f->off);
	return c;
}

static const uint8_t *reserved_bytes(const struct lane *l)
{
	return l->reserved->data.p + l->reserved->data.len;
}

enum rc lane_same(struct lane *l, size_t len, struct content_parts **ret,
		  struct err *err)
{
	uint8_t sha256[ENTRY_HASH_LEN];
	struct same_file *f;
	enum rc rc;

	*ret = NULL;
	if (len < SAME_LEN_MIN)
		return RC_OK;
	l->quick = same_quick(reserved_bytes(l), len);
	f = same_place(l->same, l->quick);
	if (f->quick != l->quick || f->size != len)
		return RC_OK;
	if (f->block >= l->first) {
		struct lane_block *b = l->blocks[f->block % LANE_WINDOW];

		/* Workers read the data of a block, and so may we. */
		if (memcmp(b->data.p + f->off, reserved_bytes(l), len))
			return RC_OK;
		if (!b->is_flying) {
			*ret = share_open(b, f);
			return RC_OK;
		}
		rc = set_aside(l, len, err);
		if (!rc)
			rc = wait_for(l, f->block, err);
		if (rc)
			return rc;
	}
	if (!f->is_known)
		return RC_OK;
	sha256_of(reserved_bytes(l), len, sha256);
	if (memcmp(sha256, f->sha256, sizeof(sha256)))
		return RC_OK;
	return content_known(ret, len, f->off, &f->ref, sha256, err);
}

static void remember(struct lane *l, const struct lane_block *b, size_t len,
		     uint32_t off)
{
	if (!l->quick)
		return;
	*same_place(l->same, l->quick) = (struct same_file){
		.quick = l->quick, .size = len, .block = b->number, .off = off
	};
}

enum rc lane_keep(struct lane *l, size_t len, uint32_t *ret_off,
		  struct err *err)
{
	const struct lane_block *from = l->reserved;
	const uint8_t *p = from->data.p + from->data.len;
	enum kind k = kind_of(l, p, len);
	struct lane_block *b;
	enum rc rc = open_block(l, k, len, err);

	if (rc)
		return rc;
	b = l->open[k];
	*ret_off = (uint32_t)b->data.len;
	l->kept = k;
	if (k != ALONE)
		l->last = k;
	/* Before any block can be given back, which may be the other one. */
	if (k == ALONE || b == from)
		b->data.len += len;
	else
		buf_append(&b->data, p, len);
	if (!buf_ok(&b->data))
		return err_set(err, RC_NOMEM, "no memory for a block");
	if (b->number == LANE_NO_NUMBER) {
		rc = lane_number(l, b, err);
		if (rc)
			return rc;
	}
	remember(l, b, len, *ret_off);
	return lane_end_old(l, err);
}

enum rc lane_reserve_whole(struct lane *l, size_t len, uint8_t **ret,
			   struct err *err)
{
	return reserve(l, *aside_for(l, len), len, ret, err);
}

enum rc lane_whole(struct lane *l, struct content_parts *c, uint32_t i,
		   size_t len, struct err *err)
{
	struct lane_block *b = l->reserved;
	enum rc rc;

	if (b == l->aside)
		l->aside = NULL;
	else
		l->aside_large = NULL;
	b->data.len = len;
	content_add_stored(c);
	lane_block_add_segment(b, c, i, 0);
	rc = lane_number(l, b, err);
	if (rc) {
		lane_give_block(l, b);
		return rc;
	}
	lane_launch(l, b);
	return lane_end_old(l, err);
}

void lane_tail(struct lane *l, struct content_parts *c, uint32_t off)
{
	struct lane_block *b = l->open[l->kept];

	c->tail_off = off;
	c->tail_block = b->number;
	content_add_stored(c);
	lane_block_add_segment(b, c, content_n_blocks(c) - 1, off);
	if (content_n_blocks(c) == 1)
		b->segments[b->n_segments - 1].quick = l->quick;
}
