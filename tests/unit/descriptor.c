/* SPDX-License-Identifier: Apache-2.0 */
/* descriptor.c - tests of desfs.json with golden files. */
#include "config.h"

#include "volume/descriptor.h"

#include <string.h>

#include "golden.h"
#include "shard/route.h"
#include "unit.h"

static const struct {
	const char *name;
	enum rc rc;
	const char *says;
} bad[] = {
	{ "format", RC_UNSUPPORTED, "archive has format 4" },
	{ "feature", RC_UNSUPPORTED, "feature sealed" },
	{ "route", RC_UNSUPPORTED, "route parent+bucket" },
	{ "n-bits", RC_CORRUPT, "n_bits is 17, not 4 to 16" },
	{ "time", RC_CORRUPT, "created_at" },
	{ "no-time", RC_CORRUPT, "no member created_at" },
	{ "no-features", RC_CORRUPT, "no member features" },
	{ "features-type", RC_CORRUPT, "features is not an object" },
	{ "feature-number", RC_CORRUPT, "compat holds" },
	{ "id", RC_CORRUPT, "archive_id does not fit" },
	{ "id-text", RC_CORRUPT, "archive_id is not 32 hex digits" },
	{ "no-id", RC_CORRUPT, "no member archive_id" },
	{ "array", RC_CORRUPT, "not a JSON object" },
	{ "empty", RC_CORRUPT, "line 1" },
	{ "cut", RC_CORRUPT, "line 1" },
	{ "twice", RC_CORRUPT, "duplicate" },
	{ "long", RC_CORRUPT, "not at most 65536" },
};

static enum rc decoded(const char *name, struct descriptor *ret,
		       struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };

	golden_read(name, &b);
	return descriptor_decode(b.p, b.len, ret, err);
}

static struct descriptor good(const char *name)
{
	struct descriptor d = { 0 };
	struct err err;

	if (decoded(name, &d, &err))
		fail_msg("%s: %s", name, err.msg);
	return d;
}

static void good_descriptors_are_read(void **state)
{
	struct descriptor d = good("good-descriptor-parent");

	(void)state;
	assert_int_equal(d.format, 3);
	assert_int_equal(d.n_bits, 4);
	assert_int_equal(d.route, ROUTE_PARENT);
	assert_true(d.created_at == INT64_C(1795256130123456));
	assert_false(d.is_read_only);
	d = good("good-descriptor-uid");
	assert_int_equal(d.n_bits, 16);
	assert_int_equal(d.route, ROUTE_UID);
}

static void what_later_versions_add_is_passed_over(void **state)
{
	(void)state;
	good("good-descriptor-spaced");
	good("good-descriptor-more");
	assert_false(good("good-descriptor-compat").is_read_only);
	assert_true(good("good-descriptor-ro-compat").is_read_only);
}

static void bad_descriptors_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct descriptor d;
		struct err err = { 0 };
		char name[64];

		snprintf(name, sizeof(name), "bad-descriptor-%s", bad[i].name);
		if (decoded(name, &d, &err) != bad[i].rc ||
		    !strstr(err.msg, bad[i].says))
			fail_msg("%s: rc %d, %s", name, err.rc, err.msg);
	}
}

static void the_written_form_is_the_golden_one(void **state)
{
	struct descriptor d = { .format = 3,
				.n_bits = 4,
				.route = ROUTE_PARENT,
				.created_at = INT64_C(1795256130123456) };
	CLEANUP_BUF struct buf golden = { 0 };
	CLEANUP_BUF struct buf b = { 0 };

	(void)state;
	golden_read("good-descriptor-parent", &golden);
	buf_init(&b, DESCRIPTOR_MAX);
	descriptor_set_id(&d);
	descriptor_encode(&d, &b);
	assert_string_equal(buf_str(&b), buf_str(&golden));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_descriptors_are_read),
		cmocka_unit_test(what_later_versions_add_is_passed_over),
		cmocka_unit_test(bad_descriptors_are_refused),
		cmocka_unit_test(the_written_form_is_the_golden_one),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
