/* SPDX-License-Identifier: Apache-2.0 */
/* receipt-make.c - the receipt of an erasure as things stand. */
#include "config.h"

#include "repack/receipt-make.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "repack/purge-rule.h"
#include "repack/salt.h"

/* Receipts of a record, about; readers take much more. */
#define RECORD_WEIGHT (16u << 20)

static const struct receipt_replaced *find_replaced(
	const struct receipt *r, const uint8_t root[SHARD_ROOT_LEN])
{
	for (size_t i = 0; r && i < r->n_replaced; i++) {
		if (!memcmp(r->replaced[i].from.b, root, SHARD_ROOT_LEN))
			return &r->replaced[i];
	}
	return NULL;
}

/* When what the place still has can go, as far as that is known. */
static int64_t pending_until(const struct old_shard *s,
			     const struct old_place *p, int64_t now)
{
	const struct oplog_record *r = s->old->record;
	int64_t end;

	if (p->told)
		return p->told->until;
	if (s->is_held)
		return RECEIPT_UNKNOWN;
	end = purge_grace_end(r->time, r->grace * INT64_C(1000000), now);
	return end > now && timestamp_is_valid(end) ? end : RECEIPT_UNKNOWN;
}

static void add_places(struct receipt *r, const struct old_shard *s,
		       int64_t now)
{
	struct receipt_root root;

	memcpy(root.b, s->old->root, sizeof(root.b));
	for (size_t i = 0; i < s->n_places; i++) {
		const struct old_place *p = &s->places[i];

		if (old_place_is_gone(p))
			receipt_add_purged(r, &root, p->zone, p->told->how,
					   p->told->time, RECEIPT_UNKNOWN);
		else
			receipt_add_purged(r, &root, p->zone, RECEIPT_PENDING,
					   now, pending_until(s, p, now));
	}
}

static void add_holder(struct receipt *r, const struct old_shard *s,
		       int64_t now)
{
	const struct oplog_record *by = s->old->record;
	size_t n = s->old->is_garbage ? 0 : by->n_shards;
	struct receipt_root *to = xcalloc(n + 1, sizeof(*to)), from;

	memcpy(from.b, s->old->root, sizeof(from.b));
	for (size_t i = 0; i < n; i++)
		memcpy(to[i].b, by->shards[i].root, sizeof(to[i].b));
	receipt_add_replaced(r, &from, to, n, by->time);
	free(to);
	add_places(r, s, now);
}

/* What was told of a revision that is not in its place any more. */
static void add_told(struct receipt *r, const struct receipt *told,
		     const struct receipt_replaced *x,
		     const struct receipt_sources *src)
{
	const struct old_shard *s = old_set_find(src->old, x->from.b);

	receipt_add_replaced(r, &x->from, x->to, x->n_to, x->time);
	if (s) {
		add_places(r, s, src->now);
		return;
	}
	for (size_t i = 0; i < told->n_purged; i++) {
		const struct receipt_purged *p = &told->purged[i];

		if (!memcmp(p->root.b, x->from.b, SHARD_ROOT_LEN))
			receipt_add_purged(r, &p->root, p->zone, p->how,
					   p->time, p->until);
	}
}

static enum rc begin(const struct receipt_sources *src,
		     const struct survey_erasure *e, struct receipt *r,
		     struct err *err)
{
	const struct erasure_words *words = &e->doc->doc.words;
	const struct erasure *of = e->erasure;
	uint8_t salt[RECEIPT_SALT_LEN];

	memcpy(r->id, of->id, sizeof(r->id));
	r->words.reason = words->reason;
	r->words.by = words->by ? xstrdup(words->by) : NULL;
	r->words.ticket = words->ticket ? xstrdup(words->ticket) : NULL;
	r->asked = e->doc->doc.time;
	r->hidden = e->doc->logged->record->time;
	if (e->receipt) {
		memcpy(r->subject, e->receipt->subject, sizeof(r->subject));
		r->hidden = e->receipt->hidden;
		return RC_OK;
	}
	if (salt_make(src->st, of->id, salt, err))
		return err->rc;
	receipt_subject(salt, of->uid, of->uid_len, of->range, of->time,
			r->subject);
	return RC_OK;
}

static const struct old_shard *old_holder(const struct receipt_sources *src,
					  const struct survey_erasure *e,
					  size_t i)
{
	const struct survey_shard *s = &src->survey->shards[e->holders[i]];

	return s->old ? old_set_find(src->old, s->root) : NULL;
}

enum rc receipt_make(const struct receipt_sources *src,
		     const struct survey_erasure *e, struct receipt *ret,
		     struct err *err)
{
	struct receipt r = { 0 };

	if (begin(src, e, &r, err)) {
		receipt_release(&r);
		return err->rc;
	}
	for (size_t i = 0; i < e->n_holders; i++) {
		const struct old_shard *s = old_holder(src, e, i);

		if (s && !find_replaced(&r, s->old->root))
			add_holder(&r, s, src->now);
	}
	for (size_t i = 0; e->receipt && i < e->receipt->n_replaced; i++) {
		const struct receipt_replaced *x = &e->receipt->replaced[i];

		if (!find_replaced(&r, x->from.b))
			add_told(&r, e->receipt, x, src);
	}
	*ret = r;
	return RC_OK;
}

static bool is_same_zone(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Until when a store keeps what it has is known only when removing was tried.
 */
static bool says_until(const struct receipt *r, const struct old_shard *s,
		       const struct old_place *p)
{
	if (!p->told || p->told->how != RECEIPT_PENDING)
		return true;
	for (size_t i = 0; i < r->n_purged; i++) {
		const struct receipt_purged *x = &r->purged[i];

		if (!memcmp(x->root.b, s->old->root, SHARD_ROOT_LEN) &&
		    is_same_zone(x->zone, p->zone))
			return x->how == RECEIPT_PENDING &&
			       x->until == p->told->until;
	}
	return false;
}

static bool says_until_all(const struct receipt *r, const struct old_shard *s)
{
	for (size_t i = 0; i < s->n_places; i++) {
		if (!says_until(r, s, &s->places[i]))
			return false;
	}
	return true;
}

bool receipt_is_known(const struct receipt_sources *src,
		      const struct survey_erasure *e)
{
	for (size_t i = 0; i < e->n_holders; i++) {
		const struct old_shard *s = old_holder(src, e, i);

		if (s && !find_replaced(e->receipt, s->old->root))
			return false;
	}
	/* Of what a store keeps nobody can tell any more who held it. */
	for (size_t i = 0; e->receipt && i < e->receipt->n_replaced; i++) {
		const struct old_shard *s =
			old_set_find(src->old, e->receipt->replaced[i].from.b);

		if (s && !says_until_all(e->receipt, s))
			return false;
	}
	return true;
}

/* --- records -------------------------------------------------------------- */

static size_t weigh(const struct receipt *r)
{
	size_t n = 600 + r->n_purged * 200;

	for (size_t i = 0; i < r->n_replaced; i++)
		n += 150 + r->replaced[i].n_to * 70;
	return n;
}

void receipt_writer_release(struct receipt_writer *w)
{
	oplog_record_release(&w->record);
	w->cap = 0;
	w->weight = 0;
}

enum rc receipt_write_end(struct receipt_writer *w, struct err *err)
{
	struct oplog_record *r = &w->record;
	enum rc rc;

	if (!r->n_receipts && !r->n_done && !r->n_suppressed)
		return RC_OK;
	r->kind = OPLOG_ERASED;
	rc = oplog_write(w->log, w->st, r, w->archive_id, err);
	if (!rc)
		w->n_written += r->n_receipts;
	receipt_writer_release(w);
	return rc;
}

enum rc receipt_write(struct receipt_writer *w, struct receipt *r,
		      struct err *err)
{
	struct oplog_record *to = &w->record;

	to->receipts = mem_grow(to->receipts, &w->cap, to->n_receipts + 1,
				sizeof(*to->receipts));
	to->receipts[to->n_receipts++] = *r;
	w->weight += weigh(r);
	*r = (struct receipt){ 0 };
	return w->weight < RECORD_WEIGHT ? RC_OK : receipt_write_end(w, err);
}
