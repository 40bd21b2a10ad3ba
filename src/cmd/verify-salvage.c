/* SPDX-License-Identifier: Apache-2.0 */
/* verify-salvage.c - desfs verify --salvage. */
#include "config.h"

#include "cmd/verify-salvage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "cmd/tell.h"
#include "cmd/todo.h"
#include "restore/restore.h"
#include "store/store.h"

static bool is_shard(const char *key)
{
	size_t len = strlen(key);

	return len > 4 && !strcmp(key + len - 4, ".des");
}

void verify_salvage_note(struct verify_salvage *c, const char *key)
{
	if (!c->to || !is_shard(key))
		return;
	if (c->n_damaged && !strcmp(c->damaged[c->n_damaged - 1], key))
		return;
	c->damaged = mem_grow(c->damaged, &c->cap_damaged, c->n_damaged + 1,
			      sizeof(char *));
	c->damaged[c->n_damaged++] = xstrdup(key);
}

static void tell_lost(void *arg, const struct entry *e, const struct err *err)
{
	struct span path = path_join(e->parent, e->name);

	(void)arg;
	tell_failed(path, err);
	free((void *)(uintptr_t)path.p);
}

static enum rc salvage_from(struct verify_salvage *c, struct store *st,
			    const char *key, struct err *err)
{
	const struct salvage_options opts = { .lost = tell_lost };
	struct err one;

	/* A shard that is gone costs only itself. */
	if (salvage_shard(st, key, c->to, &opts, &c->salvaged, &one)) {
		tell("%s", one.msg);
		if (one.rc == RC_NOSPACE)
			return err_set(err, RC_NOSPACE, "no space left");
	}
	return RC_OK;
}

static void forget_damaged(struct verify_salvage *c)
{
	for (size_t i = 0; i < c->n_damaged; i++)
		free(c->damaged[i]);
	c->n_damaged = 0;
}

/* The newest first: older ones do not replace what is there. */
enum rc verify_salvage_archive(struct verify_salvage *c, const char *url,
			       const struct store_settings *set,
			       struct err *err)
{
	struct store *st = NULL;
	enum rc rc;

	if (!c->n_damaged)
		return RC_OK;
	rc = store_open(&st, url, set, err);
	for (size_t i = c->n_damaged; i-- > 0 && !rc;)
		rc = salvage_from(c, st, c->damaged[i], err);
	store_close(st);
	forget_damaged(c);
	return rc;
}

/* A shard that was named is salvaged whether it is damaged or not. */
enum rc verify_salvage_file(struct verify_salvage *c, const char *path,
			    struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP_FREE char *dir =
		slash ? xmemdup0(path, (size_t)(slash + 1 - path))
		      : xstrdup(".");
	struct store *st = NULL;
	enum rc rc;

	forget_damaged(c);
	if (!c->to)
		return RC_OK;
	rc = store_open(&st, dir, NULL, err);
	if (!rc)
		rc = salvage_from(c, st, slash ? slash + 1 : path, err);
	store_close(st);
	return rc;
}

void verify_salvage_end(struct verify_salvage *c)
{
	struct err err;

	if (!c->to)
		return;
	if (restore_finish(c->to, &err))
		tell("%s", err.msg);
	restore_free(c->to);
	forget_damaged(c);
	free(c->damaged);
	tell("salvaged %" PRIu64 " entries, %" PRIu64 " known to be lost",
	     c->salvaged.saved, c->salvaged.lost);
}

enum rc verify_salvage_begin(struct verify_salvage *c, const char *dir,
			     struct err *err)
{
	const struct restore_options opts = { .owner = !geteuid() };

	return dir ? restore_open(&c->to, dir, &opts, err) : RC_OK;
}
