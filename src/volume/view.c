/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - which shards count at one moment, by slot and by day. */
#include "config.h"

#include "volume/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "erase/tombstone-set.h"
#include "shard/route.h"
#include "volume/oplog.h"
#include "volume/shard-file.h"
#include "volume/shard-set.h"

/* Of shards with one created_max the key decides, so that every session has
 * the same order.
 */
static int newest_first(const struct shard_meta *a, const struct shard_meta *b)
{
	if (a->created_max != b->created_max)
		return a->created_max > b->created_max ? -1 : 1;
	return strcmp(a->key, b->key);
}

static int compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static const struct shard_meta *meta_at(const void *p)
{
	return &(*(const struct shard_file *const *)p)->meta;
}

static int slot_order(const void *pa, const void *pb)
{
	const struct shard_meta *a = meta_at(pa), *b = meta_at(pb);
	int c = compare(a->n_bits, b->n_bits);

	if (!c)
		c = compare(a->route, b->route);
	if (!c)
		c = compare(a->slot, b->slot);
	return c ? c : newest_first(a, b);
}

static int day_order(const void *pa, const void *pb)
{
	const struct shard_meta *a = meta_at(pa), *b = meta_at(pb);
	int c = compare(a->day, b->day);

	return c ? c : newest_first(a, b);
}

/* One group from its shards, ordered. */
static void add_group(struct view *view, const struct shard_file **shards,
		      size_t n)
{
	struct view_group *g = &view->groups[view->n_groups++];
	uint32_t n_slots, slot = 0;

	g->n_bits = shards[0]->meta.n_bits;
	g->route = shards[0]->meta.route;
	g->shards = shards;
	n_slots = UINT32_C(1) << g->n_bits;
	g->starts = xcalloc((size_t)n_slots + 1, sizeof(*g->starts));
	for (size_t i = 0; i < n; i++) {
		while (slot <= shards[i]->meta.slot)
			g->starts[slot++] = (uint32_t)i;
	}
	while (slot <= n_slots)
		g->starts[slot++] = (uint32_t)n;
}

static void fill_groups(struct view *view)
{
	const struct shard_file **s = view->by_slot;
	size_t begin = 0;

	if (!view->n_shards)
		return;
	qsort(s, view->n_shards, sizeof(*s), slot_order);
	for (size_t i = 1; i <= view->n_shards; i++) {
		if (i < view->n_shards &&
		    s[i]->meta.n_bits == s[begin]->meta.n_bits &&
		    s[i]->meta.route == s[begin]->meta.route)
			continue;
		add_group(view, s + begin, i - begin);
		begin = i;
	}
}

static void fill_days(struct view *view)
{
	const struct shard_file **s = view->by_day;
	size_t cap = 0;

	if (!view->n_shards)
		return;
	qsort(s, view->n_shards, sizeof(*s), day_order);
	for (size_t i = 0; i < view->n_shards; i++) {
		if (!i || s[i]->meta.day != s[i - 1]->meta.day) {
			view->days =
				mem_grow(view->days, &cap, view->n_days + 1,
					 sizeof(*view->days));
			view->days[view->n_days++] =
				(struct view_day){ .day = s[i]->meta.day,
						   .shards = s + i };
		}
		view->days[view->n_days - 1].n_shards++;
	}
}

static enum rc fill_shards(struct view *view, const struct oplog *log,
			   struct shard_set *set, const int64_t *without,
			   struct err *err)
{
	size_t n = oplog_count(log), k = 0;

	view->by_slot = xcalloc(n, sizeof(*view->by_slot));
	view->by_day = xcalloc(n, sizeof(*view->by_day));
	for (size_t i = 0; i < n; i++) {
		const struct shard_meta *m = oplog_shard(log, i);
		const struct shard_file *sf = NULL;
		enum rc rc;

		if (without && m->created_min == *without &&
		    m->created_max == *without)
			continue;
		rc = shard_set_add(set, m, &sf, err);
		if (rc)
			return rc;
		view->by_slot[k] = sf;
		view->by_day[k++] = sf;
		view->n_entries += sf->meta.n_entries;
		view->n_files += sf->meta.n_files;
		view->plain_bytes += sf->meta.plain_bytes;
		view->stored_bytes += sf->meta.size;
		if (sf->meta.compat & SHARD_COMPAT_XATTRS)
			view->any_xattrs = true;
	}
	view->n_shards = k;
	return RC_OK;
}

enum rc view_new(struct view **ret, const struct oplog *log,
		 struct shard_set *set, uint64_t generation,
		 const int64_t *without, struct err *err)
{
	struct view *view = xcalloc(1, sizeof(*view));
	enum rc rc;

	atomic_init(&view->refs, 1);
	view->generation = generation;
	rc = fill_shards(view, log, set, without, err);
	if (rc) {
		view_unref(view);
		return rc;
	}
	view->deleted = tombstone_set_ref(
		(struct tombstone_set *)(uintptr_t)oplog_deleted(log));
	fill_groups(view);
	fill_days(view);
	view->is_begun = oplog_n_records(log);
	*ret = view;
	return RC_OK;
}

struct view *view_ref(struct view *view)
{
	atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
	return view;
}

void view_unref(struct view *view)
{
	if (!view || atomic_fetch_sub_explicit(&view->refs, 1,
					       memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < view->n_groups; i++)
		free(view->groups[i].starts);
	free(view->days);
	tombstone_set_unref(view->deleted);
	free(view->by_slot);
	free(view->by_day);
	free(view);
}

const struct view_day *view_day_find(const struct view *view, uint32_t day)
{
	size_t low = 0, high = view->n_days;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (view->days[mid].day < day)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < view->n_days && view->days[low].day == day)
		return &view->days[low];
	return NULL;
}

static void walk_add(struct view_walk *walk, const struct view_group *g,
		     uint32_t first_slot, uint32_t end_slot)
{
	uint32_t begin = g->starts[first_slot], end = g->starts[end_slot];

	if (begin == end)
		return;
	walk->lists[walk->n_lists].p = g->shards + begin;
	walk->lists[walk->n_lists].end = g->shards + end;
	walk->n_lists++;
}

struct view_walk view_walk_uid(const struct view *view, struct span uid)
{
	struct view_walk walk = { .n_lists = 0 };

	for (size_t i = 0; i < view->n_groups; i++) {
		const struct view_group *g = &view->groups[i];
		uint32_t slot = route_slot((enum route_kind)g->route, g->n_bits,
					   uid.p, uid.len);

		walk_add(&walk, g, slot, slot + 1);
	}
	return walk;
}

struct view_walk view_walk_children(const struct view *view, struct span dir)
{
	struct view_walk walk = { .n_lists = 0 };
	/* Some child; which one does not matter where parents are routed. */
	struct span name = span_of("x", 1);
	size_t len = entry_uid_len(dir, name);
	char *child = xcalloc(len, 1);

	entry_uid(dir, name, child);
	for (size_t i = 0; i < view->n_groups; i++) {
		const struct view_group *g = &view->groups[i];
		uint32_t slot = 0, end = UINT32_C(1) << g->n_bits;

		if (g->route == ROUTE_PARENT) {
			slot = route_slot(ROUTE_PARENT, g->n_bits, child, len);
			end = slot + 1;
		}
		walk_add(&walk, g, slot, end);
	}
	free(child);
	return walk;
}

struct view_walk view_walk_slot(const struct view *view, unsigned int n_bits,
				unsigned int route, uint32_t slot)
{
	struct view_walk walk = { .n_lists = 0 };

	for (size_t i = 0; i < view->n_groups; i++) {
		const struct view_group *g = &view->groups[i];

		if (g->n_bits == n_bits && g->route == route)
			walk_add(&walk, g, slot, slot + 1);
		else
			walk_add(&walk, g, 0, UINT32_C(1) << g->n_bits);
	}
	return walk;
}

const struct shard_file *view_walk_next(struct view_walk *walk)
{
	size_t best = walk->n_lists;

	for (size_t i = 0; i < walk->n_lists; i++) {
		if (walk->lists[i].p == walk->lists[i].end)
			continue;
		if (best == walk->n_lists ||
		    (*walk->lists[i].p)->meta.created_max >
			    (*walk->lists[best].p)->meta.created_max)
			best = i;
	}
	return best < walk->n_lists ? *walk->lists[best].p++ : NULL;
}
