/* SPDX-License-Identifier: Apache-2.0 */
/* erased.c - tests of what is kept out of an archive, over a store in a
 * directory.
 */
#include "config.h"

#include "unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "erase/suppression.h"
#include "erase/tombstone.h"
#include "pack/erased.h"
#include "store/store-write.h"
#include "volume/oplog.h"

static const uint8_t archive_id[SHARD_ID_LEN] = { 1, 2, 3 };
static const uint8_t secret_a[SUPPRESSION_SECRET_LEN] = { 0xaa, 1 };
static const uint8_t secret_b[SUPPRESSION_SECRET_LEN] = { 0xbb, 2 };

static char dir[] = "/tmp/desfs-erased-XXXXXX";
static char *place, *key_file;
static struct store *st;
static struct oplog *oplog;

static void read_log(void)
{
	bool changed;
	struct err err;

	oplog_want_all(oplog);
	assert_int_equal(oplog_read(oplog, st, &changed, &err), RC_OK);
}

static void write_record(struct oplog_record *r)
{
	struct err err;

	read_log();
	assert_int_equal(oplog_write(oplog, st, r, archive_id, &err), RC_OK);
	read_log();
}

static struct oplog_object put(const char *key, const struct buf *text,
			       uint64_t count)
{
	struct oplog_object o = { .key = xstrdup(key), .count = count };
	bool existed;
	struct err err;

	assert_int_equal(store_put(st, key, text->p, text->len, &existed, &err),
			 RC_OK);
	sha256_of(text->p, text->len, o.sha256);
	return o;
}

struct asked {
	const char *uid;
	enum erasure_range range;
	int64_t time;
};

static void put_tombstone(const struct asked *asked, size_t n)
{
	struct tombstone t = { .time = INT64_C(1700000000000000) };
	struct oplog_record r = { .kind = OPLOG_TOMBSTONES };
	CLEANUP_BUF struct buf text = { .max = TOMBSTONE_MAX };
	char key[TOMBSTONE_KEY_TEXT];
	struct oplog_object o;
	struct err err;

	memcpy(t.archive_id, archive_id, sizeof(archive_id));
	for (size_t i = 0; i < n; i++) {
		const uint8_t id[ERASURE_ID_LEN] = { (uint8_t)i };

		tombstone_add(&t, id, asked[i].uid, strlen(asked[i].uid),
			      asked[i].range, asked[i].time);
	}
	assert_int_equal(tombstone_encode(&t, &text, &err), RC_OK);
	assert_int_equal(tombstone_key(t.time, key, &err), RC_OK);
	o = put(key, &text, n);
	r.tombstones = &o;
	r.n_tombstones = 1;
	write_record(&r);
	free(o.key);
	free(r.name);
	free(r.prev.name);
	tombstone_release(&t);
}

static void put_list(const uint8_t secret[SUPPRESSION_SECRET_LEN],
		     const char *const *uids, size_t n)
{
	struct suppression s = { .time = INT64_C(1700000000000000) };
	struct oplog_record r = { .kind = OPLOG_ERASED };
	CLEANUP_BUF struct buf text = { .max = SUPPRESSION_MAX };
	char key[SUPPRESSION_KEY_TEXT];
	struct oplog_object o;
	struct err err;

	memcpy(s.archive_id, archive_id, sizeof(archive_id));
	suppression_key_id(secret, s.key_id);
	for (size_t i = 0; i < n; i++) {
		struct suppression_hash hash;

		suppression_hash(secret, uids[i], strlen(uids[i]), &hash);
		suppression_add(&s, &hash);
	}
	suppression_sort(&s);
	assert_int_equal(suppression_encode(&s, &text, &err), RC_OK);
	assert_int_equal(suppression_key(s.time, key, &err), RC_OK);
	o = put(key, &text, n);
	r.suppressed = &o;
	r.n_suppressed = 1;
	write_record(&r);
	free(o.key);
	free(r.name);
	free(r.prev.name);
	suppression_release(&s);
}

static void write_keys(const uint8_t *a, const uint8_t *b)
{
	char hex[HEX_TEXT(SUPPRESSION_SECRET_LEN)];
	FILE *f = fopen(key_file, "we");

	assert_non_null(f);
	hex_encode(a, SUPPRESSION_SECRET_LEN, hex);
	fprintf(f, "key = %s\n", hex);
	if (b) {
		hex_encode(b, SUPPRESSION_SECRET_LEN, hex);
		fprintf(f, "key = %s\n", hex);
	}
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(key_file, 0600), 0);
}

static struct erased *opened(const char *key, bool allow)
{
	const struct erased_options o = { .key = key, .allow = allow };
	struct erased *e = NULL;
	struct err err;

	read_log();
	assert_int_equal(erased_new(&e, st, oplog, &o, &err), RC_OK);
	return e;
}

static struct item item_of(const char *uid, enum entry_type type)
{
	struct item it = { .type = type };

	entry_split_uid(span_of(uid, strlen(uid)), &it.parent, &it.name);
	return it;
}

static bool keeps_out(const struct erased *e, const char *uid,
		      enum entry_type type)
{
	struct item it = item_of(uid, type);

	return erased_keeps_out(e, &it);
}

static int64_t after(const struct erased *e, const char *uid, int64_t at)
{
	struct item it = item_of(uid, ENTRY_REG);

	return erased_after(e, it.parent, it.name, at);
}

/* --- tests -----------------------------------------------------------------
 */

static void without_deletions_there_is_nothing_to_ask(void **state)
{
	struct erased *e = opened(NULL, false);
	struct erased_walk w = { .is_known = false };
	struct item it = item_of("d/x", ENTRY_REG);

	(void)state;
	assert_null(e);
	erased_note(e, &w, &it);
	assert_false(erased_keeps_out(e, &it));
	assert_int_equal(after(e, "d/x", 7), 7);
	erased_walk_release(&w);
	erased_free(e);
}

static void tombstones_of_all_versions_keep_a_name_out(void **state)
{
	static const struct asked asked[] = { { "d/all", ERASURE_UNTIL, 1000 },
					      { "d/one", ERASURE_ONE, 500 },
					      { "d/one", ERASURE_ONE, 501 } };
	struct erased *e;

	(void)state;
	put_tombstone(asked, ARRAY_LEN(asked));
	e = opened(NULL, false);
	assert_true(keeps_out(e, "d/all", ENTRY_REG));
	assert_false(keeps_out(e, "d/one", ENTRY_REG));
	assert_false(keeps_out(e, "all", ENTRY_REG));
	assert_int_equal(after(e, "d/all", 5), 1001);
	assert_int_equal(after(e, "d/all", 1000), 1001);
	assert_int_equal(after(e, "d/all", 2000), 2000);
	assert_int_equal(after(e, "d/one", 499), 499);
	assert_int_equal(after(e, "d/one", 500), 502);
	assert_int_equal(after(e, "d/two", 500), 500);
	erased_free(e);
	e = opened(NULL, true);
	assert_false(keeps_out(e, "d/all", ENTRY_REG));
	assert_int_equal(after(e, "d/all", 5), 1001);
	erased_free(e);
}

static void a_list_keeps_names_out_by_any_of_its_keys(void **state)
{
	static const char *const first[] = { "a", "d/b" }, *second[] = { "c" };
	struct erased *e;

	(void)state;
	put_list(secret_a, first, 2);
	put_list(secret_b, second, 1);
	write_keys(secret_b, secret_a);
	e = opened(key_file, false);
	assert_true(keeps_out(e, "a", ENTRY_REG));
	assert_true(keeps_out(e, "d/b", ENTRY_SYMLINK));
	assert_true(keeps_out(e, "c", ENTRY_REG));
	assert_false(keeps_out(e, "b", ENTRY_REG));
	assert_false(keeps_out(e, "d", ENTRY_DIR));
	erased_free(e);
}

static void without_its_key_a_list_is_an_error(void **state)
{
	const struct erased_options none = { .allow = false };
	const struct erased_options other = { .key = key_file };
	static const char *const uids[] = { "a" };
	struct erased *e = NULL;
	struct err err;

	(void)state;
	put_list(secret_a, uids, 1);
	write_keys(secret_b, NULL);
	assert_int_equal(erased_new(&e, st, oplog, &none, &err), RC_ACCESS);
	assert_non_null(strstr(err.msg, "erasure_key"));
	assert_int_equal(erased_new(&e, st, oplog, &other, &err), RC_ACCESS);
	assert_null(e);
	e = opened(NULL, true);
	assert_false(keeps_out(e, "a", ENTRY_REG));
	erased_free(e);
}

static enum rc find_list(void *arg, const char *key, uint64_t size,
			 struct err *err)
{
	(void)size;
	(void)err;
	snprintf(arg, SUPPRESSION_KEY_TEXT, "%s", key);
	return RC_OK;
}

static void a_list_that_is_another_or_gone_is_an_error(void **state)
{
	const struct erased_options o = { .key = key_file };
	static const char *const uids[] = { "a" };
	char key[SUPPRESSION_KEY_TEXT] = "";
	struct erased *e = NULL;
	bool existed;
	struct err err;

	(void)state;
	put_list(secret_a, uids, 1);
	write_keys(secret_a, NULL);
	assert_int_equal(
		store_list(st, SUPPRESSION_PREFIX, NULL, find_list, key, &err),
		RC_OK);
	assert_int_equal(store_remove(st, key, &err), RC_OK);
	assert_int_equal(erased_new(&e, st, oplog, &o, &err), RC_CORRUPT);
	assert_int_equal(store_put(st, key, "{}\n", 3, &existed, &err), RC_OK);
	assert_int_equal(erased_new(&e, st, oplog, &o, &err), RC_CORRUPT);
	assert_non_null(strstr(err.msg, "SHA-256"));
	assert_null(e);
}

static void a_directory_is_needed_by_what_is_below_it(void **state)
{
	static const struct asked asked[] = { { "d", ERASURE_UNTIL, 1000 },
					      { "d/e", ERASURE_UNTIL, 1000 },
					      { "d/e/f", ERASURE_UNTIL, 1000 },
					      { "g", ERASURE_UNTIL, 1000 },
					      { "g/h", ERASURE_UNTIL, 1000 } };
	static const struct {
		const char *uid;
		enum entry_type type;
	} found[] = { { "d", ENTRY_DIR },     { "d/e", ENTRY_DIR },
		      { "d/e/f", ENTRY_REG }, { "d/e/new", ENTRY_REG },
		      { "g", ENTRY_DIR },     { "g/h", ENTRY_REG } };
	struct erased_walk w = { .is_known = false };
	struct erased *e;

	(void)state;
	put_tombstone(asked, ARRAY_LEN(asked));
	e = opened(NULL, false);
	for (size_t i = 0; i < ARRAY_LEN(found); i++) {
		struct item it = item_of(found[i].uid, found[i].type);

		erased_note(e, &w, &it);
	}
	assert_false(keeps_out(e, "d", ENTRY_DIR));
	assert_false(keeps_out(e, "d/e", ENTRY_DIR));
	assert_true(keeps_out(e, "d/e/f", ENTRY_REG));
	assert_false(keeps_out(e, "d/e/new", ENTRY_REG));
	assert_true(keeps_out(e, "g", ENTRY_DIR));
	assert_true(keeps_out(e, "g/h", ENTRY_REG));
	/* A file of that name is none that is needed. */
	assert_true(keeps_out(e, "d", ENTRY_REG));
	erased_walk_release(&w);
	erased_free(e);
}

/* --- an archive for each ---------------------------------------------------
 */

static int setup(void **state)
{
	static unsigned int n;
	struct err err;

	(void)state;
	place = xasprintf("%s/%u", dir, n++);
	key_file = xasprintf("%s/keys", dir);
	if (store_create(&st, place, NULL, &err))
		return -1;
	oplog = oplog_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	oplog_free(oplog);
	store_close(st);
	free(place);
	free(key_file);
	return 0;
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *s, int type,
		      struct FTW *ftw)
{
	(void)s;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_dir(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_deletions_there_is_nothing_to_ask),
		TEST(tombstones_of_all_versions_keep_a_name_out),
		TEST(a_list_keeps_names_out_by_any_of_its_keys),
		TEST(without_its_key_a_list_is_an_error),
		TEST(a_list_that_is_another_or_gone_is_an_error),
		TEST(a_directory_is_needed_by_what_is_below_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("erased", tests, make_dir,
					   remove_dir);
}
