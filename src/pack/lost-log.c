/* SPDX-License-Identifier: Apache-2.0 */
/* lost-log.c - shards without a log: of runs that were not finished, or of a
 * log that is lost.
 */
#include "config.h"

#include "pack/lost-log.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/store-write.h"
#include "verify/archive-list.h"
#include "volume/descriptor.h"
#include "volume/oplog-checkpoint.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"

#define LOG_PREFIX "log/"

/* So many are listed in one request. */
#define LOOKS 1000u

/* Keys of shards begin with a digit. */
#define AFTER_DIGITS ':'

/* --- what there is -------------------------------------------------------- */

/* store_list_fn */
static enum rc note_record(void *arg, const char *key, uint64_t size,
			   struct err *err)
{
	const char *name = key + strlen(LOG_PREFIX);
	bool *has = arg;
	int64_t time;

	(void)size;
	*has = oplog_record_name_time(name, &time) ||
	       !strncmp(name, OPLOG_CHECKPOINT, strlen(OPLOG_CHECKPOINT));
	/* One will do. */
	return *has ? err_set(err, RC_EXISTS, "found") : RC_OK;
}

enum rc lost_log_has_record(struct store *st, bool *ret, struct err *err)
{
	enum rc rc;

	*ret = false;
	rc = store_list(st, LOG_PREFIX, NULL, note_record, ret, err);
	return *ret ? RC_OK : rc;
}

bool lost_log_has_first_run(struct store *st, const struct store_run *own)
{
	const unsigned int kinds = 1u << STORE_RUN_OTHER | 1u << STORE_RUN_PACK;
	int64_t oldest;
	struct err ignored;

	return !store_runs_oldest(st, kinds, own, &oldest, &ignored) &&
	       oldest != INT64_MAX;
}

/* --- shards that are nobody's --------------------------------------------- */

struct found {
	char *key;
	bool has_run;
};

struct looking {
	struct found *all;
	size_t n, cap;
	size_t of_place;
	bool is_over;
};

static void release(struct looking *l)
{
	while (l->n)
		free(l->all[--l->n].key);
	free(l->all);
}

static int by_key(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* store_list_fn */
static enum rc note_shard(void *arg, const char *key, uint64_t size,
			  struct err *err)
{
	struct looking *l = arg;

	(void)size;
	l->is_over = *key >= AFTER_DIGITS || l->of_place == LOOKS;
	if (l->is_over)
		return err_set(err, RC_EXISTS, "that is enough");
	if (!archive_key_is_shard(key))
		return RC_OK;
	l->all = mem_grow(l->all, &l->cap, l->n + 1, sizeof(*l->all));
	l->all[l->n++] = (struct found){ .key = xstrdup(key) };
	l->of_place++;
	return RC_OK;
}

/* A directory beside the archive's that may not be read is of no interest, so
 * it is not listed; in buckets there is no such thing, and lists are dear.
 */
static enum rc list_shards(struct looking *l, struct store *place,
			   struct err *err)
{
	enum rc rc = RC_OK;

	if (store_is_remote(place))
		return store_list(place, "", NULL, note_shard, l, err);
	for (char c = '0'; c <= '9' && !rc; c++)
		rc = store_list(place, (const char[]){ c, '\0' }, NULL,
				note_shard, l, err);
	return rc;
}

/* store_place_fn: each by itself, as the list of several is of all there is. */
static enum rc look_in(void *arg, const char *zone, struct store *place,
		       struct err *err)
{
	struct looking *l = arg;
	enum rc rc;

	l->of_place = 0;
	l->is_over = false;
	rc = list_shards(l, place, err);
	if (!rc || l->is_over)
		return RC_OK;
	return zone ? err_prefix(err, "store %s", zone) : rc;
}

/* store_claim_fn; a shard may be in several places. */
static enum rc note_claim(void *arg, const char *run, const char *key,
			  struct err *err)
{
	struct looking *l = arg;
	/* Not changed: the comparison wants one. */
	const struct found like = { .key = (char *)(uintptr_t)key };
	struct found *at;

	(void)run;
	(void)err;
	if (!key || !l->n)
		return RC_OK;
	at = bsearch(&like, l->all, l->n, sizeof(like), by_key);
	if (at)
		at->has_run = true;
	return RC_OK;
}

static void sort_once(struct looking *l)
{
	size_t n = 0;

	if (l->n)
		qsort(l->all, l->n, sizeof(*l->all), by_key);
	for (size_t i = 0; i < l->n; i++) {
		if (n && !by_key(&l->all[n - 1], &l->all[i]))
			free(l->all[i].key);
		else
			l->all[n++] = l->all[i];
	}
	l->n = n;
}

/* With what the log says, or NULL. */
static const char *first_of_nobody(const struct looking *l,
				   const struct shard_meta *known,
				   size_t n_known,
				   const struct oplog_state *state)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct shard_meta like = { .key = l->all[i].key };

		if (l->all[i].has_run ||
		    (n_known && bsearch(&like, known, n_known, sizeof(*known),
					shard_meta_compare)) ||
		    (state && oplog_state_knows(state, like.key)))
			continue;
		return like.key;
	}
	return NULL;
}

bool lost_log_names_shards(const struct oplog *log)
{
	return oplog_count(log) || oplog_state_n_old(oplog_state(log));
}

/* What is there now may be of runs that ended since the caller read it. */
static enum rc check_with_log(const struct looking *l, struct store *st,
			      const struct shard_meta *known, size_t n_known,
			      struct err *err)
{
	struct oplog *log = oplog_new();
	const char *first = NULL;
	bool changed = false;
	enum rc rc = oplog_read(log, st, &changed, err);

	if (!rc && !lost_log_names_shards(log))
		first = first_of_nobody(l, known, n_known, oplog_state(log));
	if (first)
		rc = err_set(err, RC_NOENT,
			     "%s: has shards, %s the first, and no log that "
			     "names any: to go on would hide them; 'desfs "
			     "rebuild' makes it again",
			     store_url(st), first);
	oplog_free(log);
	return rc;
}

/* In this order: a shard listed here whose run is not alive after that is told
 * by the claims, or named by the log that is read at last.
 */
static enum rc look(struct looking *l, struct store *st,
		    const struct store_run *own, const struct shard_meta *known,
		    size_t n_known, struct err *err)
{
	if (store_each_place(st, DESCRIPTOR_KEY, look_in, l, err))
		return err->rc;
	sort_once(l);
	/* Where lists lag nothing follows from what was not seen. */
	if (!l->n || store_lists_lag(st) || lost_log_has_first_run(st, own))
		return RC_OK;
	if (store_claims(st, note_claim, l, err))
		return err->rc;
	if (!first_of_nobody(l, known, n_known, NULL))
		return RC_OK;
	return check_with_log(l, st, known, n_known, err);
}

enum rc lost_log_check(struct store *st, const struct store_run *own,
		       const struct shard_meta *known, size_t n_known,
		       struct err *err)
{
	struct looking l = { .n = 0 };
	enum rc rc = look(&l, st, own, known, n_known, err);

	release(&l);
	return rc;
}
