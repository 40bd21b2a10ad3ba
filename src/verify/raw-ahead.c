/* SPDX-License-Identifier: Apache-2.0 */
/* raw-ahead.c - one large read of a shard in the place of many small ones. */
#include "config.h"

#include "verify/raw-ahead.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "run/throttle.h"
#include "verify/raw-shard.h"

#define FIRST_BYTES (256u << 10)
#define FAILURES 3
/* A call may take 20 seconds by default. */
#define GROW_BELOW (5 * CLOCK_NS_PER_SEC)
#define SHRINK_ABOVE (10 * CLOCK_NS_PER_SEC)

/* Of the data, or of all that comes after them. */
struct window {
	uint8_t *p; /* len bytes from off on */
	uint64_t off;
	size_t len;
	size_t size, max; /* to be read next, and at most */
	uint64_t last;    /* where the last read beside it ended */
	uint64_t end;     /* of what may be read */
};

struct raw_ahead {
	struct window data, rest;
	size_t max;
	bool is_begun;
	unsigned int n_failed; /* in a row */
	struct err failure;    /* the last of them */
};

struct raw_ahead *raw_ahead_new(size_t max)
{
	struct raw_ahead *a = xcalloc(1, sizeof(*a));

	a->max = max;
	return a;
}

void raw_ahead_free(struct raw_ahead *a)
{
	if (!a)
		return;
	free(a->data.p);
	free(a->rest.p);
	free(a);
}

static void window_init(struct window *w, uint64_t from, uint64_t end,
			size_t max)
{
	*w = (struct window){ .size = max < FIRST_BYTES ? max : FIRST_BYTES,
			      .max = max,
			      .off = from,
			      .last = from,
			      .end = end };
}

static void begin(struct raw_ahead *a, const struct raw_shard *s)
{
	const struct shard_footer *f = &s->footer;
	uint64_t middle = f->data_off + f->data_len;

	window_init(&a->data, f->data_off, middle, a->max);
	window_init(&a->rest, middle, s->info.size, a->max / 4);
	a->is_begun = true;
}

static bool holds(const struct window *w, uint64_t off, size_t len)
{
	return off >= w->off && off - w->off <= w->len &&
	       len <= w->len - (off - w->off);
}

/* Does it follow what was read between from and end?  A gap is allowed. */
static bool follows(const struct window *w, uint64_t off, uint64_t from,
		    uint64_t end)
{
	return off >= from && off <= end + w->size;
}

static void adapt(struct window *w, uint64_t took)
{
	if (took < GROW_BELOW)
		w->size = w->size > w->max / 2 ? w->max : 2 * w->size;
	else if (took > SHRINK_ABOVE && w->size / 2 >= FIRST_BYTES)
		w->size /= 2;
}

/* Move the window to off; false: it could not be read. */
static bool fill(struct window *w, const struct raw_shard *s, uint64_t off,
		 size_t n)
{
	uint64_t start;
	struct err ignored;

	throttle_wait(s->throttle, 0, n);
	start = clock_mono_ns();
	free(w->p);
	w->p = mem_array(n, 1);
	w->len = 0;
	if (!w->p || raw_shard_get(s, off, w->p, n, &ignored)) {
		w->max = w->size = w->size / 2;
		return false;
	}
	w->off = off;
	w->len = n;
	adapt(w, clock_mono_ns() - start);
	return true;
}

bool raw_ahead_gave_up(const struct raw_ahead *a, struct err *err)
{
	if (!a || a->n_failed < FAILURES)
		return false;
	*err = a->failure;
	return true;
}

enum rc raw_ahead_read(struct raw_ahead *a, const struct raw_shard *s,
		       uint64_t off, void *buf, size_t len, struct err *err)
{
	struct window *w;
	enum rc rc;
	size_t n;

	if (!a->is_begun)
		begin(a, s);
	w = off < a->data.end ? &a->data : &a->rest;
	n = off < w->end && w->size > w->end - off ? (size_t)(w->end - off)
						   : w->size;
	if (!holds(w, off, len) && !a->n_failed && len < n && off < w->end &&
	    (follows(w, off, w->off, w->off + w->len) ||
	     follows(w, off, w->last, w->last)))
		(void)fill(w, s, off, n);
	if (holds(w, off, len)) {
		memcpy(buf, w->p + (off - w->off), len);
		return RC_OK;
	}
	if (raw_ahead_gave_up(a, err))
		return err->rc;
	w->last = off + len;
	throttle_wait(s->throttle, 0, len);
	rc = raw_shard_get(s, off, buf, len, err);
	a->n_failed = rc && rc_is_transient(rc) ? a->n_failed + 1 : 0;
	if (rc) {
		a->failure = *err;
		raw_shard_failed(s, err);
	}
	return rc;
}
