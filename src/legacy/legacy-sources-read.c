/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-sources-read.c - reading the shards that are not known yet, several at
 * a time where each costs requests.
 */
#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/workers.h"
#include "legacy/legacy-sources.h"

/* What the threads share. */
struct reading {
	struct legacy_sources *s;
	struct legacy_source *
		*before; /* of each what was known of it, or NULL */
	struct store *st;
	struct legacy_objects *objects;
	atomic_size_t next; /* source to be read */
	atomic_bool is_over;
	atomic_bool is_changed;
};

struct reader {
	struct job job;
	struct reading *all;
	struct spool *sp;
	unsigned int number;
	struct err err;
	enum rc rc;
};

/* --- what is known -------------------------------------------------------- */

/* Is the object in the state it was read in?  NULL: could not be read. */
static bool is_same(struct store *st, const char *key,
		    const struct object_info *info)
{
	CLEANUP_BUF struct buf b = { .max = 1 };
	struct object_info now;
	struct err err;
	enum rc rc;

	/* Not what was moved away and is open still. */
	store_let_go(st, key);
	rc = store_read_tail(st, key, 1, &b, &now, &err);
	if (!info)
		return legacy_is_damage(rc);
	return !rc && now.size == info->size && !strcmp(now.tag, info->tag);
}

/* A list tells of its size alone; its tag costs nothing where there are no
 * requests.  Elsewhere who reads a shard finds out.
 */
static bool is_same_shard(struct store *st, struct legacy_objects *objects,
			  const struct legacy_source *was)
{
	if (was->object == LEGACY_OBJECT_NONE)
		return is_same(st, was->key, NULL);
	if (legacy_objects_is_changed(objects, was->object))
		return false;
	return store_is_remote(st) ||
	       is_same(st, was->key,
		       &legacy_objects_get(objects, was->object)->info);
}

/* A sidecar is written anew for each tombstone, and may have the same size as
 * before: that is asked for wherever it is.
 */
static bool is_same_meta(struct store *st, const struct legacy_source *was)
{
	CLEANUP_FREE char *key = legacy_meta_key(was->key);

	return is_same(st, key, was->meta_info);
}

static bool is_known(struct store *st, struct legacy_objects *objects,
		     const struct legacy_source *now,
		     const struct legacy_source *was)
{
	return was->is_read && now->is_alone == was->is_alone &&
	       now->size == was->size && now->has_meta == was->has_meta &&
	       (!now->has_meta || now->meta_size == was->meta_size) &&
	       (now->is_alone || is_same_shard(st, objects, was)) &&
	       (!now->has_meta || is_same_meta(st, was));
}

static void take_over(struct legacy_source *now, struct legacy_source *was)
{
	char *key = now->key;

	free(was->key);
	free(now->meta_info);
	legacy_damage_release(&now->damage);
	*now = *was;
	now->key = key;
	*was = (struct legacy_source){ .key = NULL };
}

/* Both are in the order of keys. */
static void match(struct reading *r, struct legacy_sources *before)
{
	size_t n_matched = 0;
	size_t k = 0;

	for (size_t i = 0; i < r->s->n; i++) {
		const char *key = r->s->p[i].key;
		int c = 1;

		while (k < before->n && (c = strcmp(before->p[k].key, key)) < 0)
			k++;
		if (k == before->n || c)
			continue;
		r->before[i] = &before->p[k++];
		n_matched++;
	}
	if (n_matched < before->n)
		atomic_store(&r->is_changed, true);
}

/* What was not come to is as it was before, until the next time. */
static void keep_rest(struct reading *r)
{
	for (size_t i = 0; i < r->s->n; i++) {
		if (!r->s->p[i].is_read && r->before[i])
			take_over(&r->s->p[i], r->before[i]);
	}
}

/* --- reading -------------------------------------------------------------- */

static enum rc read_one(struct reader *r, size_t i)
{
	struct reading *all = r->all;
	struct legacy_source *src = &all->s->p[i];
	struct legacy_source *was = all->before[i];

	if (was && is_known(all->st, all->objects, src, was)) {
		take_over(src, was);
		return RC_OK;
	}
	atomic_store(&all->is_changed, true);
	src->spool = r->number;
	return legacy_scan(src, all->st, all->objects, r->sp, &r->err);
}

static void run(void *arg)
{
	struct reader *r = arg;
	struct reading *all = r->all;

	while (!atomic_load(&all->is_over)) {
		size_t i = atomic_fetch_add(&all->next, 1);

		if (i >= all->s->n)
			return;
		r->rc = read_one(r, i);
		if (r->rc) {
			atomic_store(&all->is_over, true);
			return;
		}
	}
}

static enum rc run_all(struct reading *all, struct spool *spools,
		       struct err *err)
{
	struct reader r[LEGACY_THREADS] = { 0 };
	struct workers *w = NULL;
	enum rc rc = RC_OK;

	if (workers_start(&w, "legacy", LEGACY_THREADS, LEGACY_THREADS, err))
		return err->rc;
	for (unsigned int i = 0; i < LEGACY_THREADS; i++) {
		r[i].all = all;
		r[i].sp = &spools[i];
		r[i].number = i;
		job_submit(w, &r[i].job, run, &r[i]);
	}
	for (unsigned int i = 0; i < LEGACY_THREADS; i++) {
		job_wait(w, &r[i].job);
		if (r[i].rc && !rc) {
			rc = r[i].rc;
			*err = r[i].err;
		}
	}
	workers_stop(w);
	return rc;
}

/* What went between the list and reading is as if it had not been listed. */
static void drop_gone(struct legacy_sources *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->p[i].is_gone)
			legacy_source_release(&s->p[i]);
		else
			s->p[n++] = s->p[i];
	}
	s->n = n;
}

enum rc legacy_sources_read(struct legacy_sources *s,
			    struct legacy_sources *before, struct store *st,
			    struct legacy_objects *objects,
			    struct spool spools[LEGACY_THREADS],
			    bool *ret_changed, struct err *err)
{
	CLEANUP_FREE struct legacy_source **known =
		xcalloc(s->n + 1, sizeof(struct legacy_source *));
	struct reading all = {
		.s = s, .before = known, .st = st, .objects = objects
	};
	struct reader one = { .all = &all, .sp = &spools[0] };
	enum rc rc;

	match(&all, before);
	if (store_is_remote(st) && s->n > 1) {
		rc = run_all(&all, spools, err);
	} else {
		run(&one);
		rc = one.rc;
		if (rc)
			*err = one.err;
	}
	if (rc)
		keep_rest(&all);
	*ret_changed = atomic_load(&all.is_changed);
	drop_gone(s);
	return rc;
}
