/* SPDX-License-Identifier: Apache-2.0 */
/* lane-shard.c - encoded blocks of a lane and their entries, in their order to
 * the shard.
 */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pack/lane-backend.h"
#include "pack/report.h"
#include "pack/same.h"
#include "run/state.h"

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
		content_wait_hashed(c, content_n_blocks(c) - 1);
		e->content =
			(struct content){ .n_blocks = content_n_blocks(c),
					  .block_size = content_block_size(c),
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

static enum rc tell(struct lane *l, const struct lane_entry *le,
		    const struct err *failure, struct err *err)
{
	if (le->label == LANE_NO_LABEL || !l->opts.told)
		return RC_OK;
	return l->opts.told(l->opts.told_arg, le->label, &le->e, failure, err);
}

static enum rc add_entry(struct lane *l, struct lane_block *b, struct err *err)
{
	struct lane_entry *le = &b->entries[b->n_added++];
	struct err failure;
	enum rc rc;

	l->n_added++;
	set_content(l, &le->e, le, b);
	rc = le->content ? shard_build_entry_of(l->opts.build, &le->e,
						read_blocks, le->content, err)
			 : shard_build_entry(l->opts.build, &le->e, err);
	if (rc == RC_LIMIT) {
		failure = *err;
		entry_failed(l, &le->e, &failure);
		return tell(l, le, &failure, err);
	}
	if (!rc && !le->e.implicit)
		entry_packed(l, &le->e);
	return rc ? rc : tell(l, le, NULL, err);
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
			lane_give_block(l, h);
		}
		if (!l->held[k])
			place = k;
	}
	if (b->n_added == b->n_entries) {
		lane_give_block(l, b);
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

void lane_launch(struct lane *l, struct lane_block *b)
{
	enum state_doing was = state_enter(STATE_COMPRESSING);

	b->is_flying = true;
	l->n_bytes += weight(l, b);
	job_submit(l->opts.workers, &b->job, lane_block_encode, b);
	state_leave(was);
}

static void know_file(struct lane *l, const struct lane_block *b,
		      uint64_t quick, uint32_t off,
		      const uint8_t sha256[ENTRY_HASH_LEN])
{
	struct same_file *f = same_place(l->same, quick);

	if (!quick || f->quick != quick || f->block != b->number ||
	    f->off != off)
		return;
	f->is_known = true;
	f->ref = b->ref;
	memcpy(f->sha256, sha256, sizeof(f->sha256));
}

/* Files of a block that is in the shard may be found again from now on. */
static void know_files(struct lane *l, const struct lane_block *b)
{
	for (size_t i = 0; i < b->n_entries; i++)
		know_file(l, b, b->entries[i].quick, b->entries[i].off,
			  b->entries[i].e.sha256);
	for (size_t i = 0; i < b->n_segments; i++)
		know_file(l, b, b->segments[i].quick, b->segments[i].off,
			  b->segments[i].content->sha256);
}

enum rc lane_retire(struct lane *l, struct err *err)
{
	struct lane_block *b = l->blocks[l->first++ % LANE_WINDOW];
	enum state_doing was;
	enum rc rc;

	for (unsigned int k = 0; !b->is_flying; k++) {
		if (l->open[k] != b)
			continue;
		l->open[k] = NULL;
		lane_launch(l, b);
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
		lane_give_block(l, b);
		return rc;
	}
	hold(l, b);
	return RC_OK;
}
