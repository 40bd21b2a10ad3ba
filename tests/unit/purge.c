/* SPDX-License-Identifier: Apache-2.0 */
/* purge.c - old revisions go when nothing speaks against it, and stay for each
 * single reason.
 */
#include "config.h"

#include "repack/purge.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "erase/tombstone.h"
#include "verify/raw-shard.h"
#include "repack/salt.h"
#include "replaced.h"

struct seen {
	enum purge_verdict verdict;
	enum receipt_how how;
	unsigned int n;
	bool is_failed;
	char text[256];
};

static void see(void *arg, const struct purge_event *e)
{
	struct seen *s = arg;

	s->verdict = e->verdict;
	s->how = e->how;
	s->is_failed |= e->is_failed;
	s->n++;
	snprintf(s->text, sizeof(s->text), "%s", e->text ? e->text : "");
}

static enum rc purge(struct fixture *f, struct seen *seen,
		     struct purge_totals *totals)
{
	const struct purge_options o = { .store = f->st,
					 .archive_id =
						 f->a.descriptor.archive_id,
					 .jobs = 2,
					 .fn = see,
					 .arg = seen };
	struct err err;

	*seen = (struct seen){ 0 };
	return purge_old(f->log, &o, totals, &err);
}

static void stays(struct fixture *f, enum purge_verdict why, enum rc rc)
{
	struct purge_totals t;
	struct seen seen;

	assert_int_equal(purge(f, &seen, &t), rc);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.verdict, why);
	assert_true(is_there(f, f->old));
	assert_int_equal(t.purged, 0);
}

static void goes(struct fixture *f)
{
	struct purge_totals t;
	struct seen seen;

	assert_int_equal(purge(f, &seen, &t), RC_OK);
	assert_int_equal(seen.verdict, PURGE_YES);
	assert_int_equal(seen.how, RECEIPT_REMOVED);
	assert_int_equal(t.purged, 1);
	assert_false(is_there(f, f->old));
	assert_true(is_there(f, f->new));
}

static void what_was_replaced_goes_after_its_grace_period(void **state)
{
	struct purge_totals t;
	struct seen seen;
	struct fixture f;

	(void)state;
	begin(&f, GRACE);
	goes(&f);
	assert_non_null(oplog_state_purged(oplog_state(f.log), f.old, NULL));
	/* Said once, it is not done again. */
	assert_int_equal(purge(&f, &seen, &t), RC_OK);
	assert_int_equal(seen.n, 0);
	end(&f);
}

static void inside_the_grace_period_it_stays(void **state)
{
	struct purge_totals t;
	struct seen seen;
	struct fixture f;

	(void)state;
	begin(&f, 3 * GRACE);
	stays(&f, PURGE_GRACE, RC_OK);
	assert_int_equal(purge(&f, &seen, &t), RC_OK);
	assert_int_equal(t.waiting, 1);
	assert_true(t.next == NOW + HOUR);
	set_now(NOW + HOUR - 1);
	stays(&f, PURGE_GRACE, RC_OK);
	set_now(NOW + HOUR);
	goes(&f);
	end(&f);
}

static void what_counts_is_not_looked_at(void **state)
{
	struct purge_totals t;
	struct seen seen;
	struct fixture f;

	(void)state;
	begin(&f, GRACE);
	goes(&f);
	set_now(NOW + 1000 * HOUR);
	assert_int_equal(purge(&f, &seen, &t), RC_OK);
	assert_true(is_there(&f, f.new));
	end(&f);
}

/* Within the data, which no look at names or index would find; again: it is as
 * it was.
 */
static void flip(struct fixture *f, const char *key)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", f->a.dir, key);
	CLEANUP_FD int fd = -1;
	char byte;

	assert_int_equal(chmod(path, 0644), 0);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, 200), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 200), 1);
}

static void damage_in_what_takes_its_place_keeps_it(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, GRACE);
	flip(&f, f.new);
	stays(&f, PURGE_UNVERIFIED, RC_PARTIAL);
	flip(&f, f.new);
	goes(&f);
	end(&f);
}

static void what_takes_its_place_and_is_missing_keeps_it(void **state)
{
	struct fixture f;
	char *path;

	(void)state;
	begin(&f, GRACE);
	path = xasprintf("%s/%s", f.a.dir, f.new);
	assert_int_equal(unlink(path), 0);
	stays(&f, PURGE_UNVERIFIED, RC_PARTIAL);
	free(path);
	end(&f);
}

/* --- what takes its place has to have all of it --------------------------- */

static void what_is_nowhere_else_keeps_it_until_it_is_deleted(void **state)
{
	uint8_t id[ERASURE_ID_LEN];
	struct purge_totals t;
	struct seen seen;
	struct fixture f;

	(void)state;
	begin_with(&f, GRACE, &both[1], 1, 0);
	stays(&f, PURGE_LACKS, RC_PARTIAL);
	assert_int_equal(purge(&f, &seen, &t), RC_PARTIAL);
	assert_true(seen.is_failed);
	assert_int_equal(t.failed, 1);
	assert_non_null(strstr(seen.text, "1 entries"));
	assert_non_null(strstr(seen.text, "'gone'"));
	ask(&f, "kept", id);
	stays(&f, PURGE_LACKS, RC_PARTIAL);
	ask(&f, "gone", id);
	goes(&f);
	end(&f);
}

static void a_deletion_that_is_taken_back_keeps_it(void **state)
{
	struct oplog_record r = { .kind = OPLOG_WITHDRAWN };
	uint8_t id[ERASURE_ID_LEN];
	struct fixture f;

	(void)state;
	begin_with(&f, GRACE, &both[1], 1, 0);
	ask(&f, "gone", id);
	r.withdrawn = xcalloc(1, sizeof(*r.withdrawn));
	r.n_withdrawn = 1;
	memcpy(r.withdrawn[0].b, id, sizeof(id));
	write_record(&f, &r);
	oplog_record_release(&r);
	stays(&f, PURGE_LACKS, RC_PARTIAL);
	end(&f);
}

static void other_bytes_or_times_in_its_place_keep_it(void **state)
{
	static const struct archive_entry other[] = {
		{ .uid = "kept", .type = ENTRY_REG, .content = "publik" },
		{ .uid = "kept", .type = ENTRY_REG, .content = "public!" },
		{ .uid = "kept", .type = ENTRY_DIR },
		{ .uid = "kepu", .type = ENTRY_REG, .content = "public" },
		{ .uid = "kept", .type = ENTRY_REG, .content = "public" },
	};
	struct purge_totals t;
	struct seen seen;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		/* Both are missing, one is said to be lost; the last is but of
		 * another time.
		 */
		begin_with(&f, GRACE, &other[i],
			   i + 1 < ARRAY_LEN(other) ? 1 : 2, 1);
		stays(&f, PURGE_LACKS, RC_PARTIAL);
		assert_int_equal(purge(&f, &seen, &t), RC_PARTIAL);
		assert_non_null(strstr(seen.text, "2 entries"));
		end(&f);
		begin_with(&f, GRACE, &other[i],
			   i + 1 < ARRAY_LEN(other) ? 1 : 2, 2);
		goes(&f);
		end(&f);
	}
}

static void nothing_in_its_place_keeps_it(void **state)
{
	uint8_t id[ERASURE_ID_LEN];
	struct purge_totals t;
	struct seen seen;
	struct fixture f;

	(void)state;
	begin_with(&f, GRACE, &both[1], 1, 0);
	ask(&f, "gone", id);
	replace(&f, f.new, NULL, 0);
	set_now(NOW + 2 * HOUR);
	assert_int_equal(purge(&f, &seen, &t), RC_PARTIAL);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.verdict, PURGE_LACKS);
	assert_int_equal(t.failed, 2);
	assert_int_equal(t.purged, 0);
	assert_true(is_there(&f, f.old));
	assert_true(is_there(&f, f.new));
	/* All that they have is deleted. */
	ask(&f, "kept", id);
	assert_int_equal(purge(&f, &seen, &t), RC_OK);
	assert_int_equal(t.purged, 2);
	assert_false(is_there(&f, f.new));
	end(&f);
}

/* The first byte of its index; or all of its second half. */
static void damage(struct fixture *f, bool is_cut)
{
	char *path = xasprintf("%s/%s", f->a.dir, f->old), byte;
	struct raw_shard s;
	int fd;

	OK(raw_shard_open(&s, f->st, f->old, &err));
	assert_int_equal(chmod(path, 0644), 0);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	if (is_cut) {
		assert_int_equal(ftruncate(fd, (off_t)s.info.size / 2), 0);
	} else {
		off_t at = (off_t)(s.footer.index_off + s.footer.root_page.off +
				   s.footer.root_page.stored_len - 1);

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
	free(path);
}

static void what_cannot_be_compared_stays_unless_it_was_damaged(void **state)
{
	uint8_t id[ERASURE_ID_LEN];
	struct fixture f;

	(void)state;
	for (int is_cut = 0; is_cut < 2; is_cut++) {
		begin_with(&f, GRACE, &both[1], 1, 0);
		ask(&f, "gone", id);
		damage(&f, is_cut);
		stays(&f, PURGE_LACKS, RC_PARTIAL);
		end(&f);
		begin_with(&f, GRACE, &both[1], 1, 1);
		damage(&f, is_cut);
		goes(&f);
		end(&f);
	}
}

static void what_is_not_there_needs_no_comparison(void **state)
{
	struct fixture f;
	char *path;

	(void)state;
	begin_with(&f, GRACE, &both[1], 1, 0);
	path = xasprintf("%s/%s", f.a.dir, f.old);
	assert_int_equal(unlink(path), 0);
	goes(&f);
	free(path);
	end(&f);
}

/* --- holds ---------------------------------------------------------------- */

static void a_hold_that_nobody_understands_keeps_it(void **state)
{
	struct fixture f;
	char *path;

	(void)state;
	begin(&f, GRACE);
	put(&f, "holds/court", "keep it all\n");
	stays(&f, PURGE_HELD, RC_OK);
	path = xasprintf("%s/holds/court", f.a.dir);
	assert_int_equal(unlink(path), 0);
	goes(&f);
	free(path);
	end(&f);
}

#define HOLD "{\"version\":1,\"kind\":\"hold\",\"matter\":\"M\","

static void a_hold_keeps_what_is_nowhere_else(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, GRACE);
	put(&f, "holds/1", HOLD "\"scope\":\"uid\",\"uid\":\"gone\"}");
	stays(&f, PURGE_HELD, RC_OK);
	end(&f);
	begin(&f, GRACE);
	put(&f, "holds/1", HOLD "\"scope\":\"prefix\",\"prefix\":\"go\"}");
	stays(&f, PURGE_HELD, RC_OK);
	end(&f);
	begin(&f, GRACE);
	put(&f, "holds/1", HOLD "\"scope\":\"day\",\"day\":20261121}");
	stays(&f, PURGE_HELD, RC_OK);
	end(&f);
}

static void a_hold_of_something_else_keeps_nothing(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, GRACE);
	put(&f, "holds/1", HOLD "\"scope\":\"uid\",\"uid\":\"other\"}");
	put(&f, "holds/2", HOLD "\"scope\":\"day\",\"day\":20261122}");
	put(&f, "holds/3", HOLD "\"scope\":\"prefix\",\"prefix\":\"a/\"}");
	goes(&f);
	end(&f);
}

static void a_run_that_began_before_keeps_it(void **state)
{
	struct store *other = NULL;
	struct store_run *run = NULL;
	struct purge_totals t;
	struct seen seen;
	struct fixture f;

	(void)state;
	begin(&f, GRACE);
	OK(store_create(&other, f.a.dir, NULL, &err));
	OK(store_run_begin(other, STORE_RUN_REPACK, &run, &err));
	/* Whatever time the mark has, no record has been written later. */
	replace(&f, f.new, NULL, 0);
	set_now(NOW + 10000 * HOUR);
	assert_int_equal(purge(&f, &seen, &t), RC_OK);
	(void)seen;
	store_run_end(run, true);
	store_close(other);
	end(&f);
}

static void a_packer_does_not_keep_it(void **state)
{
	struct store *other = NULL;
	struct store_run *run = NULL;
	struct fixture f;

	(void)state;
	begin(&f, GRACE);
	OK(store_create(&other, f.a.dir, NULL, &err));
	OK(store_run_begin(other, STORE_RUN_PACK, &run, &err));
	goes(&f);
	store_run_end(run, true);
	store_close(other);
	end(&f);
}

static void what_a_lost_repack_made_is_garbage(void **state)
{
	struct purge_totals t;
	struct seen seen;
	struct fixture f;
	struct oplog_record r = { .kind = OPLOG_REPACK, .grace = GRACE };
	char *loser;

	(void)state;
	begin(&f, GRACE);
	goes(&f);
	/* A second record takes the place of what was replaced: it is lost, and
	 * what it made is nobody's.
	 */
	archive_add(&f.a, 0, 3, &both[1], 1);
	read_log(&f);
	r.replaces = xcalloc(1, sizeof(*r.replaces));
	r.n_replaces = 1;
	r.replaces[0].key = xstrdup(f.old);
	r.shards = xcalloc(1, sizeof(*r.shards));
	r.n_shards = 1;
	for (size_t i = 0; i < oplog_count(f.log); i++) {
		const struct shard_meta *m = oplog_shard(f.log, i);

		if (strcmp(m->key, f.new) != 0)
			r.shards[0] = copy_of(m);
	}
	for (size_t i = 0; i < oplog_state_n_old(oplog_state(f.log)); i++)
		memcpy(r.replaces[0].root,
		       oplog_state_old(oplog_state(f.log), i)->root,
		       SHARD_ROOT_LEN);
	loser = xstrdup(r.shards[0].key);
	write_record(&f, &r);
	oplog_record_release(&r);
	read_log(&f);
	set_now(NOW + 2 * HOUR);
	/* A counting record names it, too: it stays. */
	assert_int_equal(purge(&f, &seen, &t), RC_OK);
	assert_int_equal(seen.n, 0);
	assert_true(is_there(&f, loser));
	free(loser);
	end(&f);
}

static void copy_shard(struct fixture *f, const char *from, const char *to)
{
	CLEANUP_BUF struct buf b = { .max = 1 << 20 };
	bool existed;

	OK(store_read_all(f->st, from, b.max, &b, &err));
	OK(store_put(f->st, to, b.p, b.len, &existed, &err));
}

/* A second record takes the place of what is not there to be replaced by a copy
 * of the new one: it is lost.
 */
static char *lose_of(struct fixture *f, const char *from, uint32_t part)
{
	const struct oplog_state *s = oplog_state(f->log);
	struct oplog_record r = { .kind = OPLOG_REPACK, .grace = GRACE };
	char key[SHARD_KEY_TEXT];

	r.replaces = xcalloc(1, sizeof(*r.replaces));
	r.n_replaces = 1;
	r.replaces[0].key = xstrdup(from);
	for (size_t i = 0; i < oplog_state_n_old(s); i++) {
		const struct oplog_old *old = oplog_state_old(s, i);

		if (!strcmp(old->key, from))
			memcpy(r.replaces[0].root, old->root, SHARD_ROOT_LEN);
	}
	r.shards = xcalloc(1, sizeof(*r.shards));
	r.n_shards = 1;
	r.shards[0] = copy_of(oplog_state_find(s, f->new));
	r.shards[0].part = part;
	free(r.shards[0].key);
	shard_key(&r.shards[0], key);
	r.shards[0].key = xstrdup(key);
	copy_shard(f, f->new, key);
	write_record(f, &r);
	oplog_record_release(&r);
	read_log(f);
	return xstrdup(key);
}

static char *lose(struct fixture *f)
{
	return lose_of(f, f->old, 7);
}

static void garbage_may_be_the_only_copy(void **state)
{
	struct purge_totals t;
	struct seen seen;
	struct fixture f;
	char *loser;

	(void)state;
	begin(&f, GRACE);
	goes(&f);
	loser = lose(&f);
	set_now(NOW + 2 * HOUR);
	flip(&f, f.new);
	assert_int_equal(purge(&f, &seen, &t), RC_PARTIAL);
	assert_int_equal(seen.verdict, PURGE_UNVERIFIED);
	assert_true(is_there(&f, loser));
	flip(&f, f.new);
	assert_int_equal(purge(&f, &seen, &t), RC_OK);
	assert_int_equal(t.purged, 1);
	assert_false(is_there(&f, loser));
	free(loser);
	end(&f);
}

static void garbage_made_of_garbage_may_be_the_only_copy(void **state)
{
	struct purge_totals t;
	struct seen seen;
	struct fixture f;
	char *loser, *next;

	(void)state;
	begin(&f, GRACE);
	goes(&f);
	loser = lose(&f);
	next = lose_of(&f, loser, 8);
	set_now(NOW + 2 * HOUR);
	flip(&f, f.new);
	assert_int_equal(purge(&f, &seen, &t), RC_PARTIAL);
	assert_int_equal(t.purged, 0);
	assert_true(is_there(&f, loser));
	assert_true(is_there(&f, next));
	flip(&f, f.new);
	assert_int_equal(purge(&f, &seen, &t), RC_OK);
	assert_int_equal(t.purged, 2);
	assert_false(is_there(&f, next));
	free(loser);
	free(next);
	end(&f);
}

static void what_is_back_is_removed_again(void **state)
{
	struct purge_totals t;
	struct seen seen;
	struct fixture f;

	(void)state;
	begin(&f, GRACE);
	copy_shard(&f, f.old, "backup");
	goes(&f);
	copy_shard(&f, "backup", f.old);
	/* Not so hastily, though. */
	flip(&f, f.new);
	stays(&f, PURGE_UNVERIFIED, RC_PARTIAL);
	flip(&f, f.new);
	assert_int_equal(purge(&f, &seen, &t), RC_OK);
	assert_int_equal(seen.verdict, PURGE_YES);
	assert_int_equal(t.purged, 1);
	assert_int_equal(t.again, 1);
	assert_false(is_there(&f, f.old));
	assert_int_equal(purge(&f, &seen, &t), RC_OK);
	assert_int_equal(seen.n, 0);
	end(&f);
}

/* --- receipts ------------------------------------------------------------- */

static void who_was_in_it_has_a_receipt_before_it_goes(void **state)
{
	uint8_t id[ERASURE_ID_LEN], other[ERASURE_ID_LEN];
	uint8_t salt[RECEIPT_SALT_LEN];
	const struct receipt *r;
	struct fixture f;

	(void)state;
	begin(&f, GRACE);
	ask(&f, "gone", id);
	ask(&f, "elsewhere", other);
	goes(&f);
	r = oplog_state_find_receipt(oplog_state(f.log), id);
	assert_non_null(r);
	assert_int_equal(r->n_replaced, 1);
	assert_int_equal(r->replaced[0].n_to, 1);
	assert_int_equal(r->n_purged, 1);
	assert_int_equal(r->purged[0].how, RECEIPT_PENDING);
	assert_true(r->asked == NOW - HOUR);
	OK(salt_read(f.st, id, salt, &err));
	assert_true(
		receipt_is_of(r, salt, "gone", 4, ERASURE_UNTIL, NOW - HOUR));
	assert_false(
		receipt_is_of(r, salt, "kept", 4, ERASURE_UNTIL, NOW - HOUR));
	assert_null(oplog_state_find_receipt(oplog_state(f.log), other));
	end(&f);
}

static void a_salt_is_made_once(void **state)
{
	uint8_t id[ERASURE_ID_LEN] = { 7 };
	uint8_t one[RECEIPT_SALT_LEN], two[RECEIPT_SALT_LEN];
	struct fixture f;
	struct err none;

	(void)state;
	begin(&f, GRACE);
	assert_int_equal(salt_read(f.st, id, one, &none), RC_NOENT);
	OK(salt_make(f.st, id, one, &err));
	OK(salt_make(f.st, id, two, &err));
	assert_memory_equal(one, two, sizeof(one));
	id[0]++;
	OK(salt_make(f.st, id, two, &err));
	assert_memory_not_equal(one, two, sizeof(one));
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_replaced_goes_after_its_grace_period),
		cmocka_unit_test(inside_the_grace_period_it_stays),
		cmocka_unit_test(what_counts_is_not_looked_at),
		cmocka_unit_test(damage_in_what_takes_its_place_keeps_it),
		cmocka_unit_test(what_takes_its_place_and_is_missing_keeps_it),
		cmocka_unit_test(
			what_is_nowhere_else_keeps_it_until_it_is_deleted),
		cmocka_unit_test(a_deletion_that_is_taken_back_keeps_it),
		cmocka_unit_test(other_bytes_or_times_in_its_place_keep_it),
		cmocka_unit_test(nothing_in_its_place_keeps_it),
		cmocka_unit_test(
			what_cannot_be_compared_stays_unless_it_was_damaged),
		cmocka_unit_test(what_is_not_there_needs_no_comparison),
		cmocka_unit_test(a_hold_that_nobody_understands_keeps_it),
		cmocka_unit_test(a_hold_keeps_what_is_nowhere_else),
		cmocka_unit_test(a_hold_of_something_else_keeps_nothing),
		cmocka_unit_test(a_run_that_began_before_keeps_it),
		cmocka_unit_test(a_packer_does_not_keep_it),
		cmocka_unit_test(what_a_lost_repack_made_is_garbage),
		cmocka_unit_test(garbage_may_be_the_only_copy),
		cmocka_unit_test(garbage_made_of_garbage_may_be_the_only_copy),
		cmocka_unit_test(what_is_back_is_removed_again),
		cmocka_unit_test(who_was_in_it_has_a_receipt_before_it_goes),
		cmocka_unit_test(a_salt_is_made_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
