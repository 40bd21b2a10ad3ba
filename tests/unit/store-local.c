/* SPDX-License-Identifier: Apache-2.0 */
/* store-local.c - tests of objects in a directory, read and written. */
#include "config.h"

#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/store-write.h"
#include "unit.h"

struct fixture {
	char dir[32];
	struct store *st;
};

static struct err err;

#define OK(call)                                 \
	do {                                     \
		err.msg[0] = '\0';               \
		if (call)                        \
			fail_msg("%s", err.msg); \
	} while (0)

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	memcpy(f->dir, "/tmp/desfs-store.XXXXXX", 24);
	assert_non_null(mkdtemp(f->dir));
	OK(store_create(&f->st, f->dir, NULL, &err));
	*state = f;
	return 0;
}

static int remove_one(const char *path, const struct stat *sb, int type,
		      struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->st);
	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *key, const char *text)
{
	bool existed = true;

	OK(store_put(f->st, key, text, strlen(text), &existed, &err));
	assert_false(existed);
}

static char *path_of(const struct fixture *f, const char *key)
{
	return xasprintf("%s/%s", f->dir, key);
}

/* Change a file as nobody should. */
static void spoil(const struct fixture *f, const char *key, const char *text)
{
	CLEANUP_FREE char *path = path_of(f, key);
	CLEANUP_FD int fd = -1;

	assert_int_equal(chmod(path, 0644), 0);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void objects_come_back_as_they_were_put(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf b = { 0 };
	struct store_counters count;
	struct object_info info;
	char part[4] = { 0 };

	put(f, "a/b/c", "0123456789");
	buf_init(&b, 64);
	OK(store_read_tail(f->st, "a/b/c", 4, &b, &info, &err));
	assert_string_equal(buf_str(&b), "6789");
	assert_int_equal(info.size, 10);
	OK(store_read_tail(f->st, "a/b/c", 40, &b, &info, &err));
	assert_string_equal(buf_str(&b), "67890123456789");
	OK(store_read(f->st, "a/b/c", &info, 3, part, 3, &err));
	assert_string_equal(part, "345");
	OK(store_read(f->st, "a/b/c", NULL, 10, part, 0, &err));
	buf_clear(&b);
	OK(store_read_all(f->st, "a/b/c", 10, &b, &err));
	assert_int_equal(b.len, 10);
	assert_int_equal(store_read_all(f->st, "a/b/c", 9, &b, &err), RC_LIMIT);
	assert_int_equal(b.len, 10);
	store_count(f->st, &count);
	assert_int_equal(count.reads, 6);
	assert_int_equal(count.bytes_read, 4 + 10 + 3 + 0 + 10 + 9);
}

static void missing_and_strange_objects_are_told_apart(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *fifo = path_of(f, "fifo");
	CLEANUP_FREE char *link = path_of(f, "link");
	CLEANUP_FREE char *up = path_of(f, "up");
	CLEANUP_FREE char *sock = path_of(f, "sock");
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 64);
	put(f, "dir/x", "x");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(mknod(sock, S_IFSOCK | 0600, 0), 0);
	assert_int_equal(symlink("dir/x", link), 0);
	assert_int_equal(symlink("/", up), 0);
	assert_int_equal(store_read_all(f->st, "no", 9, &b, &err), RC_NOENT);
	assert_int_equal(store_read_all(f->st, "no/x", 9, &b, &err), RC_NOENT);
	assert_int_equal(store_read_all(f->st, "dir", 9, &b, &err), RC_CORRUPT);
	assert_int_equal(store_read_all(f->st, "fifo", 9, &b, &err),
			 RC_CORRUPT);
	assert_int_equal(store_read_all(f->st, "sock", 9, &b, &err), RC_IO);
	assert_int_equal(store_read_all(f->st, "link", 9, &b, &err),
			 RC_UNSUPPORTED);
	assert_int_not_equal(
		store_read_all(f->st, "up/etc/passwd", 9, &b, &err), RC_OK);
	assert_int_equal(store_read_all(f->st, "../x", 9, &b, &err), RC_USAGE);
	assert_int_equal(store_read_all(f->st, "/etc/passwd", 9, &b, &err),
			 RC_USAGE);
}

static void a_short_object_is_damaged(void **state)
{
	struct fixture *f = *state;
	char part[8];

	put(f, "x", "0123");
	assert_int_equal(store_read(f->st, "x", NULL, 2, part, 3, &err),
			 RC_CORRUPT);
	assert_non_null(strstr(err.msg, "x: ends after 4 bytes"));
	assert_int_equal(store_read(f->st, "x", NULL, 9, part, 1, &err),
			 RC_CORRUPT);
	assert_int_not_equal(
		store_read(f->st, "x", NULL, UINT64_MAX, part, 1, &err), RC_OK);
}

static void a_changed_object_is_not_read(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *path = path_of(f, "x");
	CLEANUP_FREE char *other = path_of(f, "y");
	CLEANUP_BUF struct buf b = { 0 };
	struct object_info info;
	char part[4];

	buf_init(&b, 64);
	put(f, "x", "0123");
	OK(store_read_tail(f->st, "x", 9, &b, &info, &err));
	spoil(f, "x", "01234");
	assert_int_equal(store_read(f->st, "x", &info, 0, part, 4, &err),
			 RC_CHANGED);
	/* Another file of the same size in its place. */
	OK(store_read_tail(f->st, "x", 9, &b, &info, &err));
	put(f, "y", "56789");
	assert_int_equal(rename(other, path), 0);
	assert_int_equal(store_read(f->st, "x", &info, 0, part, 4, &err),
			 RC_CHANGED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_read(f->st, "x", &info, 0, part, 4, &err),
			 RC_NOENT);
}

static void nothing_is_overwritten(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf b = { 0 };
	struct store_upload *up = NULL;
	bool existed = false;
	char back[4];

	put(f, "d/x", "one");
	OK(store_put(f->st, "d/x", "one", 3, &existed, &err));
	assert_true(existed);
	assert_int_equal(store_put(f->st, "d/x", "two", 3, &existed, &err),
			 RC_EXISTS);
	assert_int_equal(store_put(f->st, "d/x", "three", 5, &existed, &err),
			 RC_EXISTS);
	/* A large object of the same size is taken for the same. */
	OK(store_upload_new(f->st, &up, &err));
	OK(store_upload_write(up, "t", 1, &err));
	OK(store_upload_write(up, "wo", 2, &err));
	assert_true(store_upload_can_read(up));
	OK(store_upload_read(up, 1, back, 2, &err));
	assert_memory_equal(back, "wo", 2);
	assert_int_equal(store_upload_read(up, 1, back, 3, &err), RC_CORRUPT);
	OK(store_upload_commit(up, "d/x", &existed, &err));
	assert_true(existed);
	store_upload_free(up);
	buf_init(&b, 64);
	OK(store_read_all(f->st, "d/x", 9, &b, &err));
	assert_string_equal(buf_str(&b), "one");
}

static enum rc add_line(void *arg, const char *key, uint64_t size,
			struct err *e)
{
	(void)e;
	buf_printf(arg, "%s:%u ", key, (unsigned int)size);
	return RC_OK;
}

static void add_leftover(void *arg, const char *what, uint64_t size)
{
	/* Without the random digits. */
	buf_printf(arg, "%.8s%zu:%u ", what, strlen(what), (unsigned int)size);
}

static void uncommitted_uploads_leave_nothing(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf b = { 0 };
	struct store_upload *up = NULL;
	bool existed;

	buf_init(&b, 4096);
	OK(store_upload_new(f->st, &up, &err));
	OK(store_upload_write(up, "x", 1, &err));
	assert_int_equal(store_upload_commit(up, "tmp/x", &existed, &err),
			 RC_USAGE);
	OK(store_list(f->st, "", NULL, add_line, &b, &err));
	OK(store_leftovers(f->st, false, NULL, add_leftover, &b, &err));
	assert_string_equal(buf_str(&b), "");
	store_upload_free(up);
	OK(store_leftovers(f->st, false, NULL, add_leftover, &b, &err));
	assert_string_equal(buf_str(&b), "");
}

static void keys_are_listed_in_bytewise_order(void **state)
{
	static const char *const keys[] = { "a-b",   "a/x",   "a/y/1",
					    "a/y/2", "a0",    "b",
					    "log/1", "log/2", "log2" };
	struct fixture *f = *state;
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 4096);
	for (size_t i = ARRAY_LEN(keys); i-- > 0;)
		put(f, keys[i], "");
	OK(store_list(f->st, "", NULL, add_line, &b, &err));
	assert_string_equal(buf_str(&b), "a-b:0 a/x:0 a/y/1:0 a/y/2:0 a0:0 b:0 "
					 "log/1:0 log/2:0 log2:0 ");
	buf_clear(&b);
	OK(store_list(f->st, "a/", NULL, add_line, &b, &err));
	assert_string_equal(buf_str(&b), "a/x:0 a/y/1:0 a/y/2:0 ");
	buf_clear(&b);
	OK(store_list(f->st, "log", NULL, add_line, &b, &err));
	assert_string_equal(buf_str(&b), "log/1:0 log/2:0 log2:0 ");
	buf_clear(&b);
	OK(store_list(f->st, "", "a/y/1", add_line, &b, &err));
	assert_string_equal(buf_str(&b),
			    "a/y/2:0 a0:0 b:0 log/1:0 log/2:0 log2:0 ");
	buf_clear(&b);
	OK(store_list(f->st, "log/", "log/1", add_line, &b, &err));
	assert_string_equal(buf_str(&b), "log/2:0 ");
	buf_clear(&b);
	OK(store_list(f->st, "none/", NULL, add_line, &b, &err));
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(store_list(f->st, "b/", NULL, add_line, &b, &err),
			 RC_CORRUPT);
	assert_int_equal(store_list(f->st, "../", NULL, add_line, &b, &err),
			 RC_USAGE);
}

static enum rc refuse(void *arg, const char *key, uint64_t size, struct err *e)
{
	++*(int *)arg;
	(void)size;
	return err_set(e, RC_STOPPED, "enough of %s", key);
}

static void a_list_ends_when_its_caller_says_so(void **state)
{
	struct fixture *f = *state;
	int calls = 0;

	put(f, "a", "");
	put(f, "b", "");
	assert_int_equal(store_list(f->st, "", NULL, refuse, &calls, &err),
			 RC_STOPPED);
	assert_string_equal(err.msg, "enough of a");
	assert_int_equal(calls, 1);
}

/* A file in tmp/ as a killed writer leaves it. */
static void leave_text(const struct fixture *f, const char *name,
		       const char *text)
{
	CLEANUP_FREE char *key = xasprintf("tmp/%s", name);
	CLEANUP_FREE char *path = path_of(f, key);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void leave(const struct fixture *f, const char *name)
{
	leave_text(f, name, "left");
}

static void only_what_the_dead_left_is_removed(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf b = { 0 };
	CLEANUP_FREE char *alien = path_of(f, "tmp/run-alien");
	struct store_upload *up = NULL;
	struct store_run *run = NULL;
	struct store *other = NULL;
	unsigned int n = 9;
	bool existed = true;

	buf_init(&b, 4096);
	OK(store_create(&other, f->dir, NULL, &err));
	OK(store_run_begin(f->st, STORE_RUN_PACK, &run, &err));
	OK(store_upload_new(f->st, &up, &err));
	OK(store_upload_write(up, "x", 1, &err));
	leave(f, "run-0123456789abcdef");
	leave(f, "run-0123456789abcdef-0123456789abcdef");
	/* Its mark is gone already. */
	leave(f, "run-00000000000000ff-0123456789abcdef");
	leave(f, "run-alien");
	OK(store_runs_alive(other, NULL, &n, &err));
	assert_int_equal(n, 1);
	OK(store_runs_alive(f->st, run, &n, &err));
	assert_int_equal(n, 0);
	for (int remove = 0; remove < 3; remove++) {
		buf_clear(&b);
		OK(store_leftovers(other, remove, NULL, add_leftover, &b,
				   &err));
		assert_string_equal(buf_str(&b),
				    remove < 2 ? "tmp/run-41:4 tmp/run-41:4 "
						 "tmp/run-24:4 "
					       : "");
	}
	OK(store_upload_commit(up, "x", &existed, &err));
	assert_false(existed);
	store_upload_free(up);
	store_run_end(run, true);
	OK(store_runs_alive(other, NULL, &n, &err));
	assert_int_equal(n, 0);
	assert_int_equal(access(alien, F_OK), 0);
	store_close(other);
}

static void removing_takes_one_object(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 64);
	put(f, "d/x", "x");
	put(f, "d/y", "y");
	OK(store_read_all(f->st, "d/x", 1, &b, &err));
	OK(store_remove(f->st, "d/x", &err));
	assert_int_equal(store_remove(f->st, "d/x", &err), RC_NOENT);
	assert_int_equal(store_read_all(f->st, "d/x", 1, &b, &err), RC_NOENT);
	OK(store_read_all(f->st, "d/y", 1, &b, &err));
}

static void purging_leaves_nothing_of_it_and_all_else(void **state)
{
	struct fixture *f = *state;
	enum store_gone gone = STORE_KEPT;
	int64_t until;

	put(f, "d/x", "x");
	put(f, "d/xy", "y");
	OK(store_sync(f->st, "d/x", &err));
	assert_int_equal(store_sync(f->st, "d/z", &err), RC_NOENT);
	assert_int_equal(store_sync(f->st, "none/x", &err), RC_NOENT);
	OK(store_purge(f->st, "d/x", &gone, &until, &err));
	assert_int_equal(gone, STORE_REMOVED);
	/* What is not there is gone; nor need its directory be there. */
	OK(store_purge(f->st, "d/x", &gone, &until, &err));
	OK(store_purge(f->st, "none/x", &gone, &until, &err));
	assert_int_equal(gone, STORE_REMOVED);
	assert_int_equal(store_remove(f->st, "d/x", &err), RC_NOENT);
	OK(store_remove(f->st, "d/xy", &err));
	assert_int_equal(store_purge(f->st, "tmp/x", &gone, &until, &err),
			 RC_USAGE);
}

static void what_cannot_be_removed_is_an_error(void **state)
{
	struct fixture *f = *state;
	enum store_gone gone;
	int64_t until;

	put(f, "d/x", "x");
	assert_int_not_equal(store_purge(f->st, "d", &gone, &until, &err),
			     RC_OK);
	OK(store_remove(f->st, "d/x", &err));
}

static enum rc note_place(void *arg, const char *zone, struct store *place,
			  struct err *e)
{
	struct store **ret = arg;

	(void)e;
	assert_null(zone);
	assert_null(*ret);
	*ret = place;
	return RC_OK;
}

static void a_directory_is_the_one_place(void **state)
{
	struct fixture *f = *state;
	struct store *place = NULL;

	OK(store_each_place(f->st, "d/x", note_place, &place, &err));
	assert_ptr_equal(place, f->st);
}

#define ALL STORE_RUNS_BRINGING

static void the_oldest_run_is_told(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *mark = path_of(f, "tmp/run-0123456789abcdef");
	struct store_run *first = NULL, *second = NULL;
	struct store *other = NULL;
	struct statx sx = { 0 };
	int64_t us = 0, two = 0;
	bool existed;

	OK(store_runs_oldest(f->st, ALL, NULL, &us, &err));
	assert_true(us == INT64_MAX);
	OK(store_create(&other, f->dir, NULL, &err));
	OK(store_run_begin(f->st, STORE_RUN_PACK, &first, &err));
	/* A dead one's counts for nothing. */
	leave(f, "run-0123456789abcdef");
	assert_int_equal(statx(AT_FDCWD, mark, 0, STATX_BTIME, &sx) ? -1 : 0,
			 0);
	OK(store_runs_oldest(f->st, ALL, first, &us, &err));
	assert_true(us == INT64_MAX);
	OK(store_run_begin(other, STORE_RUN_PACK, &second, &err));
	OK(store_put(other, "x", "x", 1, &existed, &err));
	OK(store_runs_oldest(f->st, ALL, NULL, &us, &err));
	OK(store_runs_oldest(f->st, ALL, first, &two, &err));
	if (sx.stx_mask & STATX_BTIME) {
		assert_true(us > 1000000000000000 && us <= two);
		assert_true(two >= sx.stx_btime.tv_sec * 1000000);
	} else {
		assert_true(us == INT64_MIN && two == INT64_MIN);
	}
	store_run_end(second, true);
	OK(store_runs_oldest(f->st, ALL, first, &two, &err));
	assert_true(two == INT64_MAX);
	store_run_end(first, true);
	store_close(other);
}

static bool has_run(struct fixture *f, unsigned int kinds,
		    const struct store_run *own)
{
	int64_t us;

	OK(store_runs_oldest(f->st, kinds, own, &us, &err));
	return us != INT64_MAX;
}

static void runs_are_told_by_kind(void **state)
{
	struct fixture *f = *state;
	struct store *other = NULL;
	struct store_run *run = NULL;

	OK(store_create(&other, f->dir, NULL, &err));
	for (unsigned int i = 0; i < STORE_RUN_KINDS; i++) {
		const char *text = store_run_kind_text((enum store_run_kind)i);

		assert_int_equal(store_run_kind_parse(text, strlen(text)), i);
		OK(store_run_begin(other, (enum store_run_kind)i, &run, &err));
		for (unsigned int k = 0; k < STORE_RUN_KINDS; k++)
			assert_int_equal(has_run(f, 1u << k, NULL), k == i);
		assert_false(has_run(f, ~0u, run));
		store_run_end(run, true);
		assert_false(has_run(f, ~0u, NULL));
	}
	store_close(other);
}

static void count_claim(void *arg, const char *what, uint64_t size)
{
	(void)what;
	(void)size;
	++*(unsigned int *)arg;
}

static bool none_goes(void *arg, const char *run)
{
	(void)arg;
	(void)run;
	return false;
}

static void a_kind_is_no_claim(void **state)
{
	struct fixture *f = *state;
	struct store_run *run = NULL;
	unsigned int n = 0;

	OK(store_run_begin(f->st, STORE_RUN_PACK, &run, &err));
	leave_text(f, "run-0123456789abcdef", "/pack\n");
	OK(store_leftovers(f->st, true, none_goes, count_claim, &n, &err));
	assert_int_equal(n, 1);
	leave_text(f, "run-0123456789abcdef", "/pack\nd/key\n");
	OK(store_leftovers(f->st, true, none_goes, count_claim, &n, &err));
	assert_int_equal(n, 1);
	OK(store_leftovers(f->st, true, NULL, count_claim, &n, &err));
	assert_int_equal(n, 2);
	store_run_end(run, true);
}

static enum rc add_claim(void *arg, const char *run, const char *key,
			 struct err *e)
{
	(void)run;
	(void)e;
	if (key)
		buf_printf(arg, "%s ", key);
	return RC_OK;
}

static void salts_are_not_claimed(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf b = { .max = 4096 };
	struct store_run *run = NULL;
	bool existed;

	OK(store_run_begin(f->st, STORE_RUN_REAP, &run, &err));
	OK(store_put(f->st, "salts/0123", "x", 1, &existed, &err));
	OK(store_put(f->st, "tombstones/x", "x", 1, &existed, &err));
	store_run_end(run, false);
	OK(store_claims(f->st, add_claim, &b, &err));
	assert_string_equal(buf_str(&b), "tombstones/x ");
}

static void add_stray(void *arg, const char *what, uint64_t size, int64_t age,
		      bool is_removed)
{
	buf_printf(arg, "%s:%u%s%s ", what, (unsigned int)size,
		   age >= 3600000000 ? " old" : "",
		   is_removed ? " removed" : "");
}

static void strays_go_when_they_are_old(void **state)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct fixture *f = *state;
	CLEANUP_FREE char *old = path_of(f, "tmp/old");
	CLEANUP_BUF struct buf b = { 0 };
	struct store_run *run = NULL;

	buf_init(&b, 4096);
	OK(store_strays(f->st, true, 0, add_stray, &b, &err));
	OK(store_run_begin(f->st, STORE_RUN_PACK, &run, &err));
	leave(f, "run-0123456789abcdef");
	leave(f, "run-0123456789abcdef-0123456789abcdef");
	leave(f, "old");
	assert_int_equal(utimensat(AT_FDCWD, old, times, 0), 0);
	OK(store_strays(f->st, false, 0, add_stray, &b, &err));
	assert_string_equal(buf_str(&b), "tmp/old:4 old ");
	leave(f, "young");
	OK(store_strays(f->st, true, 3600000000, add_stray, &b, &err));
	assert_non_null(strstr(buf_str(&b), "tmp/old:4 old removed "));
	assert_non_null(strstr(buf_str(&b), "tmp/young:4 "));
	buf_clear(&b);
	OK(store_strays(f->st, true, 0, add_stray, &b, &err));
	assert_string_equal(buf_str(&b), "tmp/young:4 removed ");
	/* What is of runs stays for those who know more. */
	buf_clear(&b);
	OK(store_leftovers(f->st, false, NULL, add_leftover, &b, &err));
	assert_string_equal(buf_str(&b), "tmp/run-41:4 tmp/run-24:4 ");
	store_run_end(run, true);
}

static void only_stores_opened_for_writing_write(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *none = path_of(f, "no/such");
	CLEANUP_FREE char *url = xasprintf("file://%s", f->dir);
	struct store *st = NULL;
	bool existed;

	assert_int_equal(store_open(&st, none, NULL, &err), RC_NOENT);
	assert_int_equal(store_create(&st, none, NULL, &err), RC_NOENT);
	assert_int_equal(store_open(&st, "gopher://x", NULL, &err), RC_USAGE);
	assert_int_equal(store_open(&st, "", NULL, &err), RC_USAGE);
	OK(store_open(&st, url, NULL, &err));
	assert_string_equal(store_url(st), url);
	assert_int_equal(store_put(st, "x", "", 0, &existed, &err), RC_USAGE);
	assert_int_equal(store_remove(st, "x", &err), RC_USAGE);
	store_close(st);
	store_close(NULL);
}

#define N_OBJECTS 200

static void *read_all_objects(void *arg)
{
	struct fixture *f = arg;

	for (unsigned int i = 0; i < 5 * N_OBJECTS; i++) {
		char key[16], got[4] = { 0 }, want[4];
		struct err e;

		snprintf(want, sizeof(want), "%03u", i * 7 % N_OBJECTS);
		snprintf(key, sizeof(key), "many/%s", want);
		if (store_read(f->st, key, NULL, 0, got, 3, &e) ||
		    strcmp(got, want) != 0)
			return arg;
	}
	return NULL;
}

static void many_threads_read_more_objects_than_are_kept_open(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *dir = path_of(f, "many");
	pthread_t threads[4];

	assert_int_equal(mkdir(dir, 0700), 0);
	for (unsigned int i = 0; i < N_OBJECTS; i++) {
		CLEANUP_FREE char *path = xasprintf("%s/%03u", dir, i);
		CLEANUP_FD int fd =
			open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		assert_int_equal(write(fd, path + strlen(dir) + 1, 3), 3);
	}
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, read_all_objects, f),
			0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *failed = f;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(objects_come_back_as_they_were_put),
		TEST(missing_and_strange_objects_are_told_apart),
		TEST(a_short_object_is_damaged),
		TEST(a_changed_object_is_not_read),
		TEST(nothing_is_overwritten),
		TEST(uncommitted_uploads_leave_nothing),
		TEST(keys_are_listed_in_bytewise_order),
		TEST(a_list_ends_when_its_caller_says_so),
		TEST(only_what_the_dead_left_is_removed),
		TEST(removing_takes_one_object),
		TEST(purging_leaves_nothing_of_it_and_all_else),
		TEST(what_cannot_be_removed_is_an_error),
		TEST(a_directory_is_the_one_place),
		TEST(the_oldest_run_is_told),
		TEST(runs_are_told_by_kind),
		TEST(a_kind_is_no_claim),
		TEST(salts_are_not_claimed),
		TEST(strays_go_when_they_are_old),
		TEST(only_stores_opened_for_writing_write),
		TEST(many_threads_read_more_objects_than_are_kept_open),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
