/* SPDX-License-Identifier: Apache-2.0 */
/* mirror.c - names that are gone from the sources, and what stays of the
 * directories they were in.
 */
#include "config.h"

#include "pack/mirror.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"
#include "pack/filter.h"
#include "pack/keep.h"
#include "pack/own.h"
#include "pack/pack.h"
#include "pack/plan.h"
#include "pack/report.h"
#include "pack/tree.h"
#include "shard/route.h"
#include "shard/shard-filter.h"
#include "verify/uid-set.h"
#include "volume/volume.h"

/* --- sources without anything ----------------------------------------------
 */

static enum rc is_empty(const struct source *s, bool *ret, struct err *err)
{
	CLEANUP_DIR DIR *d = io_opendir(s->fd, ".");
	const struct dirent *e;
	int failed;

	if (!d)
		return err_set_errno(err, errno, "%s", s->path);
	do {
		errno = 0;
		e = readdir(d);
		failed = errno;
	} while (e && (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")));
	*ret = !e;
	return e || !failed ? RC_OK : err_set_errno(err, failed, "%s", s->path);
}

static bool note_name(void *arg, struct span name,
		      const struct volume_entry *ve, uint64_t next)
{
	bool *found = arg;

	(void)name;
	(void)ve;
	(void)next;
	*found = true;
	return false;
}

/* Does the archive's tree have something in the source's directory? */
static enum rc has_names(const struct pack *p, const struct source *s,
			 bool *ret, struct err *err)
{
	struct volume_entry ve;
	enum rc rc = volume_resolve(p->volume, span_of(s->name, s->name_len),
				    &ve, err);

	*ret = false;
	if (rc)
		return rc == RC_NOENT || rc == RC_NOTDIR ? RC_OK : rc;
	if (ve.e.type == ENTRY_DIR)
		rc = volume_readdir(p->volume, &ve, 0, note_name, ret, err);
	volume_entry_release(&ve);
	return rc;
}

enum rc mirror_check_sources(const struct pack *p, struct err *err)
{
	if (!p->opts->mirror || p->opts->mirror_empty || !p->volume)
		return RC_OK;
	for (size_t i = 0; i < p->sources.n; i++) {
		const struct source *s = &p->sources.v[i];
		bool empty = false, found = false;

		if (!s->is_dir)
			continue;
		if (is_empty(s, &empty, err) ||
		    (empty && has_names(p, s, &found, err)))
			return err->rc;
		if (found)
			return err_set(err, RC_USAGE,
				       "%s: is empty, perhaps not mounted; "
				       "with --mirror all would disappear from "
				       "the archive's tree (--mirror-empty "
				       "allows it)",
				       s->path);
	}
	return RC_OK;
}

/* --- names that are gone ---------------------------------------------------
 */

/* The source that the name is below of; p->sources.n: none. */
static size_t source_above(const struct pack *p, struct span uid)
{
	size_t i = 0;

	if (!sources_have_names(&p->sources))
		return 0;
	for (; i < p->sources.n; i++) {
		const struct source *s = &p->sources.v[i];

		if (s->is_dir && uid.len > s->name_len &&
		    uid.p[s->name_len] == '/' &&
		    !memcmp(uid.p, s->name, s->name_len))
			break;
	}
	return i;
}

/* Does the run decide about a name, if a source is above it?  Not about the
 * root.
 */
static bool is_covered(const struct pack *p, uint32_t slot, struct span uid,
		       bool is_dir)
{
	/* Names no file system can have were not packed from one. */
	return uid.len && !memchr(uid.p, '\0', uid.len) &&
	       !keep_covers(p->keep, uid) &&
	       !filter_excludes_below(p->opts->filter, uid.p, uid.len,
				      is_dir) &&
	       route_slot((enum route_kind)p->descriptor.route,
			  p->descriptor.n_bits, uid.p, uid.len) == slot;
}

/* Is a directory above the name, the lowest of which is open as dir, in the
 * sources, a copy of the archive?
 */
static bool is_below_archive(const struct pack *p, struct span parent, int dir)
{
	CLEANUP_FD int fd = openat(dir, ".", O_PATH | O_CLOEXEC);
	size_t n = parent.len != 0;

	for (size_t i = 0; i < parent.len; i++)
		n += parent.p[i] == '/';
	while (n-- && fd >= 0) {
		int up;

		if (own_holds(p->own, fd))
			return true;
		up = openat(fd, "..", O_PATH | O_CLOEXEC);
		close(fd);
		fd = up;
	}
	return false;
}

/* What the walk passes over is in no archive. */
static bool is_never_packed(const struct pack *p, const struct item *it,
			    int dir, const char *name, const struct stat *st)
{
	if (S_ISSOCK(st->st_mode))
		return true;
	if (S_ISDIR(st->st_mode) &&
	    (own_is_dir(p->own, st) || own_holds_below(p->own, dir, name)))
		return true;
	return own_has_id(p->own) && is_below_archive(p, it->parent, dir);
}

/* RC_OK: there is no such name. */
static enum rc look(const struct pack *p, struct tree *tree,
		    const struct item *it, struct err *err)
{
	char name[TREE_NAME_BYTES];
	struct stat st;
	int dir = -1;
	enum rc rc = tree_place(tree, it, &dir, name, err);

	/* A directory above is gone, or no name is that long. */
	if (rc == RC_CHANGED || rc == RC_LIMIT)
		return RC_OK;
	if (rc)
		return rc;
	if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return is_never_packed(p, it, dir, name, &st)
			       ? RC_OK
			       : err_set(err, RC_CHANGED,
					 "is there, though its directory did "
					 "not show it");
	if (errno == ENOENT || errno == ENOTDIR)
		return RC_OK;
	return err_set_errno(err, errno, "cannot be examined");
}

bool mirror_deletes(const struct pack *p, struct tree *tree, uint32_t slot,
		    const struct entry *e)
{
	size_t len = entry_uid_len(e->parent, e->name);
	CLEANUP_FREE char *bytes = xcalloc(1, len + 1);
	struct item it = { .type = e->type,
			   .parent = e->parent,
			   .name = e->name };
	struct span uid = span_of(bytes, len);
	size_t source;
	struct err err;

	entry_uid(e->parent, e->name, bytes);
	source = source_above(p, uid);
	if (source == p->sources.n ||
	    !is_covered(p, slot, uid, e->type == ENTRY_DIR))
		return false;
	it.source = (uint32_t)source;
	if (!look(p, tree, &it, &err))
		return true;
	report_failed(p->report, uid, &err);
	return false;
}

/* --- what is above them ----------------------------------------------------
 */

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
