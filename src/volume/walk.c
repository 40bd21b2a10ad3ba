/* SPDX-License-Identifier: Apache-2.0 */
/* walk.c - which blocks will be read next; pure policy. */
#include "config.h"

#include "volume/walk.h"

#include <stddef.h>
#include <string.h>

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* --- the blocks of a file ---------------------------------------------- */

/* The kernel reads ahead itself, so what is behind next may come late, and what
 * was asked for already may come early.
 */
static bool file_takes(const struct walk_file *f, const struct walk_read *r)
{
	return f->used && f->shard == r->shard && f->ordinal == r->ordinal &&
	       r->first + WALK_BACK >= f->next &&
	       r->first <= max32(f->end, f->next + r->n);
}

static struct walk_file *file_new(struct walk *w, const struct walk_read *r)
{
	struct walk_file *oldest = &w->files[0], *same = NULL;
	unsigned int n_same = 0;

	for (unsigned int i = 0; i < WALK_FILES; i++) {
		struct walk_file *f = &w->files[i];

		if (f->used < oldest->used)
			oldest = f;
		if (!f->used || f->shard != r->shard ||
		    f->ordinal != r->ordinal)
			continue;
		n_same++;
		if (!same || f->used < same->used)
			same = f;
	}
	if (n_same >= WALK_SAME)
		oldest = same;
	*oldest = (struct walk_file){ .shard = r->shard,
				      .ordinal = r->ordinal,
				      .next = r->first,
				      .end = r->first };
	/* Who begins at the start goes on, all the more with a large read. */
	if (!r->first)
		oldest->run = r->n > 1 ? WALK_ARMED : WALK_ARMED - 1;
	return oldest;
}

static struct walk_file *file_find(struct walk *w, const struct walk_read *r)
{
	for (unsigned int i = 0; i < WALK_FILES; i++) {
		if (file_takes(&w->files[i], r))
			return &w->files[i];
	}
	return file_new(w, r);
}

static void file_step(struct walk *w, const struct walk_read *r,
		      struct walk_next *ret)
{
	struct walk_file *f = file_find(w, r);
	uint32_t end = r->first + r->n, from, to;

	if (f->used && end > f->next)
		f->run++;
	else if (end + WALK_LATE < f->next && f->run)
		f->run--;
	f->used = ++w->clock;
	f->next = max32(f->next, end);
	f->end = max32(f->end, f->next);
	if (f->run < WALK_ARMED || f->end - f->next > f->window / 2)
		return;
	f->window = f->window ? f->window * 2 : 2;
	f->window = min32(f->window, min32(w->max, WALK_FILE_MAX));
	from = f->end;
	to = min32(r->n_blocks, f->next + f->window);
	if (to <= from)
		return;
	ret->first = from;
	ret->n = to - from;
	f->end = to;
}

/* --- the files of a directory and on ----------------------------------- */

static uint64_t distance(const struct walk_dir *d, uint64_t ordinal)
{
	return ordinal > d->last ? ordinal - d->last : d->last - ordinal;
}

static bool dir_takes(const struct walk_dir *d, const struct walk_read *r)
{
	return d->used && d->shard == r->shard &&
	       distance(d, r->ordinal) <=
		       (r->ordinal > d->last ? WALK_SKIP : WALK_BACK);
}

static struct walk_dir *dir_new(struct walk *w, const struct walk_read *r)
{
	struct walk_dir *oldest = &w->dirs[0], *same = NULL;
	unsigned int n_same = 0;

	for (unsigned int i = 0; i < WALK_DIRS; i++) {
		struct walk_dir *d = &w->dirs[i];

		if (d->used < oldest->used)
			oldest = d;
		if (!d->used || d->shard != r->shard)
			continue;
		n_same++;
		if (!same || d->used < same->used)
			same = d;
	}
	if (n_same >= WALK_SAME)
		oldest = same;
	*oldest = (struct walk_dir){ .shard = r->shard,
				     .last = r->ordinal,
				     .places = { r->place } };
	return oldest;
}

/* The nearest of those that take it, as walkers may follow one another. */
static struct walk_dir *dir_find(struct walk *w, const struct walk_read *r)
{
	struct walk_dir *found = NULL;

	for (unsigned int i = 0; i < WALK_DIRS; i++) {
		struct walk_dir *d = &w->dirs[i];

		if (dir_takes(d, r) &&
		    (!found ||
		     distance(d, r->ordinal) < distance(found, r->ordinal)))
			found = d;
	}
	return found ? found : dir_new(w, r);
}

/* Move the place to the front.  True: it was among them. */
static bool dir_place(struct walk_dir *d, uint64_t place)
{
	unsigned int i = 0;
	bool is_known;

	while (i < WALK_PLACES - 1 && d->places[i] != place)
		i++;
	is_known = d->places[i] == place;
	for (; i > 0; i--)
		d->places[i] = d->places[i - 1];
	d->places[0] = place;
	return is_known;
}

static void dir_step(struct walk *w, const struct walk_read *r,
		     struct walk_next *ret)
{
	struct walk_dir *d = dir_find(w, r);
	bool is_new = !d->used;

	d->used = ++w->clock;
	if (!is_new && r->ordinal + WALK_LATE < d->last && d->run)
		d->run--;
	if (!is_new && r->ordinal > d->last) {
		d->run++;
		d->is_told &= dir_place(d, r->place);
		d->last = r->ordinal;
	}
	if (d->run < WALK_ARMED || d->is_told)
		return;
	d->window = min32(d->window + 1, min32(w->max, WALK_DIR_MAX));
	d->is_told = true;
	ret->n_blocks = d->window;
	memcpy(ret->places, d->places, sizeof(d->places));
}

struct walk_next walk_step(struct walk *w, const struct walk_read *r)
{
	struct walk_next ret = { 0 };

	if (r->n_blocks > 1)
		file_step(w, r, &ret);
	if (r->place && r->first + r->n >= r->n_blocks)
		dir_step(w, r, &ret);
	return ret;
}
