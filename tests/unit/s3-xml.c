/* SPDX-License-Identifier: Apache-2.0 */
/* s3-xml.c - tests of what is taken from an S3 server's XML, and what is not.
 */
#include "config.h"

#include "net/s3-xml.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "unit.h"

#define DECL "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NS " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define OBJECTS(inner) \
	DECL "<ListBucketResult" NS ">" inner "</ListBucketResult>"
#define WHOLE "<IsTruncated>false</IsTruncated>"

static struct s3_page page;

static enum rc list_rc(const char *xml)
{
	struct err err = { 0 };
	enum rc rc;

	s3_page_release(&page);
	rc = s3_xml_list(xml, strlen(xml), &page, &err);
	if (rc)
		assert_true(*err.msg);
	return rc;
}

static int release(void **state)
{
	(void)state;
	s3_page_release(&page);
	return 0;
}

static void objects_are_listed(void **state)
{
	(void)state;
	assert_int_equal(
		list_rc(OBJECTS("<Name>b</Name><Prefix>log/</Prefix>"
				"<MaxKeys>1000</MaxKeys>"
				"<IsTruncated>true</IsTruncated>"
				"<NextContinuationToken>1ueG+/=\n"
				"</NextContinuationToken>"
				"<Contents><Key>log/a &amp; b.json</Key>"
				"<LastModified>2026-11-21T10:15:30.000Z"
				"</LastModified>"
				"<ETag>&quot;x&quot;</ETag><Size>17</Size>"
				"<Owner><ID>i</ID><Key>no</Key></Owner>"
				"</Contents>"
				"<CommonPrefixes><Prefix>log/x/</Prefix>"
				"</CommonPrefixes>"
				"<Contents><Size>0</Size><Key>log/c</Key>"
				"</Contents>")),
		RC_OK);
	assert_int_equal(page.n, 2);
	assert_string_equal(page.items[0].key, "log/a & b.json");
	assert_int_equal(page.items[0].size, 17);
	assert_null(page.items[0].id);
	assert_string_equal(page.items[0].time, "2026-11-21T10:15:30.000Z");
	assert_string_equal(page.items[1].key, "log/c");
	assert_string_equal(page.items[1].time, "");
	assert_true(page.is_truncated);
	assert_string_equal(page.next, "1ueG+/=\n");
	assert_null(page.next_id);
}

static void an_empty_list_is_a_list(void **state)
{
	(void)state;
	assert_int_equal(list_rc(OBJECTS(WHOLE)), RC_OK);
	assert_int_equal(page.n, 0);
	assert_false(page.is_truncated);
	assert_null(page.next);
}

static void prefixes_and_namespaces_do_not_count(void **state)
{
	(void)state;
	assert_int_equal(list_rc("<ListBucketResult>" WHOLE
				 "<Contents><Key>a</Key><Size>1</Size>"
				 "</Contents></ListBucketResult>"),
			 RC_OK);
	assert_int_equal(list_rc("\r\n  <s:ListBucketResult xmlns:s=\"x\">"
				 "<s:IsTruncated>false</s:IsTruncated>"
				 "<s:Contents><s:Key>a</s:Key><s:Size>1"
				 "</s:Size></s:Contents>"
				 "</s:ListBucketResult>"),
			 RC_OK);
	assert_int_equal(page.n, 1);
}

static void versions_and_delete_markers_are_listed_in_order(void **state)
{
	(void)state;
	assert_int_equal(
		list_rc("<ListVersionsResult>"
			"<IsTruncated>true</IsTruncated>"
			"<NextKeyMarker>k</NextKeyMarker>"
			"<NextVersionIdMarker>v1</NextVersionIdMarker>"
			"<DeleteMarker><Key>k</Key><VersionId>v2</VersionId>"
			"<IsLatest>true</IsLatest></DeleteMarker>"
			"<Version><Key>k</Key><VersionId>v1</VersionId>"
			"<IsLatest>false</IsLatest><Size>5</Size></Version>"
			"</ListVersionsResult>"),
		RC_OK);
	assert_int_equal(page.n, 2);
	assert_true(page.items[0].is_marker);
	assert_true(page.items[0].is_latest);
	assert_string_equal(page.items[0].id, "v2");
	assert_false(page.items[1].is_marker);
	assert_false(page.items[1].is_latest);
	assert_int_equal(page.items[1].size, 5);
	assert_string_equal(page.next, "k");
	assert_string_equal(page.next_id, "v1");
}

static void unfinished_uploads_are_listed(void **state)
{
	(void)state;
	assert_int_equal(
		list_rc("<ListMultipartUploadsResult>" WHOLE
			"<NextKeyMarker></NextKeyMarker>"
			"<NextUploadIdMarker/>"
			"<Upload><Key>tmp/a</Key><UploadId>u.1</UploadId>"
			"<Initiated>2026-11-21T10:15:30Z</Initiated></Upload>"
			"</ListMultipartUploadsResult>"),
		RC_OK);
	assert_int_equal(page.n, 1);
	assert_string_equal(page.items[0].key, "tmp/a");
	assert_string_equal(page.items[0].id, "u.1");
	assert_string_equal(page.items[0].time, "2026-11-21T10:15:30Z");
	assert_null(page.next);
	assert_null(page.next_id);
}

#define ITEM(key) "<Contents><Key>" key "</Key><Size>1</Size></Contents>"
#define URL "<EncodingType>url</EncodingType>"

static void keys_are_decoded_where_the_server_says_so(void **state)
{
	(void)state;
	assert_int_equal(
		list_rc(OBJECTS(WHOLE ITEM("a+b%2Bc%2f%0A%c3%BC") URL)), RC_OK);
	assert_string_equal(page.items[0].key, "a b+c/\n\xc3\xbc");
	assert_int_equal(list_rc(OBJECTS(WHOLE ITEM("a+b%2Bc"))), RC_OK);
	assert_string_equal(page.items[0].key, "a+b%2Bc");
	/* Markers are keys, tokens are not. */
	assert_int_equal(
		list_rc("<ListVersionsResult>" URL
			"<IsTruncated>true</IsTruncated><NextKeyMarker>a%20b"
			"</NextKeyMarker></ListVersionsResult>"),
		RC_OK);
	assert_string_equal(page.next, "a b");
	assert_int_equal(list_rc(OBJECTS(URL "<IsTruncated>true</IsTruncated>"
					     "<NextContinuationToken>a%20b"
					     "</NextContinuationToken>")),
			 RC_OK);
	assert_string_equal(page.next, "a%20b");
}

static void what_is_no_sound_list_is_damaged(void **state)
{
	static const char *const bad[] = {
		"",
		"   ",
		"no XML",
		"<ListBucketResult>",
		OBJECTS(WHOLE) "x",
		OBJECTS(WHOLE "<Contents>"),
		OBJECTS(""),
		OBJECTS("<IsTruncated>maybe</IsTruncated>"),
		OBJECTS("<IsTruncated>true</IsTruncated>"),
		OBJECTS(WHOLE WHOLE),
		OBJECTS(WHOLE "<Contents><Key>a</Key></Contents>"),
		OBJECTS(WHOLE "<Contents><Size>1</Size></Contents>"),
		OBJECTS(WHOLE ITEM("")),
		OBJECTS(WHOLE ITEM("a<b/>c")),
		OBJECTS(WHOLE ITEM("a</Key><Key>b")),
		OBJECTS(WHOLE ITEM("a</Key><Size>-1</Size><Key>")),
		OBJECTS(WHOLE "<Contents><Key>a</Key><Size>1x</Size>"
			      "</Contents>"),
		OBJECTS(WHOLE "<Contents><Key>a</Key><Size/></Contents>"),
		OBJECTS(WHOLE "<Contents><Key>a</Key>"
			      "<Size>1000000000000000000</Size></Contents>"),
		OBJECTS(WHOLE URL ITEM("%")),
		OBJECTS(WHOLE URL ITEM("%4")),
		OBJECTS(WHOLE URL ITEM("%4x")),
		OBJECTS(WHOLE URL ITEM("a%00b")),
		OBJECTS(WHOLE ITEM("&unknown;")),
		OBJECTS(WHOLE ITEM("a&#0;b")),
		OBJECTS(WHOLE ITEM("\xff")),
		"<Error><Code>NoSuchBucket</Code></Error>",
		"<html><body>proxy</body></html>",
		"<ListVersionsResult>" WHOLE "<Version><Key>a</Key>"
		"<Size>1</Size></Version></ListVersionsResult>",
		"<ListMultipartUploadsResult>" WHOLE "<Upload><Key>a</Key>"
		"</Upload></ListMultipartUploadsResult>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(list_rc(bad[i]), RC_CORRUPT);
}

static void document_types_are_refused(void **state)
{
	(void)state;
	assert_int_equal(list_rc(DECL "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">"
				      "<!ENTITY b \"&a;&a;&a;&a;\">]>"
				      "<ListBucketResult>" WHOLE ITEM(
					      "&b;") "</ListBucketResult>"),
			 RC_CORRUPT);
	assert_int_equal(list_rc("<!DOCTYPE x SYSTEM \"file:///etc/passwd\">"
				 "<ListBucketResult>" WHOLE
				 "</ListBucketResult>"),
			 RC_CORRUPT);
}

/* A list with n times a text in it. */
static enum rc rc_of_many(const char *before, size_t n, const char *text,
			  const char *after)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct err err = { 0 };

	buf_init(&b, 32u << 20);
	buf_append_str(&b, before);
	for (size_t i = 0; i < n; i++)
		buf_append_str(&b, text);
	buf_append_str(&b, after);
	assert_true(buf_ok(&b));
	s3_page_release(&page);
	return s3_xml_list(b.p, b.len, &page, &err);
}

static void depth_text_items_and_size_are_bounded(void **state)
{
	static const char head[] = "<ListBucketResult>" WHOLE;
	static const char tail[] = "</ListBucketResult>";

	(void)state;
	assert_int_equal(rc_of_many(head, 10, "<a>",
				    "</a></a></a></a></a></a></a></a></a></a>"
				    "</ListBucketResult>"),
			 RC_OK);
	assert_int_equal(rc_of_many(head, 100000, "<a>", ""), RC_CORRUPT);
	assert_int_equal(rc_of_many(head, 1000, ITEM("a"), tail), RC_OK);
	assert_int_equal(page.n, 1000);
	assert_int_equal(rc_of_many(head, 5000, ITEM("a"), tail), RC_CORRUPT);
	assert_int_equal(rc_of_many("<ListBucketResult>" WHOLE "<Contents>"
				    "<Size>1</Size><Key>",
				    100000, "a",
				    "</Key></Contents></ListBucketResult>"),
			 RC_CORRUPT);
	assert_int_equal(rc_of_many(head, S3_XML_MAX / 4, "<a/>", tail),
			 RC_CORRUPT);
}

static void errors_are_read_and_cannot_move_a_cursor(void **state)
{
	static const char xml[] =
		DECL "<Error><Code>AuthorizationHeaderMalformed</Code>"
		     "<Message>say \xc3\xbc\t\xc2\x9b[2J "
		     "eu-central-1</Message><Region>eu-central-1</Region>"
		     "<RequestId>1</RequestId></Error>";
	struct s3_error e = { 0 };

	(void)state;
	assert_true(s3_xml_error(xml, strlen(xml), &e));
	assert_string_equal(e.code, "AuthorizationHeaderMalformed");
	assert_string_equal(e.message, "say \xc3\xbc??[2J eu-central-1");
	assert_string_equal(e.region, "eu-central-1");
}

static void long_errors_are_cut_between_characters(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct s3_error e = { 0 };

	(void)state;
	buf_init(&b, 4096);
	buf_append_str(&b, "<Error><Message>");
	for (int i = 0; i < 400; i++)
		buf_append_str(&b, "\xe2\x82\xac");
	buf_append_str(&b, "</Message></Error>");
	assert_true(s3_xml_error(b.p, b.len, &e));
	assert_int_equal(strlen(e.message), 159);
	assert_int_equal((unsigned char)e.message[158], 0xac);
	assert_string_equal(e.code, "");
}

static void other_documents_are_no_errors(void **state)
{
	static const char *const bad[] = {
		"", "Service Unavailable", "<html/>", "<Error>", OBJECTS(WHOLE),
	};
	struct s3_error e = { .code = "kept" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(s3_xml_error(bad[i], strlen(bad[i]), &e));
	assert_string_equal(e.code, "kept");
}

static enum rc text_rc(const char *xml, char *ret, size_t size)
{
	struct err err = { 0 };

	return s3_xml_text(xml, strlen(xml), "InitiateMultipartUploadResult",
			   "UploadId", ret, size, &err);
}

#define UPLOAD(inner)                                                   \
	"<InitiateMultipartUploadResult" NS "><Bucket>b</Bucket>" inner \
	"</InitiateMultipartUploadResult>"

static void single_texts_are_found(void **state)
{
	char id[8];

	(void)state;
	assert_int_equal(
		text_rc(UPLOAD("<UploadId>2~abcde</UploadId>"), id, sizeof(id)),
		RC_OK);
	assert_string_equal(id, "2~abcde");
	assert_int_equal(text_rc(UPLOAD("<Progress>1</Progress><x><UploadId>no"
					"</UploadId></x><UploadId>a</UploadId>"
					"<Progress>2</Progress>"),
				 id, sizeof(id)),
			 RC_OK);
	assert_string_equal(id, "a");
}

static void texts_that_are_missing_or_too_long_are_damage(void **state)
{
	static const char *const bad[] = {
		UPLOAD(""),
		UPLOAD("<UploadId/>"),
		UPLOAD("<UploadId>12345678</UploadId>"),
		UPLOAD("<UploadId>1</UploadId><UploadId>2</UploadId>"),
		UPLOAD("<UploadId>1<b/></UploadId>"),
		"<Error><UploadId>1</UploadId></Error>",
		"<InitiateMultipartUploadResult><UploadId>1</UploadId>",
	};
	char id[8] = "kept";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(text_rc(bad[i], id, sizeof(id)), RC_CORRUPT);
	assert_string_equal(id, "kept");
}

static void texts_are_escaped(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };
	char id[32];

	(void)state;
	buf_init(&b, 256);
	buf_append_str(&b, "<InitiateMultipartUploadResult><UploadId>");
	s3_xml_escape(&b, "\"a<b>&'\x01\xc3\xbc");
	buf_append_str(&b, "</UploadId></InitiateMultipartUploadResult>");
	assert_int_equal(text_rc(buf_str(&b), id, sizeof(id)), RC_OK);
	assert_string_equal(id, "\"a<b>&'?\xc3\xbc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_listed),
		cmocka_unit_test(an_empty_list_is_a_list),
		cmocka_unit_test(prefixes_and_namespaces_do_not_count),
		cmocka_unit_test(
			versions_and_delete_markers_are_listed_in_order),
		cmocka_unit_test(unfinished_uploads_are_listed),
		cmocka_unit_test(keys_are_decoded_where_the_server_says_so),
		cmocka_unit_test(what_is_no_sound_list_is_damaged),
		cmocka_unit_test(document_types_are_refused),
		cmocka_unit_test(depth_text_items_and_size_are_bounded),
		cmocka_unit_test(errors_are_read_and_cannot_move_a_cursor),
		cmocka_unit_test(long_errors_are_cut_between_characters),
		cmocka_unit_test(other_documents_are_no_errors),
		cmocka_unit_test(single_texts_are_found),
		cmocka_unit_test(texts_that_are_missing_or_too_long_are_damage),
		cmocka_unit_test(texts_are_escaped),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, release);
}
