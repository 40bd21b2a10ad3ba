/* SPDX-License-Identifier: Apache-2.0 */
/* same.h - whether two entries, or what they refer to, are the same. */
#ifndef DESFS_TESTS_FUZZ_SAME_H
#define DESFS_TESTS_FUZZ_SAME_H

#include <stdbool.h>
#include <string.h>

#include "shard/shard-entry.h"
#include "shard/shard-format.h"

static inline bool same_page_ref(const struct page_ref *a,
				 const struct page_ref *b)
{
	return a->off == b->off && a->stored_len == b->stored_len &&
	       !memcmp(a->hash, b->hash, BLOCK_HASH_LEN);
}

static inline bool same_block_ref(const struct block_ref *a,
				  const struct block_ref *b)
{
	return a->off == b->off && a->stored_len == b->stored_len &&
	       a->data_len == b->data_len && a->codec == b->codec &&
	       !memcmp(a->hash, b->hash, BLOCK_HASH_LEN);
}

static inline bool same_content(const struct content *a,
				const struct content *b)
{
	if (a->n_blocks != b->n_blocks || a->block_size != b->block_size ||
	    a->tail_off != b->tail_off || a->n_extents != b->n_extents ||
	    a->per_extent != b->per_extent || !a->blocks != !b->blocks)
		return false;
	for (uint32_t i = 0; a->blocks && i < a->n_blocks; i++)
		if (!same_block_ref(&a->blocks[i], &b->blocks[i]))
			return false;
	for (uint32_t i = 0; i < a->n_extents; i++)
		if (!same_page_ref(&a->extents[i], &b->extents[i]))
			return false;
	return true;
}

static inline bool same_attributes(const struct entry *a, const struct entry *b)
{
	return a->type == b->type && a->implicit == b->implicit &&
	       a->has_opaque == b->has_opaque && a->mode == b->mode &&
	       a->uid == b->uid && a->gid == b->gid &&
	       a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns &&
	       a->size == b->size && a->opaque_since == b->opaque_since &&
	       a->rdev_major == b->rdev_major &&
	       a->rdev_minor == b->rdev_minor && a->nlink == b->nlink &&
	       span_equal(a->target, b->target) &&
	       !memcmp(a->link_group, b->link_group, LINK_GROUP_LEN) &&
	       span_equal(a->xattrs, b->xattrs) && span_equal(a->meta, b->meta);
}

static inline bool same_entry(const struct entry *a, const struct entry *b)
{
	return !entry_compare(a, b) && same_attributes(a, b) &&
	       a->has_hash == b->has_hash &&
	       !memcmp(a->sha256, b->sha256, ENTRY_HASH_LEN) &&
	       same_content(&a->content, &b->content);
}

#endif
