/* SPDX-License-Identifier: Apache-2.0 */
/* readahead.c - how much to fetch when a block is wanted; pure policy. */
#include "config.h"

#include "volume/readahead.h"

#include "base/clock.h"

/* A range that took longer is halved the next time. */
#define TOO_LONG_NS (2 * CLOCK_NS_PER_SEC)
/* How far past the end of what is known of an open directory. */
#define OPEN_MAX READAHEAD_MAX
/* Less than this is not worth a request of its own ahead of time. */
#define AHEAD_MIN (READAHEAD_FIRST / 4)

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

enum readahead_kin readahead_kin(const struct readahead *ra,
				 struct byte_range block,
				 const struct readahead_near *near)
{
	const struct byte_range *old = &ra->near.range;
	uint64_t gap = near->is_strict ? 0 : READAHEAD_GAP;

	if (block.hi > ra->next && block.lo <= ra->next + gap)
		return READAHEAD_SEQUENTIAL;
	if (!near->is_file && !ra->near.is_file &&
	    near->group == ra->near.group && near->range.lo < old->hi &&
	    old->lo < near->range.hi)
		return READAHEAD_BESIDE;
	return READAHEAD_NEW;
}

/* Less than a quarter of what was fetched was wanted. */
static bool is_wasteful(const struct readahead *ra)
{
	uint64_t used = 0, size = 0;
	unsigned int n =
		ra->n_past < READAHEAD_PAST ? ra->n_past : READAHEAD_PAST;

	for (unsigned int i = 0; i < n; i++) {
		used += ra->past[i].used;
		size += ra->past[i].size;
	}
	return n >= 4 && used < size / 4;
}

static void grow(struct readahead *ra, const struct readahead_bounds *b)
{
	uint64_t max = b->max_window;

	if (ra->limit)
		max = min64(max, ra->limit);
	if (is_wasteful(ra))
		ra->window = max64(ra->window / 2, READAHEAD_MIN);
	else if (ra->window < READAHEAD_FIRST)
		ra->window = READAHEAD_FIRST;
	else
		ra->window *= 2;
	ra->window = min64(ra->window, max);
}

/* Bytes that may still be fetched for what was wanted so far. */
static uint64_t allowance(const struct readahead *ra)
{
	uint64_t all = ra->demanded * READAHEAD_AMPLIFY + READAHEAD_FIRST;

	return all > ra->fetched ? all - ra->fetched : 0;
}

/* Where the data ends that the stream may be thought to go for. */
static uint64_t bound(const struct readahead *ra,
		      const struct readahead_bounds *b)
{
	uint64_t hi = ra->near.range.hi;

	if (ra->is_scan)
		return b->end;
	return min64(b->end, ra->near.is_open ? hi + OPEN_MAX : hi);
}

/* What a read without evidence fetches. */
static struct byte_range first(struct byte_range need,
			       const struct readahead_near *near)
{
	uint64_t len = need.hi - need.lo;
	uint64_t size =
		max64(len, min64(READAHEAD_MIN, READAHEAD_AMPLIFY * len));

	return (struct byte_range){
		need.lo, max64(need.hi, min64(need.lo + size, near->range.hi))
	};
}

/* Of the directory so much as the window takes, with need in it. */
static struct byte_range around(const struct readahead *ra,
				struct byte_range need)
{
	const struct byte_range *dir = &ra->near.range;
	struct byte_range r = { need.lo, need.lo + ra->window };

	r.hi = max64(min64(r.hi, dir->hi), need.hi);
	if (r.hi - r.lo < ra->window) {
		uint64_t lo = r.hi > ra->window ? r.hi - ra->window : 0;

		r.lo = min64(r.lo, max64(lo, dir->lo));
	}
	return r;
}

static struct byte_range ahead_of(const struct readahead *ra,
				  struct byte_range need,
				  const struct readahead_bounds *b)
{
	struct byte_range r = need;

	if (ra->next < need.lo && need.lo - ra->next <= READAHEAD_GAP)
		r.lo = ra->next;
	r.hi = max64(need.hi, min64(r.lo + ra->window, bound(ra, b)));
	return r;
}

/* r within room and the allowance, but all of need. */
static struct byte_range clip(const struct readahead *ra, struct byte_range r,
			      struct byte_range need, struct byte_range room)
{
	uint64_t may = allowance(ra), over;

	r.lo = max64(r.lo, room.lo);
	r.hi = min64(r.hi, room.hi);
	over = r.hi - r.lo > may ? r.hi - r.lo - may : 0;
	if (over) {
		uint64_t after = min64(over, r.hi - need.hi);

		r.hi -= after;
		r.lo += min64(over - after, need.lo - r.lo);
	}
	return r;
}

struct byte_range readahead_miss(struct readahead *ra, enum readahead_kin kin,
				 struct byte_range need, struct byte_range room,
				 const struct readahead_near *near,
				 const struct readahead_bounds *b)
{
	struct byte_range r = need;
	uint64_t call_end;

	ra->demanded += need.hi - need.lo; /* for the allowance only */
	switch (kin) {
	case READAHEAD_NEW:
		ra->near = *near;
		r = first(need, near);
		break;
	case READAHEAD_BESIDE:
		ra->near = *near;
		ra->is_sequential = false;
		grow(ra, b);
		r = around(ra, need);
		break;
	case READAHEAD_SEQUENTIAL:
		readahead_moved(ra, need.lo, near);
		ra->is_sequential = true;
		grow(ra, b);
		r = ahead_of(ra, need, b);
		break;
	}
	r = clip(ra, r, need, room);
	ra->demanded -= need.hi - need.lo;
	call_end = min64(near->call_end, need.lo + READAHEAD_MAX);
	r.hi = max64(r.hi, min64(call_end, room.hi));
	ra->next = r.hi;
	ra->newest = r.hi - r.lo;
	ra->fetched += ra->newest;
	return r;
}

void readahead_read(struct readahead *ra, struct byte_range block)
{
	ra->demanded += block.hi - block.lo;
	ra->pos = block.hi;
}

bool readahead_wants_near(const struct readahead *ra, uint64_t off)
{
	return ra->is_sequential && !ra->is_scan && off >= ra->near.range.hi;
}

void readahead_moved(struct readahead *ra, uint64_t off,
		     const struct readahead_near *near)
{
	if (near->group != ra->near.group && off >= ra->near.range.hi)
		ra->is_scan = true;
	ra->near = *near;
}

bool readahead_ahead(struct readahead *ra, const struct readahead_bounds *b,
		     struct byte_range *ret)
{
	uint64_t left = ra->next > ra->pos ? ra->next - ra->pos : 0;
	uint64_t end = bound(ra, b), want = ra->newest / 2, size;

	if (!ra->is_sequential || !ra->window || is_wasteful(ra))
		return false;
	if (ra->window >= b->max_window && b->depth > 2)
		want += (b->depth - 2) * ra->window;
	if (left > want || ra->next >= end)
		return false;
	size = min64(ra->window * 2, b->max_window);
	if (ra->limit)
		size = min64(size, ra->limit);
	size = min64(size, allowance(ra));
	if (size < AHEAD_MIN)
		return false;
	ra->window = max64(ra->window, size);
	*ret = (struct byte_range){ ra->next, min64(ra->next + size, end) };
	return true;
}

void readahead_ahead_taken(struct readahead *ra, uint64_t hi)
{
	ra->newest = hi - ra->next;
	ra->fetched += ra->newest;
	ra->next = hi;
}

void readahead_skip(struct readahead *ra, uint64_t hi)
{
	ra->next = max64(ra->next, hi);
}

void readahead_done(struct readahead *ra, uint64_t size, uint64_t ns)
{
	if (ns <= TOO_LONG_NS)
		return;
	ra->limit = max64(size / 2, READAHEAD_MIN);
	ra->window = min64(ra->window, ra->limit);
}

void readahead_failed(struct readahead *ra)
{
	ra->window = 0;
	ra->is_sequential = false;
}

void readahead_retired(struct readahead *ra, uint64_t used, uint64_t size)
{
	unsigned int i = ra->n_past++ % READAHEAD_PAST;

	ra->past[i].used = used;
	ra->past[i].size = size;
}
