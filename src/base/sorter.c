/* SPDX-License-Identifier: Apache-2.0 */
/* sorter.c - gathers records, writes sorted runs when memory is full. */
#include "config.h"

#include "base/sorter.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sorter-record.h"

struct sorter *sorter_new_shared(const char *dir, size_t bound,
				 uint32_t n_partitions, unsigned int n_feeds)
{
	struct sorter *s = xcalloc(1, sizeof(*s));

	s->bound = bound;
	s->n_partitions = n_partitions;
	s->n_feeds = n_feeds;
	s->feeds = xcalloc(n_feeds, sizeof(struct sorter_feed *));
	for (unsigned int i = 0; i < n_feeds; i++)
		s->feeds[i] = xcalloc(1, sizeof(struct sorter_feed));
	spool_init(&s->spool, dir, 0);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

struct sorter *sorter_new(const char *dir, size_t bound, uint32_t n_partitions)
{
	return sorter_new_shared(dir, bound, n_partitions, 1);
}

static void feed_release(struct sorter_feed *f)
{
	free(f->arena);
	free(f->order);
	*f = (struct sorter_feed){ 0 };
}

void sorter_free(struct sorter *s)
{
	if (!s)
		return;
	for (unsigned int i = 0; i < s->n_feeds; i++) {
		feed_release(s->feeds[i]);
		free(s->feeds[i]);
	}
	free(s->feeds);
	free(s->runs);
	spool_release(&s->spool);
	pthread_mutex_destroy(&s->lock);
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

static void feed_sort(struct sorter_feed *f)
{
	if (f->n && !f->is_sorted)
		qsort_r(f->order, f->n, sizeof(*f->order), compare_order,
			f->arena);
	f->is_sorted = true;
}

/* Called with the lock held. */
static enum rc write_run(struct sorter *s, const struct sorter_feed *f,
			 uint64_t *starts, struct err *err)
{
	uint32_t next = 0; /* partition whose begin is not known yet */
	enum rc rc = RC_OK;

	for (size_t i = 0; i < f->n && !rc; i++) {
		const uint8_t *p = f->arena + f->order[i];
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
	return rc;
}

/* Write the feed's records as one run, and forget them. */
static enum rc feed_spill(struct sorter *s, struct sorter_feed *f,
			  struct err *err)
{
	CLEANUP_FREE uint64_t *starts =
		mem_array(s->n_partitions + 1, sizeof(*starts));
	enum rc rc;

	if (!starts)
		return err_set(err, RC_NOMEM, "out of memory");
	feed_sort(f);
	pthread_mutex_lock(&s->lock);
	rc = write_run(s, f, starts, err);
	pthread_mutex_unlock(&s->lock);
	f->n = 0;
	f->arena_len = 0;
	f->is_sorted = false;
	return rc;
}

enum rc sorter_add_to(struct sorter *s, unsigned int feed, uint32_t partition,
		      struct span key, struct span value, struct err *err)
{
	struct sorter_feed *f = s->feeds[feed];
	struct sorter_head h = { .partition = partition,
				 .key_len = (uint32_t)key.len,
				 .value_len = (uint32_t)value.len };
	size_t len = sorter_record_len(h);
	uint8_t *p;

	if (key.len > UINT32_MAX / 4 || value.len > UINT32_MAX / 4)
		return err_set(err, RC_LIMIT, "record of %zu and %zu bytes",
			       key.len, value.len);
	if (f->n && f->arena_len + len + (f->n + 1) * sizeof(*f->order) >
			    s->bound / s->n_feeds) {
		enum rc rc = feed_spill(s, f, err);

		if (rc)
			return rc;
	}
	f->arena = mem_grow(f->arena, &f->arena_cap, f->arena_len + len, 1);
	f->order =
		mem_grow(f->order, &f->order_cap, f->n + 1, sizeof(*f->order));
	p = f->arena + f->arena_len;
	memcpy(p, &h, sizeof(h));
	if (key.len)
		memcpy(p + sizeof(h), key.p, key.len);
	if (value.len)
		memcpy(p + sizeof(h) + key.len, value.p, value.len);
	f->order[f->n++] = f->arena_len;
	f->arena_len += len;
	return RC_OK;
}

enum rc sorter_add(struct sorter *s, uint32_t partition, struct span key,
		   struct span value, struct err *err)
{
	return sorter_add_to(s, 0, partition, key, value, err);
}

void sorter_end_feed(struct sorter *s, unsigned int feed)
{
	feed_sort(s->feeds[feed]);
}

enum rc sorter_finish(struct sorter *s, struct err *err)
{
	enum rc rc = RC_OK;

	for (unsigned int i = 0; i < s->n_feeds && !rc; i++) {
		struct sorter_feed *f = s->feeds[i];

		if (!s->n_runs) {
			feed_sort(f);
			continue;
		}
		if (f->n)
			rc = feed_spill(s, f, err);
		feed_release(f);
	}
	return rc;
}

uint64_t sorter_spilled(const struct sorter *s)
{
	return spool_len(&s->spool);
}
