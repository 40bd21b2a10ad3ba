/* SPDX-License-Identifier: Apache-2.0 */
/* erased.c - names that were deleted for good, and so are not packed again. */
#include "config.h"

#include "pack/erased.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "conf/erasure-key.h"
#include "erase/suppression.h"
#include "erase/tombstone-set.h"
#include "shard/shard-filter.h"
#include "store/store.h"
#include "verify/uid-set.h"
#include "volume/oplog-object.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"
#include "volume/random-object.h"

_Static_assert(ERASURE_KEY_LEN == SUPPRESSION_SECRET_LEN, "one key");

struct erased {
	struct tombstone_set *set;
	bool allow;
	struct erasure_keys keys;
	struct suppression lists[ERASURE_KEYS_MAX]; /* of each key */

	pthread_mutex_t lock; /* guards kept while items are noted */
	struct uid_set kept;  /* deleted directories that are needed */
};

/* --- the list --------------------------------------------------------------
 */

static enum rc read_list(struct store *st, const struct oplog_object *o,
			 struct suppression *ret, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = SUPPRESSION_MAX };

	if (oplog_object_read(st, o, SUPPRESSION_MAX, &text, err))
		return err->rc;
	if (suppression_decode(text.p, text.len, ret, err))
		return err_prefix(err, "%s", o->key);
	return RC_OK;
}

/* The list it belongs to; NULL: nobody knows its key. */
static struct suppression *list_of(struct erased *e,
				   const struct suppression *s)
{
	uint8_t id[SUPPRESSION_KEY_ID_LEN];

	for (size_t i = 0; i < e->keys.n; i++) {
		suppression_key_id(e->keys.v[i], id);
		if (!memcmp(id, s->key_id, sizeof(id)))
			return &e->lists[i];
	}
	return NULL;
}

static enum rc add_list(struct erased *e, struct store *st,
			const struct oplog_object *o, struct err *err)
{
	CLEANUP(suppression_release) struct suppression s = { 0 };
	struct suppression *list;

	if (read_list(st, o, &s, err))
		return err->rc;
	list = list_of(e, &s);
	if (!list)
		return err_set(err, RC_ACCESS,
			       "%s: has names that were deleted and are not to "
			       "come back; to tell which, erasure_key in "
			       "desfs.conf(5) has to have its key "
			       "(--allow-erased packs all)",
			       store_url(st));
	return suppression_append(list, &s, err);
}

/* The key that is in the archive, if it is, goes behind those that are not. */
static enum rc add_archive_key(struct erased *e, struct store *st,
			       struct err *err)
{
	enum rc rc;

	if (e->keys.n == ERASURE_KEYS_MAX)
		return RC_OK;
	rc = random_object_read(st, SUPPRESSION_KEY_OBJECT,
				e->keys.v[e->keys.n], err);
	e->keys.n += !rc;
	return rc == RC_NOENT ? RC_OK : rc;
}

static enum rc read_lists(struct erased *e, struct store *st,
			  const struct oplog_state *state, const char *key,
			  struct err *err)
{
	size_t n = oplog_state_n_suppressed(state);

	if (!n || e->allow)
		return RC_OK;
	if (erasure_keys_load(key, &e->keys, err) ||
	    add_archive_key(e, st, err))
		return err->rc;
	for (size_t i = 0; i < n; i++) {
		if (add_list(e, st, oplog_state_suppressed(state, i), err))
			return err->rc;
	}
	for (size_t i = 0; i < e->keys.n; i++)
		suppression_sort(&e->lists[i]);
	return RC_OK;
}

enum rc erased_new(struct erased **ret, struct store *st,
		   const struct oplog *log, const struct erased_options *opts,
		   struct err *err)
{
	const struct oplog_state *state = oplog_state(log);
	const struct tombstone_set *set = oplog_deleted(log);
	struct erased *e;

	*ret = NULL;
	if (!set && !oplog_state_n_suppressed(state))
		return RC_OK;
	e = xcalloc(1, sizeof(*e));
	e->allow = opts->allow;
	/* It is counted, not changed. */
	e->set = tombstone_set_ref((struct tombstone_set *)(uintptr_t)set);
	pthread_mutex_init(&e->lock, NULL);
	if (read_lists(e, st, state, opts->key, err)) {
		erased_free(e);
		return err->rc;
	}
	*ret = e;
	return RC_OK;
}

void erased_free(struct erased *e)
{
	if (!e)
		return;
	tombstone_set_unref(e->set);
	for (size_t i = 0; i < ERASURE_KEYS_MAX; i++)
		suppression_release(&e->lists[i]);
	erasure_keys_wipe(&e->keys);
	uid_set_release(&e->kept);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

/* --- names -----------------------------------------------------------------
 */

static bool is_listed(const struct erased *e, struct span uid)
{
	for (size_t i = 0; i < e->keys.n; i++) {
		struct suppression_hash hash;

		if (!e->lists[i].n)
			continue;
		suppression_hash(e->keys.v[i], uid.p, uid.len, &hash);
		if (suppression_has(&e->lists[i], &hash))
			return true;
	}
	return false;
}

static bool has_tombstone(const struct erased *e, struct span parent,
			  struct span name)
{
	struct tombstone_uid t;

	return e->set && tombstone_set_find(e->set, parent, name, &t) &&
	       t.until != TOMBSTONE_NONE;
}

/* uid is parent and name. */
static bool is_erased(const struct erased *e, struct span uid,
		      struct span parent, struct span name)
{
	return has_tombstone(e, parent, name) || is_listed(e, uid);
}

static bool is_item_erased(const struct erased *e, const struct item *it)
{
	CLEANUP_FREE char *bytes = NULL;
	size_t len;

	if (has_tombstone(e, it->parent, it->name))
		return true;
	if (!e->keys.n)
		return false;
	bytes = xcalloc(1, entry_uid_len(it->parent, it->name) + 1);
	len = entry_uid(it->parent, it->name, bytes);
	return is_listed(e, span_of(bytes, len));
}

bool erased_keeps_out(const struct erased *e, const struct item *it)
{
	if (!e || e->allow || !is_item_erased(e, it))
		return false;
	return it->type != ENTRY_DIR ||
	       !uid_set_has(&e->kept, filter_hash(it->parent, it->name));
}

int64_t erased_after(const struct erased *e, struct span parent,
		     struct span name, int64_t at)
{
	struct tombstone_uid t;

	if (!e || !e->set || !tombstone_set_find(e->set, parent, name, &t))
		return at;
	if (t.until != TOMBSTONE_NONE && at <= t.until)
		at = t.until + 1;
	for (size_t i = 0; i < t.n_times; i++)
		at += t.times[i] == at;
	return at;
}

/* --- directories -----------------------------------------------------------
 */

/* Is a directory from path up deleted?  keep: remember all that are. */
static bool look_above(struct erased *e, struct span path, bool keep)
{
	bool found = false;

	while (path.len) {
		struct span parent, name;

		entry_split_uid(path, &parent, &name);
		if (is_erased(e, path, parent, name)) {
			found = true;
			if (!keep)
				return true;
			pthread_mutex_lock(&e->lock);
			uid_set_add(&e->kept, filter_hash(parent, name));
			pthread_mutex_unlock(&e->lock);
		}
		path = parent;
	}
	return found;
}

static void enter(struct erased *e, struct erased_walk *w, struct span parent)
{
	if (w->is_known &&
	    span_equal(parent, span_of(w->parent.p, w->parent.len)))
		return;
	w->parent.max = SIZE_MAX / 2;
	buf_clear(&w->parent);
	buf_append(&w->parent, parent.p, parent.len);
	w->is_known = true;
	w->has_above = look_above(e, parent, false);
}

void erased_note(struct erased *e, struct erased_walk *w, const struct item *it)
{
	if (!e || e->allow)
		return;
	enter(e, w, it->parent);
	if (!w->has_above || is_item_erased(e, it))
		return;
	look_above(e, it->parent, true);
	w->has_above = false; /* none that is not kept */
}

void erased_walk_release(struct erased_walk *w)
{
	buf_release(&w->parent);
}
