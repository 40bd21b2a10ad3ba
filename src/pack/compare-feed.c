/* SPDX-License-Identifier: Apache-2.0 */
/* compare-feed.c - what of a slot is to be packed: a feed's records against the
 * archive.
 *
 * Both come in the order of their keys, and of a key from the newest to the
 * oldest.  What a key's directory needs comes last, see gather-feed.h.
 */
#include "config.h"

#include "pack/compare-feed-backend.h"

#include "base/cleanup.h"
#include "base/sorter.h"
#include "base/timestamp.h"
#include "pack/compare-file.h"
#include "pack/erased.h"
#include "pack/links.h"
#include "pack/pack.h"
#include "pack/plan.h"
#include "shard/shard-format.h"

/* --- what is planned ----------------------------------------------------
 */

/* From when on its directory shows what is in it.  To ask costs time, and of
 * most records nobody has to know.
 */
static enum rc enter_dir(struct compare_feed *c, struct err *err)
{
	return old_dir_enter(&c->dir, c->parent, err);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* From when on the directory at hand shows what is in it, if it follows e, the
 * newest version before, or NULL.
 */
static void set_opaque(const struct compare_feed *c, const struct entry *e,
		       struct item *it)
{
	int64_t since = c->dir.floor;

	if (e && e->type == ENTRY_DIR &&
	    (compare_feed_is_root(c) || e->created_at >= c->dir.floor)) {
		it->has_opaque = e->has_opaque;
		it->opaque_since = e->opaque_since;
		return;
	}
	if (compare_feed_is_root(c))
		return;
	if (e && e->type != ENTRY_DIR)
		since = later(since, e->created_at + 1);
	else if (e && e->has_opaque)
		since = later(since, e->opaque_since);
	it->has_opaque = since != INT64_MIN;
	it->opaque_since = it->has_opaque ? since : 0;
}

/* The same of a version whose time is given: one that is older than what the
 * archive has changes nothing of that.
 */
static enum rc set_opaque_at(struct compare_feed *c, struct item *it,
			     struct err *err)
{
	struct volume_entry ve;
	struct span uid;
	CLEANUP_FREE char *p = NULL;
	enum rc rc = RC_NOENT;

	if (enter_dir(c, err))
		return err->rc;
	if (c->p->volume && (c->has_old || compare_feed_is_ahead(c))) {
		uid = compare_feed_uid(c, &p);
		rc = volume_newest(c->p->volume, uid, &ve, err);
	}
	if (rc && rc != RC_NOENT)
		return rc;
	if (rc) {
		set_opaque(c, NULL, it);
		return RC_OK;
	}
	if (ve.e.created_at < it->created_at)
		set_opaque(c, &ve.e, it);
	volume_entry_release(&ve);
	return RC_OK;
}

static enum rc plan_item(struct compare_feed *c, struct item *it,
			 struct err *err)
{
	struct plan_place place;

	if (!timestamp_is_valid(it->created_at))
		return err_set(err, RC_LIMIT,
			       "created_at is beyond the year 9999");
	compare_feed_note(c, it->created_at, it->type == ENTRY_DIR);
	return plan_add(c->plan, it, &place, err);
}

/* A version with its own time. */
static enum rc decide_version(struct compare_feed *c, struct err *err)
{
	struct item *it = &c->item;
	const struct erased *erased = c->p->erased;
	struct err why;

	if (compare_feed_pass_newer(c, it->created_at, err))
		return err->rc;
	if (compare_feed_is_ahead(c) &&
	    c->ahead.e.created_at == it->created_at && !c->ahead.e.implicit) {
		compare_feed_tell_present(c);
		return RC_OK;
	}
	if (erased_after(erased, it->parent, it->name, it->created_at) !=
	    it->created_at) {
		if (!c->p->opts->allow_erased) {
			compare_feed_tell_erased(c);
			return RC_OK;
		}
		err_set(&why, RC_DELETED,
			"this version was deleted, and would not be seen: a "
			"tombstone is still there");
		compare_feed_tell_failed(c, FEED_FAILED, &why);
		return RC_OK;
	}
	if (it->type == ENTRY_DIR && !c->p->opts->feed->has_history &&
	    set_opaque_at(c, it, err))
		return err->rc;
	return plan_item(c, it, err);
}

/* --- records without a time ---------------------------------------------
 */

/* The newest version, if it is in the tree or will be as soon as its directory
 * is.
 */
static const struct entry *visible_old(const struct compare_feed *c)
{
	const struct entry *e = &c->old.e;

	if (!c->has_old || e->type == ENTRY_WHITEOUT ||
	    c->seen.newest != e->created_at)
		return NULL;
	return compare_feed_is_root(c) || e->created_at >= c->dir.floor ? e
									: NULL;
}

static bool is_same(const struct item *it, const struct entry *e)
{
	return compare_attributes(it, e) && span_equal(it->meta, e->meta) &&
	       !compare_feed_has_other_hash(it, e);
}

static enum rc decide_current(struct compare_feed *c, struct err *err)
{
	struct item *it = &c->item;
	const struct entry *e;
	int64_t at = c->p->stamp;

	if (compare_feed_pass_all(c, err) || enter_dir(c, err))
		return err->rc;
	e = visible_old(c);
	if (e && is_same(it, e)) {
		compare_feed_tell_there(c, &c->old);
		return RC_OK;
	}
	if (e && e->type == ENTRY_DIR && it->type != ENTRY_DIR)
		at = later(at, c->p->safe_stamp);
	if (!compare_feed_is_root(c))
		at = later(at, c->dir.floor);
	if (c->seen.has_any)
		at = later(at, c->seen.newest + 1);
	it->created_at = erased_after(c->p->erased, it->parent, it->name, at);
	if (it->type == ENTRY_DIR)
		set_opaque(c, c->has_old ? &c->old.e : NULL, it);
	return plan_item(c, it, err);
}

/* --- directories that nobody listed -------------------------------------
 */

/* So that it is in the tree it has an entry where it is looked for, as all
 * directories of a walk have.  It is none of those that are only implied, which
 * go when nothing is below them in their own shard.
 */
static enum rc decide_above(struct compare_feed *c, struct err *err)
{
	struct item *it = &c->item;
	const struct seen *s = &c->seen;

	if (compare_feed_pass_all(c, err))
		return err->rc;
	if ((s->has_any && (s->is_dir || it->created_at <= s->newest)) ||
	    erased_keeps_out(c->p->erased, it))
		return RC_OK;
	if (enter_dir(c, err))
		return err->rc;
	it->implicit = false;
	it->created_at = erased_after(c->p->erased, it->parent, it->name,
				      it->created_at);
	set_opaque(c, c->has_old ? &c->old.e : NULL, it);
	report_found(c->p->report, 1, 0);
	return plan_item(c, it, err);
}

/* --- the merge ----------------------------------------------------------
 */

static enum rc decide_listed(struct compare_feed *c, struct err *err)
{
	int64_t at = c->item.created_at;

	if (c->has_last && c->last == at) {
		compare_feed_tell_duplicate(c);
		return RC_OK;
	}
	c->has_last = true;
	c->last = at;
	if (erased_keeps_out(c->p->erased, &c->item)) {
		compare_feed_tell_erased(c);
		return RC_OK;
	}
	return at == FEED_NO_TIME ? decide_current(c, err)
				  : decide_version(c, err);
}

/* All records of a key. */
static enum rc step(struct compare_feed *c, struct err *err)
{
	enum rc rc = compare_feed_begin_key(c, err);
	bool has_above = false;

	while (!rc && compare_feed_is_of_key(c)) {
		if (c->rank == FEED_LISTED)
			rc = decide_listed(c, err);
		else if (!has_above)
			rc = decide_above(c, err);
		has_above |= c->rank == FEED_ABOVE;
		if (!rc)
			rc = compare_feed_next(c, err);
	}
	compare_feed_end_key(c);
	return rc;
}

static enum rc merge(struct compare_feed *c, struct err *err)
{
	enum rc rc = compare_feed_next(c, err);

	if (!rc)
		rc = compare_feed_next_ahead(c, err);
	while (!rc && c->has_item) {
		rc = step(c, err);
		if (!rc && pack_is_stopping(c->p, err))
			rc = err->rc;
	}
	return rc;
}

enum rc compare_feed_slot(struct pack *p, uint32_t slot, struct plan *plan,
			  struct err *err)
{
	struct compare_feed c = { .p = p, .plan = plan };
	enum rc rc;

	old_dir_init(&c.dir, p->dirs_now);
	buf_init(&c.bytes, 2 * UID_MAX_LEN);
	buf_init(&c.link_key, 2 * UID_MAX_LEN);
	rc = sorter_read(p->items, slot, &c.records, err);
	if (!rc)
		rc = links_read(p->links, slot, &c.links, err);
	if (!rc && p->volume)
		rc = volume_scan_slot(p->volume, slot, &c.scan, err);
	if (!rc)
		rc = merge(&c, err);
	compare_feed_end_key(&c);
	if (c.has_ahead)
		volume_entry_release(&c.ahead);
	volume_scan_free(c.scan);
	sorter_reader_free(c.records);
	links_reader_free(c.links);
	old_dir_release(&c.dir);
	buf_release(&c.bytes);
	buf_release(&c.link_key);
	return rc;
}
