/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-add.c - asks for deletions: names in, documents and a log record
 * out.
 *
 * Names are sorted by slot and looked up in this order, so that no index page
 * is read twice for long; what is found waits in a file until all are.
 */
#include "config.h"

#include "repack/tombstone-add.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/stop.h"
#include "pack/sorter.h"
#include "pack/spool.h"
#include "repack/find-version.h"
#include "repack/tombstone-copies.h"
#include "repack/tombstone-write.h"
#include "shard/route.h"
#include "volume/oplog.h"

#define NAMES_MEMORY (16u << 20)
#define FOUND_MEMORY (4u << 20)
#define N_BITS 8     /* for the order alone */
#define TELL_MAX 20u /* versions of one name */

/* What is asked of one name; values of the sorter. */
struct want {
	int64_t from, to; /* with has_time */
	bool has_time;
	bool is_below;     /* of a directory: there is no need to have it */
	bool is_recursive; /* with all below it */
};

/* What waits until all are found, before its uid. */
struct waiting {
	int64_t time;
	uint32_t uid_len;
	uint32_t range; /* enum erasure_range */
};

/* One version of the name that is looked at. */
struct version {
	int64_t created_at;
	bool is_deleted, is_dir;
	bool is_taken;
};

struct tombstone_add {
	struct store *st;
	struct oplog *log;
	const struct tombstone_add_options *opts;
	uint8_t archive_id[SHARD_ID_LEN];
	struct find *find;
	struct sorter *names;
	struct spool waiting;
	struct tombstone_copies *copies; /* NULL: not looked for */
	struct tombstone_added counts;
	enum rc failure; /* of the first name that failed */

	struct buf uid; /* of the name that is looked at */
	struct want *wants;
	size_t n_wants, cap_wants;
	struct version *versions;
	size_t n_versions, cap_versions;
};

void tombstone_added_release(struct tombstone_added *a)
{
	for (size_t i = 0; i < a->n_keys; i++)
		free(a->keys[i]);
	free(a->keys);
	*a = (struct tombstone_added){ 0 };
}

enum rc tombstone_add_new(struct tombstone_add **ret, struct store *st,
			  struct oplog *log,
			  const uint8_t archive_id[SHARD_ID_LEN],
			  const struct tombstone_add_options *opts,
			  struct err *err)
{
	struct tombstone_add *a;
	bool changed;

	if (erasure_words_check(&opts->words, err))
		return err->rc;
	oplog_want_all(log);
	if (oplog_read(log, st, &changed, err))
		return err->rc;
	a = xcalloc(1, sizeof(*a));
	a->st = st;
	a->log = log;
	a->opts = opts;
	memcpy(a->archive_id, archive_id, SHARD_ID_LEN);
	a->names = sorter_new(opts->spool, NAMES_MEMORY, 1u << N_BITS);
	spool_init(&a->waiting, opts->spool, FOUND_MEMORY);
	if (!opts->no_copies)
		a->copies = tombstone_copies_new(opts->spool);
	buf_init(&a->uid, 2 * UID_MAX_LEN);
	if (find_new(&a->find, st, log, archive_id, err)) {
		tombstone_add_free(a);
		return err->rc;
	}
	*ret = a;
	return RC_OK;
}

void tombstone_add_free(struct tombstone_add *a)
{
	if (!a)
		return;
	find_free(a->find);
	sorter_free(a->names);
	spool_release(&a->waiting);
	tombstone_copies_free(a->copies);
	tombstone_added_release(&a->counts);
	buf_release(&a->uid);
	free(a->wants);
	free(a->versions);
	free(a);
}

static void note(struct tombstone_add *a, enum tombstone_note_kind kind,
		 struct span uid, int64_t time, bool is_all)
{
	const struct tombstone_note n = {
		.kind = kind, .uid = uid, .time = time, .is_all = is_all
	};

	if (a->opts->fn)
		a->opts->fn(a->opts->arg, &n);
}

static struct span span_of_buf(const struct buf *b)
{
	return span_of(b->p, b->len);
}

/* --- names -----------------------------------------------------------------
 */

static enum rc add_want(struct tombstone_add *a, struct span uid,
			const struct want *w, struct err *err)
{
	struct want plain;

	/* Equal ones are to have equal bytes. */
	memset(&plain, 0, sizeof(plain));
	plain.from = w->from;
	plain.to = w->to;
	plain.has_time = w->has_time;
	plain.is_below = w->is_below;
	plain.is_recursive = w->is_recursive;
	return sorter_add(a->names,
			  route_slot(ROUTE_PARENT, N_BITS, uid.p, uid.len), uid,
			  span_of(&plain, sizeof(plain)), err);
}

struct below {
	struct tombstone_add *a;
	struct want want;
	struct buf *uid;
	bool is_found;
};

static void set_uid(struct buf *b, const struct entry *e)
{
	buf_clear(b);
	buf_append(b, e->parent.p, e->parent.len);
	if (e->parent.len)
		buf_append_str(b, "/");
	buf_append(b, e->name.p, e->name.len);
}

static bool is_in(int64_t time, const struct want *w)
{
	return time >= w->from && time <= w->to;
}

static enum rc add_below(void *arg, const struct found *f, struct err *err)
{
	struct below *b = arg;

	if (stop_requested())
		return err_set(err, RC_STOPPED, "stopped by a signal");
	if (f->is_deleted ||
	    (b->want.has_time && !is_in(f->e.created_at, &b->want)))
		return RC_OK;
	b->is_found = true;
	set_uid(b->uid, &f->e);
	return add_want(b->a, span_of_buf(b->uid), &b->want, err);
}

enum rc tombstone_add_name(struct tombstone_add *a,
			   const struct tombstone_name *name, bool recursive,
			   struct err *err)
{
	struct below below = { .a = a,
			       .want = { .from = name->time.from,
					 .to = name->time.to,
					 .has_time = name->has_time },
			       .uid = &a->uid };
	struct want own = below.want;

	own.is_recursive = recursive;
	below.want.is_below = below.want.is_recursive = true;
	if (recursive && find_below(a->find, name->uid, add_below, &below, err))
		return err->rc;
	/* What is below has versions of that time, so the directory need not
	 * have one.
	 */
	own.is_below = own.has_time && below.is_found;
	return add_want(a, name->uid, &own, err);
}

/* --- one name --------------------------------------------------------------
 */

static void add_version(struct tombstone_add *a, const struct found *f)
{
	for (size_t i = 0; i < a->n_versions; i++) {
		struct version *v = &a->versions[i];

		if (v->created_at == f->e.created_at) {
			v->is_dir |= f->e.type == ENTRY_DIR;
			return;
		}
	}
	a->versions = mem_grow(a->versions, &a->cap_versions, a->n_versions + 1,
			       sizeof(*a->versions));
	a->versions[a->n_versions++] =
		(struct version){ .created_at = f->e.created_at,
				  .is_deleted = f->is_deleted,
				  .is_dir = f->e.type == ENTRY_DIR };
}

static enum rc take_version(void *arg, const struct found *f, struct err *err)
{
	(void)err;
	add_version(arg, f);
	return RC_OK;
}

/* Newest first. */
static int by_time(const void *pa, const void *pb)
{
	const struct version *a = pa, *b = pb;

	return (a->created_at < b->created_at) -
	       (a->created_at > b->created_at);
}

static enum rc find_all(struct tombstone_add *a, struct err *err)
{
	a->n_versions = 0;
	if (find_versions(a->find, span_of_buf(&a->uid), take_version, a, err))
		return err->rc;
	if (a->n_versions)
		qsort(a->versions, a->n_versions, sizeof(*a->versions),
		      by_time);
	return RC_OK;
}

static void fail(struct tombstone_add *a, enum tombstone_note_kind kind,
		 enum rc rc)
{
	if (!a->failure)
		a->failure = rc;
	a->counts.failed++;
	note(a, kind, span_of_buf(&a->uid), 0, false);
}

/* Keep it until all are found. */
static enum rc keep(struct tombstone_add *a, enum erasure_range range,
		    int64_t time, struct err *err)
{
	struct span uid = span_of_buf(&a->uid);
	struct waiting w;

	memset(&w, 0, sizeof(w));
	w.time = time;
	w.range = range;
	w.uid_len = (uint32_t)uid.len;
	a->counts.names++;
	if (a->copies && range == ERASURE_UNTIL)
		tombstone_copies_take_all(a->copies, uid);
	else if (a->copies)
		tombstone_copies_take_one(a->copies, uid, time);
	if (spool_append(&a->waiting, &w, sizeof(w), err))
		return err->rc;
	return spool_append(&a->waiting, uid.p, uid.len, err);
}

static enum rc look_below(void *arg, const struct found *f, struct err *err)
{
	bool *found = arg;

	if (f->is_deleted)
		return RC_OK;
	*found = true;
	return err_set(err, RC_EXISTS, "%s", "");
}

/* What is below a directory goes with it or is not to be cut off. */
static enum rc has_below(struct tombstone_add *a, bool *ret, struct err *err)
{
	enum rc rc =
		find_below(a->find, span_of_buf(&a->uid), look_below, ret, err);

	return *ret ? RC_OK : rc;
}

/* May the versions that are taken go? */
static enum rc check_dir(struct tombstone_add *a, bool is_recursive,
			 bool *ret_ok, struct err *err)
{
	bool is_dir = false, below = false;

	*ret_ok = true;
	for (size_t i = 0; i < a->n_versions; i++)
		is_dir |= a->versions[i].is_taken && a->versions[i].is_dir;
	if (!is_dir || is_recursive)
		return RC_OK;
	if (has_below(a, &below, err))
		return err->rc;
	*ret_ok = !below;
	if (below)
		fail(a, TOMBSTONE_IS_DIR, RC_USAGE);
	return RC_OK;
}

static enum rc resolve_all(struct tombstone_add *a, const struct want *w,
			   struct err *err)
{
	int64_t until = INT64_MIN;
	bool ok, any = false;

	for (size_t i = 0; i < a->n_versions; i++) {
		struct version *v = &a->versions[i];

		v->is_taken = !v->is_deleted;
		any |= v->is_taken;
		if (v->created_at > until)
			until = v->created_at;
	}
	if (a->n_versions && !any) {
		a->counts.already++;
		note(a, TOMBSTONE_ALREADY, span_of_buf(&a->uid), 0, false);
		return RC_OK;
	}
	if (!any && !w->is_below && !a->opts->force) {
		fail(a, TOMBSTONE_MISSING, RC_NOENT);
		return RC_OK;
	}
	if (check_dir(a, w->is_recursive, &ok, err))
		return err->rc;
	return ok ? keep(a, ERASURE_UNTIL, until, err) : RC_OK;
}

static void tell_versions(struct tombstone_add *a)
{
	unsigned int n = 0;

	fail(a, TOMBSTONE_NO_VERSION, RC_NOENT);
	for (size_t i = 0; i < a->n_versions && n < TELL_MAX; i++) {
		if (a->versions[i].is_deleted)
			continue;
		note(a, TOMBSTONE_VERSION, span_of_buf(&a->uid),
		     a->versions[i].created_at, false);
		n++;
	}
}

/* Versions of a time that are not taken yet; returns how many there are. */
static size_t take_time(struct tombstone_add *a, const struct want *w,
			size_t *ret_deleted)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_versions; i++) {
		struct version *v = &a->versions[i];

		if (!is_in(v->created_at, w))
			continue;
		*ret_deleted += v->is_deleted;
		n += !v->is_deleted;
		v->is_taken |= !v->is_deleted;
	}
	return n;
}

static enum rc resolve_time(struct tombstone_add *a, const struct want *w,
			    struct err *err)
{
	size_t n_deleted = 0, n = take_time(a, w, &n_deleted);

	if (n || w->is_below)
		return RC_OK;
	if (n_deleted) {
		a->counts.already++;
		note(a, TOMBSTONE_ALREADY, span_of_buf(&a->uid), w->from,
		     false);
		return RC_OK;
	}
	if (a->opts->force)
		return keep(a, ERASURE_ONE, w->from, err);
	if (a->n_versions)
		tell_versions(a);
	else
		fail(a, TOMBSTONE_MISSING, RC_NOENT);
	return RC_OK;
}

static enum rc resolve_times(struct tombstone_add *a, struct err *err)
{
	bool is_recursive = false, ok;

	for (size_t i = 0; i < a->n_wants; i++) {
		is_recursive |= a->wants[i].is_recursive;
		if (resolve_time(a, &a->wants[i], err))
			return err->rc;
	}
	if (check_dir(a, is_recursive, &ok, err))
		return err->rc;
	for (size_t i = 0; ok && i < a->n_versions; i++) {
		if (a->versions[i].is_taken &&
		    keep(a, ERASURE_ONE, a->versions[i].created_at, err))
			return err->rc;
	}
	return RC_OK;
}

static enum rc add_copy(void *arg, const struct found *f, struct err *err)
{
	struct tombstone_add *a = arg;

	for (size_t i = 0; i < a->n_versions; i++) {
		const struct version *v = &a->versions[i];

		if (v->is_taken && v->created_at == f->e.created_at)
			return tombstone_copies_add(a->copies, &f->e, f->shard,
						    err);
	}
	return RC_OK;
}

/* All that is asked of one name. */
static enum rc resolve(struct tombstone_add *a, struct err *err)
{
	const struct want *all = NULL;
	struct want any = { 0 };
	enum rc rc = find_all(a, err);

	for (size_t i = 0; i < a->n_wants; i++) {
		any.is_below |= a->wants[i].is_below;
		any.is_recursive |= a->wants[i].is_recursive;
		if (!a->wants[i].has_time)
			all = &any;
	}
	if (!rc)
		rc = all ? resolve_all(a, all, err) : resolve_times(a, err);
	if (!rc && a->copies)
		rc = find_versions(a->find, span_of_buf(&a->uid), add_copy, a,
				   err);
	a->n_wants = 0;
	return rc;
}

/* --- all names -------------------------------------------------------------
 */

static void push_want(struct tombstone_add *a, struct span value)
{
	a->wants = mem_grow(a->wants, &a->cap_wants, a->n_wants + 1,
			    sizeof(*a->wants));
	memcpy(&a->wants[a->n_wants++], value.p, sizeof(*a->wants));
}

static bool is_last_want(const struct tombstone_add *a, struct span value)
{
	return a->n_wants &&
	       !memcmp(&a->wants[a->n_wants - 1], value.p, sizeof(*a->wants));
}

static enum rc resolve_slot(struct tombstone_add *a, uint32_t slot,
			    struct err *err)
{
	struct sorter_reader *r = NULL;
	struct span key, value;
	enum rc rc = sorter_read(a->names, slot, &r, err);

	while (!rc) {
		rc = sorter_next(r, &key, &value, err);
		if (rc)
			break;
		if (stop_requested())
			rc = err_set(err, RC_STOPPED, "stopped by a signal");
		if (!rc && a->n_wants && !span_equal(key, span_of_buf(&a->uid)))
			rc = resolve(a, err);
		if (!rc && !a->n_wants) {
			buf_clear(&a->uid);
			buf_append(&a->uid, key.p, key.len);
		}
		if (!rc && !is_last_want(a, value))
			push_want(a, value);
	}
	if (rc == RC_NOENT)
		rc = a->n_wants ? resolve(a, err) : RC_OK;
	sorter_reader_free(r);
	return rc;
}

/* One that waits: write it, or tell of it. */
typedef enum rc waiting_fn(void *arg, struct span uid, enum erasure_range range,
			   int64_t time, struct err *err);

static enum rc each_waiting(struct tombstone_add *a, waiting_fn *fn, void *arg,
			    struct err *err)
{
	uint64_t at = 0, end = spool_len(&a->waiting);
	CLEANUP_FREE char *uid = xcalloc(1, UID_MAX_LEN + 1);

	while (at < end) {
		struct waiting next;

		if (spool_read(&a->waiting, at, &next, sizeof(next), err))
			return err->rc;
		at += sizeof(next);
		if (spool_read(&a->waiting, at, uid, next.uid_len, err))
			return err->rc;
		at += next.uid_len;
		if (fn(arg, span_of(uid, next.uid_len),
		       (enum erasure_range)next.range, next.time, err))
			return err->rc;
	}
	return RC_OK;
}

static enum rc write_one(void *arg, struct span uid, enum erasure_range range,
			 int64_t time, struct err *err)
{
	return tombstone_write_add(arg, uid, range, time, err);
}

static enum rc tell_one(void *arg, struct span uid, enum erasure_range range,
			int64_t time, struct err *err)
{
	(void)err;
	note(arg, TOMBSTONE_TAKEN, uid, time, range == ERASURE_UNTIL);
	return RC_OK;
}

static void copy_keys(struct tombstone_add *a, const struct tombstone_write *w)
{
	size_t n = tombstone_write_n_keys(w);

	a->counts.keys = xcalloc(n + 1, sizeof(char *));
	while (a->counts.n_keys < n) {
		size_t i = a->counts.n_keys++;

		a->counts.keys[i] = xstrdup(tombstone_write_key(w, i));
	}
}

static enum rc write_all(struct tombstone_add *a, struct err *err)
{
	struct tombstone_write *w = NULL;
	enum rc rc;

	rc = tombstone_write_begin(&w, a->st, a->log, a->archive_id,
				   &a->opts->words, err);
	if (rc)
		return rc;
	a->counts.time = tombstone_write_time(w);
	rc = each_waiting(a, write_one, w, err);
	if (!rc)
		rc = tombstone_write_commit(w, err);
	if (!rc)
		copy_keys(a, w);
	tombstone_write_free(w);
	return rc;
}

static void tell_copy(void *arg, const struct entry *e, bool is_link)
{
	struct tombstone_add *a = arg;

	set_uid(&a->uid, e);
	a->counts.copies++;
	note(a, is_link ? TOMBSTONE_LINK : TOMBSTONE_COPY, span_of_buf(&a->uid),
	     e->created_at, false);
}

static enum rc check_failed(const struct tombstone_add *a, struct err *err)
{
	if (!a->counts.failed)
		return RC_OK;
	return err_set(err, a->failure,
		       "nothing was deleted: %llu of the names cannot be",
		       (unsigned long long)a->counts.failed);
}

enum rc tombstone_add_run(struct tombstone_add *a, struct tombstone_added *ret,
			  struct err *err)
{
	enum rc rc = sorter_finish(a->names, err);

	for (uint32_t i = 0; !rc && i < 1u << N_BITS; i++)
		rc = resolve_slot(a, i, err);
	if (!rc)
		rc = check_failed(a, err);
	if (!rc && a->copies && a->counts.names)
		rc = tombstone_copies_find(a->copies, a->find, tell_copy, a,
					   err);
	if (!rc && !a->opts->dry_run && a->counts.names)
		rc = write_all(a, err);
	if (!rc && a->opts->fn)
		rc = each_waiting(a, tell_one, a, err);
	*ret = a->counts;
	a->counts = (struct tombstone_added){ 0 };
	return rc;
}
