/* SPDX-License-Identifier: Apache-2.0 */
/* plan-repack.h - which shards are made again, and which of them together; a
 * pure function of what is known of them.
 */
#ifndef DESFS_REPACK_PLAN_REPACK_H
#define DESFS_REPACK_PLAN_REPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "volume/oplog.h"

/* One that counts. */
struct plan_shard {
	const struct shard_meta *meta;
	/* What of it is deleted; directories that are only inferred are none.
	 */
	uint64_t deleted, deleted_bytes;
	bool is_damaged;
	bool is_held; /* as a whole: it is left alone */
};

struct plan_options {
	/* Shards of which so much of the plain bytes is deleted, in per cent;
	 * 0: anything.
	 */
	bool by_deleted;
	unsigned int when_deleted;
	uint64_t merge_below; /* plain bytes of what is put together; 0: none */
	uint64_t split_above; /* plain bytes; 0: none */
	bool recompress;      /* all */
	bool drop_corrupt;    /* those that are damaged */
	size_t max_together;  /* shards merged into one; at least 2 */
};

/* Shards that are taken together. */
struct plan_group {
	size_t first, n; /* of repack_plan.order */
	enum oplog_why why;
};

struct repack_plan {
	size_t *order; /* numbers of shards, by group */
	struct plan_group *groups;
	size_t n_groups;
};

/* shards: by key, as the log has them. */
void repack_plan_make(const struct plan_shard *shards, size_t n,
		      const struct plan_options *opts, struct repack_plan *ret);
void repack_plan_release(struct repack_plan *p);

#endif
