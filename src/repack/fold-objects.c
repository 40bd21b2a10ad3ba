/* SPDX-License-Identifier: Apache-2.0 */
/* fold-objects.c - the objects of the log, and which of them stand for which.
 */
#include "config.h"

#include "repack/fold-objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/store-write.h"

#define LOG_PREFIX "log/"
#define NOT_COVERED INT64_MAX

void fold_objects_release(struct fold_objects *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->all[i].name);
		free(f->all[i].members);
		free(f->all[i].roots);
	}
	free(f->all);
	free(f->records);
	free(f->covered);
	*f = (struct fold_objects){ 0 };
}

static int by_name(const void *a, const void *b)
{
	const struct oplog_record *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void take_records(struct fold_objects *f, const struct oplog *log)
{
	f->n_records = oplog_n_records(log);
	f->records = xcalloc(f->n_records + 1, sizeof(*f->records));
	f->covered = xcalloc(f->n_records + 1, sizeof(*f->covered));
	for (size_t i = 0; i < f->n_records; i++) {
		f->records[i] = oplog_record_at(log, i);
		f->covered[i] = NOT_COVERED;
	}
	if (f->n_records)
		qsort(f->records, f->n_records, sizeof(struct oplog_record *),
		      by_name);
}

/* n_records: there is none. */
static size_t find_record(const struct fold_objects *f, const char *name)
{
	const struct oplog_record like = { .name = (char *)(uintptr_t)name };
	const struct oplog_record *key = &like, **at = NULL;

	if (f->n_records)
		at = bsearch(&key, f->records, f->n_records,
			     sizeof(struct oplog_record *), by_name);
	return at ? (size_t)(at - f->records) : f->n_records;
}

static void add_member(struct fold_object *o, size_t record)
{
	o->members =
		mem_grow(o->members, &o->cap, o->n + 1, sizeof(*o->members));
	o->members[o->n++] = record;
}

static void add_root(struct fold_object *o, const uint8_t *root)
{
	o->roots = mem_grow(o->roots, &o->cap_roots, o->n_roots + 1,
			    sizeof(*o->roots));
	memcpy(o->roots[o->n_roots++], root, SHARD_ROOT_LEN);
	o->is_dirty = true;
}

static struct fold_object *add_object(struct fold_objects *f, const char *name)
{
	f->all = mem_grow(f->all, &f->cap, f->n + 1, sizeof(*f->all));
	f->all[f->n] = (struct fold_object){ .name = xstrdup(name) };
	return &f->all[f->n++];
}

static void cover(struct fold_objects *f, const struct fold_object *o)
{
	for (size_t i = 0; i < o->n; i++) {
		if (o->time < f->covered[o->members[i]])
			f->covered[o->members[i]] = o->time;
	}
}

/* --- reading -------------------------------------------------------------- */

struct reading {
	struct fold_objects *f;
	struct fold_object *o;
	const struct oplog *log;
	struct store *st; /* NULL: what log has not read is passed over */
	const uint8_t *archive_id;
	oplog_gone_fn *is_gone;
	void *arg;
};

static enum rc note_member(void *arg, struct oplog_record *r, struct err *err)
{
	struct reading *x = arg;
	size_t i = find_record(x->f, r->name);

	(void)err;
	if (i == x->f->n_records)
		x->o->is_foreign = true;
	else
		add_member(x->o, i);
	for (size_t k = 0; k < r->n_shards; k++) {
		if (!r->shards[k].is_purged &&
		    x->is_gone(x->arg, &r->shards[k]))
			add_root(x->o, r->shards[k].root);
	}
	oplog_record_release(r);
	return RC_OK;
}

/* One that the log has read is as it was then: it is never written again. */
static bool take_known(struct reading *x)
{
	struct oplog_checkpoint_view c;

	if (!oplog_checkpoint_find(x->log, x->o->name, &c))
		return false;
	for (size_t i = 0; i < c.n_records; i++)
		add_member(x->o, find_record(x->f, c.records[i]));
	for (size_t i = 0; i < c.n_named; i++) {
		struct shard_meta named = { .is_purged = false };

		memcpy(named.root, c.named[i], sizeof(named.root));
		if (x->is_gone(x->arg, &named))
			add_root(x->o, named.root);
	}
	memcpy(x->o->sha256, c.sha256, sizeof(x->o->sha256));
	return true;
}

static enum rc read_checkpoint(struct reading *x, const char *key,
			       struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = OPLOG_CHECKPOINT_MAX };
	uint8_t id[SHARD_ID_LEN];
	int64_t time;
	enum rc rc = RC_NOENT;

	if (x->st)
		rc = store_read_all(x->st, key, OPLOG_CHECKPOINT_MAX, &text,
				    err);
	if (rc == RC_NOENT) {
		/* Another removed it: it stands for nothing. */
		x->o->is_removed = true;
		return RC_OK;
	}
	if (!rc)
		rc = oplog_checkpoint_decode(text.p, text.len, id, &time,
					     note_member, x, err);
	if (rc)
		return err_prefix(err, "%s", key);
	if (memcmp(id, x->archive_id, sizeof(id)) != 0)
		return err_set(err, RC_CORRUPT, "%s: of another archive", key);
	sha256_of(text.p, text.len, x->o->sha256);
	return RC_OK;
}

static void note_record(struct reading *x)
{
	size_t i = find_record(x->f, x->o->name);

	/* It came after the log was read. */
	if (i == x->f->n_records) {
		x->o->is_foreign = true;
		return;
	}
	add_member(x->o, i);
	for (size_t k = 0; k < x->f->records[i]->n_shards; k++) {
		const struct shard_meta *m = &x->f->records[i]->shards[k];

		if (x->is_gone(x->arg, m))
			add_root(x->o, m->root);
	}
}

void fold_objects_begin(struct fold_objects *ret, const struct oplog *log)
{
	*ret = (struct fold_objects){ 0 };
	take_records(ret, log);
}

void fold_objects_add(struct fold_objects *f, const char *key)
{
	const char *name = key + strlen(LOG_PREFIX);
	struct fold_object *o;
	int64_t time = 0;

	if (!strcmp(name, "index.json"))
		return;
	o = add_object(f, name);
	o->is_checkpoint = oplog_checkpoint_name_time(name, &time);
	o->time = time;
}

/* store_list_fn */
static enum rc note_name(void *arg, const char *key, uint64_t size,
			 struct err *err)
{
	(void)size;
	(void)err;
	fold_objects_add(arg, key);
	return RC_OK;
}

enum rc fold_objects_read(struct fold_objects *ret, struct store *st,
			  const struct oplog *log, const uint8_t *archive_id,
			  oplog_gone_fn *is_gone, void *arg, struct err *err)
{
	fold_objects_begin(ret, log);
	if (store_list(st, LOG_PREFIX, NULL, note_name, ret, err))
		return err->rc;
	return fold_objects_fill(ret, st, log, archive_id, is_gone, arg, err);
}

enum rc fold_objects_fill(struct fold_objects *ret, struct store *st,
			  const struct oplog *log, const uint8_t *archive_id,
			  oplog_gone_fn *is_gone, void *arg, struct err *err)
{
	struct reading x = { .f = ret,
			     .log = log,
			     .st = st,
			     .archive_id = archive_id,
			     .is_gone = is_gone,
			     .arg = arg };
	enum rc rc = RC_OK;

	for (size_t i = 0; !rc && i < ret->n; i++) {
		char *key = xasprintf(LOG_PREFIX "%s", ret->all[i].name);

		x.o = &ret->all[i];
		if (!x.o->is_checkpoint)
			note_record(&x);
		else if (!take_known(&x))
			rc = read_checkpoint(&x, key, err);
		free(key);
	}
	for (size_t i = 0; i < ret->n; i++) {
		const struct fold_object *o = &ret->all[i];

		if (o->is_checkpoint && !o->is_dirty && !o->is_removed)
			cover(ret, o);
	}
	return rc;
}

/* --- what to write -------------------------------------------------------- */

static size_t count_loose(const struct fold_objects *f, int64_t before)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct fold_object *o = &f->all[i];

		n += !o->is_checkpoint && !o->is_foreign &&
		     f->records[o->members[0]]->time <= before;
	}
	return n;
}

size_t fold_objects_choose(struct fold_objects *f, size_t many, int64_t before,
			   const struct oplog_record ***ret)
{
	bool *chosen = xcalloc(f->n_records + 1, sizeof(*chosen));
	bool fold_loose = count_loose(f, before) >= many;
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct fold_object *o = &f->all[i];

		if (o->is_removed || o->is_foreign)
			continue;
		o->is_loose = !o->is_checkpoint && !o->is_dirty &&
			      (f->covered[o->members[0]] != NOT_COVERED ||
			       (fold_loose &&
				f->records[o->members[0]]->time <= before));
		for (size_t k = 0; (o->is_dirty || o->is_loose) && k < o->n;
		     k++)
			chosen[o->members[k]] = true;
	}
	*ret = xcalloc(f->n_records + 1, sizeof(**ret));
	for (size_t i = 0; i < f->n_records; i++) {
		if (chosen[i] && f->covered[i] == NOT_COVERED)
			(*ret)[n++] = f->records[i];
	}
	free(chosen);
	return n;
}

void fold_objects_add_written(struct fold_objects *f, const char *key,
			      int64_t time, const struct buf *text,
			      const struct oplog_record *const *records,
			      size_t n)
{
	struct fold_object *o = add_object(f, key + strlen(LOG_PREFIX));

	o->is_checkpoint = true;
	o->time = time;
	sha256_of(text->p, text->len, o->sha256);
	for (size_t i = 0; i < n; i++)
		add_member(o, find_record(f, records[i]->name));
	cover(f, o);
}

/* --- what to remove ------------------------------------------------------- */

struct comparing {
	struct fold_object *o;
	const char *key;
	bool is_same;
};

static enum rc compare_in(void *arg, const char *zone, struct store *place,
			  struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = OPLOG_CHECKPOINT_MAX };
	struct comparing *c = arg;
	uint8_t hash[SHA256_LEN];
	enum rc rc;

	(void)zone;
	rc = store_read_all(place, c->key, OPLOG_CHECKPOINT_MAX, &text, err);
	if (rc == RC_NOENT) {
		c->is_same = false;
		return RC_OK;
	}
	if (rc)
		return rc;
	sha256_of(text.p, text.len, hash);
	c->is_same &= !memcmp(hash, c->o->sha256, sizeof(hash));
	return RC_OK;
}

static bool has_candidates(const struct fold_objects *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (fold_object_may_go(f, &f->all[i]))
			return true;
	}
	return false;
}

enum rc fold_objects_read_back(struct fold_objects *f, struct store *st,
			       struct err *err)
{
	enum rc rc = RC_OK;

	if (!has_candidates(f))
		return RC_OK;
	for (size_t i = 0; i < f->n_records; i++)
		f->covered[i] = NOT_COVERED;
	for (size_t i = 0; !rc && i < f->n; i++) {
		struct fold_object *o = &f->all[i];
		struct comparing c = { .o = o, .is_same = true };
		char *key;

		if (!o->is_checkpoint || o->is_dirty || o->is_removed)
			continue;
		key = xasprintf(LOG_PREFIX "%s", o->name);
		c.key = key;
		rc = store_each_place(st, key, compare_in, &c, err);
		free(key);
		o->is_whole = !rc && c.is_same;
		if (o->is_whole)
			cover(f, o);
	}
	return rc;
}

bool fold_object_may_go(const struct fold_objects *f,
			const struct fold_object *o)
{
	if (o->is_removed || o->is_foreign || !(o->is_dirty || o->is_loose))
		return false;
	for (size_t i = 0; i < o->n; i++) {
		if (f->covered[o->members[i]] == NOT_COVERED)
			return false;
	}
	return true;
}

int64_t fold_object_since(const struct fold_objects *f,
			  const struct fold_object *o)
{
	int64_t since = INT64_MIN;

	for (size_t i = 0; i < o->n; i++) {
		if (f->covered[o->members[i]] > since)
			since = f->covered[o->members[i]];
	}
	return since;
}

void fold_objects_names(const struct fold_objects *f, fold_root_fn *fn,
			void *arg)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct fold_object *o = &f->all[i];

		for (size_t k = 0; !o->is_removed && k < o->n_roots; k++)
			fn(arg, o->roots[k]);
	}
}
