/* SPDX-License-Identifier: Apache-2.0 */
/* shard-cursor.h - a place in the index of one shard.
 *
 *	shard_cursor_open(&c, env, sf, err);
 *	for (shard_cursor_seek(&c, parent, name, err); !c.at_end;
 *	     shard_cursor_next(&c, err))
 *		... c.e ...
 *	shard_cursor_close(&c);
 *
 * (each call's result looked at).  One thread at a time.
 */
#ifndef DESFS_VOLUME_SHARD_CURSOR_H
#define DESFS_VOLUME_SHARD_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"
#include "volume/shard-file.h"

struct shard_cursor {
	struct shard_handle h;
	struct block_cache_item *leaf; /* keeps page, and what e borrows */
	const struct page *page;
	uint64_t first; /* ordinal of the page's first entry */
	uint32_t i;     /* place in the page */
	bool at_end;
	struct entry e; /* unless at_end */
};

enum rc shard_cursor_open(struct shard_cursor *ret, struct shard_env *env,
			  const struct shard_file *sf,
			  struct err *err) MUST_CHECK;
/* A zeroed cursor is fine. */
void shard_cursor_close(struct shard_cursor *c);

/* To the first entry whose key is not below this one. */
enum rc shard_cursor_seek(struct shard_cursor *c, struct span parent,
			  struct span name, struct err *err) MUST_CHECK;

/* To the entry with this ordinal. */
enum rc shard_cursor_goto(struct shard_cursor *c, uint64_t ordinal,
			  struct err *err) MUST_CHECK;

enum rc shard_cursor_next(struct shard_cursor *c, struct err *err) MUST_CHECK;

static inline uint64_t shard_cursor_ordinal(const struct shard_cursor *c)
{
	return c->first + c->i;
}

/* True when the cursor is at an entry of this key. */
bool shard_cursor_is_at(const struct shard_cursor *c, struct span parent,
			struct span name);

#endif
