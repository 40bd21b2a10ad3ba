/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-words.c - what the records of a log say beside shards. */
#include "config.h"

#include "volume/oplog-words.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Something a record says; seq keeps the order of the records. */
struct said {
	const void *p;
	const struct oplog_record *record;
	size_t seq;
};

struct all_said {
	struct said *said;
	size_t n, cap;
};

static void say(struct all_said *all, const void *p,
		const struct oplog_record *record)
{
	all->said =
		mem_grow(all->said, &all->cap, all->n + 1, sizeof(*all->said));
	all->said[all->n] = (struct said){ p, record, all->n };
	all->n++;
}

static void sort(struct all_said *all,
		 int (*compare)(const void *, const void *))
{
	if (all->n)
		qsort(all->said, all->n, sizeof(*all->said), compare);
}

static int by_seq(const struct said *x, const struct said *y)
{
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* --- purged --------------------------------------------------------------- */

static int compare_place(const char *key_a, const char *zone_a,
			 const char *key_b, const char *zone_b)
{
	int c = strcmp(key_a, key_b);

	if (c)
		return c;
	if (!zone_a || !zone_b)
		return !!zone_a - !!zone_b;
	return strcmp(zone_a, zone_b);
}

/* What is gone before what is pending, and of that the latest. */
static int by_place(const void *a, const void *b)
{
	const struct said *x = a, *y = b;
	const struct oplog_purged *p = x->p, *q = y->p;
	int c = compare_place(p->key, p->zone, q->key, q->zone);

	if (c)
		return c;
	c = (p->how == RECEIPT_PENDING) - (q->how == RECEIPT_PENDING);
	if (c)
		return c;
	if (p->how == RECEIPT_PENDING)
		return -by_seq(x, y);
	return by_seq(x, y);
}

static void init_purged(struct oplog_words *w,
			const struct oplog_record *const *records, size_t n)
{
	struct all_said all = { .said = NULL };

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < records[i]->n_purged; k++)
			say(&all, &records[i]->purged[k], records[i]);
	}
	sort(&all, by_place);
	w->purged = xcalloc(all.n + 1, sizeof(*w->purged));
	for (size_t i = 0; i < all.n; i++) {
		const struct oplog_purged *p = all.said[i].p;
		const struct oplog_purged *last =
			w->n_purged ? w->purged[w->n_purged - 1] : NULL;

		if (!last ||
		    compare_place(last->key, last->zone, p->key, p->zone) != 0)
			w->purged[w->n_purged++] = p;
	}
	free(all.said);
}

size_t oplog_state_n_purged(const struct oplog_state *s)
{
	return oplog_state_words(s)->n_purged;
}

const struct oplog_purged *oplog_state_purged_at(const struct oplog_state *s,
						 size_t i)
{
	return oplog_state_words(s)->purged[i];
}

const struct oplog_purged *oplog_state_purged(const struct oplog_state *s,
					      const char *key, const char *zone)
{
	const struct oplog_words *w = oplog_state_words(s);
	size_t low = 0, high = w->n_purged;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct oplog_purged *p = w->purged[mid];
		int c = compare_place(p->key, p->zone, key, zone);

		if (!c)
			return p;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* --- documents ------------------------------------------------------------ */

static int by_object(const void *a, const void *b)
{
	const struct said *x = a, *y = b;
	const struct oplog_object *p = x->p, *q = y->p;
	int c = strcmp(p->key, q->key);

	return c ? c : by_seq(x, y);
}

static void check_same(struct oplog_words *w, const struct oplog_object *a,
		       const struct oplog_object *b)
{
	if (!w->conflict && (a->count != b->count ||
			     memcmp(a->sha256, b->sha256, SHA256_LEN) != 0))
		w->conflict = a->key;
}

static int by_tombstone(const void *key, const void *at)
{
	const struct oplog_tombstone *t = at;

	return strcmp(key, t->object->key);
}

static struct oplog_tombstone *find_tombstone(const struct oplog_words *w,
					      const char *key)
{
	if (!w->n_tombstones)
		return NULL;
	return bsearch(key, w->tombstones, w->n_tombstones,
		       sizeof(*w->tombstones), by_tombstone);
}

static void init_tombstones(struct oplog_words *w,
			    const struct oplog_record *const *records, size_t n)
{
	struct all_said all = { .said = NULL };

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < records[i]->n_tombstones; k++)
			say(&all, &records[i]->tombstones[k], records[i]);
	}
	sort(&all, by_object);
	w->tombstones = xcalloc(all.n + 1, sizeof(*w->tombstones));
	for (size_t i = 0; i < all.n; i++) {
		struct oplog_tombstone *last =
			&w->tombstones[w->n_tombstones ? w->n_tombstones - 1
						       : 0];
		const struct oplog_object *o = all.said[i].p;

		if (w->n_tombstones && !strcmp(last->object->key, o->key))
			check_same(w, last->object, o);
		else
			w->tombstones[w->n_tombstones++] =
				(struct oplog_tombstone){
					.object = o,
					.record = all.said[i].record
				};
	}
	free(all.said);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < records[i]->n_done; k++) {
			struct oplog_tombstone *t =
				find_tombstone(w, records[i]->done[k]);

			if (t && !t->done)
				t->done = records[i];
		}
	}
}

static void init_suppressed(struct oplog_words *w,
			    const struct oplog_record *const *records, size_t n)
{
	struct all_said all = { .said = NULL };

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < records[i]->n_suppressed; k++)
			say(&all, &records[i]->suppressed[k], records[i]);
	}
	sort(&all, by_object);
	w->suppressed = xcalloc(all.n + 1, sizeof(*w->suppressed));
	for (size_t i = 0; i < all.n; i++) {
		const struct oplog_object *o = all.said[i].p;
		const struct oplog_object *last =
			w->n_suppressed ? w->suppressed[w->n_suppressed - 1]
					: NULL;

		if (last && !strcmp(last->key, o->key))
			check_same(w, last, o);
		else
			w->suppressed[w->n_suppressed++] = o;
	}
	free(all.said);
}

size_t oplog_state_n_tombstones(const struct oplog_state *s)
{
	return oplog_state_words(s)->n_tombstones;
}

const struct oplog_tombstone *oplog_state_tombstone(const struct oplog_state *s,
						    size_t i)
{
	return &oplog_state_words(s)->tombstones[i];
}

const struct oplog_tombstone *oplog_state_find_tombstone(
	const struct oplog_state *s, const char *key)
{
	return find_tombstone(oplog_state_words(s), key);
}

size_t oplog_state_n_suppressed(const struct oplog_state *s)
{
	return oplog_state_words(s)->n_suppressed;
}

const struct oplog_object *oplog_state_suppressed(const struct oplog_state *s,
						  size_t i)
{
	return oplog_state_words(s)->suppressed[i];
}

/* --- erasures ------------------------------------------------------------- */

static int by_withdrawn(const void *a, const void *b)
{
	const struct erasure_id *const *x = a;
	const struct erasure_id *const *y = b;

	return memcmp((*x)->b, (*y)->b, ERASURE_ID_LEN);
}

static void init_withdrawn(struct oplog_words *w,
			   const struct oplog_record *const *records, size_t n)
{
	size_t cap = 0, kept = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < records[i]->n_withdrawn; k++) {
			w->withdrawn =
				mem_grow(w->withdrawn, &cap, w->n_withdrawn + 1,
					 sizeof(*w->withdrawn));
			w->withdrawn[w->n_withdrawn++] =
				&records[i]->withdrawn[k];
		}
	}
	if (w->n_withdrawn)
		qsort(w->withdrawn, w->n_withdrawn, sizeof(*w->withdrawn),
		      by_withdrawn);
	for (size_t i = 0; i < w->n_withdrawn; i++) {
		if (!kept || by_withdrawn(&w->withdrawn[kept - 1],
					  &w->withdrawn[i]) != 0)
			w->withdrawn[kept++] = w->withdrawn[i];
	}
	w->n_withdrawn = kept;
}

size_t oplog_state_n_withdrawn(const struct oplog_state *s)
{
	return oplog_state_words(s)->n_withdrawn;
}

bool oplog_state_is_withdrawn(const struct oplog_state *s,
			      const uint8_t id[ERASURE_ID_LEN])
{
	const struct oplog_words *w = oplog_state_words(s);
	const struct erasure_id *key;
	struct erasure_id like;

	memcpy(like.b, id, ERASURE_ID_LEN);
	key = &like;
	return w->n_withdrawn && bsearch(&key, w->withdrawn, w->n_withdrawn,
					 sizeof(*w->withdrawn), by_withdrawn);
}

static int by_receipt(const void *a, const void *b)
{
	const struct said *x = a, *y = b;
	const struct receipt *p = x->p, *q = y->p;
	int c = memcmp(p->id, q->id, ERASURE_ID_LEN);

	if (c)
		return c;
	c = receipt_is_final(q) - receipt_is_final(p);
	if (c)
		return c;
	return receipt_is_final(p) ? by_seq(x, y) : -by_seq(x, y);
}

static void init_receipts(struct oplog_words *w,
			  const struct oplog_record *const *records, size_t n)
{
	struct all_said all = { .said = NULL };

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < records[i]->n_receipts; k++)
			say(&all, &records[i]->receipts[k], records[i]);
	}
	sort(&all, by_receipt);
	w->receipts = xcalloc(all.n + 1, sizeof(*w->receipts));
	for (size_t i = 0; i < all.n; i++) {
		const struct receipt *r = all.said[i].p;

		if (!w->n_receipts || memcmp(w->receipts[w->n_receipts - 1]->id,
					     r->id, ERASURE_ID_LEN) != 0)
			w->receipts[w->n_receipts++] = r;
	}
	free(all.said);
}

size_t oplog_state_n_receipts(const struct oplog_state *s)
{
	return oplog_state_words(s)->n_receipts;
}

const struct receipt *oplog_state_receipt(const struct oplog_state *s, size_t i)
{
	return oplog_state_words(s)->receipts[i];
}

const struct receipt *oplog_state_find_receipt(const struct oplog_state *s,
					       const uint8_t id[ERASURE_ID_LEN])
{
	const struct oplog_words *w = oplog_state_words(s);
	size_t low = 0, high = w->n_receipts;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = memcmp(w->receipts[mid]->id, id, ERASURE_ID_LEN);

		if (!c)
			return w->receipts[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* --- all ------------------------------------------------------------------ */

void oplog_words_init(struct oplog_words *w,
		      const struct oplog_record *const *records, size_t n)
{
	*w = (struct oplog_words){ .purged = NULL };
	init_purged(w, records, n);
	init_tombstones(w, records, n);
	init_suppressed(w, records, n);
	init_withdrawn(w, records, n);
	init_receipts(w, records, n);
}

void oplog_words_release(struct oplog_words *w)
{
	free(w->purged);
	free(w->tombstones);
	free(w->suppressed);
	free(w->withdrawn);
	free(w->receipts);
	*w = (struct oplog_words){ .purged = NULL };
}
