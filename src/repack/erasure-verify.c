/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-verify.c - whether what receipts and the log say is so. */
#include "config.h"

#include "repack/erasure-verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "repack/old-set.h"
#include "repack/salt.h"
#include "store/store-write.h"
#include "volume/oplog-state.h"

#define TEXT_MAX 512

struct checking {
	struct oplog *log;
	struct store *st;
	const struct oplog_state *state;
	struct old_set old;
	const struct oplog_record **records; /* by name */
	size_t n_records;
	erasure_finding_fn *fn;
	void *arg;
	struct erasure_verified *ret;
};

static void find(struct checking *c, const char *fmt, ...) PRINTF(2, 3);
static void find(struct checking *c, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->ret->findings++;
	if (c->fn)
		c->fn(c->arg, text);
}

/* --- chains --------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct oplog_record *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static const struct oplog_record *find_record(const struct checking *c,
					      const char *name)
{
	const struct oplog_record like = { .name = (char *)(uintptr_t)name };
	const struct oplog_record *key = &like, **at = NULL;

	if (c->n_records)
		at = bsearch(&key, c->records, c->n_records,
			     sizeof(struct oplog_record *), by_name);
	return at ? *at : NULL;
}

static void check_link(struct checking *c, const struct oplog_record *r)
{
	const struct oplog_record *prev;

	if (!r->prev.name)
		return;
	c->ret->links++;
	prev = find_record(c, r->prev.name);
	if (!prev)
		find(c, "log/%s: its predecessor %s is missing", r->name,
		     r->prev.name);
	else if (memcmp(prev->sha256, r->prev.sha256, SHA256_LEN) != 0)
		find(c, "log/%s: its predecessor %s was another", r->name,
		     r->prev.name);
	else if (prev->time >= r->time)
		find(c, "log/%s: its predecessor %s is not older", r->name,
		     r->prev.name);
}

static void check_chains(struct checking *c)
{
	c->n_records = oplog_n_records(c->log);
	c->records = xcalloc(c->n_records + 1, sizeof(*c->records));
	for (size_t i = 0; i < c->n_records; i++)
		c->records[i] = oplog_record_at(c->log, i);
	if (c->n_records)
		qsort(c->records, c->n_records, sizeof(struct oplog_record *),
		      by_name);
	for (size_t i = 0; i < c->n_records; i++)
		check_link(c, c->records[i]);
	c->ret->records = c->n_records;
}

/* --- receipts ------------------------------------------------------------- */

struct texts {
	char id[HEX_TEXT(ERASURE_ID_LEN)], root[HEX_TEXT(8)];
};

static struct texts texts_of(const struct receipt *r, const uint8_t *root)
{
	struct texts t;

	hex_encode(r->id, sizeof(r->id), t.id);
	hex_encode(root, 8, t.root);
	return t;
}

static bool has_root(const struct receipt_replaced *x, const uint8_t *root)
{
	for (size_t i = 0; i < x->n_to; i++) {
		if (!memcmp(x->to[i].b, root, SHARD_ROOT_LEN))
			return true;
	}
	return false;
}

static void check_replaced(struct checking *c, const struct receipt *r,
			   const struct receipt_replaced *x)
{
	const struct old_shard *s = old_set_find(&c->old, x->from.b);
	struct texts t = texts_of(r, x->from.b);
	const struct oplog_record *by;
	size_t n;

	if (!s) {
		find(c, "receipt %s: no record replaces the shard %s", t.id,
		     t.root);
		return;
	}
	by = s->old->record;
	n = s->old->is_garbage ? 0 : by->n_shards;
	if (by->time != x->time)
		find(c, "receipt %s: the shard %s was replaced at another time",
		     t.id, t.root);
	if (n != x->n_to)
		find(c, "receipt %s: %zu shards took the place of %s, not %zu",
		     t.id, n, t.root, x->n_to);
	for (size_t i = 0; i < n; i++) {
		if (!has_root(x, by->shards[i].root))
			find(c,
			     "receipt %s: the log has another shard in the "
			     "place of %s",
			     t.id, t.root);
	}
}

struct asking {
	const char *key, *zone;
	bool is_met, is_there;
};

static enum rc ask(void *arg, const char *zone, struct store *place,
		   struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = 1 };
	struct asking *a = arg;
	struct object_info info;
	enum rc rc;

	if ((zone || a->zone) && (!zone || !a->zone || strcmp(zone, a->zone)))
		return RC_OK;
	a->is_met = true;
	rc = store_read_tail(place, a->key, 1, &b, &info, err);
	a->is_there = !rc;
	return rc == RC_NOENT ? RC_OK : rc;
}

static enum rc check_gone(struct checking *c, const struct receipt *r,
			  const struct receipt_purged *p, struct err *err)
{
	const struct old_shard *s = old_set_find(&c->old, p->root.b);
	struct texts t = texts_of(r, p->root.b);
	struct asking a = { .zone = p->zone };
	const struct oplog_purged *told;

	/* Told of already. */
	if (!s)
		return RC_OK;
	c->ret->purged++;
	a.key = s->old->key;
	told = oplog_state_purged(c->state, s->old->key, p->zone);
	if (!told || told->how == RECEIPT_PENDING)
		find(c, "receipt %s: no record says that %s is gone%s%s", t.id,
		     s->old->key, p->zone ? " from " : "",
		     p->zone ? p->zone : "");
	if (store_each_place(c->st, a.key, ask, &a, err))
		return err->rc;
	if (a.is_met && a.is_there)
		find(c, "receipt %s: %s is there%s%s", t.id, s->old->key,
		     p->zone ? " in " : "", p->zone ? p->zone : "");
	return RC_OK;
}

static bool has_purged(const struct receipt *r, const uint8_t *root)
{
	for (size_t i = 0; i < r->n_purged; i++) {
		if (!memcmp(r->purged[i].root.b, root, SHARD_ROOT_LEN))
			return true;
	}
	return false;
}

static enum rc check_receipt(struct checking *c, const struct receipt *r,
			     struct err *err)
{
	enum rc rc = RC_OK;

	c->ret->receipts++;
	c->ret->final += receipt_is_final(r);
	for (size_t i = 0; i < r->n_replaced; i++) {
		const uint8_t *root = r->replaced[i].from.b;
		struct texts t = texts_of(r, root);

		check_replaced(c, r, &r->replaced[i]);
		if (!has_purged(r, root))
			find(c, "receipt %s: does not say where %s went", t.id,
			     t.root);
	}
	for (size_t i = 0; !rc && i < r->n_purged; i++) {
		if (r->purged[i].how != RECEIPT_PENDING)
			rc = check_gone(c, r, &r->purged[i], err);
	}
	return rc;
}

enum rc erasure_verify(struct oplog *log, struct store *st,
		       erasure_finding_fn *fn, void *arg,
		       struct erasure_verified *ret, struct err *err)
{
	struct checking c = {
		.log = log, .st = st, .fn = fn, .arg = arg, .ret = ret
	};
	bool changed;
	enum rc rc;

	*ret = (struct erasure_verified){ 0 };
	oplog_want_all(log);
	rc = oplog_read(log, st, &changed, err);
	c.state = oplog_state(log);
	if (!rc)
		rc = old_set_read(&c.old, st, c.state, err);
	if (!rc)
		check_chains(&c);
	for (size_t i = 0; !rc && i < oplog_state_n_receipts(c.state); i++)
		rc = check_receipt(&c, oplog_state_receipt(c.state, i), err);
	free(c.records);
	old_set_release(&c.old);
	return rc;
}
