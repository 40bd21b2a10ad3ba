/* SPDX-License-Identifier: Apache-2.0 */
/* old-dir.c - the directory that keys are compared in. */
#include "config.h"

#include "pack/old-dir.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/table.h"
#include "shard/shard-format.h"
#include "volume/volume.h"

/* Bytes of directories remembered.  When they are more, all are forgotten. */
#define OLD_DIRS_MEMORY (4u << 20)

struct known {
	char *path;
	size_t len;
	bool is_visible;
	int64_t floor;
	UT_hash_handle hh;
};

struct old_dirs {
	struct volume *volume; /* NULL: nothing is there */
	pthread_mutex_t lock;  /* guards all below */
	struct known *table;
	size_t bytes;
};

struct old_dirs *old_dirs_new(struct volume *v)
{
	struct old_dirs *all = xcalloc(1, sizeof(*all));

	all->volume = v;
	pthread_mutex_init(&all->lock, NULL);
	return all;
}

static void forget_all(struct old_dirs *all)
{
	struct known *k, *next;

	HASH_ITER(hh, all->table, k, next)
	{
		HASH_DEL(all->table, k);
		free(k->path);
		free(k);
	}
	all->bytes = 0;
}

void old_dirs_free(struct old_dirs *all)
{
	if (!all)
		return;
	forget_all(all);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

static bool recall(struct old_dirs *all, struct span path,
		   struct old_level *ret)
{
	struct known *k = NULL;
	LOCK_SCOPE(&all->lock);

	HASH_FIND(hh, all->table, path.p, path.len, k);
	if (!k)
		return false;
	ret->is_visible = k->is_visible;
	ret->floor = k->floor;
	return true;
}

static void remember(struct old_dirs *all, struct span path,
		     const struct old_level *level)
{
	struct known *k = NULL;
	LOCK_SCOPE(&all->lock);

	HASH_FIND(hh, all->table, path.p, path.len, k);
	if (k)
		return;
	if (all->bytes > OLD_DIRS_MEMORY)
		forget_all(all);
	k = xcalloc(1, sizeof(*k));
	k->path = xmemdup0(path.p, path.len);
	k->len = path.len;
	k->is_visible = level->is_visible;
	k->floor = level->floor;
	HASH_ADD_KEYPTR(hh, all->table, k->path, k->len, k);
	all->bytes += sizeof(*k) + path.len;
}

void old_dir_init(struct old_dir *d, struct old_dirs *all)
{
	*d = (struct old_dir){ .all = all, .floor = INT64_MIN };
	buf_init(&d->path, 2 * UID_MAX_LEN);
}

static void pop(struct old_dir *d)
{
	d->n--;
}

void old_dir_release(struct old_dir *d)
{
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
	const struct old_level root = { .is_visible = true,
					.floor = INT64_MIN };

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
	enum rc rc = volume_newest(d->all->volume, path, &ve, err);

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

/* name in the visible directory that level is, with this path. */
static enum rc look_up(struct old_dir *d, const struct old_level *level,
		       struct span path, struct span name,
		       struct volume_entry *ret, struct err *err)
{
	struct volume_entry dir = { .e = { .type = ENTRY_DIR,
					   .has_opaque =
						   level->floor != INT64_MIN,
					   .opaque_since = level->floor } };

	entry_split_uid(path, &dir.e.parent, &dir.e.name);
	return volume_lookup(d->all->volume, &dir, name, ret, err);
}

static enum rc find_level(struct old_dir *d, struct span path, struct span name,
			  struct old_level *ret, struct err *err)
{
	const struct old_level *above = &d->levels[d->n - 1];
	struct volume_entry ve;
	enum rc rc = RC_NOENT;

	if (above->is_visible)
		rc = look_up(d, above, span_of(path.p, above->len), name, &ve,
			     err);
	if (rc && rc != RC_NOENT)
		return rc;
	if (!rc) {
		ret->is_visible = ve.e.type == ENTRY_DIR;
		ret->floor = opaque_of(&ve.e);
		volume_entry_release(&ve);
	}
	if (ret->is_visible)
		return RC_OK;
	return find_floor(d, path, above->floor, &ret->floor, err);
}

/* Go down to path, a directory in the one at the top. */
static enum rc descend(struct old_dir *d, struct span path, struct span name,
		       struct err *err)
{
	struct old_level level = { .len = path.len };

	if (!recall(d->all, path, &level)) {
		enum rc rc = find_level(d, path, name, &level, err);

		if (rc)
			return rc;
		remember(d->all, path, &level);
	}
	push(d, &level);
	return RC_OK;
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

	if (!d->all->volume)
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
