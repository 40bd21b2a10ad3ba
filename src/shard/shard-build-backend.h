/* SPDX-License-Identifier: Apache-2.0 */
/* shard-build-backend.h - what the files of the shard builder share. */
#ifndef DESFS_SHARD_SHARD_BUILD_BACKEND_H
#define DESFS_SHARD_SHARD_BUILD_BACKEND_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/sha256.h"
#include "shard/shard-build.h"
#include "shard/shard-page-build.h"
#include "shard/unused.h"

/* The pages of one level, as the one above refers to them. */
struct level {
	struct page_child *children; /* keys are owned copies */
	size_t n, cap;
};

/* Where the references of an entry come from. */
struct blocks_source {
	shard_blocks_fn *fn;
	void *arg;
};

/* The block list pages of an entry; none: its references are inline. */
struct extents {
	struct page_ref *refs;
	uint32_t n, per; /* blocks in each but the last */
};

struct shard_build {
	struct shard_build_options opts;
	struct shard_sink sink;
	struct shard_footer footer;
	struct entry *page; /* what they point to is in the arena */
	size_t n_page, cap_page, page_size;
	struct arena arena;
	uint64_t page_first; /* ordinal of its first entry */
	uint64_t *hashes;    /* for the filter, one an entry */
	size_t n_hashes, cap_hashes;
	struct level leaves;
	struct unused unused; /* blocks that no entry refers to so far */
	struct sha256 logical;
	struct buf row;     /* of the entry that is added */
	char *first, *last; /* uids */
	size_t first_len, last_len;
	struct entry last_key; /* of the entry added last, in last_bytes */
	struct buf last_bytes;
	bool finished;
};

/* The page that is filled, and the tree: shard-build-pages.c. */

/* Where the next page goes. */
struct page_build shard_build_next_page(const struct shard_build *b);
enum rc shard_build_write_page(struct shard_build *b, const struct buf *page,
			       struct err *err) MUST_CHECK;

/* A deep copy of an entry into the page; a full page is written. */
enum rc shard_build_add_to_page(struct shard_build *b, const struct entry *e,
				const struct extents *extents,
				struct err *err) MUST_CHECK;

/* Write the page that is being filled, and all levels above the leaves. */
enum rc shard_build_tree(struct shard_build *b, struct err *err) MUST_CHECK;

void shard_build_free_pages(struct shard_build *b);

/* References of entries: shard-build-blocks.c. */

/* These blocks are referred to. */
void shard_build_use_blocks(struct shard_build *b, const struct block_ref *refs,
			    uint32_t n);

/* References beyond the inline ones, into block list pages of their own;
 * free(ret->refs).
 */
enum rc shard_build_extents(struct shard_build *b, const struct entry *e,
			    const struct blocks_source *from,
			    struct extents *ret, struct err *err) MUST_CHECK;

/* The uid of an entry with a NUL byte behind it; free() it. */
char *shard_build_copy_uid(const struct entry *e, size_t *ret_len);

#endif
