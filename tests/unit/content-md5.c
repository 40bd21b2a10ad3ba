/* SPDX-License-Identifier: Apache-2.0 */
/* content-md5.c - tests of MD5 in headers and tags. */
#include "config.h"

#include "net/content-md5.h"

#include "unit.h"

static void both_spellings_are_right(void **state)
{
	struct content_md5 md5;

	(void)state;
	/* RFC 1321, A.5 */
	content_md5_of("", 0, &md5);
	assert_string_equal(md5.hex, "d41d8cd98f00b204e9800998ecf8427e");
	assert_string_equal(md5.base64, "1B2M2Y8AsgTpgAmY7PhCfg==");
	content_md5_of("abc", 3, &md5);
	assert_string_equal(md5.hex, "900150983cd24fb0d6963f7d28e17f72");
	assert_string_equal(md5.base64, "kAFQmDzST7DWlj99KOF/cg==");
}

static void tags_are_recognised(void **state)
{
	static const char *const others[] = {
		"",
		"\"",
		"\"\"",
		"\"900150983cd24fb0d6963f7d28e17f72",
		"900150983cd24fb0d6963f7d28e17f72\"",
		"\"900150983cd24fb0d6963f7d28e17f72-1\"",
		"900150983cd24fb0d6963f7d28e17f7",
		"W/\"900150983cd24fb0d6963f7d28e17f72\"",
		"\"d41d8cd98f00b204e9800998ecf8427e\"",
	};
	struct content_md5 md5;

	(void)state;
	content_md5_of("abc", 3, &md5);
	assert_true(content_md5_is_etag(
		&md5, "\"900150983cd24fb0d6963f7d28e17f72\""));
	assert_true(
		content_md5_is_etag(&md5, "900150983cd24fb0d6963f7d28e17f72"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(content_md5_is_etag(&md5, others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_spellings_are_right),
		cmocka_unit_test(tags_are_recognised),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
