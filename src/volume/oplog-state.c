/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-state.c - what the records of a log mean together. */
#include "config.h"

#include "volume/oplog-state.h"

#include <stdlib.h>
#include <string.h>

#include "base/key.h"
#include "base/mem.h"
#include "volume/oplog-words.h"

#define MIN_BUCKETS 64u

/* All that is said of one shard's key. */
struct entry {
	const char *key;
	const uint8_t *root;
	const struct shard_meta *meta; /* a whole one, if there is any */
	const struct oplog_record *replaced;
	const struct oplog_record
		*lost; /* the first invalid one that adds it */
	bool is_named; /* by a record that counts */
	bool is_added; /* likewise, and its names are still there */
};

struct oplog_state {
	const struct oplog_record **records; /* by name */
	size_t n_records;
	struct entry *entries;
	size_t n_entries, cap;
	uint32_t *buckets;    /* entries + 1 in open addressing */
	size_t n_buckets;     /* a power of two, more than twice n_entries */
	const char **invalid; /* names of repack records, in order */
	size_t n_invalid, invalid_cap;
	const struct shard_meta **counting;
	size_t n_counting;
	struct oplog_old *old;
	size_t n_old;
	struct oplog_words words;
	const char *conflict; /* the first key with one; NULL: none */
};

static int by_name(const void *a, const void *b)
{
	const struct oplog_record *const *x = a;
	const struct oplog_record *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* What mostly is in order. */
static void sort(void *p, size_t n, size_t size,
		 int (*compare)(const void *, const void *))
{
	const uint8_t *at = p;
	size_t i = 1;

	while (i < n && compare(at + (i - 1) * size, at + i * size) <= 0)
		i++;
	if (i < n)
		qsort(p, n, size, compare);
}

/* The bucket of a key, or the empty one where it belongs. */
static uint32_t *find_bucket(const struct oplog_state *s, const char *key)
{
	size_t mask = s->n_buckets - 1;

	for (size_t i = key_hash(key) & mask;; i = (i + 1) & mask) {
		uint32_t *b = &s->buckets[i];

		if (!*b || !strcmp(s->entries[*b - 1].key, key))
			return b;
	}
}

static const struct entry *find(const struct oplog_state *s, const char *key)
{
	uint32_t i = *find_bucket(s, key);

	return i ? &s->entries[i - 1] : NULL;
}

/* Room for as many keys as the records can have. */
static void make_room(struct oplog_state *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_records; i++)
		n += s->records[i]->n_shards + s->records[i]->n_replaces;
	s->n_buckets = MIN_BUCKETS;
	while (s->n_buckets / 2 <= n)
		s->n_buckets *= 2;
	s->buckets = xcalloc(s->n_buckets, sizeof(*s->buckets));
}

/* The entry of a key, made if there is none. */
static struct entry *entry_of(struct oplog_state *s, const char *key,
			      const uint8_t *root)
{
	uint32_t *bucket = find_bucket(s, key);
	struct entry *e;

	if (*bucket) {
		e = &s->entries[*bucket - 1];
		if (!s->conflict && memcmp(e->root, root, SHARD_ROOT_LEN) != 0)
			s->conflict = e->key;
		return e;
	}
	s->entries = mem_grow(s->entries, &s->cap, s->n_entries + 1,
			      sizeof(*s->entries));
	e = &s->entries[s->n_entries++];
	*e = (struct entry){ .key = key, .root = root };
	*bucket = (uint32_t)s->n_entries;
	return e;
}

/* lost: the invalid record it is of; NULL: a record that counts. */
static void add_shards(struct oplog_state *s, const struct oplog_record *r,
		       const struct oplog_record *lost)
{
	for (size_t i = 0; i < r->n_shards; i++) {
		const struct shard_meta *m = &r->shards[i];
		struct entry *e = entry_of(s, m->key, m->root);

		if (!s->conflict && e->meta && e->meta->size != m->size)
			s->conflict = e->key;
		if (!e->meta || e->meta->is_purged)
			e->meta = m;
		if (lost && !e->lost)
			e->lost = lost;
		if (!lost) {
			e->is_named = true;
			e->is_added |= !m->is_purged;
		}
	}
}

/* All it replaces counts at that place, or is not known yet.  What only lost
 * records add does not count: what was made of it would be there twice.
 */
static bool is_first(const struct oplog_state *s, const struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_replaces; i++) {
		const struct entry *e = find(s, r->replaces[i].key);

		if (e && (e->replaced || (e->lost && !e->is_named)))
			return false;
	}
	return true;
}

static void add_repack(struct oplog_state *s, const struct oplog_record *r)
{
	bool is_valid = is_first(s, r);

	for (size_t i = 0; is_valid && i < r->n_replaces; i++)
		entry_of(s, r->replaces[i].key, r->replaces[i].root)->replaced =
			r;
	add_shards(s, r, is_valid ? NULL : r);
	if (is_valid)
		return;
	s->invalid = mem_grow(s->invalid, &s->invalid_cap, s->n_invalid + 1,
			      sizeof(*s->invalid));
	s->invalid[s->n_invalid++] = r->name;
}

static int by_meta_key(const void *a, const void *b)
{
	const struct shard_meta *const *x = a;
	const struct shard_meta *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static int by_old_key(const void *a, const void *b)
{
	const struct oplog_old *x = a;
	const struct oplog_old *y = b;

	return strcmp(x->key, y->key);
}

static bool is_counting(const struct entry *e)
{
	return e->is_added && !e->replaced;
}

static void divide(struct oplog_state *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_entries; i++)
		n += is_counting(&s->entries[i]);
	s->counting = xcalloc(n + 1, sizeof(*s->counting));
	s->old = xcalloc(s->n_entries - n + 1, sizeof(*s->old));
	for (size_t i = 0; i < s->n_entries; i++) {
		const struct entry *e = &s->entries[i];

		if (is_counting(e))
			s->counting[s->n_counting++] = e->meta;
		else if (e->replaced || e->lost)
			s->old[s->n_old++] = (struct oplog_old){
				.key = e->key,
				.root = e->root,
				.meta = e->meta,
				.record = e->replaced ? e->replaced : e->lost,
				.is_garbage = !e->replaced,
				.is_purged = e->meta && e->meta->is_purged,
			};
	}
	sort(s->counting, s->n_counting, sizeof(*s->counting), by_meta_key);
	sort(s->old, s->n_old, sizeof(*s->old), by_old_key);
}

struct oplog_state *oplog_state_new(const struct oplog_record *const *records,
				    size_t n)
{
	struct oplog_state *s = xcalloc(1, sizeof(*s));

	s->records = xcalloc(n + 1, sizeof(*s->records));
	s->n_records = n;
	for (size_t i = 0; i < n; i++)
		s->records[i] = records[i];
	sort(s->records, n, sizeof(*s->records), by_name);
	make_room(s);
	for (size_t i = 0; i < n; i++) {
		if (s->records[i]->kind != OPLOG_REPACK)
			add_shards(s, s->records[i], NULL);
	}
	for (size_t i = 0; i < n; i++) {
		if (s->records[i]->kind == OPLOG_REPACK)
			add_repack(s, s->records[i]);
	}
	divide(s);
	oplog_words_init(&s->words, s->records, n);
	return s;
}

void oplog_state_free(struct oplog_state *s)
{
	if (!s)
		return;
	oplog_words_release(&s->words);
	free(s->records);
	free(s->entries);
	free(s->buckets);
	free(s->invalid);
	free(s->counting);
	free(s->old);
	free(s);
}

enum rc oplog_state_check(const struct oplog_state *s, struct err *err)
{
	if (s->conflict)
		return err_set(err, RC_CORRUPT,
			       "%s: two log records differ in its size or root",
			       s->conflict);
	if (s->words.conflict)
		return err_set(err, RC_CORRUPT,
			       "%s: two log records differ in its hash",
			       s->words.conflict);
	return RC_OK;
}

size_t oplog_state_n_counting(const struct oplog_state *s)
{
	return s->n_counting;
}

const struct shard_meta *oplog_state_counting(const struct oplog_state *s,
					      size_t i)
{
	return s->counting[i];
}

const struct shard_meta *oplog_state_find(const struct oplog_state *s,
					  const char *key)
{
	const struct entry *e = find(s, key);

	return e && is_counting(e) ? e->meta : NULL;
}

const struct oplog_record *oplog_state_replaced_by(const struct oplog_state *s,
						   const char *key)
{
	const struct entry *e = find(s, key);

	return e ? e->replaced : NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool oplog_state_is_valid(const struct oplog_state *s, const char *name)
{
	const struct oplog_record like = { .name = (char *)(uintptr_t)name };
	const struct oplog_record *key = &like, *const *r = NULL;

	if (s->n_records)
		r = bsearch(&key, s->records, s->n_records, sizeof(*s->records),
			    by_name);
	return r && (*r)->kind == OPLOG_REPACK &&
	       !(s->n_invalid && bsearch(&name, s->invalid, s->n_invalid,
					 sizeof(*s->invalid), by_text));
}

size_t oplog_state_n_old(const struct oplog_state *s)
{
	return s->n_old;
}

const struct oplog_old *oplog_state_old(const struct oplog_state *s, size_t i)
{
	return &s->old[i];
}

const struct oplog_words *oplog_state_words(const struct oplog_state *s)
{
	return &s->words;
}

bool oplog_state_knows(const struct oplog_state *s, const char *key)
{
	return find(s, key);
}
