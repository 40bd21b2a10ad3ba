/* SPDX-License-Identifier: Apache-2.0 */
/* engine-stream.c - the entries of several shards as one sequence. */
#include "config.h"

#include "repack/engine-stream.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"

void stream_open(struct stream *st, struct source *sources, size_t n,
		 bool drop_corrupt)
{
	*st = (struct stream){ .sources = sources,
			       .n = n,
			       .drop_corrupt = drop_corrupt };
	st->in = xcalloc(2 * n + 1, sizeof(*st->in));
	st->heap = xcalloc(2 * n + 1, sizeof(*st->heap));
	for (size_t i = 0; i < 2 * n; i++) {
		struct stream_input *in = &st->in[i];

		in->src = &sources[i % n];
		in->is_found = i >= n;
		index_walk_init(&in->walk, &in->src->s);
	}
}

void stream_close(struct stream *st)
{
	for (size_t i = 0; i < 2 * st->n; i++)
		index_walk_release(&st->in[i].walk);
	free(st->in);
	free(st->heap);
	*st = (struct stream){ 0 };
}

static enum rc damaged_page(struct stream *st, struct stream_input *in,
			    struct err *err)
{
	const struct raw_shard *s = &in->src->s;

	if (is_damage(err->rc) && st->drop_corrupt)
		return RC_OK;
	return err_prefix(
		err, "%s: index page at %llu, of %llu entries", s->key,
		(unsigned long long)(s->footer.index_off + in->leaf.ref.off),
		(unsigned long long)in->leaf.n_entries);
}

/* The next leaf that can be read. */
static enum rc next_leaf(struct stream *st, struct stream_input *in,
			 struct err *err)
{
	for (;;) {
		enum rc rc = index_walk_next(&in->walk, &in->leaf, err);

		if (!rc) {
			in->i = 0;
			return RC_OK;
		}
		if (rc == RC_NOENT && !in->walk.depth && !in->walk.leaf) {
			in->at_end = true;
			in->leaf.page = NULL;
			return RC_OK;
		}
		rc = damaged_page(st, in, err);
		if (rc)
			return rc;
	}
}

static enum rc advance(struct stream *st, size_t i, struct err *err)
{
	struct stream_input *in = &st->in[i];

	if (in->is_found) {
		in->at_end = in->i >= in->src->n_found;
		if (!in->at_end)
			in->e = in->src->found[in->i++];
		return RC_OK;
	}
	if (!in->leaf.page || ++in->i >= page_count(in->leaf.page)) {
		enum rc rc = next_leaf(st, in, err);

		if (rc || in->at_end)
			return rc;
	}
	page_entry(in->leaf.page, (uint32_t)in->i, &in->e);
	return RC_OK;
}

/* Of one key what is more than inferred comes first. */
static bool is_before(const struct stream *st, size_t a, size_t b)
{
	const struct entry *x = &st->in[a].e, *y = &st->in[b].e;
	int c = entry_compare(x, y);

	if (c)
		return c < 0;
	if (x->implicit != y->implicit)
		return y->implicit;
	return a < b;
}

static void sift_down(struct stream *st, size_t i)
{
	for (;;) {
		size_t child = 2 * i + 1, was = st->heap[i];

		if (child + 1 < st->n_heap &&
		    is_before(st, st->heap[child + 1], st->heap[child]))
			child++;
		if (child >= st->n_heap || !is_before(st, st->heap[child], was))
			return;
		st->heap[i] = st->heap[child];
		st->heap[child] = was;
		i = child;
	}
}

static enum rc begin(struct stream *st, struct err *err)
{
	st->is_begun = true;
	for (size_t i = 0; i < 2 * st->n; i++) {
		enum rc rc = advance(st, i, err);

		if (rc)
			return rc;
		if (!st->in[i].at_end)
			st->heap[st->n_heap++] = i;
	}
	for (size_t i = st->n_heap / 2; i-- > 0;)
		sift_down(st, i);
	return RC_OK;
}

/* Past the first of the heap; is_double: the next one has its key.  The entry
 * that was is gone then, so its key is compared before, with the one that will
 * be next: the lesser of its two children, or what follows in its own shard,
 * which has another key.
 */
static bool next_is_double(const struct stream *st)
{
	for (size_t k = 1; k < 3 && k < st->n_heap; k++) {
		if (!entry_compare(&st->in[st->heap[0]].e,
				   &st->in[st->heap[k]].e))
			return true;
	}
	return false;
}

enum rc stream_next(struct stream *st, struct stream_item *ret, struct err *err)
{
	bool is_double = false;
	enum rc rc = RC_OK;

	if (!st->is_begun) {
		rc = begin(st, err);
	} else if (st->n_heap) {
		size_t i = st->heap[0];

		is_double = next_is_double(st);
		rc = advance(st, i, err);
		if (!rc && st->in[i].at_end)
			st->heap[0] = st->heap[--st->n_heap];
		if (!rc && st->n_heap)
			sift_down(st, 0);
	}
	if (rc)
		return rc;
	if (!st->n_heap)
		return err_set(err, RC_NOENT, "no more entries");
	*ret = (struct stream_item){ .e = &st->in[st->heap[0]].e,
				     .source = st->heap[0] % st->n,
				     .seq = st->seq++,
				     .is_double = is_double };
	return RC_OK;
}
