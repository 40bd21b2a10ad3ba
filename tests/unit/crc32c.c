/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c.c - tests of CRC32C with the examples of RFC 3720, B.4. */
#include "config.h"

#include "base/crc32c.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define LONG 40000u

static const uint8_t scsi_read[48] = {
	0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,
	0x14, 0,    0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
	0x28, 0,    0, 0, 0, 0, 0, 0, 2, 0, 0, 0,    0, 0, 0, 0,
};

static void the_published_examples_hold(void **state)
{
	uint8_t b[32];

	(void)state;
	memset(b, 0, sizeof(b));
	assert_int_equal(crc32c(b, sizeof(b)), 0x8a9136aa);
	memset(b, 0xff, sizeof(b));
	assert_int_equal(crc32c(b, sizeof(b)), 0x62a8ab43);
	for (unsigned int i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)i;
	assert_int_equal(crc32c(b, sizeof(b)), 0x46dd794e);
	for (unsigned int i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)(31 - i);
	assert_int_equal(crc32c(b, sizeof(b)), 0x113fdb5c);
	assert_int_equal(crc32c(scsi_read, sizeof(scsi_read)), 0xd9963a56);
	assert_int_equal(crc32c("123456789", 9), 0xe3069283);
	assert_int_equal(crc32c("", 0), 0);
}

static void table_and_pieces_give_the_same(void **state)
{
	uint8_t b[300];
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(b); i++) {
		seed = seed * 1664525 + 1013904223;
		b[i] = (uint8_t)(seed >> 24);
	}
	for (size_t from = 0; from < 9; from++) {
		for (size_t len = 0; len < 64; len++) {
			uint32_t whole = crc32c(b + from, len);
			size_t cut = len / 3;

			assert_int_equal(crc32c_by_table(0, b + from, len),
					 whole);
			assert_int_equal(crc32c_more(crc32c(b + from, cut),
						     b + from + cut, len - cut),
					 whole);
		}
	}
}

static void long_ones_are_as_by_the_table(void **state)
{
	uint8_t *b = malloc(LONG);
	uint32_t seed = 7;

	(void)state;
	for (size_t i = 0; i < LONG; i++) {
		seed = seed * 1664525 + 1013904223;
		b[i] = (uint8_t)(seed >> 24);
	}
	for (size_t len = 2000; len < LONG - 8; len += 509) {
		assert_int_equal(crc32c_more(seed, b + len % 8, len),
				 crc32c_by_table(seed, b + len % 8, len));
	}
	assert_int_equal(crc32c(b, LONG), crc32c_by_table(0, b, LONG));
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_examples_hold),
		cmocka_unit_test(table_and_pieces_give_the_same),
		cmocka_unit_test(long_ones_are_as_by_the_table),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
