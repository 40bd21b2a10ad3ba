/* SPDX-License-Identifier: Apache-2.0 */
/* old-dir.c - the directory that keys are compared in. */
#include "config.h"

#include "pack/old-dir.h"

#include <string.h>

#include "shard/shard-format.h"

void old_dir_init(struct old_dir *d, struct volume *v)
{
	*d = (struct old_dir){ .volume = v };
	buf_init(&d->path, 2 * UID_MAX_LEN);
}

static void forget(struct old_dir *d)
{
	if (d->is_known && d->is_visible)
		volume_entry_release(&d->ve);
	d->is_known = d->is_visible = false;
	d->opaque = INT64_MIN;
}

void old_dir_release(struct old_dir *d)
{
	forget(d);
	buf_release(&d->path);
}

static bool is_prefix(const struct buf *dir, struct span path)
{
	return path.len >= dir->len && !memcmp(dir->p, path.p, dir->len) &&
	       (path.len == dir->len || path.p[dir->len] == '/');
}

/* From the directory known so far down to path. */
static enum rc descend(struct old_dir *d, struct span path,
		       struct volume_entry *ret, struct err *err)
{
	struct volume_entry at = d->ve;
	size_t from = d->path.len + 1;

	d->is_known = d->is_visible = false;
	while (from < path.len) {
		const char *p = path.p + from;
		const char *slash = memchr(p, '/', path.len - from);
		size_t len = slash ? (size_t)(slash - p) : path.len - from;
		struct volume_entry next;
		enum rc rc = volume_lookup(d->volume, &at, span_of(p, len),
					   &next, err);

		volume_entry_release(&at);
		if (rc)
			return rc;
		at = next;
		from += len + 1;
	}
	*ret = at;
	return RC_OK;
}

static enum rc find(struct old_dir *d, struct span path,
		    struct volume_entry *ret, struct err *err)
{
	if (d->is_known && d->path.len && is_prefix(&d->path, path)) {
		if (d->is_visible)
			return descend(d, path, ret, err);
		return err_set(err, RC_NOENT, "not in the archive");
	}
	forget(d);
	return volume_resolve(d->volume, path, ret, err);
}

enum rc old_dir_enter(struct old_dir *d, struct span path, struct err *err)
{
	struct volume_entry ve;
	enum rc rc;

	if (d->is_known && span_equal(path, span_of(d->path.p, d->path.len)))
		return RC_OK;
	if (d->volume) {
		rc = find(d, path, &ve, err);
		forget(d);
		if (rc && rc != RC_NOENT && rc != RC_NOTDIR)
			return rc;
		if (!rc && ve.e.type == ENTRY_DIR) {
			d->ve = ve;
			d->is_visible = true;
			if (ve.e.has_opaque)
				d->opaque = ve.e.opaque_since;
		} else if (!rc) {
			volume_entry_release(&ve);
		}
	}
	buf_clear(&d->path);
	buf_append(&d->path, path.p, path.len);
	d->is_known = true;
	return RC_OK;
}
