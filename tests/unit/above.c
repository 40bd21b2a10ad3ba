/* SPDX-License-Identifier: Apache-2.0 */
/* above.c - tests of the directories above items. */
#include "config.h"

#include "unit.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "pack/above.h"

static struct buf told;

static enum rc tell(void *arg, struct span dir, int64_t created_at,
		    struct err *err)
{
	(void)arg;
	(void)err;
	buf_printf(&told, "<%.*s %" PRId64 ">", (int)dir.len, dir.p,
		   created_at);
	return RC_OK;
}

static void add(struct above *a, const char *parent, int64_t created_at)
{
	struct err err;

	assert_int_equal(above_add(a, span_of(parent, strlen(parent)),
				   created_at, tell, NULL, &err),
			 RC_OK);
}

/* Those told since the last call. */
static void expect(const char *text)
{
	assert_string_equal(told.len ? buf_str(&told) : "", text);
	buf_clear(&told);
}

static void end(struct above *a)
{
	struct err err;

	assert_int_equal(above_end(a, tell, NULL, &err), RC_OK);
}

static void a_directory_is_told_when_items_leave_it(void **state)
{
	struct above a = { 0 };

	(void)state;
	add(&a, "a/b", 5);
	add(&a, "a/b", 3);
	expect("");
	add(&a, "a/b/c", 4);
	expect("");
	add(&a, "a/d", 1);
	expect("<a/b/c 4><a/b 5>");
	add(&a, "", 9);
	expect("<a/d 1><a 5>");
	end(&a);
	expect("< 9>");
	end(&a);
	expect("");
	above_release(&a);
}

static void the_newest_time_goes_up(void **state)
{
	struct above a = { 0 };

	(void)state;
	add(&a, "a/b/c", -5);
	add(&a, "a/x", -7);
	expect("<a/b/c -5><a/b -5>");
	end(&a);
	expect("<a/x -7><a -5>< -5>");
	above_release(&a);
}

static void names_that_begin_alike_are_others(void **state)
{
	struct above a = { 0 };

	(void)state;
	add(&a, "ab", 1);
	add(&a, "a", 2);
	expect("<ab 1>");
	add(&a, "abc", 3);
	expect("<a 2>");
	end(&a);
	expect("<abc 3>< 3>");
	above_release(&a);
}

static void odd_names_are_split_as_uids_are(void **state)
{
	struct above a = { 0 };

	(void)state;
	add(&a, "a//b", 1);
	add(&a, "/c", 2);
	expect("<a//b 1><a/ 1><a 1>");
	add(&a, "/", 3);
	expect("</c 2>");
	end(&a);
	expect("</ 3>< 3>");
	above_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_is_told_when_items_leave_it),
		cmocka_unit_test(the_newest_time_goes_up),
		cmocka_unit_test(names_that_begin_alike_are_others),
		cmocka_unit_test(odd_names_are_split_as_uids_are),
	};
	int rc;

	buf_init(&told, 4096);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	buf_release(&told);
	return rc;
}
