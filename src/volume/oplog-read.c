/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-read.c - looking for what is new in the log. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "volume/oplog-backend.h"
#include "volume/oplog-checkpoint.h"

/* So many are listed in one request, so nothing is saved by listing fewer. */
#define LIST_PAGE 900u

/* How long it may be that the whole log was not listed, for who goes on to look
 * and for who begins with an index cache: a record may turn up later than all
 * expect, as when its writer's clock is wrong.
 */
#define LIST_ALL_US (INT64_C(3600) * 1000000)
#define LIST_ALL_KEPT_US (24 * LIST_ALL_US)

/* What was listed may be gone when it is asked for, as it was folded into a
 * checkpoint or done in between.  Then all is listed again; so often for the
 * same object, as it is lost then, and for others while deletions go on.
 */
#define ATTEMPTS_SAME 3
#define ATTEMPTS_MAX 100

/* --- the list ------------------------------------------------------------- */

static bool note_checkpoint(struct oplog_news *news, const char *name)
{
	const struct oplog *log = news->log;

	for (size_t i = 0; i < log->n_checkpoints; i++) {
		if (!strcmp(log->checkpoints[i].name, name)) {
			news->is_seen_checkpoint[i] = true;
			return true;
		}
	}
	return false;
}

/* store_list_fn: note what is new. */
static enum rc note(void *arg, const char *key, uint64_t size, struct err *err)
{
	struct oplog_news *news = arg;
	const char *name = key + strlen(OPLOG_PREFIX);
	int64_t time;
	size_t i;

	(void)size;
	if (oplog_checkpoint_name_time(name, &time)) {
		if (!note_checkpoint(news, name))
			oplog_names_add(&news->listed_checkpoints, name);
		return RC_OK;
	}
	if (!strncmp(name, OPLOG_CHECKPOINT, strlen(OPLOG_CHECKPOINT)))
		return err_set(
			err, RC_UNSUPPORTED,
			"%s: this program does not read such checkpoints", key);
	if (!oplog_record_name_time(name, &time))
		return RC_OK;
	i = oplog_index(news->log, name);
	if (i < news->log->n_records)
		news->is_seen[i] = true;
	else
		oplog_names_add(&news->listed, name);
	return RC_OK;
}

static bool wants_all(const struct oplog *log, int64_t now)
{
	int64_t age = now - log->listed_all;

	if (log->wants_all)
		return true;
	if (!log->is_unproved)
		return age > LIST_ALL_US;
	return log->n_records < LIST_PAGE || age > LIST_ALL_KEPT_US;
}

/* Where a list for new records begins; an empty key for all of them.  A name
 * from the future does not hide what is written now.  Checkpoints come behind
 * all records.
 */
static void start_after(const struct oplog *log, char *ret, size_t size)
{
	int64_t now = clock_wall_us();
	char stamp[TIMESTAMP_COMPACT_TEXT];
	int64_t last;

	ret[0] = '\0';
	if (wants_all(log, now) || !log->n_records)
		return;
	last = log->records[log->n_records - 1]->time;
	timestamp_format_compact((last < now ? last : now) - CLOCK_SKEW_US,
				 stamp);
	snprintf(ret, size, OPLOG_PREFIX "%s", stamp);
}

/* What the index cache knew must be in the list, as far as that goes back, or
 * in a checkpoint that is.
 */
static enum rc check_seen(struct oplog_news *news, const char *after,
			  struct err *err)
{
	const char *name = *after ? after + strlen(OPLOG_PREFIX) : "";
	const struct oplog *log = news->log;

	if (!log->is_unproved)
		return RC_OK;
	for (size_t i = 0; i < log->n_checkpoints; i++) {
		const struct oplog_names *of = &log->checkpoints[i].records;

		for (size_t k = 0; news->is_seen_checkpoint[i] && k < of->n;
		     k++)
			news->is_seen[oplog_index(log, of->p[k])] = true;
	}
	for (size_t i = 0; i < news->n_checkpoints; i++) {
		const struct oplog_names *of = &news->checkpoints[i].records;

		for (size_t k = 0; k < of->n; k++)
			news->is_seen[oplog_index(log, of->p[k])] = true;
	}
	for (size_t i = log->n_records; i > 0; i--) {
		if (strcmp(log->records[i - 1]->name, name) <= 0)
			break;
		if (!news->is_seen[i - 1])
			return err_set(err, RC_CHANGED,
				       "the log has lost records: another "
				       "archive is there");
	}
	return RC_OK;
}

/* --- objects -------------------------------------------------------------- */

typedef enum rc add_fn(struct oplog_news *news, const char *name, const void *p,
		       size_t len, struct err *err);

static enum rc read_object(struct oplog_news *news, struct store *st,
			   const char *name, size_t max, add_fn *add,
			   struct err *err)
{
	CLEANUP_FREE char *key = xasprintf(OPLOG_PREFIX "%s", name);
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, max);
	if (store_read_all(st, key, max, &b, err) ||
	    add(news, name, b.p, b.len, err))
		return err->rc;
	oplog_keep_record(news, key, &b);
	return RC_OK;
}

static enum rc read_listed(struct oplog_news *news, struct store *st,
			   struct err *err)
{
	const struct oplog_names *names = &news->listed_checkpoints;

	for (size_t i = 0; i < names->n; i++) {
		if (read_object(news, st, names->p[i], OPLOG_CHECKPOINT_MAX,
				oplog_news_add_checkpoint, err))
			return err->rc;
	}
	if (oplog_news_unite(news, err))
		return err->rc;
	names = &news->listed;
	for (size_t i = 0, n = news->n_records; i < names->n; i++) {
		/* Among those that checkpoints had, which are in order. */
		struct oplog_news of = { .records = news->records,
					 .n_records = n };

		if (!oplog_news_find(&of, names->p[i]) &&
		    read_object(news, st, names->p[i], OPLOG_RECORD_MAX,
				oplog_news_add_record, err))
			return err->rc;
	}
	return oplog_news_unite(news, err);
}

/* --- predecessors --------------------------------------------------------- */

static const struct oplog_record *find(const struct oplog_news *news,
				       const char *name)
{
	const struct oplog *log = news->log;
	size_t i = oplog_index(log, name);

	return i < log->n_records ? log->records[i]
				  : oplog_news_find(news, name);
}

/* The records before those that are new, where the list did not show them. */
static enum rc note_prevs(struct oplog_news *news, struct oplog_names *ret,
			  struct err *err)
{
	for (size_t i = 0; i < news->n_records; i++) {
		const struct oplog_record *r = news->records[i], *prev;

		if (!r->prev.name)
			continue;
		prev = find(news, r->prev.name);
		if (!prev)
			oplog_names_add(ret, r->prev.name);
		else if (memcmp(prev->sha256, r->prev.sha256, SHA256_LEN) != 0)
			return err_set(err, RC_CORRUPT,
				       OPLOG_PREFIX
				       "%s: SHA-256 is not the one that %s has",
				       prev->name, r->name);
	}
	oplog_names_sort(ret);
	return RC_OK;
}

static enum rc read_prevs(struct oplog_news *news, struct store *st,
			  struct err *err)
{
	bool is_more = true;

	while (is_more) {
		CLEANUP(oplog_names_release)
		struct oplog_names names = { .n = 0 };

		if (note_prevs(news, &names, err))
			return err->rc;
		is_more = names.n;
		for (size_t i = 0; i < names.n; i++) {
			if (i && !strcmp(names.p[i - 1], names.p[i]))
				continue;
			if (read_object(news, st, names.p[i], OPLOG_RECORD_MAX,
					oplog_news_add_record, err))
				return err->rc;
		}
		if (oplog_news_unite(news, err))
			return err->rc;
	}
	return RC_OK;
}

/* --- all ------------------------------------------------------------------ */

/* What a list showed once and that was gone when it was asked for. */
static enum rc check_missing(const struct oplog_news *news,
			     const struct oplog_names *missing, struct err *err)
{
	for (size_t i = 0; i < missing->n; i++) {
		if (!find(news, missing->p[i]))
			return err_set(err, RC_CORRUPT,
				       OPLOG_PREFIX
				       "%s: it is gone, and no checkpoint "
				       "stands for it",
				       missing->p[i]);
	}
	return RC_OK;
}

/* Read what the list showed. */
static enum rc look(struct oplog_news *news, struct store *st,
		    const char *after, const struct oplog_names *missing,
		    struct err *err)
{
	if (read_listed(news, st, err) || read_prevs(news, st, err) ||
	    check_seen(news, after, err) || check_missing(news, missing, err))
		return err->rc;
	news->has_any = news->n_records || news->n_checkpoints;
	for (size_t i = 0; i < news->log->n_checkpoints; i++)
		news->has_any |= !news->is_seen_checkpoint[i];
	if (!news->has_any && news->log->deleted.is_ready)
		return RC_OK;
	return oplog_news_finish(news, st, err);
}

/* Records that the list showed and that were not read. */
static void note_missing(struct oplog_news *news, struct oplog_names *missing)
{
	struct err err;

	if (oplog_news_unite(news, &err))
		return;
	for (size_t i = 0; i < news->listed.n; i++) {
		if (!oplog_news_find(news, news->listed.p[i]))
			oplog_names_add(missing, news->listed.p[i]);
	}
}

/* Look, and list all again as often as something is gone that was there just
 * now.
 */
static enum rc look_often(struct oplog_news *news, struct oplog *log,
			  struct store *st, const char *after, struct err *err)
{
	CLEANUP(oplog_names_release) struct oplog_names missing = { .n = 0 };
	struct err why = { .msg = "" };
	int n_same = 0;
	enum rc rc;

	for (int i = 0; n_same < ATTEMPTS_SAME && i < ATTEMPTS_MAX; i++) {
		const char *from = i ? "" : after;

		if (i) {
			note_missing(news, &missing);
			oplog_news_release(news);
		}
		oplog_news_begin(news, log);
		if (store_list(st, OPLOG_PREFIX, from, note, news, err))
			return err->rc;
		rc = look(news, st, from, &missing, err);
		if (rc != RC_NOENT)
			return rc;
		/* Messages begin with the key. */
		n_same = strcmp(why.msg, err->msg) ? 1 : n_same + 1;
		why = *err;
	}
	return err_set(err, RC_CORRUPT, "%s, though the log names it", why.msg);
}

enum rc oplog_read(struct oplog *log, struct store *st, bool *ret_changed,
		   struct err *err)
{
	CLEANUP(oplog_news_release) struct oplog_news news = { 0 };
	const struct tombstone_set *before = log->deleted.set;
	int64_t now = clock_wall_us();
	bool is_new, is_due;
	char after[64];

	start_after(log, after, sizeof(after));
	if (look_often(&news, log, st, after, err))
		return err->rc;
	is_new = news.has_any || log->deleted.set != before;
	log->wants_all = false;
	log->is_unproved = false;
	is_due = !*after && now - log->listed_all > LIST_ALL_KEPT_US / 2;
	if (!*after)
		log->listed_all = now;
	if (is_new || is_due)
		oplog_keep(log, &news);
	*ret_changed = is_new;
	return RC_OK;
}
