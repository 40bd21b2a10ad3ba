/* SPDX-License-Identifier: Apache-2.0 */
/* compressible.c - tests of the look that tells noise from the rest. */
#include "config.h"

#include "pack/compressible.h"

#include <string.h>

#include "base/compiler.h"

#include "unit.h"

#define MAX (256u << 10)

static uint8_t bytes[MAX];

/* Lengths of files and of blocks. */
static const size_t lengths[] = { 64,   100,  255,   1000,       1024,
				  1025, 5000, 20000, 128u << 10, MAX };

static uint32_t random_bits(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static void fill_noise(uint8_t *p, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(random_bits(&seed) >> 8);
}

static void fill_text(uint8_t *p, size_t len, uint64_t seed)
{
	static const char *const words[] = { "the ",  "archive ", "of ",
					     "a\n",   "file ",    "block, ",
					     "Reads " };
	size_t n = 0;

	while (n < len) {
		const char *w = words[random_bits(&seed) % ARRAY_LEN(words)];

		while (*w && n < len)
			p[n++] = (uint8_t)*w++;
	}
}

static void all_lengths_are(bool expected, const char *what)
{
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		if (is_compressible(bytes, lengths[i]) != expected)
			fail_msg("%zu bytes of %s", lengths[i], what);
	}
}

static void noise_is_told(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 200; seed++) {
		fill_noise(bytes, sizeof(bytes), seed);
		all_lengths_are(false, "noise");
	}
}

static void text_is_compressible(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 20; seed++) {
		fill_text(bytes, sizeof(bytes), seed);
		all_lengths_are(true, "text");
	}
}

static void base64_and_hex_of_noise_are_compressible(void **state)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	(void)state;
	for (uint64_t seed = 1; seed < 200; seed++) {
		fill_noise(bytes, sizeof(bytes), seed);
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)digits[bytes[i] & 63];
		all_lengths_are(true, "base64");
		fill_noise(bytes, sizeof(bytes), seed);
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t) "0123456789abcdef"[bytes[i] & 15];
		all_lengths_are(true, "hex");
	}
}

static void utf16_of_any_script_is_compressible(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(bytes); i += 2) {
		/* 500 different ideographs */
		uint32_t c = 0x4e00 + random_bits(&seed) % 500;

		bytes[i] = (uint8_t)c;
		bytes[i + 1] = (uint8_t)(c >> 8);
	}
	all_lengths_are(true, "UTF-16");
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i & 1 ? 0 : (uint8_t)('a' + random_bits(&seed) % 26);
	all_lengths_are(true, "UTF-16 of Latin letters");
}

static void sparse_bytes_are_compressible(void **state)
{
	(void)state;
	memset(bytes, 0, sizeof(bytes));
	all_lengths_are(true, "zeros");
	/* A page of noise in every four. */
	for (size_t i = 0; i < sizeof(bytes); i += 16384)
		fill_noise(bytes + i, 4096, i + 1);
	assert_true(is_compressible(bytes, sizeof(bytes)));
	assert_true(is_compressible(bytes, 128u << 10));
}

/* Either half first; what is a quarter text, too. */
static void bytes_that_are_partly_noise_are_compressible(void **state)
{
	static const size_t lens[] = { 1000, 4096, 20000, 128u << 10 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		size_t len = lens[i];

		fill_noise(bytes, len / 2, 3);
		fill_text(bytes + len / 2, len / 2, 3);
		assert_true(is_compressible(bytes, len));
		fill_text(bytes, len / 2, 4);
		fill_noise(bytes + len / 2, len / 2, 4);
		assert_true(is_compressible(bytes, len));
		fill_noise(bytes, len, 5);
		fill_text(bytes + len / 2, len / 4, 5);
		assert_true(is_compressible(bytes, len));
	}
}

/* A compressed file has a header of text, perhaps. */
static void noise_with_a_header_is_noise(void **state)
{
	(void)state;
	fill_noise(bytes, sizeof(bytes), 9);
	fill_text(bytes, 512, 9);
	assert_false(is_compressible(bytes, 20000));
	assert_false(is_compressible(bytes, sizeof(bytes)));
}

static void so_few_bytes_are_never_noise(void **state)
{
	(void)state;
	fill_noise(bytes, 64, 1);
	for (size_t len = 0; len < 64; len++)
		assert_true(is_compressible(bytes, len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noise_is_told),
		cmocka_unit_test(text_is_compressible),
		cmocka_unit_test(base64_and_hex_of_noise_are_compressible),
		cmocka_unit_test(utf16_of_any_script_is_compressible),
		cmocka_unit_test(sparse_bytes_are_compressible),
		cmocka_unit_test(bytes_that_are_partly_noise_are_compressible),
		cmocka_unit_test(noise_with_a_header_is_noise),
		cmocka_unit_test(so_few_bytes_are_never_noise),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
