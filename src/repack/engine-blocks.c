/* SPDX-License-Identifier: Apache-2.0 */
/* engine-blocks.c - the blocks of all shards that are read. */
#include "config.h"

#include "repack/engine-blocks.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/table.h"

#define SLOTS_MIN 1024u

/* Bytes that a file needs, until all are known. */
struct block_use {
	uint32_t item, off, len;
};

struct block_hash {
	uint8_t hash[BLOCK_HASH_LEN]; /* the key */
	uint32_t item;
	UT_hash_handle hh;
};

void block_table_release(struct block_table *t)
{
	struct block_hash *h, *next;

	HASH_ITER(hh, t->changed, h, next)
	{
		HASH_DEL(t->changed, h);
		free(h);
	}
	free(t->items);
	free(t->by_off);
	free(t->uses);
	free(t->parts);
	*t = (struct block_table){ 0 };
}

static size_t slot_of(const struct block_table *t, size_t source, uint64_t off)
{
	uint64_t key = (off + (uint64_t)source) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(key >> 20) & (t->n_slots - 1);

	while (t->by_off[i]) {
		const struct block_item *b = &t->items[t->by_off[i] - 1];

		if (b->ref.off == off && b->source == source)
			break;
		i = (i + 1) & (t->n_slots - 1);
	}
	return i;
}

static void grow_slots(struct block_table *t)
{
	free(t->by_off);
	t->n_slots = t->n_slots ? 2 * t->n_slots : SLOTS_MIN;
	t->by_off = xcalloc(t->n_slots, sizeof(*t->by_off));
	for (size_t i = 0; i < t->n; i++)
		t->by_off[slot_of(t, t->items[i].source, t->items[i].ref.off)] =
			(uint32_t)i + 1;
}

static bool is_at(const struct block_table *t, size_t i, size_t source,
		  uint64_t off)
{
	return i < t->n && t->items[i].ref.off == off &&
	       t->items[i].source == source;
}

static bool is_same(const struct block_ref *a, const struct block_ref *b)
{
	return a->stored_len == b->stored_len && a->data_len == b->data_len &&
	       a->codec == b->codec &&
	       !memcmp(a->hash, b->hash, BLOCK_HASH_LEN);
}

enum rc block_table_add(struct block_table *t, size_t source,
			const struct block_ref *ref, size_t *ret,
			struct err *err)
{
	size_t slot;

	if (!is_at(t, t->last, source, ref->off)) {
		if (2 * (t->n + 1) > t->n_slots)
			grow_slots(t);
		slot = slot_of(t, source, ref->off);
		if (!t->by_off[slot]) {
			t->items = mem_grow(t->items, &t->cap, t->n + 1,
					    sizeof(*t->items));
			t->items[t->n++] = (struct block_item){
				.ref = *ref, .source = (uint32_t)source
			};
			t->by_off[slot] = (uint32_t)t->n;
		}
		t->last = t->by_off[slot] - 1;
	}
	if (!is_same(&t->items[t->last].ref, ref))
		return err_set(err, RC_CORRUPT,
			       "block at %llu that two files state "
			       "differently",
			       (unsigned long long)ref->off);
	*ret = t->last;
	return RC_OK;
}

struct block_item *block_table_find(const struct block_table *t, size_t source,
				    const struct block_ref *ref)
{
	size_t slot;

	if (!t->n_slots)
		return NULL;
	slot = slot_of(t, source, ref->off);
	return t->by_off[slot] ? &t->items[t->by_off[slot] - 1] : NULL;
}

void block_table_keep(struct block_table *t, size_t i, uint32_t off,
		      uint32_t len)
{
	struct block_item *b = &t->items[i];

	b->is_live = true;
	if (!off && len == b->ref.data_len)
		b->is_whole = true;
	if (b->is_whole)
		return;
	t->uses = mem_grow(t->uses, &t->cap_uses, t->n_uses + 1,
			   sizeof(*t->uses));
	t->uses[t->n_uses++] = (struct block_use){ (uint32_t)i, off, len };
}

/* --- settling ------------------------------------------------------------- */

static int by_off(const void *pa, const void *pb)
{
	const struct block_part *a = pa, *b = pb;

	return (a->off > b->off) - (a->off < b->off);
}

static void sort_parts(struct block_part *p, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (p[i - 1].off > p[i].off) {
			qsort(p, n, sizeof(*p), by_off);
			return;
		}
	}
}

/* Join what touches; returns how many are left. */
static uint32_t join_parts(struct block_part *p, uint32_t n)
{
	uint32_t k = 0;

	sort_parts(p, n);
	for (uint32_t i = 1; i < n; i++) {
		struct block_part *last = &p[k];

		if (p[i].off > last->off + last->len)
			p[++k] = p[i];
		else if (p[i].off + p[i].len > last->off + last->len)
			last->len = p[i].off + p[i].len - last->off;
	}
	p[0].to = 0;
	for (uint32_t i = 1; i <= k; i++)
		p[i].to = p[i - 1].to + p[i - 1].len;
	return k + 1;
}

void block_table_settle(struct block_table *t)
{
	uint32_t at = 0;

	for (size_t i = 0; i < t->n_uses; i++)
		t->items[t->uses[i].item].n_parts++;
	for (size_t i = 0; i < t->n; i++) {
		t->items[i].first_part = at;
		at += t->items[i].n_parts;
		t->items[i].n_parts = 0;
	}
	t->parts = xcalloc(t->n_uses + 1, sizeof(*t->parts));
	for (size_t i = 0; i < t->n_uses; i++) {
		struct block_item *b = &t->items[t->uses[i].item];

		t->parts[b->first_part + b->n_parts++] =
			(struct block_part){ .off = t->uses[i].off,
					     .len = t->uses[i].len };
	}
	free(t->uses);
	t->uses = NULL;
	t->n_uses = t->cap_uses = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct block_item *b = &t->items[i];
		const struct block_part *p = &t->parts[b->first_part];

		if (!b->is_live || b->is_whole)
			continue;
		b->n_parts = join_parts(&t->parts[b->first_part], b->n_parts);
		b->is_cut =
			b->n_parts > 1 || p->off || p->len != b->ref.data_len;
	}
}

bool block_table_moved(const struct block_table *t, const struct block_item *b,
		       uint32_t off, uint32_t len, uint32_t *ret)
{
	const struct block_part *p = t->parts + b->first_part;
	size_t low = 0, high = b->n_parts;

	*ret = off;
	if (!b->is_live)
		return false;
	if (!b->is_cut)
		return off <= b->ref.data_len && len <= b->ref.data_len - off;
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (p[mid].off <= off)
			low = mid;
		else
			high = mid;
	}
	p += low;
	if (off < p->off || off - p->off > p->len ||
	    len > p->len - (off - p->off))
		return false;
	*ret = p->to + (off - p->off);
	return true;
}

uint32_t block_table_len(const struct block_table *t,
			 const struct block_item *b)
{
	const struct block_part *p;

	if (!b->is_cut)
		return b->ref.data_len;
	p = &t->parts[b->first_part + b->n_parts - 1];
	return p->to + p->len;
}

/* --- what became of them -------------------------------------------------- */

void block_table_change(struct block_table *t, struct block_item *b)
{
	struct block_hash *h;

	b->is_changed = true;
	HASH_FIND(hh, t->changed, b->ref.hash, BLOCK_HASH_LEN, h);
	if (h)
		return;
	h = xcalloc(1, sizeof(*h));
	memcpy(h->hash, b->ref.hash, BLOCK_HASH_LEN);
	h->item = (uint32_t)(b - t->items);
	HASH_ADD(hh, t->changed, hash, BLOCK_HASH_LEN, h);
}

const struct block_item *block_table_changed(const struct block_table *t,
					     const uint8_t hash[BLOCK_HASH_LEN])
{
	struct block_hash *h;

	HASH_FIND(hh, t->changed, hash, BLOCK_HASH_LEN, h);
	return h ? &t->items[h->item] : NULL;
}

bool block_table_any_changed(const struct block_table *t)
{
	return t->changed;
}

static int by_place(const void *pa, const void *pb, void *arg)
{
	const struct block_item *items = arg;
	uint64_t a = items[*(const uint32_t *)pa].ref.off;
	uint64_t b = items[*(const uint32_t *)pb].ref.off;

	return (a > b) - (a < b);
}

uint32_t *block_table_order(const struct block_table *t, size_t source,
			    size_t *ret_n)
{
	uint32_t *order = xcalloc(t->n + 1, sizeof(*order));
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (t->items[i].source == source)
			order[n++] = (uint32_t)i;
	}
	qsort_r(order, n, sizeof(*order), by_place, t->items);
	*ret_n = n;
	return order;
}
