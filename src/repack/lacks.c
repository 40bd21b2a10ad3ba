/* SPDX-License-Identifier: Apache-2.0 */
/* lacks.c - what an old revision has and nothing that counts in its place has.
 */
#include "config.h"

#include "repack/lacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/stop.h"
#include "repack/shard-seek.h"
#include "store/store-write.h"
#include "verify/index-walk.h"
#include "verify/raw-ahead.h"

#define INDEX_AHEAD (4u << 20) /* a fourth of it is for the index */
#define OPEN_MAX 32u           /* shards at once */
#define NAME_MAX_SHOWN 100u

/* One that counts, open while the walk is between its first and last key. */
struct heir {
	const struct shard_meta *meta;
	struct shard_seek seek;
	struct raw_ahead *ahead;
	bool is_open;
};

struct search {
	struct store *st;
	const struct oplog_old *old;
	const struct heirs *now;
	const struct tombstone_set *deleted;
	struct heir *heirs;
	size_t n_open;
	bool is_done;       /* the old one of some place was read */
	bool is_damaged;    /* one has no footer that could be read */
	struct err failure; /* of a place, rather of one that may be whole */
};

/* Of one place. */
struct found {
	uint64_t n_seen, n_unread, n_lacking;
	struct buf first; /* of what is lacking: its uid */
};

/* --- what takes the place ------------------------------------------------- */

static void close_heir(struct search *s, struct heir *h)
{
	if (!h->is_open)
		return;
	shard_seek_close(&h->seek);
	raw_ahead_free(h->ahead);
	h->ahead = NULL;
	h->is_open = false;
	s->n_open--;
}

static void close_all(struct search *s)
{
	for (size_t i = 0; i < s->now->n; i++)
		close_heir(s, &s->heirs[i]);
}

static int compare_with(const struct entry *e, const char *uid, size_t len)
{
	struct span parent, name;

	entry_split_uid(span_of(uid, len), &parent, &name);
	return entry_key_compare(e->parent, e->name, parent, name);
}

static enum rc open_heir(struct search *s, struct heir *h,
			 const struct entry *e, struct err *err)
{
	if (s->n_open == OPEN_MAX)
		close_all(s);
	h->is_open = true;
	s->n_open++;
	if (shard_seek_open(&h->seek, s->st, h->meta->key, h->meta->root, err))
		return err->rc;
	h->ahead = raw_ahead_new(INDEX_AHEAD);
	h->seek.shard.ahead = h->ahead;
	return shard_seek_key(&h->seek, e->parent, e->name, err);
}

/* To the first entry that is not before e; most often that is the next. */
static enum rc go_on(struct shard_seek *c, const struct entry *e,
		     struct err *err)
{
	bool has_stepped = false;

	while (!c->at_end && entry_compare(&c->e, e) < 0) {
		bool is_key = shard_seek_is_at(c, e->parent, e->name);
		enum rc rc =
			has_stepped && !is_key
				? shard_seek_key(c, e->parent, e->name, err)
				: shard_seek_next(c, err);

		if (rc)
			return rc;
		has_stepped = true;
	}
	return RC_OK;
}

static bool is_same(const struct entry *a, const struct entry *b)
{
	return a->type == b->type && a->size == b->size &&
	       a->has_hash == b->has_hash &&
	       (!a->has_hash ||
		!memcmp(a->sha256, b->sha256, ENTRY_HASH_LEN)) &&
	       span_equal(a->target, b->target);
}

static enum rc look_in(struct search *s, struct heir *h, const struct entry *e,
		       bool *ret, struct err *err)
{
	const struct shard_meta *m = h->meta;
	const struct entry *now = &h->seek.e;
	enum rc rc;

	if (compare_with(e, m->first, m->first_len) < 0)
		return RC_OK;
	if (compare_with(e, m->last, m->last_len) > 0) {
		close_heir(s, h);
		return RC_OK;
	}
	rc = h->is_open ? RC_OK : open_heir(s, h, e, err);
	if (!rc)
		rc = go_on(&h->seek, e, err);
	if (rc || h->seek.at_end || now->implicit || entry_compare(now, e) != 0)
		return rc;
	/* Of one uid and time several shards put together keep one. */
	*ret = is_same(now, e) || s->now->is_merged;
	return RC_OK;
}

/* --- the old one ---------------------------------------------------------- */

static enum rc check_entry(struct search *s, struct found *f,
			   const struct entry *e, struct err *err)
{
	bool is_there = false;
	enum rc rc = RC_OK;

	if (e->implicit ||
	    tombstone_set_hides(s->deleted, e->parent, e->name, e->created_at))
		return RC_OK;
	for (size_t i = 0; !rc && !is_there && i < s->now->n; i++)
		rc = look_in(s, &s->heirs[i], e, &is_there, err);
	if (rc || is_there)
		return rc;
	if (!f->n_lacking++) {
		CLEANUP_FREE char *uid =
			xcalloc(entry_uid_len(e->parent, e->name) + 1, 1);

		buf_append(&f->first, uid, entry_uid(e->parent, e->name, uid));
	}
	return RC_OK;
}

static enum rc check_leaf(struct search *s, struct found *f,
			  const struct page *page, struct err *err)
{
	enum rc rc = stop_requested()
			     ? err_set(err, RC_STOPPED, "stopped by a signal")
			     : RC_OK;

	for (uint32_t i = 0; !rc && i < page_count(page); i++) {
		struct entry e;

		page_entry(page, i, &e);
		f->n_seen++;
		rc = check_entry(s, f, &e, err);
	}
	return rc;
}

static enum rc walk(struct search *s, struct found *f,
		    const struct raw_shard *old, struct err *err)
{
	struct index_walk w;
	struct index_leaf leaf;
	struct err damage;
	enum rc rc;

	index_walk_init(&w, old);
	while ((rc = index_walk_next(&w, &leaf, err)) != RC_NOENT) {
		if (rc == RC_CORRUPT) {
			f->n_unread += leaf.n_entries;
			damage = *err;
			continue;
		}
		if (!rc)
			rc = check_leaf(s, f, leaf.page, err);
		if (rc)
			break;
	}
	index_walk_release(&w);
	if (rc != RC_NOENT)
		return rc;
	if (f->n_seen + f->n_unread != old->footer.n_entries)
		return err_set(err, RC_CORRUPT,
			       "it does not have the entries it should");
	if (!f->n_unread || s->now->is_damaged)
		return RC_OK;
	*err = damage;
	return err->rc;
}

static enum rc judge(const struct search *s, const struct found *f,
		     struct err *err)
{
	if (f->n_lacking <= s->now->n_lost)
		return RC_OK;
	return err_set(err, RC_CHANGED,
		       "%llu entries are not in what takes its place, "
		       "first '%.*s'",
		       (unsigned long long)f->n_lacking,
		       (int)(f->first.len < NAME_MAX_SHOWN ? f->first.len
							   : NAME_MAX_SHOWN),
		       (const char *)f->first.p);
}

static enum rc compare(struct search *s, struct raw_shard *old, bool *ret_done,
		       struct err *err)
{
	struct found f = { .first = { .max = UID_MAX_LEN } };
	enum rc rc;

	if (memcmp(old->footer.root, s->old->root, SHARD_ROOT_LEN) != 0)
		return err_set(err, RC_CORRUPT,
			       "its root is not the one the log says");
	old->ahead = raw_ahead_new(INDEX_AHEAD);
	rc = walk(s, &f, old, err);
	raw_ahead_free(old->ahead);
	close_all(s);
	/* Others have the same entries. */
	*ret_done = !rc || rc == RC_STOPPED;
	if (!rc)
		rc = judge(s, &f, err);
	buf_release(&f.first);
	return rc;
}

/* The first place where it can be read will do. */
static enum rc check_in(void *arg, const char *zone, struct store *place,
			struct err *err)
{
	struct search *s = arg;
	struct raw_shard old;
	struct err why;
	enum rc rc;

	(void)zone;
	if (s->is_done)
		return RC_OK;
	rc = raw_shard_open(&old, place, s->old->key, &why);
	if (rc == RC_NOENT)
		return RC_OK;
	if (rc)
		s->is_damaged |= rc == RC_CORRUPT;
	else
		rc = compare(s, &old, &s->is_done, &why);
	if (!rc)
		return RC_OK;
	if (s->is_done) {
		*err = why;
		return rc;
	}
	/* Of one that could not be read nobody knows what it has. */
	if (!s->failure.rc || s->failure.rc == RC_CORRUPT)
		s->failure = why;
	return RC_OK;
}

enum rc lacks_nothing(struct store *st, const struct oplog_old *old,
		      const struct heirs *now,
		      const struct tombstone_set *deleted, struct err *err)
{
	struct search s = { .st = st,
			    .old = old,
			    .now = now,
			    .deleted = deleted,
			    .heirs = xcalloc(now->n + 1, sizeof(*s.heirs)) };
	enum rc rc;

	for (size_t i = 0; i < now->n; i++)
		s.heirs[i].meta = now->all[i];
	rc = store_each_place(st, old->key, check_in, &s, err);
	free(s.heirs);
	if (rc || s.is_done || !s.failure.rc)
		return rc;
	/* What could not be read was what was to be left out. */
	if (s.failure.rc == RC_CORRUPT && s.is_damaged && now->is_damaged)
		return RC_OK;
	*err = s.failure;
	return err->rc;
}
