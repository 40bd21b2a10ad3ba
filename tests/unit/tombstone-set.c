/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-set.c - tests of the set of what is deleted, beside a list. */
#include "config.h"

#include "erase/tombstone-set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/random.h"
#include "erase/tombstone.h"
#include "unit.h"

static void add(struct tombstone *t, const char *uid, enum erasure_range range,
		int64_t time)
{
	static const uint8_t id[ERASURE_ID_LEN];

	tombstone_add(t, id, uid, strlen(uid), range, time);
}

static struct tombstone_set *set_of(const struct tombstone_set *old,
				    const struct tombstone *t)
{
	struct tombstone_set *s = NULL;
	struct err err = { 0 };

	assert_int_equal(tombstone_set_new(&s, old, &t, 1, &err), RC_OK);
	return s;
}

static bool is_hidden(const struct tombstone_set *s, const char *uid,
		      int64_t created_at)
{
	struct span parent, name;

	entry_split_uid(span_of(uid, strlen(uid)), &parent, &name);
	return tombstone_set_hides(s, parent, name, created_at);
}

static void one_version_is_hidden_and_not_its_neighbours(void **state)
{
	CLEANUP(tombstone_release) struct tombstone t = { 0 };
	struct tombstone_set *s;

	(void)state;
	add(&t, "a/b", ERASURE_ONE, 1000000);
	s = set_of(NULL, &t);
	assert_true(is_hidden(s, "a/b", 1000000));
	assert_false(is_hidden(s, "a/b", 999999));
	assert_false(is_hidden(s, "a/b", 1000001));
	assert_false(is_hidden(s, "a/c", 1000000));
	assert_false(is_hidden(s, "a", 1000000));
	assert_false(is_hidden(s, "b", 1000000));
	assert_false(is_hidden(s, "a/b/", 1000000));
	assert_false(is_hidden(s, "/a/b", 1000000));
	tombstone_set_unref(s);
}

static void all_versions_up_to_a_time_are_hidden_and_it_too(void **state)
{
	CLEANUP(tombstone_release) struct tombstone t = { 0 };
	struct tombstone_uid u;
	struct tombstone_set *s;

	(void)state;
	add(&t, "x", ERASURE_UNTIL, 500);
	add(&t, "x", ERASURE_UNTIL, 300);
	add(&t, "x", ERASURE_ONE, 400);
	add(&t, "x", ERASURE_ONE, 500);
	add(&t, "x", ERASURE_ONE, 600);
	add(&t, "x", ERASURE_ONE, 600);
	s = set_of(NULL, &t);
	assert_int_equal(tombstone_set_count(s), 1);
	assert_true(is_hidden(s, "x", TIMESTAMP_MIN));
	assert_true(is_hidden(s, "x", 500));
	assert_false(is_hidden(s, "x", 501));
	assert_true(is_hidden(s, "x", 600));
	assert_false(is_hidden(s, "x", 601));
	/* What is said already is not kept. */
	assert_true(tombstone_set_find(s, span_of("", 0), span_of("x", 1), &u));
	assert_true(u.until == 500);
	assert_int_equal(u.n_times, 1);
	assert_true(u.times[0] == 600);
	assert_false(
		tombstone_set_find(s, span_of("x", 1), span_of("x", 1), &u));
	tombstone_set_unref(s);
}

static void nothing_is_the_empty_set(void **state)
{
	struct tombstone_set *s = (void *)&s;
	struct tombstone none = { 0 };
	const struct tombstone *docs[] = { &none };
	struct tombstone_diff d = { 0 };
	struct tombstone_uid u;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(tombstone_set_new(&s, NULL, docs, 1, &err), RC_OK);
	assert_null(s);
	assert_int_equal(tombstone_set_new(&s, NULL, NULL, 0, &err), RC_OK);
	assert_null(s);
	assert_false(is_hidden(NULL, "x", 1));
	assert_int_equal(tombstone_set_count(NULL), 0);
	assert_int_equal(tombstone_set_memory(NULL), 0);
	assert_false(tombstone_diff_next(&d, &u));
	assert_null(tombstone_set_ref(NULL));
	tombstone_set_unref(NULL);
}

static void uids_come_in_the_order_of_the_index(void **state)
{
	/* "a-" sorts before "a/" as bytes, the directory "a" before "a-". */
	static const char *const want[] = { "/r", "z", "a/1", "a/2", "a-/1" };
	CLEANUP(tombstone_release) struct tombstone t = { 0 };
	struct tombstone_set *s;

	(void)state;
	for (size_t i = ARRAY_LEN(want); i-- > 0;)
		add(&t, want[i], ERASURE_UNTIL, 1);
	s = set_of(NULL, &t);
	assert_int_equal(tombstone_set_count(s), ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct tombstone_uid u;

		tombstone_set_at(s, i, &u);
		assert_true(
			span_equal(u.uid, span_of(want[i], strlen(want[i]))));
		assert_true(u.until == 1);
		assert_int_equal(u.n_times, 0);
	}
	tombstone_set_unref(s);
}

static void a_reference_keeps_the_set_and_what_was_copied(void **state)
{
	struct tombstone t = { 0 };
	struct tombstone_set *s;

	(void)state;
	add(&t, "kept", ERASURE_UNTIL, 7);
	s = set_of(NULL, &t);
	tombstone_release(&t);
	assert_ptr_equal(tombstone_set_ref(s), s);
	tombstone_set_unref(s);
	assert_true(is_hidden(s, "kept", 7));
	tombstone_set_unref(s);
}

/* The uids that differ, one behind the other, are to be those. */
static void expect(const struct tombstone_set *before,
		   const struct tombstone_set *after, const char *uids)
{
	struct tombstone_diff d = { .before = before, .after = after };
	CLEANUP_BUF struct buf b = { .max = 64 };
	struct tombstone_uid u;

	while (tombstone_diff_next(&d, &u))
		buf_append(&b, u.uid.p, u.uid.len);
	assert_string_equal(buf_str(&b), uids);
}

static void only_what_is_newly_hidden_differs(void **state)
{
	CLEANUP(tombstone_release) struct tombstone one = { 0 };
	CLEANUP(tombstone_release) struct tombstone two = { 0 };
	struct tombstone_set *before, *after;

	(void)state;
	add(&one, "b", ERASURE_UNTIL, 10);
	add(&one, "c", ERASURE_ONE, 10);
	add(&one, "d", ERASURE_ONE, 10);
	add(&one, "e", ERASURE_UNTIL, 10);
	add(&two, "a", ERASURE_ONE, 1);
	add(&two, "b", ERASURE_ONE, 9);   /* hidden already */
	add(&two, "c", ERASURE_UNTIL, 9); /* more */
	add(&two, "d", ERASURE_ONE, 11);  /* more */
	add(&two, "f", ERASURE_UNTIL, 1);
	before = set_of(NULL, &one);
	after = set_of(before, &two);
	expect(before, after, "acdf");
	expect(NULL, before, "bcde");
	expect(before, NULL, "");
	expect(after, before, "");
	expect(after, after, "");
	/* What a set without the second document shows again. */
	assert_true(is_hidden(after, "d", 10));
	assert_true(is_hidden(after, "d", 11));
	tombstone_set_unref(before);
	tombstone_set_unref(after);
}

#define N_UIDS 40u
#define N_TIMES 12u
#define N_SAID 60u

static void uid_at(size_t i, char ret[16])
{
	snprintf(ret, 16, "%s%zu", i % 3 ? "d/" : "", i);
}

/* What a list of all that was said would say. */
static bool list_hides(const struct tombstone *t, const char *uid, int64_t time)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct erasure *e = &t->erasures[i];

		if (!strcmp(e->uid, uid) &&
		    (e->range == ERASURE_UNTIL ? time <= e->time
					       : time == e->time))
			return true;
	}
	return false;
}

static void compare_with_list(const struct tombstone_set *s,
			      const struct tombstone *t, uint64_t seed)
{
	for (size_t u = 0; u < N_UIDS; u++) {
		char uid[16];

		uid_at(u, uid);
		for (int64_t time = -1; time <= (int64_t)N_TIMES; time++)
			if (is_hidden(s, uid, time) != list_hides(t, uid, time))
				fail_msg("seed %llu: %s, %lld",
					 (unsigned long long)seed, uid,
					 (long long)time);
	}
}

/* Added all at once, and one document after the other. */
static void a_set_says_what_a_list_would(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		CLEANUP(tombstone_release) struct tombstone all = { 0 };
		struct tombstone_set *grown = NULL, *whole;
		uint64_t r = seed;
		size_t n = random_next(&r) % N_SAID;

		for (size_t i = 0; i < n; i++) {
			CLEANUP(tombstone_release) struct tombstone t = { 0 };
			struct tombstone_set *next;
			char uid[16];
			enum erasure_range range = random_next(&r) % 2
							   ? ERASURE_ONE
							   : ERASURE_UNTIL;
			int64_t time = (int64_t)(random_next(&r) % N_TIMES);

			uid_at(random_next(&r) % N_UIDS, uid);
			add(&t, uid, range, time);
			add(&all, uid, range, time);
			next = set_of(grown, &t);
			tombstone_set_unref(grown);
			grown = next;
		}
		whole = set_of(NULL, &all);
		compare_with_list(grown, &all, seed);
		compare_with_list(whole, &all, seed);
		assert_int_equal(tombstone_set_count(grown),
				 tombstone_set_count(whole));
		tombstone_set_unref(grown);
		tombstone_set_unref(whole);
	}
}

static void memory_is_what_the_header_says(void **state)
{
	(void)state;
	for (size_t n = 1; n < 70000; n = n * 2 + 1) {
		CLEANUP(tombstone_release) struct tombstone t = { 0 };
		struct tombstone_set *s;
		size_t names = 0;

		for (size_t i = 0; i < n; i++) {
			char uid[32];

			names += (size_t)snprintf(uid, sizeof(uid), "u%zu", i);
			add(&t, uid, ERASURE_ONE, (int64_t)i);
		}
		s = set_of(NULL, &t);
		assert_int_equal(tombstone_set_count(s), n);
		assert_true(tombstone_set_memory(s) <= names + 62 * n + 300);
		assert_true(is_hidden(s, "u0", 0));
		assert_false(is_hidden(s, "u0", 1));
		tombstone_set_unref(s);
	}
}

static void names_are_shared_with_the_set_before(void **state)
{
	CLEANUP(tombstone_release) struct tombstone many = { 0 };
	struct tombstone_set *s, *first;
	char uid[200];

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		snprintf(uid, sizeof(uid), "%0180zu", i);
		add(&many, uid, ERASURE_UNTIL, (int64_t)i);
	}
	first = s = set_of(NULL, &many);
	tombstone_set_ref(first);
	/* Also where the names are taken together, now and then. */
	for (size_t i = 0; i < 100; i++) {
		CLEANUP(tombstone_release) struct tombstone one = { 0 };
		struct tombstone_uid a, b;
		struct tombstone_set *next;

		snprintf(uid, sizeof(uid), "0-%03zu", i);
		add(&one, uid, ERASURE_ONE, (int64_t)i);
		next = set_of(s, &one);
		tombstone_set_unref(s);
		s = next;
		assert_int_equal(tombstone_set_count(s), 1001 + i);
		tombstone_set_at(s, tombstone_set_count(s) - 1, &a);
		tombstone_set_at(first, 999, &b);
		assert_true(span_equal(a.uid, b.uid));
		assert_int_equal(a.uid.p == b.uid.p, i < 16);
		assert_true(is_hidden(s, uid, (int64_t)i));
		assert_true(is_hidden(s, "0-000", 0));
	}
	tombstone_set_unref(first);
	tombstone_set_unref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_version_is_hidden_and_not_its_neighbours),
		cmocka_unit_test(
			all_versions_up_to_a_time_are_hidden_and_it_too),
		cmocka_unit_test(nothing_is_the_empty_set),
		cmocka_unit_test(uids_come_in_the_order_of_the_index),
		cmocka_unit_test(a_reference_keeps_the_set_and_what_was_copied),
		cmocka_unit_test(only_what_is_newly_hidden_differs),
		cmocka_unit_test(a_set_says_what_a_list_would),
		cmocka_unit_test(memory_is_what_the_header_says),
		cmocka_unit_test(names_are_shared_with_the_set_before),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
