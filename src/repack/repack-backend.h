/* SPDX-License-Identifier: Apache-2.0 */
/* repack-backend.h - what the files of a run share. */
#ifndef DESFS_REPACK_REPACK_BACKEND_H
#define DESFS_REPACK_REPACK_BACKEND_H

#include "repack/holds.h"
#include "repack/repack.h"

struct tombstone_set;
struct workers;

struct repacking {
	struct oplog *log;
	const struct repack_options *o;
	struct repack_totals *totals;
	struct workers *workers; /* for blocks, and for looking at shards */
	struct tombstone_set *deleted;
	struct holds holds;
	size_t n_withdrawn; /* erasures taken back, when deleted was read */
	struct shard_meta *metas; /* copies: the log is read again */
	struct plan_shard *shards;
	uint32_t *free_parts;     /* a number no shard of the slot has */
	uint32_t *free_revisions; /* and no lost repack has made */
	size_t n;
	struct repack_plan plan;
	uint64_t n_failed;
};

/* repack-look.c: the shards that may be chosen, and what is to be known of
 * them.
 */
enum rc repack_look(struct repacking *r, struct err *err) MUST_CHECK;
void repack_tell_failed(struct repacking *r, const struct shard_meta *m,
			const struct err *why);

/* repack-commit.c: the record that makes a group's new revisions count.
 * *ret_won: they do.
 */
enum rc repack_commit(struct repacking *r, const struct repack_event *event,
		      bool *ret_won, struct err *err) MUST_CHECK;

#endif
