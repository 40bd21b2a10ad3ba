/* SPDX-License-Identifier: Apache-2.0 */
/* codec-zstd.c - zstd frames (RFC 8878) with the size stated, no checksum. */
#include "config.h"

#include <pthread.h>
#include <stdbool.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/rd.h"
#include "codec/codec-backend.h"

/* Contexts cost more to make than a block costs to decode, so each thread keeps
 * its own; the keys' destructors free them at thread exit.
 */
static pthread_once_t keys_once = PTHREAD_ONCE_INIT;
static pthread_key_t encode_key, decode_key;
static int keys_error;

static void free_encode(void *p)
{
	ZSTD_freeCCtx(p);
}

static void free_decode(void *p)
{
	ZSTD_freeDCtx(p);
}

static void make_keys(void)
{
	keys_error = pthread_key_create(&encode_key, free_encode);
	if (!keys_error)
		keys_error = pthread_key_create(&decode_key, free_decode);
}

static ZSTD_CCtx *encode_context(void)
{
	ZSTD_CCtx *ctx;

	pthread_once(&keys_once, make_keys);
	if (keys_error)
		return NULL;
	ctx = pthread_getspecific(encode_key);
	if (!ctx) {
		ctx = ZSTD_createCCtx();
		if (ctx && pthread_setspecific(encode_key, ctx)) {
			ZSTD_freeCCtx(ctx);
			ctx = NULL;
		}
	}
	return ctx;
}

static ZSTD_DCtx *decode_context(void)
{
	ZSTD_DCtx *ctx;

	pthread_once(&keys_once, make_keys);
	if (keys_error)
		return NULL;
	ctx = pthread_getspecific(decode_key);
	if (!ctx) {
		ctx = ZSTD_createDCtx();
		if (ctx && pthread_setspecific(decode_key, ctx)) {
			ZSTD_freeDCtx(ctx);
			ctx = NULL;
		}
	}
	return ctx;
}

static enum rc zstd_encode(const void *in, size_t len, int level, void *out,
			   size_t cap, size_t *ret_len, struct err *err)
{
	ZSTD_CCtx *ctx = encode_context();
	size_t n;

	*ret_len = 0;
	if (!ctx)
		return err_set(err, RC_NOMEM, "no memory for a zstd context");
	n = ZSTD_compressCCtx(ctx, out, cap, in, len, level);
	if (!ZSTD_isError(n)) {
		*ret_len = n;
		return RC_OK;
	}
	if (ZSTD_getErrorCode(n) == ZSTD_error_dstSize_tooSmall)
		return RC_OK;
	return err_set(err, RC_NOMEM, "zstd cannot compress %zu bytes: %s", len,
		       ZSTD_getErrorName(n));
}

/* One frame of the current format and nothing after it: the library would also
 * take several, skip foreign ones, and read those of its first versions.
 */
static bool is_one_frame(const uint8_t *in, size_t len)
{
	struct rd r = { .p = in, .left = len };

	return rd_u32(&r) == ZSTD_MAGICNUMBER &&
	       ZSTD_findFrameCompressedSize(in, len) == len;
}

static enum rc zstd_decode(const void *in, size_t len, void *out,
			   size_t out_len, struct err *err)
{
	ZSTD_DCtx *ctx = decode_context();
	unsigned long long stated;
	size_t n;

	if (!ctx)
		return err_set(err, RC_NOMEM, "no memory for a zstd context");
	if (!is_one_frame(in, len))
		return err_set(err, RC_CORRUPT, "not one zstd frame");
	stated = ZSTD_getFrameContentSize(in, len);
	if (stated != out_len)
		return err_set(err, RC_CORRUPT,
			       "zstd frame does not state %zu bytes", out_len);
	n = ZSTD_decompressDCtx(ctx, out, out_len, in, len);
	if (ZSTD_isError(n))
		return err_set(err, RC_CORRUPT, "zstd frame: %s",
			       ZSTD_getErrorName(n));
	if (n != out_len)
		return err_set(err, RC_CORRUPT,
			       "zstd frame holds %zu bytes, not %zu", n,
			       out_len);
	return RC_OK;
}

const struct codec codec_zstd = {
	.name = "zstd",
	.id = CODEC_ZSTD,
	.level_min = 1,
	.level_max = 22,
	.level_default = 3,
	.encode = zstd_encode,
	.decode = zstd_decode,
};
