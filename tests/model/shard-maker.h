/* SPDX-License-Identifier: Apache-2.0 */
/* shard-maker.h - shards of a few files, as desfs-pack makes them, in memory.
 *
 * Small files share blocks, equal ones the same bytes, large ones have blocks
 * of their own; each block has records; ancestors' directories are there.
 */
#ifndef DESFS_TESTS_SHARD_MAKER_H
#define DESFS_TESTS_SHARD_MAKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "codec/codec.h"
#include "model.h"
#include "volume/descriptor.h"
#include "volume/oplog.h"

#define MAKER_SLOTS 16u
#define MAKER_BLOCK 4096u

struct made_shard {
	struct shard_meta meta; /* key NULL: no such shard */
	struct buf bytes;
};

/* Versions of one day; fills ret, by slot. */
void make_shards(const struct descriptor *d, uint32_t day,
		 const struct model_version *versions, size_t n,
		 enum codec_id codec, struct made_shard ret[MAKER_SLOTS]);
void made_shards_release(struct made_shard shards[MAKER_SLOTS]);

#endif
