/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h - what is compressed together, and how: names for sets of options.
 *
 * ADR 10 has the tables they were chosen by.
 */
#ifndef DESFS_PACK_PROFILE_H
#define DESFS_PACK_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
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

/* What a command line says of it. */
#define PROFILE_OPEN UINT32_MAX
#define PROFILE_LEVEL_OPEN INT32_MIN
struct profile_choice {
	unsigned int profile;
	unsigned int codec;  /* enum codec_id, or PROFILE_OPEN */
	int level;           /* or PROFILE_LEVEL_OPEN */
	uint64_t block_size; /* 0: open */
	/* The profiles of the program before this one, whose format has no
	 * blocks, in the place of ours.
	 */
	bool is_des2;
};
#define PROFILE_CHOICE_INIT                                         \
	{                                                           \
		.codec = PROFILE_OPEN, .level = PROFILE_LEVEL_OPEN, \
	}

/* What that leaves open the profile says.  RC_USAGE: a level that the codec has
 * not.
 */
enum rc profile_fill(const struct profile_choice *choice, struct profile *ret,
		     struct err *err) MUST_CHECK;

/* Bytes of a block of a huge file of size bytes. */
uint32_t profile_huge_block(const struct block_sizes *sizes, uint64_t size);

#endif
