/* SPDX-License-Identifier: Apache-2.0 */
/* aggregate.h - the tombstone documents of one hour in one object, byte by byte
 * as they are: tombstones/YYYYMMDD/HH.json.
 *
 * The hour is the UTC one of the log record that names a document first.  An
 * aggregate is derived and may lack documents or be absent: what is in it
 * counts only by the SHA-256 that the log has of each.  Format:
 * desfs-archive(5), TOMBSTONES.
 */
#ifndef DESFS_ERASE_AGGREGATE_H
#define DESFS_ERASE_AGGREGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/timestamp.h"
#include "erase/tombstone.h"
#include "shard/shard-format.h"

#define AGGREGATE_MAX (64u << 20) /* bytes of an object */
#define AGGREGATE_KEY_TEXT \
	(sizeof(TOMBSTONE_PREFIX) + TIMESTAMP_DAY_TEXT + sizeof("00.json"))

/* Of the hour that the time is in. */
void aggregate_key(int64_t time, char ret[AGGREGATE_KEY_TEXT]);
/* Whether key has the form of these. */
bool aggregate_key_is_valid(const char *key) MUST_CHECK;

/* One that is being written to out, which may take AGGREGATE_MAX bytes. */
struct aggregate_writer {
	struct buf *out;
	const uint8_t *archive_id;
	size_t begin, n;
};
void aggregate_begin(struct aggregate_writer *w,
		     const uint8_t archive_id[SHARD_ID_LEN], struct buf *out);
/* The bytes of one document.  What is not of the canonical form, which ends in
 * a newline and has no other, is left out.  False: there is no room for it.
 */
bool aggregate_add(struct aggregate_writer *w, const void *p,
		   size_t len) MUST_CHECK;
void aggregate_end(struct aggregate_writer *w, int64_t time);

/* Hand the bytes of each document to fn, until it fails.  RC_CORRUPT, RC_LIMIT,
 * RC_UNSUPPORTED: it is no aggregate of this archive.
 */
typedef enum rc aggregate_fn(void *arg, const void *p, size_t len,
			     struct err *err);
enum rc aggregate_each(const void *p, size_t len,
		       const uint8_t archive_id[SHARD_ID_LEN], aggregate_fn *fn,
		       void *arg, struct err *err) MUST_CHECK;

#endif
