/* SPDX-License-Identifier: Apache-2.0 */
/* frame-lz4.c - LZ4 frames (lz4_Frame_format.md) of whole files. */
#include "config.h"

#include <inttypes.h>
#include <lz4frame.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/rd.h"
#include "codec/frame-backend.h"

#define WHAT "LZ4"

/* Of frames; others are skippable or of an old kind, which the library would
 * take as well.
 */
#define MAGIC 0x184d2204u

/* A header has at most so many bytes. */
#define HEADER_MAX 19

static void free_decoder(LZ4F_dctx **ctx)
{
	LZ4F_freeDecompressionContext(*ctx);
}

static void free_encoder(LZ4F_cctx **ctx)
{
	LZ4F_freeCompressionContext(*ctx);
}

static enum rc decode_failed(size_t code, struct err *err)
{
	return err_set(err, RC_CORRUPT, "LZ4 frame: %s",
		       LZ4F_getErrorName(code));
}

static enum rc new_decoder(LZ4F_dctx **ret, struct err *err)
{
	if (LZ4F_isError(LZ4F_createDecompressionContext(ret, LZ4F_VERSION)))
		return err_set(err, RC_NOMEM, "no memory for an LZ4 context");
	return RC_OK;
}

/* Give the header to the library; *ret is its length. */
static enum rc take_header(LZ4F_dctx *ctx, const uint8_t *p, size_t len,
			   uint64_t plain_len, size_t *ret, struct err *err)
{
	struct rd r = { .p = p, .left = len };
	LZ4F_frameInfo_t info = { 0 };
	size_t code;

	if (rd_u32(&r) != MAGIC)
		return frame_not_begun(WHAT, p, len, err);
	*ret = len;
	code = LZ4F_getFrameInfo(ctx, &info, p, ret);
	if (LZ4F_isError(code))
		return decode_failed(code, err);
	if (info.contentSize && info.contentSize != plain_len)
		return frame_states(WHAT, info.contentSize, plain_len, err);
	if (info.dictID)
		return err_set(err, RC_CORRUPT,
			       "LZ4 frame needs the dictionary %u",
			       info.dictID);
	return RC_OK;
}

struct parts {
	uint8_t in[FRAME_PART], out[FRAME_PART];
};

/* From what is in parts->in between at and len, then from io. */
static enum rc decode_stream(LZ4F_dctx *ctx, struct parts *parts, size_t at,
			     size_t len, const struct frame_io *io,
			     uint64_t plain_len, uint64_t *ret_used,
			     struct err *err)
{
	uint64_t got = 0;
	enum rc rc;

	for (;;) {
		size_t n_out = FRAME_PART;
		size_t n_in = len - at;
		size_t hint;

		if (plain_len - got < FRAME_PART)
			n_out = (size_t)(plain_len - got) + 1;
		hint = LZ4F_decompress(ctx, parts->out, &n_out, parts->in + at,
				       &n_in, NULL);
		if (LZ4F_isError(hint))
			return decode_failed(hint, err);
		if (n_out > plain_len - got)
			return frame_too_long(WHAT, plain_len, err);
		at += n_in;
		*ret_used += n_in;
		got += n_out;
		rc = n_out ? io->write(io->arg, parts->out, n_out, err) : RC_OK;
		if (rc)
			return rc;
		if (!hint)
			break;
		if (at < len || n_out || n_in)
			continue;
		at = 0;
		rc = io->read(io->arg, parts->in, FRAME_PART, &len, err);
		if (rc)
			return rc;
		if (!len)
			return frame_cut(WHAT, *ret_used, got, plain_len, err);
	}
	return got == plain_len ? RC_OK
				: frame_too_short(WHAT, got, plain_len, err);
}

static enum rc lz4_decode(const struct frame_io *io, uint64_t plain_len,
			  uint64_t *ret_used, struct err *err)
{
	CLEANUP(free_decoder) LZ4F_dctx *ctx = NULL;
	CLEANUP_FREE struct parts *parts = mem_array(1, sizeof(*parts));
	size_t len = 0, head = 0;
	enum rc rc;

	if (!parts)
		return err_set(err, RC_NOMEM, "no memory for an LZ4 context");
	rc = new_decoder(&ctx, err);
	if (!rc)
		rc = frame_fill(io, parts->in, HEADER_MAX, &len, err);
	if (!rc)
		rc = take_header(ctx, parts->in, len, plain_len, &head, err);
	if (rc)
		return rc;
	*ret_used = head;
	return decode_stream(ctx, parts, head, len, io, plain_len, ret_used,
			     err);
}

static enum rc lz4_decode_whole(const void *in, size_t len, void *out,
				size_t out_len, size_t *ret_used,
				struct err *err)
{
	CLEANUP(free_decoder) LZ4F_dctx *ctx = NULL;
	const uint8_t *p = in;
	size_t head = 0, n_in, n_out = out_len, hint;
	uint8_t more;
	enum rc rc = new_decoder(&ctx, err);

	if (!rc)
		rc = take_header(ctx, p, len, out_len, &head, err);
	if (rc)
		return rc;
	n_in = len - head;
	hint = LZ4F_decompress(ctx, out, &n_out, p + head, &n_in, NULL);
	*ret_used = head + n_in;
	if (!LZ4F_isError(hint) && hint && n_out == out_len) {
		size_t n_more = 1;

		/* There may be more of the frame, or more in it. */
		n_in = len - *ret_used;
		hint = LZ4F_decompress(ctx, &more, &n_more, p + *ret_used,
				       &n_in, NULL);
		*ret_used += n_in;
		if (!LZ4F_isError(hint) && n_more)
			return frame_too_long(WHAT, out_len, err);
	}
	if (LZ4F_isError(hint))
		return decode_failed(hint, err);
	if (hint)
		return frame_cut(WHAT, *ret_used, n_out, out_len, err);
	return n_out == out_len ? RC_OK
				: frame_too_short(WHAT, n_out, out_len, err);
}

static enum rc put(size_t n, const uint8_t *p, const struct frame_io *io,
		   uint64_t *ret_stored, struct err *err)
{
	if (LZ4F_isError(n))
		return err_set(err, RC_NOMEM, "lz4 cannot compress: %s",
			       LZ4F_getErrorName(n));
	*ret_stored += n;
	return n ? io->write(io->arg, p, n, err) : RC_OK;
}

static enum rc encode_blocks(LZ4F_cctx *ctx, uint8_t *in, uint8_t *out,
			     size_t cap, const struct frame_io *io,
			     uint64_t plain_len, uint64_t *ret_stored,
			     struct err *err)
{
	uint64_t left = plain_len;
	enum rc rc = RC_OK;

	while (!rc && left) {
		size_t n = 0;

		rc = frame_plain(io, in, left, &n, err);
		left -= n;
		if (!rc)
			rc = put(
				LZ4F_compressUpdate(ctx, out, cap, in, n, NULL),
				out, io, ret_stored, err);
	}
	if (rc)
		return rc;
	return put(LZ4F_compressEnd(ctx, out, cap, NULL), out, io, ret_stored,
		   err);
}

static enum rc lz4_encode(int level, const struct frame_io *io,
			  uint64_t plain_len, uint64_t *ret_stored,
			  struct err *err)
{
	const LZ4F_preferences_t prefs = {
		.frameInfo = { .blockSizeID = LZ4F_max64KB,
			       .blockMode = LZ4F_blockIndependent,
			       .contentSize = plain_len },
		.compressionLevel = level,
	};
	CLEANUP(free_encoder) LZ4F_cctx *ctx = NULL;
	size_t cap = LZ4F_compressBound(FRAME_PART, &prefs);
	CLEANUP_FREE uint8_t *in = mem_array(FRAME_PART, 1);
	CLEANUP_FREE uint8_t *out = mem_array(cap, 1);
	enum rc rc;

	if (!in || !out ||
	    LZ4F_isError(LZ4F_createCompressionContext(&ctx, LZ4F_VERSION)))
		return err_set(err, RC_NOMEM, "no memory for an LZ4 context");
	rc = put(LZ4F_compressBegin(ctx, out, cap, &prefs), out, io, ret_stored,
		 err);
	if (rc)
		return rc;
	return encode_blocks(ctx, in, out, cap, io, plain_len, ret_stored, err);
}

const struct frame_codec frame_lz4 = {
	.decode = lz4_decode,
	.decode_whole = lz4_decode_whole,
	.encode = lz4_encode,
};
