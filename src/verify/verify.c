/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c - an archive or a shard read back. */
#include "config.h"

#include "verify/verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/stop.h"
#include "erase/tombstone-set.h"
#include "store/store.h"
#include "verify/verify-backend.h"
#include "verify/verify-choose.h"
#include "verify/verify-legacy.h"
#include "verify/verify-report.h"
#include "verify/verify-turns.h"
#include "verify/verify-twice.h"

#define AHEAD (2u << 20) /* bytes read at once where that is a request */

/* Those of them that were asked for. */
static void choose(struct verify_run *r)
{
	const struct verify_options *o = r->opts;
	size_t n = r->n_todo, before = n;

	if (o->has_since)
		n = verify_choose_since(r->todo, n, o->since);
	if (o->sample > 0)
		n = verify_choose_sample(r->todo, n, o->sample, o->seed);
	r->totals->skipped_shards += before - n;
	r->n_todo = n;
	verify_places(r);
	n = verify_choose_open(r->todo, r->n_todo, o);
	r->totals->skipped_shards += r->n_todo - n;
	r->n_todo = n;
}

static void announce(struct verify_run *r)
{
	struct verify_live *live = r->opts->live;

	if (!live)
		return;
	atomic_fetch_add(&live->shards_total, r->n_todo);
	for (size_t i = 0; i < r->n_todo; i++) {
		const struct shard_meta *m = r->todo[i].expect;

		if (!m)
			continue;
		atomic_fetch_add(&live->files_total, m->n_files);
		atomic_fetch_add(&live->bytes_total, m->plain_bytes);
	}
}

static enum rc run_turns(struct verify_run *r, struct err *err)
{
	const struct verify_shard_job common = {
		.store = r->store,
		.archive_id =
			r->has_descriptor ? r->descriptor.archive_id : NULL,
		.throttle = r->opts->throttle,
		.live = r->opts->live,
		.deep = r->opts->deep,
		.names = r->opts->deep,
		.tells_unread = true,
		.deleted = r->state ? oplog_deleted(r->log) : NULL,
		.overdue = r->overdue,
		.ahead = store_is_remote(r->store) ? AHEAD : 0,
	};

	choose(r);
	announce(r);
	return verify_turns(r->todo, r->n_todo, &common, r->opts, r->totals,
			    verify_log_is_replaced, r, err);
}

static void check_descriptor(struct verify_run *r)
{
	CLEANUP_BUF struct buf b = { .max = DESCRIPTOR_MAX };
	struct err err;
	enum rc rc;

	rc = store_read_all(r->store, DESCRIPTOR_KEY, DESCRIPTOR_MAX, &b, &err);
	if (!rc)
		rc = descriptor_decode(b.p, b.len, &r->descriptor, &err);
	r->has_descriptor = !rc;
	if (rc)
		verify_run_damage(r, DESCRIPTOR_KEY, "%s", err.msg);
}

static void tell_twice(void *arg, struct verify_report *report)
{
	struct verify_run *r = arg;

	verify_report_tell(report, r->opts, r->totals);
}

static void note_twice(struct verify_run *r)
{
	size_t n;
	const struct shard_meta **metas = verify_named(r, &n);

	verify_twice(r->store, metas, n,
		     r->state ? oplog_deleted(r->log) : NULL, tell_twice, r);
	free(metas);
}

static enum rc ignore_key(void *arg, const char *key, uint64_t size,
			  struct err *err)
{
	(void)arg;
	(void)key;
	(void)size;
	(void)err;
	return RC_OK;
}

/* Descriptor or log must be there, and the server. */
static enum rc check_unlisted(struct verify_run *r, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = DESCRIPTOR_MAX };
	struct err log;
	enum rc rc = descriptor_read(r->store, &b, err);

	if (rc == RC_NOENT &&
	    !store_list(r->store, "log/", NULL, ignore_key, NULL, &log))
		return RC_OK;
	return rc;
}

static enum rc list_objects(struct verify_run *r, struct err *err)
{
	enum rc rc = archive_list_read(&r->list, r->store, err);

	r->has_list = !rc;
	if (rc == RC_UNSUPPORTED)
		return check_unlisted(r, err);
	if (!rc && !archive_list_is_archive(&r->list))
		rc = err_set(err, RC_NOENT, "%s is not an archive of desfs",
			     r->url);
	return rc;
}

static void release(struct verify_run *r)
{
	archive_list_release(&r->list);
	tombstone_set_unref(r->overdue);
	oplog_free(r->log);
	oplog_free(r->later);
	store_close(r->store);
	free(r->unread_place);
	free(r->todo);
}

/* --- single shards of an archive ------------------------------------------ */

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static enum rc verify_keys(struct verify_run *r, struct err *err)
{
	const struct verify_options *o = r->opts;
	CLEANUP_FREE const char **keys = xcalloc(o->n_keys, sizeof(*keys));
	enum rc rc = RC_OK;

	memcpy(keys, o->keys, o->n_keys * sizeof(*keys));
	qsort(keys, o->n_keys, sizeof(*keys), by_text);
	check_descriptor(r);
	verify_log(r);
	for (size_t i = 0; !rc && i < o->n_keys; i++) {
		if (!i || strcmp(keys[i], keys[i - 1]) != 0)
			rc = verify_match_key(r, keys[i], err);
	}
	return rc ? rc : run_turns(r, err);
}

/* --- all of an archive ---------------------------------------------------- */

/* What needs all shards is left out where only some were asked for. */
static void look_at_rest(struct verify_run *r)
{
	if (!r->opts->has_since && !(r->opts->sample > 0))
		note_twice(r);
	verify_mirrors(r);
	verify_log_deleted(r);
	verify_match_rest(r);
}

static enum rc verify_whole(struct verify_run *r, struct err *err)
{
	enum rc rc = list_objects(r, err);

	if (rc)
		return rc;
	check_descriptor(r);
	verify_log(r);
	verify_match(r);
	rc = run_turns(r, err);
	if (rc)
		return rc;
	look_at_rest(r);
	return stop_requested()
		       ? err_set(err, RC_STOPPED, "stopped by a signal")
		       : RC_OK;
}

enum rc verify_archive(const char *url, const struct verify_options *opts,
		       struct verify_totals *ret, struct err *err)
{
	struct verify_run r = { .opts = opts, .totals = ret, .url = url };
	bool is_legacy = false;
	enum rc rc;

	rc = store_open(&r.store, url, opts->settings, err);
	if (rc)
		return rc;
	rc = verify_is_legacy(&r, &is_legacy, err);
	if (!rc && is_legacy)
		rc = verify_legacy(&r, err);
	else if (!rc)
		rc = opts->n_keys ? verify_keys(&r, err)
				  : verify_whole(&r, err);
	release(&r);
	return rc;
}

enum rc verify_shard_file(const char *path, const struct verify_options *opts,
			  struct verify_totals *ret, struct err *err)
{
	struct verify_run r = { .opts = opts, .totals = ret };
	CLEANUP_FREE char *dir = NULL;
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	CLEANUP_BUF struct buf head = { .max = 1 };
	struct object_info info;
	enum rc rc;

	dir = slash ? xmemdup0(path, (size_t)(slash + 1 - path)) : xstrdup(".");
	rc = store_open(&r.store, dir, NULL, err);
	if (!rc)
		rc = store_read_tail(r.store, name, 1, &head, &info, err);
	if (!rc) {
		r.todo = xcalloc(1, sizeof(*r.todo));
		*r.todo = (struct verify_todo){ .key = name,
						.entered = INT64_MAX };
		r.n_todo = 1;
		rc = run_turns(&r, err);
	}
	release(&r);
	return rc;
}
