/* SPDX-License-Identifier: Apache-2.0 */
/* by-place.h - files in the order of their bytes in the shards, so that each
 * block is read and decoded once, and neighbours with one request.
 *
 * A zeroed struct by_place is empty; free(files) at the end.
 */
#ifndef DESFS_PACK_BY_PLACE_H
#define DESFS_PACK_BY_PLACE_H

#include <stddef.h>
#include <stdint.h>

#include "volume/volume.h"

struct by_place_file {
	struct volume_node node;
	uint64_t off;    /* of its first block */
	uint64_t number; /* the caller's */
};

struct by_place {
	struct by_place_file *files;
	size_t n, cap;
};

void by_place_add(struct by_place *b, const struct volume_entry *ve,
		  uint64_t number);
void by_place_sort(struct by_place *b);

#endif
