/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-set-backend.h - what a set of tombstones is made of. */
#ifndef DESFS_ERASE_TOMBSTONE_SET_BACKEND_H
#define DESFS_ERASE_TOMBSTONE_SET_BACKEND_H

#include <stdatomic.h>

#include "base/siphash.h"
#include "erase/tombstone-set.h"

struct tomb {
	const char *uid;
	uint32_t uid_len, parent_len;
	uint32_t first_time, n_times;
	int64_t until;
};

/* Bytes of uids.  Sets that grew from one another share them: a set has its own
 * and those of the sets before.
 */
struct tombstone_names;
void tombstone_names_unref(struct tombstone_names *n); /* takes NULL */
size_t tombstone_names_memory(const struct tombstone_names *n);

#define TOMB_END_BITS 16u

struct tombstone_set {
	atomic_uint refs;
	uint8_t key[SIPHASH_KEY_LEN];
	struct tomb *tombs;
	size_t n;
	/* Upper half of the hash, number of a tomb and 1; 0: free.  So who is
	 * not there is seen without a look at tombs.
	 */
	uint64_t *table;
	size_t cap; /* of the table, a power of two */
	/* Of nearly all who are not there their last bytes say so, for less
	 * than their hash costs: TOMB_END_BITS for each place of the table.
	 */
	uint64_t *ends;
	int64_t *times;
	size_t n_times;
	struct tombstone_names *names;
};

void tomb_split(const struct tomb *t, struct span *ret_parent,
		struct span *ret_name);

/* Make the table of a set that has all else. */
enum rc tombstone_set_index(struct tombstone_set *s,
			    struct err *err) MUST_CHECK;

#endif
