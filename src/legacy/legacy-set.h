/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-set.h - of all that shards of an older archive say, what counts; made
 * into shards of format 3.
 *
 * Of a uid on a day the shard whose key comes first counts, and in it the entry
 * that comes last; a tombstone hides them all.  A uid of several days is as
 * many versions.  What is a file and, by another uid, a directory too, is
 * marked (legacy-path.h).  Memory is bounded: all of it is sorted in spools.
 */
#ifndef DESFS_LEGACY_LEGACY_SET_H
#define DESFS_LEGACY_LEGACY_SET_H

#include "base/err.h"
#include "base/span.h"
#include "legacy/legacy-content.h"
#include "legacy/legacy-damage.h"
#include "legacy/legacy-shard.h"

struct legacy_set;

/* Of a day and slot: so often were all shards made of them replaced, and one of
 * the same bytes must have another key.
 */
typedef uint32_t legacy_revision_fn(void *arg, uint32_t day, uint32_t slot);

struct legacy_set_options {
	const char *dir; /* for spools */
	struct store *st;
	struct legacy_objects *objects;
	struct legacy_contents *contents;
	uint8_t archive_id[SHARD_ID_LEN];
	struct legacy_damage *damage; /* what is left out is told there */
	legacy_revision_fn *revision;
	void *revision_arg;
};

/* The options are copied, what they point to borrowed. */
struct legacy_set *legacy_set_new(const struct legacy_set_options *o)
	MUST_CHECK;
void legacy_set_free(struct legacy_set *s); /* takes NULL */

/* A record of legacy-raw.h, in any order. */
enum rc legacy_set_add(struct legacy_set *s, struct span key, struct span value,
		       struct err *err) MUST_CHECK;

/* When all are added: a reference to the shards. */
enum rc legacy_set_make(struct legacy_set *s, struct legacy_shards **ret,
			struct err *err) MUST_CHECK;

#endif
