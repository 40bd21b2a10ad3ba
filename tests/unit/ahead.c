/* SPDX-License-Identifier: Apache-2.0 */
/* ahead.c - tests when the kernel is told of files before they are read. */
#include "config.h"

#include "pack/ahead.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pack/plan.h"
#include "pack/source.h"
#include "unit.h"

#define FILES 100
#define AHEAD 64 /* files it may be ahead */
#define SLOW INT64_C(1000000)

static struct err err;
static char root[] = "/tmp/desfs-ahead.XXXXXX";
static struct sources sources;

static void name_of(int i, char out[8])
{
	snprintf(out, 8, "f%03d", i);
}

static int setup(void **state)
{
	char *paths[] = { root };
	char name[8];

	(void)state;
	if (!mkdtemp(root) || sources_open(&sources, paths, 1, &err))
		return -1;
	for (int i = 0; i < FILES; i++) {
		int fd;

		name_of(i, name);
		fd = openat(sources.v[0].fd, name, O_WRONLY | O_CREAT, 0600);
		if (fd < 0 || write(fd, name, 4) != 4)
			return -1;
		close(fd);
	}
	return 0;
}

static int teardown(void **state)
{
	char name[8];

	(void)state;
	for (int i = 0; i < FILES; i++) {
		name_of(i, name);
		unlinkat(sources.v[0].fd, name, 0);
	}
	sources_close(&sources);
	return rmdir(root);
}

static struct plan *plan_of_all(void)
{
	struct plan_options o = { .spool_dir = "/tmp",
				  .memory = 1 << 20,
				  .part_bytes = 1 << 30,
				  .part_items = 1 << 20 };
	struct plan *p = plan_new(&o);
	struct plan_place place;
	char name[8];

	for (int i = 0; i < FILES; i++) {
		struct item it = { .type = ENTRY_REG,
				   .parent = span_of("", 0),
				   .size = 4,
				   .dir = ITEM_NO_DIR };

		name_of(i, name);
		it.name = span_of(name, strlen(name));
		assert_int_equal(plan_add(p, &it, &place, &err), RC_OK);
	}
	assert_int_equal(plan_finish(p, &err), RC_OK);
	return p;
}

/* So many items were taken, and reads were slow so often. */
static struct ahead *begin(const struct plan *p, int items, int slow)
{
	struct ahead *a = ahead_new(&sources, p);

	for (int i = 0; i < items; i++)
		ahead_step(a);
	for (int i = 0; i < slow; i++)
		ahead_took(a, SLOW, 4);
	return a;
}

static void nothing_is_told_while_reads_are_quick(void **state)
{
	struct plan *p = plan_of_all();
	struct ahead *a = begin(p, 1, 2);

	(void)state;
	for (int i = 0; i < 10; i++) {
		ahead_took(a, 1000, 4);
		ahead_took(a, SLOW, (size_t)SLOW); /* for its size */
	}
	assert_int_equal(ahead_told(a), 0);
	ahead_took(a, SLOW, 4);
	assert_int_equal(ahead_told(a), 0);
	ahead_free(a);
	plan_free(p);
}

static void slow_reads_make_it_tell_of_the_next_files(void **state)
{
	struct plan *p = plan_of_all();
	struct ahead *a = begin(p, 1, 3);

	(void)state;
	assert_int_equal(ahead_told(a), AHEAD);
	ahead_free(a);
	plan_free(p);
}

static void what_was_read_is_passed_over(void **state)
{
	struct plan *p = plan_of_all();
	struct ahead *a = begin(p, FILES - 10, 3);

	(void)state;
	assert_int_equal(ahead_told(a), 10);
	/* There is no more. */
	for (int i = 0; i < 50; i++)
		ahead_step(a);
	assert_int_equal(ahead_told(a), 10);
	ahead_free(a);
	plan_free(p);
}

static void it_goes_on_when_reads_are_slow_again(void **state)
{
	struct plan *p = plan_of_all();
	struct ahead *a = begin(p, 1, 3);

	(void)state;
	assert_int_equal(ahead_told(a), AHEAD);
	/* Whether it paused depends on the file system. */
	for (int i = 0; i < 20; i++)
		ahead_step(a);
	for (int i = 0; i < 3; i++)
		ahead_took(a, SLOW, 4);
	for (int i = 0; i < 3; i++)
		ahead_step(a);
	assert_true(ahead_told(a) >= AHEAD + 20);
	ahead_free(a);
	plan_free(p);
}

static void the_plan_can_be_read_beside(void **state)
{
	struct plan *p = plan_of_all();
	struct ahead *a = begin(p, 0, 3);
	struct plan_place place;
	struct item it;
	int n = 0;

	(void)state;
	while (!plan_next(p, &place, &it, &err)) {
		ahead_step(a);
		n++;
	}
	assert_int_equal(n, FILES);
	ahead_free(a);
	plan_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_told_while_reads_are_quick),
		cmocka_unit_test(slow_reads_make_it_tell_of_the_next_files),
		cmocka_unit_test(what_was_read_is_passed_over),
		cmocka_unit_test(it_goes_on_when_reads_are_slow_again),
		cmocka_unit_test(the_plan_can_be_read_beside),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
