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

static enum rc tidy_salt(struct tidying *t, const char *key, struct err *err)
{
	const char *text = key + strlen(SALT_PREFIX);
	uint8_t id[ERASURE_ID_LEN];

	(void)err;
	if (strlen(text) != 2 * sizeof(id) ||
	    !hex_decode(text, strlen(text), id, sizeof(id)))
		return RC_OK;
	if (oplog_state_is_withdrawn(t->state, id) &&
	    !oplog_state_find_receipt(t->state, id))
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
