/* SPDX-License-Identifier: Apache-2.0 */
/* record-digest.h - the digest of a log record: the first half of the SHA-256
 * of its canonical form without the digest.
 *
 * The elements of its long array are added one by one: a run may have made 2^16
 * shards and more, and their values take five times the room of their text.
 */
#ifndef DESFS_VOLUME_RECORD_DIGEST_H
#define DESFS_VOLUME_RECORD_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "shard/shard-format.h"

struct json_t;

struct record_digest {
	struct sha256 hash;
	uint64_t len;
	size_t n; /* elements so far */
	struct buf after;
};

/* The record without digest and the array. */
void record_digest_begin(struct record_digest *d, const struct json_t *record,
			 const char *array);
void record_digest_element(struct record_digest *d, const struct json_t *j);
/* All elements at once, in their canonical form, with commas in between. */
void record_digest_written(struct record_digest *d, const struct buf *elements);
/* RC_LIMIT: a record must not be that long. */
enum rc record_digest_end(struct record_digest *d, uint8_t digest[SHARD_ID_LEN],
			  struct err *err) MUST_CHECK;
/* Instead of record_digest_end. */
void record_digest_release(struct record_digest *d);

#endif
