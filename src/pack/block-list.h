/* SPDX-License-Identifier: Apache-2.0 */
/* block-list.h - which blocks a file in the making consists of, in bounded
 * memory.
 *
 * Segments are decided in their order: each is a hole, or stored in a block
 * that is filled in later and then placed, its offset being known.  Runs of
 * holes take no memory; of stored segments so many are kept, and what is before
 * them is put into a temporary file once it is placed.  Not safe from several
 * threads.
 */
#ifndef DESFS_PACK_BLOCK_LIST_H
#define DESFS_PACK_BLOCK_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/spool.h"
#include "shard/shard-entry.h"

#define BLOCK_LIST_PAGE 512u /* references that are kept or spooled together \
			      */
#define BLOCK_LIST_KEPT 64u  /* pages in memory, once those before are placed \
			      */

struct block_list_page;

struct block_list {
	uint64_t size; /* of the file */
	uint32_t n, block_size;
	uint32_t n_decided;
	struct block_list_page *pages; /* those with stored segments */
	size_t n_pages, cap_pages;
	size_t n_spooled; /* of the pages, from the first on */
	struct spool spool;
};

/* spool_dir: for a temporary file; borrowed. */
void block_list_init(struct block_list *l, uint64_t size, uint32_t block_size,
		     const char *spool_dir);
void block_list_release(struct block_list *l);

/* Bytes of segment i. */
size_t block_list_len(const struct block_list *l, uint32_t i);

/* The next segment is one. */
void block_list_add_hole(struct block_list *l);
void block_list_add_stored(struct block_list *l);

/* Is segment i known to be a hole? */
bool block_list_is_hole(const struct block_list *l, uint32_t i);

/* The block of the stored segment i is this one, with or without ref->off. */
void block_list_fill(struct block_list *l, uint32_t i,
		     const struct block_ref *ref);
/* It is at off.  May spool what is before it. */
enum rc block_list_place(struct block_list *l, uint32_t i, uint64_t off,
			 struct err *err) MUST_CHECK;

/* n references from segment i on, all decided. */
enum rc block_list_read(const struct block_list *l, uint32_t i, uint32_t n,
			struct block_ref *ret, struct err *err) MUST_CHECK;

#endif
