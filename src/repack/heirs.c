/* SPDX-License-Identifier: Apache-2.0 */
/* heirs.c - the shards that count in the place of an old revision. */
#include "config.h"

#include "repack/heirs.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/table.h"
#include "base/workers.h"
#include "store/store-write.h"
#include "verify/verify-shard.h"

/* --- who they are --------------------------------------------------------- */

/* A key that was met. */
struct met {
	const char *key;
	struct met *next; /* to be looked at */
	UT_hash_handle hh;
};

/* true: for the first time. */
static bool meet(struct met **all, struct met **todo, const char *key)
{
	struct met *m = NULL;

	HASH_FIND_STR(*all, key, m);
	if (m)
		return false;
	m = xcalloc(1, sizeof(*m));
	m->key = key;
	HASH_ADD_KEYPTR(hh, *all, m->key, strlen(m->key), m);
	m->next = *todo;
	*todo = m;
	return true;
}

static void forget(struct met *all)
{
	struct met *m, *next;

	HASH_ITER(hh, all, m, next)
	{
		HASH_DEL(all, m);
		free(m);
	}
}

static void note_record(struct heirs *h, const struct oplog_record *by)
{
	h->n_lost = by->n_lost < UINT64_MAX - h->n_lost ? h->n_lost + by->n_lost
							: UINT64_MAX;
	h->is_damaged |= by->n_lost || by->why == OPLOG_CORRUPT;
	h->is_merged |= by->n_replaces > 1;
}

/* A walk from what was replaced to what took its place. */
struct heirs_walk {
	struct met *all, *todo, *records;
	bool through_garbage; /* on to what that was made of */
};

static const struct oplog_old *find_old(const struct oplog_state *state,
					const char *key)
{
	size_t begin = 0, end = oplog_state_n_old(state);

	while (begin < end) {
		size_t mid = begin + (end - begin) / 2;
		const struct oplog_old *old = oplog_state_old(state, mid);
		int c = strcmp(key, old->key);

		if (!c)
			return old;
		if (c < 0)
			end = mid;
		else
			begin = mid + 1;
	}
	return NULL;
}

static void meet_replaced(struct heirs_walk *w, const struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_replaces; i++)
		meet(&w->all, &w->todo, r->replaces[i].key);
}

static void walk_garbage(struct heirs_walk *w, const struct oplog_state *state,
			 const char *key)
{
	const struct oplog_old *old =
		w->through_garbage ? find_old(state, key) : NULL;

	if (old && old->is_garbage)
		meet_replaced(w, old->record);
}

static void walk(struct heirs_walk *w, const struct oplog_state *state,
		 struct heirs *ret)
{
	struct met *ignored = NULL;

	while (w->todo) {
		const struct oplog_record *by =
			oplog_state_replaced_by(state, w->todo->key);
		const char *key = w->todo->key;
		const struct shard_meta *counts = oplog_state_find(state, key);

		w->todo = w->todo->next;
		if (counts) {
			ret->all = mem_grow(ret->all, &ret->cap, ret->n + 1,
					    sizeof(*ret->all));
			ret->all[ret->n++] = counts;
		}
		if (by && meet(&w->records, &ignored, by->name))
			note_record(ret, by);
		for (size_t i = 0; by && i < by->n_shards; i++)
			meet(&w->all, &w->todo, by->shards[i].key);
		ret->is_emptied |= by && !by->n_shards;
		walk_garbage(w, state, key);
	}
	forget(w->all);
	forget(w->records);
}

void heirs_of(const struct oplog_state *state, const char *key,
	      struct heirs *ret)
{
	struct heirs_walk w = { .all = NULL };

	*ret = (struct heirs){ 0 };
	meet(&w.all, &w.todo, key);
	walk(&w, state, ret);
}

void heirs_of_replaced(const struct oplog_state *state,
		       const struct oplog_record *r, struct heirs *ret)
{
	struct heirs_walk w = { .through_garbage = true };

	*ret = (struct heirs){ 0 };
	meet_replaced(&w, r);
	walk(&w, state, ret);
}

/* --- whether they are whole ----------------------------------------------- */

struct checked {
	const struct shard_meta *meta;
	bool is_read, is_whole;
	char *text;
	UT_hash_handle hh;
};

struct verified {
	struct store *st;
	const uint8_t *archive_id;
	struct checked *all;
	struct checked **todo;
	size_t n, cap;
	atomic_size_t next;
};

struct verified *verified_new(struct store *st, const uint8_t *archive_id)
{
	struct verified *v = xcalloc(1, sizeof(*v));

	v->st = st;
	v->archive_id = archive_id;
	return v;
}

void verified_free(struct verified *v)
{
	struct checked *c, *next;

	HASH_ITER(hh, v->all, c, next)
	{
		HASH_DEL(v->all, c);
		free(c->text);
		free(c);
	}
	free(v->todo);
	free(v);
}

void verified_want(struct verified *v, const struct shard_meta *meta)
{
	struct checked *c = NULL;

	HASH_FIND_STR(v->all, meta->key, c);
	if (c)
		return;
	c = xcalloc(1, sizeof(*c));
	c->meta = meta;
	HASH_ADD_KEYPTR(hh, v->all, meta->key, strlen(meta->key), c);
	v->todo = mem_grow(v->todo, &v->cap, v->n + 1, sizeof(*v->todo));
	v->todo[v->n++] = c;
}

struct checking {
	const struct verified *v;
	struct checked *c;
};

static void note_finding(void *arg, const struct finding *f)
{
	struct checked *c = arg;

	if (f->kind == FINDING_DAMAGE && !c->text)
		c->text = xasprintf("%s: %s", f->key, f->text);
}

static enum rc check_in(void *arg, const char *zone, struct store *place,
			struct err *err)
{
	struct checking *ing = arg;
	const struct verify_shard_job job = { .store = place,
					      .key = ing->c->meta->key,
					      .expect = ing->c->meta,
					      .archive_id = ing->v->archive_id,
					      .deep = true };
	const struct verify_options tell = { .fn = note_finding,
					     .arg = ing->c };
	struct verify_report report = { .key = job.key };
	struct verify_totals totals = { 0 };

	(void)zone;
	verify_shard(&job, &report);
	verify_report_tell(&report, &tell, &totals);
	return totals.damage
		       ? err_set(err, RC_CORRUPT, "%s is not whole", job.key)
		       : RC_OK;
}

static void check_main(void *arg)
{
	struct verified *v = arg;

	for (;;) {
		size_t i = atomic_fetch_add(&v->next, 1);
		struct checking ing = { .v = v };
		struct err err;

		if (i >= v->n)
			return;
		ing.c = v->todo[i];
		ing.c->is_whole = !store_each_place(v->st, ing.c->meta->key,
						    check_in, &ing, &err);
		if (!ing.c->is_whole && !ing.c->text)
			ing.c->text = xstrdup(err.msg);
		ing.c->is_read = true;
	}
}

enum rc verified_read(struct verified *v, unsigned int jobs, struct err *err)
{
	struct workers *w = NULL;

	if (jobs > v->n)
		jobs = (unsigned int)v->n;
	if (jobs > 1 && workers_start(&w, "verify", jobs, jobs, err))
		return err->rc;
	atomic_store(&v->next, 0);
	for (unsigned int i = 0; w && i < jobs; i++)
		workers_submit(w, check_main, v);
	if (!w)
		check_main(v);
	workers_stop(w);
	v->n = 0;
	return RC_OK;
}

bool verified_is_whole(const struct verified *v, const struct shard_meta *meta,
		       const char **ret_text)
{
	struct checked *c = NULL;

	HASH_FIND_STR(v->all, meta->key, c);
	*ret_text = c && c->text ? c->text : "it was not read";
	return c && c->is_read && c->is_whole;
}
