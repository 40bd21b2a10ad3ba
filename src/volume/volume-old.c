/* SPDX-License-Identifier: Apache-2.0 */
/* volume-old.c - what became of the entries of shards that were replaced. */
#include "config.h"

#include "volume/volume-old.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "shard/shard-filter.h"
#include "store/store.h"
#include "volume/volume-forget.h"
#include "volume/volume-merge.h"

/* Runs that are kept, of 32 bytes; those of what was replaced first go. */
#define RUNS_MAX (UINT64_C(1) << 19)
/* Where a page of a shard that is gone cannot be had, so many entries are
 * passed over: pages have more.
 */
#define SKIP 16u

/* n entries from ordinal from on are now in a shard from to on. */
struct run {
	uint64_t from, n, to;
	uint32_t shard;
};

/* All of one shard that was replaced, ascending. */
struct map {
	uint32_t shard;
	uint64_t n_entries;
	bool is_new; /* what it lacks was not told yet */
	struct run *runs;
	size_t n, cap;
};

struct volume_old {
	pthread_mutex_t lock; /* guards all below; not held during I/O */
	struct map **maps;    /* the oldest first */
	size_t n_maps, cap_maps;
	uint64_t n_runs;
	uint32_t *todo; /* shards whose entries are still to be looked for */
	size_t n_todo, cap_todo;
	struct volume_roots unread; /* the thread's that settles */
};

struct volume_old *volume_old_new(void)
{
	struct volume_old *old = xcalloc(1, sizeof(*old));

	pthread_mutex_init(&old->lock, NULL);
	return old;
}

static void map_free(struct map *m)
{
	if (!m)
		return;
	free(m->runs);
	free(m);
}

void volume_old_free(struct volume_old *old)
{
	if (!old)
		return;
	for (size_t i = 0; i < old->n_maps; i++)
		map_free(old->maps[i]);
	free(old->maps);
	free(old->todo);
	free(old->unread.root);
	pthread_mutex_destroy(&old->lock);
	free(old);
}

void volume_old_add(struct volume_old *old, uint32_t shard)
{
	LOCK_SCOPE(&old->lock);

	old->todo = mem_grow(old->todo, &old->cap_todo, old->n_todo + 1,
			     sizeof(*old->todo));
	old->todo[old->n_todo++] = shard;
}

/* --- finding -------------------------------------------------------------- */

static const struct map *find_map(const struct volume_old *old, uint32_t shard)
{
	for (size_t i = 0; i < old->n_maps; i++) {
		if (old->maps[i]->shard == shard)
			return old->maps[i];
	}
	return NULL;
}

/* The last run that begins at the ordinal or before; NULL: none. */
static const struct run *run_before(const struct map *m, uint64_t ordinal)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->runs[mid].from <= ordinal)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &m->runs[low - 1] : NULL;
}

bool volume_old_find(struct volume_old *old, struct volume_node node,
		     bool is_place, struct volume_node *ret)
{
	const struct map *m;
	const struct run *r;
	uint64_t i;
	LOCK_SCOPE(&old->lock);

	m = find_map(old, node.shard);
	r = m ? run_before(m, node.ordinal) : NULL;
	if (!r)
		return false;
	i = node.ordinal - r->from;
	if (i >= r->n && !is_place)
		return false;
	*ret = (struct volume_node){ .shard = r->shard,
				     .ordinal =
					     r->to + (i < r->n ? i : r->n - 1),
				     .date = node.date };
	return true;
}

void volume_aliases(struct volume *v, struct volume_node node,
		    volume_node_fn *fn, void *arg)
{
	struct volume_old *old = v->old;
	LOCK_SCOPE(&old->lock);

	for (size_t i = 0; i < old->n_maps; i++) {
		const struct map *m = old->maps[i];

		for (size_t k = 0; k < m->n; k++) {
			const struct run *r = &m->runs[k];

			if (r->shard != node.shard || node.ordinal < r->to ||
			    node.ordinal - r->to >= r->n)
				continue;
			fn(arg,
			   (struct volume_node){
				   .shard = m->shard,
				   .ordinal = r->from + (node.ordinal - r->to),
				   .date = node.date });
		}
	}
}

static enum rc look_in_shard(struct volume *v, const struct shard_file *sf,
			     const struct volume_entry *ve, uint64_t hash,
			     struct volume_entry *ret, struct err *err)
{
	CLEANUP_CURSOR struct shard_cursor c = { 0 };
	const struct entry *e = &ve->e;
	bool may = true;
	enum rc rc;

	if (!shard_file_may_have_key(sf, e->parent, e->name))
		return RC_OK;
	rc = shard_cursor_open(&c, &v->env, sf, err);
	if (!rc)
		rc = shard_handle_may_contain(&c.h, hash, false, &may, err);
	if (!rc && may)
		rc = shard_cursor_seek(&c, e->parent, e->name, err);
	while (!rc && may && shard_cursor_is_at(&c, e->parent, e->name)) {
		if (c.e.created_at == e->created_at) {
			volume_entry_init(ret, &c, ve->node.date);
			return RC_OK;
		}
		rc = shard_cursor_next(&c, err);
	}
	return rc;
}

/* What takes a shard's place is of its day and slot. */
static bool is_heir(const struct shard_meta *m, const struct shard_meta *of)
{
	return m->day == of->day && m->slot == of->slot &&
	       m->n_bits == of->n_bits && m->route == of->route;
}

enum rc volume_current(struct volume *v, const struct view *view,
		       const struct volume_entry *ve, struct volume_entry *ret,
		       struct err *err)
{
	const struct shard_meta *was = volume_shard(v, ve->node);
	const struct view_day *day = view_day_find(view, was->day);
	uint64_t hash = filter_hash(ve->e.parent, ve->e.name);
	struct volume_entry now = { 0 };

	for (size_t i = 0; day && i < day->n_shards && !now.hold; i++) {
		const struct shard_file *sf = day->shards[i];

		if (is_heir(&sf->meta, was) &&
		    look_in_shard(v, sf, ve, hash, &now, err))
			return err->rc;
	}
	if (!now.hold)
		return err_set(
			err, RC_DELETED, "%.*s: is no more",
			(int)(ve->e.name.len < 256 ? ve->e.name.len : 256),
			ve->e.name.len ? ve->e.name.p : "");
	*ret = now;
	return RC_OK;
}

/* --- learning ------------------------------------------------------------- */

static void add_run(struct map *m, struct run r)
{
	struct run *last = m->n ? &m->runs[m->n - 1] : NULL;

	if (last && last->shard == r.shard && last->from + last->n == r.from &&
	    last->to + last->n == r.to) {
		last->n += r.n;
		return;
	}
	m->runs = mem_grow(m->runs, &m->cap, m->n + 1, sizeof(*m->runs));
	m->runs[m->n++] = r;
}

/* A shard that was replaced, beside those that took its place. */
struct learn {
	struct volume *v;
	const struct shard_file *sf;
	struct shard_cursor c;
	struct volume_merge heirs;
	struct map *map;
	uint64_t n_read; /* entries */
};

static enum rc open_heirs(struct learn *l, const struct view *view,
			  struct err *err)
{
	const struct shard_meta *was = &l->sf->meta;
	const struct view_day *day = view_day_find(view, was->day);
	enum rc rc = RC_OK;

	for (size_t i = 0; day && i < day->n_shards && !rc; i++) {
		CLEANUP_CURSOR struct shard_cursor c = { 0 };

		if (!is_heir(&day->shards[i]->meta, was))
			continue;
		rc = shard_cursor_open(&c, &l->v->env, day->shards[i], err);
		if (!rc)
			rc = shard_cursor_goto(&c, 0, err);
		if (!rc)
			volume_merge_add(&l->heirs, &c);
	}
	return rc;
}

/* Note where the entry at the cursor is now, if it is anywhere. */
static enum rc learn_entry(struct learn *l, struct err *err)
{
	uint64_t ordinal = shard_cursor_ordinal(&l->c);
	const struct shard_cursor *h;
	struct volume_entry ve;

	l->n_read++;
	for (h = volume_merge_top(&l->heirs);
	     h && entry_compare(&h->e, &l->c.e) < 0;
	     h = volume_merge_top(&l->heirs)) {
		if (volume_merge_next(&l->heirs, err))
			return err->rc;
	}
	if (h && !entry_compare(&h->e, &l->c.e)) {
		add_run(l->map, (struct run){ .from = ordinal,
					      .n = 1,
					      .to = shard_cursor_ordinal(h),
					      .shard = h->h.sf->ordinal });
		return RC_OK;
	}
	volume_entry_init(&ve, &l->c, false);
	volume_forget_entry(l->v, &ve);
	volume_entry_release(&ve);
	return RC_OK;
}

/* To an ordinal, or if its page cannot be had, to one after it. */
static enum rc goto_some(struct learn *l, uint64_t ordinal, struct err *err)
{
	enum rc rc = shard_cursor_goto(&l->c, ordinal, err);

	while (rc && !rc_is_transient(rc) &&
	       ordinal + SKIP < l->sf->meta.n_entries) {
		ordinal += SKIP;
		rc = shard_cursor_goto(&l->c, ordinal, err);
	}
	return rc;
}

static bool may_pass(const struct learn *l, enum rc rc)
{
	/* Of what is gone nothing comes back. */
	return rc_is_transient(rc) && !atomic_load(&l->sf->life->is_gone);
}

/* What passes is an error; what does not leaves entries out. */
static enum rc learn_all(struct learn *l, const struct view *view,
			 struct err *err)
{
	uint64_t next = 0;
	enum rc rc = open_heirs(l, view, err);

	if (rc)
		return rc;
	rc = shard_cursor_open(&l->c, &l->v->env, l->sf, err);
	if (!rc)
		rc = goto_some(l, 0, err);
	while (!rc && !l->c.at_end) {
		rc = learn_entry(l, err);
		if (rc)
			return rc;
		next = shard_cursor_ordinal(&l->c) + 1;
		rc = shard_cursor_next(&l->c, err);
		if (rc && !may_pass(l, rc) && next < l->sf->meta.n_entries)
			rc = goto_some(l, next, err);
	}
	return rc && may_pass(l, rc) ? rc : RC_OK;
}

/* What does not pass leaves a map of what could be learnt. */
static enum rc learn(struct volume *v, const struct view *view, uint32_t shard,
		     struct map **ret, struct err *err)
{
	struct learn l = { .v = v, .sf = shard_set_get(v->set, shard) };
	enum rc rc;

	l.map = xcalloc(1, sizeof(*l.map));
	l.map->shard = shard;
	l.map->n_entries = l.sf->meta.n_entries;
	l.map->is_new = true;
	rc = learn_all(&l, view, err);
	shard_cursor_close(&l.c);
	volume_merge_release(&l.heirs);
	if (rc_is_transient(rc)) {
		map_free(l.map);
		return rc;
	}
	/* Which blocks have deleted bytes is not known any more. */
	if (l.n_read < l.sf->meta.n_entries)
		volume_roots_add(&v->old->unread, l.sf->meta.root);
	*ret = l.map;
	return rc;
}

/* --- keeping -------------------------------------------------------------- */

/* Where the entries of a run are, now that its shard is replaced, too. */
static void follow_run(struct map *to, const struct run *r, const struct map *m)
{
	uint64_t end = r->to + r->n;

	for (size_t i = 0; i < m->n; i++) {
		const struct run *s = &m->runs[i];
		uint64_t lo = s->from > r->to ? s->from : r->to;
		uint64_t hi = s->from + s->n < end ? s->from + s->n : end;

		if (lo >= hi)
			continue;
		add_run(to, (struct run){ .from = r->from + (lo - r->to),
					  .n = hi - lo,
					  .to = s->to + (lo - s->from),
					  .shard = s->shard });
	}
}

static void follow_map(struct map *old, const struct map *m)
{
	struct map to = { .shard = old->shard,
			  .n_entries = old->n_entries,
			  .is_new = true };
	bool has_any = false;

	for (size_t i = 0; i < old->n && !has_any; i++)
		has_any = old->runs[i].shard == m->shard;
	if (!has_any)
		return;
	for (size_t i = 0; i < old->n; i++) {
		if (old->runs[i].shard == m->shard)
			follow_run(&to, &old->runs[i], m);
		else
			add_run(&to, old->runs[i]);
	}
	free(old->runs);
	*old = to;
}

/* Called with the lock held. */
static void keep(struct volume_old *old, struct map *m)
{
	uint64_t n = m->n;

	for (size_t i = 0; i < old->n_maps; i++) {
		follow_map(old->maps[i], m);
		n += old->maps[i]->n;
	}
	old->maps = mem_grow(old->maps, &old->cap_maps, old->n_maps + 1,
			     sizeof(*old->maps));
	old->maps[old->n_maps++] = m;
	while (n > RUNS_MAX && old->n_maps) {
		n -= old->maps[0]->n;
		map_free(old->maps[0]);
		memmove(old->maps, old->maps + 1,
			--old->n_maps * sizeof(*old->maps));
	}
}

static bool next_todo(struct volume_old *old, uint32_t *ret)
{
	LOCK_SCOPE(&old->lock);

	if (!old->n_todo)
		return false;
	*ret = old->todo[0];
	return true;
}

/* The first is done. */
static void end_todo(struct volume_old *old, struct map *m)
{
	LOCK_SCOPE(&old->lock);

	memmove(old->todo, old->todo + 1, --old->n_todo * sizeof(*old->todo));
	if (m)
		keep(old, m);
}

enum rc volume_settle(struct volume *v, struct err *err)
{
	CLEANUP_VIEW struct view *view = volume_view(v);
	enum rc worst = RC_OK;
	uint32_t shard;

	while (next_todo(v->old, &shard)) {
		struct map *m = NULL;
		struct err one;
		enum rc rc = learn(v, view, shard, &m, &one);

		if (rc && !worst) {
			worst = rc;
			*err = one;
		}
		if (rc_is_transient(rc)) {
			*err = one;
			worst = rc;
			break;
		}
		end_todo(v->old, m);
		volume_forget_shard(v, shard);
	}
	volume_forget_blocks(v, &v->old->unread);
	return worst;
}

bool volume_is_settled(struct volume *v)
{
	LOCK_SCOPE(&v->old->lock);

	return !v->old->n_todo;
}

void volume_let_go(struct volume *v)
{
	LOCK_SCOPE(&v->old->lock);

	for (size_t i = 0; i < v->old->n_maps; i++) {
		const struct shard_file *sf =
			shard_set_get(v->set, v->old->maps[i]->shard);

		store_let_go(v->st, sf->meta.key);
	}
}

/* --- what is no more -------------------------------------------------------
 */

struct range {
	struct volume_node node;
	uint64_t n;
};

struct ranges {
	struct range *r;
	size_t n, cap;
};

static void add_unmapped(const struct map *m, struct ranges *to)
{
	struct volume_node node = { .shard = m->shard };

	for (size_t i = 0; i <= m->n; i++) {
		uint64_t end = i < m->n ? m->runs[i].from : m->n_entries;

		if (end > node.ordinal) {
			to->r = mem_grow(to->r, &to->cap, to->n + 1,
					 sizeof(*to->r));
			to->r[to->n++] =
				(struct range){ node, end - node.ordinal };
		}
		if (i < m->n)
			node.ordinal = m->runs[i].from + m->runs[i].n;
	}
}

void volume_lost(struct volume *v, volume_nodes_fn *fn, void *arg)
{
	struct volume_old *old = v->old;
	struct ranges all = { 0 };

	pthread_mutex_lock(&old->lock);
	for (size_t i = 0; i < old->n_maps; i++) {
		if (old->maps[i]->is_new)
			add_unmapped(old->maps[i], &all);
		old->maps[i]->is_new = false;
	}
	pthread_mutex_unlock(&old->lock);
	for (size_t i = 0; i < all.n; i++)
		fn(arg, all.r[i].node, all.r[i].n);
	free(all.r);
}
