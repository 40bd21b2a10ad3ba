/* SPDX-License-Identifier: Apache-2.0 */
/* hmac.c - tests of HMAC-SHA256 with the examples of RFC 4231. */
#include "config.h"

#include "base/hmac.h"

#include <string.h>

#include "base/compiler.h"
#include "base/hex.h"
#include "unit.h"

/* Numbers 1, 2, 3 and 6: byte repeated key_len times, or key. */
static const struct {
	const char *key;
	int byte;
	size_t key_len;
	const char *text, *digest;
} examples[] = {
	{ NULL, 0x0b, 20, "Hi There",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ "Jefe", 0, 4, "what do ya want for nothing?",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ NULL, 0xaa, 131,
	  "Test Using Larger Than Block-Size Key - Hash Key First",
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
};

static void the_published_examples_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		uint8_t key[200], out[HMAC_LEN];
		char hex[HEX_TEXT(HMAC_LEN)];
		struct hmac h;

		memset(key, examples[i].byte, sizeof(key));
		if (examples[i].key)
			memcpy(key, examples[i].key, examples[i].key_len);
		hmac_init(&h, key, examples[i].key_len);
		for (const char *s = examples[i].text; *s; s++)
			hmac_update(&h, s, 1);
		hmac_final(&h, out);
		hex_encode(out, sizeof(out), hex);
		assert_string_equal(hex, examples[i].digest);
	}
}

static void nothing_of_the_key_is_left(void **state)
{
	static const struct hmac zero;
	uint8_t out[HMAC_LEN];
	struct hmac h;

	(void)state;
	hmac_init(&h, "key", 3);
	hmac_final(&h, out);
	assert_memory_equal(&h, &zero, sizeof(h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_examples_hold),
		cmocka_unit_test(nothing_of_the_key_is_left),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
