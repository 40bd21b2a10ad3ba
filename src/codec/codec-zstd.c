/* SPDX-License-Identifier: Apache-2.0 */
/* codec-zstd.c - zstd frames (RFC 8878) with the size stated, no checksum. */
#include "config.h"

#include <pthread.h>
#include <stdbool.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/rd.h"
#include "codec/codec-backend.h"

/* A frame's blocks hold at most so many bytes (RFC 8878, 3.1.1.2.4). */
#define PART ((size_t)128 << 10)

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

/* As seen at all levels, and a little more.  The window is no larger than what
 * is compressed; the tables of high levels take up to 16 bytes for each of its
 * bytes, those of low ones have limits of their own.
 */
static uint64_t zstd_encode_memory(size_t len, int level)
{
	const uint64_t mib = UINT64_C(1) << 20;
	uint64_t window = 1, tables;

	while (window < len)
		window *= 2;
	tables = 16 * window;
	if (level <= 4 && tables > mib)
		tables = mib;
	else if (level <= 8 && tables > 6 * mib)
		tables = 6 * mib;
	return 2 * mib + tables;
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

static enum rc check_frame(const void *in, size_t len, size_t out_len,
			   struct err *err)
{
	if (!is_one_frame(in, len))
		return err_set(err, RC_CORRUPT, "not one zstd frame");
	if (ZSTD_getFrameContentSize(in, len) != out_len)
		return err_set(err, RC_CORRUPT,
			       "zstd frame does not state %zu bytes", out_len);
	return RC_OK;
}

static enum rc zstd_decode(const void *in, size_t len, void *out,
			   size_t out_len, struct err *err)
{
	ZSTD_DCtx *ctx = decode_context();
	enum rc rc;
	size_t n;

	if (!ctx)
		return err_set(err, RC_NOMEM, "no memory for a zstd context");
	rc = check_frame(in, len, out_len, err);
	if (rc)
		return rc;
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

/* RFC 8878, 3.1.1: magic, descriptor, window, dictionary, size; then blocks.
 * True: the window is the content, as we write it; it might be too large to
 * decode in parts else.
 */
static bool skip_frame_header(struct rd *r)
{
	static const uint8_t id_sizes[] = { 0, 1, 2, 4 };
	static const uint8_t size_sizes[] = { 0, 2, 4, 8 };
	bool is_single;
	uint8_t flags;

	rd_u32(r);
	flags = rd_u8(r);
	is_single = flags & 0x20;
	rd_take(r, !is_single);
	rd_take(r, id_sizes[flags & 3]);
	rd_take(r, flags >> 6 ? size_sizes[flags >> 6] : is_single);
	return is_single;
}

/* The same, 3.1.1.2.  True: it was not the last. */
static bool skip_block(struct rd *r)
{
	uint32_t head = (uint32_t)rd_le(r, 3);
	bool is_run = (head >> 1 & 3) == 1;

	rd_take(r, is_run ? 1 : head >> 3);
	return rd_ok(r) && !(head & 1);
}

static size_t zstd_prefix(const void *in, size_t len, size_t out_len,
			  size_t want)
{
	struct rd r = { .p = in, .left = len };
	size_t n = want / PART * PART;

	if (n < want || !n)
		n += PART;
	if (n >= out_len || !skip_frame_header(&r) || !skip_block(&r))
		return out_len;
	return n;
}

/* The library would decode the next block before it sees that there is no room
 * for it, so it gets them one by one.
 */
static enum rc zstd_decode_prefix(const void *in, size_t len, size_t out_len,
				  void *out, size_t prefix_len, struct err *err)
{
	struct rd r = { .p = in, .left = len };
	ZSTD_DCtx *ctx = decode_context();
	ZSTD_inBuffer from = { in, 0, 0 };
	ZSTD_outBuffer to = { out, prefix_len, 0 };
	bool is_more = true;
	size_t n = 0;
	enum rc rc;

	if (!ctx)
		return err_set(err, RC_NOMEM, "no memory for a zstd context");
	rc = check_frame(in, len, out_len, err);
	if (rc)
		return rc;
	ZSTD_DCtx_reset(ctx, ZSTD_reset_session_only);
	skip_frame_header(&r);
	while (is_more && to.pos < prefix_len && !ZSTD_isError(n)) {
		is_more = skip_block(&r);
		from.size = len - r.left;
		n = ZSTD_decompressStream(ctx, &to, &from);
	}
	if (ZSTD_isError(n))
		return err_set(err, RC_CORRUPT, "zstd frame: %s",
			       ZSTD_getErrorName(n));
	if (to.pos != prefix_len)
		return err_set(err, RC_CORRUPT,
			       "zstd frame holds %zu bytes, not %zu", to.pos,
			       prefix_len);
	return RC_OK;
}

const struct codec codec_zstd = {
	.name = "zstd",
	.id = CODEC_ZSTD,
	.level_min = 1,
	.level_max = 22,
	.level_default = 3,
	.encode = zstd_encode,
	.encode_memory = zstd_encode_memory,
	.decode = zstd_decode,
	.prefix = zstd_prefix,
	.decode_prefix = zstd_decode_prefix,
};
