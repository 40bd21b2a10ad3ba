/* SPDX-License-Identifier: Apache-2.0 */
/* fold.c - hold records of the log together in checkpoints. */
#include "config.h"

#include "repack/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "erase/erasure-state.h"
#include "repack/fold-objects.h"
#include "repack/old-set.h"
#include "repack/remove-object.h"
#include "store/store-write.h"
#include "verify/archive-list.h"
#include "volume/oplog-checkpoint.h"

#define MANY 512u

/* --- names that are left -------------------------------------------------- */

void fold_names_release(struct fold_names *n)
{
	free(n->roots);
	*n = (struct fold_names){ 0 };
}

static int by_root(const void *a, const void *b)
{
	return memcmp(a, b, SHARD_ROOT_LEN);
}

bool fold_names_has(void *arg, const uint8_t root[SHARD_ROOT_LEN])
{
	const struct fold_names *n = arg;

	return n->n &&
	       bsearch(root, n->roots, n->n, sizeof(*n->roots), by_root);
}

static void add_name(void *arg, const uint8_t root[SHARD_ROOT_LEN])
{
	struct fold_names *n = arg;

	n->roots = mem_grow(n->roots, &n->cap, n->n + 1, sizeof(*n->roots));
	memcpy(n->roots[n->n++], root, SHARD_ROOT_LEN);
}

/* --- writing -------------------------------------------------------------- */

struct folding {
	const struct fold_options *o;
	struct oplog *log;
	struct old_set old;
	struct fold_objects objects;
	int64_t now, settle;
	struct fold_totals *totals;
};

static size_t many_of(const struct fold_options *o)
{
	return o->min_many ? o->min_many : MANY;
}

static bool is_gone(void *arg, const struct shard_meta *m)
{
	const struct folding *f = arg;
	const struct old_shard *s = old_set_find(&f->old, m->root);

	return m->is_purged || (s && old_shard_is_gone(s));
}

static enum rc write_one(struct folding *f,
			 const struct oplog_record *const *records, size_t n,
			 size_t *ret_n, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = OPLOG_CHECKPOINT_MAX };
	int64_t time = records[n - 1]->time;
	char key[OPLOG_CHECKPOINT_KEY_TEXT];
	bool existed;

	for (size_t i = 0; i < n; i++) {
		if (records[i]->time > time)
			time = records[i]->time;
	}
	if (f->now > time)
		time = f->now;
	if (oplog_checkpoint_encode(records, n, f->o->archive_id, time, is_gone,
				    f, &text, ret_n, err))
		return err->rc;
	if (!*ret_n) {
		f->totals->failed++;
		snprintf(f->totals->text, sizeof(f->totals->text),
			 "log/%s: too long for a checkpoint", records[0]->name);
		*ret_n = 1;
		return RC_OK;
	}
	if (oplog_checkpoint_key(time, key, sizeof(key), err) ||
	    store_put(f->o->store, key, text.p, text.len, &existed, err))
		return err->rc;
	f->totals->checkpoints++;
	fold_objects_add_written(&f->objects, key, time, &text, records,
				 *ret_n);
	return RC_OK;
}

static enum rc write_all(struct folding *f, struct err *err)
{
	const struct oplog_record **todo = NULL;
	enum rc rc = RC_OK;
	size_t n;

	n = fold_objects_choose(&f->objects, many_of(f->o), f->now - f->settle,
				&todo);
	for (size_t i = 0, some = 0; !rc && i < n; i += some)
		rc = write_one(f, todo + i, n - i, &some, err);
	free(todo);
	return rc;
}

/* --- removing ------------------------------------------------------------- */

static void remove_one(struct folding *f, struct fold_object *o)
{
	CLEANUP_FREE char *key = xasprintf("log/%s", o->name);
	bool is_kept = false;
	struct err err;
	enum rc rc = remove_object(f->o->store, key, &is_kept, &err);

	if (!rc && !is_kept) {
		o->is_removed = true;
		f->totals->removed++;
	} else {
		f->totals->failed++;
		snprintf(f->totals->text, sizeof(f->totals->text), "%s",
			 rc ? err.msg : "a lock keeps a record of the log");
	}
}

static enum rc remove_all(struct folding *f, struct err *err)
{
	enum rc rc = RC_OK;

	rc = fold_objects_read_back(&f->objects, f->o->store, err);
	for (size_t i = 0; !rc && i < f->objects.n; i++) {
		struct fold_object *o = &f->objects.all[i];

		if (!fold_object_may_go(&f->objects, o))
			continue;
		if (fold_object_since(&f->objects, o) > f->now - f->settle)
			f->totals->waiting++;
		else
			remove_one(f, o);
	}
	return rc;
}

/* --- all of it ------------------------------------------------------------ */

static enum rc prepare(struct folding *f, struct err *err)
{
	bool changed;

	oplog_want_all(f->log);
	if (oplog_read(f->log, f->o->store, &changed, err) ||
	    old_set_read(&f->old, f->o->store, oplog_state(f->log), err))
		return err->rc;
	f->now = clock_wall_us();
	return fold_objects_read(&f->objects, f->o->store, f->log,
				 f->o->archive_id, is_gone, f, err);
}

/* Until all lists have a checkpoint, they need what it stands for. */
static int64_t settle_of(const struct fold_options *o)
{
	return store_lists_lag(o->store) && o->settle < STORE_LISTS_LAG_US
		       ? STORE_LISTS_LAG_US
		       : o->settle;
}

static bool is_due(struct folding *f)
{
	const struct oplog_record **todo = NULL;
	bool is_any = fold_objects_choose(&f->objects, many_of(f->o),
					  f->now - f->settle, &todo);

	free(todo);
	for (size_t i = 0; i < f->objects.n; i++) {
		const struct fold_object *o = &f->objects.all[i];

		if (!fold_object_may_go(&f->objects, o))
			continue;
		if (fold_object_since(&f->objects, o) > f->now - f->settle)
			f->totals->waiting++;
		else
			is_any = true;
	}
	return is_any;
}

enum rc fold_look(const struct oplog *log, const struct fold_options *opts,
		  const struct archive_list *there, struct fold_totals *ret,
		  bool *ret_is_due, struct err *err)
{
	struct folding f = { .o = opts,
			     .settle = settle_of(opts),
			     .now = clock_wall_us(),
			     .totals = ret };
	enum rc rc;

	*ret = (struct fold_totals){ 0 };
	fold_objects_begin(&f.objects, log);
	for (size_t i = 0; i < there->n; i++) {
		if (there->objects[i].kind == OBJECT_LOG)
			fold_objects_add(&f.objects, there->objects[i].key);
	}
	rc = old_set_read(&f.old, opts->store, oplog_state(log), err);
	if (!rc)
		rc = fold_objects_fill(&f.objects, NULL, log, opts->archive_id,
				       is_gone, &f, err);
	if (!rc)
		*ret_is_due = is_due(&f);
	fold_objects_release(&f.objects);
	old_set_release(&f.old);
	return rc;
}

enum rc fold_log(struct oplog *log, const struct fold_options *opts,
		 struct fold_totals *ret, struct fold_names *ret_names,
		 struct err *err)
{
	struct folding f = {
		.o = opts, .log = log, .settle = settle_of(opts), .totals = ret
	};
	bool changed;
	enum rc rc;

	*ret = (struct fold_totals){ 0 };
	*ret_names = (struct fold_names){ 0 };
	rc = prepare(&f, err);
	if (!rc)
		rc = write_all(&f, err);
	if (!rc)
		rc = remove_all(&f, err);
	if (!rc) {
		fold_objects_names(&f.objects, add_name, ret_names);
		if (ret_names->n)
			qsort(ret_names->roots, ret_names->n,
			      sizeof(*ret_names->roots), by_root);
	}
	fold_objects_release(&f.objects);
	old_set_release(&f.old);
	if (!rc)
		rc = oplog_read(log, opts->store, &changed, err);
	if (rc)
		fold_names_release(ret_names);
	return rc;
}
