/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "exchange/manifest-results.h"
#include "unit.h"

#define THREADS 4u
#define EACH 5000u
#define KEY_TEXT 16

static struct manifest_results *new_results(void)
{
	struct manifest_results *r = NULL;
	struct err err;

	assert_int_equal(manifest_results_new("/tmp", &r, &err), RC_OK);
	return r;
}

/* Some again and again, some once. */
static void put_key(char out[KEY_TEXT], uint64_t number)
{
	if (number % 5)
		number %= 101;
	snprintf(out, KEY_TEXT, "shard%u", (unsigned int)number);
}

static void set_one(struct manifest_results *r, uint64_t number)
{
	struct err why = { .msg = "" };
	char key[KEY_TEXT];
	struct feed_result result = { .number = number };

	put_key(key, number);
	err_set(&why, RC_IO, "why %u", (unsigned int)number);
	if (number % 3 == 1)
		return;
	if (number % 3 == 2) {
		result.status = FEED_FAILED;
		result.why = &why;
	} else {
		result.status = FEED_ARCHIVED;
		result.shard = key;
		result.has_sha256 = true;
		memset(result.sha256, (int)(number % 251),
		       sizeof(result.sha256));
	}
	manifest_results_set(r, &result);
}

static void assert_one(struct manifest_results *r, uint64_t number)
{
	struct manifest_result is;
	struct err err;
	char text[KEY_TEXT];

	assert_int_equal(manifest_results_get(r, number, &is, &err), RC_OK);
	assert_int_equal(is.is_known, number % 3 != 1);
	if (number % 3 == 1)
		return;
	if (number % 3 == 2) {
		snprintf(text, sizeof(text), "why %u", (unsigned int)number);
		assert_int_equal(is.status, FEED_FAILED);
		assert_string_equal(is.why, text);
		assert_null(is.shard);
		assert_false(is.has_sha256);
		return;
	}
	put_key(text, number);
	assert_int_equal(is.status, FEED_ARCHIVED);
	assert_null(is.why);
	assert_string_equal(is.shard, text);
	assert_true(is.has_sha256);
	assert_int_equal(is.sha256[31], number % 251);
}

struct teller {
	pthread_t thread;
	struct manifest_results *r;
	unsigned int i;
};

/* Its share of the numbers, the last first. */
static void *tell(void *arg)
{
	struct teller *t = arg;

	for (unsigned int n = EACH; n-- > 0;)
		set_one(t->r, (uint64_t)n * THREADS + t->i);
	return NULL;
}

static void results_come_in_any_order_from_any_thread(void **state)
{
	struct manifest_results *r = new_results();
	struct teller t[THREADS];

	(void)state;
	for (unsigned int i = 0; i < THREADS; i++) {
		t[i] = (struct teller){ .r = r, .i = i };
		assert_false(pthread_create(&t[i].thread, NULL, tell, &t[i]));
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(t[i].thread, NULL);
	for (uint64_t n = 0; n < (uint64_t)THREADS * EACH; n++)
		assert_one(r, n);
	manifest_results_free(r);
}

static void a_record_that_nobody_told_of_is_not_known(void **state)
{
	struct manifest_results *r = new_results();
	struct manifest_result is = { .is_known = true };
	struct err err;

	(void)state;
	assert_int_equal(manifest_results_get(r, 1000000, &is, &err), RC_OK);
	assert_false(is.is_known);
	set_one(r, 9);
	assert_int_equal(manifest_results_get(r, 8, &is, &err), RC_OK);
	assert_false(is.is_known);
	assert_one(r, 9);
	manifest_results_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_come_in_any_order_from_any_thread),
		cmocka_unit_test(a_record_that_nobody_told_of_is_not_known),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
