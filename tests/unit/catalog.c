/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.c - tests of the index cache. */
#include "config.h"

#include "catalog/catalog.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "unit.h"

#define HERE "s3://bucket/here"
#define THERE "s3://bucket/there"
#define HOUR (UINT64_C(3600) * CLOCK_NS_PER_SEC)

struct fixture {
	char dir[32];
	char path[64];
	struct catalog *c;
};

static struct err err;

#define OK(call)                                 \
	do {                                     \
		err.msg[0] = '\0';               \
		if (call)                        \
			fail_msg("%s", err.msg); \
	} while (0)

static void open_again(struct fixture *f, uint64_t max)
{
	catalog_close(f->c);
	f->c = NULL;
	OK(catalog_open(&f->c, f->path, max, &err));
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	memcpy(f->dir, "/tmp/desfs-catalog.XXXXXX", 26);
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/a/b/index.sqlite", f->dir);
	open_again(f, 0);
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

	clock_thaw();
	catalog_close(f->c);
	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

/* --- helpers -------------------------------------------------------------- */

static const uint8_t *root_of(unsigned int n)
{
	static _Thread_local uint8_t root[CATALOG_ROOT_LEN];

	memcpy(root, &n, sizeof(n));
	return root;
}

static void fill(uint8_t *p, size_t len, unsigned int n)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(n * 31 + i * 7 + i / 256);
}

static void put(struct catalog *c, unsigned int shard, uint64_t off, size_t len)
{
	uint8_t *p = xcalloc(len, 1);

	fill(p, len, shard + (unsigned int)off);
	catalog_put_range(c, HERE, root_of(shard), "tag", off, p, len);
	free(p);
}

/* Whether a range is there, and as it was put. */
static bool has(struct catalog *c, unsigned int shard, uint64_t off, size_t len)
{
	CLEANUP_BUF struct buf b = { 0 };
	uint8_t *p;

	buf_init(&b, len);
	if (!catalog_get_range(c, root_of(shard), off, len, &b))
		return false;
	p = xcalloc(len, 1);
	fill(p, len, shard + (unsigned int)off);
	assert_int_equal(b.len, len);
	assert_memory_equal(b.p, p, len);
	free(p);
	return true;
}

static bool document_is(struct catalog *c, const char *location,
			const char *key, const char *want)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 4096);
	if (!catalog_get_document(c, location, key, &b))
		return !want;
	return want && !strcmp(buf_str(&b), want);
}

static void put_text(struct catalog *c, const char *location, const char *key,
		     const char *text)
{
	catalog_put_document(c, location, key, text, strlen(text));
}

static bool gather(void *arg, const char *key, const void *p, size_t len)
{
	buf_printf(arg, "%s=%.*s ", key, (int)len, (const char *)p);
	return true;
}

/* Change the file behind the catalog's back. */
static void sql(const struct fixture *f, const char *text)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, text, NULL, NULL, NULL))
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static bool exists(const struct fixture *f, const char *suffix)
{
	char path[80];

	snprintf(path, sizeof(path), "%s%s", f->path, suffix);
	return !access(path, F_OK);
}

static void write_over(const struct fixture *f, const char *text)
{
	FILE *to = fopen(f->path, "w");

	assert_non_null(to);
	assert_true(fputs(text, to) >= 0);
	assert_int_equal(fclose(to), 0);
}

static void stop(struct fixture *f)
{
	catalog_close(f->c);
	f->c = NULL;
}

static struct catalog_stats stats(struct fixture *f)
{
	struct catalog_stats s;

	catalog_stats(f->c, &s);
	return s;
}

/* --- what is kept --------------------------------------------------------- */

static void documents_are_kept_by_place_and_key(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf b = { 0 };

	put_text(f->c, HERE, "log/2", "two");
	put_text(f->c, HERE, "log/1", "one");
	put_text(f->c, HERE, "desfs.json", "{}");
	put_text(f->c, HERE, "log0", "no record");
	put_text(f->c, THERE, "log/3", "three");
	put_text(f->c, THERE, "empty", "");
	assert_true(document_is(f->c, HERE, "log/1", "one"));
	assert_true(document_is(f->c, THERE, "log/1", NULL));
	assert_true(document_is(f->c, THERE, "empty", ""));
	put_text(f->c, HERE, "log/1", "another");
	open_again(f, 0);
	buf_init(&b, 4096);
	catalog_each_document(f->c, HERE, "log/", gather, &b);
	assert_string_equal(buf_str(&b), "log/1=another log/2=two ");
	catalog_drop(f->c, HERE);
	assert_true(document_is(f->c, HERE, "desfs.json", NULL));
	assert_true(document_is(f->c, THERE, "log/3", "three"));
}

static void a_range_is_found_within_one_that_was_put(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf b = { 0 };
	uint8_t want[1000];

	put(f->c, 1, 5000, 1000);
	put(f->c, 1, 5500, 10);
	assert_true(has(f->c, 1, 5000, 1000));
	assert_true(has(f->c, 1, 5500, 10));
	buf_init(&b, 4096);
	assert_true(catalog_get_range(f->c, root_of(1), 5600, 400, &b));
	fill(want, sizeof(want), 1 + 5000);
	assert_memory_equal(b.p, want + 600, 400);
	assert_false(has(f->c, 1, 5000, 1001));
	assert_false(has(f->c, 1, 4999, 10));
	assert_false(has(f->c, 2, 5000, 1000));
	assert_int_equal(stats(f).n_ranges, 2);
	catalog_drop_shard(f->c, root_of(1));
	assert_false(has(f->c, 1, 5000, 1000));
	assert_int_equal(stats(f).n_ranges, 0);
}

static void a_tail_has_the_tag_of_its_place_only(void **state)
{
	struct fixture *f = *state;
	char tag[64];
	uint64_t off = 0;

	for (int i = 0; i < 2; i++) {
		CLEANUP_BUF struct buf b = { 0 };

		put(f->c, 1, 5000, 1000);
		put(f->c, 1, 100, 20);
		buf_init(&b, 4096);
		assert_false(catalog_get_tail(f->c, HERE, root_of(1), 5999,
					      &off, &b, tag, sizeof(tag)));
		assert_true(catalog_get_tail(f->c, i ? THERE : HERE, root_of(1),
					     6000, &off, &b, tag, sizeof(tag)));
		assert_int_equal(off, 5000);
		assert_int_equal(b.len, 1000);
		assert_string_equal(tag, i ? "" : "tag");
	}
}

static void what_is_too_long_is_not_kept(void **state)
{
	struct fixture *f = *state;

	open_again(f, 1 << 20);
	put(f->c, 1, 0, (1 << 18) + 1);
	assert_false(has(f->c, 1, 0, (1 << 18) + 1));
	put(f->c, 1, 0, 1 << 18);
	assert_true(has(f->c, 1, 0, 1 << 18));
	assert_int_equal(stats(f).errors, 0);
}

/* --- the bound ------------------------------------------------------------ */

static off_t file_size(const struct fixture *f)
{
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	return st.st_size;
}

static void what_was_not_used_longest_goes_first(void **state)
{
	struct fixture *f = *state;

	clock_freeze(0, (int64_t)(1000 * HOUR));
	open_again(f, 4 << 20);
	put_text(f->c, THERE, "desfs.json", "old");
	clock_advance(HOUR);
	put_text(f->c, HERE, "desfs.json", "{}");
	for (unsigned int i = 0; i < 100; i++) {
		put(f->c, i, 0, 100000);
		clock_advance(HOUR);
		assert_true(has(f->c, 0, 0, 100000));
		assert_true(stats(f).bytes <= 4 << 20);
	}
	assert_true(has(f->c, 99, 0, 100000));
	assert_false(has(f->c, 1, 0, 100000));
	assert_true(stats(f).n_shards > 20);
	assert_true(document_is(f->c, HERE, "desfs.json", "{}"));
	assert_true(document_is(f->c, THERE, "desfs.json", "old"));
	assert_int_equal(stats(f).errors, 0);
}

static void documents_go_when_there_are_no_shards(void **state)
{
	static char text[100001];
	struct fixture *f = *state;
	char location[32];

	memset(text, 'x', sizeof(text) - 1);
	clock_freeze(0, (int64_t)(1000 * HOUR));
	open_again(f, 2 << 20);
	for (unsigned int i = 0; i < 50; i++) {
		snprintf(location, sizeof(location), "s3://b/%u", i);
		put_text(f->c, location, "desfs.json", text);
		clock_advance(HOUR);
	}
	assert_true(document_is(f->c, "s3://b/0", "desfs.json", NULL));
	assert_true(stats(f).n_archives > 10);
	assert_true(stats(f).n_archives < 25);
	for (unsigned int i = 0; i < 50; i++) {
		snprintf(location, sizeof(location), "log/%u", i);
		put_text(f->c, HERE, location, text);
	}
	assert_true(stats(f).bytes <= 2 << 20);
}

static void the_file_shrinks(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 100; i++)
		put(f->c, i, 0, 100000);
	open_again(f, 2 << 20);
	assert_true(file_size(f) > 9000000);
	for (unsigned int i = 0; i < 10; i++)
		put(f->c, i, 7, 10);
	open_again(f, 2 << 20);
	assert_true(file_size(f) <= 2 << 20);
	OK(catalog_clear(f->c, &err));
	assert_true(file_size(f) < 200000);
	assert_int_equal(stats(f).n_ranges, 0);
	assert_int_equal(stats(f).n_archives, 0);
}

/* --- damage --------------------------------------------------------------- */

static void assert_fresh(struct fixture *f)
{
	assert_true(exists(f, ".damaged"));
	assert_false(has(f->c, 1, 0, 1000));
	put(f->c, 1, 0, 1000);
	assert_true(has(f->c, 1, 0, 1000));
	open_again(f, 0);
	assert_true(has(f->c, 1, 0, 1000));
}

static void no_database_is_put_aside(void **state)
{
	struct fixture *f = *state;

	put(f->c, 1, 0, 1000);
	stop(f);
	write_over(f, "This is a text of more than a hundred bytes, which is "
		      "what SQLite reads first of a file to know whether it "
		      "is one of its own.");
	open_again(f, 0);
	assert_int_equal(stats(f).rebuilds, 1);
	assert_fresh(f);
}

static void half_a_database_is_put_aside(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 50; i++)
		put(f->c, i, 0, 1000);
	stop(f);
	assert_int_equal(truncate(f->path, file_size(f) / 2), 0);
	open_again(f, 0);
	assert_fresh(f);
}

static void another_version_is_put_aside(void **state)
{
	struct fixture *f = *state;

	put(f->c, 1, 0, 1000);
	stop(f);
	sql(f, "PRAGMA user_version = 99");
	open_again(f, 0);
	assert_fresh(f);
}

static void tables_that_do_not_fit_the_version_are_put_aside(void **state)
{
	static const char *const changes[] = {
		"PRAGMA user_version = 0",
		"DROP TABLE ranges",
		"DROP TABLE ranges; CREATE VIEW ranges AS SELECT 1 AS id",
		"ALTER TABLE documents RENAME COLUMN body TO head",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		put(f->c, 1, 0, 1000);
		put_text(f->c, HERE, "log/1", "one");
		stop(f);
		sql(f, changes[i]);
		open_again(f, 0);
		/* The first use of each table tells. */
		document_is(f->c, HERE, "log/1", NULL);
		has(f->c, 1, 0, 1000);
		assert_int_equal(stats(f).rebuilds, 1);
		assert_fresh(f);
		put_text(f->c, HERE, "log/1", "one");
		assert_true(document_is(f->c, HERE, "log/1", "one"));
	}
}

static void the_database_of_another_program_is_refused(void **state)
{
	struct fixture *f = *state;

	stop(f);
	unlink(f->path);
	sql(f, "CREATE TABLE addresses(name)");
	chmod(f->path, 0600);
	assert_int_equal(catalog_open(&f->c, f->path, 0, &err), RC_EXISTS);
	assert_false(exists(f, ".damaged"));
}

static void damage_met_later_is_put_aside_too(void **state)
{
	struct fixture *f = *state;
	static uint8_t junk[65536];
	int fd;

	for (unsigned int i = 0; i < 50; i++)
		put(f->c, i, 0, 10000);
	open_again(f, 0);
	fd = open(f->path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	memset(junk, 0xa5, sizeof(junk));
	for (off_t off = 8192; off < file_size(f); off += sizeof(junk))
		assert_int_equal(pwrite(fd, junk, sizeof(junk), off),
				 sizeof(junk));
	/* Closed only later: that would drop SQLite's locks. */
	assert_false(has(f->c, 1, 0, 10000));
	assert_int_equal(stats(f).rebuilds, 1);
	assert_true(stats(f).errors > 0);
	assert_fresh(f);
	close(fd);
}

static void changed_bytes_are_not_given_out(void **state)
{
	struct fixture *f = *state;
	uint64_t checked = 0, damaged = 0;

	put(f->c, 1, 0, 1000);
	put(f->c, 1, 2000, 1000);
	put_text(f->c, HERE, "log/1", "one");
	put_text(f->c, HERE, "log/2", "two");
	OK(catalog_verify(f->c, &checked, &damaged, &err));
	assert_int_equal(checked, 4);
	assert_int_equal(damaged, 0);
	sql(f, "UPDATE ranges SET body = zeroblob(1000) WHERE off = 0;"
	       "UPDATE documents SET body = x'00' WHERE key = 'log/1'");
	assert_false(has(f->c, 1, 0, 1000));
	assert_true(has(f->c, 1, 2000, 1000));
	assert_true(document_is(f->c, HERE, "log/1", NULL));
	OK(catalog_verify(f->c, &checked, &damaged, &err));
	assert_int_equal(checked, 4);
	assert_int_equal(damaged, 2);
	OK(catalog_verify(f->c, &checked, &damaged, &err));
	assert_int_equal(checked, 2);
	assert_int_equal(damaged, 0);
}

/* --- whose it is ---------------------------------------------------------- */

static unsigned int mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void it_is_the_users_alone(void **state)
{
	struct fixture *f = *state;
	char dir[64], journal[96];

	snprintf(dir, sizeof(dir), "%s/a/b", f->dir);
	assert_int_equal(mode_of(dir), 0700);
	assert_int_equal(mode_of(f->path), 0600);
	stop(f);
	assert_int_equal(chmod(f->path, 0620), 0);
	assert_int_equal(catalog_open(&f->c, f->path, 0, &err), RC_ACCESS);
	assert_int_equal(chmod(f->path, 0600), 0);
	assert_int_equal(chmod(dir, 01777), 0);
	assert_int_equal(catalog_open(&f->c, f->path, 0, &err), RC_ACCESS);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(symlink("/etc/passwd", f->path), 0);
	assert_int_equal(catalog_open(&f->c, f->path, 0, &err), RC_ACCESS);
	assert_int_equal(unlink(f->path), 0);
	/* SQLite would wait for a writer, without end. */
	snprintf(journal, sizeof(journal), "%s-journal", f->path);
	assert_int_equal(mkfifo(journal, 0600), 0);
	assert_int_equal(catalog_open(&f->c, f->path, 0, &err), RC_ACCESS);
}

/* --- many at once --------------------------------------------------------- */

/* Write until killed. */
static void scribble(const char *path, int ready)
{
	struct catalog *c = NULL;

	if (catalog_open(&c, path, 4 << 20, &err))
		_exit(1);
	for (unsigned int i = 0;; i++) {
		put(c, i % 200, i % 7 * 100000, 60000);
		put_text(c, HERE, "log/1", i % 2 ? "odd" : "even");
		if (i == 20 && write(ready, "x", 1) != 1)
			_exit(1);
	}
}

static void a_killed_writer_leaves_it_sound(void **state)
{
	struct fixture *f = *state;

	stop(f);
	for (unsigned int round = 0; round < 5; round++) {
		uint64_t checked = 0, damaged = 0;
		struct catalog_stats s;
		int fds[2];
		char x;
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (!pid)
			scribble(f->path, fds[1]);
		close(fds[1]);
		assert_int_equal(read(fds[0], &x, 1), 1);
		close(fds[0]);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		OK(catalog_open(&f->c, f->path, 4 << 20, &err));
		OK(catalog_verify(f->c, &checked, &damaged, &err));
		assert_true(checked > 10);
		assert_int_equal(damaged, 0);
		s = stats(f);
		assert_int_equal(s.rebuilds, 0);
		assert_int_equal(s.errors, 0);
		stop(f);
	}
	assert_false(exists(f, ".damaged"));
}

#define N_PROCESSES 4u
#define N_PUTS 30u

static int work(const char *path, unsigned int me)
{
	struct catalog *c = NULL;
	int bad = 0;

	if (catalog_open(&c, path, 0, &err))
		return 1;
	for (unsigned int i = 0; i < N_PUTS; i++) {
		unsigned int shard = me * 1000 + i;

		put(c, shard, 0, 5000);
		bad += !has(c, shard, 0, 5000);
	}
	catalog_close(c);
	return bad ? 2 : 0;
}

/* The file is damaged when all of them come. */
static void processes_share_it_and_begin_anew_once(void **state)
{
	struct fixture *f = *state;
	pid_t pids[N_PROCESSES];

	stop(f);
	write_over(f, "damaged");
	for (unsigned int i = 0; i < N_PROCESSES; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(work(f->path, i));
	}
	for (unsigned int i = 0; i < N_PROCESSES; i++) {
		int status = 0;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	open_again(f, 0);
	assert_int_equal(stats(f).n_shards, N_PROCESSES * N_PUTS);
}

struct worker {
	pthread_t thread;
	struct catalog *c;
	unsigned int me;
};

static void *thread_work(void *arg)
{
	struct worker *w = arg;

	for (unsigned int i = 0; i < N_PUTS; i++) {
		struct catalog_stats s;

		put(w->c, w->me * 1000 + i, 0, 3000);
		(void)has(w->c, w->me * 1000 + i, 0, 3000);
		put_text(w->c, HERE, "log/1", "one");
		(void)document_is(w->c, HERE, "log/1", "one");
		catalog_stats(w->c, &s);
	}
	return NULL;
}

static void threads_share_it_while_it_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct worker w[4] = { 0 };

	for (unsigned int i = 0; i < ARRAY_LEN(w); i++) {
		w[i].c = f->c;
		w[i].me = i;
		assert_int_equal(
			pthread_create(&w[i].thread, NULL, thread_work, &w[i]),
			0);
	}
	assert_int_equal(truncate(f->path, 8192), 0);
	for (unsigned int i = 0; i < ARRAY_LEN(w); i++)
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
	put(f->c, 1, 0, 1000);
	put(f->c, 1, 0, 1000);
	assert_true(has(f->c, 1, 0, 1000));
}

static void a_full_disk_costs_only_what_was_to_be_kept(void **state)
{
	const struct rlimit small = { 300000, 300000 };
	struct fixture *f = *state;
	int status = 0;
	pid_t pid;

	put(f->c, 1, 0, 1000);
	stop(f);
	pid = fork();
	if (!pid) {
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &small) ||
		    catalog_open(&f->c, f->path, 0, &err))
			_exit(1);
		for (unsigned int i = 2; i < 20; i++)
			put(f->c, i, 0, 100000);
		if (!stats(f).errors || stats(f).rebuilds)
			_exit(2);
		_exit(has(f->c, 1, 0, 1000) ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	open_again(f, 0);
	assert_true(has(f->c, 1, 0, 1000));
}

static bool note_archive(void *arg, const char *location, uint64_t n_shards,
			 uint64_t bytes, int64_t last_used)
{
	buf_printf(arg, "%s %u %u %d;", location, (unsigned int)n_shards,
		   (unsigned int)bytes, last_used > 0);
	return true;
}

static void archives_are_told(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf b = { 0 };
	struct catalog_stats s;

	put(f->c, 1, 0, 1000);
	put(f->c, 1, 2000, 500);
	put(f->c, 2, 0, 10);
	put_text(f->c, THERE, "desfs.json", "{}");
	buf_init(&b, 4096);
	OK(catalog_each_archive(f->c, note_archive, &b, &err));
	assert_string_equal(buf_str(&b), HERE " 2 1510 1;" THERE " 0 2 1;");
	s = stats(f);
	assert_int_equal(s.n_archives, 2);
	assert_int_equal(s.n_shards, 2);
	assert_int_equal(s.n_ranges, 3);
	assert_int_equal(s.n_documents, 1);
	assert_int_equal(s.puts, 4);
}

#define STEPS 30u
#define BATCH 30u
#define LAG (3 * BATCH)
#define WORDS (STEPS * BATCH)

static void word_of(unsigned int i, char ret[16])
{
	snprintf(ret, 16, "name-%08x", i * 2654435761u);
}

static void key_of(unsigned int i, char ret[16])
{
	snprintf(ret, 16, "log/%08x", i * 40503u);
}

/* Documents, longer and shorter ones, each with its word. */
static void put_words(struct catalog *c, unsigned int first)
{
	struct catalog_document all[BATCH];
	char keys[BATCH][16];

	for (unsigned int k = 0; k < BATCH; k++) {
		size_t len = 300 + (first + k) * 7919 % 3000;
		char word[16], *text = xcalloc(len, 1);

		word_of(first + k, word);
		key_of(first + k, keys[k]);
		memcpy(text + len / 2, word, strlen(word));
		all[k] = (struct catalog_document){ keys[k], text, len };
	}
	assert_true(catalog_put_documents(c, HERE, all, BATCH));
	for (unsigned int k = 0; k < BATCH; k++)
		free((void *)(uintptr_t)all[k].p);
}

/* Two of three soon, the third much later. */
static bool is_dropped(unsigned int i, unsigned int n)
{
	return i + LAG < n && (i % 3 || i + 4 * LAG < n);
}

static void drop_words(struct catalog *c, unsigned int n)
{
	char keys[4 * BATCH][16];
	const char *all[4 * BATCH];
	size_t n_keys = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (!is_dropped(i, n) || is_dropped(i, n - BATCH))
			continue;
		assert_in_range(n_keys, 0, 4 * BATCH - 1);
		key_of(i, keys[n_keys]);
		all[n_keys] = keys[n_keys];
		n_keys++;
	}
	assert_true(catalog_drop_documents(c, HERE, all, n_keys));
}

/* How many words that are not to be there, or are, a file has. */
static unsigned int words_in(const char *path, unsigned int n, bool dropped)
{
	CLEANUP_FREE char *bytes = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned int found = 0;
	struct stat sb;

	if (fd < 0)
		return 0;
	assert_int_equal(fstat(fd, &sb), 0);
	bytes = xcalloc((size_t)sb.st_size + 1, 1);
	assert_int_equal(pread(fd, bytes, (size_t)sb.st_size, 0), sb.st_size);
	close(fd);
	for (unsigned int i = 0; i < n; i++) {
		char word[16];

		word_of(i, word);
		found += is_dropped(i, n) == dropped &&
			 memmem(bytes, (size_t)sb.st_size, word, strlen(word));
	}
	return found;
}

/* Rows move from page to page while others come and go; of none that went may a
 * copy stay behind.
 */
static void what_is_dropped_is_nowhere_in_the_file(void **state)
{
	struct fixture *f = *state;
	char log[80];

	snprintf(log, sizeof(log), "%s-wal", f->path);
	for (unsigned int n = BATCH; n <= WORDS; n += BATCH) {
		put_words(f->c, n - BATCH);
		/* Of what went before, when pages were written again. */
		if (n % (5 * BATCH) == 0)
			assert_int_equal(words_in(log, n - BATCH, true), 0);
		drop_words(f->c, n);
		if (n % (5 * BATCH) == 0) {
			assert_int_equal(words_in(f->path, n, true), 0);
			assert_int_equal(words_in(log, n, true), 0);
		}
	}
	open_again(f, 0);
	assert_int_equal(words_in(f->path, WORDS, true), 0);
	assert_in_range(words_in(f->path, WORDS, false), LAG, WORDS);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(documents_are_kept_by_place_and_key),
		TEST(a_range_is_found_within_one_that_was_put),
		TEST(a_tail_has_the_tag_of_its_place_only),
		TEST(what_is_too_long_is_not_kept),
		TEST(what_was_not_used_longest_goes_first),
		TEST(documents_go_when_there_are_no_shards),
		TEST(the_file_shrinks),
		TEST(no_database_is_put_aside),
		TEST(half_a_database_is_put_aside),
		TEST(another_version_is_put_aside),
		TEST(tables_that_do_not_fit_the_version_are_put_aside),
		TEST(the_database_of_another_program_is_refused),
		TEST(damage_met_later_is_put_aside_too),
		TEST(changed_bytes_are_not_given_out),
		TEST(it_is_the_users_alone),
		TEST(a_killed_writer_leaves_it_sound),
		TEST(processes_share_it_and_begin_anew_once),
		TEST(threads_share_it_while_it_is_replaced),
		TEST(a_full_disk_costs_only_what_was_to_be_kept),
		TEST(archives_are_told),
		TEST(what_is_dropped_is_nowhere_in_the_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
