/* SPDX-License-Identifier: Apache-2.0 */
/* salvage-scan.h - all intact blocks of a shard, found without its index.
 *
 * A block begins with its magic and says how long it is; its checksum tells
 * whether it is one.  After damage the next magic is searched for.
 */
#ifndef DESFS_VERIFY_SALVAGE_SCAN_H
#define DESFS_VERIFY_SALVAGE_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-record.h"
#include "verify/raw-shard.h"

struct salvage_scan;

/* Read the shard through; its footer is not used. */
enum rc salvage_scan_new(const struct raw_shard *s, struct salvage_scan **ret,
			 struct err *err) MUST_CHECK;
void salvage_scan_free(struct salvage_scan *scan);

/* In the order they lie. */
size_t salvage_scan_count(const struct salvage_scan *scan);
const struct block_ref *salvage_scan_block(const struct salvage_scan *scan,
					   size_t i);

/* The block with this hash, NULL when there is none. */
const struct block_ref *salvage_scan_find(const struct salvage_scan *scan,
					  const uint8_t hash[BLOCK_HASH_LEN]);

/* Call fn for each record of block i. */
typedef void salvage_record_fn(void *arg, const struct block_ref *own,
			       const struct record *rec);
void salvage_scan_records(struct salvage_scan *scan, size_t i,
			  salvage_record_fn *fn, void *arg);

#endif
