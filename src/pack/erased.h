/* SPDX-License-Identifier: Apache-2.0 */
/* erased.h - names that were deleted for good, and so are not packed again.
 *
 * Tombstones of all versions of a name keep it out, and when they are done the
 * list of what was deleted does, which needs its key.  A directory is kept out
 * unless something below it is not.  NULL is for archives where nothing was
 * deleted, and costs a branch.
 */
#ifndef DESFS_PACK_ERASED_H
#define DESFS_PACK_ERASED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pack/item.h"

struct erased;
struct oplog;
struct store;

struct erased_options {
	const char *key; /* see erasure-key.h; NULL: none */
	bool allow;      /* keep nothing out */
};

/* What the log says at this moment.  RC_ACCESS: there is a list, and its key is
 * not known.
 */
enum rc erased_new(struct erased **ret, struct store *st,
		   const struct oplog *log, const struct erased_options *opts,
		   struct err *err) MUST_CHECK;
void erased_free(struct erased *e); /* takes NULL */

/* What one walker remembers of the directory it was in last; zeroed first. */
struct erased_walk {
	struct buf parent;
	bool is_known;  /* parent is set, */
	bool has_above; /* it or one above it is deleted, and not kept yet */
};
/* An item was found in the sources, whoever packs it.  From any thread. */
void erased_note(struct erased *e, struct erased_walk *w,
		 const struct item *it);
void erased_walk_release(struct erased_walk *w);

/* Is the item kept out?  When all were noted; from any thread. */
bool erased_keeps_out(const struct erased *e, const struct item *it);

/* The first time from at on that no tombstone of the name takes. */
int64_t erased_after(const struct erased *e, struct span parent,
		     struct span name, int64_t at);

#endif
