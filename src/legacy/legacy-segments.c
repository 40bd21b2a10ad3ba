/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-segments.c - reading small files of remote objects one after the
 * other.
 */
#include "config.h"

#include "legacy/legacy-segments.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* Reads of more bytes are requests of their own. */
#define SMALL (256u << 10)
/* A segment has so many bytes at least if the one before it was read on, and so
 * many at most.
 */
#define FIRST (64u << 10)
#define LARGEST (1u << 20)
/* Bytes that may be left out between two files and still count as read on; and
 * as much as the segment has, since who has read much of an object leaves out
 * what is of other directories.
 */
#define GAP (8u << 10)
/* So many objects may be gone through at a time. */
#define SEGMENTS 16u

struct segment {
	const struct legacy_object *o; /* NULL: none */
	uint64_t off, end;
	bool is_loading;
	unsigned int users; /* those that read it or wait for it */
	uint64_t used;      /* when: a count of uses */
	uint8_t *p;         /* unless it is loading or failed */
};

struct legacy_segments {
	struct store *st;
	pthread_mutex_t lock; /* guards what follows; not held during I/O */
	pthread_cond_t changed;
	struct segment segments[SEGMENTS];
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

/* With the lock held: the one that has the bytes, or will. */
static struct segment *find(struct legacy_segments *s,
			    const struct legacy_object *o, uint64_t off,
			    size_t len)
{
	for (size_t i = 0; i < SEGMENTS; i++) {
		struct segment *g = &s->segments[i];

		if (g->o == o && off >= g->off && off + len <= g->end)
			return g;
	}
	return NULL;
}

/* Likewise: the length of the one that ends just before, or amid it; 0: none.
 */
static uint64_t length_before(const struct legacy_segments *s,
			      const struct legacy_object *o, uint64_t off,
			      size_t len)
{
	uint64_t longest = 0;

	for (size_t i = 0; i < SEGMENTS; i++) {
		const struct segment *g = &s->segments[i];
		uint64_t n = g->end - g->off;

		if (g->o == o && off >= g->off && off + len > g->end &&
		    off <= g->end + GAP + n && n > longest)
			longest = n;
	}
	return longest;
}

/* How much to read: more than is wanted if the object is read on. */
static uint64_t length_for(const struct legacy_segments *s,
			   const struct legacy_object *o, uint64_t off,
			   size_t len)
{
	uint64_t before = length_before(s, o, off, len), n = len;

	if (before && n < FIRST)
		n = FIRST;
	if (before && n < 2 * before)
		n = 2 * before < LARGEST ? 2 * before : LARGEST;
	if (n > o->info.size - off)
		n = o->info.size - off;
	return n < len ? len : n;
}

/* The one that nobody uses for longest; NULL: all are in use. */
static struct segment *choose(struct legacy_segments *s)
{
	struct segment *oldest = NULL;

	for (size_t i = 0; i < SEGMENTS; i++) {
		struct segment *g = &s->segments[i];

		if (!g->users && (!oldest || g->used < oldest->used))
			oldest = g;
	}
	return oldest;
}

/* Hold a segment for the bytes; *ret_mine: it is to be loaded by the caller.
 * NULL: there is no room for one.
 */
static struct segment *hold(struct legacy_segments *s,
			    const struct legacy_object *o, uint64_t off,
			    size_t len, bool *ret_mine)
{
	LOCK_SCOPE(&s->lock);
	struct segment *g = find(s, o, off, len);

	*ret_mine = !g;
	if (!g) {
		uint64_t n = length_for(s, o, off, len);

		g = choose(s);
		if (!g)
			return NULL;
		free(g->p);
		*g = (struct segment){
			.o = o, .off = off, .end = off + n, .is_loading = true
		};
	}
	g->users++;
	g->used = ++s->uses;
	while (!*ret_mine && g->is_loading)
		pthread_cond_wait(&s->changed, &s->lock);
	return g;
}

static void release(struct legacy_segments *s, struct segment *g)
{
	LOCK_SCOPE(&s->lock);

	g->users--;
}

/* p NULL: it failed; those that wait read for themselves. */
static void finish(struct legacy_segments *s, struct segment *g, uint8_t *p)
{
	LOCK_SCOPE(&s->lock);

	g->is_loading = false;
	g->p = p;
	if (!p)
		g->o = NULL;
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

enum rc legacy_segments_read(struct legacy_segments *s,
			     const struct legacy_object *o, uint64_t off,
			     void *buf, size_t len, bool is_ahead,
			     struct err *err)
{
	bool is_mine = false;
	struct segment *g;
	enum rc rc = RC_OK;

	if (len > SMALL || off > o->info.size || len > o->info.size - off)
		return read_store(s, o, off, buf, len, is_ahead, err);
	g = hold(s, o, off, len, &is_mine);
	if (!g)
		return read_store(s, o, off, buf, len, is_ahead, err);
	if (is_mine)
		rc = load(s, g, is_ahead, err);
	if (!rc && g->p)
		memcpy(buf, g->p + (off - g->off), len);
	else if (!rc)
		rc = read_store(s, o, off, buf, len, is_ahead, err);
	release(s, g);
	return rc;
}
