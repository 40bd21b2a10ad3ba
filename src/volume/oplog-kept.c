/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-kept.c - the log's records in the index cache.
 *
 * A record missing there would hide shards for ever, since lists begin at the
 * last one known.  So a document beside the records and checkpoints tells how
 * many records there are and a hash of their names; unless both are right,
 * nothing is loaded.  It sorts behind the others, so that it and they come from
 * one look.  What has names that must go is removed before more is put: who
 * stops in between begins anew.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "catalog/catalog.h"
#include "erase/tombstone.h"
#include "volume/oplog-backend.h"
#include "volume/oplog-checkpoint.h"
#include "volume/oplog-state.h"

#define SUMMARY_KEY OPLOG_PREFIX "~known"
#define SUMMARY_TEXT (20 + 1 + HEX_TEXT(SHA256_LEN) + 21 + 1)

/* Bytes of records held back, to be put at once. */
#define KEPT_BYTES_MAX (16u << 20)

static void names_hash(struct oplog_record *const *records, size_t n, char *ret)
{
	struct sha256 h;
	uint8_t hash[SHA256_LEN];

	sha256_init(&h);
	for (size_t i = 0; i < n; i++)
		sha256_update(&h, records[i]->name,
			      strlen(records[i]->name) + 1);
	sha256_final(&h, hash);
	hex_encode(hash, sizeof(hash), ret);
}

/* --- keeping -------------------------------------------------------------- */

void oplog_forget_kept(struct oplog_news *news)
{
	for (size_t i = 0; i < news->n_kept; i++) {
		free(news->kept[i].key);
		buf_release(&news->kept[i].body);
	}
	free(news->kept);
	news->kept = NULL;
	news->n_kept = news->kept_cap = news->kept_bytes = 0;
}

/* After a failure nothing more is kept: the summary would be wrong. */
static void put_kept(struct oplog *log, struct oplog_news *news,
		     const char *summary)
{
	struct catalog_document *docs =
		xcalloc(news->n_kept + 1, sizeof(*docs));
	size_t n = 0;

	for (; n < news->n_kept; n++)
		docs[n] = (struct catalog_document){ news->kept[n].key,
						     news->kept[n].body.p,
						     news->kept[n].body.len };
	if (summary)
		docs[n++] = (struct catalog_document){ SUMMARY_KEY, summary,
						       strlen(summary) };
	if (!catalog_put_documents(log->catalog, log->location, docs, n))
		log->catalog = NULL;
	free(docs);
	oplog_forget_kept(news);
}

void oplog_keep_record(struct oplog_news *news, const char *key,
		       struct buf *body)
{
	if (!news->log->catalog)
		return;
	news->kept = mem_grow(news->kept, &news->kept_cap, news->n_kept + 1,
			      sizeof(*news->kept));
	news->kept[news->n_kept++] =
		(struct kept_record){ xstrdup(key), *body };
	news->kept_bytes += body->len;
	*body = (struct buf){ 0 };
	if (news->kept_bytes > KEPT_BYTES_MAX)
		put_kept(news->log, news, NULL);
}

static bool drop(struct oplog *log, const struct oplog_news *news)
{
	const struct oplog_names *keys = &news->dropped;

	return !keys->n ||
	       catalog_drop_documents(log->catalog, log->location,
				      (const char *const *)keys->p, keys->n);
}

void oplog_keep(struct oplog *log, struct oplog_news *news)
{
	char hash[HEX_TEXT(SHA256_LEN)], text[SUMMARY_TEXT];

	if (log->catalog && !drop(log, news))
		log->catalog = NULL;
	if (!log->catalog)
		return;
	names_hash(log->records, log->n_records, hash);
	snprintf(text, sizeof(text), "%zu %s %" PRId64 "\n", log->n_records,
		 hash, log->listed_all);
	put_kept(log, news, text);
}

/* --- loading -------------------------------------------------------------- */

struct load {
	struct oplog_news news;
	struct oplog_names records; /* that are there by themselves */
	char summary[SUMMARY_TEXT]; /* "": none */
	struct err *err;
};

static bool load_one(void *arg, const char *key, const void *p, size_t len)
{
	const char *name = key + strlen(OPLOG_PREFIX);
	struct load *l = arg;
	int64_t time;

	if (!strcmp(key, SUMMARY_KEY)) {
		if (len < sizeof(l->summary))
			memcpy(l->summary, p, len);
		return true;
	}
	if (oplog_checkpoint_name_time(name, &time))
		return !oplog_news_add_checkpoint(&l->news, name, p, len,
						  l->err);
	if (!oplog_record_name_time(name, &time))
		return true;
	oplog_names_add(&l->records, key);
	return !oplog_news_add_record(&l->news, name, p, len, l->err);
}

static enum rc check_summary(struct load *l, int64_t *ret_listed,
			     struct err *err)
{
	char hash[HEX_TEXT(SHA256_LEN)], want[SUMMARY_TEXT];
	size_t at;

	names_hash(l->news.records, l->news.n_records, hash);
	at = (size_t)snprintf(want, sizeof(want), "%zu %s ", l->news.n_records,
			      hash);
	if (strncmp(l->summary, want, at) != 0)
		return err_set(err, RC_CORRUPT,
			       "index cache: records of the log are missing");
	*ret_listed = strtoll(l->summary + at, NULL, 10);
	return RC_OK;
}

void oplog_attach(struct oplog *log, struct catalog *c, const char *location)
{
	log->catalog = c;
	log->location = location;
}

struct rest {
	const struct oplog_state *state;
	struct oplog_names *dropped;
};

/* catalog_document_fn: note a document that nobody needs any more. */
static bool note_done(void *arg, const char *key, const void *p, size_t len)
{
	const struct oplog_tombstone *tombstone;
	struct rest *rest = arg;

	(void)p;
	(void)len;
	tombstone = oplog_state_find_tombstone(rest->state, key);
	if (!tombstone || tombstone->done)
		oplog_names_add(rest->dropped, key);
	return true;
}

static bool is_folded(const struct oplog *log, const char *name)
{
	for (size_t i = 0; i < log->n_checkpoints; i++) {
		if (oplog_names_has(&log->checkpoints[i].records, name))
			return true;
	}
	return false;
}

/* Another process may have put something at the moment in which it was removed
 * elsewhere.
 */
static void drop_rest(struct oplog *log, const struct load *l)
{
	struct oplog_names dropped = { .n = 0 };
	struct rest rest = { log->state, &dropped };

	for (size_t i = 0; log->n_checkpoints && i < l->records.n; i++) {
		const char *key = l->records.p[i];

		if (is_folded(log, key + strlen(OPLOG_PREFIX)))
			oplog_names_add(&dropped, key);
	}
	catalog_each_document(log->catalog, log->location, TOMBSTONE_PREFIX,
			      note_done, &rest);
	if (dropped.n)
		(void)catalog_drop_documents(log->catalog, log->location,
					     (const char *const *)dropped.p,
					     dropped.n);
	oplog_names_release(&dropped);
}

enum rc oplog_load(struct oplog *log, size_t *ret_n, struct err *err)
{
	struct load l = { .err = err };
	enum rc rc = RC_OK;
	int64_t listed = 0;

	*ret_n = 0;
	err->rc = RC_OK;
	oplog_news_begin(&l.news, log);
	catalog_each_document(log->catalog, log->location, OPLOG_PREFIX,
			      load_one, &l);
	rc = err->rc;
	if (!rc)
		rc = oplog_news_unite(&l.news, err);
	if (!rc && l.news.n_records)
		rc = check_summary(&l, &listed, err);
	if (!rc && l.news.n_records)
		rc = oplog_news_finish(&l.news, NULL, err);
	if (!rc && log->n_records) {
		log->is_unproved = true;
		log->listed_all = listed;
		*ret_n = log->n_records;
		drop_rest(log, &l);
	}
	oplog_names_release(&l.records);
	oplog_news_release(&l.news);
	return rc;
}
