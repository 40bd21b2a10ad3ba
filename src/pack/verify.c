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
#include "base/workers.h"
#include "pack/archive-list.h"
#include "pack/verify-report.h"
#include "pack/verify-shard.h"
#include "pack/verify-twice.h"
#include "store/store-write.h"
#include "volume/descriptor.h"
#include "volume/oplog.h"

/* One shard's turn. */
struct turn {
	struct job job;
	struct verify_shard_job shard;
	struct verify_report report;
};

struct run {
	const struct verify_options *opts;
	struct verify_totals *totals;
	struct store *store;
	struct archive_list list;
	struct oplog *log;
	struct descriptor descriptor;
	bool has_descriptor, has_log;
	bool has_list; /* a web server has none: the log alone tells */
	struct turn *turns;
	size_t n_turns, cap_turns;
};

static void run_turn(void *arg)
{
	struct turn *t = arg;

	t->report.key = t->shard.key;
	verify_shard(&t->shard, &t->report);
}

/* Told in order, whoever is done first. */
static enum rc run_turns(struct run *r, struct err *err)
{
	unsigned int jobs = r->opts->jobs ? r->opts->jobs : 1;
	struct workers *w = NULL;
	enum rc rc = RC_OK;

	if (jobs > 1)
		rc = workers_start(&w, "verify", jobs,
				   r->n_turns ? r->n_turns : 1, err);
	if (rc)
		return rc;
	for (size_t i = 0; w && i < r->n_turns; i++)
		job_submit(w, &r->turns[i].job, run_turn, &r->turns[i]);
	for (size_t i = 0; i < r->n_turns; i++) {
		struct turn *t = &r->turns[i];

		if (w)
			job_wait(w, &t->job);
		else
			run_turn(t);
		verify_report_tell(&t->report, r->opts, r->totals);
	}
	workers_stop(w);
	return RC_OK;
}

static void add_turn(struct run *r, const char *key,
		     const struct shard_meta *expect)
{
	r->turns = mem_grow(r->turns, &r->cap_turns, r->n_turns + 1,
			    sizeof(*r->turns));
	r->turns[r->n_turns++] = (struct turn){
		.shard = { .store = r->store,
			   .key = key,
			   .expect = expect,
			   .archive_id = r->has_descriptor
						 ? r->descriptor.archive_id
						 : NULL,
			   .deep = r->opts->deep },
	};
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

static int meta_by_key(const void *a, const void *b)
{
	const struct shard_meta *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static void tell_missing(struct run *r, const struct shard_meta *m)
{
	struct verify_report report = { .key = m->key };

	verify_damage(&report, FINDING_NO_OFFSET,
		      "the log names it and it is not there");
	verify_lost_many(&report, m->n_entries,
			 "all %" PRIu64 " entries of the shard, '%.200s' to "
			 "'%.200s'",
			 m->n_entries, m->first, m->last);
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

	if (r->has_log || !r->n_turns || r->totals->damage)
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
	if (n)
		qsort(metas, n, sizeof(*metas), meta_by_key);
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
			add_turn(r, metas[i]->key, metas[i]);
		at = n;
	}
	for (size_t i = 0; i < r->list.n; i++) {
		const struct archive_object *o = &r->list.objects[i];

		if (o->kind != OBJECT_SHARD)
			continue;
		while (at < n && strcmp(metas[at]->key, o->key) < 0)
			tell_missing(r, metas[at++]);
		if (at < n && !strcmp(metas[at]->key, o->key))
			add_turn(r, o->key, metas[at++]);
		else if (!r->has_log)
			add_turn(r, o->key, NULL);
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
static void note_rest(struct run *r, const char *url)
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
	if (store_create(&st, url, r->opts->settings, &err))
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

static enum rc list_objects(struct run *r, const char *url, struct err *err)
{
	enum rc rc = archive_list_read(&r->list, r->store, err);

	r->has_list = !rc;
	if (rc == RC_UNSUPPORTED)
		return check_unlisted(r, err);
	if (!rc && !archive_list_is_archive(&r->list))
		rc = err_set(err, RC_NOENT, "%s is not an archive of desfs",
			     url);
	return rc;
}

static void release(struct run *r)
{
	archive_list_release(&r->list);
	oplog_free(r->log);
	store_close(r->store);
	free(r->turns);
}

enum rc verify_archive(const char *url, const struct verify_options *opts,
		       struct verify_totals *ret, struct err *err)
{
	struct run r = { .opts = opts, .totals = ret };
	enum rc rc;

	rc = store_open(&r.store, url, opts->settings, err);
	if (rc)
		return rc;
	rc = list_objects(&r, url, err);
	if (!rc) {
		check_descriptor(&r);
		check_log(&r);
		match_shards(&r);
		tell_no_log(&r);
		rc = run_turns(&r, err);
	}
	if (!rc) {
		note_twice(&r);
		if (r.has_list)
			note_rest(&r, url);
		else
			note_unlisted(&r);
	}
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
		add_turn(&r, name, NULL);
		rc = run_turns(&r, err);
	}
	release(&r);
	return rc;
}
