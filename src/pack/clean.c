/* SPDX-License-Identifier: Apache-2.0 */
/* clean.c - what runs that died have left in an archive. */
#include "config.h"

#include "pack/clean.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/table.h"
#include "store/store-write.h"
#include "volume/oplog.h"

/* A shard in the store. */
struct found {
	char *key;
	uint64_t size;
	bool is_named;   /* by a log record */
	bool is_claimed; /* by a run that died */
	UT_hash_handle hh;
};

static bool is_shard_key(const char *key)
{
	size_t len = strlen(key);

	return len > 13 && strspn(key, "0123456789") == 8 && key[8] == '/' &&
	       !strcmp(key + len - 4, ".des");
}

static enum rc add_found(void *arg, const char *key, uint64_t size,
			 struct err *err)
{
	struct found **all = arg, *f;

	(void)err;
	if (!is_shard_key(key))
		return RC_OK;
	f = xcalloc(1, sizeof(*f));
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

static enum rc mark_named(struct store *st, struct found *all, struct err *err)
{
	struct oplog *log = oplog_new();
	bool changed = false;
	enum rc rc = oplog_read(log, st, &changed, err);

	/* Without a log all shards are nobody's, the only copies too. */
	if (!rc && all && !oplog_count(log))
		rc = err_set(err, RC_NOENT,
			     "log: it names no shard, so none is removed: a "
			     "first run was not finished (run it again, or "
			     "remove the archive), or the log is lost "
			     "('desfs rebuild')");
	for (size_t i = 0; !rc && i < oplog_count(log); i++) {
		const char *key = oplog_shard(log, i)->key;
		struct found *f = NULL;

		HASH_FIND_STR(all, key, f);
		if (f)
			f->is_named = true;
	}
	oplog_free(log);
	return rc;
}

static enum rc mark_claimed(void *arg, const char *key, struct err *err)
{
	struct found *all = arg, *f = NULL;

	(void)err;
	HASH_FIND_STR(all, key, f);
	if (f)
		f->is_claimed = true;
	return RC_OK;
}

static enum rc clean_shard(struct store *st, const struct found *f, bool remove,
			   clean_fn *fn, void *arg, struct err *err)
{
	unsigned int alive = 0;
	enum rc rc = RC_OK;

	if (remove && f->is_claimed) {
		/* A run that has begun since may take the shard for its own;
		 * it looks again before it commits.
		 */
		rc = store_runs_alive(st, NULL, &alive, err);
		if (!rc && !alive)
			rc = store_remove(st, f->key, err);
		if (rc == RC_NOENT || (!rc && alive))
			return RC_OK;
	}
	if (!rc)
		fn(arg, f->key, f->size, !f->is_claimed);
	return rc;
}

static enum rc clean_shards(struct store *st, bool remove, clean_fn *fn,
			    void *arg, unsigned int *ret_alive, struct err *err)
{
	struct found *all = NULL, *f, *next;
	enum rc rc;

	/* In this order: a shard listed here whose run is not alive after that
	 * is in the log read at last, or belongs to nobody.
	 */
	rc = store_list(st, "", NULL, add_found, &all, err);
	if (!rc)
		rc = store_runs_alive(st, NULL, ret_alive, err);
	if (!rc && !*ret_alive)
		rc = mark_named(st, all, err);
	if (!rc && !*ret_alive)
		rc = store_claims(st, mark_claimed, all, err);
	if (!rc && !*ret_alive)
		HASH_ITER(hh, all, f, next)
		{
			if (!rc && !f->is_named)
				rc = clean_shard(st, f, remove, fn, arg, err);
		}
	free_found(all);
	return rc;
}

struct teller {
	clean_fn *fn;
	void *arg;
};

static void tell_unfinished(void *arg, const char *what, uint64_t size)
{
	const struct teller *t = arg;

	t->fn(t->arg, what, size, false);
}

enum rc clean_archive(struct store *st, bool remove, clean_fn *fn, void *arg,
		      unsigned int *ret_alive, struct err *err)
{
	struct teller t = { fn, arg };
	enum rc rc = clean_shards(st, remove, fn, arg, ret_alive, err);

	/* A mark goes after the shards it claims, which stay while some run
	 * is alive.
	 */
	return rc ? rc : store_leftovers(st, remove, *ret_alive,
					 tell_unfinished, &t, err);
}
