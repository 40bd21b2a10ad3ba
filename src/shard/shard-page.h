/* SPDX-License-Identifier: Apache-2.0 */
/* shard-page.h - index pages decoded: entries, directories of pages, block lists.
 *
 * A page is decoded once, as a whole, into one immutable object that any
 * thread may read; struct entry views borrow from it until page_free.
 * Source of the format: des-shard(5), PAGES.
 */
#ifndef DESFS_SHARD_SHARD_PAGE_H
#define DESFS_SHARD_SHARD_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"

enum page_kind {
	PAGE_LEAF = 1,	 /* entries */
	PAGE_NODE = 2,	 /* references to pages one level down */
	PAGE_EXTENT = 3, /* block references of one large file */
};

struct page;

/* Check the stored bytes (exactly ref->stored_len of them) against the
 * reference's hash and their own CRC, and decode them.
 * RC_CORRUPT says what is wrong; RC_NOMEM.
 */
enum rc page_decode(const uint8_t *stored, size_t len,
		    const struct page_ref *ref, struct page **ret,
		    struct err *err) MUST_CHECK;
void page_free(struct page *p);

enum page_kind page_kind(const struct page *p);
size_t page_memory(const struct page *p); /* bytes it occupies */
uint32_t page_count(const struct page *p); /* entries, children or blocks */

/* Leaf: entry i, valid until page_free. */
void page_entry(const struct page *p, uint32_t i, struct entry *ret);

/* Leaf: the first entry whose key is not below (parent, name); page_count() when
 * there is none.
 */
uint32_t page_lower_bound(const struct page *p, struct span parent,
			  struct span name);

/* Node: child i. */
struct page_child {
	struct page_ref ref;
	uint8_t level;		/* 1: a leaf */
	uint64_t first_ordinal; /* of its first entry in the shard */
	struct span parent, name; /* key of its first entry */
};
void page_child(const struct page *p, uint32_t i, struct page_child *ret);

/* Node: the child in which the first entry not below the key is looked for: the
 * last child whose first key is below it, or else the first.  (The entry
 * itself may be the first one of the next child.)
 */
uint32_t page_child_for_key(const struct page *p, struct span parent,
			    struct span name);

/* Node: the child that holds the entry with this ordinal. */
uint32_t page_child_for_ordinal(const struct page *p, uint64_t ordinal);

/* Extent page: its references. */
const struct block_ref *page_blocks(const struct page *p);

#endif
