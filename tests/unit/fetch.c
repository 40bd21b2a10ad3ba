/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.c - tests of ranges: counts of reads, waiting, failures, bounds. */
#include "config.h"

#include "volume/fetch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "unit.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define BLOCK (100 * KIB) /* ranges do not end with blocks */
#define DATA (256 * MIB)

/* A store whose bytes tell where they are. */
struct fake {
	atomic_uint n_reads, n_ahead;
	_Atomic uint64_t n_bytes;
	unsigned int delay_us;
	enum rc rc;       /* of reads with bytes of several blocks */
	enum rc rc_alone; /* of others */
	pthread_mutex_t lock;
	bool hold; /* reads ahead, guarded by lock */
	pthread_cond_t changed;
};

static struct fake fake;
static struct fetch *f;
static struct fetch_source source;

static uint8_t byte_at(uint64_t off)
{
	return (uint8_t)((off * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

static enum rc fake_read(void *arg, const struct fetch_source *src,
			 uint64_t off, void *buf, size_t len, bool is_ahead,
			 struct err *err)
{
	uint64_t at = off - source.data.lo;
	bool is_alone = at / BLOCK == (at + len - 1) / BLOCK;
	enum rc rc = is_alone ? fake.rc_alone : fake.rc;
	uint8_t *p = buf;

	(void)arg;
	assert_true(off >= src->data.lo && off + len <= src->data.hi);
	atomic_fetch_add(&fake.n_reads, 1);
	atomic_fetch_add(&fake.n_bytes, len);
	if (is_ahead) {
		LOCK_SCOPE(&fake.lock);
		atomic_fetch_add(&fake.n_ahead, 1);
		pthread_cond_broadcast(&fake.changed);
		while (fake.hold)
			pthread_cond_wait(&fake.changed, &fake.lock);
	}
	if (fake.delay_us)
		usleep(fake.delay_us);
	if (rc)
		return err_set(err, rc, "%zu bytes at %d", len, (int)off);
	for (size_t i = 0; i < len; i++)
		p[i] = byte_at(off + i);
	return RC_OK;
}

static void start(unsigned int n_ahead, uint64_t max_bytes)
{
	const struct fetch_options o = { .read = fake_read,
					 .max_bytes = max_bytes,
					 .n_ahead = n_ahead };

	f = fetch_new(&o);
}

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	source = (struct fetch_source){ .id = 3, .data = { 192, 192 + DATA } };
	pthread_mutex_init(&fake.lock, NULL);
	pthread_cond_init(&fake.changed, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fetch_free(f);
	f = NULL;
	pthread_cond_destroy(&fake.changed);
	pthread_mutex_destroy(&fake.lock);
	return 0;
}

static struct byte_range block_at(uint64_t i)
{
	return (struct byte_range){ 192 + i * BLOCK, 192 + (i + 1) * BLOCK };
}

/* Blocks [first, end) are one directory, or the file. */
struct around {
	uint64_t first, end;
	bool is_file;
};

static void near(void *arg, struct readahead_near *ret)
{
	const struct around *a = arg;

	*ret = (struct readahead_near){
		.range = { block_at(a->first).lo, block_at(a->end).lo },
		.group = a->first,
		.is_file = a->is_file,
	};
}

static enum rc read_block(uint64_t i, struct around *a, struct err *err)
{
	const struct fetch_hint hint = { near, a };
	struct byte_range r = block_at(i);
	struct fetch_bytes b = { 0 };
	enum rc rc;

	rc = fetch_block(f, &source, r, a ? &hint : NULL, &b, err);
	if (rc)
		return rc;
	for (uint64_t at = r.lo; at < r.hi; at += 997)
		assert_int_equal(b.p[at - r.lo], byte_at(at));
	assert_int_equal(b.p[BLOCK - 1], byte_at(r.hi - 1));
	fetch_bytes_release(&b);
	return RC_OK;
}

static void read_ok(uint64_t i, struct around *a)
{
	struct err err;

	assert_int_equal(read_block(i, a, &err), RC_OK);
}

static unsigned int n_reads(void)
{
	return atomic_load(&fake.n_reads);
}

static void a_directory_in_order_takes_few_reads(void **state)
{
	struct around a = { 5, 25, false };

	(void)state;
	start(4, 0);
	for (uint64_t i = 5; i < 25; i++)
		read_ok(i, &a);
	assert_in_range(n_reads(), 1, 3);
	assert_int_equal(atomic_load(&fake.n_bytes), 20 * BLOCK);
}

static void a_directory_in_any_order_takes_few_reads(void **state)
{
	struct around a = { 5, 36, false };

	(void)state;
	for (uint64_t step = 2; step < 31; step++) {
		setup(state);
		start(4, 0);
		for (uint64_t i = 0; i < 31; i++)
			read_ok(5 + (i + 1) * step % 31, &a);
		assert_in_range(n_reads(), 1, 8);
		assert_true(atomic_load(&fake.n_bytes) <= 2 * 31 * BLOCK);
		teardown(state);
	}
	setup(state);
}

static void a_large_file_comes_in_large_ranges(void **state)
{
	struct around a = { 0, 2500, true };
	struct fetch_stats stats;

	(void)state;
	start(4, 0);
	for (uint64_t i = 0; i < 2500; i++)
		read_ok(i, &a);
	/* 244 MiB: 1, 2, 4 and then 30 of 8 MiB. */
	assert_in_range(n_reads(), 30, 36);
	assert_int_equal(atomic_load(&fake.n_bytes), 2500 * BLOCK);
	fetch_stats(f, &stats);
	assert_int_equal(stats.used, 2500 * BLOCK);
	assert_int_equal(stats.bytes, 2500 * BLOCK);
	assert_true(stats.ahead > 20);
	/* A thread that came too late for a range may hold it a while. */
	while (stats.kept) {
		usleep(1000);
		fetch_stats(f, &stats);
	}
}

static void many_directories_in_order_are_a_scan(void **state)
{
	(void)state;
	start(4, 0);
	for (uint64_t i = 0; i < 1000; i++) {
		struct around a = { i / 3 * 3, i / 3 * 3 + 3, false };

		read_ok(i, &a);
	}
	assert_in_range(n_reads(), 1, 30);
}

static void random_reads_of_a_file_take_a_block_each(void **state)
{
	struct around a = { 0, 2500, true };

	(void)state;
	start(4, 0);
	for (uint64_t i = 0; i < 500; i++)
		read_ok((i * 1237 + 11) % 2500, &a);
	assert_true(atomic_load(&fake.n_bytes) <= 500 * BLOCK * 2);
	assert_true(n_reads() <= 510);
}

static void blocks_without_neighbours_are_read_exactly(void **state)
{
	(void)state;
	start(4, 0);
	for (uint64_t i = 0; i < 2000; i += 100)
		read_ok(i, NULL);
	assert_int_equal(n_reads(), 20);
	assert_int_equal(atomic_load(&fake.n_bytes), 20 * BLOCK);
}

#define N_THREADS 64u

struct reader {
	pthread_t thread;
	uint64_t i;
	struct around *a;
	enum rc rc;
	struct err err;
};

static void *reader_main(void *arg)
{
	struct reader *r = arg;

	r->rc = read_block(r->i, r->a, &r->err);
	return NULL;
}

static void run_readers(struct reader *readers, struct around *a)
{
	for (unsigned int i = 0; i < N_THREADS; i++) {
		readers[i].i = (uint64_t)i * 37 % N_THREADS;
		readers[i].a = a;
		assert_int_equal(pthread_create(&readers[i].thread, NULL,
						reader_main, &readers[i]),
				 0);
	}
	for (unsigned int i = 0; i < N_THREADS; i++)
		pthread_join(readers[i].thread, NULL);
}

static void readers_at_once_cause_no_more_reads_than_one(void **state)
{
	struct around a = { 0, N_THREADS, false };
	static struct reader readers[N_THREADS];

	(void)state;
	start(4, 0);
	fake.delay_us = 20000;
	run_readers(readers, &a);
	for (unsigned int i = 0; i < N_THREADS; i++)
		assert_int_equal(readers[i].rc, RC_OK);
	/* A few more: they come in any order and leave holes. */
	assert_in_range(n_reads(), 1, 16);
	assert_true(atomic_load(&fake.n_bytes) <= N_THREADS * BLOCK * 3 / 2);
}

static void when_ranges_fail_each_block_is_tried_alone(void **state)
{
	struct around a = { 0, N_THREADS, false };
	static struct reader readers[N_THREADS];
	unsigned int n_failed = 0;

	(void)state;
	start(4, 0);
	fake.delay_us = 1000;
	fake.rc = RC_CORRUPT;
	run_readers(readers, &a);
	for (unsigned int i = 0; i < N_THREADS; i++)
		n_failed += readers[i].rc != RC_OK;
	assert_int_equal(n_failed, 0);
}

static void each_reader_gets_the_error_of_his_block(void **state)
{
	struct around a = { 0, N_THREADS, false };
	static struct reader readers[N_THREADS];

	(void)state;
	start(4, 0);
	fake.delay_us = 1000;
	fake.rc = RC_CORRUPT;
	fake.rc_alone = RC_ACCESS;
	run_readers(readers, &a);
	for (unsigned int i = 0; i < N_THREADS; i++) {
		struct byte_range r = block_at(readers[i].i);
		const char *at = strstr(readers[i].err.msg, " at ");

		assert_int_equal(readers[i].rc, RC_ACCESS);
		assert_non_null(at);
		assert_in_range(strtoul(at + 4, NULL, 10), r.lo, r.hi - 1);
	}
}

static void a_range_that_timed_out_is_not_tried_again_by_its_reader(
	void **state)
{
	struct around a = { 0, 100, false };
	struct err err;

	(void)state;
	start(4, 0);
	fake.rc = RC_TIMEOUT;
	assert_int_equal(read_block(1, &a, &err), RC_TIMEOUT);
	assert_int_equal(n_reads(), 1);
	fake.rc = RC_OK;
	read_ok(1, &a);
}

static void a_range_of_many_objects_is_tried_again_by_its_reader(void **state)
{
	static const enum rc rcs[] = { RC_ACCESS, RC_CHANGED, RC_TIMEOUT,
				       RC_CORRUPT };
	struct err err;

	(void)state;
	source.is_made = true;
	start(0, 0);
	for (size_t i = 0; i < ARRAY_LEN(rcs); i++) {
		struct around a = { i * 100, i * 100 + 50, false };
		unsigned int n = n_reads();

		fake.rc = rcs[i];
		read_ok(a.first, &a);
		assert_int_equal(n_reads(), n + 2);
		/* The range is not tried again, and its blocks are. */
		read_ok(a.first + 1, &a);
		assert_int_equal(n_reads(), n + 3);
		fake.rc_alone = RC_ACCESS;
		assert_int_equal(read_block(a.first, &a, &err), RC_ACCESS);
		fake.rc_alone = RC_OK;
	}
	fake.rc = RC_STOPPED;
	{
		struct around a = { 1000, 1050, false };

		assert_int_equal(read_block(1000, &a, &err), RC_STOPPED);
	}
}

static void a_failed_range_is_forgotten(void **state)
{
	struct around a = { 0, 200, true };

	(void)state;
	start(4, 0);
	for (uint64_t i = 0; i < 5; i++)
		read_ok(i, &a);
	fake.rc = RC_CORRUPT;
	for (uint64_t i = 5; i < 30; i++)
		read_ok(i, &a);
	fake.rc = RC_OK;
	atomic_store(&fake.n_reads, 0);
	for (uint64_t i = 30; i < 200; i++)
		read_ok(i, &a);
	assert_in_range(n_reads(), 1, 14);
}

/* Reads ahead hang; the reader gets what he needs all the same, but for the
 * ranges that are already being read.
 */
static void what_is_only_queued_is_read_by_who_wants_it(void **state)
{
	struct around a = { 0, 2500, true };
	uint64_t i = 0;

	(void)state;
	start(1, 0);
	fake.hold = true;
	/* Until the only thread that reads ahead hangs ... */
	while (!atomic_load(&fake.n_ahead) && i < 200) {
		struct fetch_stats stats;

		read_ok(i++, &a);
		fetch_stats(f, &stats);
		if (stats.ahead)
			break;
	}
	pthread_mutex_lock(&fake.lock);
	while (!atomic_load(&fake.n_ahead))
		pthread_cond_wait(&fake.changed, &fake.lock);
	pthread_mutex_unlock(&fake.lock);
	/* ... another stream goes on by itself. */
	for (uint64_t k = 1500; k < 1700; k++) {
		a.first = 1400;
		read_ok(k, &a);
	}
	assert_int_equal(atomic_load(&fake.n_ahead), 1);
	pthread_mutex_lock(&fake.lock);
	fake.hold = false;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
}

static void what_was_wrong_is_read_again(void **state)
{
	struct around a = { 0, 100, false };

	(void)state;
	start(0, 0);
	read_ok(0, &a);
	read_ok(2, &a);
	assert_int_equal(n_reads(), 2);
	read_ok(3, &a);
	assert_int_equal(n_reads(), 2);
	fetch_forget(f, &source, block_at(3));
	read_ok(4, &a);
	assert_int_equal(n_reads(), 3);
}

static void memory_is_bounded(void **state)
{
	struct fetch_stats stats;

	(void)state;
	start(4, 4 * MIB);
	/* 20 streams at once, none of which finishes. */
	for (uint64_t i = 0; i < 100; i++) {
		for (uint64_t s = 0; s < 20; s++) {
			struct around a = { s * 110, s * 110 + 110, true };

			read_ok(s * 110 + i, &a);
			fetch_stats(f, &stats);
			assert_true(stats.kept <= 4 * MIB);
		}
	}
	assert_true(n_reads() < 2000);
	assert_true(atomic_load(&fake.n_bytes) < 2 * 2000 * BLOCK);
}

static void a_block_larger_than_the_memory_is_read_alone(void **state)
{
	struct around a = { 0, 100, false };

	(void)state;
	start(4, 10 * KIB);
	for (uint64_t i = 0; i < 10; i++)
		read_ok(i, &a);
	assert_int_equal(n_reads(), 10);
}

static void closing_does_not_wait_for_what_nobody_began(void **state)
{
	struct around a = { 0, 2500, true };

	(void)state;
	start(2, 0);
	for (uint64_t i = 0; i < 400; i++)
		read_ok(i, &a);
	fetch_free(f);
	f = NULL;
	assert_true(n_reads() < 25);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_directory_in_order_takes_few_reads),
		TEST(a_directory_in_any_order_takes_few_reads),
		TEST(a_large_file_comes_in_large_ranges),
		TEST(many_directories_in_order_are_a_scan),
		TEST(random_reads_of_a_file_take_a_block_each),
		TEST(blocks_without_neighbours_are_read_exactly),
		TEST(readers_at_once_cause_no_more_reads_than_one),
		TEST(when_ranges_fail_each_block_is_tried_alone),
		TEST(each_reader_gets_the_error_of_his_block),
		TEST(a_range_that_timed_out_is_not_tried_again_by_its_reader),
		TEST(a_range_of_many_objects_is_tried_again_by_its_reader),
		TEST(a_failed_range_is_forgotten),
		TEST(what_is_only_queued_is_read_by_who_wants_it),
		TEST(what_was_wrong_is_read_again),
		TEST(memory_is_bounded),
		TEST(a_block_larger_than_the_memory_is_read_alone),
		TEST(closing_does_not_wait_for_what_nobody_began),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
