/* SPDX-License-Identifier: Apache-2.0 */
/* unused.h - stored bytes of a shard that no entry refers to so far, as runs.
 *
 * Blocks are added when they are written, and removed when an entry refers to
 * them; those of a file, however many, are a few runs.  A zeroed set is empty.
 */
#ifndef DESFS_SHARD_UNUSED_H
#define DESFS_SHARD_UNUSED_H

#include <stddef.h>
#include <stdint.h>

struct unused_run;

struct unused {
	struct unused_run *runs; /* ascending, with gaps */
	size_t n, cap;
};

void unused_release(struct unused *u);

/* From off to end; above all added before. */
void unused_add(struct unused *u, uint64_t off, uint64_t end);
/* Nothing is done where not all of it is in the set: it was removed before, or
 * is no block.
 */
void unused_remove(struct unused *u, uint64_t off, uint64_t end);

uint64_t unused_bytes(const struct unused *u);

#endif
