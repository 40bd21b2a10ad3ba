/* SPDX-License-Identifier: Apache-2.0 */
/* verify-batch.h - some files of a shard, or a piece of one, with the blocks
 * their bytes are in: a job of its own.
 *
 * One thread fills it; then any thread runs it; then the first looks at what
 * became of blocks and files.
 */
#ifndef DESFS_VERIFY_VERIFY_BATCH_H
#define DESFS_VERIFY_VERIFY_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"
#include "base/workers.h"
#include "verify/raw-shard.h"
#include "verify/verify-blocks.h"

/* Segments that are in no block. */
#define BATCH_HOLE UINT32_MAX
#define BATCH_ODD (UINT32_MAX - 1) /* files state different things of it */

struct batch_block {
	struct verify_block *block; /* not touched by the job */
	struct block_ref ref;
	uint32_t n_uses; /* segments in it that are still to be hashed */
	uint8_t *stored; /* its bytes, of the batch's */
	uint8_t *data;   /* decoded, while it has uses; owned */
	bool is_other;   /* stored has another hash */
	bool failed;     /* it is damaged: err */
	struct err err;
};

struct batch_segment {
	uint32_t at;        /* of its block, or BATCH_HOLE, BATCH_ODD */
	uint32_t from, len; /* bytes of it */
	uint64_t off;       /* of its block in the shard */
};

struct batch_file {
	struct span parent, name; /* owned by the batch */
	uint64_t size;
	bool has_hash, is_deleted;
	uint8_t sha256[ENTRY_HASH_LEN];
	size_t first, n; /* segments */
	/* Set by the job: */
	bool is_whole, is_other; /* is_other: another hash */
};

struct batch {
	struct job job;
	const struct raw_shard *s;
	uint32_t number;
	struct batch_block *blocks;
	size_t n_blocks, cap_blocks;
	struct batch_segment *segments;
	size_t n_segments, cap_segments;
	struct batch_file *files; /* one, if it is a piece of a file */
	size_t n_files, cap_files;
	uint64_t stored, plain; /* bytes of the blocks; of the segments */
	uint8_t *bytes;         /* of the blocks, as they are stored */
	size_t memory;          /* what was taken for it */
	bool is_piece, is_first, is_last; /* of the pieces of a file */
	bool may_stop;                    /* a signal ends it */
	bool is_stopped;                  /* nothing was done: by a signal, */
	bool has_no_memory;               /* or for this */
	struct batch *next;
};

struct batch *batch_new(const struct raw_shard *s, uint32_t number,
			bool may_stop) MUST_CHECK;
void batch_free(struct batch *b); /* takes NULL */

/* A segment at the end; block is NULL for BATCH_HOLE and BATCH_ODD, which
 * other then is.
 */
void batch_add(struct batch *b, struct verify_block *block,
	       const struct block_ref *ref, uint32_t other, uint32_t from,
	       uint32_t len);
/* The segments since the last file are this one's. */
void batch_add_file(struct batch *b, const struct entry *e, size_t first,
		    bool is_deleted);

/* The memory it will take. */
size_t batch_memory(const struct batch *b);

/* Read, check, decode; and hash, if it has files.  Of a piece the data of its
 * blocks stay for batch_hash.  The argument is the batch, for workers.
 */
void batch_run(void *batch);

/* Add the bytes of these segments to the hash; false: some are damaged. */
bool batch_hash(struct batch *b, size_t first, size_t n, struct sha256 *sum);

#endif
