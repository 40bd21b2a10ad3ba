/* SPDX-License-Identifier: Apache-2.0 */
/* fetch-ahead.c - ranges of remote shards that streams of reads will want next.
 */
#include "config.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/workers.h"
#include "volume/fetch-backend.h"

/* See is_credible(): for what goes right on, and for what leaves a gap. */
#define N_YOUNG 8u
#define N_YOUNG_GAP 2u
/* Jobs in the queue, so that submitting one never waits. */
#define JOBS_MAX 64u
/* A stream without reads for so long leaves its share to others. */
#define ACTIVE_NS (5 * CLOCK_NS_PER_SEC)
/* Blocks of a range that failed are read alone. */
#define FAILED_NS (60 * CLOCK_NS_PER_SEC)

/* --- streams -------------------------------------------------------------- */

struct stream *fetch_stream_get(struct fetch *f, struct stream_id id)
{
	struct stream *st = &f->streams[id.i];

	return st->number == id.number ? st : NULL;
}

struct stream_id fetch_stream_id(const struct fetch *f, const struct stream *st)
{
	return (struct stream_id){ (unsigned int)(st - f->streams),
				   st->number };
}

static struct stream *stream_new(struct fetch *f, uint64_t id)
{
	struct stream *oldest = &f->streams[0];

	for (unsigned int i = 0; i < N_STREAMS && oldest->number; i++) {
		struct stream *st = &f->streams[i];

		if (!st->number || st->touched < oldest->touched)
			oldest = st;
	}
	*oldest = (struct stream){ .number = ++f->n_streams, .id = id };
	return oldest;
}

/* After random reads of a file there are streams all over it, and a block is
 * next to one of them by chance; so one that has read but once must be among
 * the youngest.
 */
static bool is_credible(const struct fetch *f, const struct stream *st,
			const struct request *rq)
{
	bool has_gap = rq->block.lo > st->ra.next;
	unsigned int n_younger = 0;

	if (!st->ra.near.is_file || st->ra.window)
		return true;
	for (unsigned int i = 0; i < N_STREAMS; i++) {
		const struct stream *other = &f->streams[i];

		if (other->number > st->number && other->id == st->id &&
		    other->ra.near.group == st->ra.near.group)
			n_younger++;
	}
	return n_younger < (has_gap ? N_YOUNG_GAP : N_YOUNG);
}

struct stream *fetch_stream_for(struct fetch *f, const struct request *rq,
				enum readahead_kin *ret)
{
	struct stream *found = NULL;

	*ret = READAHEAD_NEW;
	for (unsigned int i = 0; i < N_STREAMS; i++) {
		struct stream *st = &f->streams[i];
		enum readahead_kin kin;

		if (!st->number || st->id != rq->src->id)
			continue;
		kin = readahead_kin(&st->ra, rq->block, &rq->near);
		if (kin != READAHEAD_NEW && !is_credible(f, st, rq))
			continue;
		if (kin > *ret ||
		    (found && kin == *ret && st->touched > found->touched)) {
			*ret = kin;
			found = st;
		}
	}
	return found ? found : stream_new(f, rq->src->id);
}

struct readahead_bounds fetch_bounds(const struct fetch *f,
				     const struct request *rq,
				     const struct stream *self)
{
	uint64_t n_active = 1, share, window, depth;

	for (unsigned int i = 0; i < N_STREAMS; i++) {
		const struct stream *st = &f->streams[i];

		if (st != self && st->number && st->ra.window &&
		    rq->now - st->touched < ACTIVE_NS)
			n_active++;
	}
	share = f->segments.max_bytes / n_active / 2;
	window = share < READAHEAD_MAX ? share : READAHEAD_MAX;
	if (window < READAHEAD_MIN)
		window = READAHEAD_MIN;
	depth = share / window;
	if (depth > f->o.n_ahead)
		depth = f->o.n_ahead;
	return (struct readahead_bounds){ .end = rq->src->data.hi,
					  .max_window = window,
					  .depth = (unsigned int)depth };
}

/* --- ranges --------------------------------------------------------------- */

void fetch_drop(struct fetch *f, struct segment *s)
{
	struct stream *st = fetch_stream_get(f, s->stream);

	if (st && s->state != SEGMENT_FAILED)
		readahead_retired(&st->ra, s->used, s->range.hi - s->range.lo);
	segment_drop(&f->segments, s);
}

bool fetch_make_room(struct fetch *f, uint64_t size, uint64_t now,
		     bool is_ahead)
{
	if (size != READAHEAD_MAX)
		segments_free_spare(&f->segments);
	while (!segments_has_room(&f->segments, size)) {
		struct segment *s =
			segments_victim(&f->segments, now, is_ahead);

		if (!s)
			return false;
		fetch_drop(f, s);
	}
	return true;
}

void fetch_expire(struct fetch *f, uint64_t now)
{
	struct segment *s;

	for (;;) {
		s = segments_expired(&f->segments, now);
		if (!s)
			return;
		fetch_drop(f, s);
	}
}

static void note_failed(struct fetch *f, const struct segment *s)
{
	if (s->src.is_made && s->err.rc != RC_STOPPED)
		f->failed[f->n_failed++ % N_FAILED] = (struct fetch_failed){
			.id = s->src.id,
			.range = s->range,
			.until = clock_coarse_ns() + FAILED_NS,
		};
}

bool fetch_has_failed(const struct fetch *f, const struct request *rq)
{
	for (unsigned int i = 0; i < N_FAILED; i++) {
		const struct fetch_failed *x = &f->failed[i];

		if (x->until && x->id == rq->src->id &&
		    rq->block.lo >= x->range.lo && rq->block.lo < x->range.hi &&
		    clock_coarse_ns() < x->until)
			return true;
	}
	return false;
}

void fetch_load(struct fetch *f, struct segment *s, bool is_ahead)
{
	uint64_t size = s->range.hi - s->range.lo, began = clock_mono_ns();
	struct stream *st;
	struct err err;
	enum rc rc;

	rc = f->o.read(f->o.arg, &s->src, s->range.lo, s->data, size, is_ahead,
		       &err);
	LOCK_SCOPE(&f->lock);
	st = fetch_stream_get(f, s->stream);
	if (rc) {
		s->err = err;
		s->state = SEGMENT_FAILED;
		note_failed(f, s);
		if (st)
			readahead_failed(&st->ra);
		fetch_drop(f, s);
	} else {
		s->state = SEGMENT_READY;
		f->stats.bytes += size;
		if (st)
			readahead_done(&st->ra, size, clock_mono_ns() - began);
	}
	pthread_cond_broadcast(&s->changed);
}

bool fetch_claim(struct segment *s)
{
	if (s->state != SEGMENT_QUEUED)
		return false;
	s->state = SEGMENT_LOADING;
	return true;
}

/* --- reading ahead -------------------------------------------------------- */

struct ahead_job {
	struct fetch *f;
	struct segment *s;
};

static void ahead_run(void *arg)
{
	struct ahead_job *job = arg;
	struct fetch *f = job->f;
	bool is_mine;

	pthread_mutex_lock(&f->lock);
	f->n_jobs--;
	is_mine = !f->is_stopping && fetch_claim(job->s);
	pthread_mutex_unlock(&f->lock);
	if (is_mine)
		fetch_load(f, job->s, true);
	pthread_mutex_lock(&f->lock);
	segment_unref(&f->segments, job->s);
	pthread_mutex_unlock(&f->lock);
	free(job);
}

static bool can_submit(struct fetch *f)
{
	struct err err;

	if (f->is_stopping || !f->o.n_ahead || f->n_jobs >= JOBS_MAX)
		return false;
	if (!f->workers &&
	    workers_start(&f->workers, "ahead", f->o.n_ahead, JOBS_MAX, &err)) {
		f->o.n_ahead = 0; /* do without */
		return false;
	}
	return true;
}

/* Queue the range for the workers; false: not now. */
static bool ahead_start(struct fetch *f, const struct request *rq,
			const struct stream *st, struct byte_range r)
{
	struct ahead_job *job;
	struct segment *s;

	if (!can_submit(f) || !fetch_make_room(f, r.hi - r.lo, rq->now, true))
		return false;
	s = segment_new(&f->segments, rq->src, r, rq->now);
	if (!s)
		return false;
	s->stream = fetch_stream_id(f, st);
	s->is_ahead = true;
	f->stats.ahead++;
	f->n_jobs++;
	job = xcalloc(1, sizeof(*job));
	*job = (struct ahead_job){ .f = f, .s = s };
	workers_submit(f->workers, ahead_run, job);
	return true;
}

void fetch_plan_ahead(struct fetch *f, const struct request *rq,
		      struct stream *st)
{
	struct readahead_bounds b = fetch_bounds(f, rq, st);
	struct byte_range r;

	while (readahead_ahead(&st->ra, &b, &r)) {
		struct segment *there =
			segments_at(&f->segments, rq->src->id, r.lo);
		struct byte_range room;

		if (there) {
			readahead_skip(&st->ra, there->range.hi);
			continue;
		}
		room = segments_room(&f->segments, rq->src->id, r.lo,
				     rq->src->data);
		if (r.hi > room.hi)
			r.hi = room.hi;
		if (!ahead_start(f, rq, st, r))
			return;
		readahead_ahead_taken(&st->ra, r.hi);
	}
}
