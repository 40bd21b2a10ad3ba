/* SPDX-License-Identifier: Apache-2.0 */
/* shard-columns.h - the encodings that index pages and records share.
 *
 * Flags of an entry, and tables of block references as columns; des-shard(5),
 * ENTRIES and BLOCK TABLES.
 */
#ifndef DESFS_SHARD_SHARD_COLUMNS_H
#define DESFS_SHARD_SHARD_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/rd.h"
#include "shard/shard-entry.h"

/* The flags of an entry: its type in the low three bits, and what follows. */
#define FLAG_TYPE_MASK 0x7u
#define FLAG_IMPLICIT 0x8u
#define FLAG_OPAQUE 0x10u
#define FLAG_HASH 0x20u
#define FLAG_XATTRS 0x40u
#define FLAG_META 0x80u
#define FLAG_GROUP 0x100u
#define FLAG_NLINK 0x200u
#define FLAG_ALL 0x3ffu

/* nlink of an entry whose flags do not have FLAG_NLINK. */
static inline uint32_t nlink_default(enum entry_type type)
{
	return type == ENTRY_DIR ? 0 : 1;
}

uint32_t entry_flags(const struct entry *e);

/* Take type and the flags that are fields of their own into e; false when they
 * make no sense together.
 */
bool entry_set_flags(struct entry *e, uint32_t flags);

/* True when parent and name are what their uid splits into, so that each uid has
 * one place in the order, and are not too long.
 */
bool entry_key_is_sound(struct span parent, struct span name);

/* True when the fields of e fit together: bounds, and what each type may have.
 * Everything a page or record holds is checked with it.
 */
bool entry_is_sound(const struct entry *e);

/* True when list is well formed: names not empty, ascending, no doubles. */
bool xattrs_are_sound(struct span list);

/* n references as columns. */
void block_table_encode(const struct block_ref *refs, size_t n,
			struct buf *out);
/* Fills refs; bad lengths make r bad. */
void block_table_decode(struct rd *r, struct block_ref *refs, size_t n);

/* A byte string: varint length, bytes. */
void string_encode(struct span s, struct buf *out);
struct span string_decode(struct rd *r, size_t max);

/* Length of the common beginning. */
size_t common_prefix(struct span a, struct span b);

#endif
