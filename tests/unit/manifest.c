/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/compiler.h"
#include "base/hex.h"
#include "base/mem.h"
#include "exchange/manifest.h"
#include "unit.h"

struct source {
	const char *p;
	size_t left, chunk;
};

static enum rc read_source(void *arg, void *buf, size_t len, size_t *ret,
			   struct err *err)
{
	struct source *s = arg;
	size_t n = s->left < s->chunk ? s->left : s->chunk;

	(void)err;
	n = n < len ? n : len;
	memcpy(buf, s->p, n);
	s->p += n;
	s->left -= n;
	*ret = n;
	return RC_OK;
}

static void put_record(struct buf *out, const struct manifest_record *r)
{
	char hex[HEX_TEXT(SHA256_LEN)];

	if (r->why.rc) {
		buf_printf(out, "! %s", r->why.msg);
		if (r->has_uid)
			buf_printf(out, " (%.*s)", (int)r->uid.len, r->uid.p);
		buf_append_str(out, "\n");
		return;
	}
	buf_printf(out, "%.*s %" PRId64 " %" PRIu64 " %s", (int)r->uid.len,
		   r->uid.p, r->created_at.us / 1000000, r->size, r->source);
	if (r->has_sha256) {
		hex_encode(r->sha256, SHA256_LEN, hex);
		buf_printf(out, " %.8s", hex);
	}
	if (r->meta.len)
		buf_printf(out, " %.*s", (int)r->meta.len, r->meta.p);
	buf_append_str(out, "\n");
}

/* What all records are, read in pieces of chunk bytes. */
static char *records_of(const char *text, size_t len, size_t chunk)
{
	struct source s = { .p = text, .left = len, .chunk = chunk };
	CLEANUP_BUF struct buf out = { .max = 64u << 20 };
	struct manifest_record r;
	struct manifest *m = NULL;
	struct err err;
	uint64_t n = 0;
	enum rc rc;

	if (manifest_open(&m, read_source, &s, &err)) {
		buf_printf(&out, "none: %s\n", err.msg);
		return xstrdup(buf_str(&out));
	}
	while (!(rc = manifest_next(m, &r, &err))) {
		assert_int_equal(r.number, n++);
		put_record(&out, &r);
	}
	assert_int_equal(rc, RC_NOENT);
	assert_int_equal(manifest_next(m, &r, &err), RC_NOENT);
	manifest_free(m);
	return xstrdup(buf_str(&out));
}

/* However the bytes come. */
static void assert_records(const char *text, const char *want)
{
	static const size_t chunks[] = { 1, 2, 3, 7, 64, SIZE_MAX };

	for (size_t i = 0; i < ARRAY_LEN(chunks); i++) {
		CLEANUP_FREE char *got =
			records_of(text, strlen(text), chunks[i]);

		assert_string_equal(got, want);
	}
}

#define GOOD(uid)                                                    \
	"{\"uid\":" uid ",\"created_at\":\"1970-01-02\",\"size\":7," \
	"\"path\":\"p\"}"
#define RECORD(uid) uid " 86400 7 p\n"

static void the_form_is_told_from_the_first_bytes(void **state)
{
	(void)state;
	assert_records("[" GOOD("\"a\"") "]", RECORD("a"));
	assert_records("\xef\xbb\xbf \n[" GOOD("\"a\"") "]", RECORD("a"));
	assert_records(GOOD("\"a\"") "\n" GOOD("\"b\"") "\n",
		       RECORD("a") RECORD("b"));
	assert_records("uid\tcreated_at\tsize\tpath\n"
		       "a\t1970-01-02\t7\tp\n",
		       RECORD("a"));
	assert_records("\xef\xbb\xbfuid\tcreated_at\tsize\tpath\r\n"
		       "a\t1970-01-02\t7\tp\r\nb\t1970-01-02\t7\tp",
		       RECORD("a") RECORD("b"));
}

static void a_column_may_have_no_name(void **state)
{
	(void)state;
	assert_records("\tuid\tcreated_at\tsize\tpath\n"
		       "0\ta\t1970-01-02\t7\tp\n"
		       "\tb\t1970-01-02\t7\tp\n",
		       RECORD("a") RECORD("b"));
	assert_records("\xef\xbb\xbf\r\n \t\n\t\tuid\tcreated_at\tsize\tpath\n"
		       "0\t\ta\t1970-01-02\t7\tp\n",
		       RECORD("a"));
	assert_records(" \n  uid\tcreated_at\tsize\tpath\n"
		       "a\t1970-01-02\t7\tp\n",
		       RECORD("a"));
}

static void what_is_empty_has_no_records(void **state)
{
	(void)state;
	assert_records("", "");
	assert_records(" \n\n", "");
	assert_records("\xef\xbb\xbf", "");
	assert_records("[]", "");
	assert_records(" [ \n ] \n", "");
}

static void what_is_no_manifest_is_refused(void **state)
{
	(void)state;
	assert_records("uid\tcreated_at\tsize\nx\t1\t2\n",
		       "none: neither JSON nor TSV: the first line names no "
		       "column source_path\n");
	assert_records("\x7f"
		       "ELF",
		       "none: neither JSON nor TSV: the first line names no "
		       "column uid\n");
	assert_records("uid\tuid\tcreated_at\tsize\tpath\n",
		       "none: the first line names column uid twice\n");
}

static void all_fields_are_read(void **state)
{
	(void)state;
	assert_records(
		"[{\"uid\": \"a/\\u00e9\\ud83e\\udd80\", \"created_at\": "
		"\"1970-01-01T01:00:00+01:00\",\n \"size_bytes\": 12, "
		"\"source_path\": \"/x\\\"\\/y\", \"other\": [1, {\"uid\": "
		"2}],\n \"sha256\": "
		"\"ABCDEF0000000000000000000000000000000000000000000000000000"
		"000001\",\n \"metadata\": {\"a b\" : [1.50, \"x \\\" y\", "
		"null ] , \"uid\": 1e400 } }]",
		"a/\xc3\xa9\xf0\x9f\xa6\x80 0 12 /x\"/y abcdef00 {\"a b\":"
		"[1.50,\"x \\\" y\",null],\"uid\":1e400}\n");
	assert_records(
		"x\tmeta\tsha256\tsource_path\tsize_bytes\tcreated_at\tuid\n"
		"\\q\t{\"a\": \"\\\\\"\\\\t\"}\t\t/x\\ty\\\\z\t0\t1970-01-01\t"
		"\n1\t\\N\t\\N\tp\t1\t1970-01-01\ta b\n",
		" 0 0 /x\ty\\z {\"a\":\"\\\"\\t\"}\na b 0 1 p\n");
}

static void numbers_are_uids(void **state)
{
	(void)state;
	assert_records("[" GOOD("12345678901234567890123") "," GOOD(
			       "-5") "," GOOD("-0") "," GOOD("\"007\"") "]",
		       RECORD("12345678901234567890123") RECORD("-5")
			       RECORD("0") RECORD("007"));
	assert_records("[" GOOD("1.5") "," GOOD("true") "," GOOD("null") "]",
		       "! line 1: uid is neither a string nor an integer\n"
		       "! line 1: uid is neither a string nor an integer\n"
		       "! line 1: no uid\n");
}

static void the_original_names_go_before_others(void **state)
{
	(void)state;
	assert_records("[{\"path\":\"q\",\"size\":1,\"uid\":1,\"source\":\"r\","
		       "\"created_at\":\"1970-01-01\",\"source_path\":\"p\","
		       "\"size_bytes\":2}]",
		       "1 0 2 p\n");
	assert_records("[{\"source_path\":null,\"path\":\"q\",\"size\":1,"
		       "\"uid\":1,\"created_at\":\"1970-01-01\"}]",
		       "1 0 1 q\n");
}

static void a_bad_field_costs_its_record(void **state)
{
#define AND(rest) "{\"uid\":\"u\",\"created_at\":\"1970-01-01\"" rest "}\n"
	(void)state;
	assert_records("{\"uid\":\"u\"}\n" AND("") AND(",\"size\":1") AND(
			       ",\"size\":-1") AND(",\"size\":1.0")
			       AND(",\"size\":\"1\"") AND(
				       ",\"size\":99999999999999999999")
				       AND(",\"size\":1,\"path\":\"\"") AND(
					       ",\"size\":1,"
					       "\"path\":\"a\\u0000\"")
					       AND(",\"size\":1,"
						   "\"path\":1")
						       AND(",\"size\":1,"
							   "\"size\":1")
							       GOOD("1"),
		       "! line 1: no created_at (u)\n"
		       "! line 2: no size_bytes (u)\n"
		       "! line 3: no source_path (u)\n"
		       "! line 4: size is not an integer from 0 on (u)\n"
		       "! line 5: size is not an integer (u)\n"
		       "! line 6: size is not an integer (u)\n"
		       "! line 7: size is too large (u)\n"
		       "! line 8: path is empty (u)\n"
		       "! line 9: path has a NUL byte (u)\n"
		       "! line 10: path is not a string (u)\n"
		       "! line 11: size occurs twice\n" RECORD("1"));
	assert_records(
		AND(",\"size\":1,\"path\":\"p\",\"sha256\":\"12\"") AND(
			",\"size\":1,\"path\":\"p\",\"meta\":[]") "{\"uid\":\"u\",\"created_at\":\"soon\"}\n"
								  "{\"uid\":\"u\",\"created_at\":1}\n"
								  "{\"uid\":\"\\ud800\"}\n" GOOD(
									  "1"),
		"! line 1: sha256 is not 64 hex digits (u)\n"
		"! line 2: meta is not a JSON object (u)\n"
		"! line 3: created_at: 'soon' is no ISO 8601 time: wanted a year of four digits (u)\n"
		"! line 4: created_at is not a string (u)\n"
		"! line 5: uid has half of a surrogate pair\n" RECORD("1"));
}

static void a_bad_line_costs_its_record(void **state)
{
	(void)state;
	assert_records(GOOD("1") "\n{\"uid\":\n\n [1]\n" GOOD("2") " x\n" GOOD(
			       "3") "{}\n{\"\xff\":1}\n" GOOD("4"),
		       RECORD("1") "! line 2: not JSON: the line ends within "
				   "it\n! line 4: not a JSON object\n"
				   "! line 5: not JSON\n! line 6: not JSON\n"
				   "! line 7: not JSON\n" RECORD("4"));
	assert_records("uid\tcreated_at\tsize\tpath\n"
		       "a\t1970-01-02\t7\n\nb\t1970-01-02\t7\tp\tq\n"
		       "c\t1970-01-02\t\tp\nd\t1970-01-02\t0x1\tp\n"
		       "e\t1970-01-02\t7\tp\\q\nf\\\\\t1970-01-02\t7\tp\n",
		       "! line 2: 3 fields, the first line names 4\n"
		       "! line 4: 5 fields, the first line names 4\n"
		       "! line 5: no size_bytes (c)\n"
		       "! line 6: size is not an integer from 0 on (d)\n"
		       "! line 7: path has a backslash before what is none of "
		       "\\ t n r 0\n" RECORD("f\\"));
}

static void a_bad_element_costs_its_record(void **state)
{
	(void)state;
	/* Brackets match. */
	assert_records(
		"[" GOOD("1") ",{\"uid\":x\"}, {\",\"a\":{]]}," GOOD("2") "]",
		RECORD("1") "! line 1: not JSON\n" RECORD("2"));
	assert_records(
		"[" GOOD("1") ", 5, \"a,]\", [1,{}], ,null," GOOD("2") ",]",
		RECORD("1") "! line 1: not a JSON object\n"
			    "! line 1: not a JSON object\n"
			    "! line 1: not a JSON object\n"
			    "! line 1: no record before the comma\n"
			    "! line 1: not a JSON object\n" RECORD("2"));
	assert_records("[" GOOD("1") GOOD("2") "}," GOOD("3") "]",
		       RECORD("1") "! line 1: no comma before it\n"
				   "! line 1: not a JSON object\n" RECORD("3"));
}

static void elements_are_found_again_by_their_column(void **state)
{
	(void)state;
	/* No end of a string, no end of an object, no comma. */
	assert_records(
		"[\n " GOOD("1") ",\n {\"uid\":\"a},\n " GOOD(
			"2") ",\n {\"uid\":\"b\",\"x\":{\n " GOOD("3") "\n " GOOD("4") "\n]\n",
		RECORD("1") "! line 3: not JSON\n" RECORD("2") "! line 5: not JSON\n" RECORD(
			"3") "! line 7: no comma before it\n");
	/* What is left of a bad one may be no better. */
	assert_records(
		"[\n " GOOD("1") ",\n {\"uid\":x},{\"uid\":{y\n " GOOD("2") "]",
		RECORD("1") "! line 3: not JSON\n! line 3: not JSON\n" RECORD(
			"2"));
	/* A bracket out of a string. */
	assert_records(
		"[\n " GOOD("1") ",\n {\"uid\\\":\"a}]\",\"b\":2},\n " GOOD(
			"2") "\n]",
		RECORD("1") "! line 3: not JSON\n! line 3: text behind "
			    "the array\n! line 3: not a JSON object\n" RECORD(
				    "2"));
	/* What is right is never cut. */
	assert_records(
		"[\n{\"uid\":\n{},\n\"created_at\":[\n{\n}]},\n" GOOD("2") "]",
		"! line 2: uid is neither a string nor an integer\n" RECORD(
			"2"));
}

static void an_array_that_is_cut_short_is_told(void **state)
{
	static const char no_end[] = "the array has no end: the manifest may "
				     "have been cut short";
	CLEANUP_FREE char *one =
		xasprintf("%s! line 1: %s\n", RECORD("1"), no_end);

	(void)state;
	assert_records("[" GOOD("1") ",", one);
	assert_records("[" GOOD("1") ",{\"uid\":\"2\"",
		       RECORD("1") "! line 1: the manifest ends within it\n");
	assert_records("[" GOOD("1") "] " GOOD("2"),
		       RECORD("1") "! line 1: text behind the array\n");
}

/* n bytes of fill in place of the '*'. */
static char *with_long(const char *text, size_t n, char fill)
{
	const char *star = strchr(text, '*');
	char *ret = xcalloc(1, strlen(text) + n);
	size_t before = (size_t)(star - text);

	memcpy(ret, text, before);
	memset(ret + before, fill, n);
	memcpy(ret + before + n, star + 1, strlen(star + 1));
	return ret;
}

static void assert_long(const char *text, size_t n, char fill, const char *want)
{
	CLEANUP_FREE char *all = with_long(text, n, fill);
	static const size_t chunks[] = { 4096, SIZE_MAX };

	for (size_t i = 0; i < ARRAY_LEN(chunks); i++) {
		CLEANUP_FREE char *got =
			records_of(all, strlen(all), chunks[i]);

		assert_string_equal(got, want);
	}
}

static void what_is_too_long_costs_its_record(void **state)
{
	static const size_t sizes[] = { MANIFEST_RECORD_MAX,
					3 * MANIFEST_RECORD_MAX + 17 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		assert_long(
			"[" GOOD("1") ",{\"x\":\"*\"}," GOOD("2") "]", sizes[i],
			'x',
			RECORD("1") "! line 1: more than 1 MiB\n" RECORD("2"));
		assert_long(
			"[" GOOD("1") ",{\"x\":*}," GOOD("2") "]", sizes[i],
			'\n',
			RECORD("1") "! line 1: more than 1 MiB\n" RECORD("2"));
		assert_long(
			GOOD("1") "\n{\"x\":\"*\"}\n" GOOD("2"), sizes[i], 'x',
			RECORD("1") "! line 2: more than 1 MiB\n" RECORD("2"));
		assert_long("uid\tcreated_at\tsize\tpath\nx\t*\t\t\n"
			    "a\t1970-01-02\t7\tp",
			    sizes[i], 'x',
			    "! line 2: more than 1 MiB\n" RECORD("a"));
	}
	assert_long(GOOD("1") "\n*", MANIFEST_RECORD_MAX + (200u << 10), 'x',
		    RECORD("1") "! line 2: more than 1 MiB\n");
}

static void what_is_as_long_as_may_be_is_read(void **state)
{
	static const char text[] = "[{\"x\":\"*\",\"uid\":1,\"created_at\":"
				   "\"1970-01-02\",\"size\":7,\"path\":\"p\"}]";

	(void)state;
	assert_long(text, MANIFEST_RECORD_MAX - (sizeof(text) - 4), 'x',
		    RECORD("1"));
	assert_long(text, MANIFEST_RECORD_MAX - (sizeof(text) - 4) + 1, 'x',
		    "! line 1: more than 1 MiB\n");
}

static void depth_is_bounded(void **state)
{
	(void)state;
	assert_long("[{\"x\":*}," GOOD("2") "]", 100000, '[',
		    "! line 1: the manifest ends within it\n");
	assert_long("{\"x\":*}\n" GOOD("2"), 100000, '[',
		    "! line 1: not JSON\n" RECORD("2"));
}

static void metadata_is_bounded(void **state)
{
	static const char text[] =
		"[{\"uid\":1,\"created_at\":\"1970-01-02\",\"size\":7,"
		"\"path\":\"p\",\"meta\":{\"a\":\"*\"}}," GOOD("2") "]";

	(void)state;
	assert_long(text, 65536 - 7, 'x',
		    "! line 1: meta has more than 65536 bytes, at most that "
		    "many are kept (1)\n" RECORD("2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_form_is_told_from_the_first_bytes),
		cmocka_unit_test(a_column_may_have_no_name),
		cmocka_unit_test(what_is_empty_has_no_records),
		cmocka_unit_test(what_is_no_manifest_is_refused),
		cmocka_unit_test(all_fields_are_read),
		cmocka_unit_test(numbers_are_uids),
		cmocka_unit_test(the_original_names_go_before_others),
		cmocka_unit_test(a_bad_field_costs_its_record),
		cmocka_unit_test(a_bad_line_costs_its_record),
		cmocka_unit_test(a_bad_element_costs_its_record),
		cmocka_unit_test(elements_are_found_again_by_their_column),
		cmocka_unit_test(an_array_that_is_cut_short_is_told),
		cmocka_unit_test(what_is_too_long_costs_its_record),
		cmocka_unit_test(what_is_as_long_as_may_be_is_read),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(metadata_is_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
