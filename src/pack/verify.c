/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c - an archive or a shard read back: what there is against what the
 * log says, and each shard in a job of its own.
 */
#include "config.h"

#include "pack/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pack/archive-list.h"
#include "pack/verify-choose.h"
#include "pack/verify-report.h"
#include "pack/verify-turns.h"
#include "pack/verify-twice.h"
#include "store/store-write.h"
#include "volume/descriptor.h"
#include "volume/oplog.h"

#define AHEAD (2u << 20) /* bytes read at once where that is a request */

struct run {
	const struct verify_options *opts;
	struct verify_totals *totals;
	const char *url;
	struct store *store;
	struct archive_list list;
	struct oplog *log;
	struct descriptor descriptor;
	bool has_descriptor, has_log;
	bool has_list; /* a web server has none: the log alone tells */
	struct verify_todo *todo;
	size_t n_todo, cap_todo;
};

static void add_todo(struct run *r, const char *key,
		     const struct shard_meta *expect)
{
	r->todo = mem_grow(r->todo, &r->cap_todo, r->n_todo + 1,
			   sizeof(*r->todo));
	r->todo[r->n_todo++] = (struct verify_todo){
		.key = key,
		.expect = expect,
		/* What nobody has named may be of any time. */
		.entered = expect ? expect->created_max : INT64_MAX,
	};
}

/* Those of them that were asked for. */
static void choose(struct run *r)
{
	const struct verify_options *o = r->opts;
	size_t n = r->n_todo, before = n;

	if (o->has_since)
		n = verify_choose_since(r->todo, n, o->since);
	if (o->sample > 0)
		n = verify_choose_sample(r->todo, n, o->sample, o->seed);
	n = verify_choose_open(r->todo, n, o);
	r->n_todo = n;
	r->totals->skipped_shards += before - n;
}

static void announce(struct run *r)
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

static enum rc run_turns(struct run *r, struct err *err)
{
	const struct verify_shard_job common = {
		.store = r->store,
		.archive_id =
			r->has_descriptor ? r->descriptor.archive_id : NULL,
		.throttle = r->opts->throttle,
		.live = r->opts->live,
		.deep = r->opts->deep,
		.ahead = store_is_remote(r->store) ? AHEAD : 0,
	};

	choose(r);
	announce(r);
	return verify_turns(r->todo, r->n_todo, &common, r->opts, r->totals,
			    err);
}

/* One finding about an object that is no shard. */
static void tell_damage(struct run *r, const char *key, const char *text)
{
	struct verify_report report = { .key = key };

	verify_damage(&report, FINDING_NO_OFFSET, "%s", text);
	verify_report_tell(&report, r->opts, r->totals);
}

static void check_descriptor(struct run *r)
{
	CLEANUP_BUF struct buf b = { .max = DESCRIPTOR_MAX };
	struct err err;
	enum rc rc;

	rc = store_read_all(r->store, DESCRIPTOR_KEY, DESCRIPTOR_MAX, &b, &err);
	if (!rc)
		rc = descriptor_decode(b.p, b.len, &r->descriptor, &err);
	r->has_descriptor = !rc;
	if (rc)
		tell_damage(r, DESCRIPTOR_KEY, err.msg);
}

static void check_log(struct run *r)
{
	struct err err;
	bool changed;

	r->log = oplog_new();
	if (r->has_descriptor)
		oplog_expect(r->log, r->descriptor.archive_id);
	if (oplog_read(r->log, r->store, &changed, &err))
		tell_damage(r, "log", err.msg);
	else
		r->has_log = oplog_count(r->log);
}

static void tell_missing(struct run *r, const struct shard_meta *m)
{
	struct verify_report report = { .key = m->key };

	verify_damage(&report, FINDING_NO_OFFSET,
		      "the log names it and it is not there");
	verify_lost_many(&report, FINDING_NO_OFFSET, m->n_entries,
			 "all %" PRIu64 " entries of the shard, '%.200s' to "
			 "'%.200s'",
			 m->n_entries, m->first, m->last);
	report.totals.missing_shards++;
	verify_report_tell(&report, r->opts, r->totals);
}

static void tell_leftover(struct run *r, const char *key, uint64_t size,
			  const char *what)
{
	struct verify_report report = { .key = key };

	verify_note(&report, "%s, %" PRIu64 " bytes", what, size);
	verify_report_tell(&report, r->opts, r->totals);
}

/* Without a log each shard is looked at, though none counts. */
static void tell_no_log(struct run *r)
{
	struct verify_report report = { .key = "log" };

	if (r->has_log || !r->n_todo || r->totals->damage)
		return;
	verify_note(&report, "it names no shard: a first run was not "
			     "finished, or it is lost ('desfs rebuild')");
	verify_report_tell(&report, r->opts, r->totals);
}

/* In the order of their keys; free() it. */
static const struct shard_meta **named_shards(struct run *r, size_t *ret_n)
{
	size_t n = r->has_log ? oplog_count(r->log) : 0;
	const struct shard_meta **metas = xcalloc(n + 1, sizeof(*metas));

	for (size_t i = 0; i < n; i++)
		metas[i] = oplog_shard(r->log, i);
	*ret_n = n;
	return metas;
}

/* Both in the order of keys: what the log names, and what there is. */
static void match_shards(struct run *r)
{
	size_t n, at = 0;
	const struct shard_meta **metas = named_shards(r, &n);

	if (!r->has_list) {
		for (size_t i = 0; i < n; i++)
			add_todo(r, metas[i]->key, metas[i]);
		at = n;
	}
	for (size_t i = 0; i < r->list.n; i++) {
		const struct archive_object *o = &r->list.objects[i];

		if (o->kind != OBJECT_SHARD)
			continue;
		while (at < n && strcmp(metas[at]->key, o->key) < 0)
			tell_missing(r, metas[at++]);
		if (at < n && !strcmp(metas[at]->key, o->key))
			add_todo(r, o->key, metas[at++]);
		else if (!r->has_log)
			add_todo(r, o->key, NULL);
		else
			tell_leftover(r, o->key, o->size,
				      "no log record names this shard"
				      " (should one be lost: 'desfs rebuild "
				      "--force')");
	}
	while (at < n)
		tell_missing(r, metas[at++]);
	free(metas);
}

static void tell_twice(void *arg, struct verify_report *report)
{
	struct run *r = arg;

	verify_report_tell(report, r->opts, r->totals);
}

static void note_twice(struct run *r)
{
	size_t n;
	const struct shard_meta **metas = named_shards(r, &n);

	verify_twice(r->store, metas, n, tell_twice, r);
	free(metas);
}

static void note_leftover(void *arg, const char *what, uint64_t size)
{
	tell_leftover(arg, what, size, "left by a writer that died");
}

static void note_unlisted(struct run *r)
{
	struct verify_report report = { .key = "log" };

	verify_note(&report, "what it does not name is not looked for: a web "
			     "server cannot list what it has");
	verify_report_tell(&report, r->opts, r->totals);
}

/* What does not count and may be cleaned up. */
static void note_rest(struct run *r)
{
	struct store *st = NULL;
	struct err err;

	for (size_t i = 0; i < r->list.n; i++) {
		const struct archive_object *o = &r->list.objects[i];

		if (o->kind == OBJECT_OTHER)
			tell_leftover(r, o->key, o->size,
				      "no part of the archive");
	}
	/* Only a writer's view shows them; a place that cannot be written to
	 * has none of interest.
	 */
	if (store_create(&st, r->url, r->opts->settings, &err))
		return;
	if (store_leftovers(st, false, false, note_leftover, r, &err))
		tell_leftover(r, "", 0, "leftovers could not be listed");
	store_close(st);
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
static enum rc check_unlisted(struct run *r, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = DESCRIPTOR_MAX };
	struct err log;
	enum rc rc = descriptor_read(r->store, &b, err);

	if (rc == RC_NOENT &&
	    !store_list(r->store, "log/", NULL, ignore_key, NULL, &log))
		return RC_OK;
	return rc;
}

static enum rc list_objects(struct run *r, struct err *err)
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

static void release(struct run *r)
{
	archive_list_release(&r->list);
	oplog_free(r->log);
	store_close(r->store);
	free(r->todo);
}

/* --- single shards of an archive ------------------------------------------ */

static const struct shard_meta *find_named(struct run *r, const char *key)
{
	size_t n = r->has_log ? oplog_count(r->log) : 0;

	for (size_t i = 0; i < n; i++) {
		if (!strcmp(oplog_shard(r->log, i)->key, key))
			return oplog_shard(r->log, i);
	}
	return NULL;
}

static enum rc add_named(struct run *r, const char *key, struct err *err)
{
	const struct shard_meta *m = find_named(r, key);
	CLEANUP_BUF struct buf tail = { .max = 1 };
	struct object_info info;
	enum rc rc;

	rc = store_read_tail(r->store, key, 1, &tail, &info, err);
	if (rc == RC_NOENT && m) {
		tell_missing(r, m);
		return RC_OK;
	}
	if (rc == RC_NOENT)
		return rc;
	if (!m && r->has_log)
		tell_leftover(r, key, info.size,
			      "no log record names this shard");
	add_todo(r, key, m);
	return RC_OK;
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static enum rc verify_keys(struct run *r, struct err *err)
{
	const struct verify_options *o = r->opts;
	CLEANUP_FREE const char **keys = xcalloc(o->n_keys, sizeof(*keys));
	enum rc rc = RC_OK;

	memcpy(keys, o->keys, o->n_keys * sizeof(*keys));
	qsort(keys, o->n_keys, sizeof(*keys), by_text);
	check_descriptor(r);
	check_log(r);
	for (size_t i = 0; !rc && i < o->n_keys; i++) {
		if (!i || strcmp(keys[i], keys[i - 1]) != 0)
			rc = add_named(r, keys[i], err);
	}
	return rc ? rc : run_turns(r, err);
}

/* --- all of an archive ---------------------------------------------------- */

/* What needs all shards is left out where only some were asked for. */
static void note_whole(struct run *r)
{
	if (!r->opts->has_since && !(r->opts->sample > 0))
		note_twice(r);
	if (r->has_list)
		note_rest(r);
	else
		note_unlisted(r);
}

static enum rc verify_whole(struct run *r, struct err *err)
{
	enum rc rc = list_objects(r, err);

	if (rc)
		return rc;
	check_descriptor(r);
	check_log(r);
	match_shards(r);
	tell_no_log(r);
	rc = run_turns(r, err);
	if (!rc)
		note_whole(r);
	return rc;
}

enum rc verify_archive(const char *url, const struct verify_options *opts,
		       struct verify_totals *ret, struct err *err)
{
	struct run r = { .opts = opts, .totals = ret, .url = url };
	enum rc rc;

	rc = store_open(&r.store, url, opts->settings, err);
	if (rc)
		return rc;
	rc = opts->n_keys ? verify_keys(&r, err) : verify_whole(&r, err);
	release(&r);
	return rc;
}

enum rc verify_shard_file(const char *path, const struct verify_options *opts,
			  struct verify_totals *ret, struct err *err)
{
	struct run r = { .opts = opts, .totals = ret };
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
		add_todo(&r, name, NULL);
		rc = run_turns(&r, err);
	}
	release(&r);
	return rc;
}
