/* SPDX-License-Identifier: Apache-2.0 */
/* cond.c - tests of waiting for a time. */
#include "config.h"

#include "base/cond.h"

#include "base/clock.h"
#include "unit.h"

static void the_time_comes_whatever_the_clock_says(void **state)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t c;

	(void)state;
	cond_init(&c);
	clock_freeze(0, 0);
	pthread_mutex_lock(&lock);
	while (cond_wait_for(&c, &lock, CLOCK_NS_PER_MS))
		continue;
	while (cond_wait_for(&c, &lock, 0))
		continue;
	pthread_mutex_unlock(&lock);
	clock_thaw();
	pthread_cond_destroy(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_time_comes_whatever_the_clock_says),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
