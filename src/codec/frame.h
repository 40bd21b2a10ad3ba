/* SPDX-License-Identifier: Apache-2.0 */
/* frame.h - files as one compressed frame each, from stream to stream.
 *
 * This is how older formats compress: a zstd frame (RFC 8878) or an LZ4 frame
 * (lz4_Frame_format.md) for a whole file.  What a frame says of itself is not
 * trusted: memory is bounded, and decoding ends as soon as there is more than
 * was expected.  No state is shared; any thread.
 */
#ifndef DESFS_CODEC_FRAME_H
#define DESFS_CODEC_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/codec.h"

/* A zstd frame may refer back so far; frames that need more can only be
 * decoded whole.  What a stream takes is about this and 1 MiB.
 */
#define FRAME_WINDOW_MAX (8u << 20)

/* Where bytes come from and go to. */
struct frame_io {
	/* The next bytes, at least 1 and at most max; *ret = 0: the end. */
	enum rc (*read)(void *arg, void *p, size_t max, size_t *ret,
			struct err *err);
	enum rc (*write)(void *arg, const void *p, size_t len, struct err *err);
	void *arg;
};

/* Decode the frame that read begins with into exactly plain_len bytes.  What
 * follows the frame is left alone; *ret_used, unless NULL, is how many bytes
 * the frame has.  More or fewer bytes than plain_len, and all that is no such
 * frame: RC_CORRUPT; at most plain_len bytes were written then.  RC_LIMIT: the
 * window is above FRAME_WINDOW_MAX.  CODEC_NONE copies plain_len bytes.
 */
enum rc frame_decode(enum codec_id codec, const struct frame_io *io,
		     uint64_t plain_len, uint64_t *ret_used,
		     struct err *err) MUST_CHECK;

/* The same in memory, with any window: needs none. */
enum rc frame_decode_whole(enum codec_id codec, const void *in, size_t len,
			   void *out, size_t out_len, size_t *ret_used,
			   struct err *err) MUST_CHECK;

/* Compress exactly plain_len bytes as one frame that states them, as the
 * original writes it; *ret_stored is its length.  zstd: no checksum; LZ4:
 * blocks of 64 KiB, independent, no checksums.  It is never replaced by the
 * bytes as they are, however long it gets.  RC_CHANGED: read gave fewer bytes;
 * it is not asked for more.  CODEC_NONE copies.
 */
enum rc frame_encode(enum codec_id codec, int level, const struct frame_io *io,
		     uint64_t plain_len, uint64_t *ret_stored,
		     struct err *err) MUST_CHECK;

#endif
