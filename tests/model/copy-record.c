/* SPDX-License-Identifier: Apache-2.0 */
/* copy-record.c - a record of the log, or a tombstone, once more. */
#include "config.h"

#include "copy-record.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "erase/receipt-backend.h"

static char *text(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

/* NULL: there are none. */
static void *array(const void *p, size_t n, size_t size)
{
	return n ? memcpy(mem_array(n, size), p, n * size) : NULL;
}

/* One that can be added to. */
static void *list(const void *p, size_t n, size_t size)
{
	return n ? memcpy(receipt_array(n, size), p, n * size) : NULL;
}

static struct oplog_object *objects(const struct oplog_object *o, size_t n)
{
	struct oplog_object *ret = array(o, n, sizeof(*o));

	for (size_t i = 0; i < n; i++) {
		ret[i].key = text(o[i].key);
		ret[i].rest_of = text(o[i].rest_of);
	}
	return ret;
}

static void copy_shards(const struct oplog_record *r, struct oplog_record *ret)
{
	ret->shards = array(r->shards, r->n_shards, sizeof(*r->shards));
	ret->cap = r->n_shards;
	for (size_t i = 0; i < r->n_shards; i++) {
		const struct shard_meta *from = &r->shards[i];
		struct shard_meta *to = &ret->shards[i];

		to->key = text(from->key);
		if (from->first)
			to->first = xmemdup0(from->first, from->first_len);
		if (from->last)
			to->last = xmemdup0(from->last, from->last_len);
	}
	ret->replaces = array(r->replaces, r->n_replaces, sizeof(*r->replaces));
	for (size_t i = 0; i < r->n_replaces; i++)
		ret->replaces[i].key = text(r->replaces[i].key);
}

static void copy_receipt(struct receipt *to)
{
	const struct receipt from = *to;

	to->common = NULL;
	to->words.by = text(from.words.by);
	to->words.ticket = text(from.words.ticket);
	to->replaced =
		list(from.replaced, from.n_replaced, sizeof(*from.replaced));
	for (size_t i = 0; i < from.n_replaced; i++)
		to->replaced[i].to =
			array(from.replaced[i].to, from.replaced[i].n_to,
			      sizeof(struct receipt_root));
	to->purged = list(from.purged, from.n_purged, sizeof(*from.purged));
	for (size_t i = 0; i < from.n_purged; i++)
		to->purged[i].zone = text(from.purged[i].zone);
}

static void copy_erased(const struct oplog_record *r, struct oplog_record *ret)
{
	ret->receipts = array(r->receipts, r->n_receipts, sizeof(*r->receipts));
	for (size_t i = 0; i < r->n_receipts; i++)
		copy_receipt(&ret->receipts[i]);
	ret->done = array(r->done, r->n_done, sizeof(*r->done));
	for (size_t i = 0; i < r->n_done; i++)
		ret->done[i] = text(r->done[i]);
	ret->suppressed = objects(r->suppressed, r->n_suppressed);
}

void copy_record(const struct oplog_record *r, struct oplog_record *ret)
{
	*ret = *r;
	ret->name = text(r->name);
	ret->prev.name = text(r->prev.name);
	copy_shards(r, ret);
	ret->tombstones = objects(r->tombstones, r->n_tombstones);
	ret->withdrawn =
		array(r->withdrawn, r->n_withdrawn, sizeof(*r->withdrawn));
	ret->purged = array(r->purged, r->n_purged, sizeof(*r->purged));
	for (size_t i = 0; i < r->n_purged; i++) {
		ret->purged[i].key = text(r->purged[i].key);
		ret->purged[i].zone = text(r->purged[i].zone);
	}
	copy_erased(r, ret);
}

void copy_tombstone(const struct tombstone *t, struct tombstone *ret)
{
	*ret = *t;
	ret->words.by = text(t->words.by);
	ret->words.ticket = text(t->words.ticket);
	ret->erasures = array(t->erasures, t->n, sizeof(*t->erasures));
	ret->cap = t->n;
	for (size_t i = 0; i < t->n; i++)
		ret->erasures[i].uid = xmemdup0(t->erasures[i].uid,
						t->erasures[i].uid_len);
}
