/* SPDX-License-Identifier: Apache-2.0 */
/* sigv4.c - tests of signatures against those AWS has published.
 *
 * Sources: the Signature Version 4 test suite (aws-sig-v4-test-suite), and for
 * S3 the examples of "Authenticating Requests: Using the Authorization Header".
 */
#include "config.h"

#include "net/sigv4.h"

#include <string.h>

#include "unit.h"

#define EMPTY_HASH \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct sigv4_key suite_key = {
	.access = "AKIDEXAMPLE",
	.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "service",
};
static const struct sigv4_key s3_key = {
	.access = "AKIAIOSFODNN7EXAMPLE",
	.secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "s3",
};

#define SUITE_TIME 1440938160 /* 2015-08-30 12:36:00 */
#define S3_TIME 1369353600    /* 2013-05-24 00:00:00 */

static void check(const struct sigv4_key *key, const struct sigv4_request *rq,
		  const char *want)
{
	CLEANUP_BUF struct buf out = { 0 };
	struct err err = { 0 };

	buf_init(&out, 4096);
	assert_int_equal(sigv4_authorization(&out, key, rq, &err), RC_OK);
	assert_string_equal(buf_str(&out), want);
}

#define SUITE_AUTH(names, signature)                                          \
	"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/" \
	"aws4_request, SignedHeaders=" names ", Signature=" signature

/* Host and date are in all requests of the suite. */
static void check_suite(const char *method, const char *path,
			const struct sigv4_pair *query, size_t n_query,
			const struct sigv4_pair *more, size_t n_more,
			const char *want)
{
	struct sigv4_pair headers[8] = {
		{ "Host", "example.amazonaws.com" },
		{ "X-Amz-Date", "20150830T123600Z" },
	};
	const struct sigv4_request rq = {
		.method = method,
		.path = path,
		.query = query,
		.n_query = n_query,
		.headers = headers,
		.n_headers = 2 + n_more,
		.payload_hash = EMPTY_HASH,
		.time = SUITE_TIME,
	};

	for (size_t i = 0; i < n_more; i++)
		headers[2 + i] = more[i];
	check(&suite_key, &rq, want);
}

static void vanilla_requests_are_signed(void **state)
{
	(void)state;
	check_suite("GET", "/", NULL, 0, NULL, 0,
		    SUITE_AUTH("host;x-amz-date",
			       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956"
			       "d9b8aae1d763fbf31"));
	check_suite("POST", "/", NULL, 0, NULL, 0,
		    SUITE_AUTH("host;x-amz-date",
			       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37"
			       "dddb68e92efbe5d6b"));
}

static void queries_are_sorted_and_encoded(void **state)
{
	static const struct sigv4_pair one[] = { { "Param1", "value1" } };
	static const struct sigv4_pair case_order[] = {
		{ "Param2", "value2" }, { "Param1", "value1" }
	};
	static const struct sigv4_pair key_order[] = { { "Param1", "value2" },
						       { "Param1", "Value1" } };
	static const struct sigv4_pair value_order[] = {
		{ "Param1", "value2" }, { "Param1", "value1" }
	};
	static const char unreserved[] =
		"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
		"uvwxyz";
	static const struct sigv4_pair same[] = { { unreserved, unreserved } };
	static const struct sigv4_pair utf8[] = { { "\xe1\x88\xb4", "bar" } };

	(void)state;
	check_suite("GET", "/", one, 1, NULL, 0,
		    SUITE_AUTH("host;x-amz-date",
			       "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b"
			       "6e45aec72011b9aeb"));
	check_suite("GET", "/", case_order, 2, NULL, 0,
		    SUITE_AUTH("host;x-amz-date",
			       "b97d918cfa904a5beff61c982a1b6f458b799221646efd9"
			       "9d3219ec94cdf2500"));
	check_suite("GET", "/", key_order, 2, NULL, 0,
		    SUITE_AUTH("host;x-amz-date",
			       "eedbc4e291e521cf13422ffca22be7d2eb8146eecf65308"
			       "9df300a15b2382bd1"));
	check_suite("GET", "/", value_order, 2, NULL, 0,
		    SUITE_AUTH("host;x-amz-date",
			       "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c6"
			       "0486157bd471c4694"));
	check_suite("GET", "/", same, 1, NULL, 0,
		    SUITE_AUTH("host;x-amz-date",
			       "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027"
			       "167c21bb143a40197"));
	check_suite("GET", "/", utf8, 1, NULL, 0,
		    SUITE_AUTH("host;x-amz-date",
			       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d"
			       "91e12c9027818dd04"));
}

static void headers_are_sorted_trimmed_and_joined(void **state)
{
	static const struct sigv4_pair trim[] = {
		{ "My-Header1", " value1" },
		{ "My-Header2", " \"a   b   c\"" },
	};
	static const struct sigv4_pair twice[] = {
		{ "My-Header1", "value2" },
		{ "My-Header1", "value2" },
		{ "My-Header1", "value1" },
	};
	static const struct sigv4_pair four[] = {
		{ "My-Header1", "value4" },
		{ "My-Header1", "value1" },
		{ "My-Header1", "value3" },
		{ "My-Header1", "value2" },
	};
	static const struct sigv4_pair upper[] = { { "My-Header1", "VALUE1" } };

	(void)state;
	check_suite("GET", "/", NULL, 0, trim, 2,
		    SUITE_AUTH("host;my-header1;my-header2;x-amz-date",
			       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b3670"
			       "55dee359757a9c736"));
	check_suite("GET", "/", NULL, 0, twice, 3,
		    SUITE_AUTH("host;my-header1;x-amz-date",
			       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468"
			       "f858259531a5138ea"));
	check_suite("GET", "/", NULL, 0, four, 4,
		    SUITE_AUTH("host;my-header1;x-amz-date",
			       "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601"
			       "a50643f830c755c01"));
	check_suite("POST", "/", NULL, 0, upper, 1,
		    SUITE_AUTH("host;my-header1;x-amz-date",
			       "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b"
			       "53629efa58b974b7d"));
}

/* The suite's other paths are encoded twice, as S3 never does. */
static void paths_are_signed_as_they_are(void **state)
{
	static const char path[] =
		"/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
		"uvwxyz";

	(void)state;
	check_suite("GET", path, NULL, 0, NULL, 0,
		    SUITE_AUTH("host;x-amz-date",
			       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa"
			       "977f52a65bbf5f24f"));
}

#define S3_AUTH(names, signature)                                    \
	"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/" \
	"us-east-1/s3/aws4_request, SignedHeaders=" names            \
	", Signature=" signature
#define S3_HOST                                          \
	{                                                \
		"Host", "examplebucket.s3.amazonaws.com" \
	}
#define S3_DATE                                  \
	{                                        \
		"x-amz-date", "20130524T000000Z" \
	}
#define S3_HASH                                    \
	{                                          \
		"x-amz-content-sha256", EMPTY_HASH \
	}

static void s3_get_of_a_range_is_signed(void **state)
{
	static const struct sigv4_pair headers[] = {
		S3_HOST, S3_DATE, { "Range", "bytes=0-9" }, S3_HASH
	};
	static const struct sigv4_request rq = {
		.method = "GET",
		.path = "/test.txt",
		.headers = headers,
		.n_headers = 4,
		.payload_hash = EMPTY_HASH,
		.time = S3_TIME,
	};

	(void)state;
	check(&s3_key, &rq,
	      S3_AUTH("host;range;x-amz-content-sha256;x-amz-date",
		      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6"
		      "036bdb41"));
}

static void s3_put_is_signed(void **state)
{
	static const char hash[] = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4"
				   "e99e42034a8b803f8b072";
	static const struct sigv4_pair headers[] = {
		S3_HOST,
		{ "Date", "Fri, 24 May 2013 00:00:00 GMT" },
		S3_DATE,
		{ "x-amz-storage-class", "REDUCED_REDUNDANCY" },
		{ "x-amz-content-sha256", hash },
	};
	static const struct sigv4_request rq = {
		.method = "PUT",
		.path = "/test%24file.text",
		.headers = headers,
		.n_headers = 5,
		.payload_hash = hash,
		.time = S3_TIME,
	};

	(void)state;
	check(&s3_key, &rq,
	      S3_AUTH("date;host;x-amz-content-sha256;x-amz-date;"
		      "x-amz-storage-class",
		      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0"
		      "ece108bd"));
}

static void s3_query_without_a_value_is_signed(void **state)
{
	static const struct sigv4_pair headers[] = { S3_HOST, S3_DATE,
						     S3_HASH };
	static const struct sigv4_pair query[] = { { "lifecycle", NULL } };
	static const struct sigv4_request rq = {
		.method = "GET",
		.path = "/",
		.query = query,
		.n_query = 1,
		.headers = headers,
		.n_headers = 3,
		.payload_hash = EMPTY_HASH,
		.time = S3_TIME,
	};

	(void)state;
	check(&s3_key, &rq,
	      S3_AUTH("host;x-amz-content-sha256;x-amz-date",
		      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a01"
		      "36783543"));
}

static void s3_list_is_signed(void **state)
{
	static const struct sigv4_pair headers[] = { S3_HOST, S3_DATE,
						     S3_HASH };
	static const struct sigv4_pair query[] = { { "prefix", "J" },
						   { "max-keys", "2" } };
	static const struct sigv4_request rq = {
		.method = "GET",
		.path = "/",
		.query = query,
		.n_query = 2,
		.headers = headers,
		.n_headers = 3,
		.payload_hash = EMPTY_HASH,
		.time = S3_TIME,
	};

	(void)state;
	check(&s3_key, &rq,
	      S3_AUTH("host;x-amz-content-sha256;x-amz-date",
		      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711e"
		      "f69dc6f7"));
}

static void queries_go_over_the_wire_as_they_are_signed(void **state)
{
	static const struct sigv4_pair query[] = {
		{ "uploads", NULL },
		{ "prefix", "tmp/a b+c" },
		{ "a-b", "1" },
		{ "a", "2" },
		{ "marker", "\xc3\xbc&=%" },
		{ "a", "" },
	};
	CLEANUP_BUF struct buf out = { 0 };

	(void)state;
	buf_init(&out, 256);
	sigv4_query(&out, query, 6);
	assert_string_equal(buf_str(&out),
			    "a=&a=2&a-b=1&marker=%C3%BC%26%3D%25&"
			    "prefix=tmp%2Fa%20b%2Bc&uploads=");
	buf_clear(&out);
	sigv4_query(&out, NULL, 0);
	assert_string_equal(buf_str(&out), "");
}

static void dates_have_sixteen_characters(void **state)
{
	char text[SIGV4_DATE_TEXT];

	(void)state;
	sigv4_date(SUITE_TIME, text);
	assert_string_equal(text, "20150830T123600Z");
	sigv4_date(0, text);
	assert_string_equal(text, "19700101T000000Z");
	sigv4_date(INT64_MAX, text);
	assert_string_equal(text, "99991231T235959Z");
	sigv4_date(INT64_MIN, text);
	assert_int_equal(strlen(text), 16);
}

static void what_does_not_fit_is_no_signature(void **state)
{
	static const struct sigv4_request rq = {
		.method = "GET",
		.path = "/",
		.payload_hash = EMPTY_HASH,
		.time = S3_TIME,
	};
	CLEANUP_BUF struct buf out = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(sigv4_authorization(&out, &s3_key, &rq, &err),
			 RC_LIMIT);
	assert_null(strstr(err.msg, s3_key.secret));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vanilla_requests_are_signed),
		cmocka_unit_test(queries_are_sorted_and_encoded),
		cmocka_unit_test(headers_are_sorted_trimmed_and_joined),
		cmocka_unit_test(paths_are_signed_as_they_are),
		cmocka_unit_test(s3_get_of_a_range_is_signed),
		cmocka_unit_test(s3_put_is_signed),
		cmocka_unit_test(s3_query_without_a_value_is_signed),
		cmocka_unit_test(s3_list_is_signed),
		cmocka_unit_test(queries_go_over_the_wire_as_they_are_signed),
		cmocka_unit_test(dates_have_sixteen_characters),
		cmocka_unit_test(what_does_not_fit_is_no_signature),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
