/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c - tests of the bounded queue between threads. */
#include "config.h"

#include "base/queue.h"

#include <pthread.h>
#include <stdatomic.h>

#include "unit.h"

static void what_goes_in_comes_out_in_order(void **state)
{
	struct queue *q = queue_new(3);
	int v[5];
	void *p = NULL;

	(void)state;
	/* More rounds than places, so that the ring wraps. */
	for (int round = 0; round < 4; round++) {
		assert_true(queue_push(q, &v[0]));
		assert_true(queue_push(q, NULL));
		assert_true(queue_pop(q, &p));
		assert_ptr_equal(p, &v[0]);
		assert_true(queue_pop(q, &p));
		assert_null(p);
	}
	queue_free(q);
	queue_free(NULL);
}

static void a_closed_queue_is_emptied_but_not_filled(void **state)
{
	struct queue *q = queue_new(2);
	void *p = NULL;
	int v;

	(void)state;
	assert_true(queue_push(q, &v));
	queue_close(q);
	queue_close(q);
	assert_false(queue_push(q, &v));
	assert_true(queue_pop(q, &p));
	assert_ptr_equal(p, &v);
	assert_false(queue_pop(q, &p));
	queue_free(q);
}

struct party {
	struct queue *q;
	atomic_ulong sum;
	atomic_int n_refused;
};

#define PER_THREAD 2000

static void *produce(void *arg)
{
	static char items[PER_THREAD];
	struct party *party = arg;

	for (size_t i = 0; i < PER_THREAD; i++) {
		if (!queue_push(party->q, &items[i]))
			atomic_fetch_add(&party->n_refused, 1);
	}
	return items;
}

static void *consume(void *arg)
{
	struct party *party = arg;
	void *p;

	while (queue_pop(party->q, &p))
		atomic_fetch_add(&party->sum, 1);
	return NULL;
}

static void many_threads_lose_nothing(void **state)
{
	struct party party = { .q = queue_new(4) };
	pthread_t makers[3], takers[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		pthread_create(&makers[i], NULL, produce, &party);
		pthread_create(&takers[i], NULL, consume, &party);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(makers[i], NULL);
	queue_close(party.q);
	for (int i = 0; i < 3; i++)
		pthread_join(takers[i], NULL);
	assert_int_equal(atomic_load(&party.sum), 3 * PER_THREAD);
	assert_int_equal(atomic_load(&party.n_refused), 0);
	queue_free(party.q);
}

static void closing_wakes_all_who_wait(void **state)
{
	struct party empty = { .q = queue_new(1) };
	struct party full = { .q = queue_new(1) };
	pthread_t takers[2], makers[2];

	(void)state;
	assert_true(queue_push(full.q, &full));
	for (int i = 0; i < 2; i++) {
		pthread_create(&takers[i], NULL, consume, &empty);
		pthread_create(&makers[i], NULL, produce, &full);
	}
	queue_close(empty.q);
	queue_close(full.q);
	for (int i = 0; i < 2; i++) {
		pthread_join(takers[i], NULL);
		pthread_join(makers[i], NULL);
	}
	assert_int_equal(atomic_load(&full.n_refused), 2 * PER_THREAD);
	queue_free(empty.q);
	queue_free(full.q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out_in_order),
		cmocka_unit_test(a_closed_queue_is_emptied_but_not_filled),
		cmocka_unit_test(many_threads_lose_nothing),
		cmocka_unit_test(closing_wakes_all_who_wait),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
