/* SPDX-License-Identifier: Apache-2.0 */
/* content.h - where a file's bytes are going, while its blocks are in the
 * making, and their digest.
 *
 * A file of several segments, or one with several names, has a content that its
 * blocks and its entries share.  The thread that reads makes it; workers say
 * which blocks are done; records wait for hashes they name.
 *
 * The digest takes all segments in their order, on one processor at a time: who
 * has a segment offers it before he does anything else with it, and whoever
 * finds that nobody is hashing goes on with what was offered so far.
 */
#ifndef DESFS_PACK_CONTENT_H
#define DESFS_PACK_CONTENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/sha256.h"
#include "pack/block-list.h"
#include "shard/shard-entry.h"
#include "shard/shard-format.h"

#define CONTENT_NO_BLOCK UINT64_MAX

/* Blocks of a file: as many as the index has room for. */
#define CONTENT_BLOCKS_MAX ((uint64_t)EXTENTS_MAX * EXTENT_BLOCKS_MAX)

/* A segment offered.  Of whoever offers it, until content_wait_hashed. */
struct content_piece {
	uint32_t i;
	const uint8_t *p;
	struct content_piece *next;
};

struct content_parts {
	uint32_t tail_off;
	uint64_t tail_block;            /* number of the block the tail is in */
	uint32_t n_stored;              /* segments that are no holes */
	uint32_t n_placed;              /* of them, whose offset is known */
	uint8_t sha256[ENTRY_HASH_LEN]; /* once all segments are hashed */

	/* Guards all below, but the sizes of blocks, which are fixed; sha is of
	 * who is hashing.
	 */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct sha256 sha;
	struct block_list blocks;
	bool is_hashing;
	uint32_t n_hashed;             /* segments, from the first on */
	struct content_piece *offered; /* in their order */
	uint32_t n_done;               /* stored segments whose hash is known */
	unsigned int refs;
};

/* Whether a file of size bytes has no more than CONTENT_BLOCKS_MAX. */
bool content_fits(uint64_t size, uint32_t block_size);

/* size must fit.  spool_dir: where what is too much for memory goes; borrowed.
 */
struct content_parts *content_new(uint64_t size, uint32_t block_size,
				  const char *spool_dir);
/* Of a file of one segment that is in the shard, with this SHA-256. */
enum rc content_known(struct content_parts **ret, uint64_t size, uint32_t off,
		      const struct block_ref *ref,
		      const uint8_t sha256[ENTRY_HASH_LEN],
		      struct err *err) MUST_CHECK;
struct content_parts *content_ref(struct content_parts *c);
void content_unref(struct content_parts *c);

uint32_t content_n_blocks(const struct content_parts *c);
uint32_t content_block_size(const struct content_parts *c);

/* Bytes of segment i. */
size_t content_len(const struct content_parts *c, uint32_t i);

/* What is told of segments by who reads them, in their order: the next one is a
 * hole, which may hash a lot of zeros, or is stored.
 */
void content_add_hole(struct content_parts *c);
void content_add_stored(struct content_parts *c);

/* Segment piece->i is at piece->p.  May hash it, and others.  Nothing is done
 * with one that is hashed already.
 */
void content_offer(struct content_parts *c, struct content_piece *piece);

/* Wait until segment i is hashed; all before it must be holes or with somebody
 * who is going to offer them.
 */
void content_wait_hashed(struct content_parts *c, uint32_t i);

/* The block of segment i was encoded; ref->off is not known yet. */
void content_done(struct content_parts *c, uint32_t i,
		  const struct block_ref *ref);

/* That block is in the shard at off. */
enum rc content_place(struct content_parts *c, uint32_t i, uint64_t off,
		      struct err *err) MUST_CHECK;
/* Whether all is known: its blocks are in the shard, and it is hashed. */
bool content_is_settled(struct content_parts *c);

/* The next n segments are where refs say.  Of a content made anew from what was
 * read of a settled one; with the last ones it is settled as well.
 */
enum rc content_know(struct content_parts *c, const struct block_ref *refs,
		     uint32_t n, struct err *err) MUST_CHECK;

/* References of n segments from i on, as far as they are known. */
enum rc content_read(struct content_parts *c, uint32_t i, uint32_t n,
		     struct block_ref *ret, struct err *err) MUST_CHECK;

/* Wait until the hashes of all stored segments but `own` are known. */
void content_wait(struct content_parts *c, uint32_t own);

#endif
