/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-facts.c - what is known of an erasure, put to erasure-state.h. */
#include "config.h"

#include "repack/erasure-facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

const struct hold *erasure_hold(const struct erasure_known *k,
				const struct survey_erasure *e)
{
	const struct hold *h =
		holds_uid(k->holds, e->erasure->uid, e->erasure->uid_len);

	for (size_t i = 0; !h && i < e->n_holders; i++) {
		const struct survey_shard *s =
			&k->survey->shards[e->holders[i]];

		if (s->old || s->is_stray)
			continue;
		h = holds_shard(k->holds, s->meta);
		if (!h)
			return NULL;
	}
	return h;
}

int64_t erasure_received(const struct oplog *log, const struct receipt *r)
{
	if (!r || !receipt_is_final(r))
		return ERASURE_NEVER;
	for (size_t i = oplog_n_records(log); i-- > 0;) {
		const struct oplog_record *rec = oplog_record_at(log, i);

		if (rec->n_receipts && r >= rec->receipts &&
		    r < rec->receipts + rec->n_receipts)
			return rec->time;
	}
	return ERASURE_NEVER;
}

/* Holders that were put together, to be freed. */
struct holders {
	struct erasure_holder *all;
	struct erasure_zone *zones;
	size_t n, cap, n_zones, cap_zones;
};

static struct erasure_zone *add_zone(struct holders *h)
{
	h->zones = mem_grow(h->zones, &h->cap_zones, h->n_zones + 1,
			    sizeof(*h->zones));
	h->zones[h->n_zones] = (struct erasure_zone){ .is_verified = true };
	h->all[h->n - 1].n_zones++;
	return &h->zones[h->n_zones++];
}

static void add_holder(struct holders *h, bool is_replaced)
{
	h->all = mem_grow(h->all, &h->cap, h->n + 1, sizeof(*h->all));
	h->all[h->n++] = (struct erasure_holder){ .is_replaced = is_replaced };
}

/* A repack record is written when all that is in it was read back. */
static void add_old(struct holders *h, const struct old_shard *s)
{
	add_holder(h, true);
	for (size_t i = 0; i < s->n_places; i++) {
		const struct old_place *p = &s->places[i];
		struct erasure_zone *z = add_zone(h);

		z->is_gone = old_place_is_gone(p);
		z->is_held = s->is_held;
		z->is_pending = p->told && !z->is_gone;
		z->pending_until =
			z->is_pending ? p->told->until : ERASURE_NEVER;
	}
}

static void add_told(struct holders *h, const struct receipt *r,
		     const struct receipt_root *root)
{
	add_holder(h, true);
	for (size_t i = 0; i < r->n_purged; i++) {
		const struct receipt_purged *p = &r->purged[i];
		struct erasure_zone *z;

		if (memcmp(p->root.b, root->b, sizeof(root->b)) != 0)
			continue;
		z = add_zone(h);
		z->is_pending = p->how == RECEIPT_PENDING;
		z->is_gone = !z->is_pending;
		z->pending_until = p->until;
	}
}

static bool is_held_by(const struct survey *s, const struct survey_erasure *e,
		       const uint8_t *root)
{
	for (size_t i = 0; i < e->n_holders; i++) {
		if (!memcmp(s->shards[e->holders[i]].root, root,
			    SHARD_ROOT_LEN))
			return true;
	}
	return false;
}

static void collect(const struct erasure_known *k,
		    const struct survey_erasure *e, struct holders *h)
{
	const struct receipt *r = e->receipt;

	for (size_t i = 0; i < e->n_holders; i++) {
		const struct survey_shard *s =
			&k->survey->shards[e->holders[i]];
		const struct old_shard *old =
			s->old ? old_set_find(k->old, s->root) : NULL;

		if (old)
			add_old(h, old);
		else
			add_holder(h, s->old);
	}
	for (size_t i = 0; r && i < r->n_replaced; i++) {
		const struct receipt_root *root = &r->replaced[i].from;
		const struct old_shard *old = old_set_find(k->old, root->b);

		if (is_held_by(k->survey, e, root->b))
			continue;
		if (old)
			add_old(h, old);
		else
			add_told(h, r, root);
	}
	/* Zones may have moved while the array grew. */
	for (size_t i = 0, at = 0; i < h->n; at += h->all[i++].n_zones)
		h->all[i].zones = h->zones ? h->zones + at : NULL;
}

struct erasure_status erasure_facts_status(const struct erasure_known *k,
					   const struct survey_erasure *e)
{
	struct holders h = { 0 };
	struct erasure_status s;
	struct erasure_facts f = {
		.asked = e->doc->doc.time,
		.hidden = e->doc->logged->record->time,
		.received = erasure_received(k->log, e->receipt),
		.is_held = erasure_hold(k, e),
		.now = k->now,
		.margin = k->margin,
	};

	collect(k, e, &h);
	f.holders = h.all;
	f.n_holders = h.n;
	s = erasure_status_of(&f);
	free(h.all);
	free(h.zones);
	return s;
}

int64_t erasure_last_replaced(const struct erasure_known *k,
			      const struct survey_erasure *e)
{
	const struct receipt *r = e->receipt;
	int64_t last = ERASURE_NEVER;

	for (size_t i = 0; i < e->n_holders; i++) {
		const struct survey_shard *s =
			&k->survey->shards[e->holders[i]];

		if (s->old && s->old->record->time > last)
			last = s->old->record->time;
	}
	for (size_t i = 0; r && i < r->n_replaced; i++) {
		if (r->replaced[i].time > last)
			last = r->replaced[i].time;
	}
	return last;
}

/* A slow run may still bring a version that was there when it was deleted, and
 * a slow repack what it read before: the deletion hides it until then.  Clocks
 * differ: one that seems to have begun a bit later may be one of these.
 */
bool erasure_is_settled(const struct erasure_known *k,
			const struct survey_erasure *e, int64_t settle,
			int64_t oldest_run)
{
	int64_t hidden = e->doc->logged->record->time;
	int64_t last = erasure_last_replaced(k, e);

	if (last < hidden)
		last = hidden;
	return oldest_run > last + CLOCK_SKEW_US && last <= k->now - settle;
}
