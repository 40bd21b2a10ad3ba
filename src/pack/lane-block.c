/* SPDX-License-Identifier: Apache-2.0 */
/* lane-block.c - one block on its way through a lane. */
#include "config.h"

#include "pack/lane-block.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "pack/compressible.h"
#include "shard/shard-format.h"
#include "shard/shard-record.h"

/* Blocks of a file that has a record: 64 GiB of blocks of 128 KiB.  Readers
 * take longer ones, but each is there three times while it is made.
 */
#define RECORD_BLOCKS_MAX (512u << 10)
/* Bytes of a buffer that is used again. */
#define BUFFER_KEPT (1u << 20)
#define HASHES_AT_ONCE 64u    /* read of a content */
#define RECORD_FIELDS_MAX 256 /* bytes of a record without its strings */
/* Of noise, a part that has to be saved. */
#define NOISE_GAIN 64

struct lane_block *lane_block_new(const struct lane_options *opts,
				  bool is_large)
{
	struct lane_block *b = xcalloc(1, sizeof(*b));
	size_t size = is_large ? opts->sizes.large : opts->sizes.group;

	buf_init(&b->data, size);
	buf_init(&b->records, BLOCK_RECORDS_MAX);
	buf_init(&b->stored, BLOCK_HEADER_SIZE + size + BLOCK_RECORDS_MAX);
	b->is_large = is_large;
	b->codec = opts->codec;
	b->level = opts->level;
	b->number = LANE_NO_NUMBER;
	return b;
}

/* What one long record took is not kept for each block. */
static void clear_buffer(struct buf *b, size_t room)
{
	if (b->cap > room + BUFFER_KEPT)
		buf_release(b);
	else
		buf_clear(b);
}

void lane_block_clear(struct lane_block *b)
{
	for (size_t i = 0; i < b->n_entries; i++)
		content_unref(b->entries[i].content);
	arena_clear(&b->arena);
	for (size_t i = 0; i < b->n_segments; i++)
		content_unref(b->segments[i].content);
	b->n_entries = b->n_segments = b->n_added = 0;
	b->number = LANE_NO_NUMBER;
	b->is_flying = false;
	b->entry_bytes = 0;
	buf_clear(&b->data);
	clear_buffer(&b->records, 0);
	clear_buffer(&b->stored, b->data.max);
}

void lane_block_free(struct lane_block *b)
{
	if (!b)
		return;
	lane_block_clear(b);
	buf_release(&b->data);
	buf_release(&b->records);
	buf_release(&b->stored);
	arena_release(&b->arena);
	free(b->entries);
	free(b->segments);
	free(b);
}

void lane_block_swap_room(struct lane_block *a, struct lane_block *b)
{
	const struct lane_block was = *a;

	a->data = b->data;
	a->stored = b->stored;
	a->is_large = b->is_large;
	b->data = was.data;
	b->stored = was.stored;
	b->is_large = was.is_large;
}

static struct span move_span(struct span s, char **to)
{
	struct span copy = span_of(*to, s.len);

	if (s.len)
		memcpy(*to, s.p, s.len);
	*to += s.len;
	return copy;
}

void lane_block_add_entry(struct lane_block *b, const struct entry *e,
			  struct content_parts *c, uint32_t off, uint64_t seq)
{
	size_t len = e->parent.len + e->name.len + e->target.len +
		     e->xattrs.len + e->meta.len;
	char *to = arena_alloc(&b->arena, len);
	struct lane_entry *le;

	b->entries = mem_grow(b->entries, &b->entries_cap, b->n_entries + 1,
			      sizeof(*b->entries));
	le = &b->entries[b->n_entries++];
	*le = (struct lane_entry){ .e = *e, .off = off, .seq = seq };
	if (c)
		le->content = content_ref(c);
	le->e.parent = move_span(e->parent, &to);
	le->e.name = move_span(e->name, &to);
	le->e.target = move_span(e->target, &to);
	le->e.xattrs = move_span(e->xattrs, &to);
	le->e.meta = move_span(e->meta, &to);
	b->entry_bytes += len + ENTRY_OWN_BYTES;
}

void lane_block_add_segment(struct lane_block *b, struct content_parts *c,
			    uint32_t i, uint32_t off)
{
	b->segments = mem_grow(b->segments, &b->segments_cap, b->n_segments + 1,
			       sizeof(*b->segments));
	b->segments[b->n_segments++] = (struct lane_segment){
		.content = content_ref(c), .i = i, .off = off
	};
}

/* The hashes a record names, with its own block's place marked. */
static enum rc record_hashes(const struct lane_block *b,
			     struct content_parts *c, struct buf *out,
			     struct err *err)
{
	bool own = c->tail_block == b->number;
	uint8_t *to =
		buf_reserve(out, (size_t)content_n_blocks(c) * BLOCK_HASH_LEN);
	enum rc rc = RC_OK;

	if (!to)
		return err_set(err, RC_NOMEM, "no memory for records");
	content_wait(c, own ? 1 : 0);
	for (uint32_t i = 0; i < content_n_blocks(c) && !rc;
	     i += HASHES_AT_ONCE) {
		struct block_ref refs[HASHES_AT_ONCE];
		uint32_t n = content_n_blocks(c) - i;

		if (n > HASHES_AT_ONCE)
			n = HASHES_AT_ONCE;
		rc = content_read(c, i, n, refs, err);
		for (uint32_t k = 0; k < n && !rc; k++)
			memcpy(to + (size_t)(i + k) * BLOCK_HASH_LEN,
			       refs[k].hash, BLOCK_HASH_LEN);
	}
	if (rc)
		return rc;
	out->len += (size_t)content_n_blocks(c) * BLOCK_HASH_LEN;
	if (own)
		memset(out->p + out->len - BLOCK_HASH_LEN, RECORD_HASH_OWN,
		       BLOCK_HASH_LEN);
	return RC_OK;
}

static enum rc write_record(struct lane_block *b, struct lane_entry *le,
			    const struct entry *prev)
{
	CLEANUP_BUF struct buf hashes = { .max = BLOCK_RECORDS_MAX };
	struct record rec = { .entry = le->e, .where = RECORD_NONE };
	struct content_parts *c = le->content;

	if (le->e.type == ENTRY_REG && le->e.size) {
		rec.where = RECORD_HERE;
		rec.entry.content.n_blocks = 1;
		rec.entry.content.tail_off = c ? c->tail_off : le->off;
	}
	if (c && (content_n_blocks(c) > 1 || c->tail_block != b->number)) {
		rec.where = RECORD_HASHES;
		rec.entry.content.n_blocks = content_n_blocks(c);
		rec.entry.content.block_size = content_block_size(c);
		if (record_hashes(b, c, &hashes, &b->err))
			return b->err.rc;
		rec.hashes = hashes.p;
	}
	record_encode(&rec, prev, &b->records);
	return RC_OK;
}

/* Digests of the files that are whole in this block. */
static void hash_files(struct lane_block *b)
{
	for (size_t i = 0; i < b->n_entries; i++) {
		struct lane_entry *le = &b->entries[i];

		if (le->e.type != ENTRY_REG || le->content || le->e.has_hash)
			continue;
		sha256_of(le->e.size ? b->data.p + le->off : NULL, le->e.size,
			  le->e.sha256);
		le->e.has_hash = true;
	}
}

/* Is there room for the entry's record?  Without one the file cannot be
 * salvaged should the index be lost, which is the lot of files of very many
 * blocks.
 */
static bool record_fits(const struct lane_block *b, const struct lane_entry *le)
{
	size_t len = RECORD_FIELDS_MAX + le->e.parent.len + le->e.name.len +
		     le->e.target.len + le->e.xattrs.len + le->e.meta.len;

	if (le->content && content_n_blocks(le->content) > RECORD_BLOCKS_MAX)
		return false;
	if (le->content)
		len += (size_t)content_n_blocks(le->content) * BLOCK_HASH_LEN;
	return len <= BLOCK_RECORDS_MAX - b->records.len;
}

/* Noise is left as it is, unless a quick try makes it smaller: so no level
 * costs much time on it, nor does reading it.
 */
static enum rc try_noise(struct lane_block *b, bool *ret_is_noise)
{
	const struct codec *codec = codec_by_id(b->codec);
	size_t len = b->data.len, cap = len - len / NOISE_GAIN, n = 0;
	uint8_t *to;
	enum rc rc;

	*ret_is_noise =
		b->codec != CODEC_NONE && !is_compressible(b->data.p, len);
	if (!*ret_is_noise)
		return RC_OK;
	to = buf_reserve(&b->stored, cap);
	if (!to)
		return err_set(&b->err, RC_NOMEM, "no memory for a block");
	rc = codec->encode(b->data.p, len, codec->level_min, to, cap, &n,
			   &b->err);
	*ret_is_noise = !n;
	return rc;
}

static enum rc encode(struct lane_block *b)
{
	const struct entry *prev = NULL;
	struct block_parts parts;
	bool is_noise = false;
	uint32_t n = 0;
	enum rc rc;

	hash_files(b);
	for (size_t i = 0; i < b->n_entries; i++) {
		if (!record_fits(b, &b->entries[i]))
			continue;
		rc = write_record(b, &b->entries[i], prev);
		if (rc)
			return rc;
		prev = &b->entries[i].e;
		n++;
	}
	if (!buf_ok(&b->records))
		return err_set(&b->err, RC_NOMEM, "no memory for records");
	rc = try_noise(b, &is_noise);
	if (rc)
		return rc;
	parts = (struct block_parts){ .data = b->data.p,
				      .data_len = b->data.len,
				      .records = b->records.p,
				      .records_len = b->records.len,
				      .n_records = n,
				      .data_codec =
					      is_noise ? CODEC_NONE : b->codec,
				      .records_codec = b->codec,
				      .level = b->level };
	return block_build(&parts, &b->stored, &b->ref, &b->err);
}

void lane_block_encode(void *arg)
{
	struct lane_block *b = arg;

	for (size_t i = 0; i < b->n_segments; i++) {
		struct lane_segment *s = &b->segments[i];

		s->piece.i = s->i;
		s->piece.p = b->data.p + s->off;
		content_offer(s->content, &s->piece);
	}
	b->rc = encode(b);
	for (size_t i = 0; i < b->n_segments; i++)
		content_done(b->segments[i].content, b->segments[i].i, &b->ref);
}

void lane_block_wait_hashed(struct lane_block *b)
{
	for (size_t i = 0; i < b->n_segments; i++)
		content_wait_hashed(b->segments[i].content, b->segments[i].i);
}
