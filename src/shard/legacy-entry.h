/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-entry.h - one kind of entry for all older formats of shards.
 *
 * An entry is a view: its spans are borrowed from the cursor that gave it
 * (shard/legacy-cursor.h), until that gives the next.
 */
#ifndef DESFS_SHARD_LEGACY_ENTRY_H
#define DESFS_SHARD_LEGACY_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/codec.h"
#include "shard/shard-entry.h"

/* Metadata of more bytes stay in the object: they are checked, but not given.
 */
#define LEGACY_META_MAX (1u << 20)

#define LEGACY_HASH_DIGITS 64

struct legacy_entry {
	struct span uid;     /* UTF-8, 0 to 65535 bytes; NUL may be in it */
	uint64_t ordinal;    /* in the index, from 0 */
	uint64_t entry_off;  /* in the object: where this entry is */
	bool is_external;    /* content is an object of its own */
	enum codec_id codec; /* CODEC_NONE for external ones */
	uint64_t off;        /* in the object, within the data; inline only */
	uint64_t stored_len; /* bytes there; inline only */
	uint64_t plain_len;  /* bytes of the file, at most INT64_MAX */
	struct span hash;    /* DES2, external: 64 lower-case hex digits, the
				SHA-256 of the content; empty for all else */
	struct span meta;    /* a JSON object as stored; empty: none, or above
				LEGACY_META_MAX */
	uint64_t meta_off;   /* in the object: where the metadata are */
	uint64_t meta_len;   /* 0: none */
};

#endif
