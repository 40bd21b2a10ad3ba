/* SPDX-License-Identifier: Apache-2.0 */
/* salvage-source.c - the bytes of one file, from blocks read and checked. */
#include "config.h"

#include "restore/salvage-source.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "shard/shard-format.h"

void salvage_source_init(struct salvage_source *src, const struct raw_shard *s)
{
	*src = (struct salvage_source){ .s = s };
	buf_init(&src->stored,
		 BLOCK_HEADER_SIZE + BLOCK_SIZE_MAX + BLOCK_RECORDS_MAX);
}

void salvage_source_release(struct salvage_source *src)
{
	for (size_t i = 0; i < SALVAGE_KEPT; i++)
		free(src->kept[i].data);
	buf_release(&src->stored);
}

enum rc salvage_source_set(struct salvage_source *src, const struct entry *e,
			   const struct block_ref *refs, struct err *err)
{
	const struct content *c = &e->content;
	uint64_t before =
		c->n_blocks ? (uint64_t)(c->n_blocks - 1) * c->block_size : 0;

	if (!c->n_blocks != !e->size || (e->size && before >= e->size) ||
	    (c->n_blocks > 1 && !c->block_size))
		return err_set(err, RC_CORRUPT, "has another size than blocks");
	for (uint32_t i = 0; i < c->n_blocks; i++) {
		bool is_last = i + 1 == c->n_blocks;
		uint64_t need = is_last ? c->tail_off + (e->size - before)
					: c->block_size;

		if (refs[i].data_len < need)
			return err_set(err, RC_CORRUPT,
				       "has a block that is too short");
	}
	src->e = e;
	src->refs = refs;
	return RC_OK;
}

static struct salvage_block *find_block(struct salvage_source *src,
					const struct block_ref *ref)
{
	for (size_t i = 0; i < SALVAGE_KEPT; i++) {
		const struct block_ref *kept = &src->kept[i].ref;

		if (src->kept[i].used && kept->off == ref->off &&
		    kept->data_len == ref->data_len &&
		    !memcmp(kept->hash, ref->hash, BLOCK_HASH_LEN))
			return &src->kept[i];
	}
	return NULL;
}

/* NULL, and why in err. */
static struct salvage_block *load_block(struct salvage_source *src,
					const struct block_ref *ref,
					struct err *err)
{
	struct salvage_block *oldest = &src->kept[0];
	CLEANUP_FREE uint8_t *data = mem_array(ref->data_len, 1);
	struct block_header h;
	enum rc rc;

	if (!data) {
		err_set(err, RC_NOMEM, "no memory for a block");
		return NULL;
	}
	rc = raw_shard_block(src->s, ref, &src->stored, &h, err);
	if (!rc)
		rc = block_decode_data(src->stored.p, &h, data, err);
	if (rc) {
		err_prefix(err, "block at %llu", (unsigned long long)ref->off);
		return NULL;
	}
	for (size_t i = 1; i < SALVAGE_KEPT; i++) {
		if (src->kept[i].used < oldest->used)
			oldest = &src->kept[i];
	}
	free(oldest->data);
	*oldest =
		(struct salvage_block){ .ref = *ref, .data = STEAL_PTR(data) };
	return oldest;
}

/* The number of the segment that off, below the size, is in. */
static uint64_t segment_of(const struct content *c, uint64_t off)
{
	uint64_t i = c->n_blocks > 1 ? off / c->block_size : 0;

	return i < c->n_blocks ? i : c->n_blocks - 1;
}

/* Up to the end of the segment that off is in. */
static enum rc source_read(void *arg, uint64_t off, void *buf, size_t len,
			   size_t *ret_len, struct err *err)
{
	struct salvage_source *src = arg;
	const struct content *c = &src->e->content;
	uint64_t i = segment_of(c, off);
	struct salvage_block *b;
	uint64_t at, left;

	at = off - i * c->block_size;
	left = i + 1 == c->n_blocks ? src->e->size - off : c->block_size - at;
	if (i + 1 == c->n_blocks)
		at += c->tail_off;
	*ret_len = len < left ? len : (size_t)left;
	if (block_is_hole(&src->refs[i])) {
		memset(buf, 0, *ret_len);
		return RC_OK;
	}
	b = find_block(src, &src->refs[i]);
	if (!b)
		b = load_block(src, &src->refs[i], err);
	if (!b)
		return err->rc;
	b->used = ++src->clock;
	memcpy(buf, b->data + at, *ret_len);
	return RC_OK;
}

static uint64_t segment_start(const struct salvage_source *src, uint64_t i)
{
	uint64_t at = i * src->e->content.block_size;

	return i < src->e->content.n_blocks ? at : src->e->size;
}

/* The first segment from that of off on which is a hole, or is none. */
static uint64_t seek(const struct salvage_source *src, uint64_t off, bool hole)
{
	const struct content *c = &src->e->content;
	uint64_t i = segment_of(c, off), at;

	while (i < c->n_blocks && block_is_hole(&src->refs[i]) != hole)
		i++;
	at = segment_start(src, i);
	return at > off ? at : off;
}

static enum rc source_data(void *arg, uint64_t off, uint64_t *ret,
			   struct err *err)
{
	(void)err;
	*ret = seek(arg, off, false);
	return RC_OK;
}

static enum rc source_hole(void *arg, uint64_t off, uint64_t *ret,
			   struct err *err)
{
	(void)err;
	*ret = seek(arg, off, true);
	return RC_OK;
}

struct restore_source salvage_source_calls(struct salvage_source *src)
{
	return (struct restore_source){ .read = source_read,
					.next_data = source_data,
					.next_hole = source_hole,
					.arg = src };
}
