/* SPDX-License-Identifier: Apache-2.0 */
/* tidy.c - remove objects of deletions that nobody asks for any more. */
#include "config.h"

#include "repack/tidy.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "erase/aggregate.h"
#include "repack/remove-object.h"
#include "repack/salt.h"
#include "store/store-write.h"
#include "verify/archive-list.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"

struct tidying {
	struct store *st;
	const struct oplog_state *state;
	const uint8_t *archive_id;
	uint8_t (*live)[SHA256_LEN]; /* of documents, in order */
	size_t n_live;
	char **keys; /* of what is to be looked at */
	size_t n, cap;
	struct tidied *ret;
};

static int by_hash(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_LEN);
}

static void list_live(struct tidying *t)
{
	size_t n = oplog_state_n_tombstones(t->state);

	t->live = xcalloc(n + 1, sizeof(*t->live));
	for (size_t i = 0; i < n; i++) {
		const struct oplog_tombstone *x =
			oplog_state_tombstone(t->state, i);

		if (!x->done)
			memcpy(t->live[t->n_live++], x->object->sha256,
			       SHA256_LEN);
	}
	if (t->n_live)
		qsort(t->live, t->n_live, sizeof(*t->live), by_hash);
}

static enum rc note_key(void *arg, const char *key, uint64_t size,
			struct err *err)
{
	struct tidying *t = arg;

	(void)size;
	(void)err;
	t->keys = mem_grow(t->keys, &t->cap, t->n + 1, sizeof(*t->keys));
	t->keys[t->n++] = xstrdup(key);
	return RC_OK;
}

static void remove_derived(struct tidying *t, const char *key, uint64_t *count)
{
	bool is_kept = false;
	struct err err;

	if (remove_object(t->st, key, &is_kept, &err)) {
		t->ret->failed++;
		snprintf(t->ret->text, sizeof(t->ret->text), "%s", err.msg);
	} else if (is_kept) {
		t->ret->failed++;
		snprintf(t->ret->text, sizeof(t->ret->text),
			 "%s: its store keeps it", key);
	} else {
		++*count;
	}
}

/* RC_CHANGED: it is none of the live ones. */
static enum rc check_live(void *arg, const void *p, size_t len, struct err *err)
{
	const struct tidying *t = arg;
	uint8_t hash[SHA256_LEN];

	sha256_of(p, len, hash);
	if (t->n_live &&
	    bsearch(hash, t->live, t->n_live, sizeof(*t->live), by_hash))
		return RC_OK;
	return err_set(err, RC_CHANGED, "a document that is done");
}

/* What cannot be read is of no use: it is derived and may be made again. */
static enum rc tidy_aggregate(struct tidying *t, const char *key,
			      struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = AGGREGATE_MAX };
	enum rc rc = store_read_all(t->st, key, AGGREGATE_MAX, &text, err);

	if (rc == RC_NOENT)
		return RC_OK;
	if (rc && rc != RC_LIMIT)
		return rc;
	if (rc ||
	    aggregate_each(text.p, text.len, t->archive_id, check_live, t, err))
		remove_derived(t, key, &t->ret->aggregates);
	return RC_OK;
}

static enum rc tidy_document(struct tidying *t, const char *key,
			     struct err *err)
{
	const struct oplog_tombstone *x;

	if (aggregate_key_is_valid(key))
		return tidy_aggregate(t, key, err);
	x = oplog_state_find_tombstone(t->state, key);
	if (x && x->done)
		remove_derived(t, key, &t->ret->documents);
	return RC_OK;
}

static bool is_spare_salt(const struct oplog_state *state, const char *key)
{
	const char *text = key + strlen(SALT_PREFIX);
	uint8_t id[ERASURE_ID_LEN];

	return strlen(text) == 2 * sizeof(id) &&
	       hex_decode(text, strlen(text), id, sizeof(id)) &&
	       oplog_state_is_withdrawn(state, id) &&
	       !oplog_state_find_receipt(state, id);
}

static enum rc tidy_salt(struct tidying *t, const char *key, struct err *err)
{
	(void)err;
	if (is_spare_salt(t->state, key))
		remove_derived(t, key, &t->ret->salts);
	return RC_OK;
}

static enum rc tidy_all(struct tidying *t, const char *prefix,
			enum rc (*fn)(struct tidying *, const char *,
				      struct err *),
			struct err *err)
{
	enum rc rc = store_list(t->st, prefix, NULL, note_key, t, err);

	for (size_t i = 0; i < t->n; i++) {
		if (!rc)
			rc = fn(t, t->keys[i], err);
		free(t->keys[i]);
	}
	t->n = 0;
	return rc;
}

enum rc tidy_tombstones(struct store *st, const struct oplog *log,
			const uint8_t archive_id[SHARD_ID_LEN],
			struct tidied *ret, struct err *err)
{
	struct tidying t = { .st = st,
			     .state = oplog_state(log),
			     .archive_id = archive_id,
			     .ret = ret };
	enum rc rc;

	*ret = (struct tidied){ 0 };
	list_live(&t);
	rc = tidy_all(&t, TOMBSTONE_PREFIX, tidy_document, err);
	if (!rc)
		rc = tidy_all(&t, SALT_PREFIX, tidy_salt, err);
	free(t.keys);
	free(t.live);
	return rc;
}

/* --- whether there is anything to do -------------------------------------- */

/* Of the documents of the log, by their hours. */
struct hours {
	struct hour {
		char key[AGGREGATE_KEY_TEXT];
		bool is_done;
	} *all;
	size_t n;
};

static int by_hour(const void *a, const void *b)
{
	const struct hour *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void list_hours(struct hours *h, const struct oplog_state *state)
{
	h->n = oplog_state_n_tombstones(state);
	h->all = xcalloc(h->n + 1, sizeof(*h->all));
	for (size_t i = 0; i < h->n; i++) {
		const struct oplog_tombstone *t =
			oplog_state_tombstone(state, i);

		aggregate_key(t->record->time, h->all[i].key);
		h->all[i].is_done = t->done;
	}
	if (h->n)
		qsort(h->all, h->n, sizeof(*h->all), by_hour);
}

static bool is_all_live(const struct hours *h, const char *key)
{
	const struct hour *at = NULL, *end = h->all + h->n;
	struct hour want;

	snprintf(want.key, sizeof(want.key), "%s", key);
	if (h->n)
		at = bsearch(&want, h->all, h->n, sizeof(want), by_hour);
	if (!at)
		return false;
	while (at > h->all && !by_hour(at - 1, &want))
		at--;
	for (; at < end && !by_hour(at, &want); at++) {
		if (at->is_done)
			return false;
	}
	return true;
}

static bool is_document_due(const struct oplog_state *state,
			    const struct hours *h, const char *key)
{
	const struct oplog_tombstone *x;

	if (aggregate_key_is_valid(key))
		return !is_all_live(h, key);
	x = oplog_state_find_tombstone(state, key);
	return x && x->done;
}

bool tidy_is_due(const struct oplog *log, const struct archive_list *there)
{
	const struct oplog_state *state = oplog_state(log);
	struct hours h = { .all = NULL };
	bool is_due = false;

	list_hours(&h, state);
	for (size_t i = 0; !is_due && i < there->n; i++) {
		const char *key = there->objects[i].key;

		if (there->objects[i].kind == OBJECT_TOMBSTONE)
			is_due = is_document_due(state, &h, key);
		else if (!strncmp(key, SALT_PREFIX, strlen(SALT_PREFIX)))
			is_due = is_spare_salt(state, key);
	}
	free(h.all);
	return is_due;
}
