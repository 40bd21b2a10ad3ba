/* SPDX-License-Identifier: Apache-2.0 */
/* verify-places.c - the shards to be looked at, in each store that has to have
 * them.
 *
 * Readers take whichever store answers; damage of one shows when the others are
 * gone.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/store-write.h"
#include "verify/verify-backend.h"
#include "verify/verify-report.h"

struct placing {
	const struct verify_todo *of;
	struct verify_todo *all;
	size_t n, cap, n_before; /* n_before: when of was begun */
};

static void add(struct placing *p, const char *zone, struct store *place)
{
	struct verify_todo *t;

	p->all = mem_grow(p->all, &p->cap, p->n + 1, sizeof(*p->all));
	t = &p->all[p->n++];
	*t = *p->of;
	t->place = zone;
	t->store = zone ? place : NULL;
	t->is_copy = p->n - 1 > p->n_before;
}

static enum rc add_place(void *arg, const char *zone, struct store *place,
			 struct err *err)
{
	(void)err;
	add(arg, zone, place);
	return RC_OK;
}

/* A shard is then looked at wherever it can be read. */
void verify_place_unread(struct verify_run *r, const char *text)
{
	struct verify_report report = { .key = "zones" };

	if (r->unread_place && !strcmp(r->unread_place, text))
		return;
	free(r->unread_place);
	r->unread_place = xstrdup(text);
	verify_unread(&report, "%s", text);
	verify_report_tell(&report, r->opts, r->totals);
}

void verify_places(struct verify_run *r)
{
	struct placing p = { 0 };
	struct err err;

	for (size_t i = 0; i < r->n_todo; i++) {
		p.of = &r->todo[i];
		p.n_before = p.n;
		if (!store_each_place(r->store, p.of->key, add_place, &p, &err))
			continue;
		p.n = p.n_before;
		add(&p, NULL, NULL);
		verify_place_unread(r, err.msg);
	}
	free(r->todo);
	r->todo = p.all;
	r->n_todo = p.n;
	r->cap_todo = p.cap;
}
