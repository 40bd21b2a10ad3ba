/* SPDX-License-Identifier: Apache-2.0 */
/* index-walk.h - all leaves of a shard's index in order, past damaged pages.
 *
 *	index_walk_init(&w, &shard);
 *	while ((rc = index_walk_next(&w, &leaf, &err)) != RC_NOENT)
 *		rc ? ... leaf.n_entries are lost ... : ... leaf.page ...;
 *	index_walk_release(&w);
 *
 * What a page must agree on with the one that refers to it is checked: level,
 * first key, ordinals.
 */
#ifndef DESFS_VERIFY_INDEX_WALK_H
#define DESFS_VERIFY_INDEX_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-format.h"
#include "shard/shard-page.h"
#include "verify/raw-shard.h"

/* A leaf, or on failure the page in whose place entries are missing. */
struct index_leaf {
	struct page *page; /* borrowed until the next call; NULL on failure */
	struct page_ref ref;
	uint64_t first_ordinal;
	uint64_t n_entries;
	struct span parent, name; /* of its first entry; borrowed likewise */
};

struct index_level {
	struct page *page;
	uint32_t next; /* child to visit */
	uint64_t end;  /* ordinal after its last entry */
};

struct index_walk {
	const struct raw_shard *shard;
	struct index_level levels[PAGE_LEVELS_MAX];
	unsigned int depth; /* levels in use */
	bool started;
	struct page *leaf;
	struct page_ref *pages; /* all met so far, damaged ones too */
	size_t n_pages, cap_pages;
};

void index_walk_init(struct index_walk *w, const struct raw_shard *s);
void index_walk_release(struct index_walk *w);

/* RC_NOENT at the end.  After any other failure the walk may go on. */
enum rc index_walk_next(struct index_walk *w, struct index_leaf *ret,
			struct err *err) MUST_CHECK;

/* Note a page that is no node and no leaf: a block list. */
void index_walk_note(struct index_walk *w, const struct page_ref *ref);

#endif
