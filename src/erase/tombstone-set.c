/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-set.c - which versions of which uids are deleted.
 *
 * uids lie in one array in the order of a shard's index; a table of open
 * addressing has their places.  Its hash has a secret: uids are chosen by
 * whoever makes files, and by who asks to delete them.
 */
#include "config.h"

#include "erase/tombstone-set.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "base/unique.h"
#include "erase/tombstone.h"

#define ERASURES_MAX (1u << 31)
#define TABLE_MIN 4u

struct tomb {
	const char *uid;
	uint32_t uid_len, parent_len;
	uint32_t first_time, n_times;
	int64_t until;
};

struct tombstone_set {
	atomic_uint refs;
	uint8_t key[SIPHASH_KEY_LEN];
	struct tomb *tombs;
	size_t n;
	/* Upper half of the hash, number of a tomb and 1; 0: free.  So who is
	 * not there is seen without a look at tombs.
	 */
	uint64_t *table;
	size_t cap; /* of the table, a power of two */
	int64_t *times;
	size_t n_times;
	char *names;
	size_t names_len;
};

/* One thing that is said, borrowed. */
struct said {
	struct span parent, name, uid;
	enum erasure_range range;
	int64_t time;
};

static int by_uid(const void *a, const void *b)
{
	const struct said *x = a, *y = b;
	int c = entry_key_compare(x->parent, x->name, y->parent, y->name);

	if (c)
		return c;
	/* Of one uid: all untils, then the times. */
	if (x->range != y->range)
		return x->range == ERASURE_UNTIL ? -1 : 1;
	return (x->time > y->time) - (x->time < y->time);
}

static struct said *say(struct said *to, struct span uid,
			enum erasure_range range, int64_t time)
{
	*to = (struct said){ .uid = uid, .range = range, .time = time };
	entry_split_uid(uid, &to->parent, &to->name);
	return to + 1;
}

static struct said *say_tomb(struct said *to, const struct tombstone_set *s,
			     const struct tomb *t)
{
	struct span uid = span_of(t->uid, t->uid_len);

	if (t->until != TOMBSTONE_NONE)
		to = say(to, uid, ERASURE_UNTIL, t->until);
	for (size_t i = 0; i < t->n_times; i++)
		to = say(to, uid, ERASURE_ONE, s->times[t->first_time + i]);
	return to;
}

/* All that old and the documents say, sorted, to be freed. */
static enum rc collect(const struct tombstone_set *old,
		       const struct tombstone *const *docs, size_t n,
		       struct said **ret, size_t *ret_n, struct err *err)
{
	size_t want = old ? old->n + old->n_times : 0;
	struct said *said, *to;

	for (size_t i = 0; i < n; i++) {
		want += docs[i]->n;
		if (want > ERASURES_MAX)
			return err_set(err, RC_LIMIT,
				       "over %u erasures at once",
				       ERASURES_MAX);
	}
	said = mem_array(want, sizeof(*said));
	if (!said)
		return err_set(err, RC_NOMEM, "no memory for %zu erasures",
			       want);
	to = said;
	for (size_t i = 0; old && i < old->n; i++)
		to = say_tomb(to, old, &old->tombs[i]);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < docs[i]->n; k++) {
			const struct erasure *e = &docs[i]->erasures[k];

			to = say(to, span_of(e->uid, e->uid_len), e->range,
				 e->time);
		}
	}
	*ret_n = (size_t)(to - said);
	qsort(said, *ret_n, sizeof(*said), by_uid);
	*ret = said;
	return RC_OK;
}

static bool is_same_uid(const struct said *a, const struct said *b)
{
	return span_equal(a->uid, b->uid);
}

/* Whether a time is said already, by an until or by the one before it. */
static bool is_needless(const struct tombstone_set *s, const struct tomb *t,
			int64_t time)
{
	return time <= t->until ||
	       (t->n_times && s->times[s->n_times - 1] == time);
}

/* Take over what is said of the uid that t was begun with. */
static void fold(struct tombstone_set *s, struct tomb *t, const struct said *x)
{
	if (x->range == ERASURE_UNTIL) {
		t->until = x->time; /* the latest comes last */
	} else if (!is_needless(s, t, x->time)) {
		s->times[s->n_times++] = x->time;
		t->n_times++;
	}
}

static uint64_t hash_of(const struct tombstone_set *s, struct span parent,
			struct span name)
{
	struct siphash sip;

	siphash_init(&sip, s->key);
	siphash_update(&sip, parent.p, parent.len);
	siphash_update(&sip, "/", 1);
	siphash_update(&sip, name.p, name.len);
	return siphash_final(&sip);
}

static void tomb_split(const struct tomb *t, struct span *ret_parent,
		       struct span *ret_name)
{
	size_t skip = t->parent_len ? t->parent_len + 1 : 0;

	*ret_parent = span_of(t->uid, t->parent_len);
	*ret_name = span_of(t->uid + skip, t->uid_len - skip);
}

static bool is_uid(const struct tomb *t, struct span parent, struct span name)
{
	struct span p, n;

	tomb_split(t, &p, &n);
	return span_equal(n, name) && span_equal(p, parent);
}

/* The place of the uid in the table, or where it would go; *ret_tag is what it
 * has besides its number.
 */
static uint64_t *place(const struct tombstone_set *s, struct span parent,
		       struct span name, uint64_t *ret_tag)
{
	uint64_t hash = hash_of(s, parent, name);
	uint64_t tag = hash & ~(uint64_t)UINT32_MAX;
	size_t mask = s->cap - 1;
	size_t i = (size_t)hash & mask;

	for (; s->table[i]; i = (i + 1) & mask) {
		uint32_t at = (uint32_t)s->table[i];

		if ((s->table[i] ^ tag) == at &&
		    is_uid(&s->tombs[at - 1], parent, name))
			break;
	}
	*ret_tag = tag;
	return &s->table[i];
}

/* At most three quarters of the table are used. */
static void fill_table(struct tombstone_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct span parent, name;
		uint64_t tag, *to;

		tomb_split(&s->tombs[i], &parent, &name);
		to = place(s, parent, name, &tag);
		*to = tag | (i + 1);
	}
}

static enum rc reserve(struct tombstone_set *s, const struct said *said,
		       size_t n, struct err *err)
{
	size_t n_times = 0, n_uids = 0, names_len = 0;

	for (size_t i = 0; i < n; i++) {
		n_times += said[i].range == ERASURE_ONE;
		if (i && is_same_uid(&said[i - 1], &said[i]))
			continue;
		n_uids++;
		names_len += said[i].uid.len;
	}
	for (s->cap = TABLE_MIN; 3 * s->cap < 4 * n_uids;)
		s->cap *= 2;
	s->tombs = mem_array(n_uids, sizeof(*s->tombs));
	s->times = mem_array(n_times, sizeof(*s->times));
	s->names = mem_array(names_len, 1);
	s->table = calloc(s->cap, sizeof(*s->table));
	if (!s->tombs || !s->times || !s->names || !s->table)
		return err_set(err, RC_NOMEM, "no memory for %zu erasures", n);
	return RC_OK;
}

static void fill(struct tombstone_set *s, const struct said *said, size_t n)
{
	struct tomb *t = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!i || !is_same_uid(&said[i - 1], &said[i])) {
			char *to = s->names + s->names_len;

			memcpy(to, said[i].uid.p, said[i].uid.len);
			s->names_len += said[i].uid.len;
			t = &s->tombs[s->n++];
			*t = (struct tomb){
				.uid = to,
				.uid_len = (uint32_t)said[i].uid.len,
				.parent_len = (uint32_t)said[i].parent.len,
				.first_time = (uint32_t)s->n_times,
				.until = TOMBSTONE_NONE,
			};
		}
		fold(s, t, &said[i]);
	}
	fill_table(s);
}

enum rc tombstone_set_new(struct tombstone_set **ret,
			  const struct tombstone_set *old,
			  const struct tombstone *const *docs, size_t n,
			  struct err *err)
{
	CLEANUP_FREE struct said *said = NULL;
	struct tombstone_set *s;
	size_t n_said = 0;

	if (collect(old, docs, n, &said, &n_said, err))
		return err->rc;
	if (!n_said) {
		*ret = NULL;
		return RC_OK;
	}
	s = xcalloc(1, sizeof(*s));
	atomic_init(&s->refs, 1);
	if (!unique_bytes(s->key, sizeof(s->key), err) &&
	    !reserve(s, said, n_said, err)) {
		fill(s, said, n_said);
		*ret = s;
		return RC_OK;
	}
	tombstone_set_unref(s);
	return err->rc;
}

struct tombstone_set *tombstone_set_ref(struct tombstone_set *s)
{
	if (s)
		atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void tombstone_set_unref(struct tombstone_set *s)
{
	if (!s ||
	    atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(s->tombs);
	free(s->times);
	free(s->names);
	free(s->table);
	free(s);
}

static int compare_times(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool hides(const struct tombstone_uid *u, int64_t created_at)
{
	return created_at <= u->until ||
	       (u->n_times && bsearch(&created_at, u->times, u->n_times,
				      sizeof(*u->times), compare_times));
}

size_t tombstone_set_count(const struct tombstone_set *s)
{
	return s ? s->n : 0;
}

void tombstone_set_at(const struct tombstone_set *s, size_t i,
		      struct tombstone_uid *ret)
{
	const struct tomb *t = &s->tombs[i];

	*ret = (struct tombstone_uid){
		.uid = span_of(t->uid, t->uid_len),
		.until = t->until,
		.times = s->times + t->first_time,
		.n_times = t->n_times,
	};
	tomb_split(t, &ret->parent, &ret->name);
}

bool tombstone_set_find(const struct tombstone_set *s, struct span parent,
			struct span name, struct tombstone_uid *ret)
{
	uint64_t tag;
	uint32_t at = s ? (uint32_t)*place(s, parent, name, &tag) : 0;

	if (!at)
		return false;
	tombstone_set_at(s, at - 1, ret);
	return true;
}

bool tombstone_set_finds(const struct tombstone_set *s, struct span parent,
			 struct span name, int64_t created_at)
{
	struct tombstone_uid u;

	return tombstone_set_find(s, parent, name, &u) && hides(&u, created_at);
}

size_t tombstone_set_memory(const struct tombstone_set *s)
{
	if (!s)
		return 0;
	return sizeof(*s) + s->n * sizeof(*s->tombs) +
	       s->n_times * sizeof(*s->times) + s->names_len +
	       s->cap * sizeof(*s->table);
}

static bool hides_more(const struct tombstone_uid *after,
		       const struct tombstone_uid *before)
{
	if (after->until > before->until)
		return true;
	for (size_t i = 0; i < after->n_times; i++) {
		if (!hides(before, after->times[i]))
			return true;
	}
	return false;
}

bool tombstone_diff_next(struct tombstone_diff *d, struct tombstone_uid *ret)
{
	while (d->j < tombstone_set_count(d->after)) {
		struct tombstone_uid before = { .until = TOMBSTONE_NONE };
		int c = 1;

		tombstone_set_at(d->after, d->j++, ret);
		for (; d->i < tombstone_set_count(d->before); d->i++) {
			tombstone_set_at(d->before, d->i, &before);
			c = entry_key_compare(before.parent, before.name,
					      ret->parent, ret->name);
			if (c >= 0)
				break;
		}
		if (c || hides_more(ret, &before))
			return true;
	}
	return false;
}
