/* SPDX-License-Identifier: Apache-2.0 */
/* lane.c - the order of the blocks of a shard in the making.
 *
 * A block gets its number, which is its place in the shard, with its first
 * data. Those of one kind follow one another, so when a block is added all its
 * entries can follow but those behind one of an open block of the other kind;
 * that was begun later and is next in turn.  So at most one block of each kind
 * has entries that wait.
 */
#include "config.h"

#include "pack/lane.h"

#include <stdlib.h>

#include "base/mem.h"
#include "pack/lane-backend.h"
#include "pack/lane-pool.h"
#include "pack/same.h"
#include "run/state.h"
#include "shard/shard-format.h"

/* Bytes of data in flight after which the oldest block is waited for; at least
 * those of some large blocks.  Nothing may depend on the number of threads, so
 * this is enough for many.
 */
#define WINDOW_BYTES (12u << 20)
#define WINDOW_LARGE 4u

/* A block is ended when so many were begun after it, though it is not full:
 * they wait for it, and a directory's files should lie together.
 */
#define SPREAD 16u

/* A block with so many entries, or bytes of them, is ended: a reader of any
 * file in it has to fetch their records too.
 */
#define BLOCK_ENTRIES_MAX 4096u
#define BLOCK_ENTRY_BYTES (128u << 10)

static uint64_t window_bytes(const struct block_sizes *sizes)
{
	uint64_t least = (uint64_t)WINDOW_LARGE * sizes->large;

	return least > WINDOW_BYTES ? least : WINDOW_BYTES;
}

uint64_t lane_memory(const struct block_sizes *sizes)
{
	/* Besides those in flight: open ones, those held, those aside. */
	uint64_t n = LANE_WINDOW + 2 * KINDS + 2;
	uint64_t small = n * sizes->group, large = window_bytes(sizes);
	uint64_t entries = BLOCK_ENTRY_BYTES / ENTRY_OWN_BYTES;

	if (sizes->large == sizes->group)
		large = 0;
	if (small > window_bytes(sizes))
		small = window_bytes(sizes);
	/* A block is there as it was read and as it is stored; of large ones
	 * one is aside, one open, one beyond the window.
	 */
	return 2 * (small + large + 3 * (uint64_t)sizes->large) +
	       n * (entries * sizeof(struct lane_entry) + BLOCK_ENTRY_BYTES) +
	       same_memory();
}

struct lane_block *lane_take_block(struct lane *l, bool is_large)
{
	struct lane_block *b = lane_pool_take(l->opts.pool, is_large);

	return b ? b : lane_block_new(&l->opts, is_large);
}

void lane_give_block(struct lane *l, struct lane_block *b)
{
	lane_pool_give(l->opts.pool, b);
}

struct lane *lane_new(const struct lane_options *opts)
{
	struct lane *l = xcalloc(1, sizeof(*l));

	l->opts = *opts;
	l->label = LANE_NO_LABEL;
	l->same = same_new();
	return l;
}

void lane_free(struct lane *l)
{
	if (!l)
		return;
	for (unsigned int k = 0; k < KINDS; k++) {
		if (l->open[k] && l->open[k]->number == LANE_NO_NUMBER)
			lane_give_block(l, l->open[k]);
		lane_give_block(l, l->held[k]);
	}
	/* A worker may be hashing what is in another one's block. */
	for (uint64_t i = l->first; i < l->next; i++)
		if (l->blocks[i % LANE_WINDOW]->is_flying)
			job_wait(l->opts.workers,
				 &l->blocks[i % LANE_WINDOW]->job);
	while (l->first < l->next)
		lane_give_block(l, l->blocks[l->first++ % LANE_WINDOW]);
	lane_give_block(l, l->aside);
	lane_give_block(l, l->aside_large);
	same_free(l->same);
	free(l->uid);
	free(l);
}

/* --- blocks in their order --------------------------------------------------
 */

static bool is_full(const struct lane *l)
{
	return l->next - l->first == LANE_WINDOW ||
	       l->n_bytes >= window_bytes(&l->opts.sizes);
}

/* With all blocks in flight wait for a quarter of them and not for one: being
 * woken for each costs more than its retiring.
 */
static void await_some(struct lane *l)
{
	const struct lane_block *oldest = l->blocks[l->first % LANE_WINDOW];
	uint64_t n = (l->next - l->first) / 4;
	struct lane_block *b = l->blocks[(l->first + n) % LANE_WINDOW];
	enum state_doing was;

	if (!oldest->is_flying || !b->is_flying ||
	    job_is_done(l->opts.workers, &oldest->job))
		return;
	was = state_enter(STATE_COMPRESSING);
	job_wait(l->opts.workers, &b->job);
	state_leave(was);
}

enum rc lane_number(struct lane *l, struct lane_block *b, struct err *err)
{
	enum rc rc = RC_OK;

	while (!rc && is_full(l)) {
		await_some(l);
		rc = lane_retire(l, err);
	}
	if (rc)
		return rc;
	b->number = l->next;
	l->blocks[l->next++ % LANE_WINDOW] = b;
	return RC_OK;
}

enum rc lane_end_block(struct lane *l, enum kind k, struct err *err)
{
	struct lane_block *b = l->open[k];
	enum rc rc;

	if (!b)
		return RC_OK;
	if (b->number == LANE_NO_NUMBER) {
		rc = lane_number(l, b, err);
		if (rc)
			return rc;
	}
	l->open[k] = NULL;
	lane_launch(l, b);
	return RC_OK;
}

enum rc lane_end_old(struct lane *l, struct err *err)
{
	enum rc rc = RC_OK;

	for (unsigned int k = 0; k < KINDS && !rc; k++) {
		const struct lane_block *b = l->open[k];

		if (b && b->number != LANE_NO_NUMBER &&
		    l->next - b->number > SPREAD)
			rc = lane_end_block(l, (enum kind)k, err);
	}
	return rc;
}

enum rc lane_end_data(struct lane *l, struct err *err)
{
	enum rc rc = RC_OK;

	for (unsigned int k = 0; k < KINDS && !rc; k++) {
		if (l->open[k] && l->open[k]->data.len)
			rc = lane_end_block(l, (enum kind)k, err);
	}
	return rc;
}

/* --- entries ----------------------------------------------------------------
 */

/* The kind of block an entry belongs to: that with its last bytes, or in which
 * others are now.
 */
static enum kind kind_for(const struct lane *l, const struct entry *e,
			  const struct content_parts *c)
{
	if (!c && e->type == ENTRY_REG && e->size)
		return l->kept;
	for (unsigned int k = 0; c && k < KINDS; k++) {
		if (l->open[k] && l->open[k]->number == c->tail_block)
			return (enum kind)k;
	}
	if (!l->open[l->last] && l->open[!l->last])
		return l->last == DENSE ? NOISE : DENSE;
	return l->last;
}

enum rc lane_entry(struct lane *l, const struct entry *e,
		   struct content_parts *c, uint32_t off, struct err *err)
{
	enum kind k = kind_for(l, e, c);
	struct lane_block *b = l->open[k];

	if (!b)
		b = l->open[k] = lane_take_block(l, false);
	lane_block_add_entry(b, e, c, off, l->n_seq++);
	b->entries[b->n_entries - 1].label = l->label;
	if (!c && e->type == ENTRY_REG && e->size)
		b->entries[b->n_entries - 1].quick = l->quick;
	if (k == ALONE || b->n_entries >= BLOCK_ENTRIES_MAX ||
	    b->entry_bytes >= BLOCK_ENTRY_BYTES)
		return lane_end_block(l, k, err);
	return RC_OK;
}

void lane_label(struct lane *l, uint64_t label)
{
	l->label = label;
}

enum rc lane_finish(struct lane *l, uint64_t *ret, struct err *err)
{
	enum rc rc = RC_OK;

	for (unsigned int k = 0; k < KINDS && !rc; k++)
		rc = lane_end_block(l, (enum kind)k, err);
	while (!rc && l->first < l->next)
		rc = lane_retire(l, err);
	if (!rc && l->n_added != l->n_seq)
		return err_set(err, RC_IO,
			       "%llu entries of %llu reached the shard",
			       (unsigned long long)l->n_added,
			       (unsigned long long)l->n_seq);
	if (!rc)
		*ret = l->n_entries;
	return rc;
}
