/* SPDX-License-Identifier: Apache-2.0 */
/* volume-catalog.c - tests of a volume with an index cache: what it saves, and
 * that nothing in it is believed.
 *
 * The archives are local directories that are taken for remote ones; the linker
 * leads calls of the store through here (see tests/local.mk).
 */
#include "config.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "shard/route.h"
#include "store/store.h"
#include "unit.h"
#include "volume/volume.h"

static struct err err;
static unsigned int n_to_change; /* reads to answer with RC_CHANGED */
static unsigned int n_to_miss;   /* reads to answer with RC_NOENT */

#define OK(call)                                 \
	do {                                     \
		err.msg[0] = '\0';               \
		if (call)                        \
			fail_msg("%s", err.msg); \
	} while (0)

bool __wrap_store_is_remote(const struct store *st);
enum rc __real_store_read(struct store *st, const char *key,
			  const struct object_info *expect, uint64_t off,
			  void *buf, size_t len, struct err *e);
enum rc __wrap_store_read(struct store *st, const char *key,
			  const struct object_info *expect, uint64_t off,
			  void *buf, size_t len, struct err *e);

bool __wrap_store_is_remote(const struct store *st)
{
	(void)st;
	return true;
}

enum rc __wrap_store_read(struct store *st, const char *key,
			  const struct object_info *expect, uint64_t off,
			  void *buf, size_t len, struct err *e)
{
	if (n_to_change && n_to_change--)
		return err_set(e, RC_CHANGED, "%s: has changed", key);
	if (n_to_miss && n_to_miss--)
		return err_set(e, RC_NOENT, "%s: not there", key);
	return __real_store_read(st, key, expect, off, buf, len, e);
}

/* --- fixture -------------------------------------------------------------- */

struct fixture {
	struct archive a;
	char cache[64], path[80];
	struct volume *v;
};

static const struct archive_entry some[] = {
	{ .uid = "", .type = ENTRY_DIR },
	{ .uid = "d", .type = ENTRY_DIR },
	{ .uid = "d/text", .type = ENTRY_REG, .content = "the first text" },
	{ .uid = "d/many", .type = ENTRY_REG, .size = 3000 },
};

static const struct archive_entry more[] = {
	{ .uid = "d/new", .type = ENTRY_REG, .content = "the second text" },
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	n_to_change = n_to_miss = 0;
	snprintf(f->cache, sizeof(f->cache), "/tmp/desfs-index.XXXXXX");
	assert_non_null(mkdtemp(f->cache));
	snprintf(f->path, sizeof(f->path), "%s/index.sqlite", f->cache);
	archive_begin(&f->a, ROUTE_PARENT);
	archive_add(&f->a, 0, 0, some, ARRAY_LEN(some));
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
	volume_close(f->v);
	archive_end(&f->a);
	nftw(f->cache, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static void mount_again(struct fixture *f)
{
	const struct volume_options opts = { .index_cache = f->path };

	volume_close(f->v);
	f->v = NULL;
	OK(volume_open(&f->v, f->a.dir, &opts, &err));
	assert_null(volume_index_cache_error(f->v));
}

static struct volume_stats stats(struct fixture *f)
{
	struct volume_stats s;

	volume_stats(f->v, &s);
	return s;
}

static enum rc read_text(struct fixture *f, const char *path, char ret[64])
{
	struct volume_entry ve;
	size_t n = 0;
	enum rc rc;

	if (volume_resolve(f->v, span_of(path, strlen(path)), &ve, &err))
		return err.rc;
	rc = volume_read(f->v, &ve, 0, ret, 63, &n, &err);
	ret[n] = '\0';
	volume_entry_release(&ve);
	return rc;
}

static bool text_is(struct fixture *f, const char *path, const char *want)
{
	char text[64];

	OK(read_text(f, path, text));
	return !strcmp(text, want);
}

/* Requests so far. */
static void assert_requests(struct fixture *f, uint64_t lists, uint64_t gets)
{
	struct volume_stats s = stats(f);

	assert_int_equal(s.store_lists, lists);
	assert_int_equal(s.store_reads, gets);
}

static void as_sum(sqlite3_context *context, int n, sqlite3_value **values)
{
	uint8_t hash[SHA256_LEN];

	(void)n;
	sha256_of(sqlite3_value_blob(values[0]),
		  (size_t)sqlite3_value_bytes(values[0]), hash);
	sqlite3_result_blob(context, hash, 16, SQLITE_TRANSIENT);
}

/* The blob with the byte at a part of 1000 of its length changed. */
static void as_flipped(sqlite3_context *context, int n, sqlite3_value **values)
{
	size_t len = (size_t)sqlite3_value_bytes(values[0]);
	uint8_t *p = xmemdup0(sqlite3_value_blob(values[0]), len);

	(void)n;
	p[len * (size_t)sqlite3_value_int(values[1]) / 1000] ^= 0x40;
	sqlite3_result_blob(context, p, (int)len, free);
}

/* Change the index cache behind its back. */
static int sql(struct fixture *f, const char *text)
{
	sqlite3 *db = NULL;
	int n;

	volume_close(f->v);
	f->v = NULL;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	sqlite3_create_function(db, "sum_of", 1, SQLITE_UTF8, NULL, as_sum,
				NULL, NULL);
	sqlite3_create_function(db, "flipped", 2, SQLITE_UTF8, NULL, as_flipped,
				NULL, NULL);
	if (sqlite3_exec(db, text, NULL, NULL, NULL))
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	n = sqlite3_changes(db);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return n;
}

/* --- what it saves -------------------------------------------------------- */

static void mounting_again_costs_a_list_and_reading_a_block(void **state)
{
	struct fixture *f = *state;

	mount_again(f);
	assert_requests(f, 1, 2);
	assert_true(text_is(f, "d/text", "the first text"));
	/* Tails of root and directory, which have the block in them here. */
	assert_requests(f, 1, 4);
	assert_int_equal(stats(f).shards_opened, 2);
	for (int i = 0; i < 2; i++) {
		mount_again(f);
		assert_requests(f, 1, 0);
		assert_true(text_is(f, "d/text", "the first text"));
		assert_requests(f, 1, 1);
		assert_int_equal(stats(f).shards_opened, 0);
		assert_int_equal(stats(f).corrupt, 0);
	}
	assert_true(stats(f).index_hits > 2);
	assert_true(stats(f).index_bytes > 4096);
	assert_int_equal(stats(f).index_errors, 0);
}

static void new_records_are_read_and_kept(void **state)
{
	struct fixture *f = *state;
	bool changed = false;

	mount_again(f);
	archive_add(&f->a, 0, 1, more, ARRAY_LEN(more));
	OK(volume_refresh(f->v, &changed, &err));
	assert_true(changed);
	assert_requests(f, 2, 3);
	mount_again(f);
	assert_requests(f, 1, 0);
	assert_true(text_is(f, "d/new", "the second text"));
	archive_add(&f->a, 0, 2, some, ARRAY_LEN(some));
	mount_again(f);
	assert_requests(f, 1, 1);
	mount_again(f);
	assert_requests(f, 1, 0);
	assert_int_equal(stats(f).n_shards, 5);
}

static void pages_outside_the_tail_are_kept(void **state)
{
	static struct archive_entry many[12000];
	static char uids[ARRAY_LEN(many)][16];
	struct fixture *f = *state;
	uint64_t first, second;

	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		snprintf(uids[i], sizeof(uids[i]), "d/%05zu", i);
		many[i] = (struct archive_entry){ .uid = uids[i],
						  .type = ENTRY_REG,
						  .content = uids[i] };
	}
	archive_add(&f->a, 1, 0, many, ARRAY_LEN(many));
	mount_again(f);
	assert_true(text_is(f, "d/00000", "d/00000"));
	first = stats(f).store_reads;
	mount_again(f);
	assert_true(text_is(f, "d/00000", "d/00000"));
	second = stats(f).store_reads;
	assert_int_equal(second, 1);
	/* Descriptor, two records, tail, page, block; some have more levels. */
	assert_true(first >= 6);
	/* A damaged page costs one more read. */
	assert_true(sql(f, "UPDATE ranges SET body = flipped(body, 500)"
			   " WHERE len < 5000;"
			   "UPDATE ranges SET sum = sum_of(body)") > 0);
	mount_again(f);
	assert_true(text_is(f, "d/00000", "d/00000"));
	assert_int_equal(stats(f).corrupt, 0);
	assert_true(stats(f).store_reads > second);
}

/* --- what it may not do --------------------------------------------------- */

static void a_replaced_archive_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct archive other;
	char text[64];

	mount_again(f);
	assert_true(text_is(f, "d/text", "the first text"));
	archive_begin(&other, ROUTE_PARENT);
	archive_add(&other, 3, 0, some, 2);
	archive_add(&other, 3, 0, more, ARRAY_LEN(more));
	nftw(f->a.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(rename(other.dir, f->a.dir), 0);
	mount_again(f);
	assert_true(text_is(f, "d/new", "the second text"));
	assert_int_equal(read_text(f, "d/text", text), RC_NOENT);
	mount_again(f);
	assert_requests(f, 1, 0);
	assert_true(text_is(f, "d/new", "the second text"));
}

static void an_archive_that_is_gone_is_gone(void **state)
{
	const struct volume_options opts = { .index_cache = NULL };
	struct fixture *f = *state;
	struct volume_options o = opts;

	o.index_cache = f->path;
	mount_again(f);
	volume_close(f->v);
	f->v = NULL;
	nftw(f->a.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(mkdir(f->a.dir, 0700), 0);
	assert_int_equal(volume_open(&f->v, f->a.dir, &o, &err), RC_NOENT);
}

static void a_record_lost_from_it_is_read_again(void **state)
{
	static const char *const losses[] = {
		"DELETE FROM documents WHERE key LIKE 'log/2%'"
		" AND id = (SELECT min(id) FROM documents WHERE key LIKE "
		"'log/2%')",
		"DELETE FROM documents WHERE key LIKE '%~known'",
		"UPDATE documents SET body = flipped(body, 500)"
		" WHERE key LIKE 'log/2%'",
		"UPDATE documents SET body = flipped(body, 500)"
		" WHERE key LIKE 'log/2%';"
		"UPDATE documents SET sum = sum_of(body)",
		"UPDATE documents SET body = x'7b7d' WHERE key = 'desfs.json';"
		"UPDATE documents SET sum = sum_of(body)",
		"DELETE FROM documents WHERE key = 'desfs.json'",
	};
	struct fixture *f = *state;

	archive_add(&f->a, 0, 1, more, ARRAY_LEN(more));
	for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
		mount_again(f);
		assert_true(sql(f, losses[i]) > 0);
		mount_again(f);
		assert_true(text_is(f, "d/new", "the second text"));
		assert_true(text_is(f, "d/text", "the first text"));
		assert_int_equal(stats(f).n_shards, 3);
		mount_again(f);
		assert_requests(f, 1, 0);
	}
}

static void a_late_record_is_found_by_the_next_mount(void **state)
{
	struct fixture *f = *state;
	char text[64];
	bool changed;

	clock_freeze(1, ARCHIVE_TIME(200, 0) * 1000);
	f->a.n_records = 2000;
	archive_add(&f->a, 0, 1, some, ARRAY_LEN(some));
	mount_again(f);
	/* Written last, but named half an hour before the one above. */
	f->a.n_records = 1;
	archive_add(&f->a, 0, 2, more, ARRAY_LEN(more));
	OK(volume_refresh(f->v, &changed, &err));
	assert_false(changed);
	assert_int_equal(read_text(f, "d/new", text), RC_NOENT);
	mount_again(f);
	assert_true(text_is(f, "d/new", "the second text"));
	assert_int_equal(stats(f).store_lists, 1);
}

static void wrong_bytes_of_a_shard_are_read_again(void **state)
{
	struct fixture *f = *state;
	unsigned int n_dropped = 0;

	for (unsigned int at = 0; at < 1000; at += 40) {
		char text[160];

		mount_again(f);
		assert_true(text_is(f, "d/text", "the first text"));
		snprintf(text, sizeof(text),
			 "UPDATE ranges SET body = flipped(body, %u);"
			 "UPDATE ranges SET sum = sum_of(body)",
			 at);
		assert_true(sql(f, text) > 0);
		mount_again(f);
		assert_true(text_is(f, "d/text", "the first text"));
		assert_true(text_is(f, "d/text", "the first text"));
		assert_int_equal(stats(f).corrupt, 0);
		n_dropped += stats(f).shards_opened > 0;
	}
	assert_true(n_dropped > 15);
}

static void a_moved_tag_costs_a_tail(void **state)
{
	struct fixture *f = *state;

	mount_again(f);
	assert_true(text_is(f, "d/text", "the first text"));
	mount_again(f);
	n_to_change = 1;
	assert_true(text_is(f, "d/text", "the first text"));
	assert_int_equal(n_to_change, 0);
	assert_int_equal(stats(f).shards_opened, 1);
	assert_true(text_is(f, "d/text", "the first text"));
	assert_int_equal(stats(f).shards_opened, 1);
}

static void a_tag_that_never_rests_is_an_error(void **state)
{
	struct fixture *f = *state;
	char text[64];

	mount_again(f);
	assert_true(text_is(f, "d/text", "the first text"));
	mount_again(f);
	n_to_change = 1000;
	/* The tail of the second try has the block of a shard so small. */
	(void)read_text(f, "d/text", text);
	assert_true(n_to_change > 990);
}

static void a_missing_shard_is_looked_for_in_the_log(void **state)
{
	struct fixture *f = *state;
	char text[64];

	mount_again(f);
	assert_true(text_is(f, "d/text", "the first text"));
	mount_again(f);
	n_to_miss = 1;
	assert_true(text_is(f, "d/text", "the first text"));
	assert_int_equal(stats(f).store_lists, 2);
	mount_again(f);
	n_to_miss = 1000;
	assert_int_equal(read_text(f, "d/text", text), RC_CORRUPT);
	assert_non_null(strstr(err.msg, "the store has it not"));
	assert_int_equal(n_to_miss, 998);
}

static void without_an_index_cache_all_works(void **state)
{
	struct fixture *f = *state;
	struct volume_options opts = { .index_cache = "" };

	OK(volume_open(&f->v, f->a.dir, &opts, &err));
	assert_null(volume_index_cache_error(f->v));
	assert_true(text_is(f, "d/text", "the first text"));
	volume_close(f->v);
	f->v = NULL;
	assert_int_equal(chmod(f->cache, 0777), 0);
	opts.index_cache = f->path;
	OK(volume_open(&f->v, f->a.dir, &opts, &err));
	assert_non_null(strstr(volume_index_cache_error(f->v), f->cache));
	assert_true(text_is(f, "d/text", "the first text"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mounting_again_costs_a_list_and_reading_a_block),
		TEST(new_records_are_read_and_kept),
		TEST(pages_outside_the_tail_are_kept),
		TEST(a_replaced_archive_is_noticed),
		TEST(an_archive_that_is_gone_is_gone),
		TEST(a_record_lost_from_it_is_read_again),
		TEST(a_late_record_is_found_by_the_next_mount),
		TEST(wrong_bytes_of_a_shard_are_read_again),
		TEST(a_moved_tag_costs_a_tail),
		TEST(a_tag_that_never_rests_is_an_error),
		TEST(a_missing_shard_is_looked_for_in_the_log),
		TEST(without_an_index_cache_all_works),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
