/* SPDX-License-Identifier: Apache-2.0 */
/* volume-contents.c - tests of all entries of a shard, and of what is left of a
 * damaged one.
 */
#include "config.h"

#include "volume/volume.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "shard/route.h"
#include "unit.h"

#define N_FILES 6000u

static const struct archive_entry few[] = {
	{ .uid = "a", .type = ENTRY_DIR },
	{ .uid = "a/f", .type = ENTRY_REG, .content = "one" },
	{ .uid = "a/g", .type = ENTRY_WHITEOUT },
};

struct seen {
	uint64_t files, dirs, whiteouts, lost, runs, limit;
	char last[32];
	bool is_in_order;
};

static bool note(void *arg, const struct volume_entry *ve)
{
	struct seen *s = arg;
	char name[32];

	s->files += ve->e.type == ENTRY_REG;
	s->dirs += ve->e.type == ENTRY_DIR;
	s->whiteouts += ve->e.type == ENTRY_WHITEOUT;
	if (ve->e.type == ENTRY_REG) {
		snprintf(name, sizeof(name), "%.*s", (int)ve->e.name.len,
			 ve->e.name.p);
		s->is_in_order &= strcmp(s->last, name) < 0;
		memcpy(s->last, name, sizeof(name));
	}
	return s->files != s->limit;
}

static void note_lost(void *arg, uint64_t n, const struct err *why)
{
	struct seen *s = arg;

	assert_int_equal(why->rc, RC_CORRUPT);
	s->lost += n;
	s->runs++;
}

static struct seen walk(const struct archive *a, uint64_t limit)
{
	struct seen s = { .limit = limit, .is_in_order = true };
	struct volume *v = NULL;
	struct err err;
	uint32_t n;

	if (volume_open(&v, a->dir, NULL, &err))
		fail_msg("%s", err.msg);
	n = volume_shard_bound(v);
	for (uint32_t i = 0; i < n; i++) {
		if (volume_shard_entries(v, i, note, note_lost, &s, &err))
			fail_msg("%s", err.msg);
	}
	assert_int_equal(volume_shard_entries(v, n, note, note_lost, &s, &err),
			 RC_NOENT);
	volume_close(v);
	return s;
}

static void each_entry_comes_once_from_its_own_slot(void **state)
{
	struct archive a;
	struct seen s;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 1, few, ARRAY_LEN(few));
	s = walk(&a, UINT64_MAX);
	assert_int_equal(s.files, 1);
	assert_int_equal(s.whiteouts, 1);
	/* The root and a, of which each shard has a copy. */
	assert_int_equal(s.dirs, 2);
	assert_int_equal(s.lost, 0);
	archive_end(&a);
}

/* Many files of one directory, and so of one shard. */
static void add_many(struct archive *a)
{
	struct archive_entry *e = xcalloc(N_FILES, sizeof(*e));
	char(*names)[16] = xcalloc(N_FILES, sizeof(*names));

	for (uint32_t i = 0; i < N_FILES; i++) {
		snprintf(names[i], sizeof(names[i]), "d/f%05u", i);
		e[i] = (struct archive_entry){ .uid = names[i],
					       .type = ENTRY_REG,
					       .content = "" };
	}
	archive_add(a, 0, 1, e, N_FILES);
	free(names);
	free(e);
}

/* One bit of the only shard, so many of 16 parts from its begin. */
static void flip(const struct archive *a, unsigned int part)
{
	CLEANUP_FREE char *path = archive_shard_path(a, 0);
	CLEANUP_FD int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	uint8_t byte;
	off_t at;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	at = st.st_size / 16 * part;
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void a_damaged_page_costs_its_own_entries(void **state)
{
	(void)state;
	/* Leaves, and at last a page above them. */
	for (unsigned int part = 6; part <= 15; part += 3) {
		struct archive a;
		struct seen s;

		archive_begin(&a, ROUTE_PARENT);
		add_many(&a);
		flip(&a, part);
		s = walk(&a, UINT64_MAX);
		assert_int_equal(s.runs, 1);
		assert_true(s.lost > 0 && s.lost < N_FILES / 2);
		assert_in_range(s.files + s.lost, N_FILES, N_FILES + 2);
		assert_true(s.is_in_order);
		archive_end(&a);
	}
}

static void a_walk_ends_when_told(void **state)
{
	struct archive a;
	struct seen s;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	add_many(&a);
	s = walk(&a, 10);
	assert_int_equal(s.files, 10);
	archive_end(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_entry_comes_once_from_its_own_slot),
		cmocka_unit_test(a_damaged_page_costs_its_own_entries),
		cmocka_unit_test(a_walk_ends_when_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
