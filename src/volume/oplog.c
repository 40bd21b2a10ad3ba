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
	return xcalloc(1, sizeof(struct oplog));
}

static void free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static void free_shards(struct shard_meta *shards, size_t n)
{
	for (size_t i = 0; i < n; i++)
		shard_meta_release(&shards[i]);
	free(shards);
}

void oplog_free(struct oplog *log)
{
	if (!log)
		return;
	free_names(log->names, log->n_names);
	free_shards(log->shards, log->n_shards);
	free(log);
}

void news_release(struct news *news)
{
	oplog_forget_kept(news);
	free_names(news->names, news->n_names);
	free_shards(news->shards, news->n_shards);
}

void oplog_expect(struct oplog *log, const uint8_t archive_id[SHARD_ID_LEN])
{
	memcpy(log->archive_id, archive_id, SHARD_ID_LEN);
	log->has_id = true;
}

size_t oplog_count(const struct oplog *log)
{
	return log->n_shards;
}

const struct shard_meta *oplog_shard(const struct oplog *log, size_t i)
{
	return &log->shards[i];
}

/* Read the time out of TIME-RANDOM.json; false for names of another form. */
bool oplog_name_time(const char *name, int64_t *ret_time)
{
	const size_t stamp = TIMESTAMP_COMPACT_TEXT - 1;
	uint8_t random[16];

	return strlen(name) == stamp + 1 + 32 + 5 && name[stamp] == '-' &&
	       !strcmp(name + stamp + 33, ".json") &&
	       hex_decode(name + stamp + 1, 32, random, sizeof(random)) &&
	       timestamp_parse_compact(name, stamp, ret_time);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int shard_meta_compare(const void *a, const void *b)
{
	const struct shard_meta *x = a;
	const struct shard_meta *y = b;

	return strcmp(x->key, y->key);
}

static bool is_known(const struct oplog *log, const char *name)
{
	return log->n_names && bsearch(&name, log->names, log->n_names,
				       sizeof(*log->names), by_name);
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

	if (!log->is_unproved)
		return age > LIST_ALL_US;
	return log->n_names < LIST_PAGE || age > LIST_ALL_KEPT_US;
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
	if (wants_all(log, now) || !log->n_names ||
	    !oplog_name_time(log->names[log->n_names - 1], &last))
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

/* Move the record's shards over. */
static void take_shards(struct news *news, struct oplog_record *r)
{
	news->shards =
		mem_grow(news->shards, &news->shards_cap,
			 news->n_shards + r->n_shards, sizeof(*news->shards));
	for (size_t i = 0; i < r->n_shards; i++)
		news->shards[news->n_shards++] = r->shards[i];
	r->n_shards = 0;
}

enum rc news_add_record(struct news *news, const char *name, const void *p,
			size_t len, struct err *err)
{
	CLEANUP(oplog_record_release) struct oplog_record r = { 0 };

	if (oplog_record_decode(p, len, &r, err) ||
	    check_record(news, &r, name, err))
		return err_prefix(err, OPLOG_PREFIX "%s", name);
	take_shards(news, &r);
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

/* Sort, and of the shards of one key keep the first; two that differ are an
 * error.
 */
static enum rc unite(struct shard_meta *shards, size_t *n, struct err *err)
{
	size_t kept = 0;

	if (*n)
		qsort(shards, *n, sizeof(*shards), shard_meta_compare);
	for (size_t i = 0; i < *n; i++) {
		struct shard_meta *last = kept ? &shards[kept - 1] : NULL;

		if (!last || strcmp(last->key, shards[i].key) != 0) {
			struct shard_meta m = shards[i];

			shards[i] = (struct shard_meta){ 0 };
			shards[kept++] = m;
			continue;
		}
		if (last->size != shards[i].size ||
		    memcmp(last->root, shards[i].root, SHARD_ROOT_LEN) != 0)
			return err_set(err, RC_CORRUPT,
				       "%s: two log records differ in its size "
				       "or root",
				       last->key);
		shard_meta_release(&shards[i]);
	}
	*n = kept;
	return RC_OK;
}

/* The shard of a key that the log has already; NULL for none. */
static const struct shard_meta *find(const struct oplog *log,
				     const struct shard_meta *like)
{
	if (!log->n_shards)
		return NULL;
	return bsearch(like, log->shards, log->n_shards, sizeof(*log->shards),
		       shard_meta_compare);
}

/* Drop the news that are none. */
static enum rc drop_known(const struct oplog *log, struct news *news,
			  struct err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < news->n_shards; i++) {
		struct shard_meta m = news->shards[i];
		const struct shard_meta *known = find(log, &m);

		if (known && (known->size != m.size ||
			      memcmp(known->root, m.root, SHARD_ROOT_LEN) != 0))
			return err_set(err, RC_CORRUPT,
				       "%s: two log records differ in its size "
				       "or root",
				       m.key);
		news->shards[i] = (struct shard_meta){ 0 };
		if (known)
			shard_meta_release(&m);
		else
			news->shards[kept++] = m;
	}
	news->n_shards = kept;
	return RC_OK;
}

/* Nothing can fail any more. */
static void adopt(struct oplog *log, struct news *news)
{
	log->names =
		mem_grow(log->names, &log->names_cap,
			 log->n_names + news->n_names, sizeof(*log->names));
	for (size_t i = 0; i < news->n_names; i++)
		log->names[log->n_names++] = news->names[i];
	news->n_names = 0;
	if (log->n_names)
		qsort(log->names, log->n_names, sizeof(*log->names), by_name);
	log->shards =
		mem_grow(log->shards, &log->shards_cap,
			 log->n_shards + news->n_shards, sizeof(*log->shards));
	for (size_t i = 0; i < news->n_shards; i++)
		log->shards[log->n_shards++] = news->shards[i];
	news->n_shards = 0;
	if (log->n_shards)
		qsort(log->shards, log->n_shards, sizeof(*log->shards),
		      shard_meta_compare);
	log->has_id = news->has_id;
	memcpy(log->archive_id, news->archive_id, SHARD_ID_LEN);
}

enum rc news_finish(struct oplog *log, struct news *news, struct err *err)
{
	if (unite(news->shards, &news->n_shards, err) ||
	    drop_known(log, news, err))
		return err->rc;
	adopt(log, news);
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
	while (n < log->n_names &&
	       strcmp(log->names[log->n_names - 1 - n], name) > 0)
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
	if (news_finish(log, &news, err))
		return err->rc;
	log->is_unproved = false;
	is_due = !*after && now - log->listed_all > LIST_ALL_KEPT_US / 2;
	if (!*after)
		log->listed_all = now;
	if (is_new || is_due)
		oplog_keep(log, &news);
	*ret_changed = is_new;
	return RC_OK;
}
