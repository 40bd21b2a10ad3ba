/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-set.h - which versions of which uids are deleted; immutable.
 *
 * No tombstones are no set: NULL is the empty one, and takes one branch to ask.
 * A set is counted by reference and may be asked from any thread.  It takes at
 * most 62 bytes and the uid for each erasure, and a few hundred bytes; the uids
 * of sets that grew from one another are there once.
 */
#ifndef DESFS_ERASE_TOMBSTONE_SET_H
#define DESFS_ERASE_TOMBSTONE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"

struct tombstone;
struct tombstone_set;

/* What old (which may be NULL) says and what documents say, which may go as
 * soon as they were added.  RC_LIMIT: over 2^31 erasures.  The end comes once;
 * free takes NULL.
 */
struct tombstone_build;
struct tombstone_build *tombstone_build_new(const struct tombstone_set *old)
	MUST_CHECK;
enum rc tombstone_build_add(struct tombstone_build *b,
			    const struct tombstone *doc,
			    struct err *err) MUST_CHECK;
enum rc tombstone_build_end(struct tombstone_build *b,
			    struct tombstone_set **ret,
			    struct err *err) MUST_CHECK;
void tombstone_build_free(struct tombstone_build *b);

/* The same of n documents. */
enum rc tombstone_set_new(struct tombstone_set **ret,
			  const struct tombstone_set *old,
			  const struct tombstone *const *docs, size_t n,
			  struct err *err) MUST_CHECK;
/* Both take NULL. */
struct tombstone_set *tombstone_set_ref(struct tombstone_set *s);
void tombstone_set_unref(struct tombstone_set *s);

bool tombstone_set_finds(const struct tombstone_set *s, struct span parent,
			 struct span name, int64_t created_at);

/* Whether the version is deleted.  The uid is given as entries have it, see
 * entry_split_uid.
 */
static inline bool tombstone_set_hides(const struct tombstone_set *s,
				       struct span parent, struct span name,
				       int64_t created_at)
{
	return s && tombstone_set_finds(s, parent, name, created_at);
}

#define TOMBSTONE_NONE INT64_MIN /* no until */

/* All that is said of one uid; borrowed from the set. */
struct tombstone_uid {
	struct span uid, parent, name;
	int64_t until;        /* versions up to it and it; TOMBSTONE_NONE */
	const int64_t *times; /* and these, which are later, ascending */
	size_t n_times;
};

/* How many uids, and the one at i, in the order of a shard's index. */
size_t tombstone_set_count(const struct tombstone_set *s);
void tombstone_set_at(const struct tombstone_set *s, size_t i,
		      struct tombstone_uid *ret);
/* What is said of the uid; false: nothing. */
bool tombstone_set_find(const struct tombstone_set *s, struct span parent,
			struct span name, struct tombstone_uid *ret);

/* Bytes of memory. */
size_t tombstone_set_memory(const struct tombstone_set *s);

/* The uids of which after hides versions that before does not, in order; the
 * two exchanged: of which some are shown again.  Borrows both.
 *
 *	struct tombstone_diff d = { .before = old, .after = new };
 *
 *	while (tombstone_diff_next(&d, &uid))
 */
struct tombstone_diff {
	const struct tombstone_set *before, *after;
	size_t i, j;
};
bool tombstone_diff_next(struct tombstone_diff *d,
			 struct tombstone_uid *ret) MUST_CHECK;

#endif
