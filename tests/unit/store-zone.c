/* SPDX-License-Identifier: Apache-2.0 */
/* store-zone.c - tests of zones and mirrors whose stores are directories.
 *
 * Two zones, slots 0 to 7 and 8 to 15: the first is in a and then in b, the
 * second in b and then in a.  A symbolic link in the place of an object is an
 * input error, one that is missing just that.
 */
#include "config.h"

#include "store/store.h"

#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "fs/fs-stats.h"
#include "store/store-write.h"
#include "unit.h"

#define LOW "20261121/20261121_3_0000_9f86d081884c7d65.des"
#define HIGH "20261121/20261121_C_0000_60303ae22b998861.des"
#define RECORD "log/20261121T101530.123456Z-0.json"

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

static char *path_of(const struct fixture *f, const char *name)
{
	return xasprintf("%s/%s", f->dir, name);
}

static void put(const struct fixture *f, const char *place, const char *key,
		const char *text)
{
	CLEANUP_FREE char *dir = path_of(f, place);
	struct store *st = NULL;
	bool existed;

	OK(store_create(&st, dir, NULL, &err));
	OK(store_put(st, key, text, strlen(text), &existed, &err));
	store_close(st);
}

static void remove_it(const struct fixture *f, const char *name)
{
	CLEANUP_FREE char *path = path_of(f, name);

	assert_int_equal(remove(path), 0);
}

/* From here on it cannot be opened: no such device or address. */
static void break_it(const struct fixture *f, const char *name)
{
	CLEANUP_FREE char *path = path_of(f, name);

	assert_int_equal(remove(path), 0);
	assert_int_equal(mknod(path, S_IFSOCK | 0600, 0), 0);
}

static void write_file(const struct fixture *f, const char *text)
{
	CLEANUP_FREE char *path = path_of(f, "zones");
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	fputs(text, to);
	assert_int_equal(fclose(to), 0);
}

static enum rc open_zones(struct fixture *f, struct store **ret)
{
	CLEANUP_FREE char *url = xasprintf("zone://%s/zones", f->dir);

	return store_open(ret, url, NULL, &err);
}

static const char two_zones[] = "[zones]\nn_bits = 4\nfailures = 2\n"
				"[store a]\nurl = a\n"
				"[store b]\nurl = b\n"
				"[zone low]\nslots = 0-7\nstores = a, b\n"
				"[zone high]\nslots = 8-15\nstores = b, a\n";

static int set_up(void **state)
{
	static const char *const places[] = { "a", "b" };
	struct fixture *f = xcalloc(1, sizeof(*f));

	log_set_level(LOG_LEVEL_ERR);
	clock_freeze(1000 * CLOCK_NS_PER_SEC, 0);
	memcpy(f->dir, "/tmp/desfs-zone.XXXXXX", 23);
	assert_non_null(mkdtemp(f->dir));
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		put(f, places[i], "desfs.json", "descriptor");
		put(f, places[i], RECORD, "record");
		put(f, places[i], LOW, "low shard");
		put(f, places[i], HIGH, "high shard");
	}
	write_file(f, two_zones);
	OK(open_zones(f, &f->st));
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

static int tear_down(void **state)
{
	struct fixture *f = *state;

	store_close(f->st);
	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	clock_thaw();
	return 0;
}

/* The row of a store in a zone. */
struct row {
	const char *zone, *store;
	struct store_zone z;
};

static void find_row(void *arg, const struct store_zone *z)
{
	struct row *r = arg;

	if (!strcmp(z->zone, r->zone) && !strcmp(z->store, r->store))
		r->z = *z;
}

static struct store_zone look(struct fixture *f, const char *zone,
			      const char *store)
{
	struct row r = { zone, store, { .state = "missing" } };

	store_each_zone(f->st, find_row, &r);
	return r.z;
}

static enum rc read_all(struct fixture *f, const char *key, const char *want)
{
	CLEANUP_BUF struct buf b = { .max = 100 };
	enum rc rc = store_read_all(f->st, key, 100, &b, &err);

	if (!rc)
		assert_string_equal(buf_str(&b), want);
	return rc;
}

static void each_zone_reads_its_shards_from_its_first_store(void **state)
{
	struct fixture *f = *state;

	OK(read_all(f, LOW, "low shard"));
	OK(read_all(f, HIGH, "high shard"));
	OK(read_all(f, HIGH, "high shard"));
	assert_int_equal(look(f, "low", "a").requests, 1);
	assert_int_equal(look(f, "low", "b").requests, 0);
	assert_int_equal(look(f, "high", "b").requests, 2);
	assert_int_equal(look(f, "high", "a").requests, 0);
}

static void what_is_no_shard_comes_from_the_stores_in_their_order(void **state)
{
	struct fixture *f = *state;

	OK(read_all(f, "desfs.json", "descriptor"));
	OK(read_all(f, RECORD, "record"));
	assert_int_equal(look(f, "*", "a").requests, 2);
	assert_int_equal(look(f, "low", "a").requests, 0);
	remove_it(f, "a/desfs.json");
	OK(read_all(f, "desfs.json", "descriptor"));
	assert_int_equal(look(f, "*", "b").failovers, 1);
}

static void a_missing_object_is_read_from_the_mirror(void **state)
{
	struct fixture *f = *state;

	remove_it(f, "a/" LOW);
	for (int i = 0; i < 5; i++)
		OK(read_all(f, LOW, "low shard"));
	assert_int_equal(look(f, "low", "a").damaged, 5);
	assert_int_equal(look(f, "low", "b").failovers, 5);
	assert_string_equal(look(f, "low", "a").state, "closed");
}

static void a_store_that_fails_is_left_alone_and_tried_later(void **state)
{
	struct fixture *f = *state;

	break_it(f, "a/" LOW);
	for (int i = 0; i < 5; i++)
		OK(read_all(f, LOW, "low shard"));
	assert_int_equal(look(f, "low", "a").failures, 2);
	assert_int_equal(look(f, "low", "a").requests, 2);
	assert_string_equal(look(f, "low", "a").state, "open");
	assert_true(look(f, "low", "a").wait_ms > 0);
	assert_int_equal(look(f, "low", "b").failovers, 5);
	/* One probe, in vain. */
	clock_advance(CLOCK_NS_PER_SEC);
	OK(read_all(f, LOW, "low shard"));
	OK(read_all(f, LOW, "low shard"));
	assert_int_equal(look(f, "low", "a").requests, 3);
	/* It comes back. */
	remove_it(f, "a/" LOW);
	put(f, "a", LOW, "low shard");
	clock_advance(2 * CLOCK_NS_PER_SEC);
	OK(read_all(f, LOW, "low shard"));
	assert_string_equal(look(f, "low", "a").state, "closed");
	OK(read_all(f, LOW, "low shard"));
	assert_int_equal(look(f, "low", "a").requests, 5);
	assert_int_equal(look(f, "low", "b").requests, 7);
}

static void a_zone_in_trouble_does_not_trouble_the_others(void **state)
{
	struct fixture *f = *state;

	break_it(f, "a/" LOW);
	for (int i = 0; i < 3; i++)
		OK(read_all(f, LOW, "low shard"));
	assert_string_equal(look(f, "low", "a").state, "open");
	assert_string_equal(look(f, "high", "a").state, "closed");
}

static void with_no_store_left_the_error_names_them(void **state)
{
	struct fixture *f = *state;

	break_it(f, "a/" LOW);
	break_it(f, "b/" LOW);
	assert_int_equal(read_all(f, LOW, ""), RC_IO);
	assert_non_null(strstr(err.msg, LOW ": no store of zone low answers"));
	assert_non_null(strstr(err.msg, "a: "));
	assert_non_null(strstr(err.msg, "b: "));
	assert_int_equal(read_all(f, LOW, ""), RC_IO);
	/* Now at once, without a request. */
	assert_int_equal(read_all(f, LOW, ""), RC_IO);
	assert_non_null(strstr(err.msg, "left alone for"));
	assert_int_equal(look(f, "low", "b").requests, 2);
}

static void an_object_nobody_has_is_missing_only_if_all_say_so(void **state)
{
	struct fixture *f = *state;

	remove_it(f, "a/" LOW);
	break_it(f, "b/" LOW);
	assert_int_equal(read_all(f, LOW, ""), RC_IO);
	remove_it(f, "b/" LOW);
	assert_int_equal(read_all(f, LOW, ""), RC_NOENT);
	assert_int_equal(read_all(f, "nothing", ""), RC_NOENT);
}

static void ranges_move_to_the_mirror_although_its_tags_differ(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf tail = { .max = 100 };
	struct object_info info;
	char got[4] = "";

	OK(store_read_tail(f->st, LOW, 5, &tail, &info, &err));
	assert_string_equal(buf_str(&tail), "shard");
	assert_int_equal(info.size, 9);
	OK(store_read(f->st, LOW, &info, 4, got, 3, &err));
	assert_string_equal(got, "sha");
	assert_int_equal(look(f, "low", "a").requests, 2);
	break_it(f, "a/" LOW);
	OK(store_read_ahead(f->st, LOW, &info, 0, got, 3, &err));
	assert_string_equal(got, "low");
	assert_int_equal(look(f, "low", "b").failovers, 1);
}

static void a_changed_object_is_read_from_the_mirror(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf tail = { .max = 100 };
	struct object_info info;
	char got[4] = "";

	OK(store_read_tail(f->st, LOW, 5, &tail, &info, &err));
	remove_it(f, "a/" LOW);
	put(f, "a", LOW, "LOW SHARD");
	OK(store_read(f->st, LOW, &info, 0, got, 3, &err));
	assert_string_equal(got, "low");
	remove_it(f, "b/" LOW);
	put(f, "b", LOW, "longer than it was");
	assert_int_equal(store_read(f->st, LOW, &info, 0, got, 3, &err),
			 RC_CHANGED);
}

/* store_check_fn: the bytes begin with the text. */
static enum rc begins_with(void *arg, const void *p, size_t len,
			   const struct object_info *info, struct err *e)
{
	const char *want = arg;

	(void)info;
	if (len >= strlen(want) && !memcmp(p, want, strlen(want)))
		return RC_OK;
	return err_set(e, RC_CORRUPT, "does not begin with %s", want);
}

static void bytes_that_fail_a_check_are_read_from_the_mirror(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf tail = { .max = 100 };
	char want[] = "low", never[] = "high", got[4] = "";
	struct object_info info;

	remove_it(f, "a/" LOW);
	put(f, "a", LOW, "lax shard");
	OK(store_read_tail_checked(f->st, LOW, 9, &tail, &info, begins_with,
				   want, &err));
	assert_string_equal(buf_str(&tail), "low shard");
	OK(store_read_checked(f->st, LOW, &info, 0, got, 3, begins_with, want,
			      &err));
	assert_string_equal(got, "low");
	assert_int_equal(look(f, "low", "a").damaged, 2);
	assert_int_equal(look(f, "low", "b").failovers, 2);
	assert_int_equal(store_read_checked(f->st, LOW, &info, 0, got, 3,
					    begins_with, never, &err),
			 RC_CORRUPT);
	assert_non_null(strstr(err.msg, "b: does not begin with high"));
	assert_string_equal(look(f, "low", "a").state, "closed");
}

struct keys {
	char text[1024];
	unsigned int n, stop_after;
};

static enum rc note(void *arg, const char *key, uint64_t size, struct err *e)
{
	struct keys *k = arg;
	size_t len = strlen(k->text);

	snprintf(k->text + len, sizeof(k->text) - len, "%s %u\n", key,
		 (unsigned int)size);
	if (++k->n == k->stop_after)
		return err_set(e, RC_LIMIT, "enough");
	return RC_OK;
}

static void a_list_has_the_keys_of_all_zones_once_and_in_order(void **state)
{
	struct fixture *f = *state;
	struct keys k = { .n = 0 };

	/* One that its first store has not is. */
	remove_it(f, "b/" HIGH);
	put(f, "b", "extra", "x");
	OK(store_list(f->st, "", NULL, note, &k, &err));
	assert_string_equal(k.text, LOW " 9\n" HIGH " 10\n"
					"desfs.json 10\n"
					"extra 1\n" RECORD " 6\n");
}

static void a_list_leaves_out_what_is_not_read_from_there(void **state)
{
	struct fixture *f = *state;
	struct keys k = { .n = 0 };

	store_close(f->st);
	f->st = NULL;
	write_file(f, "[store a]\nurl = a\n[store b]\nurl = b\n"
		      "[zone low]\nslots = 0-7\nstores = a\n"
		      "[zone high]\nslots = 8-15\nstores = b\n");
	OK(open_zones(f, &f->st));
	put(f, "b", "20261121/20261121_1_0000_0000000000000000.des", "stray");
	OK(store_list(f->st, "2026", NULL, note, &k, &err));
	assert_string_equal(k.text, LOW " 9\n" HIGH " 10\n");
}

static void a_list_ends_when_its_caller_has_enough(void **state)
{
	struct fixture *f = *state;
	struct keys k = { .stop_after = 2 };
	struct keys log = { .stop_after = 1 };

	assert_int_equal(store_list(f->st, "", NULL, note, &k, &err), RC_LIMIT);
	assert_int_equal(k.n, 2);
	err.rc = RC_OK;
	assert_int_equal(store_list(f->st, "log/", NULL, note, &log, &err),
			 RC_LIMIT);
	assert_int_equal(err.rc, RC_LIMIT);
	assert_int_equal(log.n, 1);
	assert_int_equal(look(f, "low", "a").failures, 0);
}

static void an_empty_log_is_not_believed_while_a_mirror_has_one(void **state)
{
	struct fixture *f = *state;
	struct keys k = { .n = 0 };
	struct keys none = { .n = 0 };

	remove_it(f, "a/" RECORD);
	OK(store_list(f->st, "log/", NULL, note, &k, &err));
	assert_string_equal(k.text, RECORD " 6\n");
	remove_it(f, "b/" RECORD);
	OK(store_list(f->st, "log/", NULL, note, &none, &err));
	assert_int_equal(none.n, 0);
}

static void a_store_that_is_not_there_counts_as_failing(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *a = path_of(f, "a");
	CLEANUP_FREE char *away = path_of(f, "away");

	store_close(f->st);
	f->st = NULL;
	assert_int_equal(rename(a, away), 0);
	OK(open_zones(f, &f->st));
	assert_string_equal(look(f, "low", "a").state, "open");
	OK(read_all(f, LOW, "low shard"));
	OK(read_all(f, "desfs.json", "descriptor"));
	assert_int_equal(look(f, "low", "a").requests, 1);
	assert_int_equal(rename(away, a), 0);
	clock_advance(2 * CLOCK_NS_PER_SEC);
	OK(read_all(f, LOW, "low shard"));
	assert_int_equal(look(f, "low", "a").requests, 2);
	assert_string_equal(look(f, "low", "a").state, "closed");
}

static void a_zone_without_any_store_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store *st = NULL;

	write_file(f, "[store a]\nurl = a\n[store gone]\nurl = gone\n"
		      "[zone low]\nslots = 0-7\nstores = a\n"
		      "[zone high]\nslots = 8-15\nstores = gone\n");
	assert_int_equal(open_zones(f, &st), RC_NOENT);
	assert_non_null(strstr(err.msg, "zone high: store gone"));
	assert_null(st);
}

static void gaps_and_unknown_stores_are_refused(void **state)
{
	struct fixture *f = *state;
	struct store *st = NULL;

	write_file(f, "[zones]\nn_bits = 4\n[store a]\nurl = a\n"
		      "[zone low]\nslots = 0-7\nstores = a\n");
	assert_int_equal(open_zones(f, &st), RC_USAGE);
	write_file(f, "[store a]\nurl = gopher://a/b\n"
		      "[zone low]\nslots = all\nstores = a\n");
	assert_int_equal(open_zones(f, &st), RC_USAGE);
	assert_null(st);
}

static struct store *create_zones(struct fixture *f)
{
	CLEANUP_FREE char *url = xasprintf("zone://%s/zones", f->dir);
	struct store *st = NULL;

	OK(store_create(&st, url, NULL, &err));
	return st;
}

static bool is_there(const struct fixture *f, const char *place,
		     const char *key)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s/%s", f->dir, place, key);

	return !access(path, F_OK);
}

static void fail_leftover(void *arg, const char *what, uint64_t size)
{
	(void)arg;
	(void)size;
	fail_msg("%s is left", what);
}

#define LOW_2 "20261121/20261121_2_0000_9f86d081884c7d65.des"
#define HIGH_2 "20261121/20261121_D_0000_60303ae22b998861.des"

static void uploads_go_where_they_belong(void **state)
{
	struct fixture *f = *state;
	struct store_upload *up = NULL;
	struct store *st = NULL;
	bool existed = true;

	write_file(f, "[zones]\nn_bits = 4\n[store a]\nurl = a\n"
		      "[store b]\nurl = b\n"
		      "[zone low]\nslots = 0-7\nstores = a\n"
		      "[zone high]\nslots = 8-15\nstores = b\n");
	st = create_zones(f);
	OK(store_upload_new(st, &up, &err));
	store_upload_set_slot(up, 2);
	OK(store_upload_write(up, "x", 1, &err));
	assert_int_equal(store_upload_commit(up, HIGH_2, &existed, &err),
			 RC_USAGE);
	OK(store_upload_commit(up, LOW_2, &existed, &err));
	assert_false(existed);
	store_upload_free(up);
	assert_true(is_there(f, "a", LOW_2) && !is_there(f, "b", LOW_2));
	/* One whose slot nobody told goes everywhere, and stays in one place.
	 */
	OK(store_upload_new(st, &up, &err));
	OK(store_upload_write(up, "x", 1, &err));
	OK(store_upload_commit(up, HIGH_2, &existed, &err));
	store_upload_free(up);
	assert_true(!is_there(f, "a", HIGH_2) && is_there(f, "b", HIGH_2));
	OK(store_leftovers(st, false, NULL, fail_leftover, NULL, &err));
	store_close(st);
}

static enum rc add_key(void *arg, const char *key, uint64_t size, struct err *e)
{
	(void)size;
	(void)e;
	buf_printf(arg, "%s ", key);
	return RC_OK;
}

#define RECORD_2 "log/20261121T101530.123457Z-0.json"

static void a_run_gives_each_place_the_whole_log(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf keys = { .max = 4096 };
	struct store_run *run = NULL;
	struct store *st = NULL;

	put(f, "b", RECORD_2, "record");
	st = create_zones(f);
	/* Before that too, who writes sees what any place has. */
	OK(store_list(st, "log/", NULL, add_key, &keys, &err));
	assert_string_equal(buf_str(&keys), RECORD " " RECORD_2 " ");
	assert_false(is_there(f, "a", RECORD_2));
	OK(store_run_begin(st, STORE_RUN_PACK, &run, &err));
	assert_true(is_there(f, "a", RECORD_2));
	store_run_end(run, true);
	store_close(st);
}

static void who_writes_wants_an_answer_of_each_place(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf keys = { .max = 4096 };
	struct store_run *run = NULL;
	struct store *st = create_zones(f);
	enum store_gone gone;
	bool existed;
	int64_t until;

	OK(store_put(st, "x/y", "x", 1, &existed, &err));
	remove_it(f, "b/x/y");
	/* A directory in the place of the object. */
	put(f, "b", "x/y/z", "x");
	assert_int_not_equal(store_purge(st, "x/y", &gone, &until, &err),
			     RC_OK);
	assert_non_null(strstr(err.msg, "store b: x/y"));
	assert_false(is_there(f, "a", "x/y"));
	remove_it(f, "b/x/y/z");
	remove_it(f, "b/x/y");
	OK(store_purge(st, "x/y", &gone, &until, &err));
	remove_it(f, "b/" RECORD);
	break_it(f, "b/log");
	assert_int_not_equal(store_list(st, "log/", NULL, add_key, &keys, &err),
			     RC_OK);
	assert_int_not_equal(store_run_begin(st, STORE_RUN_PACK, &run, &err),
			     RC_OK);
	assert_non_null(strstr(err.msg, "store b: "));
	store_close(st);
}

static void it_says_what_it_is(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(store_n_bits(f->st), 4);
	assert_false(store_is_remote(f->st));
	assert_non_null(strstr(store_location(f->st), "/zones"));
}

/* Reads both shards again and again; NULL when all was right. */
static void *read_much(void *arg)
{
	static char wrong[] = "wrong";
	struct fixture *f = arg;
	char got[4] = "";
	struct err e;

	for (int i = 0; i < 200; i++) {
		const char *key = i % 2 ? LOW : HIGH;

		if (store_read(f->st, key, NULL, 0, got, 3, &e) ||
		    memcmp(got, i % 2 ? "low" : "hig", 3) != 0)
			return wrong;
	}
	return NULL;
}

static void many_readers_do_not_notice_a_store_that_goes(void **state)
{
	struct fixture *f = *state;
	pthread_t readers[8];

	clock_thaw();
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		assert_int_equal(
			pthread_create(&readers[i], NULL, read_much, f), 0);
	break_it(f, "a/" LOW);
	break_it(f, "b/" HIGH);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		void *wrong;

		pthread_join(readers[i], &wrong);
		assert_null(wrong);
	}
	clock_freeze(1000 * CLOCK_NS_PER_SEC, 0);
}

static void stats_and_metrics_tell_of_each_store(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf text = { .max = 1 << 16 };
	CLEANUP_BUF struct buf metrics = { .max = 1 << 16 };
	CLEANUP_FREE char *want = NULL;

	break_it(f, "a/" LOW);
	for (int i = 0; i < 3; i++)
		OK(read_all(f, LOW, "low shard"));
	fs_stats_zones(f->st, &text);
	assert_non_null(strstr(buf_str(&text), "zone:low:a:state 1\n"));
	assert_non_null(strstr(buf_str(&text), "zone:low:a:failures 2\n"));
	assert_non_null(strstr(buf_str(&text), "zone:low:b:state 0\n"));
	assert_non_null(strstr(buf_str(&text), "zone:low:b:failovers 3\n"));
	assert_non_null(strstr(buf_str(&text), "zone:high:a:requests 0\n"));
	fs_metrics_zones(f->st, &metrics);
	want = xasprintf("desfs_zone_state{zone=\"low\",store=\"a\","
			 "url=\"%s/a\"} 1\n",
			 f->dir);
	assert_non_null(strstr(buf_str(&metrics), want));
	assert_non_null(strstr(buf_str(&metrics),
			       "# TYPE desfs_zone_failures_total counter\n"));
}

static void requests_wait_for_their_turn_until_they_are_stopped(void **state)
{
	struct fixture *f = *state;

	store_close(f->st);
	f->st = NULL;
	write_file(f, "[store a]\nurl = a\n"
		      "[zone one]\nslots = all\nstores = a\n"
		      "rate = 1\nburst = 1\n");
	OK(open_zones(f, &f->st));
	OK(read_all(f, LOW, "low shard"));
	stop_request();
	assert_int_equal(read_all(f, LOW, ""), RC_STOPPED);
	stop_release();
	assert_string_equal(look(f, "one", "a").state, "closed");
	/* The token of the one stopped is lost; there is none in time. */
	for (int i = 0; i < 30; i++) {
		stop_request();
		if (read_all(f, LOW, "") == RC_TIMEOUT)
			break;
	}
	stop_release();
	assert_int_equal(err.rc, RC_TIMEOUT);
	assert_non_null(strstr(err.msg, "its rate of 1 a second"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(each_zone_reads_its_shards_from_its_first_store),
		TEST(what_is_no_shard_comes_from_the_stores_in_their_order),
		TEST(a_missing_object_is_read_from_the_mirror),
		TEST(a_store_that_fails_is_left_alone_and_tried_later),
		TEST(a_zone_in_trouble_does_not_trouble_the_others),
		TEST(with_no_store_left_the_error_names_them),
		TEST(an_object_nobody_has_is_missing_only_if_all_say_so),
		TEST(ranges_move_to_the_mirror_although_its_tags_differ),
		TEST(a_changed_object_is_read_from_the_mirror),
		TEST(bytes_that_fail_a_check_are_read_from_the_mirror),
		TEST(a_list_has_the_keys_of_all_zones_once_and_in_order),
		TEST(a_list_leaves_out_what_is_not_read_from_there),
		TEST(a_list_ends_when_its_caller_has_enough),
		TEST(an_empty_log_is_not_believed_while_a_mirror_has_one),
		TEST(a_store_that_is_not_there_counts_as_failing),
		TEST(a_zone_without_any_store_is_refused),
		TEST(gaps_and_unknown_stores_are_refused),
		TEST(uploads_go_where_they_belong),
		TEST(a_run_gives_each_place_the_whole_log),
		TEST(who_writes_wants_an_answer_of_each_place),
		TEST(it_says_what_it_is),
		TEST(many_readers_do_not_notice_a_store_that_goes),
		TEST(stats_and_metrics_tell_of_each_store),
		TEST(requests_wait_for_their_turn_until_they_are_stopped),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
