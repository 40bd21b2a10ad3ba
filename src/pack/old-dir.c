/* SPDX-License-Identifier: Apache-2.0 */
/* old-dir.c - the directory that keys are compared in. */
#include "config.h"

#include "pack/old-dir.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shard/shard-format.h"

void old_dir_init(struct old_dir *d, struct volume *v)
{
	*d = (struct old_dir){ .volume = v, .floor = INT64_MIN };
	buf_init(&d->path, 2 * UID_MAX_LEN);
}

static void pop(struct old_dir *d)
{
	volume_entry_release(&d->levels[--d->n].ve);
}

void old_dir_release(struct old_dir *d)
{
	while (d->n)
		pop(d);
	free(d->levels);
	buf_release(&d->path);
}

static void push(struct old_dir *d, const struct old_level *level)
{
	d->levels = mem_grow(d->levels, &d->cap, d->n + 1, sizeof(*d->levels));
	d->levels[d->n++] = *level;
}

/* The root counts always, and is known without a look. */
static void push_root(struct old_dir *d)
{
	const struct old_level root = {
		.is_visible = true,
		.floor = INT64_MIN,
		.ve = { .e = { .type = ENTRY_DIR,
			       .parent = span_of("", 0),
			       .name = span_of("", 0) } },
	};

	push(d, &root);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t opaque_of(const struct entry *e)
{
	return e->has_opaque ? e->opaque_since : INT64_MIN;
}

/* What is not to be seen when the directory is made again. */
static enum rc find_floor(struct old_dir *d, struct span path, int64_t above,
			  int64_t *ret, struct err *err)
{
	struct volume_entry ve;
	enum rc rc = volume_newest(d->volume, path, &ve, err);

	*ret = above;
	if (rc)
		return rc == RC_NOENT ? RC_OK : rc;
	/* Whatever took the place of a directory is later than what was in it.
	 */
	*ret = later(above, ve.e.type == ENTRY_DIR ? opaque_of(&ve.e)
						   : ve.e.created_at + 1);
	volume_entry_release(&ve);
	return RC_OK;
}

/* Go down to path, a directory in the one at the top. */
static enum rc descend(struct old_dir *d, struct span path, struct span name,
		       struct err *err)
{
	const struct old_level *above = &d->levels[d->n - 1];
	struct old_level level = { .len = path.len };
	enum rc rc = RC_NOENT;

	if (above->is_visible)
		rc = volume_lookup(d->volume, &above->ve, name, &level.ve, err);
	if (!rc && level.ve.e.type == ENTRY_DIR) {
		level.is_visible = true;
		level.floor = opaque_of(&level.ve.e);
		push(d, &level);
		return RC_OK;
	}
	if (!rc)
		volume_entry_release(&level.ve);
	else if (rc != RC_NOENT)
		return rc;
	level.ve = (struct volume_entry){ 0 };
	rc = find_floor(d, path, above->floor, &level.floor, err);
	if (!rc)
		push(d, &level);
	return rc;
}

/* Is the directory at the top path, or one that path is in? */
static bool is_above(const struct old_dir *d, struct span path)
{
	size_t len = d->levels[d->n - 1].len;

	if (d->n == 1)
		return true;
	return path.len && path.len >= len && !memcmp(d->path.p, path.p, len) &&
	       (path.len == len || path.p[len] == '/');
}

/* The path of the next directory down to path; false: it is at the top. */
static bool next_below(const struct old_dir *d, struct span path,
		       struct span *ret, struct span *ret_name)
{
	size_t from = d->n == 1 ? 0 : d->levels[d->n - 1].len + 1;
	const char *slash;

	if (d->n == 1 ? !path.len : from > path.len)
		return false;
	*ret_name = span_of(path.p + from, path.len - from);
	slash = memchr(ret_name->p, '/', ret_name->len);
	if (slash)
		ret_name->len = (size_t)(slash - ret_name->p);
	*ret = span_of(path.p, from + ret_name->len);
	return true;
}

enum rc old_dir_enter(struct old_dir *d, struct span path, struct err *err)
{
	struct span below, name;

	if (!d->volume)
		return RC_OK;
	if (!d->n)
		push_root(d);
	while (!is_above(d, path))
		pop(d);
	while (next_below(d, path, &below, &name)) {
		if (descend(d, below, name, err))
			return err->rc;
	}
	buf_clear(&d->path);
	buf_append(&d->path, path.p, path.len);
	d->floor = d->levels[d->n - 1].floor;
	return RC_OK;
}
