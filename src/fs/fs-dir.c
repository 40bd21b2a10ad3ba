/* SPDX-License-Identifier: Apache-2.0 */
/* fs-dir.c - names: lookup, and directories read. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "fs/fs.h"

/* Offsets in a directory: 1 follows ".", 2 follows "..", the volume's cookies
 * and the days come after these.
 */
#define OFF_NAMES 2

void fs_reply_negative(struct fs_call *c)
{
	struct fuse_entry_param none = { .entry_timeout = FS_FOREVER };

	fuse_reply_entry(c->req, &none);
}

/* A version shown as NAME@TIME comes without a notice about that name. */
static bool may_cache_absence(enum nodeid_kind kind, const char *name)
{
	return kind != NODEID_INFO &&
	       (kind != NODEID_DATE || !strchr(name, '@'));
}

/* What the kernel asks for to see whether a name it has is still good comes
 * without the directory's lock, so the notice of a change may have come first:
 * such an answer is good for once.
 */
static bool has_changed(const struct fs_call *c, uint64_t generation)
{
	return volume_generation(c->fs->v) != generation;
}

static void reply_entry(struct fs_call *c, enum nodeid_kind kind,
			const struct volume_entry *ve, uint64_t generation)
{
	struct fuse_entry_param e;
	struct err err;

	if (fs_entry_param(c->fs, kind, ve, &e, &err)) {
		fs_reply_rc(c, &err);
		return;
	}
	if (has_changed(c, generation))
		e.entry_timeout = e.attr_timeout = 0;
	fuse_reply_entry(c->req, &e);
}

/* The blocks of files below info are not what is read there. */
static void expect_read(struct fs_call *c, enum nodeid_kind kind,
			const struct volume_entry *ve)
{
	if (kind != NODEID_INFO)
		volume_expect_read(c->fs->v, ve);
}

static void lookup_entry(struct fs_call *c, enum nodeid_kind kind,
			 const char *name)
{
	struct span span = span_of(name, strlen(name));
	uint64_t generation = volume_generation(c->fs->v);
	struct volume_entry dir, ve;
	struct err err;
	enum rc rc;

	rc = fs_get(c->fs, c->ino, &dir, &err);
	if (fs_is_empty_root(c, rc)) {
		fs_reply_negative(c);
		return;
	}
	if (rc) {
		fs_reply_rc(c, &err);
		return;
	}
	rc = volume_lookup(c->fs->v, &dir, span, &ve, &err);
	volume_entry_release(&dir);
	if (rc == RC_NOENT && may_cache_absence(kind, name) &&
	    !has_changed(c, generation)) {
		fs_reply_negative(c);
	} else if (rc) {
		fs_reply_rc(c, &err);
	} else {
		reply_entry(c, kind, &ve, generation);
		expect_read(c, kind, &ve);
		volume_entry_release(&ve);
	}
}

void fs_lookup(struct fs_call *c, const char *name)
{
	struct nodeid n = nodeid_decode(c->ino);

	switch (n.kind) {
	case NODEID_ROOT:
		if (fs_is_control_name(c->fs, name, strlen(name)))
			fs_control_enter(c);
		else if (c->fs->by_date)
			fs_days_lookup(c, name);
		else
			lookup_entry(c, NODEID_TREE, name);
		break;
	case NODEID_TREE:
	case NODEID_DATE:
	case NODEID_INFO: lookup_entry(c, n.kind, name); break;
	case NODEID_CONTROL:
		if (n.number == CONTROL_INFO)
			lookup_entry(c, NODEID_INFO, name);
		else
			fs_control_lookup(c, n.number, name);
		break;
	}
}

bool fs_list_add(struct fs_listing *l, const char *name,
		 const struct fuse_entry_param *e, off_t next)
{
	size_t left = l->size - l->used;
	size_t need;

	if (l->plus)
		need = fuse_add_direntry_plus(l->c->req, l->p + l->used, left,
					      name, e, next);
	else
		need = fuse_add_direntry(l->c->req, l->p + l->used, left, name,
					 &e->attr, next);
	if (need > left)
		return false;
	l->used += need;
	return true;
}

/* What the kernel would answer with EIO for the whole directory. */
static bool is_servable(struct span name)
{
	if (!name.len || name.len > FS_NAME_MAX ||
	    memchr(name.p, '/', name.len) || memchr(name.p, '\0', name.len))
		return false;
	return name.p[0] != '.' ||
	       (name.len != 1 && (name.len != 2 || name.p[1] != '.'));
}

static bool list_entry(void *arg, struct span name,
		       const struct volume_entry *ve, uint64_t next_cookie)
{
	struct fs_listing *l = arg;
	char text[FS_NAME_MAX + 1];
	struct fuse_entry_param e;

	if (!is_servable(name)) {
		log_warn("node %#llx: a name of %zu bytes cannot be shown",
			 (unsigned long long)l->c->ino, name.len);
		return true;
	}
	if (l->c->ino == FUSE_ROOT_ID &&
	    fs_is_control_name(l->c->fs, name.p, name.len))
		return true;
	memcpy(text, name.p, name.len);
	text[name.len] = '\0';
	if (fs_entry_param(l->c->fs, l->kind, ve, &e, l->err))
		return false;
	if (!fs_list_add(l, text, &e, (off_t)(next_cookie + OFF_NAMES)))
		return false;
	fs_push_list_entry(&l->push, e.ino, ve);
	return true;
}

/* "." and "..": the kernel links no nodes to them, but shows their numbers. */
static bool list_dots(struct fs_listing *l, const struct volume_entry *dir,
		      off_t off)
{
	struct fuse_entry_param e = { 0 };
	struct volume_entry parent = { .node = { 0 } };

	e.attr.st_mode = S_IFDIR;
	e.attr.st_ino = dir ? volume_ino(l->c->fs->v, dir) : l->c->ino;
	if (off < 1 && !fs_list_add(l, ".", &e, 1))
		return false;
	if (dir && l->c->ino != FUSE_ROOT_ID && l->kind == NODEID_TREE) {
		parent.e.type = ENTRY_DIR;
		entry_split_uid(dir->e.parent, &parent.e.parent,
				&parent.e.name);
		e.attr.st_ino = volume_ino(l->c->fs->v, &parent);
	}
	return off >= OFF_NAMES || fs_list_add(l, "..", &e, OFF_NAMES);
}

static enum rc list_entries(struct fs_listing *l, off_t off, struct err *err)
{
	struct volume_entry dir;
	enum rc rc = fs_get(l->c->fs, l->c->ino, &dir, err);

	if (fs_is_empty_root(l->c, rc)) {
		list_dots(l, NULL, off);
		return RC_OK;
	}
	if (rc)
		return rc;
	err->rc = RC_OK;
	if (list_dots(l, &dir, off))
		rc = volume_readdir(l->c->fs->v, &dir,
				    off > OFF_NAMES ? (uint64_t)off - OFF_NAMES
						    : 0,
				    list_entry, l, err);
	volume_entry_release(&dir);
	return rc ? rc : err->rc;
}

static enum rc list_any(struct fs_listing *l, const struct nodeid *n, off_t off,
			struct err *err)
{
	off_t names = off > OFF_NAMES ? off - OFF_NAMES : 0;

	switch (n->kind) {
	case NODEID_TREE:
	case NODEID_DATE: return list_entries(l, off, err);
	case NODEID_ROOT:
		if (!l->c->fs->by_date)
			return list_entries(l, off, err);
		return list_dots(l, NULL, off) ? fs_days_list(l, names, err)
					       : RC_OK;
	case NODEID_INFO: break;
	case NODEID_CONTROL:
		if (!list_dots(l, NULL, off))
			return RC_OK;
		if (n->number == CONTROL_BY_DATE)
			return fs_days_list(l, names, err);
		if (n->number == CONTROL_TOP)
			fs_control_list(l, names);
		return RC_OK;
	}
	list_dots(l, NULL, off);
	return RC_OK;
}

void fs_readdir(struct fs_call *c, size_t size, off_t off, bool plus)
{
	struct nodeid n = nodeid_decode(c->ino);
	struct err err = { .rc = RC_OK };
	struct fs_listing l = {
		.c = c,
		.kind = n.kind == NODEID_ROOT ? NODEID_TREE : n.kind,
		.plus = plus,
		.p = fs_buffer(c->fs, size),
		.size = size,
		.err = &err,
	};
	enum rc rc;

	if (!l.p) {
		fs_reply_errno(c, ENOMEM);
		return;
	}
	fs_push_list_begin(c->fs, &l.push, c->ino, plus, off <= OFF_NAMES);
	rc = list_any(&l, &n, off, &err);
	fs_push_list_end(c->fs, &l.push, !rc && !l.used && off > OFF_NAMES);
	/* What was collected goes out; the next request meets the error. */
	if (rc && !l.used)
		fs_reply_rc(c, &err);
	else
		fuse_reply_buf(c->req, l.p, l.used);
}
