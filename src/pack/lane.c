/* SPDX-License-Identifier: Apache-2.0 */
/* lane.c - blocks of one shard in the making. */
#include "config.h"

#include "pack/lane.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pack/lane-block.h"
#include "pack/report.h"

#define WINDOW_BYTES (64u << 20)
#define WINDOW_MIN 4u
#define WINDOW_MAX 64u

/* A block with so many entries, or bytes of them, is ended: a reader of any
 * file in it has to fetch their records too.
 */
#define BLOCK_ENTRIES_MAX 4096u
#define BLOCK_ENTRY_BYTES (128u << 10)

struct lane {
	struct lane_options opts;
	struct lane_block *open;    /* being filled */
	struct lane_block **flying; /* window; the oldest at first % window */
	uint64_t first, next; /* numbers: in flight are first ... next - 1 */
	unsigned int window;
	struct lane_block *spare; /* to be used again */
	size_t reserved;
	uint64_t n_entries;
};

unsigned int lane_window(uint32_t block_size)
{
	unsigned int n = WINDOW_BYTES / block_size;

	if (n < WINDOW_MIN)
		return WINDOW_MIN;
	return n > WINDOW_MAX ? WINDOW_MAX : n;
}

static struct lane_block *take_block(struct lane *l)
{
	struct lane_block *b = l->spare;

	if (b) {
		l->spare = NULL;
		return b;
	}
	return lane_block_new(&l->opts);
}

static void give_block(struct lane *l, struct lane_block *b)
{
	lane_block_clear(b);
	if (l->spare)
		lane_block_free(b);
	else
		l->spare = b;
}

struct lane *lane_new(const struct lane_options *opts)
{
	struct lane *l = xcalloc(1, sizeof(*l));

	l->opts = *opts;
	l->window = lane_window(opts->block_size);
	l->flying = xcalloc(l->window, sizeof(struct lane_block *));
	l->open = take_block(l);
	return l;
}

void lane_free(struct lane *l)
{
	if (!l)
		return;
	while (l->first < l->next) {
		struct lane_block *b = l->flying[l->first++ % l->window];

		job_wait(l->opts.workers, &b->job);
		lane_block_free(b);
	}
	lane_block_free(l->open);
	lane_block_free(l->spare);
	free(l->flying);
	free(l);
}

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
	CLEANUP_FREE char *uid =
		xcalloc(1, entry_uid_len(e->parent, e->name) + 1);
	size_t len = entry_uid(e->parent, e->name, uid);

	l->n_entries++;
	if (e->type == ENTRY_WHITEOUT)
		report_removed(l->opts.report, span_of(uid, len));
	else
		report_packed(l->opts.report, span_of(uid, len), e->type,
			      e->type == ENTRY_REG ? e->size : 0);
}

static void set_content(const struct lane *l, struct entry *e,
			const struct lane_entry *le, struct lane_block *b)
{
	const struct content_parts *c = le->content;

	if (c) {
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

static enum rc add_entries(struct lane *l, struct lane_block *b,
			   struct err *err)
{
	for (size_t i = 0; i < b->n_entries; i++) {
		struct entry *e = &b->entries[i].e;
		enum rc rc;

		set_content(l, e, &b->entries[i], b);
		rc = shard_build_entry(l->opts.build, e, err);
		if (rc == RC_LIMIT) {
			entry_failed(l, e, err);
			continue;
		}
		if (rc)
			return rc;
		if (!e->implicit)
			entry_packed(l, e);
	}
	return RC_OK;
}

/* Wait for the oldest block and add it to the shard. */
static enum rc retire(struct lane *l, struct err *err)
{
	struct lane_block *b = l->flying[l->first++ % l->window];
	enum rc rc;

	job_wait(l->opts.workers, &b->job);
	rc = b->rc;
	if (rc)
		*err = b->err;
	if (!rc)
		rc = shard_build_block(l->opts.build, b->stored.p,
				       b->stored.len, &b->ref, err);
	if (!rc)
		report_stored(l->opts.report, b->data.len);
	for (size_t i = 0; i < b->n_segments && !rc; i++) {
		const struct lane_segment *s = &b->segments[i];

		s->content->blocks[s->i].off = b->ref.off;
	}
	if (!rc)
		rc = add_entries(l, b, err);
	give_block(l, b);
	return rc;
}

static enum rc launch(struct lane *l, struct lane_block *b, struct err *err)
{
	enum rc rc = RC_OK;

	if (l->next - l->first == l->window)
		rc = retire(l, err);
	if (rc) {
		lane_block_free(b);
		return rc;
	}
	l->flying[l->next++ % l->window] = b;
	job_submit(l->opts.workers, &b->job, lane_block_encode, b);
	return RC_OK;
}

/* The open block flies; its number is that of its place in the order. */
static enum rc end_block(struct lane *l, struct err *err)
{
	struct lane_block *b = l->open;

	if (!b->data.len && !b->n_entries && !b->n_segments)
		return RC_OK;
	l->open = take_block(l);
	l->open->number = b->number + 1;
	return launch(l, b, err);
}

enum rc lane_reserve(struct lane *l, size_t len, uint8_t **ret, struct err *err)
{
	enum rc rc;

	assert(len <= l->opts.block_size);
	if (l->open->data.len + len > l->opts.block_size) {
		rc = end_block(l, err);
		if (rc)
			return rc;
	}
	*ret = buf_reserve(&l->open->data, len);
	if (!*ret)
		return err_set(err, RC_NOMEM, "no memory for a block");
	return RC_OK;
}

void lane_keep(struct lane *l, size_t len, uint32_t *ret_off)
{
	*ret_off = (uint32_t)l->open->data.len;
	l->open->data.len += len;
}

void lane_drop(struct lane *l, size_t len)
{
	l->open->data.len -= len;
}

uint64_t lane_block(const struct lane *l)
{
	return l->open->number;
}

enum rc lane_end_data(struct lane *l, struct err *err)
{
	return l->open->data.len ? end_block(l, err) : RC_OK;
}

enum rc lane_whole(struct lane *l, struct content_parts *c, uint32_t i,
		   const struct buf *data, struct err *err)
{
	struct lane_block *b = take_block(l);

	/* It has no entries, so nothing asks for its number. */
	b->number = CONTENT_NO_BLOCK - 1;
	buf_append(&b->data, data->p, data->len);
	lane_block_add_segment(b, c, i);
	if (!buf_ok(&b->data)) {
		lane_block_free(b);
		return err_set(err, RC_NOMEM, "no memory for a block");
	}
	return launch(l, b, err);
}

void lane_tail(struct lane *l, struct content_parts *c, uint32_t i)
{
	lane_block_add_segment(l->open, c, i);
}

enum rc lane_entry(struct lane *l, const struct entry *e,
		   struct content_parts *c, uint32_t off, struct err *err)
{
	struct lane_block *b = l->open;

	lane_block_add_entry(b, e, c, off);
	if (b->n_entries >= BLOCK_ENTRIES_MAX ||
	    b->entry_bytes >= BLOCK_ENTRY_BYTES)
		return end_block(l, err);
	return RC_OK;
}

enum rc lane_finish(struct lane *l, uint64_t *ret, struct err *err)
{
	enum rc rc = end_block(l, err);

	while (!rc && l->first < l->next)
		rc = retire(l, err);
	if (!rc)
		*ret = l->n_entries;
	return rc;
}
