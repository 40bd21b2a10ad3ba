/* SPDX-License-Identifier: Apache-2.0 */
/* verify-no-log.c - shards of an archive whose log has no record. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/store-write.h"
#include "verify/verify-backend.h"

struct claims {
	const struct verify_run *r;
	bool *is_claimed; /* one for each of todo */
};

static int by_key(const void *a, const void *b)
{
	const struct verify_todo *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static enum rc note_claim(void *arg, const char *run, const char *key,
			  struct err *err)
{
	const struct claims *c = arg;
	const struct verify_todo like = { .key = key }, *at;

	(void)run;
	(void)err;
	if (!key)
		return RC_OK;
	at = bsearch(&like, c->r->todo, c->r->n_todo, sizeof(like), by_key);
	if (at)
		c->is_claimed[at - c->r->todo] = true;
	return RC_OK;
}

/* Runs are at work, or have died, that have made all of them and were to name
 * them in the end.
 */
static bool is_first_run(const struct verify_run *r)
{
	CLEANUP_FREE bool *is_claimed = xcalloc(r->n_todo, sizeof(*is_claimed));
	struct claims c = { .r = r, .is_claimed = is_claimed };
	struct store *st = NULL;
	const unsigned int kinds = 1u << STORE_RUN_OTHER | 1u << STORE_RUN_PACK;
	int64_t oldest = INT64_MAX;
	size_t n = 0;
	struct err err;

	/* Only a writer's view shows them. */
	if (store_create(&st, r->url, r->opts->settings, &err))
		return false;
	/* No other kind has shards before there is a log. */
	if (store_runs_oldest(st, kinds, NULL, &oldest, &err) ||
	    store_claims(st, note_claim, &c, &err))
		oldest = INT64_MAX;
	store_close(st);
	for (size_t i = 0; i < r->n_todo; i++)
		n += is_claimed[i];
	return oldest != INT64_MAX || n == r->n_todo;
}

void verify_no_log(struct verify_run *r)
{
	if (is_first_run(r))
		verify_run_note(r, "log",
				"it names no shard: a first run was not "
				"finished");
	else
		verify_run_damage(r, "log",
				  "it is lost, so that no reader shows any of "
				  "the shards ('desfs rebuild'); or a first "
				  "run was not finished");
}
