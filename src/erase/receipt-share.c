/* SPDX-License-Identifier: Apache-2.0 */
/* receipt-share.c - one copy of what many receipts say alike. */
#include "config.h"

#include "erase/receipt-share.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/siphash.h"

#define SLOTS 1024u /* a power of two */

struct receipt_share {
	struct receipt_common *slots[SLOTS]; /* by hash */
};

struct receipt_share *receipt_share_new(void)
{
	return xcalloc(1, sizeof(struct receipt_share));
}

void receipt_share_free(struct receipt_share *s)
{
	for (size_t i = 0; s && i < SLOTS; i++)
		receipt_common_unref(s->slots[i]);
	free(s);
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool is_same_words(const struct erasure_words *a,
			  const struct erasure_words *b)
{
	return a->reason == b->reason && is_same_text(a->by, b->by) &&
	       is_same_text(a->ticket, b->ticket);
}

static bool is_same_replaced(const struct receipt_replaced *a,
			     const struct receipt_replaced *b)
{
	return a->time == b->time && a->n_to == b->n_to &&
	       !memcmp(&a->from, &b->from, sizeof(a->from)) &&
	       !memcmp(a->to, b->to, a->n_to * sizeof(*a->to));
}

static bool is_same_purged(const struct receipt_purged *a,
			   const struct receipt_purged *b)
{
	return a->how == b->how && a->time == b->time && a->until == b->until &&
	       !memcmp(&a->root, &b->root, sizeof(a->root)) &&
	       is_same_text(a->zone, b->zone);
}

static bool is_same(const struct receipt *a, const struct receipt *b)
{
	if (a->n_replaced != b->n_replaced || a->n_purged != b->n_purged ||
	    !is_same_words(&a->words, &b->words))
		return false;
	for (size_t i = 0; i < a->n_replaced; i++) {
		if (!is_same_replaced(&a->replaced[i], &b->replaced[i]))
			return false;
	}
	for (size_t i = 0; i < a->n_purged; i++) {
		if (!is_same_purged(&a->purged[i], &b->purged[i]))
			return false;
	}
	return true;
}

/* Whoever makes them meet in one slot saves no memory, and loses none. */
static uint64_t hash_of(const struct receipt *r)
{
	static const uint8_t key[SIPHASH_KEY_LEN];
	struct siphash h;

	siphash_init(&h, key);
	for (size_t i = 0; i < r->n_replaced; i++)
		siphash_update(&h, &r->replaced[i].from, SHARD_ROOT_LEN);
	for (size_t i = 0; i < r->n_purged; i++) {
		siphash_update(&h, &r->purged[i].root, SHARD_ROOT_LEN);
		siphash_update(&h, &r->purged[i].time,
			       sizeof(r->purged[i].time));
	}
	return siphash_final(&h);
}

void receipt_share_add(struct receipt_share *s, struct receipt *r)
{
	struct receipt_common **slot = &s->slots[hash_of(r) & (SLOTS - 1)];

	if (*slot && is_same(&(*slot)->what, r)) {
		receipt_join(r, *slot);
		return;
	}
	receipt_common_unref(*slot);
	*slot = receipt_common_new(r);
}
