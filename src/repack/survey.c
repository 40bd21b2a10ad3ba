/* SPDX-License-Identifier: Apache-2.0 */
/* survey.c - the deletions that are not done yet, and which shards hold them.
 */
#include "config.h"

#include "repack/survey.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/workers.h"
#include "repack/shard-seek.h"
#include "store/store-write.h"
#include "volume/oplog-object.h"

void survey_release(struct survey *s)
{
	for (size_t i = 0; i < s->n_docs; i++) {
		tombstone_release(&s->docs[i].doc);
		free(s->docs[i].members);
	}
	for (size_t i = 0; i < s->n_erasures; i++) {
		if (s->erasures[i].cap)
			free(s->erasures[i].holders);
	}
	for (size_t i = 0; i < s->n_shards; i++)
		free(s->shards[i].problem);
	free(s->docs);
	free(s->erasures);
	free(s->shards);
	*s = (struct survey){ 0 };
}

/* --- documents ------------------------------------------------------------ */

/* known: the bytes that the log has read; NULL: they are read now. */
static enum rc read_doc(struct survey_doc *d, struct store *st,
			const struct buf *known, struct err *err)
{
	const struct oplog_object *o = d->logged->object;
	CLEANUP_BUF struct buf text = { .max = TOMBSTONE_MAX };

	if (!known && oplog_object_read(st, o, TOMBSTONE_MAX, &text, err))
		return err->rc;
	if (!known)
		known = &text;
	if (tombstone_decode(known->p, known->len, &d->doc, err) ||
	    tombstone_check_key(&d->doc, o->key, err))
		return err_prefix(err, "%s", o->key);
	return RC_OK;
}

static void split(const struct survey_erasure *e, struct span *ret_parent,
		  struct span *ret_name)
{
	const struct erasure *of = e->erasure;
	size_t skip = e->parent_len ? e->parent_len + 1 : 0;

	*ret_parent = span_of(of->uid, e->parent_len);
	*ret_name = span_of(of->uid + skip, of->uid_len - skip);
}

static int compare_key(const struct survey_erasure *e, struct span parent,
		       struct span name)
{
	struct span p, n;

	split(e, &p, &n);
	return entry_key_compare(p, n, parent, name);
}

static int by_key(const void *a, const void *b)
{
	const struct survey_erasure *x = a, *y = b;
	struct span parent, name;
	int c;

	split(y, &parent, &name);
	c = compare_key(x, parent, name);

	return c ? c
		 : memcmp(x->erasure->id, y->erasure->id,
			  sizeof(x->erasure->id));
}

/* An erasure is in two documents when a run that had split one died before it
 * said that the first is done.
 */
static void unite(struct survey *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_erasures; i++) {
		const struct survey_erasure e = s->erasures[i];

		if (!n || memcmp(s->erasures[n - 1].erasure->id, e.erasure->id,
				 sizeof(e.erasure->id)) != 0)
			s->erasures[n++] = e;
		e.doc->members[e.erasure - e.doc->doc.erasures] =
			(uint32_t)(n - 1);
	}
	s->n_erasures = n;
}

static void list_erasures(struct survey *s, const struct oplog_state *state)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_docs; i++)
		n += s->docs[i].doc.n;
	s->erasures = xcalloc(n ? n : 1, sizeof(*s->erasures));
	for (size_t i = 0; i < s->n_docs; i++) {
		struct survey_doc *d = &s->docs[i];

		d->members = xcalloc(d->doc.n + 1, sizeof(*d->members));
		for (size_t k = 0; k < d->doc.n; k++) {
			const struct erasure *e = &d->doc.erasures[k];
			struct survey_erasure *to =
				&s->erasures[s->n_erasures++];
			struct span parent, name;

			to->doc = d;
			to->erasure = e;
			entry_split_uid(span_of(e->uid, e->uid_len), &parent,
					&name);
			to->parent_len = (uint32_t)parent.len;
			to->is_withdrawn =
				oplog_state_is_withdrawn(state, e->id);
			to->receipt = oplog_state_find_receipt(state, e->id);
		}
	}
	if (n)
		qsort(s->erasures, n, sizeof(*s->erasures), by_key);
	unite(s);
}

static enum rc read_docs(struct survey *ret, struct store *st,
			 const struct oplog *log, bool is_known,
			 struct err *err)
{
	const struct oplog_state *state = oplog_state(log);
	size_t n = oplog_state_n_tombstones(state);
	struct survey s = { 0 };

	s.docs = xcalloc(n ? n : 1, sizeof(*s.docs));
	for (size_t i = 0; i < n; i++) {
		const struct oplog_tombstone *t =
			oplog_state_tombstone(state, i);

		if (t->done)
			continue;
		s.docs[s.n_docs++].logged = t;
		if (read_doc(&s.docs[s.n_docs - 1], st,
			     is_known ? oplog_document(log, t->object->key)
				      : NULL,
			     err)) {
			survey_release(&s);
			return err->rc;
		}
	}
	list_erasures(&s, state);
	*ret = s;
	return RC_OK;
}

enum rc survey_read(struct survey *ret, struct store *st,
		    const struct oplog *log, struct err *err)
{
	return read_docs(ret, st, log, false, err);
}

enum rc survey_read_known(struct survey *ret, struct store *st,
			  const struct oplog *log, struct err *err)
{
	return read_docs(ret, st, log, true, err);
}

bool survey_is_finished(const struct survey_erasure *e)
{
	return e->is_withdrawn || (e->receipt && receipt_is_final(e->receipt));
}

/* --- shards --------------------------------------------------------------- */

void survey_add(struct survey *s, const struct survey_shard *shard)
{
	s->shards = mem_grow(s->shards, &s->cap, s->n_shards + 1,
			     sizeof(*s->shards));
	s->shards[s->n_shards++] = *shard;
}

void survey_add_stray(struct survey *s, const char *key, const char *zone)
{
	static const uint8_t no_root[SHARD_ROOT_LEN];

	survey_add(s, &(struct survey_shard){ .key = key,
					      .root = no_root,
					      .is_stray = true,
					      .zone = zone });
}

void survey_add_all(struct survey *s, const struct oplog_state *state)
{
	for (size_t i = 0; i < oplog_state_n_counting(state); i++) {
		const struct shard_meta *m = oplog_state_counting(state, i);

		survey_add(s, &(struct survey_shard){ .key = m->key,
						      .root = m->root,
						      .meta = m });
	}
	for (size_t i = 0; i < oplog_state_n_old(state); i++) {
		const struct oplog_old *old = oplog_state_old(state, i);

		if (!old->is_purged)
			survey_add(s, &(struct survey_shard){ .key = old->key,
							      .root = old->root,
							      .meta = old->meta,
							      .old = old });
	}
}

struct looking {
	struct survey *s;
	struct store *st;
	atomic_size_t next;
	pthread_mutex_t lock; /* guards the erasures' holders */
};

/* Most have one. */
void survey_add_holder(struct survey_erasure *e, uint32_t number)
{
	size_t cap = e->cap;

	if (!e->cap && !e->n_holders) {
		e->holders = &e->one;
	} else if (e->n_holders >= e->cap) {
		e->holders = mem_grow(cap ? e->holders : NULL, &cap,
				      e->n_holders + 1, sizeof(*e->holders));
		if (!e->cap)
			e->holders[0] = e->one;
		e->cap = (uint32_t)cap;
	}
	e->holders[e->n_holders++] = number;
}

static void add_holder(struct looking *l, struct survey_erasure *e,
		       uint32_t shard)
{
	pthread_mutex_lock(&l->lock);
	survey_add_holder(e, shard);
	pthread_mutex_unlock(&l->lock);
}

static bool is_meant(const struct erasure *e, int64_t created_at)
{
	return e->range == ERASURE_ONE ? created_at == e->time
				       : created_at <= e->time;
}

/* The erasures from *i up to *end are those whose keys may be in the shard. */
static void bound(const struct survey *s, const struct shard_meta *m, size_t *i,
		  size_t *end)
{
	struct span parent, name;

	*i = 0;
	*end = s->n_erasures;
	if (!m || m->is_purged)
		return;
	entry_split_uid(span_of(m->first, m->first_len), &parent, &name);
	while (*i < *end && compare_key(&s->erasures[*i], parent, name) < 0)
		++*i;
	entry_split_uid(span_of(m->last, m->last_len), &parent, &name);
	while (*i < *end &&
	       compare_key(&s->erasures[*end - 1], parent, name) > 0)
		--*end;
}

static bool may_hold(const struct survey_erasure *e, const struct shard_meta *m)
{
	const struct erasure *of = e->erasure;

	if (survey_is_finished(e))
		return false;
	if (!m || m->is_purged)
		return true;
	return of->time >= m->created_min &&
	       (of->range == ERASURE_UNTIL || of->time <= m->created_max);
}

/* Directories that are only inferred say nothing but that something is below:
 * they stay as long as it does.
 */
static enum rc holds_it(struct shard_seek *c, const struct survey_erasure *e,
			bool *ret, struct err *err)
{
	struct span parent, name;
	enum rc rc;

	split(e, &parent, &name);
	rc = shard_seek_key(c, parent, name, err);
	*ret = false;
	while (!rc && shard_seek_is_at(c, parent, name)) {
		if (!c->e.implicit && is_meant(e->erasure, c->e.created_at)) {
			*ret = true;
			break;
		}
		rc = shard_seek_next(c, err);
	}
	return rc;
}

static enum rc look_in(struct looking *l, struct store *st, uint32_t number,
		       size_t i, size_t end, struct err *err)
{
	const struct survey_shard *shard = &l->s->shards[number];
	struct shard_seek c = { 0 };
	enum rc rc = shard_seek_open(&c, st, shard->key,
				     shard->is_stray ? NULL : shard->root, err);

	for (; !rc && i < end; i++) {
		struct survey_erasure *e = &l->s->erasures[i];
		bool holds = false;

		if (!may_hold(e, shard->meta))
			continue;
		rc = holds_it(&c, e, &holds, err);
		if (!rc && holds)
			add_holder(l, e, number);
	}
	shard_seek_close(&c);
	return rc;
}

/* A stray is of one place, where nobody else may look for it. */
struct stray_look {
	struct looking *l;
	uint32_t number;
	size_t i, end;
};

/* store_place_fn */
static enum rc look_in_place(void *arg, const char *zone, struct store *place,
			     struct err *err)
{
	const struct stray_look *x = arg;
	const char *wanted = x->l->s->shards[x->number].zone;

	if (wanted && zone && strcmp(wanted, zone) != 0)
		return RC_OK;
	return look_in(x->l, place, x->number, x->i, x->end, err);
}

static enum rc look_in_shard(struct looking *l, uint32_t number, size_t i,
			     size_t end, struct err *err)
{
	struct stray_look x = { l, number, i, end };

	if (!l->s->shards[number].is_stray)
		return look_in(l, l->st, number, i, end, err);
	return store_each_place(l->st, STORE_ZONES_KEY, look_in_place, &x, err);
}

static void forget_holder(struct looking *l, struct survey_erasure *e,
			  uint32_t shard)
{
	pthread_mutex_lock(&l->lock);
	for (size_t k = 0; k < e->n_holders; k++) {
		if (e->holders[k] == shard)
			e->holders[k--] = e->holders[--e->n_holders];
	}
	pthread_mutex_unlock(&l->lock);
}

static void look_at(struct looking *l, uint32_t number)
{
	struct survey_shard *shard = &l->s->shards[number];
	size_t i, end, first;
	struct err err;
	enum rc rc;

	bound(l->s, shard->meta, &i, &end);
	for (first = i; first < end; first++) {
		if (may_hold(&l->s->erasures[first], shard->meta))
			break;
	}
	if (first == end)
		return;
	rc = look_in_shard(l, number, first, end, &err);
	/* What does not count may have been removed by now. */
	shard->is_missing = rc == RC_NOENT;
	if (!rc || (shard->is_missing && (shard->old || shard->is_stray)))
		return;
	shard->problem = xstrdup(err.msg);
	for (i = first; i < end; i++) {
		struct survey_erasure *e = &l->s->erasures[i];

		if (!may_hold(e, shard->meta))
			continue;
		forget_holder(l, e, number);
		add_holder(l, e, number);
	}
}

static void look_main(void *arg)
{
	struct looking *l = arg;
	size_t i;

	while ((i = atomic_fetch_add(&l->next, 1)) < l->s->n_shards)
		look_at(l, (uint32_t)i);
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

enum rc survey_look(struct survey *s, struct store *st, unsigned int jobs,
		    struct err *err)
{
	struct looking l = { .s = s, .st = st };
	struct workers *w = NULL;

	if (s->n_shards > UINT32_MAX)
		return err_set(err, RC_LIMIT, "too many shards");
	if (!s->n_erasures || !s->n_shards)
		return RC_OK;
	if (jobs > 1 && workers_start(&w, "survey", jobs, jobs, err))
		return err->rc;
	pthread_mutex_init(&l.lock, NULL);
	for (unsigned int i = 0; w && i < jobs; i++)
		workers_submit(w, look_main, &l);
	if (!w)
		look_main(&l);
	workers_stop(w);
	pthread_mutex_destroy(&l.lock);
	for (size_t i = 0; i < s->n_erasures; i++) {
		struct survey_erasure *e = &s->erasures[i];

		if (e->n_holders)
			qsort(e->holders, e->n_holders, sizeof(*e->holders),
			      by_number);
	}
	return RC_OK;
}
