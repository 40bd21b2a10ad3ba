/* SPDX-License-Identifier: Apache-2.0 */
/* mirror.c - names that are gone from the sources, and what stays of the
 * directories they were in.
 */
#include "config.h"

#include "pack/mirror.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pack/filter.h"
#include "pack/keep.h"
#include "pack/pack.h"
#include "pack/plan.h"
#include "pack/uid-set.h"
#include "shard/route.h"
#include "shard/shard-filter.h"
#include "volume/volume.h"

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

bool mirror_deletes(const struct pack *p, uint32_t slot, const struct entry *e)
{
	CLEANUP_FREE char *bytes = NULL;
	struct span uid;
	size_t len = entry_uid_len(e->parent, e->name);

	if (!len) /* the root */
		return false;
	bytes = xcalloc(1, len + 1);
	entry_uid(e->parent, e->name, bytes);
	uid = span_of(bytes, len);
	/* Names no file system can have were not packed from one. */
	return !memchr(bytes, '\0', len) && is_below_sources(p, uid) &&
	       !keep_covers(p->keep, uid) &&
	       !filter_excludes_below(p->opts->filter, uid.p, uid.len,
				      e->type == ENTRY_DIR) &&
	       route_slot((enum route_kind)p->descriptor.route,
			  p->descriptor.n_bits, uid.p, uid.len) == slot;
}

/* A directory as the archive had it before the run, or else has it now. */
static enum rc find_dir(const struct pack *p, struct span path,
			struct volume_entry *ret, struct err *err)
{
	enum rc rc = RC_NOENT;

	if (p->before)
		rc = volume_resolve(p->before, path, ret, err);
	if ((rc == RC_NOENT || rc == RC_NOTDIR) && p->before != p->volume)
		rc = volume_resolve(p->volume, path, ret, err);
	if (!rc && ret->e.type != ENTRY_DIR) {
		volume_entry_release(ret);
		rc = err_set(err, RC_NOTDIR, "not a directory");
	}
	return rc;
}

/* Of path and the directories above it the lowest that is still one.  Those
 * that this slot ends were ended before: their keys come first.
 */
static struct span still_there(const struct uid_set *ended, struct span path)
{
	struct span lowest = path;

	while (ended->n && path.len) {
		struct span parent, name;

		entry_split_uid(path, &parent, &name);
		if (uid_set_has(ended, filter_hash(parent, name)))
			lowest = parent;
		path = parent;
	}
	return lowest;
}

enum rc mirror_plan_above(const struct pack *p, struct plan *plan,
			  struct plan_place place, const struct item *whiteout,
			  const struct uid_set *ended, struct err *err)
{
	struct span path = still_there(ended, whiteout->parent);
	bool has_all = path.len == whiteout->parent.len;

	while (!plan_knows_parent(plan, place, path)) {
		struct item dir = { .type = ENTRY_DIR,
				    .dir = ITEM_NO_DIR,
				    .created_at = whiteout->created_at };
		struct volume_entry ve;
		enum rc rc = find_dir(p, path, &ve, err);

		entry_split_uid(path, &dir.parent, &dir.name);
		if (rc == RC_NOENT || rc == RC_NOTDIR) {
			has_all = false;
		} else if (rc) {
			return rc;
		} else {
			dir.mode = ve.e.mode;
			dir.uid = ve.e.uid;
			dir.gid = ve.e.gid;
			dir.mtime_s = ve.e.mtime_s;
			dir.mtime_ns = ve.e.mtime_ns;
			volume_entry_release(&ve);
			if (plan_add_above(plan, place, &dir, err))
				return err->rc;
		}
		if (!path.len)
			break;
		path = dir.parent;
	}
	if (has_all)
		plan_know_parent(plan, place, whiteout->parent);
	return RC_OK;
}
