/* SPDX-License-Identifier: Apache-2.0 */
/* des2-shard.h - builds a shard of the format DES2, version 2.
 *
 *	des2_shard_begin(&s, &sink, &err);
 *	for each file
 *		des2_shard_data(&s, stored, len, &err);   any number of times
 *		des2_shard_file(&s, uid, codec, plain_len, meta, &err);
 *	or	des2_shard_big(&s, uid, sha256, plain_len, meta, &err);
 *	des2_shard_end(&s, &size, &err);
 *	des2_shard_release(&s);
 *
 * It does no I/O but through the sink, which gets small files together, and
 * where index keeps bytes aside until
 * flush_index.  After a failure only release is left.  For one thread.
 */
#ifndef DESFS_PACK_DES2_SHARD_H
#define DESFS_PACK_DES2_SHARD_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "codec/codec.h"
#include "shard/shard-build.h"
#include "shard/shard-des2.h"
#include "shard/shard-entry.h"

#define DES2_UID_MAX 65535u

struct des2_shard {
	struct shard_sink sink;
	uint64_t off;       /* where the next byte goes */
	uint64_t entry_off; /* where the data of the next file begin */
	uint64_t index_len; /* bytes of entries */
	uint32_t n;
	struct buf entry;
	struct buf ahead; /* data that are not with the sink yet */
	uint8_t footer[DES2_FOOTER_SIZE]; /* once it has ended */
};

enum rc des2_shard_begin(struct des2_shard *s, const struct shard_sink *sink,
			 struct err *err) MUST_CHECK;
void des2_shard_release(struct des2_shard *s);

/* The next stored bytes of a file. */
enum rc des2_shard_data(struct des2_shard *s, const void *p, size_t len,
			struct err *err) MUST_CHECK;

/* The file whose stored bytes those since the last file are.  uid is UTF-8,
 * meta a JSON object or empty.  RC_LIMIT: the uid or the metadata are too long,
 * or there are too many files.
 */
enum rc des2_shard_file(struct des2_shard *s, struct span uid,
			enum codec_id codec, uint64_t plain_len,
			struct span meta, struct err *err) MUST_CHECK;

/* A file whose content is an object of its own. */
enum rc des2_shard_big(struct des2_shard *s, struct span uid,
		       const uint8_t sha256[SHA256_LEN], uint64_t plain_len,
		       struct span meta, struct err *err) MUST_CHECK;

enum rc des2_shard_end(struct des2_shard *s, uint64_t *ret_size,
		       struct err *err) MUST_CHECK;

#endif
