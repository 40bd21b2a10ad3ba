/* SPDX-License-Identifier: Apache-2.0 */
/* content.h - where a file's bytes are going, while its blocks are in the
 * making.
 *
 * A file of several segments, or one with several names, has a content that its
 * blocks and its entries share.  The thread that reads makes it; workers say
 * which blocks are done; records wait for hashes they name.
 */
#ifndef DESFS_PACK_CONTENT_H
#define DESFS_PACK_CONTENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "shard/shard-entry.h"
#include "shard/shard-format.h"

#define CONTENT_NO_BLOCK UINT64_MAX

/* Blocks of a file: as many as the index has room for. */
#define CONTENT_BLOCKS_MAX ((uint64_t)EXTENTS_MAX * EXTENT_BLOCKS_MAX)

struct content_parts {
	uint32_t n_blocks, block_size, tail_off;
	struct block_ref *blocks; /* n_blocks */
	uint64_t tail_block;      /* number of the block the tail is in */
	uint32_t n_stored;        /* segments that are no holes */
	uint8_t sha256[ENTRY_HASH_LEN];

	pthread_mutex_t lock; /* guards the two below, and hashes in blocks */
	pthread_cond_t changed;
	uint32_t n_done; /* stored segments whose hash is known */
	unsigned int refs;
};

/* Whether a file of size bytes has no more than CONTENT_BLOCKS_MAX. */
bool content_fits(uint64_t size, uint32_t block_size);

/* size must fit. */
struct content_parts *content_new(uint64_t size, uint32_t block_size);
struct content_parts *content_ref(struct content_parts *c);
void content_unref(struct content_parts *c);

/* Segment i is a hole of len bytes. */
void content_set_hole(struct content_parts *c, uint32_t i, uint32_t len);

/* The block of segment i was encoded; ref->off is not known yet. */
void content_done(struct content_parts *c, uint32_t i,
		  const struct block_ref *ref);

/* Wait until the hashes of all stored segments but `own` are known. */
void content_wait(struct content_parts *c, uint32_t own);

#endif
