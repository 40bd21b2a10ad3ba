/* SPDX-License-Identifier: Apache-2.0 */
/* compare.c - what of a slot is to be packed: the sources against the archive.
 */
#include "config.h"

#include "pack/compare.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "pack/compare-file.h"
#include "pack/erased.h"
#include "pack/mirror.h"
#include "pack/old-dir.h"
#include "pack/pack.h"
#include "pack/plan.h"
#include "pack/slot-items.h"
#include "shard/route.h"
#include "shard/shard-filter.h"
#include "shard/shard-format.h"
#include "verify/uid-set.h"
#include "volume/volume.h"

/* What the archive has under one key. */
struct old {
	bool is_there;
	int64_t newest;         /* created_at of the newest version */
	struct volume_entry ve; /* the newest version that is not implied */
};

struct compare {
	struct pack *p;
	uint32_t slot;
	struct tree *tree;
	struct plan *plan;

	struct slot_items items;
	bool has_item;
	struct item item; /* the next one */

	struct volume_scan *scan; /* NULL: the archive has nothing */
	bool has_ahead;
	struct volume_entry ahead; /* the next one */

	/* That of the keys looked at: as it was before the run, and with what
	 * runs of the same time have done, workers or this one at an earlier
	 * try.
	 */
	struct old_dir before, now;

	struct uid_set ended; /* hashes of directories that are none any more */
};

static enum rc next_item(struct compare *c, struct err *err)
{
	enum rc rc = slot_items_next(&c->items, &c->item, err);

	c->has_item = !rc;
	return rc == RC_NOENT ? RC_OK : rc;
}

static enum rc next_ahead(struct compare *c, struct err *err)
{
	enum rc rc;

	c->has_ahead = false;
	if (!c->scan)
		return RC_OK;
	rc = volume_scan_next(c->scan, &c->ahead, err);
	if (rc)
		return rc == RC_NOENT ? RC_OK : rc;
	c->has_ahead = true;
	return RC_OK;
}

static bool same_key(const struct entry *a, const struct entry *b)
{
	return !entry_key_compare(a->parent, a->name, b->parent, b->name);
}

/* Take all versions of the next key out of the scan. */
static enum rc take_old(struct compare *c, struct old *ret, struct err *err)
{
	enum rc rc;

	*ret = (struct old){ .is_there = true,
			     .ve = c->ahead,
			     .newest = c->ahead.e.created_at };
	for (;;) {
		rc = next_ahead(c, err);
		if (rc) {
			volume_entry_release(&ret->ve);
			return rc;
		}
		if (!c->has_ahead || !same_key(&ret->ve.e, &c->ahead.e))
			return RC_OK;
		if (ret->ve.e.implicit && !c->ahead.e.implicit) {
			volume_entry_release(&ret->ve);
			ret->ve = c->ahead;
		} else {
			volume_entry_release(&c->ahead);
		}
	}
}

static bool is_root(struct span parent, struct span name)
{
	return !parent.len && !name.len;
}

/* Is it in the tree, or will be as soon as its directory is?  What workers have
 * done to the directory meanwhile makes no difference.
 */
static bool is_visible(const struct compare *c, const struct old *old)
{
	const struct entry *e = &old->ve.e;
	bool is_past = e->created_at < c->p->stamp;

	if (!old->is_there || e->type == ENTRY_WHITEOUT)
		return false;
	return is_root(e->parent, e->name) ||
	       e->created_at >= (is_past ? c->before.floor : c->now.floor);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* When a new version of a key enters the archive.  ends_dir: it takes the place
 * of a directory, and nothing that was in that may be later.
 */
static int64_t choose_time(const struct compare *c, const struct item *it,
			   const struct old *old, bool ends_dir)
{
	const struct pack *p = c->p;
	int64_t at = p->stamp;

	if (p->opts->created == CREATED_MTIME)
		at = compare_mtime_us(it);
	if (ends_dir)
		at = later(at, p->safe_stamp);
	if (!is_root(it->parent, it->name))
		at = later(at, it->type == ENTRY_WHITEOUT ? c->before.floor
							  : c->now.floor);
	if (old->is_there)
		at = later(at, old->newest + 1);
	return erased_after(p->erased, it->parent, it->name, at);
}

/* What was in an older directory of that name stays hidden; e is the older
 * version, or NULL.
 */
static void set_opaque(const struct compare *c, const struct entry *e,
		       bool visible, struct item *it)
{
	int64_t since = c->now.floor;

	if (visible && e->type == ENTRY_DIR) {
		it->has_opaque = e->has_opaque;
		it->opaque_since = e->opaque_since;
		return;
	}
	if (is_root(it->parent, it->name))
		return;
	if (e && e->type != ENTRY_DIR)
		since = later(since, e->created_at + 1);
	else if (e && e->has_opaque)
		since = later(since, e->opaque_since);
	it->has_opaque = since != INT64_MIN;
	it->opaque_since = it->has_opaque ? since : 0;
}

/* It is no place for what is in it, see still_there. */
static void end_dir(struct compare *c, const struct item *it)
{
	uid_set_add(&c->ended, filter_hash(it->parent, it->name));
}

static void tell_erased(const struct compare *c, const struct item *it)
{
	CLEANUP_FREE char *bytes =
		xcalloc(1, entry_uid_len(it->parent, it->name) + 1);
	size_t len = entry_uid(it->parent, it->name, bytes);

	report_erased(c->p->report, span_of(bytes, len), it->type,
		      it->type == ENTRY_REG ? it->size : 0);
}

static enum rc plan_new_version(struct compare *c, const struct old *old,
				bool visible, struct err *err)
{
	struct item it = c->item;
	const struct entry *e = old->is_there ? &old->ve.e : NULL;
	bool ends_dir = visible && e->type == ENTRY_DIR && it.type != ENTRY_DIR;
	struct plan_place place;

	if (erased_keeps_out(c->p->erased, &it)) {
		tell_erased(c, &it);
		return RC_OK;
	}
	if (ends_dir)
		end_dir(c, &it);
	it.created_at = choose_time(c, &it, old, ends_dir);
	if (it.type == ENTRY_DIR)
		set_opaque(c, e, visible, &it);
	if (!timestamp_is_valid(it.created_at))
		return err_set(err, RC_LIMIT,
			       "created_at is beyond the year 9999");
	return plan_add(c->plan, &it, &place, err);
}

static enum rc decide_item(struct compare *c, const struct old *old,
			   struct err *err)
{
	bool visible = is_visible(c, old);
	enum compare_result result = COMPARE_DIFFERS;

	if (visible)
		result = compare_file(c->p, c->tree, &c->item, &old->ve.e);
	switch (result) {
	case COMPARE_SAME:
		report_unchanged(c->p->report, 1,
				 c->item.type == ENTRY_REG ? c->item.size : 0);
		return RC_OK;
	case COMPARE_FAILED: return RC_OK;
	case COMPARE_DIFFERS: break;
	}
	return plan_new_version(c, old, visible, err);
}

/* --- mirroring -------------------------------------------------------------
 */

static enum rc decide_old(struct compare *c, const struct old *old,
			  struct err *err)
{
	const struct entry *e = &old->ve.e;
	struct item it = { .type = ENTRY_WHITEOUT,
			   .nlink = 1,
			   .parent = e->parent,
			   .name = e->name,
			   .dir = ITEM_NO_DIR };
	struct plan_place place;
	enum rc rc;

	if (!c->p->opts->mirror || !is_visible(c, old) ||
	    !mirror_deletes(c->p, c->tree, c->slot, e))
		return RC_OK;
	if (e->type == ENTRY_DIR)
		end_dir(c, &it);
	it.created_at = choose_time(c, &it, old, e->type == ENTRY_DIR);
	rc = plan_add(c->plan, &it, &place, err);
	return rc ? rc
		  : mirror_plan_above(c->p, c->plan, place, &it, &c->ended,
				      err);
}

/* --- the merge -------------------------------------------------------------
 */

static enum rc enter(struct compare *c, struct span parent, struct err *err)
{
	if (old_dir_enter(&c->now, parent, err))
		return err->rc;
	if (c->p->before != c->p->volume)
		return old_dir_enter(&c->before, parent, err);
	c->before.floor = c->now.floor;
	return RC_OK;
}

/* One key: the item, the archive's versions, or both. */
static enum rc step(struct compare *c, struct err *err)
{
	struct old old = { 0 };
	int order = 0;
	enum rc rc = RC_OK;

	if (c->has_item && c->has_ahead)
		order = entry_key_compare(c->item.parent, c->item.name,
					  c->ahead.e.parent, c->ahead.e.name);
	else
		order = c->has_item ? -1 : 1;
	if (order >= 0)
		rc = take_old(c, &old, err);
	if (!rc)
		rc = enter(c, order <= 0 ? c->item.parent : old.ve.e.parent,
			   err);
	if (!rc)
		rc = order <= 0 ? decide_item(c, &old, err)
				: decide_old(c, &old, err);
	if (old.is_there)
		volume_entry_release(&old.ve);
	if (!rc && order <= 0)
		rc = next_item(c, err);
	return rc;
}

static enum rc merge(struct compare *c, struct err *err)
{
	enum rc rc = next_item(c, err);

	if (!rc)
		rc = next_ahead(c, err);
	while (!rc && (c->has_item || c->has_ahead)) {
		rc = step(c, err);
		if (!rc && pack_is_stopping(c->p, err))
			rc = err->rc;
	}
	return rc;
}

enum rc compare_slot(struct pack *p, uint32_t slot, struct tree *tree,
		     struct plan *plan, struct err *err)
{
	struct compare c = { .p = p, .slot = slot, .tree = tree, .plan = plan };
	enum rc rc;

	old_dir_init(&c.before, p->dirs_before);
	old_dir_init(&c.now, p->dirs_now);
	rc = slot_items_open(&c.items, p, slot, err);
	if (!rc && p->volume)
		rc = volume_scan_slot(p->volume, slot, &c.scan, err);
	if (!rc)
		rc = merge(&c, err);
	if (c.has_ahead)
		volume_entry_release(&c.ahead);
	volume_scan_free(c.scan);
	slot_items_close(&c.items);
	old_dir_release(&c.before);
	old_dir_release(&c.now);
	uid_set_release(&c.ended);
	return rc;
}
