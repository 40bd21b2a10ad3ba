/* SPDX-License-Identifier: Apache-2.0 */
/* shard-page-build.h - index pages, structs to bytes: the twin of shard-page.h.
 *
 * The caller collects what one page is to hold and encodes it at once.
 */
#ifndef DESFS_SHARD_SHARD_PAGE_BUILD_H
#define DESFS_SHARD_SHARD_PAGE_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/codec.h"
#include "shard/shard-entry.h"
#include "shard/shard-page.h"

/* How a page is to be compressed, and where its bytes will begin. */
struct page_build {
	enum codec_id codec;
	int level;
	uint64_t off; /* from the start of the index region */
};

/* n entries in index order.  Their content is either inline block references, or
 * extents.  Appends the stored bytes to out and fills ret.
 */
enum rc page_build_leaf(const struct page_build *pb, const struct entry *entries,
			uint32_t n, struct buf *out, struct page_ref *ret,
			struct err *err) MUST_CHECK;

/* n children, all of level - 1. */
enum rc page_build_node(const struct page_build *pb,
			const struct page_child *children, uint32_t n,
			unsigned int level, struct buf *out,
			struct page_ref *ret, struct err *err) MUST_CHECK;

/* n block references of one file. */
enum rc page_build_extent(const struct page_build *pb,
			  const struct block_ref *refs, uint32_t n,
			  struct buf *out, struct page_ref *ret,
			  struct err *err) MUST_CHECK;

#endif
