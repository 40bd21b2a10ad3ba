/* SPDX-License-Identifier: Apache-2.0 */
/* oplog.c - the records of the log read so far, and what they add up to. */
#include "config.h"

#include "volume/oplog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "volume/oplog-backend.h"
#include "volume/oplog-state.h"

#define CHECKPOINT "checkpoint-"

/* Clocks of writers differ by at most that; a record may turn up behind another
 * with a later name.
 */
#define OVERLAP_US (INT64_C(15) * 60 * 1000000)

/* So many are listed in one request, so nothing is saved by listing fewer. */
#define LIST_PAGE 900u

/* How long it may be that the whole log was not listed, for who goes on to look
 * and for who begins with an index cache: a record may turn up later than all
 * expect, as when its writer's clock is wrong.
 */
#define LIST_ALL_US (INT64_C(3600) * 1000000)
#define LIST_ALL_KEPT_US (24 * LIST_ALL_US)

struct oplog *oplog_new(void)
{
	struct oplog *log = xcalloc(1, sizeof(*log));

	log->state = oplog_state_new(NULL, 0);
	return log;
}

static void free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static void free_records(struct oplog_record **records, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		oplog_record_release(records[i]);
		free(records[i]);
	}
	free(records);
}

void oplog_free(struct oplog *log)
{
	if (!log)
		return;
	oplog_state_free(log->state);
	free_records(log->records, log->n_records);
	free(log);
}

void news_release(struct news *news)
{
	oplog_forget_kept(news);
	free_names(news->names, news->n_names);
	free_records(news->records, news->n_records);
}

void oplog_expect(struct oplog *log, const uint8_t archive_id[SHARD_ID_LEN])
{
	memcpy(log->archive_id, archive_id, SHARD_ID_LEN);
	log->has_id = true;
}

size_t oplog_count(const struct oplog *log)
{
	return oplog_state_n_counting(log->state);
}

const struct shard_meta *oplog_shard(const struct oplog *log, size_t i)
{
	return oplog_state_counting(log->state, i);
}

size_t oplog_n_records(const struct oplog *log)
{
	return log->n_records;
}

const struct oplog_record *oplog_record_at(const struct oplog *log, size_t i)
{
	return log->records[i];
}

const struct oplog_state *oplog_state(const struct oplog *log)
{
	return log->state;
}

const struct tombstone_set *oplog_deleted(const struct oplog *log)
{
	(void)log;
	return NULL;
}

void oplog_keep_receipts(struct oplog *log)
{
	log->keeps_receipts = true;
}

void oplog_want_all(struct oplog *log)
{
	log->wants_all = true;
}

void oplog_newest(const struct oplog *log, struct oplog_prev *ret)
{
	const struct oplog_record *r;

	*ret = (struct oplog_prev){ .name = NULL };
	if (!log->n_records)
		return;
	r = log->records[log->n_records - 1];
	ret->name = r->name;
	memcpy(ret->sha256, r->sha256, SHA256_LEN);
}

static int by_name(const void *a, const void *b)
{
	const struct oplog_record *const *x = a;
	const struct oplog_record *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int name_of(const void *name, const void *at)
{
	const struct oplog_record *const *r = at;

	return strcmp(name, (*r)->name);
}

static bool is_known(const struct oplog *log, const char *name)
{
	return log->n_records && bsearch(name, log->records, log->n_records,
					 sizeof(*log->records), name_of);
}

void news_add_name(struct news *news, const char *name)
{
	news->names = mem_grow(news->names, &news->names_cap, news->n_names + 1,
			       sizeof(*news->names));
	news->names[news->n_names++] = xstrdup(name);
}

/* store_list_fn: note the records not read before. */
static enum rc note(void *arg, const char *key, uint64_t size, struct err *err)
{
	struct news *news = arg;
	const char *name = key + strlen(OPLOG_PREFIX);
	int64_t time;

	(void)size;
	if (!strncmp(name, CHECKPOINT, strlen(CHECKPOINT)))
		return err_set(err, RC_UNSUPPORTED,
			       "%s: this program does not read checkpoints",
			       key);
	if (!oplog_name_time(name, &time))
		return RC_OK;
	if (is_known(news->log, name))
		news->n_seen++;
	else
		news_add_name(news, name);
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
 * from the future does not hide what is written now.
 */
static void start_after(const struct oplog *log, char *ret, size_t size)
{
	int64_t now = clock_wall_ns() / 1000;
	char stamp[TIMESTAMP_COMPACT_TEXT];
	int64_t last;

	ret[0] = '\0';
	if (wants_all(log, now) || !log->n_records ||
	    !oplog_name_time(log->records[log->n_records - 1]->name, &last))
		return;
	timestamp_format_compact((last < now ? last : now) - OVERLAP_US, stamp);
	snprintf(ret, size, OPLOG_PREFIX "%s", stamp);
}

static enum rc check_record(struct news *news, const struct oplog_record *r,
			    const char *name, struct err *err)
{
	int64_t time = 0;

	if (!oplog_name_time(name, &time) || time != r->time)
		return err_set(err, RC_CORRUPT,
			       "time is not the one in its name");
	if (!news->has_id) {
		memcpy(news->archive_id, r->archive_id, SHARD_ID_LEN);
		news->has_id = true;
	}
	if (memcmp(news->archive_id, r->archive_id, SHARD_ID_LEN) != 0)
		return err_set(err, RC_CORRUPT, "record of another archive");
	return RC_OK;
}

enum rc news_add_record(struct news *news, const char *name, const void *p,
			size_t len, struct err *err)
{
	CLEANUP(oplog_record_release) struct oplog_record r = { 0 };
	struct oplog_record *at;

	if (oplog_record_decode(p, len, &r, err) ||
	    check_record(news, &r, name, err))
		return err_prefix(err, OPLOG_PREFIX "%s", name);
	news->records = mem_grow(news->records, &news->cap, news->n_records + 1,
				 sizeof(*news->records));
	at = xcalloc(1, sizeof(*at));
	*at = r;
	r = (struct oplog_record){ 0 };
	at->name = xstrdup(name);
	sha256_of(p, len, at->sha256);
	news->records[news->n_records++] = at;
	return RC_OK;
}

static enum rc read_record(struct news *news, struct store *st,
			   const char *name, struct err *err)
{
	CLEANUP_FREE char *key = xasprintf(OPLOG_PREFIX "%s", name);
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, OPLOG_RECORD_MAX);
	if (store_read_all(st, key, OPLOG_RECORD_MAX, &b, err) ||
	    news_add_record(news, name, b.p, b.len, err))
		return err->rc;
	oplog_keep_record(news, key, &b);
	return RC_OK;
}

enum rc news_finish(struct oplog *log, struct news *news, struct err *err)
{
	size_t n = log->n_records + news->n_records;
	struct oplog_record **all =
		xcalloc(n + 1, sizeof(struct oplog_record *));
	struct oplog_state *state;

	for (size_t i = 0; i < log->n_records; i++)
		all[i] = log->records[i];
	for (size_t i = 0; i < news->n_records; i++)
		all[log->n_records + i] = news->records[i];
	if (n)
		qsort(all, n, sizeof(struct oplog_record *), by_name);
	state = oplog_state_new((const struct oplog_record *const *)all, n);
	if (oplog_state_check(state, err)) {
		oplog_state_free(state);
		free(all);
		return err->rc;
	}
	oplog_state_free(log->state);
	free(log->records);
	log->state = state;
	log->records = all;
	log->n_records = n;
	news->n_records = 0;
	log->has_id = news->has_id;
	memcpy(log->archive_id, news->archive_id, SHARD_ID_LEN);
	return RC_OK;
}

void news_begin(struct news *news, struct oplog *log)
{
	*news = (struct news){ .log = log, .has_id = log->has_id };
	memcpy(news->archive_id, log->archive_id, SHARD_ID_LEN);
}

/* What the index cache knew must be in the list, as far as that goes back. */
static enum rc check_seen(const struct oplog *log, const struct news *news,
			  const char *after, struct err *err)
{
	const char *name = *after ? after + strlen(OPLOG_PREFIX) : "";
	size_t n = 0;

	if (!log->is_unproved)
		return RC_OK;
	while (n < log->n_records &&
	       strcmp(log->records[log->n_records - 1 - n]->name, name) > 0)
		n++;
	if (news->n_seen >= n)
		return RC_OK;
	return err_set(err, RC_CHANGED,
		       "the log has lost records: another archive is there");
}

void oplog_trust(struct oplog *log)
{
	log->is_unproved = false;
}

enum rc oplog_read(struct oplog *log, struct store *st, bool *ret_changed,
		   struct err *err)
{
	CLEANUP(news_release) struct news news = { 0 };
	int64_t now = clock_wall_ns() / 1000;
	bool is_new, is_due;
	char after[64];

	news_begin(&news, log);
	start_after(log, after, sizeof(after));
	if (store_list(st, OPLOG_PREFIX, after, note, &news, err) ||
	    check_seen(log, &news, after, err))
		return err->rc;
	for (size_t i = 0; i < news.n_names; i++) {
		if (read_record(&news, st, news.names[i], err))
			return err->rc;
	}
	is_new = news.n_names;
	if (is_new && news_finish(log, &news, err))
		return err->rc;
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
