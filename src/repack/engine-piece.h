/* SPDX-License-Identifier: Apache-2.0 */
/* engine-piece.h - one block on its way through the engine. */
#ifndef DESFS_REPACK_ENGINE_PIECE_H
#define DESFS_REPACK_ENGINE_PIECE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "repack/engine-blocks.h"
#include "shard/shard-block.h"

struct part;

struct piece {
	struct block_ref ref;    /* without item only off and lengths */
	struct block_item *item; /* NULL: no entry refers to it */
	size_t source;

	/* What a look at it has shown. */
	char *why; /* it is of no use, with rc; NULL: all is well */
	enum rc rc;
	struct block_header h;
	uint32_t n_kept;   /* records that stay */
	bool names_blocks; /* some of these name other blocks */
	struct buf data;   /* a block of the data that stay, if they change */
	struct block_header data_h;
	bool is_hashed;    /* its SHA-256 was compared */
	bool is_rewritten; /* now and done are what piece_rewrite gives */
	struct buf done;
	struct block_ref now;
};

void piece_release(struct piece *pc);

/* From any thread: check the block, see what of it stays, encode that. */
void piece_look(struct part *p, struct piece *pc, const uint8_t *stored);

/* In the order of the blocks, by one thread.  Anything of it stays: */
bool piece_stays(const struct piece *pc);
/* ... and nothing of it goes or changes. */
bool piece_is_as_before(const struct part *p, const struct piece *pc,
			const uint8_t *stored);
/* What stays of it as a block in pc->done; without bytes if nothing does. */
enum rc piece_rewrite(struct part *p, struct piece *pc, const uint8_t *stored,
		      struct err *err) MUST_CHECK;

#endif
