/* SPDX-License-Identifier: Apache-2.0 */
/* todo.c - directories still to be visited, a stack. */
#include "config.h"

#include "cmd/todo.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct span path_join(struct span path, struct span name)
{
	size_t slash = path.len && name.len && path.p[path.len - 1] != '/';
	char *s = xcalloc(1, path.len + name.len + 2);

	if (path.len)
		memcpy(s, path.p, path.len);
	if (slash)
		s[path.len] = '/';
	if (name.len)
		memcpy(s + path.len + slash, name.p, name.len);
	return span_of(s, path.len + slash + name.len);
}

void todo_push(struct todo *w, struct span path, struct span name,
	       struct volume_node node)
{
	w->dirs = mem_grow(w->dirs, &w->cap, w->n + 1, sizeof(*w->dirs));
	w->dirs[w->n++] = (struct todo_dir){ .path = path_join(path, name),
					     .node = node };
}

/* What was pushed last is to come last. */
static void turn_new(struct todo *w)
{
	size_t low = w->n_old, high = w->n;

	while (low + 1 < high) {
		struct todo_dir d = w->dirs[low];

		w->dirs[low++] = w->dirs[--high];
		w->dirs[high] = d;
	}
}

bool todo_pop(struct todo *w, struct todo_dir *ret)
{
	turn_new(w);
	if (!w->n)
		return false;
	*ret = w->dirs[--w->n];
	w->n_old = w->n;
	return true;
}

void todo_dir_release(struct todo_dir *d)
{
	free((void *)(uintptr_t)d->path.p);
	d->path = span_of(NULL, 0);
}

void todo_release(struct todo *w)
{
	for (size_t i = 0; i < w->n; i++)
		todo_dir_release(&w->dirs[i]);
	free(w->dirs);
	*w = (struct todo){ 0 };
}
