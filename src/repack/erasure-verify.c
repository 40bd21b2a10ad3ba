/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-verify.c - whether what receipts and the log say is so. */
#include "config.h"

#include "repack/erasure-verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "repack/erasure-verify-backend.h"

#define TEXT_MAX 512

void checking_find(struct checking *c, const char *fmt, ...)
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

struct chains {
	struct checking *c;
	const struct oplog_record **records; /* by name */
	size_t n;
};

static const struct oplog_record *find_record(const struct chains *h,
					      const char *name)
{
	const struct oplog_record like = { .name = (char *)(uintptr_t)name };
	const struct oplog_record *key = &like, **at = NULL;

	if (h->n)
		at = bsearch(&key, h->records, h->n,
			     sizeof(struct oplog_record *), by_name);
	return at ? *at : NULL;
}

static void check_link(const struct chains *h, const struct oplog_record *r)
{
	struct checking *c = h->c;
	const struct oplog_record *prev;

	if (!r->prev.name)
		return;
	c->ret->links++;
	prev = find_record(h, r->prev.name);
	if (!prev)
		checking_find(c, "log/%s: its predecessor %s is missing",
			      r->name, r->prev.name);
	else if (memcmp(prev->sha256, r->prev.sha256, SHA256_LEN) != 0)
		checking_find(c, "log/%s: its predecessor %s was another",
			      r->name, r->prev.name);
	else if (prev->time >= r->time)
		checking_find(c, "log/%s: its predecessor %s is not older",
			      r->name, r->prev.name);
}

static void check_chains(struct checking *c)
{
	struct chains h = { .c = c, .n = oplog_n_records(c->log) };

	h.records = xcalloc(h.n + 1, sizeof(*h.records));
	for (size_t i = 0; i < h.n; i++)
		h.records[i] = oplog_record_at(c->log, i);
	if (h.n)
		qsort(h.records, h.n, sizeof(struct oplog_record *), by_name);
	for (size_t i = 0; i < h.n; i++)
		check_link(&h, h.records[i]);
	c->ret->records = h.n;
	free(h.records);
}

/* --- all of it ------------------------------------------------------------ */

static enum rc begin(struct checking *c, struct err *err)
{
	size_t n = 0;

	if (old_set_read(&c->old, c->st, c->state, err))
		return err->rc;
	c->first_place = xcalloc(c->old.n + 1, sizeof(*c->first_place));
	for (size_t i = 0; i < c->old.n; i++) {
		c->first_place[i] = n;
		n += c->old.all[i].n_places;
	}
	c->old_is = xcalloc(n + 1, 1);
	return RC_OK;
}

static void check_all_told(struct checking *c)
{
	for (size_t i = 0; i < oplog_n_records(c->log); i++) {
		const struct oplog_record *r = oplog_record_at(c->log, i);

		for (size_t k = 0; k < r->n_receipts; k++)
			check_told(c, r, &r->receipts[k]);
	}
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
		rc = begin(&c, err);
	if (!rc) {
		check_chains(&c);
		check_all_told(&c);
	}
	for (size_t i = 0; !rc && i < oplog_state_n_receipts(c.state); i++)
		rc = check_receipt(&c, oplog_state_receipt(c.state, i), err);
	if (!rc)
		rc = check_done(&c, err);
	free(c.old_is);
	free(c.first_place);
	uid_set_release(&c.heirs);
	old_set_release(&c.old);
	return rc;
}
