/* SPDX-License-Identifier: Apache-2.0 */
/* sorter-read.c - reads one partition of a sorter, merging its runs. */
#include "config.h"

#include "base/sorter.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/sorter-record.h"

#define CURSOR_READ_MAX (128u << 10) /* bytes read at once */
#define CURSOR_READ_MIN (4u << 10)

/* A place in one run, or in a feed that is in memory. */
struct cursor {
	const uint8_t *record;          /* NULL: at the end */
	const struct sorter_feed *feed; /* NULL: in the spool */
	/* In order of the feed, or what is still to be read from the spool. */
	uint64_t off, end;
	uint8_t *buf; /* len bytes read, those from pos not used yet */
	size_t pos, len, cap;
};

struct sorter_reader {
	const struct sorter *s;
	struct cursor *cursors;
	size_t n_cursors;
	struct cursor **heap; /* n_heap cursors, the least record first */
	size_t n_heap;
	size_t chunk;
	bool is_begun;
};

/* Make want bytes from pos on available.  At the end fewer are. */
static enum rc cursor_fill(struct sorter_reader *r, struct cursor *c,
			   size_t want, struct err *err)
{
	size_t have = c->len - c->pos, n = r->chunk;
	enum rc rc;

	if (have >= want || c->off == c->end)
		return RC_OK;
	if (have)
		memmove(c->buf, c->buf + c->pos, have);
	c->pos = 0;
	c->len = have;
	if (n < want - have)
		n = want - have;
	if (n > c->end - c->off)
		n = (size_t)(c->end - c->off);
	c->buf = mem_grow(c->buf, &c->cap, have + n, 1);
	rc = spool_read(&r->s->spool, c->off, c->buf + have, n, err);
	if (rc)
		return rc;
	c->off += n;
	c->len += n;
	return RC_OK;
}

/* Go to the next record; record is NULL at the end. */
static enum rc cursor_next(struct sorter_reader *r, struct cursor *c,
			   struct err *err)
{
	size_t len;
	enum rc rc;

	c->record = NULL;
	if (c->feed) {
		if (c->off < c->end)
			c->record = c->feed->arena + c->feed->order[c->off++];
		return RC_OK;
	}
	rc = cursor_fill(r, c, sizeof(struct sorter_head), err);
	if (rc)
		return rc;
	if (c->pos == c->len)
		return RC_OK;
	if (c->len - c->pos < sizeof(struct sorter_head))
		return err_set(err, RC_IO, "temporary data were damaged");
	len = sorter_record_len(sorter_head_at(c->buf + c->pos));
	rc = cursor_fill(r, c, len, err);
	if (rc)
		return rc;
	if (c->len - c->pos < len)
		return err_set(err, RC_IO, "temporary data were damaged");
	c->record = c->buf + c->pos;
	c->pos += len;
	return RC_OK;
}

static void heap_down(struct sorter_reader *r, size_t i)
{
	struct cursor **h = r->heap;

	for (;;) {
		size_t least = i, child = 2 * i + 1;
		struct cursor *t = h[i];

		for (size_t k = child; k < child + 2 && k < r->n_heap; k++)
			if (sorter_compare(h[k]->record, h[least]->record) < 0)
				least = k;
		if (least == i)
			return;
		h[i] = h[least];
		h[least] = t;
		i = least;
	}
}

/* Take in the cursor after the last one, which has its range. */
static enum rc begin_cursor(struct sorter_reader *r, struct err *err)
{
	struct cursor *c = &r->cursors[r->n_cursors];
	enum rc rc;

	if (c->off == c->end)
		return RC_OK;
	r->n_cursors++;
	rc = cursor_next(r, c, err);
	if (!rc && c->record)
		r->heap[r->n_heap++] = c;
	return rc;
}

static enum rc open_run(struct sorter_reader *r, const struct sorter_run *run,
			uint32_t partition, struct err *err)
{
	uint64_t range[2];
	enum rc rc;

	rc = spool_read(&r->s->spool, run->index + partition * sizeof(uint64_t),
			range, sizeof(range), err);
	if (rc)
		return rc;
	r->cursors[r->n_cursors] =
		(struct cursor){ .off = range[0], .end = range[1] };
	return begin_cursor(r, err);
}

/* The first record in memory whose partition is not below the one given. */
static size_t order_bound(const struct sorter_feed *f, uint64_t partition)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const uint8_t *p = f->arena + f->order[mid];

		if (sorter_head_at(p).partition < partition)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static enum rc open_feed(struct sorter_reader *r, const struct sorter_feed *f,
			 uint32_t partition, struct err *err)
{
	r->cursors[r->n_cursors] = (struct cursor){
		.feed = f,
		.off = order_bound(f, partition),
		.end = order_bound(f, (uint64_t)partition + 1),
	};
	return begin_cursor(r, err);
}

static size_t choose_chunk(const struct sorter *s)
{
	size_t chunk = s->n_runs ? s->bound / s->n_runs : 0;

	if (chunk > CURSOR_READ_MAX)
		return CURSOR_READ_MAX;
	return chunk < CURSOR_READ_MIN ? CURSOR_READ_MIN : chunk;
}

enum rc sorter_read(const struct sorter *s, uint32_t partition,
		    struct sorter_reader **ret, struct err *err)
{
	struct sorter_reader *r = xcalloc(1, sizeof(*r));
	size_t n_max = s->n_runs ? s->n_runs : s->n_feeds;
	enum rc rc = RC_OK;

	r->s = s;
	r->chunk = choose_chunk(s);
	r->cursors = xcalloc(n_max, sizeof(*r->cursors));
	r->heap = xcalloc(n_max, sizeof(struct cursor *));
	/* When anything was written, all was. */
	for (size_t i = 0; i < n_max && !rc; i++)
		rc = s->n_runs ? open_run(r, &s->runs[i], partition, err)
			       : open_feed(r, s->feeds[i], partition, err);
	if (rc) {
		sorter_reader_free(r);
		return rc;
	}
	for (size_t i = r->n_heap; i-- > 0;)
		heap_down(r, i);
	*ret = r;
	return RC_OK;
}

void sorter_reader_free(struct sorter_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_cursors; i++)
		free(r->cursors[i].buf);
	free(r->cursors);
	free(r->heap);
	free(r);
}

/* Step over the record returned last. */
static enum rc heap_advance(struct sorter_reader *r, struct err *err)
{
	enum rc rc;

	if (!r->is_begun) {
		r->is_begun = true;
		return RC_OK;
	}
	rc = cursor_next(r, r->heap[0], err);
	if (rc)
		return rc;
	if (!r->heap[0]->record)
		r->heap[0] = r->heap[--r->n_heap];
	if (r->n_heap)
		heap_down(r, 0);
	return RC_OK;
}

enum rc sorter_next(struct sorter_reader *r, struct span *ret_key,
		    struct span *ret_value, struct err *err)
{
	const uint8_t *p;
	enum rc rc = r->n_heap ? heap_advance(r, err) : RC_OK;

	if (rc)
		return rc;
	if (!r->n_heap)
		return err_set(err, RC_NOENT, "no more records");
	p = r->heap[0]->record;
	*ret_key = sorter_key_at(p);
	*ret_value = sorter_value_at(p);
	return RC_OK;
}
