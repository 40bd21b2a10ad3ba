/* SPDX-License-Identifier: Apache-2.0 */
/* block-cache.c - tests of the cache: one load, bounds, failures, threads. */
#include "config.h"

#include "cache/block-cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "unit.h"

#define SIZE 100u

static atomic_uint n_loads, n_alive;

struct request {
	uint64_t value;
	size_t size;
	unsigned int delay_us;
	enum rc rc;
};

static void destroy(void *p)
{
	atomic_fetch_sub(&n_alive, 1);
	free(p);
}

static enum rc load(void *arg, struct block_cache_object *ret, struct err *err)
{
	const struct request *rq = arg;
	uint64_t *p;

	atomic_fetch_add(&n_loads, 1);
	if (rq->delay_us)
		usleep(rq->delay_us);
	if (rq->rc)
		return err_set(err, rq->rc, "no %d", (int)rq->value);
	p = xcalloc(1, sizeof(*p));
	*p = rq->value;
	atomic_fetch_add(&n_alive, 1);
	*ret = (struct block_cache_object){ p, rq->size, destroy };
	return RC_OK;
}

static struct block_cache_key key_of(uint64_t v)
{
	return (struct block_cache_key){ v % 7, v };
}

static enum rc get(struct block_cache *c, uint64_t v, size_t size, enum rc rc,
		   struct block_cache_item **ret)
{
	struct request rq = { .value = v, .size = size, .rc = rc };
	struct err err;

	return block_cache_get(c, key_of(v), load, &rq, ret, &err);
}

/* Get and give back. */
static void use(struct block_cache *c, uint64_t v)
{
	struct block_cache_item *item = NULL;

	assert_int_equal(get(c, v, SIZE, RC_OK, &item), RC_OK);
	assert_true(*(uint64_t *)block_cache_object(item) == v);
	block_cache_unref(item);
}

static bool has(struct block_cache *c, uint64_t v)
{
	struct block_cache_item *item = block_cache_peek(c, key_of(v));

	block_cache_unref(item);
	return item;
}

static void an_object_is_loaded_once(void **state)
{
	struct block_cache *c = block_cache_new(10 * SIZE);
	struct block_cache_stats st;

	(void)state;
	n_loads = 0;
	use(c, 1);
	use(c, 1);
	use(c, 2);
	block_cache_stats(c, &st);
	assert_int_equal(n_loads, 2);
	assert_int_equal(st.hits, 1);
	assert_int_equal(st.misses, 2);
	assert_int_equal(st.bytes, 2 * SIZE);
	block_cache_free(c);
	assert_int_equal(n_alive, 0);
}

static void the_bound_is_kept_and_used_objects_stay(void **state)
{
	struct block_cache *c = block_cache_new(1000 * SIZE);
	struct block_cache_stats st;
	unsigned int n_kept = 0;

	(void)state;
	for (uint64_t v = 0; v < 10000; v++) {
		use(c, v);
		if (v >= 100)
			use(c, v % 100);
	}
	block_cache_stats(c, &st);
	assert_true(st.bytes <= 1000 * SIZE);
	assert_int_equal(n_alive, st.bytes / SIZE);
	for (uint64_t v = 0; v < 100; v++)
		n_kept += has(c, v);
	assert_true(n_kept > 90);
	block_cache_free(c);
	assert_int_equal(n_alive, 0);
}

/* n objects from v on, each used several times in a row. */
static void scan(struct block_cache *c, uint64_t v, unsigned int n)
{
	for (uint64_t end = v + n; v < end; v++)
		for (unsigned int i = 0; i < 30; i++)
			use(c, v);
}

static unsigned int n_of_first(struct block_cache *c, unsigned int n)
{
	unsigned int n_kept = 0;

	for (uint64_t v = 0; v < n; v++)
		n_kept += has(c, v);
	return n_kept;
}

static void a_scan_does_not_push_out_what_is_used_all_day(void **state)
{
	struct block_cache *c = block_cache_new(1000 * SIZE);

	(void)state;
	scan(c, 0, 500);
	scan(c, 10000, 1000); /* they leave, but are remembered */
	assert_int_equal(n_of_first(c, 500), 0);
	scan(c, 0, 500);
	scan(c, 20000, 10000);
	assert_int_equal(n_of_first(c, 500), 500);
	block_cache_free(c);
	assert_int_equal(n_alive, 0);
}

static void what_is_no_longer_used_leaves(void **state)
{
	struct block_cache *c = block_cache_new(1000 * SIZE);

	(void)state;
	for (uint64_t v = 0; v < 5000; v += 500) {
		scan(c, v, 500);
		scan(c, v + 10000, 500);
		scan(c, v, 500);
	}
	assert_int_equal(n_of_first(c, 500), 0);
	block_cache_free(c);
	assert_int_equal(n_alive, 0);
}

static void what_left_long_ago_is_forgotten(void **state)
{
	struct block_cache *c = block_cache_new(1000 * SIZE);

	(void)state;
	scan(c, 0, 500);
	scan(c, 10000, 3000);
	scan(c, 0, 500);
	scan(c, 20000, 1000);
	assert_int_equal(n_of_first(c, 500), 0);
	block_cache_free(c);
}

static void many_parts_keep_one_bound(void **state)
{
	const size_t size = 64 << 10;
	struct block_cache *c = block_cache_new(1000 * size);
	struct block_cache_stats st;

	(void)state;
	for (uint64_t v = 0; v < 5000; v++) {
		struct block_cache_item *item = NULL;

		assert_int_equal(get(c, v, size, RC_OK, &item), RC_OK);
		block_cache_unref(item);
		block_cache_stats(c, &st);
		assert_true(st.bytes <= 1000 * size);
	}
	assert_true(st.bytes > 900 * size);
	block_cache_free(c);
	assert_int_equal(n_alive, 0);
}

static void a_held_object_outlives_eviction_and_the_cache(void **state)
{
	struct block_cache *c = block_cache_new(2 * SIZE);
	struct block_cache_item *item = NULL;

	(void)state;
	assert_int_equal(get(c, 5, SIZE, RC_OK, &item), RC_OK);
	for (uint64_t v = 10; v < 100; v++)
		use(c, v);
	assert_true(has(c, 5));
	block_cache_free(c);
	assert_int_equal(n_alive, 1);
	assert_true(*(uint64_t *)block_cache_object(item) == 5);
	block_cache_unref(item);
	assert_int_equal(n_alive, 0);
}

/* So many that a look at all of them for each that is taken would be felt. */
static void what_was_held_is_evicted_when_it_is_given_back(void **state)
{
	enum { N_HELD = 40000 };
	struct block_cache *c = block_cache_new(2 * SIZE);
	struct block_cache_item **held =
		calloc(N_HELD, sizeof(struct block_cache_item *));
	struct block_cache_stats s;

	(void)state;
	assert_non_null(held);
	for (size_t i = 0; i < N_HELD; i++)
		assert_int_equal(get(c, 1000 + i, SIZE, RC_OK, &held[i]),
				 RC_OK);
	for (size_t i = 0; i < N_HELD; i++) {
		assert_true(*(uint64_t *)block_cache_object(held[i]) ==
			    1000 + i);
		block_cache_unref(held[i]);
	}
	use(c, 5);
	block_cache_stats(c, &s);
	assert_true(s.bytes <= 2 * SIZE);
	block_cache_free(c);
	assert_int_equal(n_alive, 0);
	free(held);
}

static void an_object_larger_than_the_bound_is_served_not_kept(void **state)
{
	struct block_cache *c = block_cache_new(SIZE);
	struct block_cache_item *item = NULL;

	(void)state;
	assert_int_equal(get(c, 5, SIZE + 1, RC_OK, &item), RC_OK);
	assert_true(*(uint64_t *)block_cache_object(item) == 5);
	assert_false(has(c, 5));
	block_cache_unref(item);
	assert_int_equal(n_alive, 0);
	block_cache_free(c);
}

static void a_failure_is_not_kept(void **state)
{
	struct block_cache *c = block_cache_new(10 * SIZE);
	struct block_cache_item *item = NULL;

	(void)state;
	assert_int_equal(get(c, 1, SIZE, RC_CORRUPT, &item), RC_CORRUPT);
	assert_false(has(c, 1));
	use(c, 1);
	assert_true(has(c, 1));
	block_cache_free(c);
}

struct crowd {
	struct block_cache *c;
	enum rc rc;
	pthread_barrier_t start;
};

static void *one_of_the_crowd(void *arg)
{
	struct crowd *crowd = arg;
	struct request rq = {
		.value = 77, .size = SIZE, .delay_us = 100000, .rc = crowd->rc
	};
	struct block_cache_item *item = NULL;
	struct err err = { 0 };
	enum rc rc;

	pthread_barrier_wait(&crowd->start);
	rc = block_cache_get(crowd->c, key_of(77), load, &rq, &item, &err);
	assert_int_equal(rc, crowd->rc);
	if (rc)
		assert_string_equal(err.msg, "no 77");
	else
		assert_true(*(uint64_t *)block_cache_object(item) == 77);
	block_cache_unref(item);
	return NULL;
}

static unsigned int crowd_loads(enum rc rc)
{
	struct crowd crowd = { .c = block_cache_new(10 * SIZE), .rc = rc };
	pthread_t t[8];

	n_loads = 0;
	pthread_barrier_init(&crowd.start, NULL, ARRAY_LEN(t));
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(
			pthread_create(&t[i], NULL, one_of_the_crowd, &crowd),
			0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		pthread_join(t[i], NULL);
	pthread_barrier_destroy(&crowd.start);
	block_cache_free(crowd.c);
	assert_int_equal(n_alive, 0);
	return n_loads;
}

static void those_who_wait_share_one_load(void **state)
{
	(void)state;
	assert_int_equal(crowd_loads(RC_OK), 1);
	/* A late one may have found the failure gone. */
	assert_in_range(crowd_loads(RC_IO), 1, 8);
}

static void finding_does_not_load(void **state)
{
	struct block_cache *c = block_cache_new(10 * SIZE);
	struct block_cache_item *item;
	struct block_cache_stats st;

	(void)state;
	n_loads = 0;
	assert_null(block_cache_find(c, key_of(1)));
	use(c, 1);
	item = block_cache_find(c, key_of(1));
	assert_true(*(uint64_t *)block_cache_object(item) == 1);
	block_cache_unref(item);
	block_cache_stats(c, &st);
	assert_int_equal(n_loads, 1);
	assert_int_equal(st.hits, 1);
	assert_int_equal(st.misses, 1);
	scan(c, 10, 10);
	assert_null(block_cache_find(c, key_of(1)));
	block_cache_free(c);
}

static void *wanderer(void *arg)
{
	struct block_cache *c = arg;
	uint64_t x = (uintptr_t)&x;

	for (int i = 0; i < 5000; i++) {
		struct block_cache_item *item = NULL;
		uint64_t v;

		x = x * UINT64_C(6364136223846793005) + 1;
		v = (x >> 33) % 300;
		item = i % 4 ? NULL : block_cache_find(c, key_of(v ^ 1));
		if (item)
			assert_true(*(uint64_t *)block_cache_object(item) ==
				    (v ^ 1));
		block_cache_unref(item);
		if (get(c, v, SIZE, v % 10 ? RC_OK : RC_IO, &item))
			continue;
		assert_true(*(uint64_t *)block_cache_object(item) == v);
		block_cache_unref(item);
	}
	return NULL;
}

static void many_threads_get_what_they_asked_for(void **state)
{
	struct block_cache *c = block_cache_new(50 * SIZE);
	struct block_cache_stats st;
	pthread_t t[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, wanderer, c), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		pthread_join(t[i], NULL);
	block_cache_stats(c, &st);
	assert_in_range(st.hits + st.misses, 4 * 5000, 5 * 5000);
	assert_true(st.bytes <= 50 * SIZE);
	block_cache_free(c);
	assert_int_equal(n_alive, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_loaded_once),
		cmocka_unit_test(the_bound_is_kept_and_used_objects_stay),
		cmocka_unit_test(a_scan_does_not_push_out_what_is_used_all_day),
		cmocka_unit_test(what_is_no_longer_used_leaves),
		cmocka_unit_test(what_left_long_ago_is_forgotten),
		cmocka_unit_test(many_parts_keep_one_bound),
		cmocka_unit_test(a_held_object_outlives_eviction_and_the_cache),
		cmocka_unit_test(
			what_was_held_is_evicted_when_it_is_given_back),
		cmocka_unit_test(
			an_object_larger_than_the_bound_is_served_not_kept),
		cmocka_unit_test(a_failure_is_not_kept),
		cmocka_unit_test(those_who_wait_share_one_load),
		cmocka_unit_test(finding_does_not_load),
		cmocka_unit_test(many_threads_get_what_they_asked_for),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
