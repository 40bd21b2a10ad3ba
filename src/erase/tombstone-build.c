/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-build.c - makes a set of tombstones from documents, one by one.
 *
 * Of each erasure no more is kept than the set will have, in the array that
 * becomes the set's: a million of them fit where values of JSON would not.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "erase/tombstone-set-backend.h"
#include "erase/tombstone.h"

#define ERASURES_MAX (1u << 31)
#define CHUNK ((size_t)64 << 10) /* bytes of names */
#define SHARED_MAX 16u           /* sets that share names */

/* --- names ---------------------------------------------------------------- */

struct chunk {
	struct chunk *before;
	size_t used, size;
	char bytes[];
};

struct tombstone_names {
	atomic_uint refs;
	struct tombstone_names *before; /* of the set before; or NULL */
	unsigned int n_before;
	struct chunk *chunks;
};

static struct tombstone_names *names_new(struct tombstone_names *before)
{
	struct tombstone_names *n = xcalloc(1, sizeof(*n));

	atomic_init(&n->refs, 1);
	if (before) {
		atomic_fetch_add_explicit(&before->refs, 1,
					  memory_order_relaxed);
		n->before = before;
		n->n_before = before->n_before + 1;
	}
	return n;
}

void tombstone_names_unref(struct tombstone_names *n)
{
	while (n && atomic_fetch_sub_explicit(&n->refs, 1,
					      memory_order_acq_rel) == 1) {
		struct tombstone_names *before = n->before;

		while (n->chunks) {
			struct chunk *c = n->chunks;

			n->chunks = c->before;
			free(c);
		}
		free(n);
		n = before;
	}
}

size_t tombstone_names_memory(const struct tombstone_names *n)
{
	size_t sum = 0;

	for (; n; n = n->before) {
		sum += sizeof(*n);
		for (const struct chunk *c = n->chunks; c; c = c->before)
			sum += sizeof(*c) + c->size;
	}
	return sum;
}

/* Room for len bytes that names_add will take. */
static bool names_reserve(struct tombstone_names *n, size_t len)
{
	size_t size = n->chunks && len < CHUNK ? CHUNK : len;
	struct chunk *c = n->chunks;

	if (!len || (c && c->size - c->used >= len))
		return true;
	c = mem_array(sizeof(*c) + size, 1);
	if (!c)
		return false;
	c->before = n->chunks;
	c->used = 0;
	c->size = size;
	n->chunks = c;
	return true;
}

static const char *names_add(struct tombstone_names *n, const void *p,
			     size_t len)
{
	struct chunk *c = n->chunks;
	char *to;

	if (!c)
		return ""; /* none was asked for */
	to = c->bytes + c->used;
	memcpy(to, p, len);
	c->used += len;
	return to;
}

/* --- what is said --------------------------------------------------------- */

/* Until it is folded, a tomb is one erasure: n_times says whether until is the
 * only time.
 */
struct tombstone_build {
	struct tombstone_set *old;
	struct tombstone_names *names;
	struct tomb *said;
	size_t n, cap;
};

struct tombstone_build *tombstone_build_new(const struct tombstone_set *old)
{
	struct tombstone_build *b = xcalloc(1, sizeof(*b));

	/* It is counted, not changed. */
	b->old = tombstone_set_ref((struct tombstone_set *)(uintptr_t)old);
	b->names = names_new(
		old && old->names->n_before < SHARED_MAX ? old->names : NULL);
	return b;
}

void tombstone_build_free(struct tombstone_build *b)
{
	if (!b)
		return;
	tombstone_set_unref(b->old);
	tombstone_names_unref(b->names);
	free(b->said);
	free(b);
}

static void say(struct tombstone_build *b, const struct erasure *e)
{
	struct span parent, name;

	entry_split_uid(span_of(e->uid, e->uid_len), &parent, &name);
	b->said[b->n++] = (struct tomb){
		.uid = names_add(b->names, e->uid, e->uid_len),
		.uid_len = (uint32_t)e->uid_len,
		.parent_len = (uint32_t)parent.len,
		.n_times = e->range == ERASURE_ONE,
		.until = e->time,
	};
}

enum rc tombstone_build_add(struct tombstone_build *b,
			    const struct tombstone *doc, struct err *err)
{
	size_t old = b->old ? b->old->n + b->old->n_times : 0;
	size_t len = 0;

	if (b->n + old + doc->n > ERASURES_MAX)
		return err_set(err, RC_LIMIT, "over %u erasures at once",
			       ERASURES_MAX);
	for (size_t i = 0; i < doc->n; i++)
		len += doc->erasures[i].uid_len;
	if (!names_reserve(b->names, len))
		return err_set(err, RC_NOMEM, "no memory for %zu erasures",
			       doc->n);
	b->said = mem_grow(b->said, &b->cap, b->n + doc->n, sizeof(*b->said));
	for (size_t i = 0; i < doc->n; i++)
		say(b, &doc->erasures[i]);
	return RC_OK;
}

static int by_key(const struct tomb *a, const struct tomb *b)
{
	struct span a_parent, a_name, b_parent, b_name;

	tomb_split(a, &a_parent, &a_name);
	tomb_split(b, &b_parent, &b_name);
	return entry_key_compare(a_parent, a_name, b_parent, b_name);
}

static int by_key_and_time(const void *a, const void *b)
{
	const struct tomb *x = a, *y = b;
	int c = by_key(x, y);

	if (c)
		return c;
	/* Of one uid: all untils, then the times. */
	if (x->n_times != y->n_times)
		return x->n_times ? 1 : -1;
	return (x->until > y->until) - (x->until < y->until);
}

/* --- the set -------------------------------------------------------------- */

/* Two ways to say times of one uid, both ascending. */
struct merge {
	const struct tombstone_build *b;
	struct tombstone_set *s;
	size_t i, j; /* the next of the old set and of what is said */
};

/* A time is said already, by an until or by the one before it. */
static bool is_needless(const struct tombstone_set *s, const struct tomb *t,
			int64_t time)
{
	return time <= t->until ||
	       (t->n_times && s->times[s->n_times - 1] == time);
}

static void add_time(struct tombstone_set *s, struct tomb *t, int64_t time)
{
	if (is_needless(s, t, time))
		return;
	s->times[s->n_times++] = time;
	t->n_times++;
}

/* The times of an old tomb, which may be NULL, and those said from j up to end.
 */
static void add_times(struct merge *m, struct tomb *t, const struct tomb *old,
		      size_t j, size_t end)
{
	const struct tomb *said = m->b->said;
	size_t i = 0, n = old ? old->n_times : 0;

	while (i < n || j < end) {
		const int64_t *of_old =
			i < n ? &m->b->old->times[old->first_time + i] : NULL;

		if (of_old && (j == end || *of_old <= said[j].until)) {
			add_time(m->s, t, *of_old);
			i++;
		} else {
			add_time(m->s, t, said[j++].until);
		}
	}
}

/* All of the next uid.  Where there is no old set, s->tombs is what is said,
 * and is written to no further than it was read.
 */
static void merge_next(struct merge *m)
{
	const struct tombstone_build *b = m->b;
	size_t n_old = b->old ? b->old->n : 0;
	const struct tomb *old = m->i < n_old ? &b->old->tombs[m->i] : NULL;
	const struct tomb *new = m->j < b->n ? &b->said[m->j] : NULL;
	int c = old && new ? by_key(old, new) : 0;
	size_t end = m->j;
	struct tomb t;

	if (c > 0)
		old = NULL;
	if (c < 0)
		new = NULL;
	if (!old && !new)
		return;
	t = old ? *old : *new;
	t.until = old ? old->until : TOMBSTONE_NONE;
	t.first_time = (uint32_t)m->s->n_times;
	t.n_times = 0;
	while (new &&end < b->n && !by_key(new, &b->said[end]))
		end++;
	for (; m->j < end && !b->said[m->j].n_times; m->j++) {
		if (b->said[m->j].until > t.until)
			t.until = b->said[m->j].until;
	}
	add_times(m, &t, old, m->j, end);
	if (old)
		m->i++;
	m->j = end;
	m->s->tombs[m->s->n++] = t;
}

static enum rc reserve(struct tombstone_build *b, struct tombstone_set *s,
		       struct err *err)
{
	size_t n_times = b->old ? b->old->n_times : 0;

	for (size_t i = 0; i < b->n; i++)
		n_times += b->said[i].n_times;
	s->times = mem_array(n_times, sizeof(*s->times));
	if (s->times)
		s->tombs =
			b->old ? mem_array(b->old->n + b->n, sizeof(*s->tombs))
			       : b->said;
	if (!s->tombs)
		return err_set(err, RC_NOMEM, "no memory for %zu erasures",
			       b->n);
	return RC_OK;
}

/* Give back what was there for uids that are said twice. */
static void trim(struct tombstone_set *s)
{
	void *p = realloc(s->tombs, s->n * sizeof(*s->tombs));

	if (p)
		s->tombs = p;
	p = s->n_times ? realloc(s->times, s->n_times * sizeof(*s->times))
		       : NULL;
	if (p)
		s->times = p;
}

/* After SHARED_MAX sets the names that are in use are copied. */
static enum rc copy_names(const struct tombstone_build *b,
			  struct tombstone_set *s, struct err *err)
{
	struct tombstone_names *names;
	size_t len = 0;

	if (!b->old || s->names->before)
		return RC_OK;
	for (size_t i = 0; i < s->n; i++)
		len += s->tombs[i].uid_len;
	names = names_new(NULL);
	if (!names_reserve(names, len)) {
		tombstone_names_unref(names);
		return err_set(err, RC_NOMEM, "no memory for %zu erasures",
			       s->n);
	}
	for (size_t i = 0; i < s->n; i++)
		s->tombs[i].uid =
			names_add(names, s->tombs[i].uid, s->tombs[i].uid_len);
	tombstone_names_unref(s->names);
	s->names = names;
	return RC_OK;
}

static enum rc make(struct tombstone_build *b, struct tombstone_set *s,
		    struct err *err)
{
	struct merge m = { .b = b, .s = s };

	if (reserve(b, s, err))
		return err->rc;
	qsort(b->said, b->n, sizeof(*b->said), by_key_and_time);
	while (m.j < b->n || (b->old && m.i < b->old->n))
		merge_next(&m);
	trim(s);
	/* What was said may be the set's own now. */
	if (!b->old)
		b->said = NULL;
	if (copy_names(b, s, err))
		return err->rc;
	return tombstone_set_index(s, err);
}

enum rc tombstone_build_end(struct tombstone_build *b,
			    struct tombstone_set **ret, struct err *err)
{
	struct tombstone_set *s;

	*ret = NULL;
	if (!b->n) {
		*ret = tombstone_set_ref(b->old);
		return RC_OK;
	}
	s = xcalloc(1, sizeof(*s));
	atomic_init(&s->refs, 1);
	s->names = b->names;
	b->names = NULL;
	if (make(b, s, err)) {
		tombstone_set_unref(s);
		return err->rc;
	}
	*ret = s;
	return RC_OK;
}

enum rc tombstone_set_new(struct tombstone_set **ret,
			  const struct tombstone_set *old,
			  const struct tombstone *const *docs, size_t n,
			  struct err *err)
{
	struct tombstone_build *b = tombstone_build_new(old);
	enum rc rc = RC_OK;

	for (size_t i = 0; !rc && i < n; i++)
		rc = tombstone_build_add(b, docs[i], err);
	if (!rc)
		rc = tombstone_build_end(b, ret, err);
	tombstone_build_free(b);
	return rc;
}
