/* SPDX-License-Identifier: Apache-2.0 */
/* live-set.h - the entries that stay, as hashes, each with one mark.
 *
 * Two entries with the same hash count as one, which is rarer than a fault in
 * memory.  Adding is for one thread; then any may find and mark.
 */
#ifndef DESFS_REPACK_LIVE_SET_H
#define DESFS_REPACK_LIVE_SET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_set {
	_Atomic uint64_t *slots; /* 0: free; bit 0: marked */
	size_t cap;
};

/* Room for at most max members: 10 bytes for each. */
void live_set_init(struct live_set *s, uint64_t max);
/* A zeroed set is fine. */
void live_set_release(struct live_set *s);

void live_set_add(struct live_set *s, uint64_t hash);
bool live_set_has(const struct live_set *s, uint64_t hash);

/* False, and nothing is marked, if it is not in the set. */
bool live_set_mark(struct live_set *s, uint64_t hash, bool mark);
bool live_set_is_marked(const struct live_set *s, uint64_t hash);

#endif
