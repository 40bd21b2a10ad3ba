/* SPDX-License-Identifier: Apache-2.0 */
/* verify-files.c - the data of a whole shard, batch by batch.
 *
 * Files are gathered to batches of a few MiB, larger ones cut into pieces of
 * that size.  Batches are run by the pool, and looked at in the order they were
 * made; the pieces of a file are hashed then, one after the other.
 */
#include "config.h"

#include "verify/verify-files.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "verify/verify-batch.h"
#include "verify/verify-blocks.h"
#include "verify/verify-pool.h"

#define PIECE_ALONE (2u << 20) /* without a pool: more gains nothing */
#define FILES_MAX 4096u
#define SEGMENTS_MAX 16384u

struct verify_files {
	const struct raw_shard *s;
	struct verify_pool *pool; /* may be NULL, and live */
	struct verify_live *live;
	struct verify_report *report;
	struct verify_blocks *blocks;
	size_t piece;
	uint32_t n_batches;
	struct batch *filling;      /* NULL: none */
	struct batch *first, **end; /* under way */
	struct sha256 sum;          /* of the file whose pieces are looked at */
	bool is_whole, any_bad;
	uint64_t bad_off; /* of the first damage of that file */
};

struct verify_files *verify_files_new(const struct raw_shard *s,
				      struct verify_pool *pool,
				      struct verify_live *live,
				      struct verify_report *report)
{
	struct verify_files *f = xcalloc(1, sizeof(*f));

	f->s = s;
	f->pool = pool;
	f->live = live;
	f->report = report;
	f->blocks = verify_blocks_new();
	f->piece = pool ? verify_pool_piece(pool) : PIECE_ALONE;
	f->end = &f->first;
	return f;
}

void verify_files_free(struct verify_files *f)
{
	if (!f)
		return;
	verify_blocks_free(f->blocks);
	free(f);
}

/* --- looking at batches --------------------------------------------------- */

/* Tell what is wrong with the file's segments; where the first damage is. */
static uint64_t tell_segments(struct verify_files *f, struct batch *b,
			      const struct batch_file *file)
{
	uint64_t bad_off = FINDING_NO_OFFSET;

	for (size_t i = file->first; i < file->first + file->n; i++) {
		const struct batch_segment *g = &b->segments[i];
		struct batch_block *v;

		if (g->at == BATCH_HOLE)
			continue;
		if (g->at == BATCH_ODD) {
			verify_damage(f->report, g->off,
				      "block that two files state differently");
			bad_off =
				bad_off == FINDING_NO_OFFSET ? g->off : bad_off;
			continue;
		}
		v = &b->blocks[g->at];
		if (!v->failed)
			continue;
		if (bad_off == FINDING_NO_OFFSET)
			bad_off = g->off;
		if (v->block->is_bad)
			continue;
		v->block->is_bad = true;
		f->any_bad = true;
		verify_damage(f->report, g->off, "block of %u bytes: %s",
			      v->ref.stored_len, v->err.msg);
	}
	return bad_off;
}

static void tell_file(struct verify_files *f, const struct batch_file *file,
		      bool is_whole, uint64_t bad_off)
{
	if (f->live) {
		atomic_fetch_add(&f->live->files, 1);
		atomic_fetch_add(&f->live->bytes, file->size);
	}
	if (is_whole && !file->is_other)
		return;
	if (is_whole) {
		bad_off = FINDING_NO_OFFSET;
		verify_damage(f->report, bad_off,
			      "SHA-256 of a file is not the one its entry "
			      "states");
	}
	if (!file->is_deleted)
		verify_lost(f->report, bad_off, file->parent, file->name);
}

/* The next piece of a file. */
static void look_at_piece(struct verify_files *f, struct batch *b)
{
	struct batch_file *file = &b->files[0];
	uint8_t hash[SHA256_LEN];
	uint64_t bad_off;

	if (b->is_first) {
		sha256_init(&f->sum);
		f->is_whole = true;
		f->bad_off = FINDING_NO_OFFSET;
	}
	bad_off = tell_segments(f, b, file);
	if (f->bad_off == FINDING_NO_OFFSET)
		f->bad_off = bad_off;
	f->is_whole &= batch_hash(b, file->first, file->n, &f->sum);
	if (!b->is_last)
		return;
	sha256_final(&f->sum, hash);
	file->is_other =
		file->has_hash && memcmp(hash, file->sha256, SHA256_LEN) != 0;
	tell_file(f, file, f->is_whole, f->bad_off);
}

static void look_at(struct verify_files *f, struct batch *b)
{
	if (b->is_stopped && b->has_no_memory) {
		verify_damage(f->report, FINDING_NO_OFFSET,
			      "no memory to read some of its blocks");
		f->any_bad = true;
	}
	f->report->is_stopped |= b->is_stopped && !b->has_no_memory;
	if (b->is_stopped)
		return;
	if (b->is_piece) {
		look_at_piece(f, b);
		return;
	}
	for (size_t i = 0; i < b->n_files; i++) {
		const struct batch_file *file = &b->files[i];
		uint64_t bad_off = tell_segments(f, b, file);

		tell_file(f, file, file->is_whole, bad_off);
	}
}

static void finish_first(struct verify_files *f)
{
	struct batch *b = f->first;

	job_wait(verify_pool_workers(f->pool), &b->job);
	f->first = b->next;
	if (!f->first)
		f->end = &f->first;
	look_at(f, b);
	verify_pool_give(f->pool, b->memory);
	batch_free(b);
}

/* --- making them ---------------------------------------------------------- */

static void submit(struct verify_files *f)
{
	struct batch *b = f->filling;

	f->filling = NULL;
	if (!f->pool) {
		batch_run(b);
		look_at(f, b);
		batch_free(b);
		return;
	}
	b->memory = batch_memory(b);
	/* Who has some under way waits for these and for nobody else. */
	while (!verify_pool_take(f->pool, b->memory, !f->first))
		finish_first(f);
	*f->end = b;
	f->end = &b->next;
	job_submit(verify_pool_workers(f->pool), &b->job, batch_run, b);
	while (f->first != b &&
	       job_is_done(verify_pool_workers(f->pool), &f->first->job))
		finish_first(f);
}

static struct batch *filling(struct verify_files *f)
{
	/* 0 is what blocks have that were in none. */
	if (!f->filling)
		f->filling =
			batch_new(f->s, ++f->n_batches, f->report->may_stop);
	return f->filling;
}

static bool is_full(const struct verify_files *f, const struct batch *b)
{
	return b->stored >= f->piece || b->plain >= 4 * (uint64_t)f->piece ||
	       b->n_files >= FILES_MAX || b->n_segments >= SEGMENTS_MAX;
}

static void add_segment(struct verify_files *f, struct batch *b,
			const struct block_ref *ref, uint32_t from,
			uint32_t len)
{
	struct verify_block *block = NULL;

	if (!block_is_hole(ref))
		block = verify_blocks_note(f->blocks, ref);
	batch_add(b, block, ref, block_is_hole(ref) ? BATCH_HOLE : BATCH_ODD,
		  from, len);
}

/* Pieces are full of data to decode, which has to be kept. */
static bool is_full_piece(const struct verify_files *f, const struct batch *b)
{
	return b->plain >= f->piece || b->n_segments >= SEGMENTS_MAX;
}

static void add_large(struct verify_files *f, const struct entry *e,
		      const struct block_ref *refs, bool is_deleted)
{
	const struct content *c = &e->content;
	uint64_t left = e->size;
	bool is_first = true;

	for (uint32_t i = 0; i < c->n_blocks; i++) {
		struct batch *b = filling(f);
		bool is_last = i + 1 == c->n_blocks;
		uint64_t len = is_last ? left : c->block_size;

		left -= len;
		b->is_piece = true;
		b->is_first = is_first;
		b->is_last = is_last;
		add_segment(f, b, &refs[i], is_last ? c->tail_off : 0,
			    (uint32_t)len);
		if (!is_last && !is_full_piece(f, b))
			continue;
		batch_add_file(b, e, 0, is_deleted);
		submit(f);
		is_first = false;
		if (verify_is_stopped(f->report))
			return;
	}
}

void verify_files_add(struct verify_files *f, const struct entry *e,
		      const struct block_ref *refs, bool is_deleted)
{
	const struct content *c = &e->content;
	uint64_t left = e->size;
	struct batch *b = filling(f);
	size_t first = b->n_segments;

	if (e->size > f->piece || c->n_blocks > SEGMENTS_MAX) {
		if (b->n_files)
			submit(f);
		add_large(f, e, refs, is_deleted);
		return;
	}
	for (uint32_t i = 0; i < c->n_blocks; i++) {
		bool is_last = i + 1 == c->n_blocks;
		uint64_t len = is_last ? left : c->block_size;

		left -= len;
		add_segment(f, b, &refs[i], is_last ? c->tail_off : 0,
			    (uint32_t)len);
	}
	batch_add_file(b, e, first, is_deleted);
	if (is_full(f, b))
		submit(f);
}

void verify_files_end(struct verify_files *f, bool is_complete)
{
	if (f->filling && f->filling->n_files)
		submit(f);
	batch_free(f->filling);
	f->filling = NULL;
	while (f->first)
		finish_first(f);
	if (!verify_is_stopped(f->report))
		verify_blocks_rest(f->blocks, f->s, is_complete && !f->any_bad,
				   f->report);
}
