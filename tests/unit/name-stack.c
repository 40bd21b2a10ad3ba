/* SPDX-License-Identifier: Apache-2.0 */
/* name-stack.c - tests of the names of directories to be entered. */
#include "config.h"

#include "pack/name-stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define SMALL 1000u
#define BOUND (1u << 20) /* of memory: what is gathered for a write, doubled \
			  */
#define MANY 100000u

/* Name i of a directory: of many lengths. */
static size_t name_of(char name[NAME_STACK_BYTES], unsigned int dir,
		      unsigned int i)
{
	return 1 + (size_t)snprintf(name, NAME_STACK_BYTES, "%u %u %0*u", dir,
				    i, 1 + (int)(i * 7 % 50), i);
}

static void add(struct name_stack *s, struct name_range *r, unsigned int dir,
		unsigned int from, unsigned int to)
{
	char name[NAME_STACK_BYTES];
	struct err err;

	for (unsigned int i = from; i < to; i++) {
		size_t len = name_of(name, dir, i);

		assert_int_equal(name_stack_add(s, r, name, len, &err), RC_OK);
		assert_true(s->spool.mem.cap <= BOUND);
	}
}

static void take(struct name_stack *s, struct name_range *r, unsigned int dir,
		 unsigned int from, unsigned int to)
{
	char name[NAME_STACK_BYTES], want[NAME_STACK_BYTES];
	struct err err;

	for (unsigned int i = from; i < to; i++) {
		assert_false(name_range_is_empty(r));
		assert_int_equal(name_stack_take(s, r, name, &err), RC_OK);
		name_of(want, dir, i);
		assert_string_equal(name, want);
	}
}

/* All names from dir and first on, one after the other: how many. */
static unsigned int check_split(const char *names, size_t len, unsigned int dir,
				unsigned int first)
{
	char want[NAME_STACK_BYTES];
	unsigned int n = 0;

	for (size_t at = 0; at < len; n++) {
		size_t l = name_of(want, dir, first + n);

		assert_true(l <= len - at);
		assert_memory_equal(names + at, want, l);
		at += l;
	}
	return n;
}

/* Split once: how many names of n from first on are left. */
static unsigned int split(struct name_stack *s, struct name_range *r,
			  unsigned int first, unsigned int n)
{
	char *names = NULL, *nul;
	unsigned int at = 0, given;
	size_t len = 0;
	struct err err;

	assert_int_equal(name_stack_split(s, r, &names, &len, &err), RC_OK);
	assert_in_range(len, 1, 64 << 10);
	assert_int_equal(names[len - 1], 0);
	nul = memchr(names, ' ', len);
	assert_non_null(nul);
	at = (unsigned int)strtoul(nul, NULL, 10);
	given = check_split(names, len, 3, at);
	assert_int_equal(at + given, first + n);
	free(names);
	return n - given;
}

static void many_names_stay_in_order_and_out_of_memory(void **state)
{
	struct name_stack s;
	struct name_range a, b, c;

	(void)state;
	name_stack_init(&s, "/tmp", SMALL);
	a = name_stack_begin(&s);
	add(&s, &a, 1, 0, MANY);
	assert_true(s.spool.written > 0);
	take(&s, &a, 1, 0, 10);
	b = name_stack_begin(&s);
	assert_true(name_range_is_empty(&b));
	add(&s, &b, 2, 0, MANY);
	take(&s, &b, 2, 0, MANY / 2);
	c = name_stack_begin(&s);
	add(&s, &c, 3, 0, 5);
	take(&s, &c, 3, 0, 5);
	assert_true(name_range_is_empty(&c));
	name_stack_end(&s, &c);
	take(&s, &b, 2, MANY / 2, MANY - 1);
	/* One is left when it ends, as when a walk is stopped. */
	name_stack_end(&s, &b);
	take(&s, &a, 1, 10, 20);
	b = name_stack_begin(&s);
	add(&s, &b, 4, 0, 2000);
	take(&s, &b, 4, 0, 2000);
	name_stack_end(&s, &b);
	take(&s, &a, 1, 20, MANY);
	assert_true(name_range_is_empty(&a));
	name_stack_end(&s, &a);
	assert_int_equal(spool_len(&s.spool), 0);
	name_stack_release(&s);
}

static void few_names_need_no_file(void **state)
{
	struct name_stack s;
	struct name_range a, b;

	(void)state;
	name_stack_init(&s, "/nowhere", SMALL);
	a = name_stack_begin(&s);
	add(&s, &a, 1, 0, 5);
	for (unsigned int i = 0; i < 100; i++) {
		b = name_stack_begin(&s);
		add(&s, &b, 2, 0, 5);
		take(&s, &b, 2, 0, 4);
		name_stack_end(&s, &b);
	}
	take(&s, &a, 1, 0, 5);
	name_stack_release(&s);
}

static void half_of_few_names_is_split_off(void **state)
{
	struct name_stack s;
	struct name_range r;
	bool is_single = true;
	struct err err;

	(void)state;
	name_stack_init(&s, "/tmp", SMALL);
	r = name_stack_begin(&s);
	add(&s, &r, 3, 0, 10);
	take(&s, &r, 3, 0, 2);
	assert_in_range(split(&s, &r, 2, 8), 3, 5);
	take(&s, &r, 3, 2, 4);
	assert_int_equal(name_stack_is_single(&s, &r, &is_single, &err), RC_OK);
	while (!is_single) {
		char *names = NULL;
		size_t len;

		assert_int_equal(name_stack_split(&s, &r, &names, &len, &err),
				 RC_OK);
		free(names);
		assert_false(name_range_is_empty(&r));
		assert_int_equal(name_stack_is_single(&s, &r, &is_single, &err),
				 RC_OK);
	}
	assert_int_equal(split(&s, &r, 4, 1), 0);
	assert_true(name_range_is_empty(&r));
	name_stack_release(&s);
}

static void of_many_names_a_share_is_split_off(void **state)
{
	struct name_stack s;
	struct name_range r;
	unsigned int left = MANY, before;

	(void)state;
	name_stack_init(&s, "/tmp", SMALL);
	r = name_stack_begin(&s);
	add(&s, &r, 3, 0, MANY);
	do {
		before = left;
		left = split(&s, &r, 0, before);
	} while (left > 1 && left < before);
	assert_int_equal(left, 1);
	take(&s, &r, 3, 0, 1);
	assert_true(name_range_is_empty(&r));
	name_stack_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_names_stay_in_order_and_out_of_memory),
		cmocka_unit_test(few_names_need_no_file),
		cmocka_unit_test(half_of_few_names_is_split_off),
		cmocka_unit_test(of_many_names_a_share_is_split_off),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
