/* SPDX-License-Identifier: Apache-2.0 */
/* volume-scan.c - all versions of all entries of one slot, in order. */
#include "config.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "shard/route.h"
#include "volume/volume-hide.h"
#include "volume/volume-merge.h"
#include "volume/volume-state.h"

/* Repacks that follow each other faster than a scan goes on. */
#define TRIES_MAX 8u

struct volume_scan {
	struct volume *v;
	struct view *view;
	uint32_t slot;
	struct volume_merge merge;
	struct volume_entry last; /* given out last; hold NULL: none */
};

/* From the entry given out last on, if there is one. */
static enum rc add_shard(struct volume_scan *scan, const struct shard_file *sf,
			 struct err *err)
{
	CLEANUP_CURSOR struct shard_cursor c = { 0 };
	const struct entry *last = &scan->last.e;
	enum rc rc = shard_cursor_open(&c, &scan->v->env, sf, err);

	if (!rc && scan->last.hold)
		rc = shard_cursor_seek(&c, last->parent, last->name, err);
	else if (!rc)
		rc = shard_cursor_goto(&c, 0, err);
	while (!rc && scan->last.hold && !c.at_end &&
	       entry_compare(&c.e, last) <= 0)
		rc = shard_cursor_next(&c, err);
	if (!rc)
		volume_merge_add(&scan->merge, &c);
	return rc;
}

static enum rc add_shards(struct volume_scan *scan, struct err *err)
{
	const struct descriptor *d = &scan->v->descriptor;
	const struct shard_file *sf;
	struct view_walk walk;
	enum rc rc = RC_OK;

	walk = view_walk_slot(scan->view, d->n_bits, d->route, scan->slot);
	for (sf = view_walk_next(&walk); sf && !rc; sf = view_walk_next(&walk))
		rc = add_shard(scan, sf, err);
	return rc;
}

/* On the view as it is, and once more when a shard of that was replaced and is
 * gone.
 */
static enum rc begin(struct volume_scan *scan, struct err *err)
{
	struct volume_try t = { .v = scan->v };

	while (volume_try_next(&t)) {
		volume_merge_release(&scan->merge);
		view_unref(scan->view);
		scan->view = view_ref(t.view);
		t.rc = add_shards(scan, err);
	}
	return t.rc;
}

enum rc volume_scan_slot(struct volume *v, uint32_t slot,
			 struct volume_scan **ret, struct err *err)
{
	const struct descriptor *d = &v->descriptor;
	struct volume_scan *scan;
	enum rc rc;

	if (slot >> d->n_bits)
		return err_set(err, RC_USAGE, "slot %u of %u",
			       (unsigned int)slot, 1u << d->n_bits);
	scan = xcalloc(1, sizeof(*scan));
	scan->v = v;
	scan->slot = slot;
	rc = begin(scan, err);
	if (rc) {
		volume_scan_free(scan);
		return rc;
	}
	*ret = scan;
	return RC_OK;
}

/* True when the entry's uid is of the slot, and in its own slot. */
static bool is_of_slot(const struct volume_scan *scan,
		       const struct shard_cursor *c)
{
	const struct descriptor *d = &scan->v->descriptor;
	CLEANUP_FREE char *p = NULL;
	struct span uid;

	p = volume_uid(c->e.parent, c->e.name, &uid);
	return shard_file_owns(c->h.sf, uid) &&
	       route_slot((enum route_kind)d->route, d->n_bits, uid.p,
			  uid.len) == scan->slot;
}

static enum rc next(struct volume_scan *scan, struct volume_entry *ret,
		    struct err *err)
{
	const struct shard_cursor *c;

	for (c = volume_merge_top(&scan->merge); c;
	     c = volume_merge_top(&scan->merge)) {
		struct volume_entry ve;
		bool wanted = (!scan->last.hold ||
			       entry_compare(&scan->last.e, &c->e)) &&
			      !view_hides(scan->view, &c->e) &&
			      is_of_slot(scan, c);
		enum rc rc;

		volume_entry_init(&ve, c, false);
		rc = volume_merge_next(&scan->merge, err);
		if (!rc && wanted) {
			*ret = ve;
			volume_entry_release(&scan->last);
			scan->last = ve;
			volume_entry_hold(&scan->last);
			return RC_OK;
		}
		volume_entry_release(&ve);
		if (rc)
			return rc;
	}
	return err_set(err, RC_NOENT, "end of slot %u",
		       (unsigned int)scan->slot);
}

enum rc volume_scan_next(struct volume_scan *scan, struct volume_entry *ret,
			 struct err *err)
{
	enum rc rc = next(scan, ret, err);

	for (unsigned int i = 0; rc == RC_CHANGED && i < TRIES_MAX; i++) {
		rc = begin(scan, err);
		if (!rc)
			rc = next(scan, ret, err);
	}
	return rc;
}

void volume_scan_free(struct volume_scan *scan)
{
	if (!scan)
		return;
	volume_entry_release(&scan->last);
	volume_merge_release(&scan->merge);
	view_unref(scan->view);
	free(scan);
}
