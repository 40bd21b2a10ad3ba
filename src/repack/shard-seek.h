/* SPDX-License-Identifier: Apache-2.0 */
/* shard-seek.h - a place in the index of one shard, read straight from a store.
 *
 *	shard_seek_open(&c, st, key, root, err);
 *	for (shard_seek_key(&c, parent, name, err); !c.at_end;
 *	     shard_seek_next(&c, err))
 *		... c.e ...
 *	shard_seek_close(&c);
 *
 * (each call's result looked at).  Going on to a later key reads no page twice.
 * Everything is checked against the root.  One thread at a time.
 */
#ifndef DESFS_REPACK_SHARD_SEEK_H
#define DESFS_REPACK_SHARD_SEEK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"
#include "shard/shard-format.h"
#include "shard/shard-page.h"
#include "verify/raw-shard.h"

/* A page on the way from the root to a leaf. */
struct shard_seek_page {
	struct page_ref ref;
	struct page *page;
};

struct shard_seek {
	struct raw_shard shard;
	struct shard_seek_page pages[PAGE_LEVELS_MAX]; /* [0]: the leaf */
	uint64_t first; /* ordinal of the leaf's first entry */
	uint32_t i;     /* place in the leaf */
	bool at_end;
	struct entry e; /* unless at_end; borrowed until the next call */
};

/* st and key are borrowed.  RC_CORRUPT: it has another root; NULL: any will do.
 */
enum rc shard_seek_open(struct shard_seek *ret, struct store *st,
			const char *key, const uint8_t root[SHARD_ROOT_LEN],
			struct err *err) MUST_CHECK;
/* A zeroed one is fine. */
void shard_seek_close(struct shard_seek *c);

/* To the first entry whose key is not below this one. */
enum rc shard_seek_key(struct shard_seek *c, struct span parent,
		       struct span name, struct err *err) MUST_CHECK;
enum rc shard_seek_next(struct shard_seek *c, struct err *err) MUST_CHECK;

/* Whether it is at an entry of this key. */
bool shard_seek_is_at(const struct shard_seek *c, struct span parent,
		      struct span name) MUST_CHECK;

#endif
