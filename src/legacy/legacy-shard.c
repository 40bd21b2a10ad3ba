/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-shard.c - reading shards that are made of older ones. */
#include "config.h"

#include "legacy/legacy-shard.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "legacy/legacy-content.h"
#include "legacy/legacy-segments.h"
#include "shard/shard-block.h"
#include "shard/shard-build.h"

/* What may lie between files that are read with one request: so many bytes
 * between two, and in all so many besides, and for each that is wanted.
 */
#define GAP_MAX (UINT64_C(64) << 10)
#define GAPS_FREE (UINT64_C(192) << 10)
#define GAPS_TIMES 2u

struct legacy_shards *legacy_shards_new(const char *dir)
{
	struct legacy_shards *s = xcalloc(1, sizeof(*s));

	atomic_init(&s->refs, 1);
	spool_init(&s->bytes, dir, LEGACY_SPOOL_MEMORY);
	spool_init(&s->places, dir, LEGACY_SPOOL_MEMORY);
	spool_init(&s->starts, dir, LEGACY_SPOOL_MEMORY);
	spool_init(&s->texts, dir, LEGACY_SPOOL_MEMORY);
	spool_init(&s->index, dir, LEGACY_SPOOL_MEMORY);
	legacy_deleted_init(&s->deleted, dir);
	return s;
}

struct legacy_shards *legacy_shards_ref(struct legacy_shards *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void legacy_shards_unref(struct legacy_shards *s)
{
	if (!s ||
	    atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	shard_build_free(s->build);
	spool_release(&s->bytes);
	spool_release(&s->places);
	spool_release(&s->starts);
	spool_release(&s->texts);
	spool_release(&s->index);
	legacy_deleted_release(&s->deleted);
	free(s->shards);
	free(s);
}

const struct legacy_shard *legacy_shards_find(const struct legacy_shards *s,
					      const char *key)
{
	/* By day and slot is by key, as long as these have so many digits. */
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(s->shards[mid].key, key);

		if (!c)
			return &s->shards[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* --- places --------------------------------------------------------------- */

static enum rc read_start(const struct legacy_shards *s, uint64_t i,
			  struct legacy_start *ret, struct err *err)
{
	return spool_read(&s->starts, i * sizeof(*ret), ret, sizeof(*ret), err);
}

static enum rc read_place(const struct legacy_shards *s, uint64_t i,
			  struct legacy_place *ret, struct err *err)
{
	struct legacy_start at;

	if (read_start(s, i, &at, err))
		return err->rc;
	return spool_read(&s->places, at.place * sizeof(*ret), ret,
			  sizeof(*ret), err);
}

static uint64_t n_blocks(const struct legacy_place *p)
{
	return (p->size - 1) / p->block_size + 1;
}

static uint64_t end_of(const struct legacy_place *p)
{
	return p->start + p->size + n_blocks(p) * BLOCK_HEADER_SIZE;
}

/* The place whose blocks have the byte at off. */
static enum rc find_place(const struct legacy_shards *s,
			  const struct legacy_shard *shard, uint64_t off,
			  uint64_t *ret_i, struct legacy_place *ret,
			  struct err *err)
{
	uint64_t low = shard->starts, high = shard->starts + shard->n_starts;

	while (high - low > 1) {
		uint64_t mid = low + (high - low) / 2;
		struct legacy_start at;

		if (read_start(s, mid, &at, err))
			return err->rc;
		if (at.start <= off)
			low = mid;
		else
			high = mid;
	}
	*ret_i = low;
	return read_place(s, low, ret, err);
}

/* --- blocks --------------------------------------------------------------- */

struct reading {
	struct legacy_shards *s;
	const struct legacy_shard *shard;
	struct legacy_contents *contents;
	bool is_ahead;
	uint8_t *out;  /* where the next bytes go */
	uint64_t off;  /* in the shard, of these */
	size_t len;    /* wanted yet */
	uint8_t *room; /* for a block of which not all is wanted */
	uint64_t told; /* contents know of places before this one */
};

static enum rc make_block(const struct reading *r, const struct legacy_place *p,
			  const char *text, uint64_t number, size_t len,
			  uint8_t *to, struct err *err)
{
	if (legacy_contents_read(r->contents, p, text, number * p->block_size,
				 to + BLOCK_HEADER_SIZE, len, r->is_ahead, err))
		return err->rc;
	block_wrap(to, len);
	return RC_OK;
}

static void take(struct reading *r, size_t n)
{
	r->out += n;
	r->off += n;
	r->len -= n;
}

/* A block that begins at start, or what is wanted of it. */
static enum rc read_block(struct reading *r, const struct legacy_place *p,
			  const char *text, uint64_t number, struct err *err)
{
	uint64_t stride = (uint64_t)p->block_size + BLOCK_HEADER_SIZE;
	uint64_t start = p->start + number * stride;
	uint64_t left = p->size - number * p->block_size;
	size_t len = left < p->block_size ? (size_t)left : p->block_size;
	size_t stored = len + BLOCK_HEADER_SIZE;
	size_t from = (size_t)(r->off - start);
	size_t n = stored - from;

	if (!from && r->len >= stored) {
		if (make_block(r, p, text, number, len, r->out, err))
			return err->rc;
		take(r, stored);
		return RC_OK;
	}
	if (!r->room)
		r->room = mem_array(LEGACY_BLOCK_LARGE + BLOCK_HEADER_SIZE, 1);
	if (!r->room)
		return err_set(err, RC_NOMEM, "%s: no memory for a block",
			       r->shard->key);
	if (make_block(r, p, text, number, len, r->room, err))
		return err->rc;
	if (n > r->len)
		n = r->len;
	memcpy(r->out, r->room + from, n);
	take(r, n);
	return RC_OK;
}

/* Whole blocks from number on: bytes of the file at once, behind where they are
 * to be, and then moved apart.
 */
static enum rc read_several(struct reading *r, const struct legacy_place *p,
			    const char *text, uint64_t number, size_t n,
			    struct err *err)
{
	uint64_t from = number * p->block_size, left = p->size - from;
	uint8_t *to = r->out, *bytes = r->out + n * BLOCK_HEADER_SIZE;
	size_t len = n * p->block_size;

	if (len > left)
		len = (size_t)left;
	if (legacy_contents_read(r->contents, p, text, from, bytes, len,
				 r->is_ahead, err))
		return err->rc;
	take(r, len + n * BLOCK_HEADER_SIZE);
	while (len) {
		size_t some = len < p->block_size ? len : p->block_size;

		memmove(to + BLOCK_HEADER_SIZE, bytes, some);
		block_wrap(to, some);
		to += BLOCK_HEADER_SIZE + some;
		bytes += some;
		len -= some;
	}
	return RC_OK;
}

/* Blocks of the place that are wanted whole, from where a block begins on. */
static size_t count_whole(const struct reading *r, const struct legacy_place *p)
{
	uint64_t stride = (uint64_t)p->block_size + BLOCK_HEADER_SIZE;
	uint64_t end = r->off + r->len;

	if ((r->off - p->start) % stride)
		return 0;
	if (end >= end_of(p))
		return (size_t)((end_of(p) - r->off + stride - 1) / stride);
	return (size_t)((end - r->off) / stride);
}

static enum rc read_next(struct reading *r, const struct legacy_place *p,
			 const char *text, struct err *err)
{
	uint64_t stride = (uint64_t)p->block_size + BLOCK_HEADER_SIZE;
	uint64_t number = (r->off - p->start) / stride;
	size_t n = count_whole(r, p);

	return n > 1 ? read_several(r, p, text, number, n, err)
		     : read_block(r, p, text, number, err);
}

static enum rc read_blocks(struct reading *r, const struct legacy_place *p,
			   struct err *err)
{
	CLEANUP_FREE char *text = mem_array((size_t)p->text_len + 1, 1);
	enum rc rc = RC_OK;

	if (!text)
		return err_set(err, RC_NOMEM, "%s: no memory for a text",
			       r->shard->key);
	rc = spool_read(&r->s->texts, p->text, text, p->text_len, err);
	text[p->text_len] = '\0';
	while (!rc && r->len && r->off < end_of(p))
		rc = read_next(r, p, text, err);
	return rc;
}

/* --- neighbours ----------------------------------------------------------- */

/* Bytes of an object that are read for places in it. */
struct run {
	uint64_t off, end;
	uint64_t wanted; /* of them; the rest is between files */
};

/* What of its object is read of a place within the bytes [from, to) of the
 * shard.
 */
static struct run run_of(const struct legacy_place *p, uint64_t from,
			 uint64_t to)
{
	uint64_t stride = (uint64_t)p->block_size + BLOCK_HEADER_SIZE;
	struct run run = { p->off, p->off + p->stored_len, p->stored_len };
	uint64_t n;

	if (p->codec != CODEC_NONE)
		return run;
	if (from > p->start)
		run.off += (from - p->start) / stride * p->block_size;
	n = (to - p->start + stride - 1) / stride;
	if (n < n_blocks(p))
		run.end = p->off + n * p->block_size;
	run.wanted = run.end - run.off;
	return run;
}

/* False: the next one is elsewhere. */
static bool run_join(struct run *run, const struct run *next)
{
	uint64_t wanted = run->wanted + next->wanted;

	if (next->off < run->end || next->off - run->end > GAP_MAX ||
	    next->end - run->off > LEGACY_SEGMENT_MAX ||
	    next->end - run->off > wanted * (GAPS_TIMES + 1) + GAPS_FREE)
		return false;
	run->end = next->end;
	run->wanted = wanted;
	return true;
}

/* Tell of files that are wanted with place i and follow it in its object. */
static enum rc tell_run(struct reading *r, uint64_t i,
			const struct legacy_place *first, struct err *err)
{
	uint64_t end = r->shard->starts + r->shard->n_starts;
	uint64_t to = r->off + r->len;
	struct run run;
	uint64_t k;

	r->told = i + 1;
	if (first->how != LEGACY_INLINE || end_of(first) >= to ||
	    !legacy_contents_cost(r->contents))
		return RC_OK;
	run = run_of(first, r->off, to);
	for (k = i + 1; k < end; k++) {
		struct legacy_place p;
		struct run next;

		if (read_place(r->s, k, &p, err))
			return err->rc;
		if (p.start >= to || p.how != LEGACY_INLINE ||
		    p.object != first->object)
			break;
		next = run_of(&p, p.start, to);
		if (!run_join(&run, &next))
			break;
	}
	r->told = k;
	if (k > i + 1)
		legacy_contents_expect(r->contents, first->object, run.off,
				       run.end,
				       run.wanted < (run.end - run.off) / 2);
	return RC_OK;
}

static enum rc read_data(struct reading *r, struct err *err)
{
	struct legacy_place p;
	uint64_t i = 0;
	enum rc rc;

	rc = find_place(r->s, r->shard, r->off, &i, &p, err);
	while (!rc) {
		if (i >= r->told)
			rc = tell_run(r, i, &p, err);
		if (!rc)
			rc = read_blocks(r, &p, err);
		if (rc || !r->len || r->off >= r->shard->data_end)
			break;
		rc = read_place(r->s, ++i, &p, err);
	}
	return rc;
}

/* --- all ------------------------------------------------------------------ */

static enum rc read_part(struct reading *r, const struct legacy_part *part,
			 struct err *err)
{
	uint64_t from = r->off - part->off;
	size_t n = r->len;

	if (n > part->len - from)
		n = (size_t)(part->len - from);
	if (spool_read(&r->s->bytes, part->at + from, r->out, n, err))
		return err->rc;
	take(r, n);
	return RC_OK;
}

static void read_pad(struct reading *r)
{
	uint64_t left = r->shard->pad_end - r->off;
	size_t n = left < r->len ? (size_t)left : r->len;

	memset(r->out, 0, n);
	take(r, n);
}

static const struct legacy_part *part_at(const struct legacy_shard *shard,
					 uint64_t off)
{
	for (size_t i = 0; i < ARRAY_LEN(shard->parts); i++) {
		const struct legacy_part *p = &shard->parts[i];

		if (off >= p->off && off - p->off < p->len)
			return p;
	}
	return NULL;
}

enum rc legacy_shards_read(struct legacy_shards *s,
			   const struct legacy_shard *shard,
			   struct legacy_contents *contents, uint64_t off,
			   void *buf, size_t len, bool is_ahead,
			   struct err *err)
{
	struct reading r = { .s = s,
			     .shard = shard,
			     .contents = contents,
			     .is_ahead = is_ahead,
			     .out = buf,
			     .off = off,
			     .len = len };
	enum rc rc = RC_OK;

	if (off > shard->size || len > shard->size - off)
		return err_set(err, RC_CORRUPT,
			       "%s: ends after %" PRIu64
			       " bytes, %zu at %" PRIu64 " are wanted",
			       shard->key, shard->size, len, off);
	while (r.len && !rc) {
		const struct legacy_part *part = part_at(shard, r.off);

		if (part)
			rc = read_part(&r, part, err);
		else if (r.off >= shard->data_end)
			read_pad(&r);
		else
			rc = read_data(&r, err);
	}
	free(r.room);
	return rc;
}
