/* SPDX-License-Identifier: Apache-2.0 */
/* verify-block.h - what is to be checked of a block beyond its checksums. */
#ifndef DESFS_VERIFY_VERIFY_BLOCK_H
#define DESFS_VERIFY_VERIFY_BLOCK_H

#include <stdint.h>

#include "base/err.h"
#include "shard/shard-block.h"

/* Decode a block that block_check has passed; *ret is to be freed and has
 * h->data_len bytes.  Its records have to be readable too.
 */
enum rc verify_block_decode(const uint8_t *stored, const struct block_header *h,
			    uint8_t **ret, struct err *err) MUST_CHECK;

#endif
