/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.c - tests of SHA-256 with the examples of FIPS 180. */
#include "config.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/sha256.h"

#include <string.h>

#include "base/compiler.h"
#include "base/hex.h"
#include "base/sha256-many.h"
#include "unit.h"

#define MANY_BYTES 200000u

static const struct {
	const char *text, *digest;
} examples[] = {
	{ "",
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc",
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void the_published_examples_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		uint8_t out[SHA256_LEN];
		char hex[HEX_TEXT(SHA256_LEN)];

		sha256_of(examples[i].text, strlen(examples[i].text), out);
		hex_encode(out, sizeof(out), hex);
		assert_string_equal(hex, examples[i].digest);
	}
}

static void pieces_and_reuse_give_the_same(void **state)
{
	struct sha256 h;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		uint8_t out[SHA256_LEN];
		char hex[HEX_TEXT(SHA256_LEN)];

		sha256_init(&h);
		for (const char *s = examples[i].text; *s; s++)
			sha256_update(&h, s, 1);
		sha256_final(&h, out);
		hex_encode(out, sizeof(out), hex);
		assert_string_equal(hex, examples[i].digest);
	}
}

static void zeros_are_hashed_as_if_they_were_there(void **state)
{
	struct sha256 h;
	uint8_t got[SHA256_LEN], want[SHA256_LEN];
	uint8_t *zeros = calloc(1, 200000);

	(void)state;
	sha256_of(zeros, 200000, want);
	sha256_init(&h);
	sha256_update_zeros(&h, 0);
	sha256_update_zeros(&h, 200000);
	sha256_final(&h, got);
	assert_memory_equal(got, want, sizeof(got));
	free(zeros);
}

static uint8_t *new_bytes(void)
{
	uint8_t *bytes = malloc(MANY_BYTES);
	uint32_t seed = 1;

	for (size_t i = 0; i < MANY_BYTES; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(seed >> 24);
	}
	return bytes;
}

/* n messages of a pattern of lengths, at odd addresses. */
static bool many_are_right(const uint8_t *bytes, size_t n,
			   size_t (*len)(size_t i))
{
	struct sha256_message *m = calloc(n + 1, sizeof(*m));
	bool is_right = true;

	for (size_t i = 0; i < n; i++)
		m[i] = (struct sha256_message){ .p = bytes + i % 77,
						.len = len(i) };
	sha256_many(m, n);
	for (size_t i = 0; i < n; i++) {
		uint8_t want[SHA256_LEN];

		sha256_of(m[i].p, m[i].len, want);
		is_right &= !memcmp(m[i].hash, want, SHA256_LEN);
	}
	free(m);
	return is_right;
}

static size_t growing(size_t i)
{
	return i;
}

static size_t mixed(size_t i)
{
	return i * i * 7919 % 5000;
}

static size_t one_is_long(size_t i)
{
	return i == 11 ? MANY_BYTES - 77 : 64 * (i % 9);
}

static size_t at_bounds(size_t i)
{
	static const size_t lens[] = { 0,     55,    56,    63,    64,
				       65471, 65472, 65473, 65534, 65535,
				       65536, 65537, 131072 };

	return lens[i % ARRAY_LEN(lens)];
}

/* At most what is hashed side by side, and more, of each about half. */
static size_t random_len(size_t i)
{
	return (uint32_t)(i + 1) * 2654435761u % 131000;
}

static bool all_are_right(const uint8_t *bytes)
{
	static const size_t counts[] = { 0,  1,  7,   8,   9,   15, 16,
					 17, 40, 128, 256, 257, 300 };
	bool are_right = true;

	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		are_right &= many_are_right(bytes, counts[i], growing) &&
			     many_are_right(bytes, counts[i], mixed) &&
			     many_are_right(bytes, counts[i], one_is_long);
	}
	return are_right && many_are_right(bytes, 60, at_bounds) &&
	       many_are_right(bytes, 60, random_len);
}

static void many_at_once_are_each_as_if_alone(void **state)
{
	uint8_t *bytes = new_bytes();

	(void)state;
	for (size_t n = 0; n <= 40; n++)
		assert_true(many_are_right(bytes, n, mixed));
	assert_true(all_are_right(bytes));
	free(bytes);
}

static void many_of_nothing_need_no_address(void **state)
{
	struct sha256_message m[20] = { 0 };
	uint8_t want[SHA256_LEN];

	(void)state;
	sha256_many(m, ARRAY_LEN(m));
	sha256_of(NULL, 0, want);
	for (size_t i = 0; i < ARRAY_LEN(m); i++)
		assert_memory_equal(m[i].hash, want, SHA256_LEN);
}

static void *hash_in_thread(void *bytes)
{
	return all_are_right(bytes) ? bytes : NULL;
}

static void threads_hash_many_at_the_same_time(void **state)
{
	uint8_t *bytes = new_bytes();
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						hash_in_thread, bytes),
				 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *ret;

		assert_int_equal(pthread_join(threads[i], &ret), 0);
		assert_ptr_equal(ret, bytes);
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_examples_hold),
		cmocka_unit_test(pieces_and_reuse_give_the_same),
		cmocka_unit_test(zeros_are_hashed_as_if_they_were_there),
		cmocka_unit_test(many_at_once_are_each_as_if_alone),
		cmocka_unit_test(many_of_nothing_need_no_address),
		cmocka_unit_test(threads_hash_many_at_the_same_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
