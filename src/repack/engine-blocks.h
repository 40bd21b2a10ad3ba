/* SPDX-License-Identifier: Apache-2.0 */
/* engine-blocks.h - the blocks of all shards that are read: what stays of each,
 * and where it is afterwards.
 *
 * First every file's references are added, with those bytes of them that stay;
 * then block_table_settle says which blocks lose bytes, and from there on the
 * table is read by any thread, and written where each block has ended up by
 * one.
 */
#ifndef DESFS_REPACK_ENGINE_BLOCKS_H
#define DESFS_REPACK_ENGINE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"

/* Bytes that stay: len from off on, and where they are afterwards. */
struct block_part {
	uint32_t off, len, to;
};

struct block_item {
	struct block_ref ref; /* as in its shard */
	uint32_t source;
	bool is_live;    /* an entry that stays refers to it */
	bool is_whole;   /* one refers to all of its data */
	bool is_cut;     /* it loses some of its data */
	bool is_changed; /* now says where it is and what it is */
	bool is_placed;
	uint32_t first_part, n_parts; /* of block_table.parts */
	struct block_ref now;
};

struct block_hash;
struct block_use;

struct block_table {
	struct block_item *items;
	size_t n, cap;
	uint32_t *by_off; /* open addressing: index + 1 */
	size_t n_slots;
	size_t last; /* the item found last */
	struct block_use *uses;
	size_t n_uses, cap_uses;
	struct block_part *parts;
	struct block_hash *changed; /* by the hash it had */
};

void block_table_release(struct block_table *t);

/* RC_CORRUPT: two files state one block differently. */
enum rc block_table_add(struct block_table *t, size_t source,
			const struct block_ref *ref, size_t *ret,
			struct err *err) MUST_CHECK;
/* len bytes from off on of item i stay. */
void block_table_keep(struct block_table *t, size_t i, uint32_t off,
		      uint32_t len);
void block_table_settle(struct block_table *t);

/* The item of a reference that was added. */
struct block_item *block_table_find(const struct block_table *t, size_t source,
				    const struct block_ref *ref);

/* Where the len bytes at off are in what stays; false: not all stay. */
bool block_table_moved(const struct block_table *t, const struct block_item *b,
		       uint32_t off, uint32_t len, uint32_t *ret);
/* Bytes that stay. */
uint32_t block_table_len(const struct block_table *t,
			 const struct block_item *b);

/* b has become b->now, which is another block. */
void block_table_change(struct block_table *t, struct block_item *b);
/* The block that had this hash and has another now; NULL: none. */
const struct block_item *block_table_changed(
	const struct block_table *t, const uint8_t hash[BLOCK_HASH_LEN]);
bool block_table_any_changed(const struct block_table *t);

/* Indexes of the items of a source, by their offset; to be freed. */
uint32_t *block_table_order(const struct block_table *t, size_t source,
			    size_t *ret_n) MUST_CHECK;

#endif
