/* SPDX-License-Identifier: Apache-2.0 */
/* fs-notice.c - telling the kernel which names and inodes are not as it knows
 * them.
 */
#include "config.h"

#include "fs/fs-notice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/timestamp.h"
#include "fs/fs.h"
#include "volume/oplog.h"

#define UID_TEXT_MAX 65536

void notices_begin(struct notices *ns, struct fs *fs)
{
	*ns = (struct notices){ .fs = fs };
	buf_init(&ns->dir.uid, UID_TEXT_MAX);
	buf_init(&ns->above, UID_TEXT_MAX);
}

/* What may pass is to be tried again, so that is what counts.  False: now. */
static bool go_on(struct notices *ns, enum rc rc, const struct err *err)
{
	if (rc && (!ns->err.rc || rc_is_transient(rc)))
		ns->err = *err;
	return !rc_is_transient(rc);
}

/* --- inodes --------------------------------------------------------------- */

/* Forget attributes and contents.  False: the kernel does not know the node, so
 * nothing below it either.
 */
static bool tell_inode(struct notices *ns, uint64_t ino)
{
	ns->n++;
	return fuse_lowlevel_notify_inval_inode(ns->fs->se, ino, 0, 0) !=
	       -ENOENT;
}

static void tell_node(struct notices *ns, enum nodeid_kind kind,
		      struct volume_node node)
{
	uint64_t ino;

	if (nodeid_of_entry(kind, node, &ino))
		tell_inode(ns, ino);
}

/* In all views it may be seen in. */
static void tell_nodes(struct notices *ns, struct volume_node node)
{
	tell_node(ns, NODEID_TREE, node);
	tell_node(ns, NODEID_INFO, node);
	if (fs_saw_days(ns->fs))
		tell_node(ns, NODEID_DATE, node);
}

/* --- a directory of names ------------------------------------------------- */

static void add_ino(struct notice_dir *d, uint64_t ino)
{
	d->nodes = mem_grow(d->nodes, &d->cap, d->n + 1, sizeof(*d->nodes));
	d->nodes[d->n++] = ino;
}

static void add_node(void *arg, struct volume_node node)
{
	uint64_t ino;

	if (nodeid_of_entry(node.date ? NODEID_DATE : NODEID_TREE, node, &ino))
		add_ino(arg, ino);
}

static bool add_version(void *arg, const struct volume_entry *ve)
{
	struct notices *ns = arg;

	if (ve->e.type == ENTRY_DIR) {
		add_node(&ns->dir, ve->node);
		volume_aliases(ns->fs->v, ve->node, add_node, &ns->dir);
	}
	return true;
}

/* The directory's names are told; what the kernel listed meanwhile goes too. */
static void dir_end(struct notices *ns)
{
	struct notice_dir *d = &ns->dir;

	for (size_t i = 0; i < d->n; i++)
		tell_inode(ns, d->nodes[i]);
	d->n = 0;
	d->is_set = false;
}

static bool is_uid(const struct buf *b, struct span uid)
{
	return b->len == uid.len && (!uid.len || !memcmp(b->p, uid.p, uid.len));
}

static void set_uid(struct buf *b, struct span uid)
{
	buf_clear(b);
	buf_append(b, uid.p, uid.len);
}

/* Find the nodes of a directory that the kernel knows: with a day those of the
 * date view, too, and with only_date only these.
 */
static bool dir_find(struct notices *ns, struct span uid, uint32_t day,
		     bool only_date)
{
	struct notice_dir *d = &ns->dir;
	enum rc rc = RC_OK;
	struct err err;
	size_t n = 0;

	dir_end(ns);
	set_uid(&d->uid, uid);
	d->day = day;
	if (!uid.len && !only_date)
		add_ino(d, FUSE_ROOT_ID);
	if (!only_date)
		rc = volume_versions(ns->fs->v, uid, 0, add_version, ns, &err);
	if (!rc && day && fs_saw_days(ns->fs))
		rc = volume_versions(ns->fs->v, uid, day, add_version, ns,
				     &err);
	if (!go_on(ns, rc, &err)) {
		d->n = 0;
		return false;
	}
	for (size_t i = 0; i < d->n; i++) {
		if (tell_inode(ns, d->nodes[i]))
			d->nodes[n++] = d->nodes[i];
	}
	d->n = n;
	d->is_set = !only_date;
	return true;
}

/* Expired, a name is looked up again; invalidated, it is cut off with all that
 * is below it, and whoever stands there is lost.
 */
static void tell_name(struct notices *ns, uint64_t parent, struct span name)
{
	struct fuse_session *se = ns->fs->se;
	struct fs_name n;

	if (!fs_name_set(&n, name))
		return;
	if (ns->fs->can_expire)
		fuse_lowlevel_notify_expire_entry(se, parent, n.text, name.len,
						  FUSE_LL_EXPIRE_ONLY);
	else
		fuse_lowlevel_notify_inval_entry(se, parent, n.text, name.len);
	ns->n++;
}

static void tell_in_dir(struct notices *ns, struct span name)
{
	for (size_t i = 0; i < ns->dir.n; i++)
		tell_name(ns, ns->dir.nodes[i], name);
}

/* --- days ----------------------------------------------------------------- */

static void tell_day(struct notices *ns, uint32_t day)
{
	const uint64_t dirs[] = { nodeid_of_control(CONTROL_BY_DATE),
				  FUSE_ROOT_ID };
	char name[FS_DAY_NAME];

	fs_day_name(day, name);
	for (size_t i = 0; i < (ns->fs->by_date ? 2 : 1); i++) {
		tell_name(ns, dirs[i], span_of(name, strlen(name)));
		tell_inode(ns, dirs[i]);
	}
}

void notices_days(struct notices *ns)
{
	CLEANUP_FREE uint32_t *days = NULL;
	struct err err;
	size_t n = 0;

	if (volume_days(ns->fs->v, &days, &n, &err)) {
		log_rc(&err, "days");
		return;
	}
	for (size_t i = 0; i < n; i++)
		tell_day(ns, days[i]);
}

/* --- what came ------------------------------------------------------------ */

static void tell_root(struct notices *ns)
{
	tell_inode(ns, FUSE_ROOT_ID);
	tell_inode(ns, nodeid_of_control(CONTROL_INFO));
}

bool notices_entry(struct notices *ns, const struct volume_entry *ve)
{
	const struct notice_dir *d = &ns->dir;
	struct span name = ve->e.name;
	uint32_t day = volume_shard(ns->fs->v, ve->node)->day;

	if (stop_requested())
		return false;
	if (!ve->e.parent.len && !name.len) {
		/* The root itself; a new day has one always. */
		tell_root(ns);
		return true;
	}
	if ((!d->is_set || d->day != day || !is_uid(&d->uid, ve->e.parent)) &&
	    !dir_find(ns, ve->e.parent, day, false))
		return false;
	tell_in_dir(ns, name);
	return true;
}

/* --- what is deleted, or is no more --------------------------------------- */

struct version {
	struct volume_node node;
	int64_t created_at;
	uint32_t day;
};

/* Also as nodes of shards that were replaced. */
struct versions {
	struct notices *ns;
	struct version now;
	struct version *v;
	size_t n, cap;
};

static void note_node(void *arg, struct volume_node node)
{
	struct versions *vs = arg;

	vs->v = mem_grow(vs->v, &vs->cap, vs->n + 1, sizeof(*vs->v));
	vs->v[vs->n] = vs->now;
	vs->v[vs->n++].node = node;
}

static bool note_version(void *arg, const struct volume_entry *ve)
{
	struct versions *vs = arg;
	struct volume *v = vs->ns->fs->v;

	vs->now.created_at = ve->e.created_at;
	vs->now.day = volume_shard(v, ve->node)->day;
	note_node(vs, ve->node);
	volume_aliases(v, ve->node, note_node, vs);
	return true;
}

/* NAME@TIME, as the date view shows older versions. */
static void tell_stamped(struct notices *ns, struct span name,
			 const struct version *v)
{
	char text[FS_NAME_MAX + TIMESTAMP_COMPACT_TEXT + 1];

	if (name.len > FS_NAME_MAX)
		return;
	memcpy(text, name.p, name.len);
	text[name.len] = '@';
	timestamp_format_compact(v->created_at, text + name.len + 1);
	tell_in_dir(ns, span_of(text, strlen(text + name.len) + name.len));
}

static bool is_first_of_day(const struct versions *vs, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (vs->v[k].day == vs->v[i].day)
			return false;
	}
	return true;
}

/* In the directories of all days that have a version. */
static bool tell_dates(struct notices *ns, struct span parent, struct span name,
		       const struct versions *vs)
{
	if (!fs_saw_days(ns->fs))
		return true;
	for (size_t i = 0; i < vs->n; i++) {
		if (!is_first_of_day(vs, i))
			continue;
		if (!dir_find(ns, parent, vs->v[i].day, true))
			return false;
		tell_in_dir(ns, name);
		for (size_t k = i; k < vs->n; k++) {
			if (vs->v[k].day == vs->v[i].day)
				tell_stamped(ns, name, &vs->v[k]);
		}
	}
	return true;
}

static bool tell_uid(struct notices *ns, struct span uid)
{
	struct versions vs = { .ns = ns };
	const struct notice_dir *d = &ns->dir;
	struct span parent, name;
	struct err err;
	bool ok;

	entry_split_uid(uid, &parent, &name);
	ok = go_on(ns,
		   volume_versions(ns->fs->v, uid, 0, note_version, &vs, &err),
		   &err);
	/* What is read first: contents before names. */
	for (size_t i = 0; i < vs.n; i++)
		tell_nodes(ns, vs.v[i].node);
	ok = ok && tell_dates(ns, parent, name, &vs);
	if (ok && (!d->is_set || !is_uid(&d->uid, parent)))
		ok = dir_find(ns, parent, 0, false);
	if (ok)
		tell_in_dir(ns, name);
	free(vs.v);
	return ok;
}

bool notices_uid(struct notices *ns, struct span uid)
{
	struct span parent, name;

	if (stop_requested())
		return false;
	entry_split_uid(uid, &parent, &name);
	if (!is_uid(&ns->above, parent)) {
		struct span up = parent, above;

		/* With the last name below, inferred directories go. */
		for (; up.len; up = above) {
			if (!tell_uid(ns, up))
				return false;
			entry_split_uid(up, &above, &name);
		}
		set_uid(&ns->above, parent);
	}
	return tell_uid(ns, uid);
}

void notices_lost(struct notices *ns, struct volume_node node, uint64_t n)
{
	for (; n && !stop_requested(); n--, node.ordinal++)
		tell_nodes(ns, node);
}

enum rc notices_end(struct notices *ns)
{
	enum rc rc;

	dir_end(ns);
	free(ns->dir.nodes);
	buf_release(&ns->dir.uid);
	buf_release(&ns->above);
	rc = ns->err.rc;
	fs_count(&ns->fs->stats.invalidations, ns->n);
	log_debug(LOG_ROOM_FS, "%llu notices to the kernel",
		  (unsigned long long)ns->n);
	return rc;
}
