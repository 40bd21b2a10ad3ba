/* SPDX-License-Identifier: Apache-2.0 */
/* view.h - which shards count at one moment, by slot and by day, and what of
 * them is deleted; immutable.
 */
#ifndef DESFS_VOLUME_VIEW_H
#define DESFS_VOLUME_VIEW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"

struct oplog;
struct shard_file;
struct shard_set;
struct tombstone_set;

/* Shards of one number of slots and one route. */
struct view_group {
	unsigned int n_bits, route;
	const struct shard_file **shards; /* by slot, newest first */
	uint32_t *starts; /* 2^n_bits + 1: where each slot's begin */
};

/* Every n_bits with every route. */
#define VIEW_GROUPS_MAX 26

struct view_day {
	uint32_t day;                     /* decimal YYYYMMDD */
	const struct shard_file **shards; /* newest first, within the view's */
	size_t n_shards;
};

struct view {
	atomic_uint refs;
	uint64_t generation;
	size_t n_shards;
	const struct shard_file **by_slot, **by_day;
	struct view_group groups[VIEW_GROUPS_MAX];
	size_t n_groups;
	struct view_day *days; /* ascending */
	size_t n_days;
	struct tombstone_set *deleted; /* NULL: nothing is */
	uint64_t n_entries, n_files, plain_bytes, stored_bytes;
	bool any_xattrs;
	bool is_begun; /* the log has records: something was there, or is */
};

/* A view of what the log says now, with one reference; new shards go into the
 * set.  without: see volume_options; NULL: none.
 */
enum rc view_new(struct view **ret, const struct oplog *log,
		 struct shard_set *set, uint64_t generation,
		 const int64_t *without, struct err *err) MUST_CHECK;
struct view *view_ref(struct view *view);
void view_unref(struct view *view); /* takes NULL */

const struct view_day *view_day_find(const struct view *view, uint32_t day);

/* Several lists, each newest first, walked as one. */
struct view_walk {
	struct {
		const struct shard_file **p, **end;
	} lists[VIEW_GROUPS_MAX];
	size_t n_lists;
};

/* Shards of the slot a uid is routed to. */
struct view_walk view_walk_uid(const struct view *view, struct span uid);
/* Shards with children of the directory of this uid. */
struct view_walk view_walk_children(const struct view *view, struct span dir);
/* All shards that may own entries of one of 2^n_bits slots. */
struct view_walk view_walk_slot(const struct view *view, unsigned int n_bits,
				unsigned int route, uint32_t slot);
/* NULL at the end. */
const struct shard_file *view_walk_next(struct view_walk *walk);

#endif
