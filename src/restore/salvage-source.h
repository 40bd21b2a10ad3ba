/* SPDX-License-Identifier: Apache-2.0 */
/* salvage-source.h - the bytes of one file, from blocks read and checked as
 * they are needed.
 */
#ifndef DESFS_RESTORE_SALVAGE_SOURCE_H
#define DESFS_RESTORE_SALVAGE_SOURCE_H

#include "restore/restore.h"
#include "verify/raw-shard.h"

#define SALVAGE_KEPT 8

struct salvage_block {
	struct block_ref ref;
	uint64_t used; /* when last; 0: never */
	uint8_t *data; /* ref.data_len bytes */
};

/* A few blocks are kept: those of small files hold many. */
struct salvage_source {
	const struct raw_shard *s;
	struct salvage_block kept[SALVAGE_KEPT];
	uint64_t clock;
	struct buf stored;
	/* The file being read. */
	const struct entry *e;
	const struct block_ref *refs; /* e->content.n_blocks of them */
};

void salvage_source_init(struct salvage_source *src, const struct raw_shard *s);
void salvage_source_release(struct salvage_source *src);

/* RC_CORRUPT when the segments do not make up the file. */
enum rc salvage_source_set(struct salvage_source *src, const struct entry *e,
			   const struct block_ref *refs,
			   struct err *err) MUST_CHECK;

/* The calls of struct restore_source for it. */
struct restore_source salvage_source_calls(struct salvage_source *src);

#endif
