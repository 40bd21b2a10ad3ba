/* SPDX-License-Identifier: Apache-2.0 */
/* codec.c - each codec gives back what it took, and takes nothing but its own.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "base/compiler.h"
#include "codec/codec.h"

#define LEN 100000u

static const enum codec_id ids[] = { CODEC_NONE, CODEC_ZSTD, CODEC_LZ4 };

static uint8_t plain[LEN];

static int fill(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN; i++)
		plain[i] = (uint8_t)(i * i >> 8);
	return 0;
}

static size_t encode(const struct codec *c, uint8_t *out, size_t cap)
{
	struct err err = { 0 };
	size_t n = 0;

	assert_int_equal(
		c->encode(plain, LEN, c->level_default, out, cap, &n, &err),
		RC_OK);
	return n;
}

/* A decode of an exact copy, so that a sanitizer sees the first byte too far.
 */
static enum rc decode(const struct codec *c, const uint8_t *in, size_t len,
		      size_t out_len)
{
	uint8_t *copy = malloc(len ? len : 1);
	uint8_t *out = malloc(out_len ? out_len : 1);
	struct err err = { 0 };
	enum rc rc;

	memcpy(copy, in, len);
	rc = c->decode(copy, len, out, out_len, &err);
	if (!rc)
		assert_memory_equal(out, plain, out_len);
	free(copy);
	free(out);
	return rc;
}

static void what_was_encoded_is_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		const struct codec *c = codec_by_id(ids[i]);
		uint8_t *stored = malloc(2 * LEN);
		size_t n = encode(c, stored, 2 * LEN);

		assert_true(n > 0);
		assert_int_equal(decode(c, stored, n, LEN), RC_OK);
		assert_ptr_equal(codec_by_name(c->name), c);
		free(stored);
	}
}

static void another_size_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		const struct codec *c = codec_by_id(ids[i]);
		uint8_t *stored = calloc(1, 2 * LEN);
		size_t n = encode(c, stored, 2 * LEN);

		assert_int_equal(decode(c, stored, n, LEN - 1), RC_CORRUPT);
		assert_int_equal(decode(c, stored, n, LEN + 1), RC_CORRUPT);
		assert_int_equal(decode(c, stored, n, 0), RC_CORRUPT);
		assert_int_equal(decode(c, stored, n - 1, LEN), RC_CORRUPT);
		assert_int_equal(decode(c, stored, n + 1, LEN), RC_CORRUPT);
		assert_int_equal(decode(c, stored, 3, LEN), RC_CORRUPT);
		free(stored);
	}
}

static void what_does_not_fit_is_left_to_the_caller(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		uint8_t *stored = malloc(100);

		assert_int_equal(encode(codec_by_id(ids[i]), stored, 100), 0);
		free(stored);
	}
}

/* 184d2a5X: a skippable frame, in both formats. */
static void a_skippable_frame_is_refused(void **state)
{
	static const uint8_t skippable[] = { 0x50, 0x2a, 0x4d, 0x18, 4, 0,
					     0,    0,    1,    2,    3, 4 };

	(void)state;
	for (size_t i = 1; i < ARRAY_LEN(ids); i++) {
		const struct codec *c = codec_by_id(ids[i]);
		uint8_t *stored = malloc(2 * LEN);
		size_t n = encode(c, stored, 2 * LEN - sizeof(skippable));

		assert_int_equal(decode(c, skippable, sizeof(skippable), 0),
				 RC_CORRUPT);
		assert_int_equal(decode(c, skippable, sizeof(skippable), 4),
				 RC_CORRUPT);
		memcpy(stored + n, skippable, sizeof(skippable));
		assert_int_equal(decode(c, stored, n + sizeof(skippable), LEN),
				 RC_CORRUPT);
		memmove(stored + sizeof(skippable), stored, n);
		memcpy(stored, skippable, sizeof(skippable));
		assert_int_equal(decode(c, stored, n + sizeof(skippable), LEN),
				 RC_CORRUPT);
		free(stored);
	}
}

/* An lz4 frame of one stored block "abcd" without a content size. */
static void an_lz4_frame_must_state_its_size(void **state)
{
	static const uint8_t frame[] = { 0x04, 0x22, 0x4d, 0x18, 0x60,
					 0x40, 0x82, 4,    0,    0,
					 0x80, 'a',  'b',  'c',  'd',
					 0,    0,    0,    0 };
	uint8_t out[4];
	struct err err = { 0 };

	(void)state;
	assert_int_equal(codec_by_id(CODEC_LZ4)->decode(frame, sizeof(frame),
							out, sizeof(out), &err),
			 RC_CORRUPT);
	assert_non_null(strstr(err.msg, "does not state"));
}

/* LARGE bytes that shrink, but not to nothing. */
#define LARGE ((size_t)1 << 20)

static uint8_t *large_new(void)
{
	uint8_t *p = malloc(LARGE);
	uint32_t x = 1;

	for (size_t i = 0; i < LARGE; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (uint8_t)((x >> 24) % 11);
	}
	return p;
}

static enum rc decode_prefix(const struct codec *c, const uint8_t *in,
			     size_t len, size_t out_len, size_t n,
			     const uint8_t *want)
{
	uint8_t *copy = malloc(len ? len : 1);
	uint8_t *out = malloc(n ? n : 1);
	struct err err = { 0 };
	enum rc rc;

	memcpy(copy, in, len);
	rc = c->decode_prefix(copy, len, out_len, out, n, &err);
	if (!rc)
		assert_memory_equal(out, want, n);
	free(copy);
	free(out);
	return rc;
}

static void a_prefix_is_the_beginning(void **state)
{
	uint8_t *p = large_new(), *stored = malloc(2 * LARGE);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		const struct codec *c = codec_by_id(ids[i]);
		struct err err = { 0 };
		size_t n = 0;

		if (!c->prefix)
			continue;
		assert_int_equal(c->encode(p, LARGE, c->level_default, stored,
					   2 * LARGE, &n, &err),
				 RC_OK);
		for (size_t want = 0; want <= LARGE; want += LARGE / 50) {
			size_t len = c->prefix(stored, n, LARGE, want);

			assert_true(len >= want && len <= LARGE);
			assert_true(len <= want + (128u << 10));
			assert_int_equal(
				decode_prefix(c, stored, n, LARGE, len, p),
				RC_OK);
			assert_int_equal(
				decode_prefix(c, stored, n, LARGE, want, p),
				RC_OK);
		}
		/* And what follows is not disturbed. */
		assert_int_equal(c->decode(stored, n, p, LARGE, &err), RC_OK);
		assert_int_equal(decode_prefix(c, stored, n, LARGE - 1, 9, p),
				 RC_CORRUPT);
		assert_int_equal(decode_prefix(c, stored, n - 1, LARGE, 9, p),
				 RC_CORRUPT);
		assert_int_equal(decode_prefix(c, stored, 3, LARGE, 9, p),
				 RC_CORRUPT);
	}
	free(p);
	free(stored);
}

static void a_frame_of_one_block_is_decoded_whole(void **state)
{
	const struct codec *c = codec_by_id(CODEC_ZSTD);
	uint8_t *stored = malloc(2 * LEN);
	size_t n = encode(c, stored, 2 * LEN);

	(void)state;
	assert_int_equal(c->prefix(stored, n, LEN, 1), LEN);
	for (size_t len = 0; len < n && len < 20; len++)
		assert_true(c->prefix(stored, len, LEN, 1) >= 1);
	free(stored);
}

static void no_damaged_frame_gives_more_than_was_asked_for(void **state)
{
	const struct codec *c = codec_by_id(CODEC_ZSTD);
	uint8_t *p = large_new(), *stored = malloc(2 * LARGE);
	struct err err = { 0 };
	size_t n = 0;

	(void)state;
	assert_int_equal(c->encode(p, LARGE, 3, stored, 2 * LARGE, &n, &err),
			 RC_OK);
	for (size_t i = 0; i < 300; i++) {
		uint8_t *out = malloc(200000);
		size_t at = i < 30 ? i : i * 7919 % n;

		stored[at] ^= (uint8_t)(1u << i % 8);
		assert_in_range(c->prefix(stored, n, LARGE, 200000), 200000,
				LARGE);
		if (c->decode_prefix(stored, n, LARGE, out, 200000, &err))
			assert_int_equal(err.rc, RC_CORRUPT);
		stored[at] ^= (uint8_t)(1u << i % 8);
		free(out);
	}
	free(p);
	free(stored);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_encoded_is_decoded),
		cmocka_unit_test(another_size_is_refused),
		cmocka_unit_test(what_does_not_fit_is_left_to_the_caller),
		cmocka_unit_test(a_skippable_frame_is_refused),
		cmocka_unit_test(a_prefix_is_the_beginning),
		cmocka_unit_test(a_frame_of_one_block_is_decoded_whole),
		cmocka_unit_test(
			no_damaged_frame_gives_more_than_was_asked_for),
		cmocka_unit_test(an_lz4_frame_must_state_its_size),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, fill, NULL);
}
