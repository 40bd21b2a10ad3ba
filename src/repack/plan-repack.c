/* SPDX-License-Identifier: Apache-2.0 */
/* plan-repack.c - which shards are made again, and which of them together. */
#include "config.h"

#include "repack/plan-repack.h"

#include <stdlib.h>

#include "base/mem.h"

struct planning {
	const struct plan_shard *shards;
	size_t n;
	const struct plan_options *o;
	struct repack_plan *plan;
	size_t n_order, cap;
	bool *is_taken;
};

void repack_plan_release(struct repack_plan *p)
{
	free(p->order);
	free(p->groups);
	*p = (struct repack_plan){ 0 };
}

/* Plain bytes that stay. */
static uint64_t bytes_left(const struct plan_shard *s)
{
	return s->meta->plain_bytes > s->deleted_bytes
		       ? s->meta->plain_bytes - s->deleted_bytes
		       : 0;
}

/* At least percent of all; all may be too much to be multiplied. */
static bool is_share(uint64_t part, uint64_t all, unsigned int percent)
{
	return (long double)part * 100 >= (long double)all * percent;
}

static bool is_deleted_enough(const struct plan_options *o,
			      const struct plan_shard *s)
{
	if (!o->by_deleted || !s->deleted)
		return false;
	if (!s->meta->plain_bytes)
		return is_share(s->deleted, s->meta->n_entries,
				o->when_deleted);
	return is_share(s->deleted_bytes, s->meta->plain_bytes,
			o->when_deleted);
}

static bool is_together(const struct shard_meta *a, const struct shard_meta *b)
{
	return a->day == b->day && a->slot == b->slot &&
	       a->n_bits == b->n_bits && a->route == b->route;
}

static bool is_mergeable(const struct planning *p, size_t i)
{
	const struct plan_shard *s = &p->shards[i];

	return !p->is_taken[i] && !s->is_held && !s->is_damaged &&
	       bytes_left(s) < p->o->merge_below;
}

static void add_group(struct planning *p, size_t first, enum oplog_why why)
{
	struct repack_plan *plan = p->plan;

	plan->groups = mem_grow(plan->groups, &p->cap, plan->n_groups + 1,
				sizeof(*plan->groups));
	plan->groups[plan->n_groups++] = (struct plan_group){
		.first = first, .n = p->n_order - first, .why = why
	};
}

static void take(struct planning *p, size_t i)
{
	p->is_taken[i] = true;
	p->plan->order[p->n_order++] = i;
}

/* Shard i, and what comes behind it and fits; false: nothing does. */
static bool merge_from(struct planning *p, size_t i)
{
	size_t first = p->n_order;
	uint64_t sum;

	if (!p->o->merge_below || !is_mergeable(p, i))
		return false;
	sum = bytes_left(&p->shards[i]);
	take(p, i);
	for (size_t k = i + 1;
	     k < p->n && p->n_order - first < p->o->max_together; k++) {
		uint64_t more;

		if (!is_together(p->shards[i].meta, p->shards[k].meta)) {
			/* Keys begin with the day and the slot. */
			if (p->shards[k].meta->day != p->shards[i].meta->day)
				break;
			continue;
		}
		more = bytes_left(&p->shards[k]);
		if (!is_mergeable(p, k) || more > p->o->merge_below - sum)
			continue;
		sum += more;
		take(p, k);
	}
	if (p->n_order - first > 1) {
		add_group(p, first, OPLOG_MERGE);
		return true;
	}
	p->n_order = first;
	p->is_taken[i] = false;
	return false;
}

/* Whether it is made again by itself, and why. */
static bool is_wanted(const struct planning *p, const struct plan_shard *s,
		      enum oplog_why *ret)
{
	const struct plan_options *o = p->o;

	if (s->is_damaged) {
		*ret = OPLOG_CORRUPT;
		return o->drop_corrupt;
	}
	if (is_deleted_enough(o, s)) {
		*ret = OPLOG_DELETED;
		return true;
	}
	if (o->split_above && s->meta->n_files > 1 &&
	    bytes_left(s) > o->split_above) {
		*ret = OPLOG_SPLIT;
		return true;
	}
	*ret = OPLOG_RECOMPRESS;
	return o->recompress;
}

void repack_plan_make(const struct plan_shard *shards, size_t n,
		      const struct plan_options *opts, struct repack_plan *ret)
{
	struct planning p = {
		.shards = shards, .n = n, .o = opts, .plan = ret
	};

	*ret = (struct repack_plan){ .order = xcalloc(n + 1, sizeof(size_t)) };
	p.is_taken = xcalloc(n + 1, sizeof(*p.is_taken));
	for (size_t i = 0; i < n; i++) {
		size_t first = p.n_order;
		enum oplog_why why;

		if (p.is_taken[i] || shards[i].is_held || merge_from(&p, i) ||
		    !is_wanted(&p, &shards[i], &why))
			continue;
		take(&p, i);
		add_group(&p, first, why);
	}
	free(p.is_taken);
}
