/* SPDX-License-Identifier: Apache-2.0 */
/* disk-cache.c - tests of the cache on disk: bounds, damage, processes,
 * crashes.
 */
#include "config.h"

#include "cache/disk-cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "unit.h"

#define SIZE 5000u /* two pages of the disk */
#define COST 8192u

static char dir[64], sub[128];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/desfs-unit.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(sub, sizeof(sub), "%s/a/cache", dir);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Block number i. */
static void block(unsigned int i, uint8_t p[SIZE], uint8_t hash[SHA256_LEN])
{
	memset(p, (int)(i % 251), SIZE);
	memcpy(p, &i, sizeof(i));
	sha256_of(p, SIZE, hash);
}

static struct disk_cache *open_cache(uint64_t max_bytes)
{
	/* What is free is not this test's affair. */
	const struct disk_cache_options o = { max_bytes, 1 };
	struct disk_cache_stats stats;
	struct disk_cache *dc = NULL;
	struct err err;

	assert_int_equal(disk_cache_open(&dc, sub, &o, &err), RC_OK);
	do {
		usleep(1000);
		disk_cache_stats(dc, &stats);
	} while (!stats.is_scanned);
	return dc;
}

static void put(struct disk_cache *dc, unsigned int i)
{
	uint8_t p[SIZE], hash[SHA256_LEN];

	block(i, p, hash);
	disk_cache_put(
		dc, hash,
		(const uint8_t *)(i % 2 ? "odd number.." : "even number."), p,
		SIZE);
}

static bool get(struct disk_cache *dc, unsigned int i)
{
	uint8_t p[SIZE], want[SIZE], hash[SHA256_LEN];

	block(i, want, hash);
	if (!disk_cache_get(dc, hash, p, SIZE))
		return false;
	assert_memory_equal(p, want, SIZE);
	return true;
}

static void path_of(unsigned int i, char *path, size_t len)
{
	uint8_t p[SIZE], hash[SHA256_LEN];
	char hex[HEX_TEXT(DISK_CACHE_HASH_LEN)];

	block(i, p, hash);
	hex_encode(hash, DISK_CACHE_HASH_LEN, hex);
	snprintf(path, len, "%s/%.2s/%s", sub, hex, hex);
}

static uint64_t on_disk, n_on_disk;

static int add_one(const char *path, const struct stat *st, int type,
		   struct FTW *ftw)
{
	(void)ftw;
	/* What is being written when a process dies goes later. */
	if (type == FTW_F && !strstr(path, "/usage") &&
	    !strstr(path, "/new-")) {
		on_disk += ((uint64_t)st->st_size + 4095) / 4096 * 4096;
		n_on_disk++;
	}
	return 0;
}

/* What is there, whatever the cache thinks. */
static uint64_t measure(void)
{
	on_disk = n_on_disk = 0;
	nftw(sub, add_one, 16, FTW_PHYS);
	return on_disk;
}

static bool is_odd(void *arg, const uint8_t owner[DISK_CACHE_OWNER_LEN])
{
	++*(unsigned int *)arg;
	return !memcmp(owner, "odd number..", DISK_CACHE_OWNER_LEN);
}

static void blocks_of_an_owner_are_swept(void **state)
{
	struct disk_cache *dc = open_cache(0);
	struct disk_cache_stats stats;
	char path[256];
	unsigned int n = 0;

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		put(dc, i);
	/* One of an older program. */
	path_of(4, path, sizeof(path));
	assert_int_equal(truncate(path, SIZE), 0);
	assert_true(get(dc, 4));
	disk_cache_sweep(dc, is_odd, &n);
	assert_int_equal(n, 9);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(get(dc, i), i % 2 == 0 && i != 4);
	disk_cache_stats(dc, &stats);
	assert_int_equal(stats.files, 4);
	disk_cache_close(dc);
}

static void how_far_was_swept_is_remembered(void **state)
{
	struct disk_cache *dc = open_cache(0);

	(void)state;
	assert_true(disk_cache_swept(dc, "s3://b/a") == INT64_MIN);
	disk_cache_set_swept(dc, "s3://b/a", 1795256130123456);
	disk_cache_set_swept(dc, "s3://b/c", -7);
	disk_cache_close(dc);
	dc = open_cache(0);
	assert_true(disk_cache_swept(dc, "s3://b/a") == 1795256130123456);
	assert_true(disk_cache_swept(dc, "s3://b/c") == -7);
	disk_cache_set_swept(dc, "s3://b/a", 5);
	assert_true(disk_cache_swept(dc, "s3://b/a") == 5);
	disk_cache_close(dc);
}

static void what_is_put_is_found(void **state)
{
	struct disk_cache *dc = open_cache(0);
	struct disk_cache_stats stats;

	(void)state;
	assert_false(get(dc, 1));
	put(dc, 1);
	put(dc, 2);
	put(dc, 1);
	assert_true(get(dc, 1));
	assert_true(get(dc, 2));
	disk_cache_stats(dc, &stats);
	assert_int_equal(stats.hits, 2);
	assert_int_equal(stats.misses, 1);
	assert_int_equal(stats.puts, 2);
	assert_int_equal(stats.files, 2);
	assert_int_equal(stats.bytes, 2 * COST);
	disk_cache_close(dc);
}

static void it_survives_being_closed(void **state)
{
	struct disk_cache *dc = open_cache(0);
	struct disk_cache_stats stats;

	(void)state;
	for (unsigned int i = 0; i < 20; i++)
		put(dc, i);
	disk_cache_close(dc);
	dc = open_cache(0);
	for (unsigned int i = 0; i < 20; i++)
		assert_true(get(dc, i));
	disk_cache_stats(dc, &stats);
	assert_int_equal(stats.bytes, 20 * COST);
	disk_cache_close(dc);
}

static void it_stays_within_its_bound(void **state)
{
	struct disk_cache *dc = open_cache(40 * COST);
	struct disk_cache_stats stats;
	unsigned int n = 0;

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		put(dc, i);
		if (i % 50 == 0)
			assert_true(measure() <= 40 * COST);
	}
	do {
		put(dc, 5000 + n++ % 1000);
		disk_cache_stats(dc, &stats);
	} while (!stats.evictions);
	assert_true(measure() <= 40 * COST);
	disk_cache_close(dc);
	assert_true(n_on_disk > 10);
}

/* Wait until as many were removed. */
static void wait_evicted(struct disk_cache *dc)
{
	struct disk_cache_stats stats;

	do {
		usleep(1000);
		disk_cache_stats(dc, &stats);
	} while (!stats.evictions);
}

static void set_age(unsigned int i, time_t seconds)
{
	struct timespec t[2] = { { .tv_sec = time(NULL) - seconds },
				 { .tv_sec = time(NULL) - seconds } };
	char path[256];

	path_of(i, path, sizeof(path));
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void what_was_used_longest_ago_goes_first(void **state)
{
	struct disk_cache *dc = open_cache(64 * COST);

	(void)state;
	for (unsigned int i = 0; i < 60; i++) {
		put(dc, i);
		set_age(i, 100000 - (time_t)i * 100);
	}
	assert_true(get(dc, 0)); /* touched */
	put(dc, 60);
	wait_evicted(dc);
	assert_true(get(dc, 0));
	assert_false(get(dc, 1));
	assert_false(get(dc, 2));
	assert_true(get(dc, 59));
	disk_cache_close(dc);
}

static void a_read_sets_the_time_of_use_at_most_hourly(void **state)
{
	struct disk_cache *dc = open_cache(0);
	struct stat before, after;
	char path[256];

	(void)state;
	put(dc, 1);
	path_of(1, path, sizeof(path));
	set_age(1, 1800);
	assert_int_equal(stat(path, &before), 0);
	assert_true(get(dc, 1));
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	set_age(1, 4000);
	assert_true(get(dc, 1));
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_mtim.tv_sec > before.st_mtim.tv_sec);
	disk_cache_close(dc);
}

static void damage(const char *path, off_t at, off_t size)
{
	int fd = open(path, O_RDWR);
	char c;

	assert_true(fd >= 0);
	if (size >= 0) {
		assert_int_equal(ftruncate(fd, size), 0);
	} else {
		assert_int_equal(pread(fd, &c, 1, at), 1);
		c ^= 4;
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
	}
	close(fd);
}

static void what_is_damaged_is_absent_and_removed(void **state)
{
	struct disk_cache *dc = open_cache(0);
	struct disk_cache_stats stats;
	char path[256];

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		put(dc, i);
	path_of(0, path, sizeof(path));
	damage(path, SIZE - 1, -1);
	path_of(1, path, sizeof(path));
	damage(path, 0, 100);
	path_of(2, path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_false(get(dc, i));
		path_of(i, path, sizeof(path));
		assert_int_not_equal(access(path, F_OK), 0);
		put(dc, i);
		assert_true(get(dc, i));
	}
	disk_cache_stats(dc, &stats);
	assert_int_equal(stats.damaged, 3);
	disk_cache_close(dc);
}

static void a_tool_finds_and_removes_what_is_damaged(void **state)
{
	struct disk_cache *dc = open_cache(0);
	uint64_t files = 0, damaged = 0;
	char path[256];
	struct err err;

	(void)state;
	for (unsigned int i = 0; i < 9; i++)
		put(dc, i);
	path_of(3, path, sizeof(path));
	damage(path, 9, -1);
	assert_int_equal(disk_cache_verify(sub, &files, &damaged, &err), RC_OK);
	assert_int_equal(files, 9);
	assert_int_equal(damaged, 1);
	assert_int_equal(disk_cache_verify(sub, &files, &damaged, &err), RC_OK);
	assert_int_equal(files, 8);
	assert_int_equal(damaged, 0);
	assert_int_equal(disk_cache_clear(sub, &err), RC_OK);
	assert_int_equal(measure(), 0);
	put(dc, 3);
	assert_true(get(dc, 3));
	disk_cache_close(dc);
}

static void clearing_leaves_what_is_not_its_own(void **state)
{
	struct disk_cache *dc = open_cache(0);
	char path[256];
	struct err err;

	(void)state;
	put(dc, 1);
	disk_cache_close(dc);
	snprintf(path, sizeof(path), "%s/letters", sub);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(disk_cache_clear(sub, &err), RC_OK);
	assert_int_equal(access(path, F_OK), 0);
}

static void a_directory_of_others_is_refused(void **state)
{
	struct disk_cache *dc = open_cache(0);
	char link[160];
	struct err err;

	(void)state;
	disk_cache_close(dc);
	assert_int_equal(chmod(sub, 0750), 0);
	assert_int_equal(disk_cache_open(&dc, sub, NULL, &err), RC_ACCESS);
	assert_int_equal(chmod(sub, 0700), 0);
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink(sub, link), 0);
	assert_int_not_equal(disk_cache_open(&dc, link, NULL, &err), RC_OK);
}

static void space_is_left_free(void **state)
{
	/* More than there can be. */
	const struct disk_cache_options o = { 0, UINT64_C(1) << 60 };
	struct disk_cache *dc = open_cache(0);
	struct disk_cache_stats stats;
	struct err err;

	(void)state;
	for (unsigned int i = 0; i < 9; i++)
		put(dc, i);
	disk_cache_close(dc);
	assert_int_equal(disk_cache_open(&dc, sub, &o, &err), RC_OK);
	wait_evicted(dc);
	put(dc, 77);
	assert_false(get(dc, 77));
	disk_cache_stats(dc, &stats);
	assert_int_equal(stats.puts, 0);
	disk_cache_close(dc);
	assert_int_equal(measure(), 0);
}

static void stale_files_of_dead_writers_go(void **state)
{
	struct timespec old[2] = { { .tv_sec = time(NULL) - 600 },
				   { .tv_sec = time(NULL) - 600 } };
	struct disk_cache *dc = open_cache(0);
	char stale[256], young[256];

	(void)state;
	disk_cache_close(dc);
	snprintf(stale, sizeof(stale), "%s/new-1-2-3", sub);
	snprintf(young, sizeof(young), "%s/new-1-2-4", sub);
	close(open(stale, O_CREAT | O_WRONLY, 0600));
	close(open(young, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(utimensat(AT_FDCWD, stale, old, 0), 0);
	dc = open_cache(0);
	disk_cache_close(dc);
	assert_int_not_equal(access(stale, F_OK), 0);
	assert_int_equal(access(young, F_OK), 0);
}

/* Puts and gets until it is told to end, or is killed. */
static pid_t spawn(unsigned int seed, unsigned int n)
{
	pid_t pid = fork();
	struct disk_cache *dc;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	dc = open_cache(40 * COST);
	for (unsigned int i = 0; i < n; i++) {
		put(dc, (i * 7 + seed) % 300);
		get(dc, (i * 11 + seed) % 300);
	}
	disk_cache_close(dc);
	_exit(0);
}

/* While nobody adds or removes: a walk beside them may meet two of which one
 * went before the other came.
 */
static uint64_t measure_alone(void)
{
	char path[192];
	uint64_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/usage", sub);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return measure(); /* nobody has begun */
	assert_int_equal(flock(fd, LOCK_EX), 0);
	n = measure();
	close(fd);
	return n;
}

static void processes_keep_the_bound_together(void **state)
{
	struct disk_cache_stats stats;
	struct disk_cache *dc;
	pid_t pids[4];

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		pids[i] = spawn(i, 1500);
	for (unsigned int i = 0; i < 4; i++) {
		int status = 0;

		assert_true(measure_alone() <= 40 * COST);
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_true(measure() <= 40 * COST);
	dc = open_cache(40 * COST);
	disk_cache_stats(dc, &stats);
	assert_int_equal(stats.damaged, 0);
	disk_cache_close(dc);
}

static void a_stopped_process_stops_no_other(void **state)
{
	struct disk_cache *dc;
	char path[192];
	int fd;

	(void)state;
	dc = open_cache(100 * COST);
	put(dc, 1);
	snprintf(path, sizeof(path), "%s/usage", sub);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	put(dc, 2);
	assert_true(get(dc, 1));
	assert_false(get(dc, 2));
	close(fd);
	put(dc, 2);
	assert_true(get(dc, 2));
	disk_cache_close(dc);
}

static void killed_in_the_middle_it_is_sound_afterwards(void **state)
{
	uint64_t files = 0, damaged = 0;
	struct disk_cache_stats stats;
	struct disk_cache *dc;
	struct err err;

	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		pid_t pid = spawn(i, 1000000);

		usleep(5000 + i * 1777);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	dc = open_cache(40 * COST);
	put(dc, 1000);
	disk_cache_close(dc);
	assert_int_equal(disk_cache_verify(sub, &files, &damaged, &err), RC_OK);
	assert_int_equal(damaged, 0);
	assert_true(measure() <= 41 * COST);
	dc = open_cache(40 * COST);
	disk_cache_stats(dc, &stats);
	assert_true(stats.files <= files + 1);
	disk_cache_close(dc);
}

static void *thread_main(void *arg)
{
	struct disk_cache *dc = arg;

	for (unsigned int i = 0; i < 400; i++) {
		put(dc, i % 100);
		get(dc, i * 3 % 100);
	}
	return NULL;
}

static void threads_share_it(void **state)
{
	struct disk_cache *dc = open_cache(40 * COST);
	struct disk_cache_stats stats;
	pthread_t threads[8];

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, thread_main, dc), 0);
	for (unsigned int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	disk_cache_stats(dc, &stats);
	assert_int_equal(stats.damaged, 0);
	assert_int_equal(stats.errors, 0);
	disk_cache_close(dc);
	assert_true(measure() <= 40 * COST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_is_put_is_found),
		TEST(blocks_of_an_owner_are_swept),
		TEST(how_far_was_swept_is_remembered),
		TEST(it_survives_being_closed),
		TEST(it_stays_within_its_bound),
		TEST(what_was_used_longest_ago_goes_first),
		TEST(a_read_sets_the_time_of_use_at_most_hourly),
		TEST(what_is_damaged_is_absent_and_removed),
		TEST(a_tool_finds_and_removes_what_is_damaged),
		TEST(clearing_leaves_what_is_not_its_own),
		TEST(a_directory_of_others_is_refused),
		TEST(space_is_left_free),
		TEST(stale_files_of_dead_writers_go),
		TEST(processes_keep_the_bound_together),
		TEST(a_stopped_process_stops_no_other),
		TEST(killed_in_the_middle_it_is_sound_afterwards),
		TEST(threads_share_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
