/* SPDX-License-Identifier: Apache-2.0 */
/* lane-backend.h - what the files of a lane share. */
#ifndef DESFS_PACK_LANE_BACKEND_H
#define DESFS_PACK_LANE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pack/lane-block.h"
#include "pack/lane.h"

struct same;

/* ALONE: what is larger than small files together, ended with its entry. */
enum kind { DENSE, NOISE, ALONE, KINDS };

struct lane {
	struct lane_options opts;
	struct lane_block *open[KINDS]; /* being filled, or NULL */
	enum kind last;                 /* of what was added last, not ALONE */
	enum kind kept;                 /* of what was kept last */
	struct lane_block *aside;       /* empty, for what does not fit */
	struct lane_block *aside_large; /* the same for large blocks */
	struct lane_block *reserved;    /* of the open ones, or aside */
	struct lane_block *blocks[LANE_WINDOW]; /* the oldest at
						 * first % LANE_WINDOW */
	uint64_t first, next;           /* numbers: first ... next - 1 */
	uint64_t n_bytes;               /* that those that fly may hold */
	struct lane_block *held[KINDS]; /* in the shard, but not all entries */
	struct same *same;              /* files kept of late */
	uint64_t quick;          /* of what is reserved, or was kept; 0 */
	uint64_t n_seq, n_added; /* entries that came, and went */
	uint64_t n_entries;
	uint64_t label; /* of entries added now */
	char *uid;      /* of the entry added last */
	size_t uid_cap;
};

/* lane.c */
struct lane_block *lane_take_block(struct lane *l, bool is_large) MUST_CHECK;
void lane_give_block(struct lane *l, struct lane_block *b);
/* Give b the next number.  All before it have begun, so it is the last in the
 * order for now.
 */
enum rc lane_number(struct lane *l, struct lane_block *b,
		    struct err *err) MUST_CHECK;
enum rc lane_end_block(struct lane *l, enum kind k, struct err *err) MUST_CHECK;
/* End the blocks that keep too many waiting. */
enum rc lane_end_old(struct lane *l, struct err *err) MUST_CHECK;

/* lane-shard.c */
/* Have a worker encode the block. */
void lane_launch(struct lane *l, struct lane_block *b);
/* Wait for the oldest block and add it to the shard. */
enum rc lane_retire(struct lane *l, struct err *err) MUST_CHECK;

#endif
