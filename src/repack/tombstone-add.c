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
#include "base/sorter.h"
#include "base/spool.h"
#include "base/stop.h"
#include "repack/find-version.h"
#include "repack/tombstone-add-backend.h"
#include "repack/tombstone-copies.h"
#include "repack/tombstone-write.h"
#include "shard/route.h"
#include "volume/oplog.h"

#define NAMES_MEMORY (16u << 20)
#define FOUND_MEMORY (4u << 20)
#define N_BITS 8 /* for the order alone */

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

static struct span uid_of(const struct tombstone_add *a)
{
	return span_of(a->uid.p, a->uid.len);
}

void tombstone_add_note(struct tombstone_add *a, enum tombstone_note_kind kind,
			struct span uid, int64_t time, bool is_all)
{
	const struct tombstone_note n = {
		.kind = kind, .uid = uid, .time = time, .is_all = is_all
	};

	if (a->opts->fn)
		a->opts->fn(a->opts->arg, &n);
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

static enum rc add_below(void *arg, const struct found *f, struct err *err)
{
	struct below *b = arg;

	if (stop_requested())
		return err_set(err, RC_STOPPED, "stopped by a signal");
	if (f->is_deleted ||
	    (b->want.has_time && !want_has(&b->want, f->e.created_at)))
		return RC_OK;
	b->is_found = true;
	set_uid(&b->a->uid, &f->e);
	return add_want(b->a, uid_of(b->a), &b->want, err);
}

enum rc tombstone_add_name(struct tombstone_add *a,
			   const struct tombstone_name *name, bool recursive,
			   struct err *err)
{
	struct below below = {
		.a = a,
		.want = { .from = name->time.from,
			  .to = name->time.to,
			  .has_time = name->has_time },
	};
	struct want own = below.want;
	enum rc rc = RC_OK;

	own.is_recursive = recursive;
	below.want.is_below = below.want.is_recursive = true;
	if (recursive)
		rc = find_below(a->find, name->uid, add_below, &below, err);
	rc = tombstone_add_pass(a, rc);
	if (rc)
		return rc;
	/* What is below has versions of that time, so the directory need not
	 * have one.
	 */
	own.is_below = own.has_time && below.is_found;
	return add_want(a, name->uid, &own, err);
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
		if (!rc && a->n_wants && !span_equal(key, uid_of(a)))
			rc = tombstone_add_resolve(a, err);
		if (!rc && !a->n_wants) {
			buf_clear(&a->uid);
			buf_append(&a->uid, key.p, key.len);
		}
		if (!rc && !is_last_want(a, value))
			push_want(a, value);
	}
	if (rc == RC_NOENT)
		rc = a->n_wants ? tombstone_add_resolve(a, err) : RC_OK;
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
	tombstone_add_note(arg, TOMBSTONE_TAKEN, uid, time,
			   range == ERASURE_UNTIL);
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
	tombstone_add_note(a, is_link ? TOMBSTONE_LINK : TOMBSTONE_COPY,
			   uid_of(a), e->created_at, false);
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
					   &a->counts.damaged, err);
	if (!rc && !a->opts->dry_run && a->counts.names)
		rc = write_all(a, err);
	if (!rc && a->opts->fn)
		rc = each_waiting(a, tell_one, a, err);
	*ret = a->counts;
	a->counts = (struct tombstone_added){ 0 };
	return rc;
}
