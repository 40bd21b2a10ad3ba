/* SPDX-License-Identifier: Apache-2.0 */
/* rd.c - tests of the bounded reader against its writing twin. */
#include "config.h"
#include "base/rd.h"

#include "base/wr.h"
#include "unit.h"

static void numbers_come_back_as_written(void **state)
{
	static const uint64_t values[] = { 0,   1,	  127,	     128,
					   300, 1u << 31, UINT64_MAX };
	struct buf b = { 0 };
	struct rd r;

	(void)state;
	buf_init(&b, 4096);
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		wr_u64(&b, values[i]);
		wr_varint(&b, values[i]);
		wr_zigzag(&b, (int64_t)values[i]);
	}
	assert_true(buf_ok(&b));
	r = (struct rd){ .p = b.p, .left = b.len };
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		assert_true(rd_u64(&r) == values[i]);
		assert_true(rd_varint(&r) == values[i]);
		assert_true(rd_zigzag(&r) == (int64_t)values[i]);
	}
	assert_true(rd_ok(&r));
	assert_int_equal(r.left, 0);
	buf_release(&b);
}

static void reading_beyond_the_end_is_bad_for_good(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3 };
	struct rd r = { .p = bytes, .left = sizeof(bytes) };

	(void)state;
	assert_int_equal(rd_u32(&r), 0);
	assert_false(rd_ok(&r));
	assert_null(rd_take(&r, 0));
	assert_int_equal(rd_u8(&r), 0);
}

static void varints_have_one_form(void **state)
{
	static const uint8_t padded[] = { 0x81, 0x00 };
	static const uint8_t wide[] = { 0xff, 0xff, 0xff, 0xff, 0xff,
					0xff, 0xff, 0xff, 0xff, 0x02 };
	struct rd r = { .p = padded, .left = sizeof(padded) };

	(void)state;
	rd_varint(&r);
	assert_false(rd_ok(&r));
	r = (struct rd){ .p = wide, .left = sizeof(wide) };
	rd_varint(&r);
	assert_false(rd_ok(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_back_as_written),
		cmocka_unit_test(reading_beyond_the_end_is_bad_for_good),
		cmocka_unit_test(varints_have_one_form),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
