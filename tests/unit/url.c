/* SPDX-License-Identifier: Apache-2.0 */
/* url.c - tests of URLs. */
#include "config.h"

#include "net/url.h"

#include <string.h>

#include "unit.h"

static struct url parse(const char *text)
{
	struct url u = { 0 };
	struct err err = { 0 };

	if (url_parse(text, &u, &err))
		fail_msg("%s: %s", text, err.msg);
	return u;
}

static void expect(const char *text, const char *origin, const char *path)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct url u = parse(text);

	buf_init(&b, URL_MAX);
	url_origin(&b, &u);
	assert_string_equal(buf_str(&b), origin);
	assert_string_equal(u.path, path);
}

static void a_url_comes_apart(void **state)
{
	struct url u = parse("https://Host.Example:8443/a/b%20c");

	(void)state;
	assert_true(u.is_https);
	assert_string_equal(u.host, "host.example");
	assert_int_equal(u.port, 8443);
	assert_string_equal(u.path, "/a/b%20c");
}

static void origins_are_in_one_form(void **state)
{
	(void)state;
	expect("http://h", "http://h", "/");
	expect("HTTPS://H/", "https://h", "/");
	expect("http://h:80/x", "http://h", "/x");
	expect("https://h:443", "https://h", "/");
	expect("http://h:443", "http://h:443", "/");
	expect("http://h:65535/a//b/", "http://h:65535", "/a//b/");
	expect("http://192.0.2.1:9000", "http://192.0.2.1:9000", "/");
	expect("http://[::1]:7480/b", "http://[::1]:7480", "/b");
	expect("https://[2001:DB8::2]/", "https://[2001:db8::2]", "/");
	expect("http://a-b_c.d./@:+~", "http://a-b_c.d.", "/@:+~");
}

static void what_is_no_url_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"h",
		"ftp://h/",
		"http:/h",
		"http://",
		"http:///p",
		"http://?",
		"http://:80/",
		"http://h:/",
		"http://h:0",
		"http://h:65536",
		"http://h:+1",
		"http://h:80a",
		"http://h:1234567890123",
		"http://a..b/",
		"http://./",
		"http://h h/",
		"http://h%41/",
		"http://h\xc3\xa9/",
		"http://1.2.3/",
		"http://1.2.3.4.5/",
		"http://256.1.1.1/",
		"http://010.1.1.1/",
		"http://0x7f.1/",
		"http://0x7f000001/",
		"http://2130706433/",
		"http://::1/",
		"http://[::1/",
		"http://[::1]x/",
		"http://[]/",
		"http://[fe80::1%25eth0]/",
		"http://[h]/",
		"http://h/a b",
		"http://h/%",
		"http://h/%4",
		"http://h/%zz",
		"http://h/a\nb",
		"http://h/\x7f",
		"http://h/\xc3\xa9",
		"http://h/a\\b",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct url u;
		struct err err = { 0 };

		if (url_parse(bad[i], &u, &err) != RC_USAGE)
			fail_msg("%s was taken", bad[i]);
	}
}

static void what_may_be_secret_is_refused_and_not_told(void **state)
{
	static const char *const bad[] = {
		"http://sesame@h/",          "http://u:sesame@h/",
		"http://h/p?token=sesame",   "http://h?sesame",
		"http://h/p#sesame",         "http://h#sesame",
		"http://sesame:x@h:99999/p", "sesame://h/",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct url u;
		struct err err = { 0 };

		assert_int_equal(url_parse(bad[i], &u, &err), RC_USAGE);
		assert_null(strstr(err.msg, "sesame"));
	}
}

static void lengths_are_bounded(void **state)
{
	char text[URL_MAX + 16];
	struct url u;
	struct err err = { 0 };

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "http://h/", 9);
	text[8 + sizeof(u.path) - 1] = '\0';
	assert_int_equal(url_parse(text, &u, &err), RC_OK);
	text[8 + sizeof(u.path) - 1] = 'a';
	text[8 + sizeof(u.path)] = '\0';
	assert_int_equal(url_parse(text, &u, &err), RC_USAGE);
	memset(text, 'a', sizeof(text));
	memcpy(text, "http://", 7);
	text[7 + 64] = '\0';
	assert_int_equal(url_parse(text, &u, &err), RC_USAGE);
	for (size_t i = 7; i < sizeof(text); i += 2)
		text[i] = '.';
	text[7] = 'a';
	text[7 + 253] = '\0';
	assert_int_equal(url_parse(text, &u, &err), RC_OK);
	text[7 + 253] = 'a';
	text[7 + 254] = '\0';
	assert_int_equal(url_parse(text, &u, &err), RC_USAGE);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(url_parse(text, &u, &err), RC_USAGE);
}

static void only_unreserved_characters_stand_for_themselves(void **state)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-._~";
	CLEANUP_BUF struct buf b = { 0 };

	(void)state;
	buf_init(&b, 4096);
	url_encode(&b, plain, false);
	assert_string_equal(buf_str(&b), plain);
	buf_clear(&b);
	url_encode(&b, "a b/c+%\xc3\xa9\n*'", false);
	assert_string_equal(buf_str(&b), "a%20b%2Fc%2B%25%C3%A9%0A%2A%27");
	buf_clear(&b);
	url_encode(&b, "/a b/c=/", true);
	assert_string_equal(buf_str(&b), "/a%20b/c%3D/");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_comes_apart),
		cmocka_unit_test(origins_are_in_one_form),
		cmocka_unit_test(what_is_no_url_is_refused),
		cmocka_unit_test(what_may_be_secret_is_refused_and_not_told),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(
			only_unreserved_characters_stand_for_themselves),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
