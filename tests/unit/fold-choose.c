/* SPDX-License-Identifier: Apache-2.0 */
/* fold-choose.c - which checkpoints are put together, and which may go. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "repack/fold-objects.h"

#include "unit.h"

#define N 8u
#define NOW (INT64_C(1795256130) * CLOCK_US_PER_SEC)
#define OLD (NOW - 3600 * CLOCK_US_PER_SEC)
#define MANY 100u

struct fixture {
	struct fold_objects f;
	struct oplog_record records[N];
	const struct oplog_record **todo;
	size_t n_todo;
};

static int set_up(void **state)
{
	struct fixture *x = xcalloc(1, sizeof(*x));

	x->f.n_records = N;
	x->f.records = xcalloc(N, sizeof(*x->f.records));
	x->f.covers = xcalloc(N, sizeof(*x->f.covers));
	for (size_t i = 0; i < N; i++) {
		x->records[i].time = OLD;
		x->f.records[i] = &x->records[i];
	}
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *x = *state;

	free(x->todo);
	fold_objects_release(&x->f);
	free(x);
	return 0;
}

/* A checkpoint with the records from first on; returns its number. */
static size_t add(struct fixture *x, int64_t time, size_t first, size_t n)
{
	struct fold_objects *f = &x->f;
	struct fold_object *o;

	f->all = mem_grow(f->all, &f->cap, f->n + 1, sizeof(*f->all));
	o = &f->all[f->n];
	*o = (struct fold_object){ .is_checkpoint = true,
				   .time = time,
				   .name = xasprintf("checkpoint-%lld-%zu",
						     (long long)time, f->n) };
	o->members = xcalloc(n, sizeof(*o->members));
	for (; o->n < n; o->n++)
		o->members[o->n] = first + o->n;
	return f->n++;
}

static void choose(struct fixture *x)
{
	fold_objects_cover(&x->f);
	free(x->todo);
	x->n_todo = fold_objects_choose(&x->f, MANY, NOW, NOW, &x->todo);
}

static bool goes(const struct fixture *x, size_t i)
{
	return fold_object_may_go(&x->f, &x->f.all[i]);
}

static void of_two_that_are_equal_the_later_stays(void **state)
{
	struct fixture *x = *state;
	size_t later = add(x, OLD + 1, 0, 3), first = add(x, OLD, 0, 3);

	choose(x);
	assert_int_equal(x->n_todo, 0);
	assert_true(goes(x, first));
	assert_false(goes(x, later));
}

static void dirt_goes_for_later_ones_only(void **state)
{
	struct fixture *x = *state;
	size_t clean = add(x, OLD, 0, 3), dirty = add(x, OLD + 1, 0, 3);

	x->f.all[dirty].is_dirty = true;
	choose(x);
	assert_int_equal(x->n_todo, 3);
	assert_false(goes(x, dirty));
	assert_false(goes(x, clean));
	assert_true(x->f.after > OLD + 1);
}

static void far_ahead_dirt_goes_all_the_same(void **state)
{
	struct fixture *x = *state;
	size_t clean = add(x, OLD, 0, 3);
	size_t dirty = add(x, NOW + 2 * CLOCK_SKEW_US, 0, 3);

	x->f.all[dirty].is_dirty = true;
	choose(x);
	assert_int_equal(x->n_todo, 0);
	assert_true(goes(x, dirty));
	assert_false(goes(x, clean));
	assert_true(x->f.after < NOW);
}

static void what_is_spare_waits_for_nothing_of_the_future(void **state)
{
	struct fixture *x = *state;
	size_t first = add(x, OLD, 0, 3);
	size_t ahead = add(x, NOW + 1, 0, 3);

	choose(x);
	assert_int_equal(x->n_todo, 0);
	assert_false(goes(x, first));
	assert_false(goes(x, ahead));
}

static void four_small_ones_become_one(void **state)
{
	struct fixture *x = *state;

	for (size_t i = 0; i < 3; i++)
		(void)!add(x, OLD + (int64_t)i, 2 * i, 2);
	choose(x);
	assert_int_equal(x->n_todo, 0);
	(void)!add(x, OLD + 3, 6, 2);
	choose(x);
	assert_int_equal(x->n_todo, 8);
	for (size_t i = 0; i < 4; i++)
		assert_false(goes(x, i));
}

/* Else what is dirty would never go where each round puts all together anew. */
static void what_is_spare_has_stood_all_the_same(void **state)
{
	struct fixture *x = *state;
	size_t dirty = add(x, OLD, 0, 3), small = add(x, OLD + 1, 0, 3), all;

	x->f.all[dirty].is_dirty = true;
	all = add(x, NOW, 0, 5);
	choose(x);
	assert_int_equal(x->n_todo, 0);
	assert_true(goes(x, dirty) && goes(x, small));
	assert_false(goes(x, all));
	assert_int_equal(fold_object_since(&x->f, &x->f.all[dirty]), OLD + 1);
	assert_int_equal(fold_object_since(&x->f, &x->f.all[small]), NOW);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_two_that_are_equal_the_later_stays),
		TEST(dirt_goes_for_later_ones_only),
		TEST(far_ahead_dirt_goes_all_the_same),
		TEST(what_is_spare_waits_for_nothing_of_the_future),
		TEST(four_small_ones_become_one),
		TEST(what_is_spare_has_stood_all_the_same),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
