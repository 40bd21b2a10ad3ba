/* SPDX-License-Identifier: Apache-2.0 */
/* codec.h - compression: bytes to bytes, by the number a shard states.
 *
 * Stateless; any thread.  Contexts are kept per thread inside.
 */
#ifndef DESFS_CODEC_CODEC_H
#define DESFS_CODEC_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Values are those on disk, des-shard(5). */
enum codec_id {
	CODEC_NONE = 0,
	CODEC_ZSTD = 1, /* one frame, RFC 8878, no checksum, size stated */
	CODEC_LZ4 = 2,  /* one frame, lz4_Frame_format.md, size stated */
};

struct codec {
	const char *name;
	enum codec_id id;
	int level_min, level_max, level_default;

	/* Compress into at most cap bytes.  *ret_len = 0: does not fit, the
	 * caller stores the bytes as they are.
	 */
	enum rc (*encode)(const void *in, size_t len, int level, void *out,
			  size_t cap, size_t *ret_len, struct err *err);

	/* Bytes that a thread keeps at most for compressing len at a time;
	 * NULL: none.
	 */
	uint64_t (*encode_memory)(size_t len, int level);

	/* Decompress into exactly out_len bytes; anything else is RC_CORRUPT.
	 */
	enum rc (*decode)(const void *in, size_t len, void *out, size_t out_len,
			  struct err *err);

	/* How many bytes to decompress when the first want of out_len are
	 * needed: out_len when fewer would cost as much.  NULL: always so.
	 */
	size_t (*prefix)(const void *in, size_t len, size_t out_len,
			 size_t want);
	/* Decompress the first prefix_len of out_len bytes.  What is beyond is
	 * not looked at, so it may be damaged; but never too long, see decode.
	 */
	enum rc (*decode_prefix)(const void *in, size_t len, size_t out_len,
				 void *out, size_t prefix_len, struct err *err);
};

/* NULL when there is no such codec. */
const struct codec *codec_by_id(unsigned int id);
const struct codec *codec_by_name(const char *name);

/* "libzstd 1.5.4, lz4 1.9.4": the libraries at run time; static. */
const char *codec_libraries(void);

#endif
