/* SPDX-License-Identifier: Apache-2.0 */
/* uid-set.h - a set of 64-bit hashes of uids, 16 bytes or less for each.
 *
 * Two uids with the same hash count as one; with good hashes that is rarer than
 * a fault in memory.  A zeroed set is empty.
 */
#ifndef DESFS_VERIFY_UID_SET_H
#define DESFS_VERIFY_UID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uid_set {
	uint64_t *slots; /* 0: free */
	size_t n, cap;   /* cap is a power of two, or 0 */
};

/* True when it was not in the set. */
bool uid_set_add(struct uid_set *s, uint64_t hash);
bool uid_set_has(const struct uid_set *s, uint64_t hash);
void uid_set_release(struct uid_set *s);

#endif
