/* SPDX-License-Identifier: Apache-2.0 */
/* fetch-segment.c - the ranges a fetcher has: on their way, or read. */
#include "config.h"

#include "volume/fetch-segment.h"

#include <stdlib.h>

#include <utlist.h>

#include "base/clock.h"
#include "base/mem.h"

#define SEGMENTS_MAX 512u
#define EXPIRE_NS (30 * CLOCK_NS_PER_SEC)
/* What was read ahead is for its readers for so long. */
#define AHEAD_KEEP_NS (5 * CLOCK_NS_PER_SEC)

struct segment *segments_at(const struct segments *t, uint64_t id, uint64_t off)
{
	struct segment *s;

	DL_FOREACH(t->list, s)
	{
		if (s->src.id == id && off >= s->range.lo && off < s->range.hi)
			return s;
	}
	return NULL;
}

struct byte_range segments_room(const struct segments *t, uint64_t id,
				uint64_t off, struct byte_range data)
{
	struct segment *s;

	DL_FOREACH(t->list, s)
	{
		if (s->src.id != id)
			continue;
		if (s->range.hi <= off && s->range.hi > data.lo)
			data.lo = s->range.hi;
		if (s->range.lo > off && s->range.lo < data.hi)
			data.hi = s->range.lo;
	}
	return data;
}

static bool is_idle(const struct segment *s)
{
	return s->state == SEGMENT_READY && !s->refs;
}

struct segment *segments_victim(const struct segments *t, uint64_t now,
				bool is_ahead)
{
	struct segment *s;

	DL_FOREACH(t->list, s)
	{
		if (is_idle(s) &&
		    (!is_ahead || now - s->touched > AHEAD_KEEP_NS))
			return s;
	}
	return NULL;
}

bool segments_has_room(const struct segments *t, uint64_t size)
{
	return t->n < SEGMENTS_MAX && size <= t->max_bytes &&
	       t->bytes <= t->max_bytes - size;
}

void segments_free_spare(struct segments *t)
{
	while (t->n_spare)
		free(t->spare[--t->n_spare]);
}

static uint8_t *data_new(struct segments *t, uint64_t size)
{
	if (size == READAHEAD_MAX && t->n_spare)
		return t->spare[--t->n_spare];
	return mem_array(size, 1);
}

/* The last one of a stream has no successor to be kept for. */
static void data_free(struct segments *t, uint8_t *data, uint64_t size)
{
	if (!t->n)
		segments_free_spare(t);
	if (t->n && size == READAHEAD_MAX && t->n_spare < SEGMENTS_SPARE &&
	    t->bytes + (t->n_spare + 1) * READAHEAD_MAX <= t->max_bytes)
		t->spare[t->n_spare++] = data;
	else
		free(data);
}

struct segment *segments_expired(const struct segments *t, uint64_t now)
{
	struct segment *s = segments_victim(t, now, true);

	return s && now - s->touched > EXPIRE_NS ? s : NULL;
}

struct segment *segment_new(struct segments *t, const struct fetch_source *src,
			    struct byte_range range, uint64_t now)
{
	struct segment *s = xcalloc(1, sizeof(*s));

	s->data = data_new(t, range.hi - range.lo);
	if (!s->data) {
		free(s);
		return NULL;
	}
	s->src = *src;
	s->range = range;
	s->refs = 1;
	s->touched = now;
	pthread_cond_init(&s->changed, NULL);
	DL_APPEND(t->list, s);
	t->n++;
	t->bytes += range.hi - range.lo;
	return s;
}

void segment_touch(struct segments *t, struct segment *s, uint64_t now)
{
	s->touched = now;
	if (s->is_gone)
		return;
	DL_DELETE(t->list, s);
	DL_APPEND(t->list, s);
}

static void release(struct segments *t, struct segment *s)
{
	if (!s->is_gone || s->refs)
		return;
	t->bytes -= s->range.hi - s->range.lo;
	pthread_cond_destroy(&s->changed);
	data_free(t, s->data, s->range.hi - s->range.lo);
	free(s);
}

void segment_drop(struct segments *t, struct segment *s)
{
	if (s->is_gone)
		return;
	s->is_gone = true;
	DL_DELETE(t->list, s);
	t->n--;
	release(t, s);
}

void segment_unref(struct segments *t, struct segment *s)
{
	s->refs--;
	release(t, s);
}
