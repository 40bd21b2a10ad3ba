/* SPDX-License-Identifier: Apache-2.0 */
/* verify-twice.c - files that two runs have packed at once. */
#include "config.h"

#include "verify/verify-twice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/stop.h"
#include "erase/tombstone-set.h"
#include "shard/shard-record.h"
#include "verify/index-walk.h"

/* One shard, read in the order of its entries. */
struct source {
	const struct shard_meta *meta;
	const struct tombstone_set *deleted;
	struct raw_shard shard;
	struct index_walk walk;
	struct index_leaf leaf;
	uint32_t next;      /* entry of the leaf */
	struct entry entry; /* borrowed from the leaf */
	bool has_entry;
	uint64_t n_twice;
	char *first; /* uid of the first of them */
};

/* To the next entry that is no directory, as those are in all shards that need
 * them, and not deleted.
 */
static void advance(struct source *s)
{
	struct err ignored;
	enum rc rc;

	for (;;) {
		while (s->leaf.page && s->next < page_count(s->leaf.page)) {
			page_entry(s->leaf.page, s->next++, &s->entry);
			s->has_entry =
				s->entry.type != ENTRY_DIR &&
				!tombstone_set_hides(
					s->deleted, s->entry.parent,
					s->entry.name, s->entry.created_at);
			if (s->has_entry)
				return;
		}
		s->has_entry = false;
		s->next = 0;
		rc = index_walk_next(&s->walk, &s->leaf, &ignored);
		if (rc == RC_NOENT)
			return;
		if (rc)
			s->leaf.page = NULL;
	}
}

static void open_source(struct source *s, struct store *st,
			const struct shard_meta *m,
			const struct tombstone_set *deleted)
{
	struct err ignored;

	*s = (struct source){ .meta = m, .deleted = deleted };
	if (raw_shard_open(&s->shard, st, m->key, &ignored))
		return;
	index_walk_init(&s->walk, &s->shard);
	advance(s);
}

/* The one whose entry comes first, of all but one (NULL: of all). */
static struct source *least(struct source *all, size_t n,
			    const struct source *but)
{
	struct source *ret = NULL;

	for (size_t i = 0; i < n; i++) {
		struct source *s = &all[i];

		if (s != but && s->has_entry &&
		    (!ret || entry_compare(&s->entry, &ret->entry) < 0))
			ret = s;
	}
	return ret;
}

static bool is_same(const struct entry *a, const struct entry *b)
{
	CLEANUP_BUF struct buf x = { .max = 4u << 20 }, y = { .max = 4u << 20 };
	struct entry other = *b;

	if (a->created_at == b->created_at)
		return true;
	other.created_at = a->created_at;
	record_encode_logical(a, &x);
	record_encode_logical(&other, &y);
	return buf_ok(&x) && buf_ok(&y) && x.len == y.len &&
	       !memcmp(x.p, y.p, x.len);
}

static void count(struct source *s)
{
	const struct entry *e = &s->entry;

	if (s->n_twice++)
		return;
	s->first = xcalloc(1, entry_uid_len(e->parent, e->name) + 1);
	entry_uid(e->parent, e->name, s->first);
}

static void merge(struct source *all, size_t n)
{
	struct source *s;

	while (!stop_requested() && (s = least(all, n, NULL))) {
		const struct source *other = least(all, n, s);

		if (!other)
			return;
		if (!entry_key_compare(s->entry.parent, s->entry.name,
				       other->entry.parent,
				       other->entry.name) &&
		    is_same(&s->entry, &other->entry))
			count(s);
		advance(s);
	}
}

static void tell(struct source *s, verify_twice_fn *fn, void *arg)
{
	struct verify_report report = { .key = s->meta->key };

	if (s->n_twice) {
		verify_note(&report,
			    "duplicates: %" PRIu64 " of its entries were "
			    "packed by another run at the same time, the "
			    "first is '%.200s'",
			    s->n_twice, s->first);
		fn(arg, &report);
	}
	free(s->first);
	index_walk_release(&s->walk);
}

static bool is_of_group(const struct shard_meta *a, const struct shard_meta *b)
{
	return a->day == b->day && a->slot == b->slot;
}

/* The parts of one run are numbered and have nothing in common. */
static bool has_two_runs(const struct shard_meta *const *metas, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (metas[i]->part == metas[i - 1]->part)
			return true;
	}
	return false;
}

void verify_twice(struct store *st, const struct shard_meta *const *metas,
		  size_t n, const struct tombstone_set *deleted,
		  verify_twice_fn *fn, void *arg)
{
	size_t len;

	for (size_t at = 0; at < n && !stop_requested(); at += len) {
		struct source *all;

		len = 1;
		while (at + len < n && is_of_group(metas[at], metas[at + len]))
			len++;
		if (!has_two_runs(metas + at, len))
			continue;
		all = xcalloc(len, sizeof(*all));
		for (size_t i = 0; i < len; i++)
			open_source(&all[i], st, metas[at + i], deleted);
		merge(all, len);
		for (size_t i = 0; i < len; i++)
			tell(&all[i], fn, arg);
		free(all);
	}
}
