/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-set.c - which versions of which uids are deleted.
 *
 * uids lie in one array in the order of a shard's index; a table of open
 * addressing has their places.  Its hash has a secret: uids are chosen by
 * whoever makes files, and by who asks to delete them.
 */
#include "config.h"

#include "erase/tombstone-set.h"

#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"
#include "base/unique.h"
#include "erase/tombstone-set-backend.h"

#define TABLE_MIN 4u

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

void tomb_split(const struct tomb *t, struct span *ret_parent,
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

/* The bit of a name: names that differ mostly do so at their end.  Who makes
 * them alike makes them cost a hash.
 */
static size_t end_of(const struct tombstone_set *s, struct span name)
{
	uint64_t end = 0;

	if (name.len >= sizeof(end))
		memcpy(&end, name.p + name.len - sizeof(end), sizeof(end));
	for (size_t i = 0; name.len < sizeof(end) && i < name.len; i++)
		end = end << 8 | (uint8_t)name.p[i];
	end = (end + name.len) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(end >> 32) & (TOMB_END_BITS * s->cap - 1);
}

static bool has_end(const struct tombstone_set *s, struct span name)
{
	size_t bit = end_of(s, name);

	return s->ends[bit / 64] >> bit % 64 & 1;
}

static void add_end(struct tombstone_set *s, struct span name)
{
	size_t bit = end_of(s, name);

	s->ends[bit / 64] |= UINT64_C(1) << bit % 64;
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
		add_end(s, name);
	}
}

enum rc tombstone_set_index(struct tombstone_set *s, struct err *err)
{
	if (unique_bytes(s->key, sizeof(s->key), err))
		return err->rc;
	for (s->cap = TABLE_MIN; 3 * s->cap < 4 * s->n;)
		s->cap *= 2;
	s->table = calloc(s->cap, sizeof(*s->table));
	s->ends = calloc(s->cap, TOMB_END_BITS / 8);
	if (!s->table || !s->ends)
		return err_set(err, RC_NOMEM, "no memory for %zu erasures",
			       s->n);
	fill_table(s);
	return RC_OK;
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
	tombstone_names_unref(s->names);
	free(s->table);
	free(s->ends);
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
	uint32_t at;

	if (!s || !has_end(s, name))
		return false;
	at = (uint32_t)*place(s, parent, name, &tag);
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
	       s->n_times * sizeof(*s->times) +
	       tombstone_names_memory(s->names) +
	       s->cap * (sizeof(*s->table) + TOMB_END_BITS / 8);
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
