/* SPDX-License-Identifier: Apache-2.0 */
/* volume-merge.c - the entries of several shards as one ascending sequence. */
#include "config.h"

#include "volume/volume-merge.h"

#include <stdlib.h>

#include "base/mem.h"

static bool is_before(const struct shard_cursor *a,
		      const struct shard_cursor *b)
{
	int c = entry_compare(&a->e, &b->e);

	if (c)
		return c < 0;
	if (a->e.implicit != b->e.implicit)
		return b->e.implicit;
	return a->h.sf->ordinal > b->h.sf->ordinal;
}

static void swap(struct volume_merge *m, size_t i, size_t j)
{
	struct shard_cursor *c = m->heap[i];

	m->heap[i] = m->heap[j];
	m->heap[j] = c;
}

static void sift_down(struct volume_merge *m)
{
	for (size_t i = 0;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < m->n &&
		    is_before(m->heap[child + 1], m->heap[child]))
			child++;
		if (child >= m->n || !is_before(m->heap[child], m->heap[i]))
			return;
		swap(m, i, child);
		i = child;
	}
}

void volume_merge_add(struct volume_merge *m, struct shard_cursor *c)
{
	struct shard_cursor *own;

	if (c->at_end) {
		shard_cursor_close(c);
		return;
	}
	own = xcalloc(1, sizeof(*own));
	*own = *c;
	*c = (struct shard_cursor){ .at_end = true };
	m->heap = mem_grow(m->heap, &m->cap, m->n + 1, sizeof(*m->heap));
	m->heap[m->n++] = own;
	for (size_t i = m->n - 1; i > 0; i = (i - 1) / 2) {
		if (!is_before(m->heap[i], m->heap[(i - 1) / 2]))
			break;
		swap(m, i, (i - 1) / 2);
	}
}

void volume_merge_release(struct volume_merge *m)
{
	for (size_t i = 0; i < m->n; i++) {
		shard_cursor_close(m->heap[i]);
		free(m->heap[i]);
	}
	free(m->heap);
	*m = (struct volume_merge){ 0 };
}

enum rc volume_merge_next(struct volume_merge *m, struct err *err)
{
	enum rc rc = shard_cursor_next(m->heap[0], err);

	if (rc)
		return rc;
	if (m->heap[0]->at_end) {
		shard_cursor_close(m->heap[0]);
		free(m->heap[0]);
		m->heap[0] = m->heap[--m->n];
	}
	if (m->n)
		sift_down(m);
	return RC_OK;
}
