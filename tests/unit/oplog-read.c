/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-read.c - tests of reading a log that was folded, whose lists lag
 * behind, and with an index cache.
 */
#include "config.h"

#include "volume/oplog.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/key.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "erase/aggregate.h"
#include "erase/tombstone-set.h"
#include "erase/tombstone.h"
#include "store/store-write.h"
#include "unit.h"
#include "volume/oplog-checkpoint.h"
#include "volume/oplog-state.h"

#define NOW INT64_C(1795256130000000)
#define MINUTE INT64_C(60000000)
#define PLACE "test:place"

static const uint8_t archive_id[SHARD_ID_LEN] = { 1 };
static struct err err;

struct fixture {
	char dir[32];
	char *cache;
	struct store *st;
	struct oplog *log;
	struct catalog *catalog;
};

#define OK(call)                                 \
	do {                                     \
		err.msg[0] = '\0';               \
		if (call)                        \
			fail_msg("%s", err.msg); \
	} while (0)

/* --- doubles -------------------------------------------------------------- */

enum rc __real_store_list(struct store *st, const char *prefix,
			  const char *start_after, store_list_fn *fn, void *arg,
			  struct err *ret);
enum rc __wrap_store_list(struct store *st, const char *prefix,
			  const char *start_after, store_list_fn *fn, void *arg,
			  struct err *ret);
enum rc __real_store_read_all(struct store *st, const char *key, size_t max,
			      struct buf *ret, struct err *err_ret);
enum rc __wrap_store_read_all(struct store *st, const char *key, size_t max,
			      struct buf *ret, struct err *err_ret);

static const char *hidden; /* a name in log/ that lists do not show */
static unsigned int n_lists, n_reads;
/* Called before the next object is read, once. */
static void (*before_read)(struct fixture *f);
static struct fixture *before_arg;

struct filter {
	store_list_fn *fn;
	void *arg;
};

static enum rc show(void *arg, const char *key, uint64_t size, struct err *ret)
{
	const struct filter *f = arg;

	if (hidden && !strcmp(key + strlen("log/"), hidden))
		return RC_OK;
	return f->fn(f->arg, key, size, ret);
}

enum rc __wrap_store_list(struct store *st, const char *prefix,
			  const char *start_after, store_list_fn *fn, void *arg,
			  struct err *ret)
{
	struct filter f = { fn, arg };

	n_lists++;
	return __real_store_list(st, prefix, start_after, show, &f, ret);
}

enum rc __wrap_store_read_all(struct store *st, const char *key, size_t max,
			      struct buf *ret, struct err *err_ret)
{
	void (*fn)(struct fixture * f) = before_read;

	before_read = NULL;
	if (fn)
		fn(before_arg);
	n_reads++;
	return __real_store_read_all(st, key, max, ret, err_ret);
}

/* --- the fixture ---------------------------------------------------------- */

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	hidden = NULL;
	before_read = NULL;
	memcpy(f->dir, "/tmp/desfs-oplog.XXXXXX", 24);
	assert_non_null(mkdtemp(f->dir));
	f->cache = xasprintf("%s.cache/index.sqlite", f->dir);
	OK(store_create(&f->st, f->dir, NULL, &err));
	f->log = oplog_new();
	clock_freeze(0, NOW * 1000);
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
	oplog_free(f->log);
	catalog_close(f->catalog);
	store_close(f->st);
	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	*strrchr(f->cache, '/') = '\0';
	nftw(f->cache, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f->cache);
	free(f);
	return 0;
}

/* A log that knows nothing, with what the index cache has if there is one. */
static void begin(struct fixture *f)
{
	size_t n;

	oplog_free(f->log);
	f->log = oplog_new();
	oplog_expect(f->log, archive_id);
	if (!f->catalog)
		return;
	oplog_attach(f->log, f->catalog, PLACE);
	OK(oplog_load(f->log, &n, &err));
}

static bool changed(struct fixture *f)
{
	bool ret = false;

	OK(oplog_read(f->log, f->st, &ret, &err));
	return ret;
}

static enum rc result(struct fixture *f)
{
	bool was_changed = false;

	return oplog_read(f->log, f->st, &was_changed, &err);
}

static void put(struct fixture *f, const char *key, const void *p, size_t len)
{
	bool existed;

	OK(store_put(f->st, key, p, len, &existed, &err));
}

static void drop(struct fixture *f, const char *name)
{
	char *key = xasprintf("log/%s", name);

	OK(store_remove(f->st, key, &err));
	free(key);
}

static void set_meta(struct shard_meta *m, unsigned int n)
{
	char key[SHARD_KEY_TEXT];

	*m = (struct shard_meta){ .size = 1000,
				  .root = { (uint8_t)n },
				  .day = 20261121,
				  .part = n,
				  .n_bits = 4,
				  .first = xasprintf("secret-%u", n),
				  .last = xasprintf("secret-%u", n),
				  .created_min = NOW,
				  .created_max = NOW };
	m->first_len = m->last_len = strlen(m->first);
	shard_key(m, key);
	m->key = xstrdup(key);
}

/* Write a record of one shard after all that are there; its name. */
static char *add(struct fixture *f, unsigned int n)
{
	struct oplog_record r = { .kind = OPLOG_SHARDS, .n_shards = 1 };
	char *name;

	r.shards = xcalloc(1, sizeof(*r.shards));
	set_meta(r.shards, n);
	OK(oplog_append(f->st, &r, archive_id, &err));
	name = xstrdup(r.name);
	oplog_record_release(&r);
	clock_advance(CLOCK_NS_PER_SEC);
	return name;
}

/* A repack of shard n into n + 10, by what the log knows. */
static char *replace(struct fixture *f, unsigned int n)
{
	struct oplog_record r = { .kind = OPLOG_REPACK,
				  .n_shards = 1,
				  .n_replaces = 1 };
	struct shard_meta old;
	char *name;

	set_meta(&old, n);
	r.shards = xcalloc(1, sizeof(*r.shards));
	set_meta(r.shards, n + 10);
	r.replaces = xcalloc(1, sizeof(*r.replaces));
	r.replaces[0].key = xstrdup(old.key);
	memcpy(r.replaces[0].root, old.root, SHARD_ROOT_LEN);
	OK(oplog_write(f->log, f->st, &r, archive_id, &err));
	name = xstrdup(r.name);
	shard_meta_release(&old);
	oplog_record_release(&r);
	clock_advance(CLOCK_NS_PER_SEC);
	return name;
}

/* The same without its name. */
static void add_one(struct fixture *f, unsigned int n)
{
	free(add(f, n));
}

static void replace_one(struct fixture *f, unsigned int n)
{
	free(replace(f, n));
}

static bool is_first(void *arg, const struct shard_meta *m)
{
	(void)arg;
	return m->part == 1;
}

/* Fold all records that are known, the names of shard 1 left out. */
static char *fold(struct fixture *f)
{
	size_t n = oplog_n_records(f->log), n_in = 0;
	const struct oplog_record **all = xcalloc(n + 1, sizeof(*all));
	CLEANUP_BUF struct buf b = { .max = OPLOG_CHECKPOINT_MAX };
	char key[OPLOG_CHECKPOINT_KEY_TEXT];

	for (size_t i = 0; i < n; i++)
		all[i] = oplog_record_at(f->log, i);
	OK(oplog_checkpoint_encode(all, n, archive_id, clock_wall_us(),
				   is_first, NULL, &b, &n_in, &err));
	assert_int_equal(n_in, n);
	OK(oplog_checkpoint_key(clock_wall_us(), key, sizeof(key), &err));
	put(f, key, b.p, b.len);
	free(all);
	return xstrdup(key + strlen("log/"));
}

/* --- writing -------------------------------------------------------------- */

static void a_record_is_later_than_what_its_writer_knows(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *one = NULL, *two = NULL;
	const struct oplog_record *r;

	clock_advance(10 * 60 * CLOCK_NS_PER_SEC);
	one = add(f, 1);
	clock_thaw();
	clock_freeze(0, NOW * 1000);
	two = add(f, 2);
	assert_true(changed(f));
	replace_one(f, 1);
	assert_true(changed(f));
	r = oplog_record_at(f->log, 1);
	assert_string_equal(r->name, two);
	assert_true(r->time == NOW + 10 * MINUTE + 1);
	assert_string_equal(r->prev.name, one);
	r = oplog_record_at(f->log, 2);
	assert_true(r->time == NOW + 10 * MINUTE + 2);
	assert_string_equal(r->prev.name, two);
	assert_memory_equal(r->prev.sha256, oplog_record_at(f->log, 1)->sha256,
			    SHA256_LEN);
	assert_int_equal(oplog_count(f->log), 2);
}

static void a_record_of_a_wrong_clock_carries_no_other_along(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *one = NULL, *two = NULL;
	const struct oplog_record *r;

	clock_advance(600 * 60 * CLOCK_NS_PER_SEC);
	one = add(f, 1);
	clock_thaw();
	clock_freeze(0, NOW * 1000);
	two = add(f, 2);
	assert_true(changed(f));
	r = oplog_record_at(f->log, 0);
	assert_string_equal(r->name, two);
	assert_true(r->time == NOW);
	assert_null(r->prev.name);
}

static void what_no_reader_would_take_is_not_written(void **state)
{
	struct fixture *f = *state;
	struct oplog_record r = { .kind = OPLOG_REPACK, .grace = 1 };

	assert_int_equal(oplog_write(f->log, f->st, &r, archive_id, &err),
			 RC_CORRUPT);
	oplog_record_release(&r);
	assert_false(changed(f));
}

static void what_is_taken_back_does_not_count(void **state)
{
	struct fixture *f = *state;
	struct oplog_record r = { .kind = OPLOG_SHARDS, .n_shards = 1 };

	add_one(f, 1);
	r.shards = xcalloc(1, sizeof(*r.shards));
	set_meta(r.shards, 2);
	OK(oplog_append(f->st, &r, archive_id, &err));
	add_one(f, 3);
	assert_true(changed(f));
	assert_int_equal(oplog_count(f->log), 3);
	OK(oplog_take_back(f->st, &r, archive_id, &err));
	oplog_record_release(&r);
	assert_true(changed(f));
	assert_int_equal(oplog_count(f->log), 2);
	begin(f);
	assert_true(changed(f));
	assert_int_equal(oplog_count(f->log), 2);
	/* By another run it does. */
	add_one(f, 2);
	assert_true(changed(f));
	assert_int_equal(oplog_count(f->log), 3);
}

static void a_repack_that_is_taken_back_replaces_nothing(void **state)
{
	struct fixture *f = *state;
	struct oplog_record r = { .kind = OPLOG_REPACK, .n_shards = 1 };
	struct oplog_replaced old = { 0 };
	struct shard_meta m = { 0 };

	add_one(f, 1);
	set_meta(&m, 1);
	old.key = m.key;
	memcpy(old.root, m.root, SHARD_ROOT_LEN);
	r.shards = xcalloc(1, sizeof(*r.shards));
	set_meta(r.shards, 2);
	r.replaces = &old;
	r.n_replaces = 1;
	assert_true(changed(f));
	OK(oplog_write(f->log, f->st, &r, archive_id, &err));
	/* One that has met it, and one that has not. */
	assert_true(changed(f));
	assert_null(oplog_state_find(oplog_state(f->log), m.key));
	OK(oplog_take_back(f->st, &r, archive_id, &err));
	assert_true(changed(f));
	assert_int_equal(oplog_count(f->log), 1);
	assert_non_null(oplog_state_find(oplog_state(f->log), m.key));
	begin(f);
	assert_true(changed(f));
	assert_int_equal(oplog_count(f->log), 1);
	assert_non_null(oplog_state_find(oplog_state(f->log), m.key));
	r.replaces = NULL;
	r.n_replaces = 0;
	oplog_record_release(&r);
	shard_meta_release(&m);
}

/* --- lists ---------------------------------------------------------------- */

static void what_the_list_lacks_is_asked_for_by_name(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *two = NULL;

	add_one(f, 1);
	two = add(f, 2);
	add_one(f, 3);
	hidden = two;
	assert_true(changed(f));
	assert_int_equal(oplog_count(f->log), 3);
	assert_true(oplog_has_record(f->log, two));
	hidden = NULL;
	assert_false(changed(f));
}

static void a_record_that_is_lost_is_missed(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *one = add(f, 1);

	add_one(f, 2);
	drop(f, one);
	assert_int_equal(result(f), RC_CORRUPT);
	assert_non_null(strstr(err.msg, one));
	assert_int_equal(oplog_count(f->log), 0);
}

static void a_record_is_the_one_that_was_read_before(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *one = add(f, 1);
	CLEANUP_FREE char *key = xasprintf("log/%s", one);
	CLEANUP_BUF struct buf b = { .max = 65536 };

	add_one(f, 2);
	OK(store_read_all(f->st, key, 65536, &b, &err));
	buf_append_str(&b, "\n");
	drop(f, one);
	put(f, key, b.p, b.len);
	assert_int_equal(result(f), RC_CORRUPT);
	assert_non_null(strstr(err.msg, "SHA-256"));
}

/* --- checkpoints ---------------------------------------------------------- */

static void a_checkpoint_stands_for_its_records(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *one = add(f, 1), *two = NULL, *folded = NULL;

	assert_true(changed(f));
	two = replace(f, 1);
	assert_true(changed(f));
	folded = fold(f);
	drop(f, one);
	drop(f, two);
	begin(f);
	assert_true(changed(f));
	assert_int_equal(oplog_n_records(f->log), 2);
	assert_int_equal(oplog_count(f->log), 1);
	assert_int_equal(oplog_shard(f->log, 0)->part, 11);
	assert_true(oplog_state_old(oplog_state(f->log), 0)->is_purged);
	assert_string_equal(oplog_record_at(f->log, 1)->prev.name, one);
	assert_int_equal(oplog_n_checkpoints(f->log), 1);
	assert_string_equal(oplog_checkpoint_name(f->log, 0), folded);
	assert_true(oplog_checkpoint_has(f->log, 0, two));
	assert_false(oplog_checkpoint_has(f->log, 0, folded));
	assert_false(changed(f));
}

static void what_a_checkpoint_leaves_out_is_forgotten(void **state)
{
	struct fixture *f = *state;
	const struct shard_meta *m;

	add_one(f, 1);
	assert_true(changed(f));
	replace_one(f, 1);
	assert_true(changed(f));
	m = oplog_record_at(f->log, 0)->shards;
	assert_string_equal(m->first, "secret-1");
	free(fold(f));
	assert_true(changed(f));
	m = oplog_record_at(f->log, 0)->shards;
	assert_null(m->first);
	assert_true(m->is_purged);
	assert_int_equal(oplog_count(f->log), 1);
	/* Both are there still: nothing comes back. */
	begin(f);
	assert_true(changed(f));
	assert_null(oplog_record_at(f->log, 0)->shards->first);
}

static void fold_first(struct fixture *f)
{
	struct oplog *mine = f->log;
	CLEANUP_FREE char *name = NULL;

	f->log = oplog_new();
	assert_true(changed(f));
	free(fold(f));
	name = xstrdup(oplog_record_at(f->log, 0)->name);
	drop(f, name);
	oplog_free(f->log);
	f->log = mine;
}

static void remove_first(struct fixture *f)
{
	struct oplog *mine = f->log;
	CLEANUP_FREE char *name = NULL;

	f->log = oplog_new();
	assert_true(changed(f));
	name = xstrdup(oplog_record_at(f->log, 0)->name);
	drop(f, name);
	oplog_free(f->log);
	f->log = mine;
}

static void what_is_folded_while_it_is_read_is_found(void **state)
{
	struct fixture *f = *state;

	add_one(f, 2);
	add_one(f, 3);
	before_read = fold_first;
	before_arg = f;
	assert_true(changed(f));
	assert_int_equal(oplog_count(f->log), 2);
	assert_int_equal(oplog_n_checkpoints(f->log), 1);
}

static void what_is_removed_while_it_is_read_is_missed(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *one = add(f, 1);

	before_read = remove_first;
	before_arg = f;
	assert_int_equal(result(f), RC_CORRUPT);
	assert_non_null(strstr(err.msg, one));
}

/* --- tombstones ----------------------------------------------------------- */

/* A document that deletes one uid, and its record. */
static char *erase_uid(struct fixture *f, const char *uid)
{
	struct tombstone t = { .time = clock_wall_us() };
	struct oplog_record r = { .kind = OPLOG_TOMBSTONES };
	CLEANUP_BUF struct buf b = { .max = TOMBSTONE_MAX };
	uint8_t id[ERASURE_ID_LEN] = { (uint8_t)uid[0] };
	char key[TOMBSTONE_KEY_TEXT];

	memcpy(t.archive_id, archive_id, SHARD_ID_LEN);
	t.nonce[0] = (uint8_t)uid[0];
	tombstone_add(&t, id, uid, strlen(uid), ERASURE_UNTIL, NOW);
	OK(tombstone_encode(&t, &b, &err));
	OK(tombstone_key(t.time, key, &err));
	tombstone_release(&t);
	put(f, key, b.p, b.len);
	r.tombstones = xcalloc(1, sizeof(*r.tombstones));
	r.tombstones[0] =
		(struct oplog_object){ .key = xstrdup(key), .count = 1 };
	sha256_of(b.p, b.len, r.tombstones[0].sha256);
	r.n_tombstones = 1;
	OK(oplog_write(f->log, f->st, &r, archive_id, &err));
	oplog_record_release(&r);
	clock_advance(CLOCK_NS_PER_SEC);
	return xstrdup(key);
}

static void say_done(struct fixture *f, const char *key)
{
	struct oplog_record r = { .kind = OPLOG_ERASED, .n_done = 1 };

	r.done = xcalloc(1, sizeof(*r.done));
	r.done[0] = xstrdup(key);
	OK(oplog_write(f->log, f->st, &r, archive_id, &err));
	oplog_record_release(&r);
	clock_advance(CLOCK_NS_PER_SEC);
}

static bool hides(struct fixture *f, const char *uid)
{
	return tombstone_set_hides(oplog_deleted(f->log), span_of("", 0),
				   span_of(uid, strlen(uid)), NOW);
}

static void tombstones_come_and_go(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *one = erase_uid(f, "one"), *two = NULL;
	struct oplog_record r = { .kind = OPLOG_WITHDRAWN, .n_withdrawn = 1 };

	assert_true(changed(f));
	assert_true(hides(f, "one"));
	two = erase_uid(f, "two");
	assert_true(changed(f));
	assert_true(hides(f, "one") && hides(f, "two"));
	assert_false(hides(f, "three"));
	r.withdrawn = xcalloc(1, sizeof(*r.withdrawn));
	r.withdrawn[0].b[0] = 't';
	OK(oplog_write(f->log, f->st, &r, archive_id, &err));
	oplog_record_release(&r);
	assert_true(changed(f));
	assert_true(hides(f, "one"));
	assert_false(hides(f, "two"));
	say_done(f, one);
	OK(store_remove(f->st, one, &err));
	assert_true(changed(f));
	assert_null(oplog_deleted(f->log));
	begin(f);
	assert_true(changed(f));
	assert_null(oplog_deleted(f->log));
}

static void a_tombstone_that_is_lost_is_an_error(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *two = NULL;

	free(erase_uid(f, "one"));
	assert_true(changed(f));
	two = erase_uid(f, "two");
	OK(store_remove(f->st, two, &err));
	assert_int_equal(result(f), RC_CORRUPT);
	assert_non_null(strstr(err.msg, two));
	/* As before. */
	assert_true(hides(f, "one"));
	begin(f);
	assert_int_equal(result(f), RC_CORRUPT);
}

static void an_aggregate_saves_requests(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *one = erase_uid(f, "one"), *two = NULL;
	CLEANUP_BUF struct buf b1 = { .max = 65536 }, b2 = { .max = 65536 };
	CLEANUP_BUF struct buf all = { .max = AGGREGATE_MAX };
	char key[AGGREGATE_KEY_TEXT];
	struct aggregate_writer w;

	assert_true(changed(f));
	two = erase_uid(f, "two");
	OK(store_read_all(f->st, one, 65536, &b1, &err));
	OK(store_read_all(f->st, two, 65536, &b2, &err));
	aggregate_begin(&w, archive_id, &all);
	assert_true(aggregate_add(&w, b1.p, b1.len) &&
		    aggregate_add(&w, b2.p, b2.len));
	aggregate_end(&w, NOW);
	aggregate_key(NOW, key);
	put(f, key, all.p, all.len);
	begin(f);
	n_reads = 0;
	assert_true(changed(f));
	assert_int_equal(n_reads, 3); /* two records and the aggregate */
	assert_true(hides(f, "one") && hides(f, "two"));
}

static void receipts_that_were_not_kept_cannot_be_folded(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BUF struct buf b = { .max = OPLOG_CHECKPOINT_MAX };
	struct oplog_record r = { .kind = OPLOG_ERASED, .n_receipts = 1 };
	const struct oplog_record *at;
	size_t n = 0;

	r.receipts = xcalloc(1, sizeof(*r.receipts));
	OK(oplog_write(f->log, f->st, &r, archive_id, &err));
	oplog_record_release(&r);
	assert_true(changed(f));
	at = oplog_record_at(f->log, 0);
	assert_int_equal(at->n_receipts, 0);
	assert_int_equal(oplog_checkpoint_encode(&at, 1, archive_id, at->time,
						 NULL, NULL, &b, &n, &err),
			 RC_LIMIT);
	begin(f);
	oplog_keep_receipts(f->log);
	assert_true(changed(f));
	at = oplog_record_at(f->log, 0);
	assert_int_equal(at->n_receipts, 1);
	free(fold(f));
}

/* --- the index cache ------------------------------------------------------ */

static void open_cache(struct fixture *f)
{
	OK(catalog_open(&f->catalog, f->cache, 0, &err));
	begin(f);
}

/* Whether the bytes are in the cache's file or its log. */
static bool cache_has(struct fixture *f, const char *what)
{
	static const char *const ends[] = { "", "-wal" };
	bool is_there = false;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		CLEANUP_FREE char *path = xasprintf("%s%s", f->cache, ends[i]);
		CLEANUP_BUF struct buf b = { .max = 64u << 20 };
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n;

		if (fd < 0)
			continue;
		do {
			uint8_t *p = buf_reserve(&b, 65536);

			assert_non_null(p);
			n = read(fd, p, 65536);
			b.len += n > 0 ? (size_t)n : 0;
		} while (n > 0);
		close(fd);
		is_there |= memmem(b.p, b.len, what, strlen(what)) != NULL;
	}
	return is_there;
}

static void the_cache_has_all_that_was_read(void **state)
{
	struct fixture *f = *state;

	add_one(f, 1);
	open_cache(f);
	assert_true(changed(f));
	replace_one(f, 1);
	assert_true(changed(f));
	free(erase_uid(f, "deleted-uid"));
	assert_true(changed(f));
	free(fold(f));
	assert_true(changed(f));
	add_one(f, 5);
	assert_true(changed(f));
	begin(f);
	assert_int_equal(oplog_n_records(f->log), 4);
	n_reads = n_lists = 0;
	changed(f);
	assert_int_equal(n_lists, 1);
	assert_int_equal(n_reads, 0);
	assert_true(hides(f, "deleted-uid"));
	assert_int_equal(oplog_count(f->log), 2);
}

static void names_that_are_folded_away_leave_the_cache(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *one = add(f, 1), *two = NULL;

	open_cache(f);
	assert_true(changed(f));
	two = replace(f, 1);
	assert_true(changed(f));
	assert_true(cache_has(f, "secret-1\""));
	free(fold(f));
	drop(f, one);
	drop(f, two);
	assert_true(changed(f));
	assert_false(cache_has(f, "secret-1\""));
	assert_true(cache_has(f, "secret-11\""));
	begin(f);
	assert_int_equal(oplog_n_records(f->log), 2);
	assert_false(changed(f));
}

static void a_cache_older_than_a_checkpoint_learns_of_it(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *one = add(f, 1), *two = NULL;

	open_cache(f);
	assert_true(changed(f));
	two = replace(f, 1);
	oplog_free(f->log);
	f->log = oplog_new();
	assert_true(changed(f));
	free(fold(f));
	drop(f, one);
	drop(f, two);
	begin(f);
	assert_int_equal(oplog_count(f->log), 1);
	assert_int_equal(oplog_shard(f->log, 0)->part, 1);
	assert_true(changed(f));
	assert_int_equal(oplog_shard(f->log, 0)->part, 11);
	assert_false(cache_has(f, "secret-1\""));
}

static void what_neither_list_nor_checkpoint_has_is_another_archive(
	void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *one = add(f, 1);

	open_cache(f);
	assert_true(changed(f));
	drop(f, one);
	begin(f);
	assert_int_equal(result(f), RC_CHANGED);
}

static void tombstones_that_are_done_leave_the_cache(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *key = NULL;

	open_cache(f);
	key = erase_uid(f, "deleted-uid");
	assert_true(changed(f));
	assert_true(cache_has(f, "deleted-uid"));
	say_done(f, key);
	OK(store_remove(f->st, key, &err));
	begin(f);
	assert_true(changed(f));
	assert_false(cache_has(f, "deleted-uid"));
	assert_null(oplog_deleted(f->log));
}

/* As a process that knows of neither checkpoint nor record puts it back. */
static void put_back(struct fixture *f, const char *key, const void *p,
		     size_t len)
{
	catalog_put_document(f->catalog, PLACE, key, p, len);
}

static void what_others_put_back_leaves_the_cache(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *one = add(f, 1), *key = NULL, *document = NULL;
	CLEANUP_BUF struct buf record = { .max = 65536 };
	CLEANUP_BUF struct buf text = { .max = 65536 };

	key = xasprintf("log/%s", one);
	OK(store_read_all(f->st, key, 65536, &record, &err));
	open_cache(f);
	assert_true(changed(f));
	replace_one(f, 1);
	assert_true(changed(f));
	document = erase_uid(f, "deleted-uid");
	assert_true(changed(f));
	OK(store_read_all(f->st, document, 65536, &text, &err));
	say_done(f, document);
	assert_true(changed(f));
	free(fold(f));
	assert_true(changed(f));
	put_back(f, key, record.p, record.len);
	put_back(f, document, text.p, text.len);
	assert_true(cache_has(f, "deleted-uid"));
	assert_true(cache_has(f, "secret-1\""));
	begin(f);
	assert_false(cache_has(f, "deleted-uid"));
	assert_false(cache_has(f, "secret-1\""));
	changed(f);
	assert_int_equal(oplog_count(f->log), 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_record_is_later_than_what_its_writer_knows),
		TEST(a_record_of_a_wrong_clock_carries_no_other_along),
		TEST(what_no_reader_would_take_is_not_written),
		TEST(what_is_taken_back_does_not_count),
		TEST(a_repack_that_is_taken_back_replaces_nothing),
		TEST(what_the_list_lacks_is_asked_for_by_name),
		TEST(a_record_that_is_lost_is_missed),
		TEST(a_record_is_the_one_that_was_read_before),
		TEST(a_checkpoint_stands_for_its_records),
		TEST(what_a_checkpoint_leaves_out_is_forgotten),
		TEST(what_is_folded_while_it_is_read_is_found),
		TEST(what_is_removed_while_it_is_read_is_missed),
		TEST(tombstones_come_and_go),
		TEST(a_tombstone_that_is_lost_is_an_error),
		TEST(an_aggregate_saves_requests),
		TEST(receipts_that_were_not_kept_cannot_be_folded),
		TEST(the_cache_has_all_that_was_read),
		TEST(names_that_are_folded_away_leave_the_cache),
		TEST(a_cache_older_than_a_checkpoint_learns_of_it),
		TEST(what_neither_list_nor_checkpoint_has_is_another_archive),
		TEST(tombstones_that_are_done_leave_the_cache),
		TEST(what_others_put_back_leaves_the_cache),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
