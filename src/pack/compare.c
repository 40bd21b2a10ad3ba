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
#include "pack/filter.h"
#include "pack/keep.h"
#include "pack/old-dir.h"
#include "pack/pack.h"
#include "pack/plan.h"
#include "pack/sorter.h"
#include "shard/route.h"
#include "shard/shard-format.h"
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

	struct sorter_reader *items;
	bool has_item;
	struct item item; /* the next one */
	struct buf last_key;

	struct volume_scan *scan; /* NULL: the archive has nothing */
	bool has_ahead;
	struct volume_entry ahead; /* the next one */

	struct old_dir parent; /* of the keys looked at */
};

static enum rc next_item(struct compare *c, struct err *err)
{
	struct span key, value;
	enum rc rc;

	c->has_item = false;
	do {
		rc = sorter_next(c->items, &key, &value, err);
		if (rc)
			return rc == RC_NOENT ? RC_OK : rc;
	} while (c->last_key.len &&
		 span_equal(key, span_of(c->last_key.p, c->last_key.len)));
	buf_clear(&c->last_key);
	buf_append(&c->last_key, key.p, key.len);
	rc = item_decode(value.p, value.len, &c->item, err);
	if (rc)
		return rc;
	if (!item_key_decode(key, &c->item.parent, &c->item.name))
		return err_set(err, RC_IO, "temporary data were damaged");
	c->has_item = true;
	return RC_OK;
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

static bool is_visible(const struct compare *c, const struct old *old)
{
	const struct entry *e = &old->ve.e;

	if (!old->is_there || e->type == ENTRY_WHITEOUT)
		return false;
	if (is_root(e->parent, e->name))
		return true;
	return c->parent.is_visible && e->created_at >= c->parent.opaque;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* When a new version of a key enters the archive. */
static int64_t choose_time(const struct compare *c, const struct item *it,
			   const struct old *old)
{
	const struct pack *p = c->p;
	int64_t at = p->stamp;

	if (p->opts->created == CREATED_MTIME)
		return compare_mtime_us(it);
	if (!p->has_runs)
		return at;
	/* What is new below a new directory must not be older than that. */
	if (!is_root(it->parent, it->name)) {
		if (!c->parent.is_visible)
			at = p->safe_stamp;
		else
			at = later(at, c->parent.opaque);
	}
	return old->is_there ? later(at, old->newest + 1) : at;
}

static enum rc plan_new_version(struct compare *c, const struct old *old,
				bool visible, struct err *err)
{
	struct item it = c->item;
	const struct entry *e = &old->ve.e;
	struct plan_place place;

	it.created_at = choose_time(c, &it, old);
	if (it.type == ENTRY_DIR && visible && e->type == ENTRY_DIR) {
		it.has_opaque = e->has_opaque;
		it.opaque_since = e->opaque_since;
	} else if (it.type == ENTRY_DIR && c->p->has_runs &&
		   !is_root(it.parent, it.name)) {
		it.created_at = later(it.created_at, c->p->safe_stamp);
		it.has_opaque = true;
		it.opaque_since = it.created_at;
	}
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

static bool is_below_sources(const struct pack *p, struct span uid)
{
	if (!sources_have_names(&p->sources))
		return true;
	for (size_t i = 0; i < p->sources.n; i++) {
		const struct source *s = &p->sources.v[i];

		if (s->is_dir && uid.len > s->name_len &&
		    uid.p[s->name_len] == '/' &&
		    !memcmp(uid.p, s->name, s->name_len))
			return true;
	}
	return false;
}

static bool is_excluded(const struct pack *p, struct span uid, bool is_dir)
{
	const struct filter *f = p->opts->filter;

	if (!f)
		return false;
	for (size_t i = 0; i < uid.len; i++)
		if (uid.p[i] == '/' && filter_excludes(f, uid.p, i, true))
			return true;
	return filter_excludes(f, uid.p, uid.len, is_dir);
}

/* Would a run that mirrors take the name for deleted? */
static bool is_deleted(const struct compare *c, const struct entry *e)
{
	const struct pack *p = c->p;
	CLEANUP_FREE char *bytes = NULL;
	struct span uid;
	size_t len = entry_uid_len(e->parent, e->name);

	if (is_root(e->parent, e->name))
		return false;
	bytes = xcalloc(1, len + 1);
	entry_uid(e->parent, e->name, bytes);
	uid = span_of(bytes, len);
	/* Names no file system can have were not packed from one. */
	return !memchr(bytes, '\0', len) && is_below_sources(p, uid) &&
	       !keep_covers(p->keep, uid) &&
	       !is_excluded(p, uid, e->type == ENTRY_DIR) &&
	       route_slot((enum route_kind)p->descriptor.route,
			  p->descriptor.n_bits, uid.p, uid.len) == c->slot;
}

/* Put the directories above a whiteout into its part, as the archive has them.
 */
static enum rc plan_above(struct compare *c, struct plan_place place,
			  const struct item *whiteout, struct err *err)
{
	struct span path = whiteout->parent;

	while (!plan_knows_parent(c->plan, place, path)) {
		struct item dir = { .type = ENTRY_DIR,
				    .mode = 0755,
				    .dir = ITEM_NO_DIR,
				    .created_at = whiteout->created_at };
		struct volume_entry ve;
		enum rc rc = volume_resolve(c->p->volume, path, &ve, err);

		if (rc && rc != RC_NOENT && rc != RC_NOTDIR)
			return rc;
		if (!rc) {
			dir.mode = ve.e.mode;
			dir.uid = ve.e.uid;
			dir.gid = ve.e.gid;
			dir.mtime_s = ve.e.mtime_s;
			dir.mtime_ns = ve.e.mtime_ns;
			volume_entry_release(&ve);
		}
		entry_split_uid(path, &dir.parent, &dir.name);
		rc = plan_add_above(c->plan, place, &dir, err);
		if (rc)
			return rc;
		if (!path.len)
			break;
		path = dir.parent;
	}
	plan_know_parent(c->plan, place, whiteout->parent);
	return RC_OK;
}

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

	if (!c->p->opts->mirror || !is_visible(c, old) || !is_deleted(c, e))
		return RC_OK;
	it.created_at = choose_time(c, &it, old);
	rc = plan_add(c->plan, &it, &place, err);
	return rc ? rc : plan_above(c, place, &it, err);
}

/* --- the merge -------------------------------------------------------------
 */

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
		rc = old_dir_enter(
			&c->parent,
			order <= 0 ? c->item.parent : old.ve.e.parent, err);
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

	old_dir_init(&c.parent, p->volume);
	buf_init(&c.last_key, 2 * UID_MAX_LEN);
	rc = sorter_read(p->items, slot, &c.items, err);
	if (!rc && p->volume)
		rc = volume_scan_slot(p->volume, slot, &c.scan, err);
	if (!rc)
		rc = merge(&c, err);
	if (c.has_ahead)
		volume_entry_release(&c.ahead);
	volume_scan_free(c.scan);
	sorter_reader_free(c.items);
	old_dir_release(&c.parent);
	buf_release(&c.last_key);
	return rc;
}
