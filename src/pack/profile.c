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

/* "Balanced", "aggressive" and "speed". */
static const struct profile des2_profiles[] = {
	{ CODEC_ZSTD, 5, { BLOCK_SIZE_DEFAULT, BLOCK_SIZE_DEFAULT } },
	{ CODEC_ZSTD, 9, { BLOCK_SIZE_DEFAULT, BLOCK_SIZE_DEFAULT } },
	{ CODEC_LZ4, 0, { BLOCK_SIZE_DEFAULT, BLOCK_SIZE_DEFAULT } },
};

const struct profile *profile_get(unsigned int number)
{
	static_assert(ARRAY_LEN(profiles) + 1 == ARRAY_LEN(profile_names) &&
			      ARRAY_LEN(des2_profiles) == ARRAY_LEN(profiles),
		      "a name for each");
	return &profiles[number];
}

enum rc profile_fill(const struct profile_choice *choice, struct profile *ret,
		     struct err *err)
{
	const struct profile *profile =
		choice->is_des2 ? &des2_profiles[choice->profile]
				: profile_get(choice->profile);
	uint32_t size = (uint32_t)choice->block_size;
	struct profile p = *profile;
	const struct codec *codec;

	if (choice->codec != PROFILE_OPEN)
		p.codec = (enum codec_id)choice->codec;
	codec = codec_by_id(p.codec);
	if (choice->level != PROFILE_LEVEL_OPEN)
		p.level = choice->level;
	else if (p.codec != profile->codec)
		p.level = codec->level_default;
	if (size)
		p.sizes = (struct block_sizes){ .group = size, .large = size };
	if (p.level < codec->level_min || p.level > codec->level_max)
		return err_set(err, RC_USAGE,
			       "--level %d: %s has levels from %d to %d",
			       p.level, codec->name, codec->level_min,
			       codec->level_max);
	*ret = p;
	return RC_OK;
}

uint32_t profile_huge_block(const struct block_sizes *sizes, uint64_t size)
{
	uint32_t block = sizes->group;

	while (block <= sizes->large / 2 && size / block > PROFILE_BLOCKS_MAX)
		block *= 2;
	return block;
}
