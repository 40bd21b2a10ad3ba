/* SPDX-License-Identifier: Apache-2.0 */
/* todo.h - directories still to be visited, parents before children, siblings
 *in the order they were met.
 *
 *	todo_push(&w, span_of("", 0), span_of("", 0), root.node);
 *	while (todo_pop(&w, &dir)) {
 *		... todo_push(&w, dir.path, name, node) for its directories ...
 *		todo_dir_release(&dir);
 *	}
 *
 * A zeroed struct todo is empty.  Memory is that of what is waiting.
 */
#ifndef DESFS_CMD_TODO_H
#define DESFS_CMD_TODO_H

#include <stdbool.h>
#include <stddef.h>

#include "shard/shard-entry.h"
#include "volume/volume.h"

struct todo_dir {
	struct span path; /* owned, ends with NUL */
	struct volume_node node;
};

struct todo {
	struct todo_dir *dirs;
	size_t n, cap;
	size_t n_old; /* below it is what was there before the last pop */
};

/* A directory called name in the one at path ("" for the top). */
void todo_push(struct todo *w, struct span path, struct span name,
	       struct volume_node node);

/* False when there is none left. */
bool todo_pop(struct todo *w, struct todo_dir *ret);

void todo_dir_release(struct todo_dir *d);
void todo_release(struct todo *w);

/* "path/name", or the one that is not empty; owned, ends with NUL. */
struct span path_join(struct span path, struct span name);

#endif
