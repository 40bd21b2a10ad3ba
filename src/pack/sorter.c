/* SPDX-License-Identifier: Apache-2.0 */
/* sorter.c - gathers records, writes sorted runs when memory is full. */
#include "config.h"

#include "pack/sorter.h"

#include <stdlib.h>

#include "base/mem.h"
#include "pack/sorter-record.h"

struct sorter *sorter_new(const char *dir, size_t bound, uint32_t n_partitions)
{
	struct sorter *s = xcalloc(1, sizeof(*s));

	s->bound = bound;
	s->n_partitions = n_partitions;
	spool_init(&s->spool, dir, 0);
	return s;
}

void sorter_free(struct sorter *s)
{
	if (!s)
		return;
	free(s->arena);
	free(s->order);
	free(s->runs);
	spool_release(&s->spool);
	free(s);
}

static int compare_order(const void *a, const void *b, void *arg)
{
	const uint8_t *arena = arg;
	const uint8_t *pa = arena + *(const uint64_t *)a;
	const uint8_t *pb = arena + *(const uint64_t *)b;
	struct sorter_head ha = sorter_head_at(pa), hb = sorter_head_at(pb);

	if (ha.partition != hb.partition)
		return ha.partition < hb.partition ? -1 : 1;
	return sorter_compare(pa, pb);
}

static void sorter_sort(struct sorter *s)
{
	if (s->n)
		qsort_r(s->order, s->n, sizeof(*s->order), compare_order,
			s->arena);
}

/* Write the records in memory as one run, and forget them. */
static enum rc sorter_spill(struct sorter *s, struct err *err)
{
	uint64_t *starts = mem_array(s->n_partitions + 1, sizeof(*starts));
	uint32_t next = 0; /* partition whose begin is not known yet */
	enum rc rc = RC_OK;

	if (!starts)
		return err_set(err, RC_NOMEM, "out of memory");
	sorter_sort(s);
	for (size_t i = 0; i < s->n && !rc; i++) {
		const uint8_t *p = s->arena + s->order[i];
		struct sorter_head h = sorter_head_at(p);

		while (next <= h.partition)
			starts[next++] = spool_len(&s->spool);
		rc = spool_append(&s->spool, p, sorter_record_len(h), err);
	}
	while (next <= s->n_partitions)
		starts[next++] = spool_len(&s->spool);
	s->runs = mem_grow(s->runs, &s->runs_cap, s->n_runs + 1,
			   sizeof(*s->runs));
	s->runs[s->n_runs++].index = spool_len(&s->spool);
	if (!rc)
		rc = spool_append(&s->spool, starts,
				  (s->n_partitions + 1) * sizeof(*starts), err);
	s->n = 0;
	s->arena_len = 0;
	free(starts);
	return rc;
}

enum rc sorter_add(struct sorter *s, uint32_t partition, struct span key,
		   struct span value, struct err *err)
{
	struct sorter_head h = { .partition = partition,
				 .key_len = (uint32_t)key.len,
				 .value_len = (uint32_t)value.len };
	size_t len = sorter_record_len(h);
	uint8_t *p;

	if (key.len > UINT32_MAX / 4 || value.len > UINT32_MAX / 4)
		return err_set(err, RC_LIMIT, "record of %zu and %zu bytes",
			       key.len, value.len);
	if (s->n &&
	    s->arena_len + len + (s->n + 1) * sizeof(*s->order) > s->bound) {
		enum rc rc = sorter_spill(s, err);

		if (rc)
			return rc;
	}
	s->arena = mem_grow(s->arena, &s->arena_cap, s->arena_len + len, 1);
	s->order =
		mem_grow(s->order, &s->order_cap, s->n + 1, sizeof(*s->order));
	p = s->arena + s->arena_len;
	memcpy(p, &h, sizeof(h));
	if (key.len)
		memcpy(p + sizeof(h), key.p, key.len);
	if (value.len)
		memcpy(p + sizeof(h) + key.len, value.p, value.len);
	s->order[s->n++] = s->arena_len;
	s->arena_len += len;
	return RC_OK;
}

enum rc sorter_finish(struct sorter *s, struct err *err)
{
	enum rc rc;

	if (!s->n_runs) {
		sorter_sort(s);
		return RC_OK;
	}
	rc = sorter_spill(s, err);
	free(s->arena);
	free(s->order);
	s->arena = NULL;
	s->order = NULL;
	return rc;
}

uint64_t sorter_spilled(const struct sorter *s)
{
	return spool_len(&s->spool);
}
