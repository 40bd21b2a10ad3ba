/* SPDX-License-Identifier: Apache-2.0 */
/* clean.c - what runs that died have left in an archive. */
#include "config.h"

#include "pack/clean.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/table.h"
#include "erase/aggregate.h"
#include "erase/tombstone.h"
#include "store/store-write.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"

/* A shard in the store, or a tombstone document. */
struct found {
	char *key;
	uint64_t size;
	bool is_named;   /* by a log record, though it may count no more */
	bool is_claimed; /* by a run that died */
	bool is_document;
	UT_hash_handle hh;
};

static bool is_shard_key(const char *key)
{
	size_t len = strlen(key);

	return len > 13 && strspn(key, "0123456789") == 8 && key[8] == '/' &&
	       !strcmp(key + len - 4, ".des");
}

/* One that a dead run was about to name has names in it that nobody would ever
 * come for.
 */
static bool is_document_key(const char *key)
{
	const char *day = key + strlen(TOMBSTONE_PREFIX);

	return !strncmp(key, TOMBSTONE_PREFIX, strlen(TOMBSTONE_PREFIX)) &&
	       strspn(day, "0123456789") == 8 && day[8] == '/' &&
	       !aggregate_key_is_valid(key);
}

static enum rc add_found(void *arg, const char *key, uint64_t size,
			 struct err *err)
{
	struct found **all = arg, *f;
	bool is_document = is_document_key(key);

	(void)err;
	if (!is_document && !is_shard_key(key))
		return RC_OK;
	f = xcalloc(1, sizeof(*f));
	f->is_document = is_document;
	f->key = xstrdup(key);
	f->size = size;
	HASH_ADD_KEYPTR(hh, *all, f->key, strlen(f->key), f);
	return RC_OK;
}

static void free_found(struct found *all)
{
	struct found *f, *next;

	HASH_ITER(hh, all, f, next)
	{
		HASH_DEL(all, f);
		free(f->key);
		free(f);
	}
}

/* A run that was dead before the shards were listed: all it published is among
 * them.
 */
struct dead {
	char *run;
	char **keys; /* it claims */
	size_t n, cap;
	UT_hash_handle hh;
};

static void free_dead(struct dead *all)
{
	struct dead *d, *next;

	HASH_ITER(hh, all, d, next)
	{
		HASH_DEL(all, d);
		for (size_t i = 0; i < d->n; i++)
			free(d->keys[i]);
		free(d->keys);
		free(d->run);
		free(d);
	}
}

/* store_claim_fn */
static enum rc note_claim(void *arg, const char *run, const char *key,
			  struct err *err)
{
	struct dead **all = arg, *d = NULL;

	(void)err;
	HASH_FIND_STR(*all, run, d);
	if (!d) {
		d = xcalloc(1, sizeof(*d));
		d->run = xstrdup(run);
		HASH_ADD_KEYPTR(hh, *all, d->run, strlen(d->run), d);
	}
	if (!key)
		return RC_OK;
	d->keys = mem_grow(d->keys, &d->cap, d->n + 1, sizeof(*d->keys));
	d->keys[d->n++] = xstrdup(key);
	return RC_OK;
}

static void mark_claimed(struct found *all, const struct dead *dead)
{
	for (; dead; dead = dead->hh.next) {
		for (size_t i = 0; i < dead->n; i++) {
			struct found *f = NULL;

			HASH_FIND_STR(all, dead->keys[i], f);
			if (f)
				f->is_claimed = true;
		}
	}
}

/* Shards for which the log is read once more; not so many that who begins a run
 * has to wait for long.
 */
#define BATCH 64u

struct cleaning {
	struct store *st;
	struct found *all;
	struct dead *dead;
	struct oplog *log;
	bool remove;
	clean_fn *fn;
	void *arg;
	unsigned int *alive;              /* runs */
	const struct found *batch[BATCH]; /* to be removed */
	size_t n_batch;
};

/* What was replaced has its own way to go: after its grace period, and not
 * under a hold.
 */
static size_t n_shards(const struct oplog *log)
{
	return oplog_count(log) + oplog_state_n_old(oplog_state(log));
}

static size_t n_named(const struct oplog *log)
{
	return n_shards(log) + oplog_state_n_tombstones(oplog_state(log));
}

static const char *named(const struct oplog *log, size_t i)
{
	const struct oplog_state *state = oplog_state(log);
	size_t n = oplog_count(log);

	if (i < n)
		return oplog_shard(log, i)->key;
	if (i < n_shards(log))
		return oplog_state_old(state, i - n)->key;
	return oplog_state_tombstone(state, i - n_shards(log))->object->key;
}

static bool has_shards(const struct cleaning *c)
{
	for (const struct found *f = c->all; f; f = f->hh.next)
		if (!f->is_document)
			return true;
	return false;
}

/* Mark what the log names by now.  All of it is read: a reader that goes on
 * looks back no further than clocks may differ, which is no ground to remove
 * something on.
 */
static enum rc mark_named(struct cleaning *c, struct err *err)
{
	bool changed = false;
	enum rc rc;

	oplog_want_all(c->log);
	rc = oplog_read(c->log, c->st, &changed, err);

	/* Without a log all shards are nobody's, the only copies too.  Where
	 * all was deleted only documents are left.
	 */
	if (!rc && c->all && !n_shards(c->log) &&
	    (has_shards(c) || !oplog_n_records(c->log)))
		rc = err_set(err, RC_NOENT,
			     "log: it names no shard, so none is removed: a "
			     "first run was not finished (run it again, or "
			     "remove the archive), or the log is lost "
			     "('desfs rebuild')");
	for (size_t i = 0; !rc && i < n_named(c->log); i++) {
		struct found *f = NULL;

		HASH_FIND_STR(c->all, named(c->log, i), f);
		if (f)
			f->is_named = true;
	}
	return rc;
}

static enum rc remove_shard(struct cleaning *c, const struct found *f,
			    struct err *err)
{
	enum store_gone gone;
	int64_t until;
	/* Where no run can be kept from beginning: reading the log, and what
	 * was removed since, took its time.
	 */
	enum rc rc = store_runs_alive(c->st, NULL, c->alive, err);

	if (rc || *c->alive)
		return rc;
	/* Versions too: no record names it, so nobody would look for them, and
	 * it may hold what was deleted.
	 */
	if (store_purge(c->st, f->key, &gone, &until, err))
		return err->rc;
	if (gone == STORE_KEPT)
		log_warn("%s: no record names it, but its store keeps it",
			 f->key);
	c->fn(c->arg, f->key, f->size, false);
	return RC_OK;
}

/* A run that has begun since may take a shard for its own, and one that has
 * ended too may have done so: then it stays.
 */
static enum rc remove_batch(struct cleaning *c, struct err *err)
{
	struct store_idle *idle = NULL;
	enum rc rc = store_idle_begin(c->st, &idle, err);

	if (!rc)
		rc = store_runs_alive(c->st, NULL, c->alive, err);
	if (!rc && !*c->alive)
		rc = mark_named(c, err);
	for (size_t i = 0; i < c->n_batch && !rc && !*c->alive; i++)
		if (!c->batch[i]->is_named)
			rc = remove_shard(c, c->batch[i], err);
	store_idle_end(idle);
	c->n_batch = 0;
	return rc;
}

static enum rc clean_shard(struct cleaning *c, const struct found *f,
			   struct err *err)
{
	if (!c->remove || !f->is_claimed) {
		/* Nobody's: of a run that could not say whose it is. */
		if (f->is_claimed || !f->is_document)
			c->fn(c->arg, f->key, f->size, !f->is_claimed);
		return RC_OK;
	}
	c->batch[c->n_batch++] = f;
	return c->n_batch < BATCH ? RC_OK : remove_batch(c, err);
}

static enum rc clean_shards(struct cleaning *c, struct err *err)
{
	struct found *f, *next;
	enum rc rc;

	/* In this order: a shard listed here whose run is not alive after that
	 * is in the log read at last, or belongs to nobody.  What a run claims
	 * that dies meanwhile may not be listed: the next time.
	 */
	rc = store_claims(c->st, note_claim, &c->dead, err);
	if (!rc)
		rc = store_list(c->st, "", NULL, add_found, &c->all, err);
	if (!rc)
		rc = store_runs_alive(c->st, NULL, c->alive, err);
	if (!rc && !*c->alive)
		rc = mark_named(c, err);
	mark_claimed(c->all, c->dead);
	HASH_ITER(hh, c->all, f, next)
	{
		if (!rc && !*c->alive && !f->is_named)
			rc = clean_shard(c, f, err);
	}
	if (!rc && !*c->alive && c->n_batch)
		rc = remove_batch(c, err);
	return rc;
}

static void tell_unfinished(void *arg, const char *what, uint64_t size)
{
	const struct cleaning *c = arg;

	c->fn(c->arg, what, size, false);
}

/* A mark goes after the shards it claims, which stay while some run is alive,
 * or when it was not seen in time.
 */
static bool mark_goes(void *arg, const char *run)
{
	const struct cleaning *c = arg;
	struct dead *d = NULL;

	if (!*c->alive)
		HASH_FIND_STR(c->dead, run, d);
	return d;
}

enum rc clean_archive(struct store *st, struct oplog *log, bool remove,
		      clean_fn *fn, void *arg, unsigned int *ret_alive,
		      struct err *err)
{
	struct oplog *own = log ? NULL : oplog_new();
	struct cleaning c = { .st = st,
			      .log = log ? log : own,
			      .remove = remove,
			      .fn = fn,
			      .arg = arg,
			      .alive = ret_alive };
	enum rc rc = clean_shards(&c, err);

	free_found(c.all);
	oplog_free(own);
	if (!rc)
		rc = store_leftovers(st, remove, mark_goes, tell_unfinished, &c,
				     err);
	free_dead(c.dead);
	return rc;
}
