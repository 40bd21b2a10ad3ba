/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-state.c - how far a deletion is. */
#include "config.h"

#include "erase/erasure-state.h"

#include "base/clock.h"

static const char *const texts[] = {
	[ERASURE_ASKED] = "asked",       [ERASURE_HIDDEN] = "hidden",
	[ERASURE_REPACKED] = "repacked", [ERASURE_VERIFIED] = "verified",
	[ERASURE_HELD] = "held",         [ERASURE_PENDING] = "pending",
	[ERASURE_PURGED] = "purged",     [ERASURE_DONE] = "done",
};

const char *erasure_state_text(enum erasure_state state)
{
	return texts[state];
}

/* What is left, in holders and zones. */
struct rest {
	size_t n_counting;   /* holders that nothing replaces */
	size_t n_unverified; /* the others: zones with old bytes, ... */
	size_t n_free, n_held, n_pending;
	int64_t until;   /* of those pending; ERASURE_NEVER: not known */
	bool is_unknown; /* of one of them nobody knows when */
};

static void look_at_zone(const struct erasure_zone *z, int64_t now,
			 struct rest *r)
{
	/* What is gone was verified before; nobody looks again. */
	if (z->is_gone)
		return;
	if (!z->is_verified)
		r->n_unverified++;
	if (z->is_held) {
		r->n_held++;
	} else if (z->is_pending && z->pending_until == ERASURE_NEVER) {
		r->n_pending++;
		r->is_unknown = true;
	} else if (z->is_pending && z->pending_until >= now) {
		r->n_pending++;
		if (z->pending_until > r->until)
			r->until = z->pending_until;
	} else {
		r->n_free++;
	}
}

static struct rest look(const struct erasure_facts *f)
{
	struct rest r = { .until = ERASURE_NEVER };

	for (size_t i = 0; i < f->n_holders; i++) {
		const struct erasure_holder *h = &f->holders[i];

		if (!h->is_replaced)
			r.n_counting++;
		else if (!h->n_zones)
			r.n_unverified++; /* nobody looked */
		for (size_t k = 0; h->is_replaced && k < h->n_zones; k++)
			look_at_zone(&h->zones[k], f->now, &r);
	}
	return r;
}

/* Each step asks for what the one before left to be done. */
static enum erasure_state state_of(const struct erasure_facts *f,
				   const struct rest *r)
{
	if (f->hidden == ERASURE_NEVER)
		return ERASURE_ASKED;
	if (r->n_counting)
		return f->is_held ? ERASURE_HELD : ERASURE_HIDDEN;
	if (r->n_unverified)
		return ERASURE_REPACKED;
	if (r->n_free)
		return ERASURE_VERIFIED;
	if (r->n_held)
		return ERASURE_HELD;
	if (r->n_pending)
		return ERASURE_PENDING;
	return f->received == ERASURE_NEVER ? ERASURE_PURGED : ERASURE_DONE;
}

static bool is_in_danger(const struct erasure_facts *f,
			 const struct erasure_status *s)
{
	if (s->state == ERASURE_DONE || s->state == ERASURE_HELD)
		return false;
	if (f->asked - f->now > CLOCK_SKEW_US)
		return true;
	if (s->state == ERASURE_PENDING && (s->pending_until == ERASURE_NEVER ||
					    s->pending_until > s->deadline))
		return true;
	return f->now >= s->deadline - f->margin;
}

struct erasure_status erasure_status_of(const struct erasure_facts *f)
{
	struct rest r = look(f);
	struct erasure_status s = { .state = state_of(f, &r),
				    .deadline = f->asked + ERASURE_DEADLINE,
				    .pending_until = ERASURE_NEVER };
	int64_t end = s.state == ERASURE_DONE ? f->received : f->now;

	s.age = end > f->asked ? end - f->asked : 0;
	if (s.state == ERASURE_PENDING && !r.is_unknown)
		s.pending_until = r.until;
	s.is_in_danger = is_in_danger(f, &s);
	return s;
}
