/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild-gone.h - shards that count by what is left of a log, though they are
 * there no more; for rebuild.c.
 *
 * Where the log tells that the bytes of a shard are gone, a repack had taken
 * its place, of which the record is lost.
 */
#ifndef DESFS_VERIFY_REBUILD_GONE_H
#define DESFS_VERIFY_REBUILD_GONE_H

#include <stdbool.h>
#include <stddef.h>

#include "volume/oplog-state.h"

struct archive_list;

/* Borrowed, by key.  A zeroed one is valid. */
struct rebuild_gone {
	const struct shard_meta **all;
	size_t n, cap;
};
void rebuild_gone_release(struct rebuild_gone *g);

/* Of those that count: whose bytes are told to be gone in some place. */
void rebuild_gone_told(struct rebuild_gone *ret, const struct oplog_state *s);
/* Of those that count: that no place has. */
void rebuild_gone_missing(struct rebuild_gone *ret, const struct oplog_state *s,
			  const struct archive_list *list);

void rebuild_gone_add(struct rebuild_gone *g, const struct shard_meta *m);
void rebuild_gone_sort(struct rebuild_gone *g);
bool rebuild_gone_has(const struct rebuild_gone *g,
		      const struct shard_meta *m) MUST_CHECK;

#endif
