/* SPDX-License-Identifier: Apache-2.0 */
/* volume-contents.c - all entries of one shard, and what is left of a damaged
 * one.
 */
#include "config.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "store/store.h"
#include "volume/volume-hide.h"
#include "volume/volume-state.h"

struct contents {
	struct volume *v;
	const struct view *view;
	volume_change_fn *fn;
	volume_lost_fn *lost_fn;
	void *arg;
	struct shard_cursor c;
	uint64_t n; /* entries of the shard */
};

static bool is_wanted(const struct contents *w)
{
	const struct shard_cursor *c = &w->c;
	CLEANUP_FREE char *p = NULL;
	struct span uid;

	if (view_hides(w->view, &c->e))
		return false;
	if (c->e.type != ENTRY_DIR)
		return true;
	p = volume_uid(c->e.parent, c->e.name, &uid);
	return shard_file_owns(c->h.sf, uid);
}

/* What a disk cannot read it will not read the next time. */
static bool may_pass(const struct contents *w, enum rc rc)
{
	return rc_is_transient(rc) &&
	       (rc != RC_IO || store_is_remote(w->v->st));
}

/* Can the entry be read?  What may pass is an answer, too. */
static bool is_readable(struct contents *w, uint64_t ordinal, struct err *err)
{
	enum rc rc = shard_cursor_goto(&w->c, ordinal, err);

	return !rc || may_pass(w, rc);
}

/* The first entry behind one that cannot be read, by doubling steps and then
 * halving them: index pages have many entries, and all of one are lost.
 */
static uint64_t first_behind(struct contents *w, uint64_t ordinal)
{
	uint64_t bad = ordinal, good = w->n;
	struct err err;

	for (uint64_t step = 1; step < w->n - ordinal; step *= 2) {
		if (is_readable(w, ordinal + step, &err)) {
			good = ordinal + step;
			break;
		}
		bad = ordinal + step;
	}
	while (good - bad > 1) {
		uint64_t mid = bad + (good - bad) / 2;

		if (is_readable(w, mid, &err))
			good = mid;
		else
			bad = mid;
	}
	return good;
}

/* From an entry on, until one cannot be read; *ordinal is that. */
static enum rc walk_from(struct contents *w, uint64_t *ordinal, bool *more,
			 struct err *err)
{
	enum rc rc = shard_cursor_goto(&w->c, *ordinal, err);

	while (!rc && *more && !w->c.at_end) {
		if (is_wanted(w)) {
			struct volume_entry ve;

			volume_entry_init(&ve, &w->c, false);
			*more = w->fn(w->arg, &ve);
			volume_entry_release(&ve);
		}
		++*ordinal;
		rc = shard_cursor_next(&w->c, err);
	}
	return rc;
}

static enum rc walk(struct contents *w, const struct shard_file *sf,
		    struct err *err)
{
	uint64_t ordinal = 0;
	bool more = true;
	enum rc rc = shard_cursor_open(&w->c, &w->v->env, sf, err);

	if (rc)
		return rc;
	w->n = w->c.h.tail->footer.n_entries;
	for (;;) {
		uint64_t next;

		rc = walk_from(w, &ordinal, &more, err);
		if (!rc || !more || may_pass(w, rc))
			return more ? rc : RC_OK;
		next = first_behind(w, ordinal);
		w->lost_fn(w->arg, next - ordinal, err);
		if (next >= w->n)
			return RC_OK;
		ordinal = next;
	}
}

enum rc volume_shard_entries(struct volume *v, uint32_t shard,
			     volume_change_fn *fn, volume_lost_fn *lost_fn,
			     void *arg, struct err *err)
{
	CLEANUP_VIEW struct view *view = volume_view(v);
	const struct shard_file *sf = shard_set_get(v->set, shard);
	struct contents w = {
		.v = v, .view = view, .fn = fn, .lost_fn = lost_fn, .arg = arg
	};
	enum rc rc;

	if (!sf)
		return err_set(err, RC_NOENT, "no shard %lu",
			       (unsigned long)shard);
	rc = walk(&w, sf, err);
	shard_cursor_close(&w.c);
	if (rc_is_transient(rc) && !may_pass(&w, rc))
		rc = err->rc = RC_CORRUPT;
	return rc;
}
