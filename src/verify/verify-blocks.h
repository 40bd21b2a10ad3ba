/* SPDX-License-Identifier: Apache-2.0 */
/* verify-blocks.h - the blocks of a shard that were met, so that at the end
 * those nobody refers to can be found and checked.
 *
 * For one thread.
 */
#ifndef DESFS_VERIFY_VERIFY_BLOCKS_H
#define DESFS_VERIFY_VERIFY_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"
#include "verify/raw-shard.h"
#include "verify/verify-report.h"

/* One that a file refers to. */
struct verify_block {
	struct block_ref ref; /* by which it was met first; off is the key */
	bool is_bad;          /* which was reported */
	uint32_t batch, at;   /* for verify-files.c: where it is dealt with */
	UT_hash_handle hh;
};

struct verify_blocks;

struct verify_blocks *verify_blocks_new(void) MUST_CHECK;
void verify_blocks_free(struct verify_blocks *b); /* takes NULL */

/* The block there; stays until all are freed.  NULL: another file has stated
 * other things of it.
 */
struct verify_block *verify_blocks_note(struct verify_blocks *b,
					const struct block_ref *ref);

/* Check what no file refers to.  is_complete: all files were looked at and no
 * block of theirs is damaged, so that the footer's counts must agree.  True
 * when nothing was found.
 */
bool verify_blocks_rest(struct verify_blocks *b, const struct raw_shard *s,
			bool is_complete, struct verify_report *report);

#endif
