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
#include "base/sha256.h"
#include "pack/compressible.h"
#include "pack/lane-block.h"
#include "pack/lane-pool.h"
#include "pack/report.h"
#include "pack/same.h"
#include "pack/state.h"
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

/* ALONE: what is larger than small files together, ended with its entry. */
enum kind { DENSE, NOISE, ALONE, KINDS };

struct lane {
	struct lane_options opts;
	struct lane_block *open[KINDS]; /* being filled, or NULL */
	enum kind last;                 /* of what was added last, not ALONE */
	enum kind kept;                 /* of what was kept last */
	struct lane_block *aside;       /* empty, for what does not fit */
	struct lane_block *aside_large; /* the same for large blocks */
	struct lane_block *reserved;    /* of the open ones, or aside */
	struct lane_block *blocks[LANE_WINDOW]; /* the oldest at
						 * first % LANE_WINDOW */
	uint64_t first, next;           /* numbers: first ... next - 1 */
	uint64_t n_bytes;               /* that those that fly may hold */
	struct lane_block *held[KINDS]; /* in the shard, but not all entries */
	struct same *same;              /* files kept of late */
	uint64_t quick;          /* of what is reserved, or was kept; 0 */
	uint64_t n_seq, n_added; /* entries that came, and went */
	uint64_t n_entries;
	char *uid; /* of the entry added last */
	size_t uid_cap;
};

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

static struct lane_block *take_block(struct lane *l, bool is_large)
{
	struct lane_block *b = lane_pool_take(l->opts.pool, is_large);

	return b ? b : lane_block_new(&l->opts, is_large);
}

static void give_block(struct lane *l, struct lane_block *b)
{
	lane_pool_give(l->opts.pool, b);
}

struct lane *lane_new(const struct lane_options *opts)
{
	struct lane *l = xcalloc(1, sizeof(*l));

	l->opts = *opts;
	l->same = same_new();
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
		if (l->blocks[i % LANE_WINDOW]->is_flying)
			job_wait(l->opts.workers,
				 &l->blocks[i % LANE_WINDOW]->job);
	while (l->first < l->next)
		give_block(l, l->blocks[l->first++ % LANE_WINDOW]);
	give_block(l, l->aside);
	give_block(l, l->aside_large);
	same_free(l->same);
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

	if (e->implicit || e->type == ENTRY_WHITEOUT)
		report_failed(l->opts.report, span_of(uid, len), failure);
	else
		report_given_up(l->opts.report, span_of(uid, len),
				e->type == ENTRY_REG ? e->size : 0, failure);
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
					       .tail_off = c->tail_off };
		memcpy(e->sha256, c->sha256, sizeof(e->sha256));
		e->has_hash = true;
	} else if (e->type == ENTRY_REG && e->size) {
		e->content =
			(struct content){ .n_blocks = 1,
					  .block_size = l->opts.sizes.group,
					  .tail_off = le->off,
					  .blocks = &b->ref };
	}
}

static enum rc read_blocks(void *arg, uint32_t i, uint32_t n,
			   struct block_ref *ret, struct err *err)
{
	return content_read(arg, i, n, ret, err);
}

static enum rc add_entry(struct lane *l, struct lane_block *b, struct err *err)
{
	struct lane_entry *le = &b->entries[b->n_added++];
	enum rc rc;

	l->n_added++;
	set_content(l, &le->e, le, b);
	rc = le->content ? shard_build_entry_of(l->opts.build, &le->e,
						read_blocks, le->content, err)
			 : shard_build_entry(l->opts.build, &le->e, err);
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

/* A large block keeps the memory of the largest data it ever had. */
static uint64_t weight(const struct lane *l, const struct lane_block *b)
{
	return b->is_large ? l->opts.sizes.large : b->data.len;
}

static void launch(struct lane *l, struct lane_block *b)
{
	enum state_doing was = state_enter(STATE_COMPRESSING);

	b->is_flying = true;
	l->n_bytes += weight(l, b);
	job_submit(l->opts.workers, &b->job, lane_block_encode, b);
	state_leave(was);
}

/* Files of a block that is in the shard may be found again from now on. */
static void know_files(struct lane *l, const struct lane_block *b)
{
	for (size_t i = 0; i < b->n_entries; i++) {
		const struct lane_entry *le = &b->entries[i];
		struct same_file *f = same_place(l->same, le->quick);

		if (!le->quick || f->quick != le->quick ||
		    f->block != b->number || f->off != le->off)
			continue;
		f->is_known = true;
		f->ref = b->ref;
		memcpy(f->sha256, le->e.sha256, sizeof(f->sha256));
	}
}

/* Wait for the oldest block and add it to the shard. */
static enum rc retire(struct lane *l, struct err *err)
{
	struct lane_block *b = l->blocks[l->first++ % LANE_WINDOW];
	enum state_doing was;
	enum rc rc;

	for (unsigned int k = 0; !b->is_flying; k++) {
		if (l->open[k] != b)
			continue;
		l->open[k] = NULL;
		launch(l, b);
	}
	was = state_enter(STATE_COMPRESSING);
	job_wait(l->opts.workers, &b->job);
	lane_block_wait_hashed(b);
	state_leave(was);
	l->n_bytes -= weight(l, b);
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

		rc = content_place(s->content, s->i, b->ref.off, err);
	}
	if (!rc) {
		know_files(l, b);
		rc = add_entries(l, b, err);
	}
	if (rc) {
		give_block(l, b);
		return rc;
	}
	hold(l, b);
	return RC_OK;
}

/* --- filling ----------------------------------------------------------------
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

/* All before it have begun, so it is the last in the order for now. */
static enum rc number(struct lane *l, struct lane_block *b, struct err *err)
{
	enum rc rc = RC_OK;

	while (!rc && is_full(l)) {
		await_some(l);
		rc = retire(l, err);
	}
	if (rc)
		return rc;
	b->number = l->next;
	l->blocks[l->next++ % LANE_WINDOW] = b;
	return RC_OK;
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
	enum rc rc = RC_OK;

	for (unsigned int k = 0; k < KINDS && !rc; k++) {
		const struct lane_block *b = l->open[k];

		if (b && b->number != LANE_NO_NUMBER &&
		    l->next - b->number > SPREAD)
			rc = end_block(l, (enum kind)k, err);
	}
	return rc;
}

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
		*aside = take_block(l, is_large);
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
	give_block(l, large);
	return b;
}

/* Have a block of kind k open with room for len bytes. */
static enum rc open_block(struct lane *l, enum kind k, size_t len,
			  struct err *err)
{
	struct lane_block *b = l->open[k];

	if (b && !fits(l, b, len)) {
		enum rc rc = end_block(l, k, err);

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
		b = take_block(l, false);
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
		rc = retire(l, err);
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

		if (!b->is_flying) {
			if (!memcmp(b->data.p + f->off, reserved_bytes(l), len))
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
	if (!memcmp(sha256, f->sha256, sizeof(sha256)))
		*ret = content_known(len, f->off, &f->ref, sha256);
	return RC_OK;
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
		rc = number(l, b, err);
		if (rc)
			return rc;
	}
	remember(l, b, len, *ret_off);
	return end_old(l, err);
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
	struct lane_block *b = l->open[l->kept];

	c->tail_off = off;
	c->tail_block = b->number;
	content_add_stored(c);
	lane_block_add_segment(b, c, c->n_blocks - 1, off);
}

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
		b = l->open[k] = take_block(l, false);
	lane_block_add_entry(b, e, c, off, l->n_seq++);
	if (!c && e->type == ENTRY_REG && e->size)
		b->entries[b->n_entries - 1].quick = l->quick;
	if (k == ALONE || b->n_entries >= BLOCK_ENTRIES_MAX ||
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
	if (!rc && l->n_added != l->n_seq)
		return err_set(err, RC_IO,
			       "%llu entries of %llu reached the shard",
			       (unsigned long long)l->n_added,
			       (unsigned long long)l->n_seq);
	if (!rc)
		*ret = l->n_entries;
	return rc;
}
