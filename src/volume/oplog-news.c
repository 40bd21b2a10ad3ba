/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-news.c - what a look at the log adds to it: all or nothing. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "volume/oplog-backend.h"
#include "volume/oplog-checkpoint.h"
#include "volume/oplog-state.h"

/* --- names ---------------------------------------------------------------- */

void oplog_names_add(struct oplog_names *names, const char *name)
{
	names->p = mem_grow(names->p, &names->cap, names->n + 1,
			    sizeof(*names->p));
	names->p[names->n++] = xstrdup(name);
}

void oplog_names_release(struct oplog_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->p[i]);
	free(names->p);
	*names = (struct oplog_names){ .n = 0 };
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void oplog_names_sort(struct oplog_names *names)
{
	if (names->n)
		qsort(names->p, names->n, sizeof(*names->p), by_text);
}

bool oplog_names_has(const struct oplog_names *names, const char *name)
{
	return names->n &&
	       bsearch(&name, names->p, names->n, sizeof(*names->p), by_text);
}

void oplog_checkpoint_release(struct oplog_checkpoint *c)
{
	free(c->name);
	free(c->named);
	oplog_names_release(&c->records);
}

/* --- collecting ----------------------------------------------------------- */

void oplog_news_begin(struct oplog_news *news, struct oplog *log)
{
	*news = (struct oplog_news){ .log = log, .has_id = log->has_id };
	memcpy(news->archive_id, log->archive_id, SHARD_ID_LEN);
	news->is_seen = xcalloc(log->n_records + 1, sizeof(bool));
	news->is_seen_checkpoint =
		xcalloc(log->n_checkpoints + 1, sizeof(bool));
}

void oplog_news_release(struct oplog_news *news)
{
	oplog_forget_kept(news);
	for (size_t i = 0; i < news->n_records; i++) {
		oplog_record_release(news->records[i]);
		free(news->records[i]);
	}
	for (size_t i = 0; i < news->n_checkpoints; i++)
		oplog_checkpoint_release(&news->checkpoints[i]);
	free(news->records);
	free(news->checkpoints);
	free(news->is_seen);
	free(news->is_seen_checkpoint);
	oplog_names_release(&news->listed);
	oplog_names_release(&news->listed_checkpoints);
	oplog_names_release(&news->dropped);
	oplog_deleted_release(&news->deleted);
	*news = (struct oplog_news){ .log = NULL };
}

static enum rc check_id(struct oplog_news *news,
			const uint8_t archive_id[SHARD_ID_LEN],
			const char *what, struct err *err)
{
	if (!news->has_id) {
		memcpy(news->archive_id, archive_id, SHARD_ID_LEN);
		news->has_id = true;
	}
	if (memcmp(news->archive_id, archive_id, SHARD_ID_LEN) != 0)
		return err_set(err, RC_CORRUPT, "%s of another archive", what);
	return RC_OK;
}

/* Takes r over. */
static void take(struct oplog_news *news, struct oplog_record *r)
{
	struct oplog_record *at = xcalloc(1, sizeof(*at));

	*at = *r;
	*r = (struct oplog_record){ 0 };
	if (!news->log->keeps_receipts) {
		for (size_t i = 0; i < at->n_receipts; i++)
			receipt_release(&at->receipts[i]);
		free(at->receipts);
		at->receipts = NULL;
		at->lacks_receipts = at->n_receipts;
		at->n_receipts = 0;
	}
	news->records = mem_grow(news->records, &news->cap, news->n_records + 1,
				 sizeof(*news->records));
	news->records[news->n_records++] = at;
}

enum rc oplog_news_add_record(struct oplog_news *news, const char *name,
			      const void *p, size_t len, struct err *err)
{
	CLEANUP(oplog_record_release) struct oplog_record r = { 0 };
	int64_t time = 0;

	if (oplog_record_decode(p, len, &r, err) ||
	    check_id(news, r.archive_id, "record", err))
		return err_prefix(err, OPLOG_PREFIX "%s", name);
	if (!oplog_record_name_time(name, &time) || time != r.time)
		return err_set(err, RC_CORRUPT,
			       OPLOG_PREFIX
			       "%s: time is not the one in its name",
			       name);
	r.name = xstrdup(name);
	sha256_of(p, len, r.sha256);
	take(news, &r);
	return RC_OK;
}

static void note_named(struct oplog_checkpoint *c, const struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_shards; i++) {
		if (r->shards[i].is_purged)
			continue;
		c->named = mem_grow(c->named, &c->named_cap, c->n_named + 1,
				    sizeof(*c->named));
		memcpy(c->named[c->n_named++], r->shards[i].root,
		       SHARD_ROOT_LEN);
	}
}

/* oplog_checkpoint_fn */
static enum rc take_from(void *arg, struct oplog_record *r, struct err *err)
{
	struct oplog_news *news = arg;
	struct oplog_checkpoint *c =
		&news->checkpoints[news->n_checkpoints - 1];

	(void)err;
	oplog_names_add(&c->records, r->name);
	if (news->log->keeps_receipts)
		note_named(c, r);
	take(news, r);
	return RC_OK;
}

enum rc oplog_news_add_checkpoint(struct oplog_news *news, const char *name,
				  const void *p, size_t len, struct err *err)
{
	uint8_t archive_id[SHARD_ID_LEN];
	int64_t time = 0, in_name = 0;

	news->checkpoints =
		mem_grow(news->checkpoints, &news->checkpoints_cap,
			 news->n_checkpoints + 1, sizeof(*news->checkpoints));
	news->checkpoints[news->n_checkpoints++] =
		(struct oplog_checkpoint){ .name = xstrdup(name) };
	if (oplog_checkpoint_decode(p, len, archive_id, &time, take_from, news,
				    err) ||
	    check_id(news, archive_id, "checkpoint", err))
		return err_prefix(err, OPLOG_PREFIX "%s", name);
	sha256_of(p, len, news->checkpoints[news->n_checkpoints - 1].sha256);
	if (!oplog_checkpoint_name_time(name, &in_name) || time != in_name)
		return err_set(err, RC_CORRUPT,
			       OPLOG_PREFIX
			       "%s: time is not the one in its name",
			       name);
	return RC_OK;
}

static int by_name(const void *a, const void *b)
{
	const struct oplog_record *const *x = a;
	const struct oplog_record *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

enum rc oplog_news_unite(struct oplog_news *news, struct err *err)
{
	size_t kept = 0, n = news->n_records;
	enum rc rc = RC_OK;

	if (n)
		qsort(news->records, n, sizeof(*news->records), by_name);
	for (size_t i = 0; i < n; i++) {
		struct oplog_record *r = news->records[i];
		struct oplog_record *last =
			kept ? news->records[kept - 1] : NULL;
		bool is_less;

		if (!last || strcmp(last->name, r->name) != 0) {
			news->records[kept++] = r;
			continue;
		}
		if (!rc)
			rc = oplog_record_reduce(last, r, &is_less, err);
		oplog_record_release(r);
		free(r);
	}
	news->n_records = kept;
	return rc;
}

static int name_of(const void *name, const void *at)
{
	const struct oplog_record *const *r = at;

	return strcmp(name, (*r)->name);
}

const struct oplog_record *oplog_news_find(const struct oplog_news *news,
					   const char *name)
{
	struct oplog_record **r = NULL;

	if (news->n_records)
		r = bsearch(name, news->records, news->n_records,
			    sizeof(*news->records), name_of);
	return r ? *r : NULL;
}

size_t oplog_index(const struct oplog *log, const char *name)
{
	struct oplog_record **r = NULL;

	if (log->n_records)
		r = bsearch(name, log->records, log->n_records,
			    sizeof(*log->records), name_of);
	return r ? (size_t)(r - log->records) : log->n_records;
}

/* --- finishing ------------------------------------------------------------ */

/* The log's records and the news in one order.  Where both have one, the news
 * are what is left of it if that is less, and go otherwise; *ret_old are those
 * that are to go then.
 */
struct merged {
	struct oplog_record **all, **old;
	size_t n_all, n_old;
};

static enum rc merge_one(struct merged *m, struct oplog_news *news, size_t i,
			 struct oplog_record *known, struct err *err)
{
	struct oplog_record *r = news->records[i];
	bool is_less = false;

	/* What the log knows to be gone, the news have not any more, either. */
	if (oplog_record_reduce(r, known, &is_less, err))
		return err->rc;
	m->all[m->n_all++] = is_less ? r : known;
	m->old[m->n_old++] = is_less ? known : r;
	return RC_OK;
}

static enum rc merge(struct merged *m, struct oplog_news *news, struct err *err)
{
	struct oplog *log = news->log;
	size_t i = 0, k = 0;

	m->all = xcalloc(log->n_records + news->n_records + 1,
			 sizeof(struct oplog_record *));
	m->old = xcalloc(news->n_records + 1, sizeof(struct oplog_record *));
	while (i < log->n_records || k < news->n_records) {
		int c = i == log->n_records ? 1
			: k == news->n_records
				? -1
				: by_name(&log->records[i], &news->records[k]);

		if (c < 0) {
			m->all[m->n_all++] = log->records[i++];
		} else if (c > 0) {
			m->all[m->n_all++] = news->records[k++];
		} else if (merge_one(m, news, k++, log->records[i++], err)) {
			return err->rc;
		}
	}
	return RC_OK;
}

/* Keys of what the index cache has and must not have any more: records that
 * a checkpoint stands for now, and checkpoints that another took the place of.
 */
static void note_dropped(struct oplog_news *news)
{
	struct oplog *log = news->log;

	if (!log->catalog)
		return;
	for (size_t i = 0; i < news->n_checkpoints; i++) {
		const struct oplog_names *of = &news->checkpoints[i].records;

		for (size_t k = 0; k < of->n; k++) {
			CLEANUP_FREE char *key =
				xasprintf(OPLOG_PREFIX "%s", of->p[k]);

			if (oplog_index(log, of->p[k]) < log->n_records)
				oplog_names_add(&news->dropped, key);
		}
	}
	for (size_t i = 0; i < log->n_checkpoints; i++) {
		CLEANUP_FREE char *key =
			xasprintf(OPLOG_PREFIX "%s", log->checkpoints[i].name);

		if (!news->is_seen_checkpoint[i])
			oplog_names_add(&news->dropped, key);
	}
}

/* The checkpoints that are there now. */
static void adopt_checkpoints(struct oplog_news *news)
{
	struct oplog *log = news->log;
	struct oplog_checkpoint *all = xcalloc(
		log->n_checkpoints + news->n_checkpoints + 1, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < log->n_checkpoints; i++) {
		if (news->is_seen_checkpoint[i])
			all[n++] = log->checkpoints[i];
		else
			oplog_checkpoint_release(&log->checkpoints[i]);
	}
	for (size_t i = 0; i < news->n_checkpoints; i++) {
		oplog_names_sort(&news->checkpoints[i].records);
		all[n++] = news->checkpoints[i];
	}
	news->n_checkpoints = 0;
	free(log->checkpoints);
	log->checkpoints = all;
	log->n_checkpoints = n;
}

/* Nothing can fail any more. */
static void adopt(struct oplog_news *news, struct merged *m,
		  struct oplog_state *state)
{
	struct oplog *log = news->log;

	note_dropped(news);
	adopt_checkpoints(news);
	oplog_state_free(log->state);
	free(log->records);
	log->state = state;
	log->records = m->all;
	log->n_records = m->n_all;
	m->all = NULL;
	/* The news have those to be freed with them. */
	news->n_records = 0;
	for (size_t i = 0; i < m->n_old; i++)
		news->records[news->n_records++] = m->old[i];
	oplog_deleted_release(&log->deleted);
	log->deleted = news->deleted;
	news->deleted = (struct oplog_deleted){ .is_ready = false };
	log->has_id = news->has_id;
	memcpy(log->archive_id, news->archive_id, SHARD_ID_LEN);
}

enum rc oplog_news_finish(struct oplog_news *news, struct store *st,
			  struct err *err)
{
	struct oplog_state *state = NULL;
	struct merged m = { .all = NULL };
	enum rc rc;

	rc = oplog_news_unite(news, err);
	if (!rc)
		rc = merge(&m, news, err);
	if (!rc) {
		state = oplog_state_new(
			(const struct oplog_record *const *)m.all, m.n_all);
		rc = oplog_state_check(state, err);
	}
	if (!rc && st)
		rc = oplog_deleted_read(news, state, st, err);
	if (rc)
		oplog_state_free(state);
	else
		adopt(news, &m, state);
	free(m.all);
	free(m.old);
	return rc;
}
