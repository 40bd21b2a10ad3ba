/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.c - stored blocks of remote shards, read in ranges of several.
 *
 * One lock for all: it is held for the little it takes to find and book ranges.
 * Whoever holds a reference to a range in state QUEUED may claim it: set it to
 * LOADING and read it, without the lock.
 */
#include "config.h"

#include "volume/fetch.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/workers.h"
#include "volume/fetch-backend.h"

#define MAX_BYTES_DEFAULT (UINT64_C(64) << 20)

struct fetch *fetch_new(const struct fetch_options *o)
{
	struct fetch *f = xcalloc(1, sizeof(*f));

	f->o = *o;
	f->segments.max_bytes = o->max_bytes ? o->max_bytes : MAX_BYTES_DEFAULT;
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

void fetch_free(struct fetch *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->is_stopping = true;
	pthread_mutex_unlock(&f->lock);
	workers_stop(f->workers);
	while (f->segments.list)
		segment_drop(&f->segments, f->segments.list);
	segments_free_spare(&f->segments);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* --- a block -------------------------------------------------------------- */

/* Hold the ranges the block lies in; false: there is a hole, from *ret on. */
static bool collect(struct fetch *f, struct request *rq, uint64_t *ret)
{
	uint64_t off = rq->block.lo;

	while (off < rq->block.hi) {
		struct segment *s = segments_at(&f->segments, rq->src->id, off);

		*ret = off;
		if (!s || rq->n_parts == N_PARTS)
			return false;
		s->refs++;
		rq->parts[rq->n_parts++] = s;
		off = s->range.hi;
	}
	return true;
}

static void release_parts(struct fetch *f, struct request *rq)
{
	while (rq->n_parts)
		segment_unref(&f->segments, rq->parts[--rq->n_parts]);
}

/* Book a range with what is missing from off on. */
static bool book(struct fetch *f, const struct request *rq, uint64_t off)
{
	struct byte_range need = { off, rq->block.hi }, room, r;
	struct readahead_bounds b;
	enum readahead_kin kin;
	struct segment *s;
	struct stream *st;

	room = segments_room(&f->segments, rq->src->id, off, rq->src->data);
	if (need.hi > room.hi)
		need.hi = room.hi;
	st = fetch_stream_for(f, rq, &kin);
	b = fetch_bounds(f, rq, st);
	r = readahead_miss(&st->ra, kin, need, room, &rq->near, &b);
	st->touched = rq->now;
	if (!fetch_make_room(f, r.hi - r.lo, rq->now, false))
		return false;
	s = segment_new(&f->segments, rq->src, r, rq->now);
	if (!s)
		return false;
	s->stream = fetch_stream_id(f, st);
	f->stats.ranges++;
	segment_unref(&f->segments, s); /* collect holds it */
	return true;
}

static bool book_all(struct fetch *f, struct request *rq)
{
	uint64_t off = 0;

	for (unsigned int i = 0; i <= N_PARTS; i++) {
		if (collect(f, rq, &off))
			return true;
		release_parts(f, rq);
		if (!book(f, rq, off))
			return false;
	}
	return false;
}

/* Give up what a stream that goes straight on left far behind: of many readers
 * at once some come late.
 */
static void drop_passed(struct fetch *f, const struct request *rq,
			const struct stream *st)
{
	struct stream_id id = fetch_stream_id(f, st);
	struct segment *s = f->segments.list, *next;

	if (!st->ra.is_sequential)
		return;
	for (; s; s = next) {
		next = s->next;
		if (s->stream.i == id.i && s->stream.number == id.number &&
		    s->state == SEGMENT_READY && !s->refs &&
		    s->range.hi + READAHEAD_MAX <= rq->block.lo)
			fetch_drop(f, s);
	}
}

/* Note that the block is wanted, and what follows from that. */
static void account(struct fetch *f, struct request *rq)
{
	struct stream *st = fetch_stream_get(f, rq->parts[0]->stream);

	for (unsigned int i = 0; i < rq->n_parts; i++) {
		struct segment *s = rq->parts[i];
		uint64_t lo = s->range.lo, hi = s->range.hi;

		if (lo < rq->block.lo)
			lo = rq->block.lo;
		if (hi > rq->block.hi)
			hi = rq->block.hi;
		s->used += hi - lo;
		f->stats.used += hi - lo;
		segment_touch(&f->segments, s, rq->now);
		if (s->used >= s->range.hi - s->range.lo)
			fetch_drop(f, s);
	}
	if (!st)
		return;
	st->touched = rq->now;
	readahead_read(&st->ra, rq->block);
	drop_passed(f, rq, st);
	fetch_plan_ahead(f, rq, st);
}

/* The stream whose place is to be told, because the block lies beyond what is
 * known to be around it.
 */
static bool wants_near(struct fetch *f, const struct request *rq)
{
	struct stream *st = fetch_stream_get(f, rq->parts[0]->stream);

	return st && readahead_wants_near(&st->ra, rq->block.lo);
}

static void tell_near(struct fetch *f, const struct request *rq)
{
	struct stream *st = fetch_stream_get(f, rq->parts[0]->stream);

	if (st)
		readahead_moved(&st->ra, rq->block.lo, &rq->near);
}

static void ask_near(struct request *rq, const struct fetch_hint *hint)
{
	rq->near = (struct readahead_near){ .range = rq->block,
					    .group = rq->block.lo,
					    .is_file = true };
	if (hint)
		hint->near(hint->arg, &rq->near);
	if (rq->near.range.lo > rq->block.lo)
		rq->near.range.lo = rq->block.lo;
	if (rq->near.range.hi < rq->block.hi)
		rq->near.range.hi = rq->block.hi;
}

/* All ranges of the block, held and booked; false: read it alone. */
static bool prepare(struct fetch *f, struct request *rq,
		    const struct fetch_hint *hint)
{
	bool ok, is_there;
	uint64_t off = 0;

	pthread_mutex_lock(&f->lock);
	f->stats.blocks++;
	is_there = ok = collect(f, rq, &off);
	if (!is_there && fetch_has_failed(f, rq)) {
		release_parts(f, rq);
		pthread_mutex_unlock(&f->lock);
		return false;
	}
	if (!is_there || wants_near(f, rq)) {
		release_parts(f, rq);
		pthread_mutex_unlock(&f->lock);
		ask_near(rq, hint);
		pthread_mutex_lock(&f->lock);
		rq->now = clock_coarse_ns();
		fetch_expire(f, rq->now);
		ok = book_all(f, rq);
		if (ok && is_there)
			tell_near(f, rq);
	}
	rq->now = clock_coarse_ns();
	if (ok)
		account(f, rq);
	pthread_mutex_unlock(&f->lock);
	return ok;
}

/* Whether the block by itself may be had where the range it was in failed for
 * this very reader: when the range was what was wrong, or another object that
 * lies in it.  A server that gave no answer has had all the tries that one read
 * may make.
 */
static bool alone_may_help(const struct segment *s, const struct request *rq)
{
	if (s->range.lo >= rq->block.lo && s->range.hi <= rq->block.hi)
		return false;
	if (s->src.is_made)
		return s->err.rc != RC_STOPPED;
	return s->err.rc == RC_CORRUPT || s->err.rc == RC_NOMEM;
}

/* Read what nobody reads yet, wait for the rest.  The first failure is told;
 * *ret_final: reading once more is no use.
 */
static enum rc wait_for(struct fetch *f, struct request *rq, bool *ret_final,
			struct err *err)
{
	bool is_mine[N_PARTS] = { false };

	*ret_final = false;
	for (unsigned int i = 0; i < rq->n_parts; i++) {
		pthread_mutex_lock(&f->lock);
		is_mine[i] = fetch_claim(rq->parts[i]);
		pthread_mutex_unlock(&f->lock);
		if (is_mine[i])
			fetch_load(f, rq->parts[i], false);
	}
	LOCK_SCOPE(&f->lock);
	for (unsigned int i = 0; i < rq->n_parts; i++) {
		struct segment *s = rq->parts[i];

		while (s->state == SEGMENT_LOADING)
			pthread_cond_wait(&s->changed, &f->lock);
		if (s->state == SEGMENT_READY)
			continue;
		*err = s->err;
		*ret_final = is_mine[i] && !alone_may_help(s, rq);
		return err->rc;
	}
	return RC_OK;
}

/* Out of its ranges: borrowed from one, or copied from several. */
static enum rc assemble(struct fetch *f, struct request *rq,
			struct fetch_bytes *ret, struct err *err)
{
	uint64_t len = rq->block.hi - rq->block.lo;

	*ret = (struct fetch_bytes){ 0 };
	if (rq->n_parts == 1) {
		const struct segment *s = rq->parts[0];

		ret->fetch = f;
		ret->segment = rq->parts[--rq->n_parts];
		ret->p = s->data + (rq->block.lo - s->range.lo);
		return RC_OK;
	}
	ret->owned = mem_array(len, 1);
	if (!ret->owned)
		return err_set(err, RC_NOMEM, "no memory for %llu bytes",
			       (unsigned long long)len);
	ret->p = ret->owned;
	for (unsigned int i = 0; i < rq->n_parts; i++) {
		const struct segment *s = rq->parts[i];
		uint64_t lo = s->range.lo, hi = s->range.hi;

		if (lo < rq->block.lo)
			lo = rq->block.lo;
		if (hi > rq->block.hi)
			hi = rq->block.hi;
		memcpy(ret->owned + (lo - rq->block.lo),
		       s->data + (lo - s->range.lo), hi - lo);
	}
	return RC_OK;
}

void fetch_forget(struct fetch *f, const struct fetch_source *src,
		  struct byte_range block)
{
	struct segment *s, *next;

	LOCK_SCOPE(&f->lock);
	f->stats.alone++;
	for (s = f->segments.list; s; s = next) {
		next = s->next;
		if (s->src.id == src->id && s->state == SEGMENT_READY &&
		    s->range.lo < block.hi && block.lo < s->range.hi)
			fetch_drop(f, s);
	}
}

static enum rc read_alone(struct fetch *f, const struct fetch_source *src,
			  struct byte_range block, struct fetch_bytes *ret,
			  struct err *err)
{
	uint64_t len = block.hi - block.lo;
	enum rc rc;

	*ret = (struct fetch_bytes){ 0 };
	pthread_mutex_lock(&f->lock);
	f->stats.alone++;
	pthread_mutex_unlock(&f->lock);
	ret->owned = mem_array(len, 1);
	if (!ret->owned)
		return err_set(err, RC_NOMEM, "no memory for %llu bytes",
			       (unsigned long long)len);
	rc = f->o.read(f->o.arg, src, block.lo, ret->owned, len, false, err);
	if (rc)
		fetch_bytes_release(ret);
	ret->p = ret->owned;
	return rc;
}

enum rc fetch_block(struct fetch *f, const struct fetch_source *src,
		    struct byte_range block, const struct fetch_hint *hint,
		    struct fetch_bytes *ret, struct err *err)
{
	struct request rq = { .src = src, .block = block };
	bool is_final = false;
	enum rc rc = RC_IO;

	if (prepare(f, &rq, hint)) {
		rc = wait_for(f, &rq, &is_final, err);
		if (!rc)
			rc = assemble(f, &rq, ret, err);
	}
	pthread_mutex_lock(&f->lock);
	release_parts(f, &rq);
	pthread_mutex_unlock(&f->lock);
	if (rc && !is_final)
		rc = read_alone(f, src, block, ret, err);
	return rc;
}

void fetch_bytes_release(struct fetch_bytes *b)
{
	free(b->owned);
	if (b->segment) {
		pthread_mutex_lock(&b->fetch->lock);
		segment_unref(&b->fetch->segments, b->segment);
		pthread_mutex_unlock(&b->fetch->lock);
	}
	*b = (struct fetch_bytes){ 0 };
}

void fetch_stats(struct fetch *f, struct fetch_stats *ret)
{
	LOCK_SCOPE(&f->lock);
	*ret = f->stats;
	ret->kept = f->segments.bytes;
}
