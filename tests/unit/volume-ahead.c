/* SPDX-License-Identifier: Apache-2.0 */
/* volume-ahead.c - tests of blocks loaded before they are read. */
#include "config.h"

#include "volume/volume.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "base/mem.h"
#include "shard/route.h"
#include "unit.h"

#define BLOCK ARCHIVE_BLOCK
#define N_LARGE 600u /* blocks */
#define N_SMALL 900u
#define SMALL 700u /* bytes; some files to a block */
#define N_READERS 6u

struct fixture {
	struct archive a;
	char names[N_SMALL][16];
	struct archive_entry entries[N_SMALL + 2];
};

static int make(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->entries[0] = (struct archive_entry){ .uid = "d", .type = ENTRY_DIR };
	for (unsigned int i = 0; i < N_SMALL; i++) {
		snprintf(f->names[i], sizeof(f->names[i]), "d/f%04u", i);
		f->entries[i + 1] = (struct archive_entry){ .uid = f->names[i],
							    .type = ENTRY_REG,
							    .size = SMALL };
	}
	f->entries[N_SMALL + 1] = (struct archive_entry){
		.uid = "d/large", .type = ENTRY_REG, .size = N_LARGE * BLOCK
	};
	archive_begin(&f->a, ROUTE_PARENT);
	archive_add(&f->a, 0, 0, f->entries, ARRAY_LEN(f->entries));
	*state = f;
	return 0;
}

static int unmake(void **state)
{
	struct fixture *f = *state;

	archive_end(&f->a);
	free(f);
	return 0;
}

static struct volume *open_volume(const struct fixture *f)
{
	struct volume *v = NULL;
	struct err err;

	if (volume_open(&v, f->a.dir, NULL, &err))
		fail_msg("%s", err.msg);
	return v;
}

static struct volume_stats stats_of(struct volume *v)
{
	struct volume_stats s;

	volume_stats(v, &s);
	return s;
}

/* Read len bytes at off of a file; false when they are not its own. */
static bool read_at(struct volume *v, const char *name, uint64_t off,
		    size_t len)
{
	uint8_t buf[2 * BLOCK];
	struct volume_entry ve;
	struct err err;
	size_t n = 0;
	bool ok;

	ok = !volume_resolve(v, span_of(name, strlen(name)), &ve, &err);
	if (!ok)
		return false;
	ok = !volume_read(v, &ve, off, buf, len, &n, &err) && n == len;
	for (size_t i = 0; i < n; i++)
		ok = ok && buf[i] == archive_pattern(off + i);
	volume_entry_release(&ve);
	return ok;
}

/* Until so many blocks were loaded ahead; they are once they are asked for. */
static void wait_for_blocks(struct volume *v, uint64_t n)
{
	for (unsigned int i = 0; i < 3000; i++) {
		if (stats_of(v).ahead_blocks >= n)
			return;
		usleep(10000);
	}
	fail_msg("only %llu blocks were loaded ahead",
		 (unsigned long long)stats_of(v).ahead_blocks);
}

static void a_file_read_in_order_is_loaded_ahead(void **state)
{
	struct volume *v = open_volume(*state);
	struct volume_stats s;

	for (uint64_t i = 0; i < 2; i++)
		assert_true(read_at(v, "d/large", i * BLOCK, BLOCK));
	wait_for_blocks(v, 2);
	for (uint64_t i = 2; i < 4; i++)
		assert_true(read_at(v, "d/large", i * BLOCK, BLOCK));
	wait_for_blocks(v, 4);
	s = stats_of(v);
	assert_true(s.ahead_used >= 2);
	assert_int_equal(s.ahead_wasted, 0);
	for (uint64_t i = 4; i < N_LARGE; i++)
		assert_true(read_at(v, "d/large", i * BLOCK, BLOCK));
	s = stats_of(v);
	/* Each was decoded once, whoever did it, and none in vain. */
	assert_int_equal(s.block_misses, N_LARGE);
	assert_int_equal(s.ahead_wasted, 0);
	volume_close(v);
}

static void a_walk_is_loaded_ahead(void **state)
{
	const struct fixture *f = *state;
	struct volume *v = open_volume(f);
	struct volume_stats s;

	for (unsigned int i = 0; i < 3; i++)
		assert_true(read_at(v, f->names[i], 0, SMALL));
	wait_for_blocks(v, 1);
	for (unsigned int i = 3; i < 12; i++)
		assert_true(read_at(v, f->names[i], 0, SMALL));
	wait_for_blocks(v, 2);
	for (unsigned int i = 12; i < N_SMALL; i++)
		assert_true(read_at(v, f->names[i], 0, SMALL));
	s = stats_of(v);
	assert_true(s.ahead_used >= 1);
	assert_int_equal(s.ahead_wasted, 0);
	volume_close(v);
}

static void files_here_and_there_are_not(void **state)
{
	const struct fixture *f = *state;
	struct volume *v = open_volume(f);

	for (unsigned int i = 0; i < N_SMALL; i++)
		assert_true(read_at(v, f->names[i * 367 % N_SMALL], 0, SMALL));
	for (uint64_t i = 0; i < N_LARGE; i++)
		assert_true(
			read_at(v, "d/large", i * 367 % N_LARGE * BLOCK, 9));
	assert_in_range(stats_of(v).ahead_blocks, 0, 20);
	volume_close(v);
}

/* The name of one file after the other is asked for, and nothing read. */
static void expect(struct volume *v, const char *name)
{
	struct volume_entry ve;
	struct err err;

	assert_int_equal(
		volume_resolve(v, span_of(name, strlen(name)), &ve, &err),
		RC_OK);
	volume_expect_read(v, &ve);
	volume_entry_release(&ve);
}

static void names_alone_load_nothing(void **state)
{
	const struct fixture *f = *state;
	struct volume *v = open_volume(f);

	for (unsigned int i = 0; i < N_SMALL; i++)
		expect(v, f->names[i]);
	volume_close(v);
	v = open_volume(f);
	for (unsigned int i = 0; i < N_SMALL; i++)
		expect(v, f->names[i]);
	assert_int_equal(stats_of(v).block_misses, 0);
	volume_close(v);
}

/* Far apart, so that it is no walk. */
static void names_that_are_read_are_loaded_ahead(void **state)
{
	const struct fixture *f = *state;
	struct volume *v = open_volume(f);

	for (unsigned int i = 0; i < N_SMALL; i++) {
		const char *name = f->names[i * 367 % N_SMALL];

		expect(v, name);
		/* Once it is tried, give it time. */
		if (i > 40 && !stats_of(v).ahead_blocks)
			usleep(1000);
		assert_true(read_at(v, name, 0, SMALL));
	}
	assert_true(stats_of(v).ahead_blocks > 0);
	assert_true(stats_of(v).ahead_used > 0);
	volume_close(v);
}

struct reader {
	const struct fixture *f;
	struct volume *v;
	unsigned int i;
	bool ok;
};

static void *reader_main(void *arg)
{
	struct reader *r = arg;

	r->ok = true;
	for (unsigned int i = 0; i < N_LARGE; i++) {
		unsigned int at = (i + r->i * 100) % N_LARGE;

		r->ok &= read_at(r->v, "d/large", (uint64_t)at * BLOCK, BLOCK);
		r->ok &= read_at(r->v, r->f->names[at], 0, SMALL);
	}
	return NULL;
}

static void many_readers_read_what_is_right(void **state)
{
	struct volume *v = open_volume(*state);
	struct reader readers[N_READERS];
	pthread_t threads[N_READERS];

	for (unsigned int i = 0; i < N_READERS; i++) {
		readers[i] = (struct reader){ *state, v, i, false };
		assert_int_equal(pthread_create(&threads[i], NULL, reader_main,
						&readers[i]),
				 0);
	}
	for (unsigned int i = 0; i < N_READERS; i++) {
		pthread_join(threads[i], NULL);
		assert_true(readers[i].ok);
	}
	volume_close(v);
}

/* Jobs are queued and under way then. */
static void it_can_be_closed_at_any_time(void **state)
{
	for (unsigned int n = 1; n < 40; n++) {
		struct volume *v = open_volume(*state);

		for (uint64_t i = 0; i < n; i++)
			assert_true(read_at(v, "d/large", i * BLOCK, BLOCK));
		volume_close(v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_read_in_order_is_loaded_ahead),
		cmocka_unit_test(a_walk_is_loaded_ahead),
		cmocka_unit_test(files_here_and_there_are_not),
		cmocka_unit_test(names_alone_load_nothing),
		cmocka_unit_test(names_that_are_read_are_loaded_ahead),
		cmocka_unit_test(many_readers_read_what_is_right),
		cmocka_unit_test(it_can_be_closed_at_any_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make, unmake);
}
