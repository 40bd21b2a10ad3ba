/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h - what is compressed together, and how: names for sets of options.
 *
 * ADR 10 has the tables they were chosen by.
 */
#ifndef DESFS_PACK_PROFILE_H
#define DESFS_PACK_PROFILE_H

#include <stdint.h>

#include "codec/codec.h"

/* Bytes of file data in a block. */
struct block_sizes {
	/* Of small files together.  A larger file has blocks of its own. */
	uint32_t group;
	/* Of one file that compresses, has no holes and is not huge. */
	uint32_t large;
};

/* Files above it are huge: most likely they are read in pieces, and are cut as
 * small as files are grouped.
 */
#define PROFILE_HUGE (UINT64_C(32) << 20)

/* But not into more blocks than this where larger ones help: a file of many
 * more has no record to be salvaged by.
 */
#define PROFILE_BLOCKS_MAX (256u << 10)

struct profile {
	enum codec_id codec;
	int level;
	struct block_sizes sizes;
};

/* In the order of numbers, ends with NULL; 0 is the default. */
extern const char *const profile_names[];

const struct profile *profile_get(unsigned int number);

/* Bytes of a block of a huge file of size bytes. */
uint32_t profile_huge_block(const struct block_sizes *sizes, uint64_t size);

#endif
