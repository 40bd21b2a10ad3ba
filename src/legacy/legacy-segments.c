/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-segments.c - several files of a remote object with one request. */
#include "config.h"

#include "legacy/legacy-segments.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* Of a segment of which much is left out anyway, the part that is read besides
 * before and behind it, and its most.
 */
#define MARGIN_PART 8
#define MARGIN_MAX (UINT64_C(64) << 10)
/* So many objects may be gone through at a time. */
#define SEGMENTS 64u
/* Bytes of all of them. */
#define BYTES_MAX (UINT64_C(48) << 20)

enum state {
	NONE,
	EXPECTED, /* whoever comes first loads it */
	LOADING,
	READY,
};

struct segment {
	enum state state;
	const struct legacy_object *o;
	uint64_t off, end;
	bool is_sparse;     /* it is kept when it was read to its end */
	unsigned int users; /* those that read it or wait for it */
	uint64_t used;      /* when: a count of uses */
	uint8_t *p;         /* while READY */
};

struct legacy_segments {
	struct store *st;
	pthread_mutex_t lock; /* guards what follows; not held during I/O */
	pthread_cond_t changed;
	struct segment segments[SEGMENTS];
	uint64_t bytes; /* of those that have or will have them */
	uint64_t uses;
};

struct legacy_segments *legacy_segments_new(struct store *st)
{
	struct legacy_segments *s = xcalloc(1, sizeof(*s));

	s->st = st;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	return s;
}

void legacy_segments_free(struct legacy_segments *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SEGMENTS; i++)
		free(s->segments[i].p);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* With the lock held, as all up to hold: the one that has the bytes, or will. */
static struct segment *find(struct legacy_segments *s,
			    const struct legacy_object *o, uint64_t off,
			    uint64_t end)
{
	for (size_t i = 0; i < SEGMENTS; i++) {
		struct segment *g = &s->segments[i];

		if (g->state != NONE && g->o == o && off >= g->off &&
		    end <= g->end)
			return g;
	}
	return NULL;
}

/* But for its users. */
static void clear(struct legacy_segments *s, struct segment *g)
{
	if (g->state != NONE)
		s->bytes -= g->end - g->off;
	free(g->p);
	*g = (struct segment){ .users = g->users };
}

/* The one that nobody uses for longest; NULL: all are in use, or of those with
 * bytes.
 */
static struct segment *oldest(struct legacy_segments *s, bool has_bytes)
{
	struct segment *found = NULL;

	for (size_t i = 0; i < SEGMENTS; i++) {
		struct segment *g = &s->segments[i];

		if (!g->users && (g->state != NONE || !has_bytes) &&
		    (!found || g->used < found->used))
			found = g;
	}
	return found;
}

/* A new one, for which others may have to go; NULL: there is no room. */
static struct segment *add(struct legacy_segments *s,
			   const struct legacy_object *o, uint64_t off,
			   uint64_t end)
{
	struct segment *g;

	while (s->bytes + (end - off) > BYTES_MAX) {
		g = oldest(s, true);
		if (!g)
			return NULL;
		clear(s, g);
	}
	g = oldest(s, false);
	if (!g)
		return NULL;
	clear(s, g);
	*g = (struct segment){
		.state = EXPECTED, .o = o, .off = off, .end = end
	};
	g->used = ++s->uses;
	s->bytes += end - off;
	return g;
}

/* What is just before and behind is others', too. */
static void widen(const struct legacy_object *o, uint64_t *off, uint64_t *end)
{
	uint64_t margin = (*end - *off) / MARGIN_PART;
	uint64_t left = o->info.size - *end;

	if (margin > MARGIN_MAX)
		margin = MARGIN_MAX;
	*off = *off > margin ? *off - margin : 0;
	*end += left < margin ? left : margin;
}

void legacy_segments_expect(struct legacy_segments *s,
			    const struct legacy_object *o, uint64_t off,
			    uint64_t end, bool is_sparse)
{
	LOCK_SCOPE(&s->lock);
	struct segment *g;

	if (off >= end || end > o->info.size || find(s, o, off, end))
		return;
	if (is_sparse)
		widen(o, &off, &end);
	g = add(s, o, off, end);
	if (g)
		g->is_sparse = is_sparse;
}

/* Hold a segment for the bytes; *ret_mine: it is to be loaded by the caller.
 * NULL: there is none.
 */
static struct segment *hold(struct legacy_segments *s,
			    const struct legacy_object *o, uint64_t off,
			    size_t len, bool *ret_mine)
{
	LOCK_SCOPE(&s->lock);
	struct segment *g = find(s, o, off, off + len);

	if (!g)
		return NULL;
	g->users++;
	g->used = ++s->uses;
	*ret_mine = g->state == EXPECTED;
	if (*ret_mine)
		g->state = LOADING;
	while (!*ret_mine && g->state == LOADING)
		pthread_cond_wait(&s->changed, &s->lock);
	return g;
}

/* By who has read up to end. */
static void release(struct legacy_segments *s, struct segment *g, uint64_t end)
{
	LOCK_SCOPE(&s->lock);

	if (!--g->users && g->state == READY && end == g->end && !g->is_sparse)
		clear(s, g);
}

/* p NULL: it failed; those that wait read for themselves. */
static void finish(struct legacy_segments *s, struct segment *g, uint8_t *p)
{
	LOCK_SCOPE(&s->lock);

	g->state = READY;
	g->p = p;
	if (!p)
		clear(s, g);
	pthread_cond_broadcast(&s->changed);
}

static enum rc read_store(struct legacy_segments *s,
			  const struct legacy_object *o, uint64_t off,
			  void *buf, size_t len, bool is_ahead, struct err *err)
{
	return is_ahead ? store_read_ahead(s->st, o->key, &o->info, off, buf,
					   len, err)
			: store_read(s->st, o->key, &o->info, off, buf, len,
				     err);
}

static enum rc load(struct legacy_segments *s, struct segment *g, bool is_ahead,
		    struct err *err)
{
	size_t len = (size_t)(g->end - g->off);
	uint8_t *p = mem_array(len, 1);
	enum rc rc;

	rc = p ? read_store(s, g->o, g->off, p, len, is_ahead, err)
	       : err_set(err, RC_NOMEM, "%s: no memory for %zu bytes",
			 g->o->key, len);
	if (rc) {
		free(p);
		p = NULL;
	}
	finish(s, g, p);
	return rc;
}

/* Whether bytes may be had where those that were read with them failed. */
static bool alone_may_help(enum rc rc)
{
	return rc != RC_CHANGED && rc != RC_STOPPED;
}

enum rc legacy_segments_read(struct legacy_segments *s,
			     const struct legacy_object *o, uint64_t off,
			     void *buf, size_t len, bool is_ahead,
			     struct err *err)
{
	bool is_mine = false;
	struct segment *g = NULL;
	enum rc rc = RC_OK;

	if (off <= o->info.size && len <= o->info.size - off)
		g = hold(s, o, off, len, &is_mine);
	if (!g)
		return read_store(s, o, off, buf, len, is_ahead, err);
	if (is_mine) {
		bool is_larger = g->end - g->off > len;

		rc = load(s, g, is_ahead, err);
		if (rc && is_larger && alone_may_help(rc))
			rc = RC_OK;
	}
	if (!rc && g->p)
		memcpy(buf, g->p + (off - g->off), len);
	else if (!rc)
		rc = read_store(s, o, off, buf, len, is_ahead, err);
	release(s, g, off + len);
	return rc;
}
