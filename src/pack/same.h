/* SPDX-License-Identifier: Apache-2.0 */
/* same.h - the files of a shard packed of late, to find those that are equal.
 *
 * A table of fixed size: a file is found by a few of its bytes, and a later one
 * takes an earlier one's place.  Whether two files are equal the caller
 * decides, by all their bytes or by size and SHA-256.  One thread.
 */
#ifndef DESFS_PACK_SAME_H
#define DESFS_PACK_SAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "shard/shard-entry.h"

/* Of less the names are most of what a file takes. */
#define SAME_LEN_MIN 256u

struct same_file {
	uint64_t quick; /* 0: free */
	uint64_t size;
	uint64_t block; /* number of its block */
	uint32_t off;   /* in that */
	/* Known when the block is in the shard. */
	bool is_known;
	uint8_t sha256[ENTRY_HASH_LEN];
	struct block_ref ref;
};

struct same;

struct same *same_new(void) MUST_CHECK;
void same_free(struct same *s);
uint64_t same_memory(void);

/* A number that equal files share, and few others; never 0. */
uint64_t same_quick(const uint8_t *p, size_t len);

/* The place in the table of files of this number, whatever is in it. */
struct same_file *same_place(struct same *s, uint64_t quick);

#endif
