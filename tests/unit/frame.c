/* SPDX-License-Identifier: Apache-2.0 */
/* frame.c - tests of files as one frame each. */
#include "config.h"

#include "codec/frame.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "unit.h"

#define MIB ((size_t)1 << 20)

static const enum codec_id all[] = { CODEC_NONE, CODEC_ZSTD, CODEC_LZ4 };
static const enum codec_id frames[] = { CODEC_ZSTD, CODEC_LZ4 };

/* Bytes come in steps, and go to a buffer. */
struct ends {
	const uint8_t *p;
	size_t left, step, written;
	struct buf *out;
	int fail_read, fail_write; /* the how manieth call; 0: none */
};

static enum rc give(void *arg, void *p, size_t max, size_t *ret,
		    struct err *err)
{
	struct ends *e = arg;
	size_t n = max < e->step ? max : e->step;

	assert_true(max > 0);
	if (e->fail_read && !--e->fail_read)
		return err_set(err, RC_CHANGED, "no more of this");
	if (n > e->left)
		n = e->left;
	if (n)
		memcpy(p, e->p, n);
	e->p += n;
	e->left -= n;
	*ret = n;
	return RC_OK;
}

static enum rc take(void *arg, const void *p, size_t len, struct err *err)
{
	struct ends *e = arg;

	assert_true(len > 0);
	if (e->fail_write && !--e->fail_write)
		return err_set(err, RC_NOSPACE, "no room for this");
	e->written += len;
	if (e->out)
		buf_append(e->out, p, len);
	return RC_OK;
}

static struct frame_io io_of(struct ends *e)
{
	return (struct frame_io){ .read = give, .write = take, .arg = e };
}

/* Text with patterns, then bytes that do not shrink. */
static uint8_t *content(size_t len)
{
	uint8_t *p = mem_array(len + 1, 1);
	uint64_t seed = 88172645463325252u;

	assert_non_null(p);
	for (size_t i = 0; i < len; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		p[i] = i < len / 2 ? (uint8_t)("lorem ipsum "[i % 12])
				   : (uint8_t)seed;
	}
	return p;
}

static void encoded(enum codec_id codec, int level, const uint8_t *p,
		    size_t len, size_t step, struct buf *out)
{
	struct ends e = { .p = p, .left = len, .step = step, .out = out };
	struct frame_io io = io_of(&e);
	struct err err = { 0 };
	uint64_t stored = 0;

	buf_init(out, 64 * MIB);
	if (frame_encode(codec, level, &io, len, &stored, &err))
		fail_msg("%s", err.msg);
	assert_true(buf_ok(out));
	assert_int_equal(stored, out->len);
}

static enum rc decoded(enum codec_id codec, const void *p, size_t len,
		       size_t step, uint64_t plain_len, struct buf *out,
		       uint64_t *used, struct err *err)
{
	struct ends e = { .p = p, .left = len, .step = step, .out = out };
	struct frame_io io = io_of(&e);
	enum rc rc;

	rc = frame_decode(codec, &io, plain_len, used, err);
	assert_true(e.written <= plain_len);
	assert_true(rc || e.written == plain_len);
	return rc;
}

/* Both ways of decoding agree. */
static enum rc verdict(enum codec_id codec, const void *p, size_t len,
		       size_t plain_len)
{
	uint8_t *exact = mem_array(len ? len : 1, 1);
	uint8_t *out = mem_array(plain_len ? plain_len : 1, 1);
	struct err err = { 0 };
	size_t used_whole = 0;
	uint64_t used = 0;
	enum rc rc, rc_whole;

	assert_true(exact && out);
	if (len)
		memcpy(exact, p, len);
	rc = decoded(codec, exact, len, 7, plain_len, NULL, &used, &err);
	rc_whole = frame_decode_whole(codec, exact, len, out, plain_len,
				      &used_whole, &err);
	assert_int_equal(rc, rc_whole);
	if (!rc)
		assert_int_equal(used, used_whole);
	free(exact);
	free(out);
	return rc;
}

static void all_codecs_give_back_what_they_got(void **state)
{
	static const size_t sizes[] = { 0,     1,      65535,   65536,
					65537, 131072, MIB + 3, 3 * MIB };
	uint8_t *p = content(3 * MIB);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes) * ARRAY_LEN(all); i++) {
		enum codec_id codec = all[i % ARRAY_LEN(all)];
		size_t len = sizes[i / ARRAY_LEN(all)];
		CLEANUP_BUF struct buf stored = { 0 };
		CLEANUP_BUF struct buf again = { 0 };
		CLEANUP_BUF struct buf plain = { .max = 4 * MIB };
		struct err err = { 0 };
		uint64_t used = 0;

		encoded(codec, codec == CODEC_ZSTD ? 5 : 0, p, len, 40000,
			&stored);
		encoded(codec, codec == CODEC_ZSTD ? 5 : 0, p, len, MIB,
			&again);
		assert_int_equal(stored.len, again.len);
		assert_memory_equal(stored.p, again.p, stored.len);
		assert_int_equal(decoded(codec, stored.p, stored.len, 999, len,
					 &plain, &used, &err),
				 RC_OK);
		assert_int_equal(used, stored.len);
		assert_int_equal(plain.len, len);
		if (len)
			assert_memory_equal(plain.p, p, len);
		assert_int_equal(verdict(codec, stored.p, stored.len, len),
				 RC_OK);
	}
	free(p);
}

static void frames_look_like_those_of_the_original(void **state)
{
	static const struct {
		enum codec_id codec;
		size_t len;
		const char *begin;
		size_t begin_len, whole;
	} want[] = {
		{ CODEC_ZSTD, 0, "\x28\xb5\x2f\xfd\x20\0\x01\0\0", 9, 9 },
		{ CODEC_ZSTD, 1000, "\x28\xb5\x2f\xfd\x60\xe8\x02", 7, 0 },
		{ CODEC_LZ4, 0, "\x04\x22\x4d\x18\x60\x40\x82\0\0\0\0", 11,
		  11 },
		{ CODEC_LZ4, 1000,
		  "\x04\x22\x4d\x18\x68\x40\xe8\x03\0\0\0\0\0\0", 14, 0 },
		{ CODEC_LZ4, 200000,
		  "\x04\x22\x4d\x18\x68\x40\x40\x0d\x03\0\0\0\0\0", 14, 0 },
	};
	uint8_t *p = content(200000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		CLEANUP_BUF struct buf b = { 0 };

		encoded(want[i].codec, want[i].codec == CODEC_ZSTD ? 5 : 0, p,
			want[i].len, MIB, &b);
		assert_true(b.len >= want[i].begin_len);
		assert_memory_equal(b.p, want[i].begin, want[i].begin_len);
		if (want[i].whole)
			assert_int_equal(b.len, want[i].whole);
	}
	free(p);
}

static void other_lengths_than_expected_are_damage(void **state)
{
	uint8_t *p = content(100000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		CLEANUP_BUF struct buf b = { 0 };

		encoded(frames[i], 1, p, 100000, MIB, &b);
		assert_int_equal(verdict(frames[i], b.p, b.len, 100000), RC_OK);
		assert_int_equal(verdict(frames[i], b.p, b.len, 99999),
				 RC_CORRUPT);
		assert_int_equal(verdict(frames[i], b.p, b.len, 100001),
				 RC_CORRUPT);
		assert_int_equal(verdict(frames[i], b.p, b.len, 0), RC_CORRUPT);
	}
	free(p);
}

static void a_frame_that_is_cut_is_damage(void **state)
{
	uint8_t *p = content(700);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		CLEANUP_BUF struct buf b = { 0 };

		encoded(frames[i], 1, p, 700, MIB, &b);
		for (size_t len = 0; len < b.len; len++)
			assert_int_equal(verdict(frames[i], b.p, len, 700),
					 RC_CORRUPT);
	}
	free(p);
	assert_int_equal(verdict(CODEC_NONE, "abc", 3, 4), RC_CORRUPT);
	assert_int_equal(verdict(CODEC_NONE, "abc", 3, 3), RC_OK);
}

static void what_follows_a_frame_is_left_alone(void **state)
{
	uint8_t *p = content(700);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		CLEANUP_BUF struct buf b = { 0 };
		struct err err = { 0 };
		uint64_t used = 0;
		size_t len;

		encoded(frames[i], 1, p, 700, MIB, &b);
		len = b.len;
		/* A second frame, then what is none. */
		for (size_t k = 0; k < len; k++)
			buf_append(&b, &(uint8_t){ b.p[k] }, 1);
		buf_append_str(&b, "garbage");
		assert_int_equal(verdict(frames[i], b.p, b.len, 700), RC_OK);
		assert_int_equal(verdict(frames[i], b.p, b.len, 1400),
				 RC_CORRUPT);
		assert_int_equal(decoded(frames[i], b.p, b.len, MIB, 700, NULL,
					 &used, &err),
				 RC_OK);
		assert_int_equal(used, len);
	}
	free(p);
}

static void what_is_no_frame_of_the_codec_is_damage(void **state)
{
	static const struct {
		enum codec_id codec;
		const char *p;
		size_t len;
	} bad[] = {
		{ CODEC_ZSTD, "", 0 },
		{ CODEC_ZSTD, "abc", 3 },
		/* skippable, of version 0.7, of LZ4 */
		{ CODEC_ZSTD,
		  "\x50\x2a\x4d\x18\0\0\0\0"
		  "\x28\xb5\x2f\xfd\x20\0\x01\0\0",
		  17 },
		{ CODEC_ZSTD, "\x27\xb5\x2f\xfd\x20\0\x01\0\0", 9 },
		{ CODEC_ZSTD, "\x04\x22\x4d\x18\x60\x40\x82\0\0\0\0", 11 },
		{ CODEC_LZ4, "\x28\xb5\x2f\xfd\x20\0\x01\0\0", 9 },
		{ CODEC_LZ4,
		  "\x50\x2a\x4d\x18\0\0\0\0"
		  "\x04\x22\x4d\x18\x60\x40\x82\0\0\0\0",
		  19 },
		{ CODEC_LZ4, "\x02\x21\x4c\x18\0\0\0\0", 8 },
		/* a wrong checksum of the header */
		{ CODEC_LZ4, "\x04\x22\x4d\x18\x60\x40\x83\0\0\0\0", 11 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(verdict(bad[i].codec, bad[i].p, bad[i].len, 0),
				 RC_CORRUPT);
}

/* A zstd frame of zeros with these settings. */
static void zeros(size_t len, bool has_size, int window_log, struct buf *b)
{
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	uint8_t *p = xcalloc(len, 1);
	ZSTD_inBuffer in = { p, len, 0 };
	ZSTD_outBuffer out;

	buf_init(b, 4 * MIB);
	out = (ZSTD_outBuffer){ buf_reserve(b, MIB), MIB, 0 };
	assert_true(ctx && out.dst);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, 1);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_contentSizeFlag, has_size);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_windowLog, window_log);
	if (has_size)
		ZSTD_CCtx_setPledgedSrcSize(ctx, len);
	assert_int_equal(ZSTD_compressStream2(ctx, &out, &in, ZSTD_e_end), 0);
	b->len = out.pos;
	ZSTD_freeCCtx(ctx);
	free(p);
}

static void a_size_need_not_be_stated(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };

	(void)state;
	zeros(300000, false, 18, &b);
	assert_int_equal(ZSTD_getFrameContentSize(b.p, b.len),
			 ZSTD_CONTENTSIZE_UNKNOWN);
	assert_int_equal(verdict(CODEC_ZSTD, b.p, b.len, 300000), RC_OK);
	assert_int_equal(verdict(CODEC_ZSTD, b.p, b.len, 299999), RC_CORRUPT);
	assert_int_equal(verdict(CODEC_ZSTD, b.p, b.len, 300001), RC_CORRUPT);
	assert_int_equal(verdict(CODEC_ZSTD, b.p, b.len, 1), RC_CORRUPT);
	assert_int_equal(verdict(CODEC_ZSTD, b.p, b.len, 0), RC_CORRUPT);
}

static void a_large_window_is_refused_in_a_stream(void **state)
{
	const size_t len = 17 * MIB;
	CLEANUP_BUF struct buf fits = { 0 };
	CLEANUP_BUF struct buf large = { 0 };
	uint8_t *out = mem_array(len, 1);
	struct err err = { 0 };
	size_t used_whole = 0;
	uint64_t used = 0;

	(void)state;
	assert_non_null(out);
	zeros(len, true, 23, &fits);
	zeros(len, true, 24, &large);
	assert_int_equal(decoded(CODEC_ZSTD, fits.p, fits.len, MIB, len, NULL,
				 &used, &err),
			 RC_OK);
	assert_int_equal(decoded(CODEC_ZSTD, large.p, large.len, MIB, len, NULL,
				 &used, &err),
			 RC_LIMIT);
	assert_int_equal(frame_decode_whole(CODEC_ZSTD, large.p, large.len, out,
					    len, &used_whole, &err),
			 RC_OK);
	free(out);
}

static size_t peak_kib(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return (size_t)usage.ru_maxrss;
}

/* ThreadSanitizer keeps several bytes for each that is touched. */
#if defined(__SANITIZE_THREAD__)
#define BOMB_KIB (160u << 10)
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BOMB_KIB (160u << 10)
#endif
#endif
#ifndef BOMB_KIB
#define BOMB_KIB (24u << 10)
#endif

/* Blocks of 128 KiB in 4 bytes each, after a header that states a window of
 * 8 MiB and no length.
 */
static void a_bomb_takes_no_more_than_a_window(void **state)
{
	enum { N = 2048 };
	const uint64_t plain = (uint64_t)N << 17;
	CLEANUP_BUF struct buf b = { .max = MIB };
	struct err err = { 0 };
	uint64_t used = 0;
	size_t before;
	uint8_t out[10];

	(void)state;
	buf_append(&b, "\x28\xb5\x2f\xfd\x00\x68", 6);
	for (unsigned int i = 1; i <= N; i++)
		buf_append(&b, (const uint8_t[]){ 2 | (i == N), 0, 0x10, 'x' },
			   4);
	assert_true(buf_ok(&b));
	before = peak_kib();
	assert_int_equal(
		decoded(CODEC_ZSTD, b.p, b.len, 4096, 10, NULL, &used, &err),
		RC_CORRUPT);
	assert_int_equal(frame_decode_whole(CODEC_ZSTD, b.p, b.len, out,
					    sizeof(out), NULL, &err),
			 RC_CORRUPT);
	assert_int_equal(
		decoded(CODEC_ZSTD, b.p, b.len, 4096, plain, NULL, &used, &err),
		RC_OK);
	assert_true(peak_kib() - before < BOMB_KIB);
}

static void other_frames_of_lz4_are_taken(void **state)
{
	const size_t len = 5 * MIB;
	uint8_t *p = content(len);

	(void)state;
	for (int i = 0; i < 8; i++) {
		const LZ4F_preferences_t prefs = {
			.frameInfo = { .blockSizeID = i & 1 ? LZ4F_max4MB
							    : LZ4F_max256KB,
				       .blockMode =
					       i & 2 ? LZ4F_blockLinked
						     : LZ4F_blockIndependent,
				       .contentChecksumFlag =
					       LZ4F_contentChecksumEnabled,
				       .contentSize = i & 4 ? len : 0 },
		};
		size_t cap = LZ4F_compressFrameBound(len, &prefs);
		uint8_t *out = mem_array(cap, 1);
		size_t n;

		assert_non_null(out);
		n = LZ4F_compressFrame(out, cap, p, len, &prefs);
		assert_false(LZ4F_isError(n));
		assert_int_equal(verdict(CODEC_LZ4, out, n, len), RC_OK);
		assert_int_equal(verdict(CODEC_LZ4, out, n, len - 1),
				 RC_CORRUPT);
		assert_int_equal(verdict(CODEC_LZ4, out, n, len + 1),
				 RC_CORRUPT);
		out[n - 1] ^= 1;
		assert_int_equal(verdict(CODEC_LZ4, out, n, len), RC_CORRUPT);
		free(out);
	}
	free(p);
}

static void a_file_that_shrank_cannot_be_encoded(void **state)
{
	uint8_t *p = content(100000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct ends e = { .p = p, .left = 100000, .step = 4096 };
		struct frame_io io = io_of(&e);
		struct err err = { 0 };
		uint64_t stored = 0;

		assert_int_equal(
			frame_encode(all[i], 1, &io, 100001, &stored, &err),
			RC_CHANGED);
		e = (struct ends){ .p = p, .left = 100000, .step = 4096 };
		assert_int_equal(
			frame_encode(all[i], 1, &io, 99999, &stored, &err),
			RC_OK);
		assert_int_equal(e.left, 1);
	}
	free(p);
}

static void levels_have_bounds(void **state)
{
	struct ends e = { .p = NULL, .step = 1 };
	struct frame_io io = io_of(&e);
	struct err err = { 0 };
	uint64_t stored = 0;

	(void)state;
	assert_int_equal(frame_encode(CODEC_ZSTD, 23, &io, 0, &stored, &err),
			 RC_USAGE);
	assert_int_equal(frame_encode(CODEC_ZSTD, 22, &io, 0, &stored, &err),
			 RC_OK);
	assert_int_equal(frame_encode(CODEC_LZ4, 13, &io, 0, &stored, &err),
			 RC_USAGE);
}

static void what_the_ends_say_is_passed_on(void **state)
{
	uint8_t *p = content(300000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		CLEANUP_BUF struct buf b = { 0 };
		struct err err = { 0 };
		uint64_t n = 0;
		struct ends e;
		struct frame_io io = io_of(&e);

		encoded(all[i], 1, p, 300000, MIB, &b);
		e = (struct ends){
			.p = b.p, .left = b.len, .step = 5000, .fail_read = 9
		};
		assert_int_equal(frame_decode(all[i], &io, 300000, &n, &err),
				 RC_CHANGED);
		e = (struct ends){
			.p = b.p, .left = b.len, .step = 5000, .fail_write = 2
		};
		assert_int_equal(frame_decode(all[i], &io, 300000, &n, &err),
				 RC_NOSPACE);
		e = (struct ends){
			.p = p, .left = 300000, .step = 5000, .fail_read = 9
		};
		assert_int_equal(frame_encode(all[i], 1, &io, 300000, &n, &err),
				 RC_CHANGED);
		assert_string_equal(err.msg, "no more of this");
		e = (struct ends){
			.p = p, .left = 300000, .step = 5000, .fail_write = 2
		};
		assert_int_equal(frame_encode(all[i], 1, &io, 300000, &n, &err),
				 RC_NOSPACE);
	}
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bomb_takes_no_more_than_a_window),
		cmocka_unit_test(all_codecs_give_back_what_they_got),
		cmocka_unit_test(frames_look_like_those_of_the_original),
		cmocka_unit_test(other_lengths_than_expected_are_damage),
		cmocka_unit_test(a_frame_that_is_cut_is_damage),
		cmocka_unit_test(what_follows_a_frame_is_left_alone),
		cmocka_unit_test(what_is_no_frame_of_the_codec_is_damage),
		cmocka_unit_test(a_size_need_not_be_stated),
		cmocka_unit_test(a_large_window_is_refused_in_a_stream),
		cmocka_unit_test(other_frames_of_lz4_are_taken),
		cmocka_unit_test(a_file_that_shrank_cannot_be_encoded),
		cmocka_unit_test(levels_have_bounds),
		cmocka_unit_test(what_the_ends_say_is_passed_on),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
