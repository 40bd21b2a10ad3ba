/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-remove.c - takes deletions back, as long as nothing is lost.
 *
 * A repack leaves out what is deleted, so from its record on there is nothing
 * to go back to: the old revision is read by nobody and may be purged.
 */
#include "config.h"

#include "repack/tombstone-remove.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "erase/tombstone.h"
#include "repack/tombstone-doc.h"
#include "shard/route.h"
#include "store/store-write.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"

/* YYYYMMDD/YYYYMMDD_ */
#define SLOT_AT 18u

/* One of the words that say which. */
struct wanted {
	const char *text;
	size_t len;
	bool is_found;
};

struct remover {
	struct store *st;
	const struct oplog_state *state;
	struct wanted *wanted; /* in the order of their texts */
	size_t n_wanted;
	tombstone_remove_fn *fn;
	void *arg;
	/* Revisions that were replaced after the document at hand. */
	const struct oplog_old **late;
	size_t n_late, cap_late;
	struct erasure_id *ids;
	size_t n_ids, cap_ids;
	struct tombstone_removed counts;
};

static int by_text(const void *pa, const void *pb)
{
	const struct wanted *a = pa, *b = pb;

	return span_compare(span_of(a->text, a->len), span_of(b->text, b->len));
}

static struct wanted *find_wanted(struct remover *r, const void *text,
				  size_t len)
{
	const struct wanted key = { .text = text, .len = len };

	return bsearch(&key, r->wanted, r->n_wanted, sizeof(key), by_text);
}

static bool is_wanted(struct remover *r, const void *text, size_t len)
{
	struct wanted *w = find_wanted(r, text, len);

	if (w)
		w->is_found = true;
	return w;
}

/* --- too late? -------------------------------------------------------------
 */

/* The slot in a shard's key; false: it has none that we know. */
static bool slot_of_key(const char *key, uint32_t *ret)
{
	char *end;

	if (strlen(key) <= SLOT_AT)
		return false;
	*ret = (uint32_t)strtoul(key + SLOT_AT, &end, 16);
	return end > key + SLOT_AT && *end == '_';
}

/* When its names are not known any more the slot tells; any n_bits will do of
 * which the digits are as many.
 */
static bool may_have_slot(const char *key, const struct erasure *e)
{
	size_t digits;
	uint32_t slot;

	if (!slot_of_key(key, &slot))
		return true;
	digits = (size_t)(strchr(key + SLOT_AT, '_') - (key + SLOT_AT));
	for (unsigned int n = ROUTE_BITS_MIN; n <= ROUTE_BITS_MAX; n++) {
		if (route_hex_width(n) != digits)
			continue;
		if (route_slot(ROUTE_UID, n, e->uid, e->uid_len) == slot ||
		    route_slot(ROUTE_PARENT, n, e->uid, e->uid_len) == slot)
			return true;
	}
	return false;
}

static bool may_hold(const struct oplog_old *old, const struct erasure *e)
{
	const struct shard_meta *m = old->meta;
	struct span parent, name, first_parent, first_name, last_parent;
	struct span last_name;

	if (old->is_purged || !m || m->is_purged)
		return may_have_slot(old->key, e);
	if (route_slot((enum route_kind)m->route, m->n_bits, e->uid,
		       e->uid_len) != m->slot)
		return false;
	entry_split_uid(span_of(e->uid, e->uid_len), &parent, &name);
	entry_split_uid(span_of(m->first, m->first_len), &first_parent,
			&first_name);
	entry_split_uid(span_of(m->last, m->last_len), &last_parent,
			&last_name);
	return entry_key_compare(first_parent, first_name, parent, name) <= 0 &&
	       entry_key_compare(parent, name, last_parent, last_name) <= 0;
}

/* When what a document asks for was asked for at first: it may be what is left
 * of another.  INT64_MIN: nobody knows.
 */
static int64_t asked_at(const struct oplog_state *state,
			const struct oplog_tombstone *t)
{
	/* A forger may have made a circle. */
	for (size_t n = 0; t && n <= oplog_state_n_tombstones(state); n++) {
		if (!t->object->rest_of)
			return t->record->time;
		t = oplog_state_find_tombstone(state, t->object->rest_of);
	}
	return INT64_MIN;
}

static void find_late(struct remover *r, const struct oplog_tombstone *t)
{
	int64_t since = asked_at(r->state, t);

	r->n_late = 0;
	for (size_t i = 0; i < oplog_state_n_old(r->state); i++) {
		const struct oplog_old *old = oplog_state_old(r->state, i);

		if (old->is_garbage || old->record->time < since)
			continue;
		r->late = mem_grow(r->late, &r->cap_late, r->n_late + 1,
				   sizeof(struct oplog_old *));
		r->late[r->n_late++] = old;
	}
}

static enum rc check_one(const struct remover *r, const struct erasure *e,
			 struct err *err)
{
	if (oplog_state_find_receipt(r->state, e->id))
		return err_set(err, RC_CHANGED,
			       "it is too late: there is a receipt already");
	for (size_t i = 0; i < r->n_late; i++) {
		if (may_hold(r->late[i], e))
			return err_set(err, RC_CHANGED,
				       "it is too late: %s, which may have "
				       "held it, was repacked without what is "
				       "deleted",
				       r->late[i]->key);
	}
	return RC_OK;
}

/* --- which -----------------------------------------------------------------
 */

static enum rc take(struct remover *r, const struct erasure *e, struct err *err)
{
	if (oplog_state_is_withdrawn(r->state, e->id)) {
		r->counts.already++;
		return RC_OK;
	}
	if (check_one(r, e, err))
		return err->rc;
	r->ids = mem_grow(r->ids, &r->cap_ids, r->n_ids + 1, sizeof(*r->ids));
	memcpy(r->ids[r->n_ids++].b, e->id, ERASURE_ID_LEN);
	if (r->fn)
		r->fn(r->arg, span_of(e->uid, e->uid_len));
	return RC_OK;
}

static enum rc look_at(struct remover *r, const struct oplog_tombstone *t,
		       struct err *err)
{
	CLEANUP(tombstone_release) struct tombstone doc = { 0 };
	char id[TOMBSTONE_ID_TEXT];
	bool is_all;

	tombstone_doc_id(t->object->key, id);
	is_all = is_wanted(r, id, strlen(id));
	if (t->done)
		return is_all ? err_set(err, RC_CHANGED,
					"%s: it is too late: it is done", id)
			      : RC_OK;
	find_late(r, t);
	if (tombstone_doc_read(r->st, t->object, &doc, err))
		return err->rc;
	for (size_t i = 0; i < doc.n; i++) {
		const struct erasure *e = &doc.erasures[i];
		bool by_uid = is_wanted(r, e->uid, e->uid_len);

		hex_encode(e->id, ERASURE_ID_LEN, id);
		if (!is_wanted(r, id, strlen(id)) && !by_uid && !is_all)
			continue;
		if (take(r, e, err))
			return err_prefix(err, "%s", id);
	}
	return RC_OK;
}

static enum rc look_at_all(struct remover *r, struct err *err)
{
	for (size_t i = 0; i < oplog_state_n_tombstones(r->state); i++) {
		if (look_at(r, oplog_state_tombstone(r->state, i), err))
			return err->rc;
	}
	for (size_t i = 0; i < r->n_wanted; i++) {
		if (!r->wanted[i].is_found)
			return err_set(err, RC_NOENT,
				       "%s: no open tombstone is called so, "
				       "nor a name in one",
				       r->wanted[i].text);
	}
	return RC_OK;
}

/* --- the record ------------------------------------------------------------
 */

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, ERASURE_ID_LEN);
}

/* In order, and each but once: what is left of a document is in two as long as
 * the first is not called done.
 */
static void unite_ids(struct remover *r)
{
	size_t n = 0;

	if (r->n_ids)
		qsort(r->ids, r->n_ids, sizeof(*r->ids), by_id);
	for (size_t i = 0; i < r->n_ids; i++) {
		if (!n || by_id(&r->ids[i], &r->ids[n - 1]))
			r->ids[n++] = r->ids[i];
	}
	r->n_ids = n;
}

static enum rc check_doc_again(struct remover *r,
			       const struct oplog_tombstone *t, struct err *err)
{
	CLEANUP(tombstone_release) struct tombstone doc = { 0 };

	find_late(r, t);
	if (!t->done && !r->n_late)
		return RC_OK;
	if (t->done || tombstone_doc_read(r->st, t->object, &doc, err))
		return t->done ? RC_OK : err->rc;
	for (size_t i = 0; i < doc.n; i++) {
		const struct erasure *e = &doc.erasures[i];

		if (bsearch(e->id, r->ids, r->n_ids, sizeof(*r->ids), by_id) &&
		    check_one(r, e, err))
			return err_prefix(err, "a repack was quicker");
	}
	return RC_OK;
}

static enum rc check_docs_again(struct remover *r, struct err *err)
{
	for (size_t i = 0; i < oplog_state_n_tombstones(r->state); i++) {
		if (check_doc_again(r, oplog_state_tombstone(r->state, i), err))
			return err->rc;
	}
	return RC_OK;
}

/* Who began before it may have come in between.  Runs that end after the look
 * at them have their records in the log by then.
 */
static enum rc check_again(struct remover *r, struct oplog *log,
			   struct err *err)
{
	unsigned int alive = 0;
	bool changed;

	oplog_want_all(log);
	if (store_runs_alive(r->st, NULL, &alive, err) ||
	    oplog_read(log, r->st, &changed, err))
		return err_prefix(err, "it was taken back, but not looked at "
				       "again");
	r->state = oplog_state(log);
	if (check_docs_again(r, err))
		return err->rc;
	if (!alive)
		return RC_OK;
	return err_set(err, RC_PARTIAL,
		       "taken back, but a run that is alive may still leave it "
		       "out; look again when it is over");
}

static enum rc write_record(struct remover *r, struct oplog *log,
			    const uint8_t archive_id[SHARD_ID_LEN],
			    struct err *err)
{
	struct oplog_record record = { .kind = OPLOG_WITHDRAWN,
				       .withdrawn = r->ids,
				       .n_withdrawn = r->n_ids };
	enum rc rc = oplog_write(log, r->st, &record, archive_id, err);

	record.withdrawn = NULL;
	record.n_withdrawn = 0;
	oplog_record_release(&record);
	return rc ? rc : check_again(r, log, err);
}

/* In order, and each but once. */
static void set_wanted(struct remover *r, const char *const *which, size_t n)
{
	for (size_t i = 0; i < n; i++)
		r->wanted[i] = (struct wanted){ .text = which[i],
						.len = strlen(which[i]) };
	if (n)
		qsort(r->wanted, n, sizeof(*r->wanted), by_text);
	for (size_t i = 0; i < n; i++) {
		if (!i || by_text(&r->wanted[i], &r->wanted[i - 1]))
			r->wanted[r->n_wanted++] = r->wanted[i];
	}
}

enum rc tombstone_remove(struct store *st, struct oplog *log,
			 const uint8_t archive_id[SHARD_ID_LEN],
			 const char *const *which, size_t n, bool dry_run,
			 tombstone_remove_fn *fn, void *arg,
			 struct tombstone_removed *ret, struct err *err)
{
	CLEANUP_FREE struct wanted *wanted = xcalloc(n + 1, sizeof(*wanted));
	struct remover r = { .st = st, .wanted = wanted, .fn = fn, .arg = arg };
	bool changed;
	enum rc rc;

	set_wanted(&r, which, n);
	oplog_want_all(log);
	rc = oplog_read(log, st, &changed, err);
	r.state = oplog_state(log);
	if (!rc)
		rc = look_at_all(&r, err);
	unite_ids(&r);
	r.counts.names = r.n_ids;
	if (!rc && r.n_ids && !dry_run)
		rc = write_record(&r, log, archive_id, err);
	*ret = r.counts;
	free(r.ids);
	free(r.late);
	return rc;
}
