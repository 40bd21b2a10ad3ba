/* SPDX-License-Identifier: Apache-2.0 */
/* volume-near.h - what lies around a block that is read, for the fetcher.
 *
 * For volume-read.c only.
 */
#ifndef DESFS_VOLUME_VOLUME_NEAR_H
#define DESFS_VOLUME_VOLUME_NEAR_H

#include "volume/readahead.h"
#include "volume/volume.h"

/* A block of a file, its neighbours in the file as far as they are in memory.
 */
struct volume_near {
	const struct volume_entry *ve;
	const struct block_ref *refs; /* n of them */
	uint32_t n;
	uint32_t k;      /* the block is refs[k] */
	uint32_t behind; /* blocks of the file after refs[n - 1] */
	uint32_t wanted; /* blocks from k on that the same call wants */
	bool is_made;    /* the shard is made of older ones */
};

/* A fetch_hint's function; arg is a struct volume_near. */
void volume_near_tell(void *arg, struct readahead_near *ret);

#endif
