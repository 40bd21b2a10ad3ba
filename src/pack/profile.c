/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c - what is compressed together, and how. */
#include "config.h"

#include "pack/profile.h"

#include <assert.h>
#include <stddef.h>

#include "base/compiler.h"
#include "shard/shard-format.h"

#define KIB UINT32_C(1024)
#define MIB (1024 * KIB)

const char *const profile_names[] = { "default", "small", "fast", NULL };

static const struct profile profiles[] = {
	{ CODEC_ZSTD, 3, { BLOCK_SIZE_DEFAULT, 2 * MIB } },
	{ CODEC_ZSTD, 3, { 1 * MIB, 2 * MIB } },
	{ CODEC_ZSTD, 1, { BLOCK_SIZE_DEFAULT, 2 * MIB } },
};

const struct profile *profile_get(unsigned int number)
{
	static_assert(ARRAY_LEN(profiles) + 1 == ARRAY_LEN(profile_names),
		      "a name for each");
	return &profiles[number];
}

uint32_t profile_huge_block(const struct block_sizes *sizes, uint64_t size)
{
	uint32_t block = sizes->group;

	while (block <= sizes->large / 2 && size / block > PROFILE_BLOCKS_MAX)
		block *= 2;
	return block;
}
