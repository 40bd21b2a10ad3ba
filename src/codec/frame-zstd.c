/* SPDX-License-Identifier: Apache-2.0 */
/* frame-zstd.c - zstd frames (RFC 8878) of whole files. */
#include "config.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/rd.h"
#include "codec/frame-backend.h"

#define WHAT "zstd"
#define WINDOW_LOG 23 /* FRAME_WINDOW_MAX */

/* A header has at most so many bytes (RFC 8878, 3.1.1.1). */
#define HEADER_MAX 18

static void free_decoder(ZSTD_DCtx **ctx)
{
	ZSTD_freeDCtx(*ctx);
}

static void free_encoder(ZSTD_CCtx **ctx)
{
	ZSTD_freeCCtx(*ctx);
}

static enum rc decode_failed(size_t code, uint64_t plain_len, struct err *err)
{
	ZSTD_ErrorCode why = ZSTD_getErrorCode(code);

	if (why == ZSTD_error_frameParameter_windowTooLarge)
		return err_set(err, RC_LIMIT,
			       "zstd frame needs a window above %u bytes",
			       FRAME_WINDOW_MAX);
	if (why == ZSTD_error_memory_allocation)
		return err_set(err, RC_NOMEM, "no memory for a zstd window");
	if (why == ZSTD_error_dstSize_tooSmall)
		return frame_too_long(WHAT, plain_len, err);
	return err_set(err, RC_CORRUPT, "zstd frame: %s",
		       ZSTD_getErrorName(code));
}

/* The library would skip frames that are not its own, and read those of its
 * first versions.
 */
static enum rc check_header(const uint8_t *p, size_t len, uint64_t plain_len,
			    struct err *err)
{
	struct rd r = { .p = p, .left = len };
	unsigned long long states;

	if (rd_u32(&r) != ZSTD_MAGICNUMBER)
		return frame_not_begun(WHAT, p, len, err);
	states = ZSTD_getFrameContentSize(p, len);
	if (states == ZSTD_CONTENTSIZE_ERROR)
		return frame_cut(WHAT, len, 0, plain_len, err);
	if (states != ZSTD_CONTENTSIZE_UNKNOWN && states != plain_len)
		return frame_states(WHAT, states, plain_len, err);
	return RC_OK;
}

/* Room for both sides. */
struct parts {
	uint8_t in[FRAME_PART], out[FRAME_PART];
};

/* Up to plain_len bytes go out; *ret_got may come to one more. */
static enum rc decode_stream(ZSTD_DCtx *ctx, struct parts *parts, size_t len,
			     const struct frame_io *io, uint64_t plain_len,
			     uint64_t *ret_used, struct err *err)
{
	ZSTD_inBuffer in = { parts->in, len, 0 };
	uint64_t got = 0;
	size_t left = 1;
	enum rc rc;

	while (left) {
		ZSTD_outBuffer out = { parts->out, FRAME_PART, 0 };

		if (plain_len - got < FRAME_PART)
			out.size = (size_t)(plain_len - got) + 1;
		left = ZSTD_decompressStream(ctx, &out, &in);
		if (ZSTD_isError(left))
			return decode_failed(left, plain_len, err);
		if (out.pos > plain_len - got)
			return frame_too_long(WHAT, plain_len, err);
		got += out.pos;
		rc = out.pos ? io->write(io->arg, parts->out, out.pos, err)
			     : RC_OK;
		if (rc)
			return rc;
		if (!left || in.pos < in.size || out.pos == out.size)
			continue;
		*ret_used += in.size;
		in.pos = 0;
		rc = io->read(io->arg, parts->in, FRAME_PART, &in.size, err);
		if (rc)
			return rc;
		if (!in.size)
			return frame_cut(WHAT, *ret_used, got, plain_len, err);
	}
	*ret_used += in.pos;
	return got == plain_len ? RC_OK
				: frame_too_short(WHAT, got, plain_len, err);
}

static enum rc zstd_decode(const struct frame_io *io, uint64_t plain_len,
			   uint64_t *ret_used, struct err *err)
{
	CLEANUP(free_decoder) ZSTD_DCtx *ctx = ZSTD_createDCtx();
	CLEANUP_FREE struct parts *parts = mem_array(1, sizeof(*parts));
	size_t len = 0;
	enum rc rc;

	if (!ctx || !parts)
		return err_set(err, RC_NOMEM, "no memory for a zstd context");
	ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, WINDOW_LOG);
	rc = frame_fill(io, parts->in, HEADER_MAX, &len, err);
	if (!rc)
		rc = check_header(parts->in, len, plain_len, err);
	if (rc)
		return rc;
	return decode_stream(ctx, parts, len, io, plain_len, ret_used, err);
}

static enum rc zstd_decode_whole(const void *in, size_t len, void *out,
				 size_t out_len, size_t *ret_used,
				 struct err *err)
{
	CLEANUP(free_decoder) ZSTD_DCtx *ctx = NULL;
	enum rc rc = check_header(in, len, out_len, err);
	size_t n;

	if (rc)
		return rc;
	n = ZSTD_findFrameCompressedSize(in, len);
	if (ZSTD_getErrorCode(n) == ZSTD_error_srcSize_wrong)
		return err_set(err, RC_CORRUPT,
			       "zstd frame does not end within %zu bytes", len);
	if (ZSTD_isError(n))
		return decode_failed(n, out_len, err);
	*ret_used = n;
	ctx = ZSTD_createDCtx();
	if (!ctx)
		return err_set(err, RC_NOMEM, "no memory for a zstd context");
	n = ZSTD_decompressDCtx(ctx, out, out_len, in, *ret_used);
	if (ZSTD_isError(n))
		return decode_failed(n, out_len, err);
	return n == out_len ? RC_OK : frame_too_short(WHAT, n, out_len, err);
}

static enum rc encode_failed(size_t code, struct err *err)
{
	return err_set(err, RC_NOMEM, "zstd cannot compress: %s",
		       ZSTD_getErrorName(code));
}

/* Compress what is in in, or all that is left, and write it. */
static enum rc encode_part(ZSTD_CCtx *ctx, struct parts *parts, size_t len,
			   bool is_last, const struct frame_io *io,
			   uint64_t *ret_stored, struct err *err)
{
	ZSTD_inBuffer in = { parts->in, len, 0 };
	size_t left = 1;
	enum rc rc = RC_OK;

	while (!rc && (in.pos < in.size || (is_last && left))) {
		ZSTD_outBuffer out = { parts->out, FRAME_PART, 0 };

		left = ZSTD_compressStream2(
			ctx, &out, &in, is_last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return encode_failed(left, err);
		*ret_stored += out.pos;
		if (out.pos)
			rc = io->write(io->arg, parts->out, out.pos, err);
	}
	return rc;
}

static enum rc zstd_encode(int level, const struct frame_io *io,
			   uint64_t plain_len, uint64_t *ret_stored,
			   struct err *err)
{
	CLEANUP(free_encoder) ZSTD_CCtx *ctx = ZSTD_createCCtx();
	CLEANUP_FREE struct parts *parts = mem_array(1, sizeof(*parts));
	uint64_t left = plain_len;
	enum rc rc = RC_OK;
	size_t code;

	if (!ctx || !parts)
		return err_set(err, RC_NOMEM, "no memory for a zstd context");
	code = ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, level);
	if (!ZSTD_isError(code))
		code = ZSTD_CCtx_setPledgedSrcSize(ctx, plain_len);
	if (ZSTD_isError(code))
		return encode_failed(code, err);
	do {
		size_t n = 0;

		if (left)
			rc = frame_plain(io, parts->in, left, &n, err);
		left -= n;
		if (!rc)
			rc = encode_part(ctx, parts, n, !left, io, ret_stored,
					 err);
	} while (!rc && left);
	return rc;
}

const struct frame_codec frame_zstd = {
	.decode = zstd_decode,
	.decode_whole = zstd_decode_whole,
	.encode = zstd_encode,
};
