/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.c - tests of SHA-256 with the examples of FIPS 180. */
#include "config.h"

#include <stdlib.h>

#include "base/sha256.h"

#include <string.h>

#include "base/compiler.h"
#include "base/hex.h"
#include "unit.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_examples_hold),
		cmocka_unit_test(pieces_and_reuse_give_the_same),
		cmocka_unit_test(zeros_are_hashed_as_if_they_were_there),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
