/* SPDX-License-Identifier: Apache-2.0 */
/* route-datavision.c - tests against the vectors of the original. */
#include "config.h"

#include "shard/route-datavision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "unit.h"

#define EXPECTED_MAX (1u << 20)

static struct json_t *expected(void)
{
	const char *srcdir = getenv("SRCDIR");
	CLEANUP_BUF struct buf b = { .max = EXPECTED_MAX };
	struct json_t *j = NULL;
	char path[4096];
	struct err err;
	uint8_t *p;
	FILE *in;

	snprintf(path, sizeof(path),
		 "%s/tests/fixtures/legacy/datavision/expected.json",
		 srcdir ? srcdir : ".");
	in = fopen(path, "re");
	if (!in)
		fail_msg("cannot open %s", path);
	p = buf_reserve(&b, EXPECTED_MAX);
	assert_non_null(p);
	b.len = fread(p, 1, EXPECTED_MAX, in);
	fclose(in);
	if (json_parse(b.p, b.len, b.max, &j, &err))
		fail_msg("%s", err.msg);
	return j;
}

static const char *str_of(const struct json_t *j, const char *name)
{
	const char *s = NULL;
	struct err err;

	if (json_get_str(j, name, EXPECTED_MAX, &s, &err))
		fail_msg("%s", err.msg);
	return s;
}

static struct json_t *array_of(const struct json_t *j, const char *name,
			       size_t *n)
{
	struct json_t *a = NULL;
	struct err err;

	if (json_get_array(j, name, 1000, &a, n, &err))
		fail_msg("%s", err.msg);
	return a;
}

static void slots_are_those_of_the_original(void **state)
{
	static const unsigned int bits[] = { 1, 4, 6, 8, 10, 16, 32 };
	CLEANUP_JSON struct json_t *all = expected();
	size_t n = 0;
	struct json_t *vectors = array_of(all, "hash_routing", &n);

	(void)state;
	assert_int_equal(n, 9);
	for (size_t i = 0; i < n; i++) {
		const struct json_t *v = json_at(vectors, i);
		const char *name = str_of(v, "name");

		for (size_t k = 0; k < ARRAY_LEN(bits); k++) {
			char field[8];
			uint64_t want = 0;
			struct err err;

			snprintf(field, sizeof(field), "n%u", bits[k]);
			if (json_get_u64(v, field, UINT32_MAX, &want, &err))
				fail_msg("%s", err.msg);
			assert_int_equal(
				datavision_slot(name, strlen(name), bits[k]),
				want);
		}
	}
}

static void names_lead_to_their_containers(void **state)
{
	CLEANUP_JSON struct json_t *all = expected();
	struct json_t *daily = NULL;
	struct json_t *files;
	struct err err;
	size_t n = 0;

	(void)state;
	assert_int_equal(json_get_obj(all, "daily", &daily, &err), RC_OK);
	files = array_of(daily, "files", &n);
	assert_true(n > 10);
	for (size_t i = 0; i < n; i++) {
		const char *name = str_of(json_at(files, i), "name");
		char day[11];
		char path[64];

		assert_true(datavision_day(name, strlen(name), day));
		snprintf(path, sizeof(path), "daily/%s/%0*x.des", day,
			 (int)datavision_hex_width(4),
			 datavision_slot(name, strlen(name), 4));
		assert_string_equal(path, str_of(json_at(files, i), "path"));
	}
}

static void days_stand_between_two_bars(void **state)
{
	static const struct {
		const char *name, *day;
	} known[] = {
		{ "DES_20250115_(6967D57B0000_20)", "2025-01-15" },
		{ "_20250115_", "2025-01-15" },
		{ "a_b_20240229_20250115_c", "2024-02-29" },
		{ "a__20250115_", "2025-01-15" },
		{ "a_1_20250115_.txt", "2025-01-15" },
		{ "a_20250115", NULL },
		{ "20250115_a", NULL },
		{ "a_2025011_", NULL },
		{ "a_202501155_", NULL },
		{ "a_20250229_", NULL },
		{ "a_2025O115_", NULL },
		{ "_", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		char *exact = strdup(known[i].name);
		char day[11];
		bool is_one = datavision_day(exact, strlen(exact), day);

		assert_int_equal(is_one, known[i].day ? 1 : 0);
		if (is_one)
			assert_string_equal(day, known[i].day);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_those_of_the_original),
		cmocka_unit_test(names_lead_to_their_containers),
		cmocka_unit_test(days_stand_between_two_bars),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
