/* SPDX-License-Identifier: Apache-2.0 */
/* frame-backend.h - the kinds of frames, for frame.c only. */
#ifndef DESFS_CODEC_FRAME_BACKEND_H
#define DESFS_CODEC_FRAME_BACKEND_H

#include "codec/frame.h"

/* Bytes read, and written, at a time. */
#define FRAME_PART ((size_t)64 << 10)

struct frame_codec {
	enum rc (*decode)(const struct frame_io *io, uint64_t plain_len,
			  uint64_t *ret_used, struct err *err);
	enum rc (*decode_whole)(const void *in, size_t len, void *out,
				size_t out_len, size_t *ret_used,
				struct err *err);
	/* *ret_stored is added to. */
	enum rc (*encode)(int level, const struct frame_io *io,
			  uint64_t plain_len, uint64_t *ret_stored,
			  struct err *err);
};

extern const struct frame_codec frame_zstd, frame_lz4;

/* Read until there are len bytes, or there are no more. */
enum rc frame_fill(const struct frame_io *io, uint8_t *p, size_t len,
		   size_t *ret, struct err *err) MUST_CHECK;

/* Read the next FRAME_PART of left plain bytes, or all of them; RC_CHANGED:
 * there are fewer, *ret.  Always whole parts, so that what is made of them does
 * not depend on how they come.
 */
enum rc frame_plain(const struct frame_io *io, uint8_t *p, uint64_t left,
		    size_t *ret, struct err *err) MUST_CHECK;

/* Messages that are the same for all. */
enum rc frame_not_begun(const char *what, const uint8_t *p, size_t len,
			struct err *err);
enum rc frame_states(const char *what, uint64_t states, uint64_t plain_len,
		     struct err *err);
enum rc frame_cut(const char *what, uint64_t used, uint64_t got,
		  uint64_t plain_len, struct err *err);
enum rc frame_too_long(const char *what, uint64_t plain_len, struct err *err);
enum rc frame_too_short(const char *what, uint64_t got, uint64_t plain_len,
			struct err *err);

#endif
