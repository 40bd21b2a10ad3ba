/* SPDX-License-Identifier: Apache-2.0 */
/* siphash.c - tests of SipHash-2-4 with values of its authors. */
#include "config.h"

#include "base/siphash.h"

#include "base/compiler.h"
#include "unit.h"

/* Of the bytes 0, 1, 2, ... under the key 0, 1, ..., 15. */
static const struct {
	size_t len;
	uint64_t hash;
} examples[] = {
	{ 0, UINT64_C(0x726fdb47dd0e0e31) },
	{ 1, UINT64_C(0x74f839c593dc67fd) },
	{ 8, UINT64_C(0x93f5f5799a932462) },
	{ 15, UINT64_C(0xa129ca6149be45e5) },
};

static void the_published_values_come_out(void **state)
{
	uint8_t text[SIPHASH_KEY_LEN]; /* and the key */

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)i;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		size_t half = examples[i].len / 2;
		struct siphash s;

		siphash_init(&s, text);
		siphash_update(&s, text, half);
		siphash_update(&s, text + half, examples[i].len - half);
		assert_true(siphash_final(&s) == examples[i].hash);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_values_come_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
