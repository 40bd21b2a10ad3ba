/* SPDX-License-Identifier: Apache-2.0 */
/* above.h - the directories above items, each with the time of the newest item
 * below it.
 *
 * A directory is told when the items leave it, so of items in the order of
 * their keys each is told about once.  For one thread.
 */
#ifndef DESFS_PACK_ABOVE_H
#define DESFS_PACK_ABOVE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "shard/shard-entry.h"

struct above {
	struct buf path; /* of the directory the last item was in */
	int64_t *newest; /* of it and those above it, the root first */
	size_t n, cap;   /* 0: there was no item */
};

/* created_at: as in struct entry, of the newest item below dir. */
typedef enum rc above_fn(void *arg, struct span dir, int64_t created_at,
			 struct err *err);

/* A zeroed one may be used; released it is zeroed again. */
void above_release(struct above *a);

/* An item in the directory parent. */
enum rc above_add(struct above *a, struct span parent, int64_t created_at,
		  above_fn *fn, void *arg, struct err *err) MUST_CHECK;

/* That was the last one. */
enum rc above_end(struct above *a, above_fn *fn, void *arg,
		  struct err *err) MUST_CHECK;

#endif
