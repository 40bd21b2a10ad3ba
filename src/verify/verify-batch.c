/* SPDX-License-Identifier: Apache-2.0 */
/* verify-batch.c - some files of a shard, checked with the blocks they are in.
 */
#include "config.h"

#include "verify/verify-batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256-many.h"
#include "base/stop.h"
#include "run/throttle.h"
#include "shard/shard-format.h"
#include "verify/verify-block.h"

#define TOGETHER 256u             /* messages hashed at once */
#define TOGETHER_BYTES (1u << 20) /* of blocks that stay for that */

/* Files in one block each that wait to be hashed, and the blocks that are not
 * needed after that.
 */
struct waiting {
	struct sha256_message sums[TOGETHER];
	struct batch_file *files[TOGETHER];
	struct batch_block *blocks[TOGETHER];
	size_t n, n_blocks, bytes;
};

struct batch *batch_new(const struct raw_shard *s, uint32_t number,
			bool may_stop)
{
	struct batch *b = xcalloc(1, sizeof(*b));

	b->s = s;
	b->number = number;
	b->may_stop = may_stop;
	return b;
}

static void drop_data(struct batch_block *v)
{
	free(v->data);
	v->data = NULL;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_blocks; i++)
		drop_data(&b->blocks[i]);
	for (size_t i = 0; i < b->n_files; i++)
		free((void *)(uintptr_t)b->files[i].parent.p);
	free(b->blocks);
	free(b->segments);
	free(b->files);
	free(b->bytes);
	free(b);
}

/* --- filling -------------------------------------------------------------- */

static uint32_t add_block(struct batch *b, struct verify_block *block)
{
	uint32_t at = block->at;

	if (block->batch == b->number)
		return at;
	at = (uint32_t)b->n_blocks;
	b->blocks = mem_grow(b->blocks, &b->cap_blocks, b->n_blocks + 1,
			     sizeof(*b->blocks));
	b->blocks[b->n_blocks++] =
		(struct batch_block){ .block = block, .ref = block->ref };
	b->stored += block->ref.stored_len;
	block->batch = b->number;
	block->at = at;
	return at;
}

void batch_add(struct batch *b, struct verify_block *block,
	       const struct block_ref *ref, uint32_t other, uint32_t from,
	       uint32_t len)
{
	uint32_t at = block ? add_block(b, block) : other;

	if (block)
		b->blocks[at].n_uses++;
	b->segments = mem_grow(b->segments, &b->cap_segments, b->n_segments + 1,
			       sizeof(*b->segments));
	b->segments[b->n_segments++] = (struct batch_segment){
		.at = at, .from = from, .len = len, .off = ref->off
	};
	b->plain += len;
}

void batch_add_file(struct batch *b, const struct entry *e, size_t first,
		    bool is_deleted)
{
	struct batch_file *f;
	size_t n = e->parent.len, m = e->name.len;
	char *copy = xcalloc(1, n + m + 1);

	if (n)
		memcpy(copy, e->parent.p, n);
	if (m)
		memcpy(copy + n, e->name.p, m);
	b->files = mem_grow(b->files, &b->cap_files, b->n_files + 1,
			    sizeof(*b->files));
	f = &b->files[b->n_files++];
	*f = (struct batch_file){ .parent = span_of(copy, n),
				  .name = span_of(copy + n, m),
				  .size = e->size,
				  .has_hash = e->has_hash,
				  .is_deleted = is_deleted,
				  .first = first,
				  .n = b->n_segments - first };
	memcpy(f->sha256, e->sha256, ENTRY_HASH_LEN);
}

size_t batch_memory(const struct batch *b)
{
	uint64_t n = b->stored, largest = 0, all = 0;

	for (size_t i = 0; i < b->n_blocks; i++) {
		all += b->blocks[i].ref.data_len;
		if (b->blocks[i].ref.data_len > largest)
			largest = b->blocks[i].ref.data_len;
	}
	/* Files of two kinds take turns, so two blocks are open, and some wait.
	 */
	largest = 2 * largest + TOGETHER_BYTES;
	n += !b->is_piece && all > largest ? largest : all;
	return (size_t)n;
}

/* --- running -------------------------------------------------------------- */

static int by_offset(const void *a, const void *b)
{
	const struct batch_block *const *x = a, *const *y = b;

	return ((*x)->ref.off > (*y)->ref.off) -
	       ((*x)->ref.off < (*y)->ref.off);
}

static enum rc read_bytes(const struct batch *b, uint64_t off, uint8_t *to,
			  size_t len, struct err *err)
{
	throttle_wait(b->s->throttle, 0, len);
	return raw_shard_get(b->s, off, to, len, err);
}

/* Of this place alone: the next may be read.  A bad sector is such a one, a
 * server that does not answer is none.
 */
static bool tells_of_place(const struct batch *b, enum rc rc)
{
	return !rc_is_transient(rc) ||
	       (rc == RC_IO && !store_is_remote(b->s->store));
}

/* Blocks that follow each other, into the bytes at to.  Where they do not come
 * together one may be there beside one that is not, or be small enough for a
 * slow server; but what answers neither is not asked for each of them.
 */
static void read_run(struct batch *b, struct batch_block *const *v, size_t n,
		     uint8_t *to, size_t len)
{
	struct err err;
	enum rc rc = read_bytes(b, v[0]->ref.off, to, len, &err);
	bool ask_each = rc && n > 1;

	for (size_t i = 0; i < n; i++) {
		v[i]->stored = to;
		to += v[i]->ref.stored_len;
		if (ask_each) {
			rc = read_bytes(b, v[i]->ref.off, v[i]->stored,
					v[i]->ref.stored_len, &err);
			ask_each = tells_of_place(b, rc);
		}
		if (rc) {
			v[i]->err = err;
			v[i]->failed = true;
			raw_shard_failed(b->s, &err);
		}
	}
}

static bool follows(const struct batch_block *a, const struct batch_block *b)
{
	return a->ref.off + a->ref.stored_len == b->ref.off;
}

/* All blocks, with as few reads as can be. */
static bool read_blocks(struct batch *b)
{
	CLEANUP_FREE struct batch_block **sorted =
		xcalloc(b->n_blocks + 1, sizeof(struct batch_block *));
	uint8_t *to;
	size_t n;

	b->bytes = mem_array(b->stored ? b->stored : 1, 1);
	if (!b->bytes)
		return false;
	to = b->bytes;
	for (size_t i = 0; i < b->n_blocks; i++)
		sorted[i] = &b->blocks[i];
	if (b->n_blocks)
		qsort(sorted, b->n_blocks, sizeof(struct batch_block *),
		      by_offset);
	for (size_t i = 0; i < b->n_blocks; i += n) {
		size_t len = sorted[i]->ref.stored_len;

		for (n = 1; i + n < b->n_blocks &&
			    follows(sorted[i + n - 1], sorted[i + n]);
		     n++)
			len += sorted[i + n]->ref.stored_len;
		read_run(b, sorted + i, n, to, len);
		to += len;
	}
	return true;
}

static void hash_blocks(struct batch *b)
{
	CLEANUP_FREE struct sha256_message *sums =
		xcalloc(b->n_blocks, sizeof(*sums));
	size_t n = 0;

	for (size_t i = 0; i < b->n_blocks; i++) {
		const struct batch_block *v = &b->blocks[i];

		if (!v->failed)
			sums[n++] = (struct sha256_message){
				.p = v->stored, .len = v->ref.stored_len
			};
	}
	sha256_many(sums, n);
	n = 0;
	for (size_t i = 0; i < b->n_blocks; i++) {
		struct batch_block *v = &b->blocks[i];

		if (!v->failed)
			v->is_other = memcmp(sums[n++].hash, v->ref.hash,
					     BLOCK_HASH_LEN) != 0;
	}
}

static enum rc check_block(struct batch_block *v, struct block_header *ret)
{
	enum rc rc = block_check(v->stored, v->ref.stored_len, &v->ref, false,
				 ret, &v->err);

	if (!rc && v->is_other)
		rc = err_set(&v->err, RC_CORRUPT, "block hash mismatch");
	return rc;
}

/* The block's data; NULL when it is damaged. */
static const uint8_t *open_block(struct batch_block *v)
{
	struct block_header h;
	uint8_t *data = NULL;

	if (v->failed || v->data)
		return v->data;
	v->failed = check_block(v, &h) ||
		    verify_block_decode(v->stored, &h, &data, &v->err);
	v->data = data;
	return data;
}

bool batch_hash(struct batch *b, size_t first, size_t n, struct sha256 *sum)
{
	bool is_whole = true;

	for (size_t i = first; i < first + n; i++) {
		const struct batch_segment *g = &b->segments[i];
		struct batch_block *v;
		const uint8_t *data;

		if (g->at == BATCH_HOLE)
			sha256_update_zeros(sum, g->len);
		is_whole &= g->at != BATCH_ODD;
		if (g->at == BATCH_HOLE || g->at == BATCH_ODD)
			continue;
		v = &b->blocks[g->at];
		data = open_block(v);
		if (data && is_whole)
			sha256_update(sum, data + g->from, g->len);
		is_whole &= !!data;
		if (!--v->n_uses)
			drop_data(v);
	}
	return is_whole;
}

static void hash_waiting(struct waiting *w)
{
	sha256_many(w->sums, w->n);
	for (size_t i = 0; i < w->n; i++)
		w->files[i]->is_other =
			memcmp(w->sums[i].hash, w->files[i]->sha256,
			       SHA256_LEN) != 0;
	for (size_t i = 0; i < w->n_blocks; i++)
		drop_data(w->blocks[i]);
	w->n = w->n_blocks = w->bytes = 0;
}

/* One that is in one block. */
static void hash_small(struct batch *b, struct batch_file *f, struct waiting *w)
{
	const struct batch_segment *g = &b->segments[f->first];
	struct batch_block *v = &b->blocks[g->at];
	const uint8_t *data = open_block(v);

	f->is_whole = !!data;
	if (data && f->has_hash) {
		w->files[w->n] = f;
		w->sums[w->n++] = (struct sha256_message){ .p = data + g->from,
							   .len = g->len };
	}
	if (!--v->n_uses) {
		w->blocks[w->n_blocks++] = v;
		w->bytes += v->ref.data_len;
	}
	if (w->n == TOGETHER || w->n_blocks == TOGETHER ||
	    w->bytes >= TOGETHER_BYTES)
		hash_waiting(w);
}

static void hash_large(struct batch *b, struct batch_file *f)
{
	uint8_t hash[SHA256_LEN];
	struct sha256 sum;

	sha256_init(&sum);
	f->is_whole = batch_hash(b, f->first, f->n, &sum);
	if (!f->is_whole || !f->has_hash)
		return;
	sha256_final(&sum, hash);
	f->is_other = memcmp(hash, f->sha256, SHA256_LEN) != 0;
}

static void hash_files(struct batch *b)
{
	CLEANUP_FREE struct waiting *w = xcalloc(1, sizeof(*w));

	for (size_t i = 0; i < b->n_files; i++) {
		struct batch_file *f = &b->files[i];

		if (f->n == 1 && b->segments[f->first].at < BATCH_ODD) {
			hash_small(b, f, w);
			continue;
		}
		/* It may be the last in blocks of those that wait. */
		hash_waiting(w);
		hash_large(b, f);
	}
	hash_waiting(w);
}

void batch_run(void *arg)
{
	struct batch *b = arg;

	b->is_stopped = b->may_stop && stop_requested();
	if (!b->is_stopped)
		b->is_stopped = b->has_no_memory = !read_blocks(b);
	if (b->is_stopped)
		return;
	hash_blocks(b);
	if (!b->is_piece)
		hash_files(b);
	for (size_t i = 0; b->is_piece && i < b->n_blocks; i++)
		(void)open_block(&b->blocks[i]);
}
