/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-deleted.c - what the live tombstone documents of a log say.
 *
 * A document that the log names and that cannot be read is an error: it is
 * never taken for one that deletes nothing.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "erase/aggregate.h"
#include "erase/tombstone-set.h"
#include "erase/tombstone.h"
#include "store/store.h"
#include "volume/oplog-backend.h"
#include "volume/oplog-state.h"

void oplog_deleted_release(struct oplog_deleted *d)
{
	tombstone_set_unref(d->set);
	oplog_names_release(&d->keys);
	*d = (struct oplog_deleted){ .is_ready = false };
}

static enum rc check_hash(const struct oplog_object *o, const void *p,
			  size_t len, struct err *err)
{
	uint8_t hash[SHA256_LEN];

	sha256_of(p, len, hash);
	if (!memcmp(hash, o->sha256, SHA256_LEN))
		return RC_OK;
	return err_set(err, RC_CORRUPT, "%s: SHA-256 is not the one in the log",
		       o->key);
}

static enum rc decode(const struct oplog_object *o,
		      const uint8_t archive_id[SHARD_ID_LEN], const void *p,
		      size_t len, struct tombstone *ret, struct err *err)
{
	struct tombstone t = { 0 };
	enum rc rc;

	if (check_hash(o, p, len, err))
		return err->rc;
	rc = tombstone_decode(p, len, &t, err);
	if (!rc)
		rc = tombstone_check_key(&t, o->key, err);
	if (!rc && memcmp(t.archive_id, archive_id, SHARD_ID_LEN) != 0)
		rc = err_set(err, RC_CORRUPT, "tombstone of another archive");
	if (!rc && t.n != o->count)
		rc = err_set(err, RC_CORRUPT,
			     "it has %zu erasures, the log says %llu", t.n,
			     (unsigned long long)o->count);
	if (rc) {
		tombstone_release(&t);
		return err_prefix(err, "%s", o->key);
	}
	*ret = t;
	return RC_OK;
}

enum rc oplog_read_tombstone(struct store *st, const struct oplog_object *o,
			     const uint8_t archive_id[SHARD_ID_LEN],
			     struct tombstone *ret, struct buf *ret_text,
			     struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = TOMBSTONE_MAX };
	enum rc rc;

	rc = store_read_all(st, o->key, TOMBSTONE_MAX, &b, err);
	if (!rc)
		rc = decode(o, archive_id, b.p, b.len, ret, err);
	if (!rc && ret_text) {
		*ret_text = b;
		b = (struct buf){ 0 };
	}
	return rc;
}

/* Documents on their way into a set. */
struct batch {
	struct oplog_news *news;
	const struct oplog_state *state;
	struct store *st;
	struct tombstone_build *build;
};

static void leave_out_withdrawn(const struct oplog_state *state,
				struct tombstone *t)
{
	size_t kept = 0;

	if (!oplog_state_n_withdrawn(state))
		return;
	for (size_t i = 0; i < t->n; i++) {
		if (oplog_state_is_withdrawn(state, t->erasures[i].id))
			free(t->erasures[i].uid);
		else
			t->erasures[kept++] = t->erasures[i];
	}
	t->n = kept;
}

/* Takes t over. */
static enum rc add(struct batch *b, struct tombstone *t, struct err *err)
{
	enum rc rc;

	leave_out_withdrawn(b->state, t);
	rc = tombstone_build_add(b->build, t, err);
	tombstone_release(t);
	return rc;
}

/* From the index cache. */
static bool find_kept(struct batch *b, const struct oplog_object *o,
		      struct tombstone *ret)
{
	CLEANUP_BUF struct buf text = { .max = TOMBSTONE_MAX };
	const struct oplog *log = b->news->log;
	struct err err;

	return log->catalog &&
	       catalog_get_document(log->catalog, log->location, o->key,
				    &text) &&
	       !decode(o, b->news->archive_id, text.p, text.len, ret, &err);
}

static enum rc add_object(struct batch *b, const struct oplog_object *o,
			  struct err *err)
{
	CLEANUP_BUF struct buf text = { 0 };
	struct tombstone t = { 0 };

	if (oplog_read_tombstone(b->st, o, b->news->archive_id, &t, &text, err))
		return err->rc;
	oplog_documents_add(b->news->log, o->key, text.p, text.len);
	oplog_keep_record(b->news, o->key, &text);
	return add(b, &t, err);
}

/* --- aggregates ----------------------------------------------------------- */

/* A document that is to be read. */
struct wanted {
	const struct oplog_object *object;
	char aggregate[AGGREGATE_KEY_TEXT];
	bool is_there;
};

/* Those of one hour, in the order of their hashes. */
struct hour {
	struct batch *b;
	struct wanted *wanted;
	size_t n;
};

static int by_hour(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;
	int c = strcmp(x->aggregate, y->aggregate);

	return c ? c : memcmp(x->object->sha256, y->object->sha256, SHA256_LEN);
}

static int by_hash(const void *hash, const void *at)
{
	const struct wanted *w = at;

	return memcmp(hash, w->object->sha256, SHA256_LEN);
}

/* aggregate_fn */
static enum rc add_text(void *arg, const void *p, size_t len, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = TOMBSTONE_MAX };
	struct tombstone t = { 0 };
	uint8_t hash[SHA256_LEN];
	struct hour *h = arg;
	struct wanted *w;

	sha256_of(p, len, hash);
	w = bsearch(hash, h->wanted, h->n, sizeof(*w), by_hash);
	if (!w || w->is_there)
		return RC_OK;
	if (decode(w->object, h->b->news->archive_id, p, len, &t, err))
		return err->rc;
	w->is_there = true;
	oplog_documents_add(h->b->news->log, w->object->key, p, len);
	buf_append(&text, p, len);
	if (buf_ok(&text))
		oplog_keep_record(h->b->news, w->object->key, &text);
	return add(h->b, &t, err);
}

/* What an aggregate lacks, or that there is none, costs requests only. */
static void add_aggregate(struct hour *h)
{
	CLEANUP_BUF struct buf text = { .max = AGGREGATE_MAX };
	struct err err;

	if (store_read_all(h->b->st, h->wanted->aggregate, AGGREGATE_MAX, &text,
			   &err))
		return;
	(void)!aggregate_each(text.p, text.len, h->b->news->archive_id,
			      add_text, h, &err);
}

static enum rc add_hour(struct hour *h, struct err *err)
{
	if (h->n > 1)
		add_aggregate(h);
	for (size_t i = 0; i < h->n; i++) {
		if (!h->wanted[i].is_there &&
		    add_object(h->b, h->wanted[i].object, err))
			return err->rc;
	}
	return RC_OK;
}

static enum rc add_wanted(struct batch *b, struct wanted *wanted, size_t n,
			  struct err *err)
{
	size_t begin = 0;

	if (n)
		qsort(wanted, n, sizeof(*wanted), by_hour);
	for (size_t i = 1; i <= n; i++) {
		struct hour h = { b, &wanted[begin], i - begin };

		if (i < n &&
		    !strcmp(wanted[i].aggregate, wanted[begin].aggregate))
			continue;
		if (add_hour(&h, err))
			return err->rc;
		begin = i;
	}
	return RC_OK;
}

/* --- all ------------------------------------------------------------------ */

/* Whether what was read may be added to: all of it is still live. */
static bool may_grow(const struct oplog_deleted *old,
		     const struct oplog_state *state)
{
	if (!old->is_ready ||
	    old->n_withdrawn != oplog_state_n_withdrawn(state))
		return false;
	for (size_t i = 0; i < old->keys.n; i++) {
		const struct oplog_tombstone *t =
			oplog_state_find_tombstone(state, old->keys.p[i]);

		if (!t || t->done)
			return false;
	}
	return true;
}

/* What the index cache has of documents that are done. */
static void note_done(struct oplog_news *news, const struct oplog_state *state)
{
	const struct oplog_state *old = news->log->state;

	for (size_t i = 0; i < oplog_state_n_tombstones(state); i++) {
		const struct oplog_tombstone *t =
			oplog_state_tombstone(state, i);
		const struct oplog_tombstone *before;

		if (!t->done)
			continue;
		before = oplog_state_find_tombstone(old, t->object->key);
		if (before && !before->done)
			oplog_names_add(&news->dropped, t->object->key);
	}
}

static enum rc read_all(struct batch *b, const struct oplog_deleted *old,
			struct oplog_deleted *ret, struct err *err)
{
	size_t n = oplog_state_n_tombstones(b->state), n_wanted = 0;
	CLEANUP_FREE struct wanted *wanted = xcalloc(n + 1, sizeof(*wanted));

	for (size_t i = 0; i < n; i++) {
		const struct oplog_tombstone *t =
			oplog_state_tombstone(b->state, i);
		struct tombstone kept = { 0 };

		if (t->done)
			continue;
		oplog_names_add(&ret->keys, t->object->key);
		if (old && oplog_names_has(&old->keys, t->object->key))
			continue;
		if (find_kept(b, t->object, &kept)) {
			if (add(b, &kept, err))
				return err->rc;
			continue;
		}
		wanted[n_wanted].object = t->object;
		aggregate_key(t->record->time, wanted[n_wanted++].aggregate);
	}
	return add_wanted(b, wanted, n_wanted, err);
}

enum rc oplog_deleted_read(struct oplog_news *news,
			   const struct oplog_state *state, struct store *st,
			   struct err *err)
{
	const struct oplog_deleted *old = &news->log->deleted;
	struct batch b = { .news = news, .state = state, .st = st };
	struct oplog_deleted *ret = &news->deleted;
	enum rc rc;

	if (!may_grow(old, state))
		old = NULL;
	b.build = tombstone_build_new(old ? old->set : NULL);
	rc = read_all(&b, old, ret, err);
	if (!rc)
		rc = tombstone_build_end(b.build, &ret->set, err);
	tombstone_build_free(b.build);
	ret->n_withdrawn = oplog_state_n_withdrawn(state);
	ret->is_ready = !rc;
	if (!rc)
		note_done(news, state);
	return rc;
}
