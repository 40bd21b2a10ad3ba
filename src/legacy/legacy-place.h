/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-place.h - where the content of a file of an older archive is. */
#ifndef DESFS_LEGACY_LEGACY_PLACE_H
#define DESFS_LEGACY_LEGACY_PLACE_H

#include <stdint.h>

#include "shard/shard-entry.h"

enum legacy_how {
	LEGACY_INLINE,   /* in the shard that has the entry */
	LEGACY_OUTSIDE,  /* an object of its own, whose SHA-256 is known */
	LEGACY_EXTERNAL, /* likewise, of which only the size is known */
	LEGACY_DAMAGED,  /* nowhere: all that is known is a text */
};

/* As it is kept in a spool; padding is zeros. */
struct legacy_place {
	uint64_t start; /* of its first block in the made shard */
	uint64_t size;  /* bytes of the file */
	/* INLINE: in the object; EXTERNAL: its turn, see legacy-outside.h. */
	uint64_t off;
	uint64_t stored_len; /* INLINE: so many bytes there */
	uint64_t text;       /* in the spool of texts: key of the object that */
	uint32_t text_len;   /* has it, or what is wrong; without a NUL */
	uint32_t block_size; /* of all blocks but the last */
	uint32_t object; /* INLINE: number of the object, legacy-objects.h */
	uint8_t how;     /* enum legacy_how */
	uint8_t codec;   /* INLINE: enum codec_id */
	uint8_t unused[2];
	uint8_t sha256[ENTRY_HASH_LEN]; /* OUTSIDE */
};

/* Files of up to LEGACY_BLOCK bytes are one block; few large blocks cost fewer
 * requests, but memory.
 */
#define LEGACY_BLOCK (1u << 20)
#define LEGACY_BLOCK_LARGE (4u << 20)
#define LEGACY_LARGE_FROM (UINT64_C(1) << 30)

static inline uint32_t legacy_block_size(uint64_t size)
{
	return size > LEGACY_LARGE_FROM ? LEGACY_BLOCK_LARGE : LEGACY_BLOCK;
}

#endif
