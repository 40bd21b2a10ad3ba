/* SPDX-License-Identifier: Apache-2.0 */
/* fold-choose.c - which objects of the log are to be put together, and which may
 * go since others stand for them.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "repack/fold-objects.h"

#define NOT_COVERED INT64_MAX
/* Checkpoints of fewer records are put together when they are so many. */
#define SMALL_MAX 512u
#define SMALL_MANY 4u

/* --- what stands for what ------------------------------------------------- */

bool fold_object_is_clean(const struct fold_object *o)
{
	return o->is_checkpoint && !o->is_dirty && !o->is_removed;
}

static bool stands(const struct fold_object *o)
{
	return fold_object_is_clean(o) && !o->is_spare;
}

void fold_object_cover(struct fold_objects *f, const struct fold_object *o)
{
	for (size_t i = 0; i < o->n; i++) {
		struct fold_covers *c = &f->covers[o->members[i]];

		c->all = mem_grow(c->all, &c->cap, c->n + 1, sizeof(*c->all));
		c->all[c->n++] = (size_t)(o - f->all);
	}
}

void fold_objects_uncover(struct fold_objects *f)
{
	for (size_t i = 0; i < f->n_records; i++)
		f->covers[i].n = 0;
}

void fold_objects_cover(struct fold_objects *f)
{
	fold_objects_uncover(f);
	for (size_t i = 0; i < f->n; i++) {
		if (fold_object_is_clean(&f->all[i]))
			fold_object_cover(f, &f->all[i]);
	}
}

/* A checkpoint goes only where a later one stands for its records: so the last
 * that has one stays, whoever removes others at the same time for what he takes
 * to be spare or dirty.  A wrong clock must not keep what is dirty, so one far
 * ahead is no later to anybody than what goes since it is spare.
 */
static bool may_replace(const struct fold_objects *f,
			const struct fold_object *o,
			const struct fold_object *c)
{
	if (!o->is_checkpoint)
		return true;
	if (o->is_dirty && o->time > f->now + CLOCK_SKEW_US)
		return strcmp(c->name, o->name) != 0;
	return strcmp(c->name, o->name) > 0 &&
	       (o->is_dirty || c->time <= f->now);
}

/* Since when something stands for one of its records that may take its place;
 * NOT_COVERED.  What is spare itself did so too, as long as it is there: it goes
 * only when what it goes for has been there as long.
 */
static int64_t covered_since(const struct fold_objects *f,
			     const struct fold_object *o, size_t member)
{
	const struct fold_covers *c = &f->covers[o->members[member]];
	int64_t since = NOT_COVERED;
	bool is_any = false;

	for (size_t i = 0; i < c->n; i++) {
		const struct fold_object *by = &f->all[c->all[i]];

		if (!may_replace(f, o, by))
			continue;
		is_any |= stands(by);
		if (by->time < since)
			since = by->time;
	}
	return is_any ? since : NOT_COVERED;
}

static bool is_covered(const struct fold_objects *f,
		       const struct fold_object *o)
{
	for (size_t i = 0; i < o->n; i++) {
		if (covered_since(f, o, i) == NOT_COVERED)
			return false;
	}
	return true;
}

/* --- what to write -------------------------------------------------------- */

static size_t count_loose(const struct fold_objects *f, int64_t before)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct fold_object *o = &f->all[i];

		n += !o->is_checkpoint && !o->is_foreign &&
		     f->records[o->members[0]]->time <= before &&
		     !is_covered(f, o);
	}
	return n;
}

/* Another has all that it has, and is later. */
static void mark_redundant(struct fold_objects *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct fold_object *o = &f->all[i];

		o->is_spare = o->n && !o->is_foreign && stands(o) &&
			      is_covered(f, o);
	}
}

static bool is_small(const struct fold_object *o)
{
	return stands(o) && !o->is_foreign && o->n < SMALL_MAX;
}

static size_t count_small(const struct fold_objects *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += is_small(&f->all[i]);
	return n;
}

static void mark_small(struct fold_objects *f)
{
	for (size_t i = 0; i < f->n; i++)
		f->all[i].is_spare |= is_small(&f->all[i]) &&
				      f->all[i].time <= f->now;
}

static bool is_dirt_left(const struct fold_objects *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct fold_object *o = &f->all[i];

		if (o->is_dirty && !o->is_removed && !o->is_foreign &&
		    !is_covered(f, o))
			return true;
	}
	return false;
}

static void choose_of(struct fold_objects *f, struct fold_object *o,
		      bool with_loose, int64_t before, bool *chosen)
{
	o->is_loose = !o->is_checkpoint && !o->is_dirty &&
		      (is_covered(f, o) ||
		       (with_loose &&
			f->records[o->members[0]]->time <= before));
	if (!o->is_dirty && !o->is_loose && !o->is_spare)
		return;
	for (size_t i = 0; i < o->n; i++)
		chosen[o->members[i]] |= covered_since(f, o, i) == NOT_COVERED;
	if (o->is_checkpoint && o->time <= f->now + CLOCK_SKEW_US &&
	    o->time >= f->after)
		f->after = o->time + 1;
}

/* If something has to be written, small checkpoints go into it, too: so the log
 * is few objects, however many deletions there were.
 */
size_t fold_objects_choose(struct fold_objects *f, size_t many, int64_t before,
			   int64_t now, const struct oplog_record ***ret)
{
	bool *chosen = xcalloc(f->n_records + 1, sizeof(*chosen));
	bool with_loose;
	size_t n = 0;

	f->now = now;
	mark_redundant(f);
	with_loose = count_loose(f, before) >= many;
	if (with_loose || is_dirt_left(f) || count_small(f) >= SMALL_MANY)
		mark_small(f);
	for (size_t i = 0; i < f->n; i++) {
		if (!f->all[i].is_removed && !f->all[i].is_foreign)
			choose_of(f, &f->all[i], with_loose, before, chosen);
	}
	*ret = xcalloc(f->n_records + 1, sizeof(**ret));
	for (size_t i = 0; i < f->n_records; i++) {
		if (chosen[i])
			(*ret)[n++] = f->records[i];
	}
	free(chosen);
	return n;
}

bool fold_object_may_go(const struct fold_objects *f,
			const struct fold_object *o)
{
	return !o->is_removed && !o->is_foreign &&
	       (o->is_dirty || o->is_loose || o->is_spare) && is_covered(f, o);
}

int64_t fold_object_since(const struct fold_objects *f,
			  const struct fold_object *o)
{
	int64_t since = INT64_MIN;

	for (size_t i = 0; i < o->n; i++) {
		int64_t one = covered_since(f, o, i);

		if (one > since)
			since = one;
	}
	return since;
}
