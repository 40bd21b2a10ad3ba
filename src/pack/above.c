/* SPDX-License-Identifier: Apache-2.0 */
/* above.c - the directories above items, with the newest time of each. */
#include "config.h"

#include "pack/above.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shard/shard-format.h"

void above_release(struct above *a)
{
	buf_release(&a->path);
	free(a->newest);
	*a = (struct above){ 0 };
}

static struct span parent_of(struct span path)
{
	struct span parent, name;

	entry_split_uid(path, &parent, &name);
	return parent;
}

/* Is dir the directory path, or one above it? */
static bool is_above(struct span dir, struct span path)
{
	if (!dir.len)
		return true;
	return path.len >= dir.len && !memcmp(path.p, dir.p, dir.len) &&
	       (path.len == dir.len || path.p[dir.len] == '/');
}

static struct span path_of(const struct above *a)
{
	return span_of(a->path.p, a->path.len);
}

static enum rc pop(struct above *a, above_fn *fn, void *arg, struct err *err)
{
	struct span path = path_of(a);
	int64_t newest = a->newest[--a->n];
	enum rc rc = fn(arg, path, newest, err);

	a->path.len = parent_of(path).len;
	if (a->n && a->newest[a->n - 1] < newest)
		a->newest[a->n - 1] = newest;
	return rc;
}

/* Down from the directory at hand to path. */
static void push(struct above *a, struct span path)
{
	size_t from = a->n;

	for (struct span up = path; up.len > a->path.len; up = parent_of(up))
		a->n++;
	a->n += !from;
	a->newest = mem_grow(a->newest, &a->cap, a->n, sizeof(*a->newest));
	for (size_t i = from; i < a->n; i++)
		a->newest[i] = INT64_MIN;
	buf_clear(&a->path);
	buf_append(&a->path, path.p, path.len);
}

enum rc above_add(struct above *a, struct span parent, int64_t created_at,
		  above_fn *fn, void *arg, struct err *err)
{
	a->path.max = UID_MAX_LEN;
	while (a->n && !is_above(path_of(a), parent)) {
		if (pop(a, fn, arg, err))
			return err->rc;
	}
	if (!a->n || a->path.len != parent.len)
		push(a, parent);
	if (!buf_ok(&a->path))
		return err_set(err, RC_NOMEM, "no memory for a name");
	if (a->newest[a->n - 1] < created_at)
		a->newest[a->n - 1] = created_at;
	return RC_OK;
}

enum rc above_end(struct above *a, above_fn *fn, void *arg, struct err *err)
{
	enum rc rc = RC_OK;

	while (a->n && !rc)
		rc = pop(a, fn, arg, err);
	return rc;
}
