/* SPDX-License-Identifier: Apache-2.0 */
/* lane-block.h - one block on its way through a lane; for lane*.c only. */
#ifndef DESFS_PACK_LANE_BLOCK_H
#define DESFS_PACK_LANE_BLOCK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/workers.h"
#include "pack/content.h"
#include "pack/lane.h"
#include "shard/shard-block.h"

/* An entry counts as so many bytes besides its strings. */
#define ENTRY_OWN_BYTES 64u

/* An entry that waits for its block. */
struct lane_entry {
	struct entry e; /* its spans point into the block's arena */
	struct content_parts *content;
	uint32_t off;
	uint64_t seq;   /* among all entries of the lane */
	uint64_t quick; /* of same_quick; 0: not to be found again */
	uint64_t label;
};

/* A segment of a content that is in the block. */
struct lane_segment {
	struct content_parts *content;
	uint32_t i, off; /* off: where it is in the block */
	struct content_piece piece;
	uint64_t quick; /* as above, of a content of one segment */
};

struct lane_block {
	struct job job;
	struct lane_block *next_spare; /* of struct lane_pool */
	uint64_t number; /* its place among the lane's; LANE_NO_NUMBER: none yet
			  */
	bool is_flying;  /* ended, and with a worker */
	size_t n_added;  /* entries that are in the shard */
	bool is_large;
	struct buf data, records, stored;
	size_t entry_bytes;
	struct arena arena;
	struct lane_entry *entries;
	size_t n_entries, entries_cap;
	struct lane_segment *segments;
	size_t n_segments, segments_cap;
	enum codec_id codec;
	int level;

	/* Results. */
	struct block_ref ref;
	enum rc rc;
	struct err err;
};

#define LANE_NO_NUMBER (UINT64_MAX - 1)

/* is_large: for more than sizes.group bytes. */
struct lane_block *lane_block_new(const struct lane_options *opts,
				  bool is_large);
void lane_block_free(struct lane_block *b);

/* Empty again. */
void lane_block_clear(struct lane_block *b);

void lane_block_add_entry(struct lane_block *b, const struct entry *e,
			  struct content_parts *c, uint32_t off, uint64_t seq);
void lane_block_add_segment(struct lane_block *b, struct content_parts *c,
			    uint32_t i, uint32_t off);

/* Exchange the room for data; neither has any. */
void lane_block_swap_room(struct lane_block *a, struct lane_block *b);

/* Wait until nobody needs the data any more; the job must be done. */
void lane_block_wait_hashed(struct lane_block *b);

/* The worker's job; arg is the block. */
void lane_block_encode(void *arg);

#endif
