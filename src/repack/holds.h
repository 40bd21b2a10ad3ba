/* SPDX-License-Identifier: Apache-2.0 */
/* holds.h - objects holds/... that forbid to remove what they cover.
 *
 * Format: desfs-archive(5), HOLDS.  What is under a hold is not removed, and
 * what of it is deleted stays in its shard, hidden.  An object below holds/
 * that cannot be understood holds everything.
 */
#ifndef DESFS_REPACK_HOLDS_H
#define DESFS_REPACK_HOLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"
#include "volume/oplog.h"

struct store;

#define HOLD_PREFIX "holds/"
#define HOLD_MAX (128u << 10) /* bytes of an object; a uid has 64 KiB */
#define HOLDS_MAX 100000u     /* objects */
#define HOLD_MATTER_MAX 255u  /* bytes */

enum hold_scope { HOLD_ALL, HOLD_UID, HOLD_PREFIX_OF, HOLD_DAY, HOLD_SHARD };

struct hold {
	char *key;
	char *matter; /* the operator's words; NULL: not understood */
	enum hold_scope scope;
	char *uid; /* of HOLD_UID, or what uids begin with */
	size_t uid_len;
	uint32_t day; /* decimal YYYYMMDD */
	char *shard;  /* its key */
};

/* A zeroed one is valid and holds nothing. */
struct holds {
	struct hold *all;
	size_t n, cap;
};

void hold_release(struct hold *h);
void holds_release(struct holds *h);

/* One object; on failure ret is as it was. */
enum rc hold_decode(const void *p, size_t len, struct hold *ret,
		    struct err *err) MUST_CHECK;
/* Add what an object of that key says.  Never fails: what is not understood
 * holds everything.
 */
void holds_add(struct holds *h, const char *key, const void *p, size_t len);
/* All of an archive.  One that is listed and cannot be got is an error, but for
 * one that is gone: that holds everything, until the list knows it.
 */
enum rc holds_read(struct holds *ret, struct store *st,
		   struct err *err) MUST_CHECK;

/* Whether none was put there, or taken away. */
bool holds_are_same(const struct holds *a, const struct holds *b);

/* NULL, or one that covers these; borrowed. */
const struct hold *holds_everything(const struct holds *h);
const struct hold *holds_uid(const struct holds *h, const char *uid,
			     size_t uid_len);
/* The whole shard: by its day or key, or with everything. */
const struct hold *holds_shard(const struct holds *h,
			       const struct shard_meta *m);
/* Something that may lie in a shard which has these for first and last: the
 * next at or after *i that is of a uid or of a prefix.  NULL: no more.
 */
const struct hold *holds_next_within(const struct holds *h, size_t *i,
				     const struct shard_meta *m);
/* Whether an entry is what a hold of a uid or of a prefix covers. */
bool hold_has_entry(const struct hold *h, struct span parent, struct span name);

#endif
