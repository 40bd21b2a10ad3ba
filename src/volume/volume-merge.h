/* SPDX-License-Identifier: Apache-2.0 */
/* volume-merge.h - the entries of several shards as one ascending sequence.
 *
 * Order: key, then created_at, newest first; of one time explicit entries
 * before implicit ones, then the shard with the higher ordinal first.
 */
#ifndef DESFS_VOLUME_VOLUME_MERGE_H
#define DESFS_VOLUME_VOLUME_MERGE_H

#include <stddef.h>

#include "base/err.h"
#include "volume/shard-cursor.h"

struct volume_merge {
	struct shard_cursor **heap;
	size_t n, cap;
};

/* Take over a cursor, which is at an entry or at its end. */
void volume_merge_add(struct volume_merge *m, struct shard_cursor *c);
void volume_merge_release(struct volume_merge *m);

/* The cursor at the lowest entry, borrowed; NULL at the end. */
static inline const struct shard_cursor *volume_merge_top(
	const struct volume_merge *m)
{
	return m->n ? m->heap[0] : NULL;
}

enum rc volume_merge_next(struct volume_merge *m, struct err *err) MUST_CHECK;

#endif
