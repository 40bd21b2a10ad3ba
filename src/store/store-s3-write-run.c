/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-write-run.c - the marks and claims of a run of writers in a bucket.
 */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "base/unique.h"
#include "base/workers.h"
#include "net/content-md5.h"
#include "store/store-s3-write-backend.h"

#define POOL_THREADS 8
/* How often is looked whether the mark is old. */
#define MARK_STEP CLOCK_NS_PER_SEC

/* What a mark holds; its ETag tells whether ETags are MD5s there. */
static const char mark_text[] = "a run of desfs-pack is alive\n";

static enum rc put_mark(struct s3_run *run, const char *key,
			char version[S3_VERSION_MAX], int64_t *ret_time,
			struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	struct s3_store *s = (struct s3_store *)run->base.st;
	struct content_md5 md5;
	const struct s3_request rq = { .kind = REMOTE_PUT,
				       .method = HTTP_PUT,
				       .key = key,
				       .body = mark_text,
				       .body_len = sizeof(mark_text) - 1 };

	if (s3_send(s, &rq, &re, err))
		return err->rc;
	content_md5_of(mark_text, sizeof(mark_text) - 1, &md5);
	s->has_md5_tags = content_md5_is_etag(&md5, re.http.etag);
	s3_write_version(&re.http, version);
	*ret_time = s3_reply_time(&re.http);
	return RC_OK;
}

/* Its time is the server's, as far as that is known. */
static char *mark_key(const struct s3_run *run)
{
	struct s3_store *s = (struct s3_store *)run->base.st;
	char text[TIMESTAMP_COMPACT_TEXT], began[TIMESTAMP_COMPACT_TEXT];
	const char *kind = store_run_kind_text(run->kind);
	const char *dash = *kind ? "-" : "";
	int64_t skew;

	pthread_mutex_lock(&s->lock);
	skew = s->id.skew_s;
	pthread_mutex_unlock(&s->lock);
	timestamp_format_compact(clock_wall_us() + skew * 1000000, text);
	if (run->began == INT64_MIN)
		return xasprintf("%s/%s/alive-%s%s%s", STORE_TMP, run->name,
				 text, dash, kind);
	timestamp_format_compact(run->began, began);
	return xasprintf("%s/%s/alive-%s-%s%s%s", STORE_TMP, run->name, text,
			 began, dash, kind);
}

/* The new one is there before the old one goes. */
static enum rc renew(struct s3_run *run, struct err *err)
{
	struct s3_store *s = (struct s3_store *)run->base.st;
	struct s3_made made = { .key = mark_key(run) }, old;
	int64_t now = 0;
	enum rc rc = put_mark(run, made.key, made.version, &now, err);

	pthread_mutex_lock(&run->lock);
	old = rc ? made : run->mark;
	if (!rc) {
		run->mark = made;
		run->marked_at = clock_mono_ns();
		run->is_versioned = *made.version;
		if (run->began == INT64_MIN)
			run->began = now;
	}
	pthread_mutex_unlock(&run->lock);
	if (!rc && old.key)
		rc = s3_write_delete(s, old.key, old.version, err);
	free(old.key);
	return rc;
}

enum rc s3_run_mark(struct s3_run *run, struct err *err)
{
	bool is_due;
	enum rc rc;

	pthread_mutex_lock(&run->lock);
	is_due = !run->is_marking &&
		 clock_mono_ns() - run->marked_at >= S3_MARK_PERIOD;
	run->is_marking |= is_due;
	pthread_mutex_unlock(&run->lock);
	if (!is_due)
		return RC_OK;
	rc = renew(run, err);
	pthread_mutex_lock(&run->lock);
	run->is_marking = false;
	pthread_mutex_unlock(&run->lock);
	return rc;
}

/* Some runs read for hours before they have something to write. */
static void marker_main(void *arg)
{
	struct s3_run *run = arg;
	struct err ignored; /* another time comes soon */

	for (;;) {
		bool is_ending;

		pthread_mutex_lock(&run->lock);
		if (!run->is_ending)
			cond_wait_for(&run->ending, &run->lock, MARK_STEP);
		is_ending = run->is_ending;
		pthread_mutex_unlock(&run->lock);
		if (is_ending)
			return;
		(void)!s3_run_mark(run, &ignored);
	}
}

static void stop_marker(struct s3_run *run)
{
	pthread_mutex_lock(&run->lock);
	run->is_ending = true;
	pthread_cond_signal(&run->ending);
	pthread_mutex_unlock(&run->lock);
	workers_stop(run->marker);
	run->marker = NULL;
}

static void run_free(struct s3_run *run)
{
	stop_marker(run);
	workers_stop(run->pool);
	for (size_t i = 0; i < run->n_claims; i++)
		free(run->claims[i].key);
	free(run->claims);
	free(run->mark.key);
	pthread_cond_destroy(&run->ending);
	pthread_mutex_destroy(&run->lock);
	free(run);
}

enum rc s3_run_new(struct store *st, enum store_run_kind kind,
		   struct store_run **ret, struct err *err)
{
	struct s3_run *run;
	char random[HEX_TEXT(8)];

	if (unique_text(random, 8, err))
		return err->rc;
	run = xcalloc(1, sizeof(*run));
	run->base.st = st;
	run->kind = kind;
	run->retries = ((struct s3_store *)st)->rm.retries;
	run->began = INT64_MIN;
	pthread_mutex_init(&run->lock, NULL);
	cond_init(&run->ending);
	snprintf(run->name, sizeof(run->name), "run-%s", random);
	if (renew(run, err)) {
		run_free(run);
		return err->rc;
	}
	*ret = &run->base;
	return RC_OK;
}

enum rc s3_run_begin(struct store *st, enum store_run_kind kind,
		     struct store_run **ret, struct err *err)
{
	struct s3_store *s = (struct s3_store *)st;
	struct store_run *base = NULL;
	struct s3_run *run;

	if (s->run)
		return err_set(err, RC_USAGE, "a run has begun already");
	if (s3_run_new(st, kind, &base, err))
		return err->rc;
	run = (struct s3_run *)base;
	if (workers_start(&run->marker, "s3-mark", 1, 1, err)) {
		s3_run_end(base, true);
		return err->rc;
	}
	workers_submit(run->marker, marker_main, run);
	s->run = *ret = base;
	return RC_OK;
}

enum rc s3_run_claim(struct s3_run *run, const char *key, struct err *err)
{
	struct s3_store *s = (struct s3_store *)run->base.st;
	struct s3_made claim = { 0 };

	claim.key = xasprintf("%s/%s/claim/%s", STORE_TMP, run->name, key);
	if (s3_write_put(s, claim.key, "", 0, false, claim.version, err)) {
		free(claim.key);
		return err->rc;
	}
	LOCK_SCOPE(&run->lock);

	run->claims = mem_grow(run->claims, &run->cap_claims, run->n_claims + 1,
			       sizeof(*run->claims));
	run->claims[run->n_claims++] = claim;
	return RC_OK;
}

char *s3_run_upload_key(struct s3_run *run)
{
	LOCK_SCOPE(&run->lock);

	return xasprintf("%s/%s/%u", STORE_TMP, run->name, ++run->n_uploads);
}

enum rc s3_run_pool(struct s3_run *run, struct workers **ret, struct err *err)
{
	LOCK_SCOPE(&run->lock);

	if (!run->pool && workers_start(&run->pool, "s3-put", POOL_THREADS,
					POOL_THREADS, err))
		return err->rc;
	*ret = run->pool;
	return RC_OK;
}

struct removal {
	struct job job;
	struct s3_store *s;
	const struct s3_made *made;
	atomic_bool *has_failed;
};

/* A server that fails is not asked a thousand times. */
static void remove_claim(void *arg)
{
	const struct removal *r = arg;
	struct err ignored;

	if (!*r->has_failed &&
	    s3_write_delete(r->s, r->made->key, r->made->version, &ignored))
		*r->has_failed = true;
}

/* What is not removed is without a mark, so that a clean-up finds it. */
static void remove_claims(struct s3_run *run)
{
	struct s3_store *s = (struct s3_store *)run->base.st;
	struct removal *all = xcalloc(run->n_claims + 1, sizeof(*all));
	struct workers *pool = NULL;
	atomic_bool has_failed = false;
	struct err ignored;
	bool has_pool = run->n_claims > 1 && !s3_run_pool(run, &pool, &ignored);

	for (size_t i = 0; i < run->n_claims; i++) {
		all[i].s = s;
		all[i].made = &run->claims[i];
		all[i].has_failed = &has_failed;
		if (has_pool)
			job_submit(pool, &all[i].job, remove_claim, &all[i]);
		else
			remove_claim(&all[i]);
	}
	for (size_t i = 0; has_pool && i < run->n_claims; i++)
		job_wait(pool, &all[i].job);
	free(all);
}

struct sweep {
	struct s3_run *run;
	bool keep_claims;
};

static enum rc sweep_upload(void *arg, const char *key,
			    const struct s3_item *it, struct err *err)
{
	const struct sweep *sw = arg;

	return s3_multipart_abort((struct s3_store *)sw->run->base.st, key,
				  it->id, err);
}

static enum rc sweep_object(void *arg, const char *key,
			    const struct s3_item *it, struct err *err)
{
	const struct sweep *sw = arg;

	if (sw->keep_claims && strstr(key, "/claim/"))
		return RC_OK;
	return s3_write_delete((struct s3_store *)sw->run->base.st, key,
			       it->id ? it->id : "", err);
}

/* A request sent twice, since its first answer was lost, may have made two
 * uploads, or two versions of which the second alone is known.
 */
static void sweep(struct s3_run *run, bool keep_claims)
{
	CLEANUP_FREE char *prefix = xasprintf("%s/%s/", STORE_TMP, run->name);
	struct s3_store *s = (struct s3_store *)run->base.st;
	struct sweep sw = { run, keep_claims };
	struct err ignored;

	(void)!s3_write_list_uploads(s, prefix, sweep_upload, &sw, &ignored);
	if (run->is_versioned)
		(void)!s3_write_list_versions(s, prefix, sweep_object, &sw,
					      NULL, &ignored);
}

void s3_run_end(struct store_run *base, bool is_committed)
{
	struct s3_run *run = (struct s3_run *)base;
	struct s3_store *s = (struct s3_store *)base->st;
	bool keep_claims = !is_committed && run->n_claims;
	struct err ignored;

	if (s->run == base)
		s->run = NULL;
	stop_marker(run);
	if (!keep_claims)
		remove_claims(run);
	(void)!s3_write_delete(s, run->mark.key, run->mark.version, &ignored);
	if (s->rm.retries != run->retries)
		sweep(run, keep_claims);
	run_free(run);
}
