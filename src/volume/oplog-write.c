/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-write.c - writing a record of the log. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "store/store-write.h"
#include "volume/oplog-backend.h"
#include "volume/oplog-checkpoint.h"

#define RECORD_KEY_TEXT 96
#define DAY_US (INT64_C(24) * 3600 * 1000000)
/* The newest record may be folded into a checkpoint just then. */
#define ATTEMPTS_MAX 3

/* Not before the newest record that is not of the future. */
static void set_time(struct oplog_record *r, int64_t newest)
{
	r->time = clock_wall_us();
	if (r->time <= newest)
		r->time = newest + 1;
}

static int64_t newest_time(const struct oplog *log)
{
	size_t i = log->n_records;

	while (i && oplog_is_of_the_future(log->records[i - 1]->time))
		i--;
	if (i < log->n_records)
		log_warn("log: %s: its time is ahead of this machine's clock",
			 log->records[log->n_records - 1]->name);
	return i ? log->records[i - 1]->time : INT64_MIN;
}

/* What cannot be read again would be an error to all readers for ever. */
static enum rc encode(const struct oplog_record *r,
		      const uint8_t archive_id[SHARD_ID_LEN], struct buf *out,
		      struct err *err)
{
	struct oplog_record again = { 0 };

	oplog_record_encode(r, archive_id, out);
	if (!buf_ok(out))
		return err_set(err, RC_LIMIT,
			       "log record of kind %s cannot be written: it "
			       "would be over %u bytes, or has what no record "
			       "may have",
			       oplog_kind_text(r->kind), OPLOG_RECORD_MAX);
	if (oplog_record_decode(out->p, out->len, &again, err))
		return err_prefix(err, "log record that was to be written");
	oplog_record_release(&again);
	return RC_OK;
}

static enum rc put(struct store *st, struct oplog_record *r,
		   const uint8_t archive_id[SHARD_ID_LEN], struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = OPLOG_RECORD_MAX };
	char key[RECORD_KEY_TEXT];
	bool existed = false;

	if (encode(r, archive_id, &text, err) ||
	    oplog_record_key(r->time, key, sizeof(key), err) ||
	    store_put(st, key, text.p, text.len, &existed, err))
		return err->rc;
	free(r->name);
	r->name = xstrdup(key + strlen(OPLOG_PREFIX));
	sha256_of(text.p, text.len, r->sha256);
	return RC_OK;
}

enum rc oplog_write(struct oplog *log, struct store *st, struct oplog_record *r,
		    const uint8_t archive_id[SHARD_ID_LEN], struct err *err)
{
	int64_t newest = newest_time(log);
	struct oplog_prev prev;

	free(r->prev.name);
	oplog_newest(log, &prev);
	/* No list may show it yet. */
	if (log->written.name && log->written_time > newest &&
	    !oplog_is_of_the_future(log->written_time)) {
		newest = log->written_time;
		prev = log->written;
	}
	r->prev = prev;
	if (prev.name)
		r->prev.name = xstrdup(prev.name);
	set_time(r, newest);
	if (put(st, r, archive_id, err))
		return err->rc;
	free(log->written.name);
	log->written.name = xstrdup(r->name);
	memcpy(log->written.sha256, r->sha256, SHA256_LEN);
	log->written_time = r->time;
	return RC_OK;
}

/* --- without the log ------------------------------------------------------ */

struct newest {
	char *name;   /* of a record; NULL: there is none */
	int64_t time; /* of that, or of a checkpoint if that is later */
};

/* store_list_fn */
static enum rc note(void *arg, const char *key, uint64_t size, struct err *err)
{
	const char *name = key + strlen(OPLOG_PREFIX);
	struct newest *newest = arg;
	bool is_record;
	int64_t time;

	(void)size;
	(void)err;
	is_record = oplog_record_name_time(name, &time);
	if ((!is_record && !oplog_checkpoint_name_time(name, &time)) ||
	    oplog_is_of_the_future(time))
		return RC_OK;
	if (time > newest->time)
		newest->time = time;
	if (is_record) {
		free(newest->name);
		newest->name = xstrdup(name);
	}
	return RC_OK;
}

/* Among those of the last day, if there is any, for a long log is listed in
 * many requests.
 */
static enum rc find_newest(struct store *st, struct newest *ret,
			   struct err *err)
{
	int64_t since = clock_wall_us() - DAY_US;
	char stamp[TIMESTAMP_COMPACT_TEXT], after[64];

	timestamp_format_compact(since, stamp);
	snprintf(after, sizeof(after), OPLOG_PREFIX "%s", stamp);
	free(ret->name);
	*ret = (struct newest){ .time = INT64_MIN };
	if (store_list(st, OPLOG_PREFIX, after, note, ret, err))
		return err->rc;
	if (ret->name)
		return RC_OK;
	return store_list(st, OPLOG_PREFIX, "", note, ret, err);
}

static enum rc set_prev(struct store *st, struct oplog_record *r,
			const char *name, struct err *err)
{
	CLEANUP_FREE char *key = xasprintf(OPLOG_PREFIX "%s", name);
	CLEANUP_BUF struct buf text = { 0 };

	buf_init(&text, OPLOG_RECORD_MAX);
	if (store_read_all(st, key, OPLOG_RECORD_MAX, &text, err))
		return err->rc;
	r->prev.name = xstrdup(name);
	sha256_of(text.p, text.len, r->prev.sha256);
	return RC_OK;
}

enum rc oplog_append(struct store *st, struct oplog_record *r,
		     const uint8_t archive_id[SHARD_ID_LEN], struct err *err)
{
	struct newest newest = { .name = NULL };
	enum rc rc = RC_NOENT;

	free(r->prev.name);
	r->prev = (struct oplog_prev){ .name = NULL };
	for (int i = 0; rc == RC_NOENT && i < ATTEMPTS_MAX; i++) {
		rc = find_newest(st, &newest, err);
		if (!rc && newest.name)
			rc = set_prev(st, r, newest.name, err);
	}
	free(newest.name);
	if (rc)
		return rc;
	set_time(r, newest.time);
	return put(st, r, archive_id, err);
}

/* --- taking back ---------------------------------------------------------- */

static bool is_gone(void *arg, const struct shard_meta *m)
{
	(void)arg;
	(void)m;
	return true;
}

/* A record has names, and nobody would look for versions of this one again.
 * Without them it is taken back all the same.
 */
static void purge_versions(struct store *st, const char *key)
{
	enum store_gone gone = STORE_KEPT;
	int64_t until;
	struct err err;

	if (store_purge(st, key, &gone, &until, &err))
		log_warn("%s, taken back: versions of it may be left: %s", key,
			 err.msg);
	else if (gone == STORE_KEPT)
		log_warn("%s, taken back: its store keeps it", key);
}

enum rc oplog_take_back(struct store *st, const struct oplog_record *r,
			const uint8_t archive_id[SHARD_ID_LEN], struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = OPLOG_CHECKPOINT_MAX };
	CLEANUP_FREE char *old = xasprintf(OPLOG_PREFIX "%s", r->name);
	struct oplog_record nothing = *r;
	const struct oplog_record *stands = &nothing;
	char key[OPLOG_CHECKPOINT_KEY_TEXT];
	bool existed = false;
	size_t n = 0;
	enum rc rc;

	nothing.replaces = NULL;
	nothing.n_replaces = 0;
	if (oplog_checkpoint_encode(&stands, 1, archive_id, r->time, is_gone,
				    NULL, &text, &n, err))
		return err->rc;
	if (!n)
		return err_set(err, RC_LIMIT, "%s: too long for a checkpoint",
			       old);
	if (oplog_checkpoint_key(r->time, key, sizeof(key), err) ||
	    store_put(st, key, text.p, text.len, &existed, err))
		return err->rc;
	rc = store_remove(st, old, err);
	if (rc && rc != RC_NOENT)
		return rc;
	purge_versions(st, old);
	return RC_OK;
}
