/* SPDX-License-Identifier: Apache-2.0 */
/* codec-lz4.c - lz4 frames (lz4_Frame_format.md) with the size stated. */
#include "config.h"

#include <lz4frame.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "codec/codec-backend.h"

static void free_context(LZ4F_dctx **ctx)
{
	LZ4F_freeDecompressionContext(*ctx);
}

static enum rc lz4_encode(const void *in, size_t len, int level, void *out,
			  size_t cap, size_t *ret_len, struct err *err)
{
	LZ4F_preferences_t prefs = {
		.frameInfo = { .blockSizeID = LZ4F_max4MB,
			       .blockMode = LZ4F_blockLinked,
			       .contentSize = len },
		.compressionLevel = level,
	};
	size_t bound = LZ4F_compressFrameBound(len, &prefs);
	CLEANUP_FREE void *room = NULL;
	size_t n;

	/* The library refuses to try with less than the bound. */
	*ret_len = 0;
	if (bound > cap) {
		room = malloc(bound);
		if (!room)
			return err_set(err, RC_NOMEM, "no memory for %zu bytes",
				       bound);
	}
	n = LZ4F_compressFrame(room ? room : out, bound, in, len, &prefs);
	if (LZ4F_isError(n))
		return err_set(err, RC_NOMEM, "lz4 cannot compress: %s",
			       LZ4F_getErrorName(n));
	if (n > cap)
		return RC_OK;
	if (room)
		__builtin_memcpy(out, room, n);
	*ret_len = n;
	return RC_OK;
}

static enum rc lz4_failed(size_t code, struct err *err)
{
	return err_set(err, RC_CORRUPT, "lz4 frame: %s",
		       LZ4F_getErrorName(code));
}

/* The frame's header, *ret_len bytes, must state the size. */
static enum rc check_header(LZ4F_dctx *ctx, const void *in, size_t len,
			    size_t out_len, size_t *ret_len, struct err *err)
{
	LZ4F_frameInfo_t info = { 0 };
	size_t n = LZ4F_getFrameInfo(ctx, &info, in, ret_len);

	if (LZ4F_isError(n))
		return lz4_failed(n, err);
	if (*ret_len > len || info.frameType != LZ4F_frame ||
	    info.contentSize != out_len || info.dictID)
		return err_set(err, RC_CORRUPT,
			       "lz4 frame does not state %zu bytes", out_len);
	return RC_OK;
}

static enum rc lz4_decode(const void *in, size_t len, void *out, size_t out_len,
			  struct err *err)
{
	CLEANUP(free_context) LZ4F_dctx *ctx = NULL;
	size_t got = out_len, head = len, used, hint;
	enum rc rc;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION)))
		return err_set(err, RC_NOMEM, "no memory for an lz4 context");
	rc = check_header(ctx, in, len, out_len, &head, err);
	if (rc)
		return rc;
	used = len - head;
	hint = LZ4F_decompress(ctx, out, &got, (const uint8_t *)in + head,
			       &used, NULL);
	if (LZ4F_isError(hint))
		return lz4_failed(hint, err);
	if (hint || got != out_len || used != len - head)
		return err_set(
			err, RC_CORRUPT,
			"lz4 frame holds %zu bytes in %zu, not %zu in %zu", got,
			used + head, out_len, len);
	return RC_OK;
}

/* Hash tables of fixed sizes, and a block of the frame. */
static uint64_t lz4_encode_memory(size_t len, int level)
{
	(void)len;
	(void)level;
	return UINT64_C(1) << 20;
}

const struct codec codec_lz4 = {
	.name = "lz4",
	.id = CODEC_LZ4,
	.level_min = 0,
	.level_max = 12,
	.level_default = 0,
	.encode = lz4_encode,
	.encode_memory = lz4_encode_memory,
	.decode = lz4_decode,
};
