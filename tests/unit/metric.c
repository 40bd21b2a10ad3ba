/* SPDX-License-Identifier: Apache-2.0 */
/* metric.c - tests of numbers as Prometheus reads them. */
#include "config.h"

#include "base/metric.h"

#include "unit.h"

static struct buf out = { .max = 4096 };

static int clear(void **state)
{
	(void)state;
	buf_release(&out);
	buf_init(&out, 4096);
	return 0;
}

static void a_value_has_its_labels_in_braces(void **state)
{
	(void)state;
	metric_head(&out, "x_total", "counter", "Things.");
	metric_uint(&out, "x_total", "", 7);
	metric_uint(&out, "x_total", "a=\"b\"", UINT64_MAX);
	metric_double(&out, "y_seconds", "", 1764000000.25);
	assert_string_equal(buf_str(&out),
			    "# HELP x_total Things.\n"
			    "# TYPE x_total counter\n"
			    "x_total 7\n"
			    "x_total{a=\"b\"} 18446744073709551615\n"
			    "y_seconds 1764000000.25\n");
}

static void labels_are_escaped_and_always_utf8(void **state)
{
	(void)state;
	metric_label(&out, "a", "s3://b/\xc3\xa4");
	metric_label(&out, "b", "\"\\\n\xff.");
	assert_string_equal(buf_str(&out), "a=\"s3://b/\xc3\xa4\","
					   "b=\"\\\"\\\\\\n\xef\xbf\xbd.\"");
}

static void a_histogram_counts_upwards(void **state)
{
	static const double bounds[] = { 0.05, 1 };
	static const uint64_t counts[] = { 1, 0, 2 };

	(void)state;
	metric_histogram(&out, "h", "", bounds, counts, 2, 4.5);
	assert_string_equal(buf_str(&out), "h_bucket{le=\"0.05\"} 1\n"
					   "h_bucket{le=\"1\"} 1\n"
					   "h_bucket{le=\"+Inf\"} 3\n"
					   "h_sum 4.5\n"
					   "h_count 3\n");
	clear(NULL);
	metric_histogram(&out, "h", "a=\"b\"", bounds, counts, 1, 0.5);
	assert_string_equal(buf_str(&out), "h_bucket{a=\"b\",le=\"0.05\"} 1\n"
					   "h_bucket{a=\"b\",le=\"+Inf\"} 1\n"
					   "h_sum{a=\"b\"} 0.5\n"
					   "h_count{a=\"b\"} 1\n");
}

#define METRIC_TEST(f) cmocka_unit_test_setup_teardown(f, clear, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		METRIC_TEST(a_value_has_its_labels_in_braces),
		METRIC_TEST(labels_are_escaped_and_always_utf8),
		METRIC_TEST(a_histogram_counts_upwards),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
