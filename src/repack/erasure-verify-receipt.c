/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-verify-receipt.c - what a receipt says, against records and objects.
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "erase/erasure-state.h"
#include "repack/erasure-verify-backend.h"

struct receipt_texts receipt_texts_of(const struct receipt *r,
				      const uint8_t *root)
{
	struct receipt_texts t;

	hex_encode(r->id, sizeof(r->id), t.id);
	hex_encode(root, 8, t.root);
	return t;
}

/* --- what it says of itself ----------------------------------------------- */

/* By the clocks of two machines. */
static bool is_before(int64_t a, int64_t b)
{
	return a < b && b - a > CLOCK_SKEW_US;
}

static int64_t replaced_at(const struct receipt *r, const uint8_t *root)
{
	for (size_t i = 0; i < r->n_replaced; i++) {
		if (!memcmp(r->replaced[i].from.b, root, SHARD_ROOT_LEN))
			return r->replaced[i].time;
	}
	return ERASURE_NEVER;
}

static void check_times(struct checking *c, const struct oplog_record *by,
			const struct receipt *r)
{
	if (is_before(r->hidden, r->asked))
		checking_find(c,
			      "receipt %s: it was hidden before it was asked",
			      receipt_texts_of(r, r->id).id);
	if (is_before(by->time, r->hidden))
		checking_find(c,
			      "receipt %s: it is older than it says it was "
			      "hidden",
			      receipt_texts_of(r, r->id).id);
	for (size_t i = 0; i < r->n_purged; i++) {
		const struct receipt_purged *p = &r->purged[i];
		struct receipt_texts t = receipt_texts_of(r, p->root.b);
		int64_t since = replaced_at(r, p->root.b);

		if (since == ERASURE_NEVER)
			checking_find(c,
				      "receipt %s: %s went, and it does not "
				      "say what took its place",
				      t.id, t.root);
		else if (p->how != RECEIPT_PENDING && is_before(p->time, since))
			checking_find(c,
				      "receipt %s: %s went before others took "
				      "its place",
				      t.id, t.root);
		if (is_before(by->time, p->time))
			checking_find(c,
				      "receipt %s: %s went after it was "
				      "written",
				      t.id, t.root);
	}
}

void check_told(struct checking *c, const struct oplog_record *by,
		const struct receipt *r)
{
	const struct receipt *counts =
		oplog_state_find_receipt(c->state, r->id);

	check_times(c, by, r);
	if (counts &&
	    (memcmp(counts->subject, r->subject, sizeof(r->subject)) != 0 ||
	     counts->asked != r->asked || counts->hidden != r->hidden))
		checking_find(c,
			      "receipt %s: log/%s has another one, of another "
			      "subject or time",
			      receipt_texts_of(r, r->id).id, by->name);
}

/* --- what the log says of it ---------------------------------------------- */

static bool has_root(const struct receipt_replaced *x, const uint8_t *root)
{
	for (size_t i = 0; i < x->n_to; i++) {
		if (!memcmp(x->to[i].b, root, SHARD_ROOT_LEN))
			return true;
	}
	return false;
}

static enum rc check_shards(struct checking *c, const struct receipt *r,
			    const struct receipt_replaced *x,
			    const struct oplog_record *by, size_t n,
			    struct err *err)
{
	struct receipt_texts t = receipt_texts_of(r, x->from.b);
	enum rc rc = RC_OK;

	for (size_t i = 0; !rc && i < n; i++) {
		const struct shard_meta *m =
			oplog_state_find(c->state, by->shards[i].key);

		if (!has_root(x, by->shards[i].root))
			checking_find(c,
				      "receipt %s: the log has another shard "
				      "in the place of %s",
				      t.id, t.root);
		/* Else it was replaced in turn. */
		if (m)
			rc = check_heir(c, m, err);
	}
	return rc;
}

static enum rc check_replaced(struct checking *c, const struct receipt *r,
			      const struct receipt_replaced *x,
			      const struct old_shard *s, struct err *err)
{
	struct receipt_texts t = receipt_texts_of(r, x->from.b);
	const struct oplog_record *by = s->old->record;
	size_t n = s->old->is_garbage ? 0 : by->n_shards;

	if (!s->old->meta && !s->old->is_purged)
		checking_find(c,
			      "receipt %s: no record has ever added the shard "
			      "%s",
			      t.id, t.root);
	if (by->time != x->time)
		checking_find(c,
			      "receipt %s: the shard %s was replaced at "
			      "another time",
			      t.id, t.root);
	if (n != x->n_to)
		checking_find(c,
			      "receipt %s: %zu shards took the place of %s, "
			      "not %zu",
			      t.id, n, t.root, x->n_to);
	return check_shards(c, r, x, by, n, err);
}

static bool has_purged(const struct receipt *r, const uint8_t *root)
{
	for (size_t i = 0; i < r->n_purged; i++) {
		if (!memcmp(r->purged[i].root.b, root, SHARD_ROOT_LEN))
			return true;
	}
	return false;
}

enum rc check_receipt(struct checking *c, const struct receipt *r,
		      struct err *err)
{
	enum rc rc = RC_OK;

	c->ret->receipts++;
	c->ret->final += receipt_is_final(r);
	for (size_t i = 0; !rc && i < r->n_replaced; i++) {
		const uint8_t *root = r->replaced[i].from.b;
		const struct old_shard *s = old_set_find(&c->old, root);
		struct receipt_texts t = receipt_texts_of(r, root);

		if (!has_purged(r, root))
			checking_find(c,
				      "receipt %s: does not say where %s "
				      "went",
				      t.id, t.root);
		if (!s) {
			checking_find(c,
				      "receipt %s: no record replaces the "
				      "shard %s",
				      t.id, t.root);
			continue;
		}
		rc = check_replaced(c, r, &r->replaced[i], s, err);
		if (!rc)
			rc = check_gone(c, r, s, err);
	}
	return rc;
}
