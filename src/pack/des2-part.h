/* SPDX-License-Identifier: Apache-2.0 */
/* des2-part.h - a shard of the format DES2 in the making, from files to its
 * name in the store.
 *
 * For one thread.
 */
#ifndef DESFS_PACK_DES2_PART_H
#define DESFS_PACK_DES2_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pack/des2-record.h"
#include "pack/des2-rules.h"
#include "pack/des2-shard.h"
#include "pack/shard-out.h"

struct des2_thread;

struct des2_part {
	struct des2_thread *t;
	bool is_open;
	struct shard_out out;
	struct des2_shard shard;
	struct des2_fill fill;
	struct buf meta;
};

void des2_part_init(struct des2_part *p, struct des2_thread *t);
void des2_part_release(struct des2_part *p);

/* Begin a shard of that slot; what is not ended by des2_part_end is removed by
 * des2_part_close.
 */
enum rc des2_part_open(struct des2_part *p, uint32_t slot,
		       struct err *err) MUST_CHECK;
void des2_part_close(struct des2_part *p);

/* Would a file of so many bytes begin the next one? */
bool des2_part_is_full(const struct des2_part *p, uint64_t size);

/* Make the metadata of the next file.  RC_LIMIT: they are more than readers
 * keep.
 */
enum rc des2_part_meta(struct des2_part *p, const struct des2_record *r,
		       struct err *err) MUST_CHECK;

/* Add the file: what the thread has stored of it, or, with its hash, a big one.
 */
enum rc des2_part_add(struct des2_part *p, const struct des2_record *r,
		      enum codec_id codec, const uint8_t *big_sha256,
		      struct err *err) MUST_CHECK;

/* Publish it under key.  RC_EXISTS: another run has one of that name. */
enum rc des2_part_end(struct des2_part *p, const char *key,
		      struct err *err) MUST_CHECK;

#endif
