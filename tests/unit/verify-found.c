/* SPDX-License-Identifier: Apache-2.0 */
/* verify-found.c - what was found is told in order, however much it is. */
#include "config.h"

#include "verify/verify-report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#define MANY 20000u

struct heard {
	unsigned int n, n_lost;
	char last[2048];
};

static void hear(void *arg, const struct finding *f)
{
	struct heard *h = arg;

	assert_string_equal(f->key, "k");
	if (f->kind == FINDING_LOST && f->uid.p) {
		char want[32];

		snprintf(want, sizeof(want), "dir/%08u", h->n_lost++);
		assert_int_equal(f->uid.len, strlen(want));
		assert_memory_equal(f->uid.p, want, f->uid.len);
		assert_int_equal(f->off, h->n_lost);
	}
	h->n++;
	snprintf(h->last, sizeof(h->last), "%s", f->text);
}

static void lose_many(struct verify_report *r)
{
	for (unsigned int i = 0; i < MANY; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%08u", i);
		verify_lost(r, i + 1, span_of("dir", 3),
			    span_of(name, strlen(name)));
	}
}

static void more_than_memory_is_told_in_order(void **state)
{
	struct verify_report r = { .key = "k" };
	struct verify_totals t = { 0 };
	struct heard h = { 0 };
	const struct verify_options o = { .fn = hear, .arg = &h };

	(void)state;
	verify_damage(&r, 5, "block of %u bytes", 7u);
	lose_many(&r);
	verify_note(&r, "the end");
	verify_report_tell(&r, &o, &t);
	assert_int_equal(h.n, MANY + 2);
	assert_string_equal(h.last, "the end");
	assert_int_equal(t.damage, 1);
	assert_int_equal(t.lost, MANY);
	assert_int_equal(t.notes, 1);
	/* It is empty then. */
	verify_report_tell(&r, &o, &t);
	assert_int_equal(h.n, MANY + 2);
}

static void one_report_is_put_behind_another(void **state)
{
	struct verify_report r = { .key = "k" }, more = { .key = "k" };
	struct verify_totals t = { 0 };
	struct heard h = { 0 };
	const struct verify_options o = { .fn = hear, .arg = &h };

	(void)state;
	verify_damage(&r, 5, "first");
	lose_many(&more);
	verify_damage(&more, 6, "last");
	verify_report_move(&r, &more);
	verify_report_tell(&r, &o, &t);
	assert_int_equal(h.n, MANY + 2);
	assert_string_equal(h.last, "last");
	assert_int_equal(t.lost, MANY);
	assert_int_equal(t.damage, 2);
}

static void what_cannot_be_kept_is_still_damage(void **state)
{
	struct verify_report r = { .key = "k" };
	struct verify_totals t = { 0 };
	struct heard h = { 0 };
	const struct verify_options o = { .fn = hear, .arg = &h };

	(void)state;
	setenv("TMPDIR", "/nowhere/at/all", 1);
	lose_many(&r);
	unsetenv("TMPDIR");
	verify_report_tell(&r, &o, &t);
	assert_non_null(strstr(h.last, "could not be kept"));
	assert_int_equal(t.lost, MANY);
	assert_int_equal(t.damage, 1);
}

static void the_first_text_can_be_had(void **state)
{
	struct verify_report r = { .key = "k" };
	char *text;

	(void)state;
	assert_null(verify_report_first(&r));
	verify_damage(&r, 5, "first");
	verify_damage(&r, 5, "second");
	text = verify_report_first(&r);
	assert_string_equal(text, "first");
	free(text);
	verify_report_drop(&r);
	assert_null(verify_report_first(&r));
}

static void a_long_text_is_cut(void **state)
{
	struct verify_report r = { .key = "k" };
	char text[5000];
	char *is;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	verify_damage(&r, 5, "%s", text);
	is = verify_report_first(&r);
	assert_int_equal(strlen(is), 1023);
	free(is);
	verify_report_drop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_than_memory_is_told_in_order),
		cmocka_unit_test(one_report_is_put_behind_another),
		cmocka_unit_test(what_cannot_be_kept_is_still_damage),
		cmocka_unit_test(the_first_text_can_be_had),
		cmocka_unit_test(a_long_text_is_cut),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
