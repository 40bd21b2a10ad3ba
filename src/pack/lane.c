/* SPDX-License-Identifier: Apache-2.0 */
/* lane.c - blocks of one shard in the making.
 *
 * A block gets its number, which is its place in the shard, with its first
 * data. Those of one kind follow one another, so when a block is added all its
 * entries can follow but those behind one of an open block of the other kind;
 * that was begun later and is next in turn.  So at most one block of each kind
 * has entries that wait.
 */
#include "config.h"

#include "pack/lane.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pack/compressible.h"
#include "pack/lane-block.h"
#include "pack/lane-pool.h"
#include "pack/report.h"
#include "pack/state.h"

/* Nothing may depend on the number of threads, so this is enough for many. */
#define WINDOW_BYTES (24u << 20)
#define WINDOW_MIN 4u
#define WINDOW_MAX 32u

/* A block is ended when so many were begun after it, though it is not full:
 * they wait for it, and a directory's files should lie together.
 */
#define SPREAD 16u

/* A block with so many entries, or bytes of them, is ended: a reader of any
 * file in it has to fetch their records too.
 */
#define BLOCK_ENTRIES_MAX 4096u
#define BLOCK_ENTRY_BYTES (128u << 10)

enum kind { DENSE, NOISE, KINDS };

struct lane {
	struct lane_options opts;
	struct lane_block *open[KINDS]; /* being filled, or NULL */
	enum kind last;                 /* of what was added last */
	struct lane_block *aside;       /* empty, for what does not fit */
	struct lane_block *reserved;    /* of the open ones, or aside */
	struct lane_block **blocks;     /* window; the oldest at
					 * first % window */
	uint64_t first, next;           /* numbers: first ... next - 1 */
	unsigned int window;
	struct lane_block *held[KINDS]; /* in the shard, but not all entries */
	uint64_t n_seq, n_added;        /* entries that came, and went */
	uint64_t n_entries;
	char *uid; /* of the entry added last */
	size_t uid_cap;
};

unsigned int lane_window(uint32_t block_size)
{
	unsigned int n = WINDOW_BYTES / block_size;

	if (n < WINDOW_MIN)
		return WINDOW_MIN;
	return n > WINDOW_MAX ? WINDOW_MAX : n;
}

uint64_t lane_memory(uint32_t block_size)
{
	/* Besides those in flight: open ones, those held, the one aside. */
	uint64_t blocks = lane_window(block_size) + 2 * KINDS + 1;
	uint64_t entries = BLOCK_ENTRY_BYTES / ENTRY_OWN_BYTES;

	/* A block is there as it was read and as it is stored. */
	return blocks *
	       (2 * (uint64_t)block_size + entries * sizeof(struct lane_entry) +
		BLOCK_ENTRY_BYTES);
}

static struct lane_block *take_block(struct lane *l)
{
	struct lane_block *b = lane_pool_take(l->opts.pool);

	return b ? b : lane_block_new(&l->opts);
}

static void give_block(struct lane *l, struct lane_block *b)
{
	lane_pool_give(l->opts.pool, b);
}

struct lane *lane_new(const struct lane_options *opts)
{
	struct lane *l = xcalloc(1, sizeof(*l));

	l->opts = *opts;
	l->window = lane_window(opts->block_size);
	l->blocks = xcalloc(l->window, sizeof(struct lane_block *));
	return l;
}

void lane_free(struct lane *l)
{
	if (!l)
		return;
	for (unsigned int k = 0; k < KINDS; k++) {
		if (l->open[k] && l->open[k]->number == LANE_NO_NUMBER)
			give_block(l, l->open[k]);
		give_block(l, l->held[k]);
	}
	/* A worker may be hashing what is in another one's block. */
	for (uint64_t i = l->first; i < l->next; i++)
		if (l->blocks[i % l->window]->is_flying)
			job_wait(l->opts.workers,
				 &l->blocks[i % l->window]->job);
	while (l->first < l->next)
		give_block(l, l->blocks[l->first++ % l->window]);
	give_block(l, l->aside);
	free(l->blocks);
	free(l->uid);
	free(l);
}

/* --- into the shard ---------------------------------------------------------
 */

static void entry_failed(struct lane *l, const struct entry *e,
			 const struct err *failure)
{
	CLEANUP_FREE char *uid =
		xcalloc(1, entry_uid_len(e->parent, e->name) + 1);
	size_t len = entry_uid(e->parent, e->name, uid);

	report_failed(l->opts.report, span_of(uid, len), failure);
}

static void entry_packed(struct lane *l, const struct entry *e)
{
	size_t max = entry_uid_len(e->parent, e->name);
	struct span uid;
	char *to;

	l->uid = mem_grow(l->uid, &l->uid_cap, max + 1, 1);
	to = l->uid;
	uid = span_of(to, entry_uid(e->parent, e->name, to));
	l->n_entries++;
	if (e->type == ENTRY_WHITEOUT)
		report_removed(l->opts.report, uid);
	else
		report_packed(l->opts.report, uid, e->type,
			      e->type == ENTRY_REG ? e->size : 0);
}

static void set_content(const struct lane *l, struct entry *e,
			const struct lane_entry *le, struct lane_block *b)
{
	struct content_parts *c = le->content;

	if (c) {
		content_wait_hashed(c, c->n_blocks - 1);
		e->content = (struct content){ .n_blocks = c->n_blocks,
					       .block_size = c->block_size,
					       .tail_off = c->tail_off,
					       .blocks = c->blocks };
		memcpy(e->sha256, c->sha256, sizeof(e->sha256));
		e->has_hash = true;
	} else if (e->type == ENTRY_REG && e->size) {
		e->content = (struct content){ .n_blocks = 1,
					       .block_size = l->opts.block_size,
					       .tail_off = le->off,
					       .blocks = &b->ref };
	}
}

static enum rc add_entry(struct lane *l, struct lane_block *b, struct err *err)
{
	struct lane_entry *le = &b->entries[b->n_added++];
	enum rc rc;

	l->n_added++;
	set_content(l, &le->e, le, b);
	rc = shard_build_entry(l->opts.build, &le->e, err);
	if (rc == RC_LIMIT) {
		entry_failed(l, &le->e, err);
		return RC_OK;
	}
	if (!rc && !le->e.implicit)
		entry_packed(l, &le->e);
	return rc;
}

static bool is_next(const struct lane *l, const struct lane_block *b)
{
	return b && b->n_added < b->n_entries &&
	       b->entries[b->n_added].seq == l->n_added;
}

/* Those of b and of the blocks held, as far as they are next in turn. */
static enum rc add_entries(struct lane *l, struct lane_block *b,
			   struct err *err)
{
	struct lane_block *all[KINDS + 1] = { b };
	bool is_more = true;
	enum rc rc = RC_OK;

	memcpy(all + 1, l->held, sizeof(l->held));
	while (is_more) {
		is_more = false;
		for (unsigned int i = 0; i <= KINDS; i++) {
			while (!rc && is_next(l, all[i])) {
				rc = add_entry(l, all[i], err);
				is_more = !rc;
			}
		}
	}
	return rc;
}

/* Keep b while it has entries left. */
static void hold(struct lane *l, struct lane_block *b)
{
	unsigned int place = KINDS;

	for (unsigned int k = 0; k < KINDS; k++) {
		struct lane_block *h = l->held[k];

		if (h && h->n_added == h->n_entries) {
			l->held[k] = NULL;
			give_block(l, h);
		}
		if (!l->held[k])
			place = k;
	}
	if (b->n_added == b->n_entries) {
		give_block(l, b);
		return;
	}
	assert(place < KINDS);
	l->held[place] = b;
}

/* Wait for the oldest block and add it to the shard. */
static enum rc retire(struct lane *l, struct err *err)
{
	struct lane_block *b = l->blocks[l->first++ % l->window];
	enum state_doing was = state_enter(STATE_COMPRESSING);
	enum rc rc;

	assert(b->is_flying);
	job_wait(l->opts.workers, &b->job);
	lane_block_wait_hashed(b);
	state_leave(was);
	rc = b->rc;
	if (rc)
		*err = b->err;
	if (!rc)
		rc = shard_build_block(l->opts.build, b->stored.p,
				       b->stored.len, &b->ref, err);
	if (!rc)
		report_block(l->opts.report, b->data.len, b->stored.len);
	for (size_t i = 0; i < b->n_segments && !rc; i++) {
		const struct lane_segment *s = &b->segments[i];

		s->content->blocks[s->i].off = b->ref.off;
	}
	if (!rc)
		rc = add_entries(l, b, err);
	if (rc) {
		give_block(l, b);
		return rc;
	}
	hold(l, b);
	return RC_OK;
}

/* --- filling ----------------------------------------------------------------
 */

/* With all blocks in flight wait for a quarter of them and not for one: being
 * woken for each costs more than its retiring.
 */
static void await_some(struct lane *l)
{
	const struct lane_block *oldest = l->blocks[l->first % l->window];
	struct lane_block *b =
		l->blocks[(l->first + l->window / 4) % l->window];
	enum state_doing was;

	if (!b->is_flying || job_is_done(l->opts.workers, &oldest->job))
		return;
	was = state_enter(STATE_COMPRESSING);
	job_wait(l->opts.workers, &b->job);
	state_leave(was);
}

/* All before it have begun, so it is the last in the order for now. */
static enum rc number(struct lane *l, struct lane_block *b, struct err *err)
{
	enum rc rc = RC_OK;

	if (l->next - l->first == l->window) {
		await_some(l);
		rc = retire(l, err);
	}
	if (rc)
		return rc;
	b->number = l->next;
	l->blocks[l->next++ % l->window] = b;
	return RC_OK;
}

static void launch(struct lane *l, struct lane_block *b)
{
	enum state_doing was = state_enter(STATE_COMPRESSING);

	b->is_flying = true;
	job_submit(l->opts.workers, &b->job, lane_block_encode, b);
	state_leave(was);
}

static enum rc end_block(struct lane *l, enum kind k, struct err *err)
{
	struct lane_block *b = l->open[k];
	enum rc rc;

	if (!b)
		return RC_OK;
	if (b->number == LANE_NO_NUMBER) {
		rc = number(l, b, err);
		if (rc)
			return rc;
	}
	l->open[k] = NULL;
	launch(l, b);
	return RC_OK;
}

/* End the blocks that keep too many waiting. */
static enum rc end_old(struct lane *l, struct err *err)
{
	uint64_t spread = SPREAD < l->window / 2 ? SPREAD : l->window / 2;
	enum rc rc = RC_OK;

	for (unsigned int k = 0; k < KINDS && !rc; k++) {
		const struct lane_block *b = l->open[k];

		if (b && b->number != LANE_NO_NUMBER &&
		    l->next - b->number > spread)
			rc = end_block(l, (enum kind)k, err);
	}
	return rc;
}

/* One that has no data yet belongs to whoever has some first. */
static struct lane_block *without_data(struct lane *l)
{
	for (unsigned int k = 0; k < KINDS; k++) {
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
	return b && b->data.len + len <= l->opts.block_size;
}

enum rc lane_reserve(struct lane *l, size_t len, uint8_t **ret, struct err *err)
{
	assert(len && len <= l->opts.block_size);
	/* Most likely it is of the kind of the one before. */
	l->reserved = l->open[l->last];
	if (!fits(l, l->reserved, len)) {
		if (!l->aside)
			l->aside = take_block(l);
		l->reserved = l->aside;
	}
	*ret = buf_reserve(&l->reserved->data, len);
	if (!*ret)
		return err_set(err, RC_NOMEM, "no memory for a block");
	return RC_OK;
}

/* Have a block of kind k open with room for len bytes. */
static enum rc open_block(struct lane *l, enum kind k, size_t len,
			  struct err *err)
{
	struct lane_block *b = l->open[k];
	enum rc rc = RC_OK;

	if (b && !fits(l, b, len)) {
		rc = end_block(l, k, err);
		b = NULL;
	}
	if (rc)
		return rc;
	if (!b)
		b = without_data(l);
	if (!b && l->reserved == l->aside)
		b = l->aside;
	if (!b)
		b = take_block(l);
	if (b == l->aside)
		l->aside = NULL;
	l->open[k] = b;
	if (b->number != LANE_NO_NUMBER)
		return RC_OK;
	rc = number(l, b, err);
	return rc ? rc : end_old(l, err);
}

enum rc lane_keep(struct lane *l, size_t len, uint32_t *ret_off,
		  struct err *err)
{
	const struct lane_block *from = l->reserved;
	const uint8_t *p = from->data.p + from->data.len;
	enum kind k = DENSE;
	struct lane_block *b;
	enum rc rc;

	if (l->opts.codec != CODEC_NONE && !is_compressible(p, len))
		k = NOISE;
	rc = open_block(l, k, len, err);
	if (rc)
		return rc;
	b = l->open[k];
	*ret_off = (uint32_t)b->data.len;
	l->last = k;
	if (b == from) {
		b->data.len += len;
		return RC_OK;
	}
	buf_append(&b->data, p, len);
	if (!buf_ok(&b->data))
		return err_set(err, RC_NOMEM, "no memory for a block");
	return RC_OK;
}

enum rc lane_end_data(struct lane *l, struct err *err)
{
	enum rc rc = RC_OK;

	for (unsigned int k = 0; k < KINDS && !rc; k++) {
		if (l->open[k] && l->open[k]->data.len)
			rc = end_block(l, (enum kind)k, err);
	}
	return rc;
}

enum rc lane_reserve_whole(struct lane *l, uint8_t **ret, struct err *err)
{
	if (!l->aside)
		l->aside = take_block(l);
	*ret = buf_reserve(&l->aside->data, l->opts.block_size);
	if (!*ret)
		return err_set(err, RC_NOMEM, "no memory for a block");
	return RC_OK;
}

enum rc lane_whole(struct lane *l, struct content_parts *c, uint32_t i,
		   struct err *err)
{
	struct lane_block *b = l->aside;
	enum rc rc;

	assert(b && b->data.cap >= l->opts.block_size);
	l->aside = NULL;
	b->data.len = l->opts.block_size;
	lane_block_add_segment(b, c, i, 0);
	rc = number(l, b, err);
	if (rc) {
		give_block(l, b);
		return rc;
	}
	launch(l, b);
	return end_old(l, err);
}

void lane_tail(struct lane *l, struct content_parts *c, uint32_t off)
{
	struct lane_block *b = l->open[l->last];

	c->tail_off = off;
	c->tail_block = b->number;
	c->n_stored++;
	lane_block_add_segment(b, c, c->n_blocks - 1, off);
}

/* The kind of block an entry belongs to: that with its last bytes, or in which
 * others are now.
 */
static enum kind kind_for(const struct lane *l, const struct content_parts *c)
{
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
	enum kind k = kind_for(l, c);
	struct lane_block *b = l->open[k];

	if (!b)
		b = l->open[k] = take_block(l);
	lane_block_add_entry(b, e, c, off, l->n_seq++);
	if (b->n_entries >= BLOCK_ENTRIES_MAX ||
	    b->entry_bytes >= BLOCK_ENTRY_BYTES)
		return end_block(l, k, err);
	return RC_OK;
}

enum rc lane_finish(struct lane *l, uint64_t *ret, struct err *err)
{
	enum rc rc = RC_OK;

	for (unsigned int k = 0; k < KINDS && !rc; k++)
		rc = end_block(l, (enum kind)k, err);
	while (!rc && l->first < l->next)
		rc = retire(l, err);
	if (!rc)
		*ret = l->n_entries;
	return rc;
}
