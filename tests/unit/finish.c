/* SPDX-License-Identifier: Apache-2.0 */
/* finish.c - deletions are done when nothing is left, in whatever order it
 * goes; names leave the log.
 */
#include "config.h"

#include "base/clock.h"
#include "repack/finish.h"

#include "volume/random-object.h"
#include "verify/rebuild-log.h"
#include "repack/erasure-list.h"
#include "repack/erasure-verify.h"
#include "repack/fold.h"
#include "repack/purge.h"
#include "repack/returned.h"
#include "repack/tidy.h"
#include "repack/tombstone-remove.h"
#include "replaced.h"
#include "store/store-backend.h"

/* --- a store that keeps what it has --------------------------------------- */

static bool keeps;
static int64_t kept_until;
static const struct store_writer *real;

static enum rc purge_or_keep(struct store *st, const char *key,
			     enum store_gone *ret, int64_t *ret_until,
			     struct err *err)
{
	if (!keeps || !strstr(key, ".des"))
		return real->purge(st, key, ret, ret_until, err);
	*ret = STORE_KEPT;
	*ret_until = kept_until;
	return RC_OK;
}

static void take_over(struct fixture *f, struct store_writer *writer)
{
	real = f->st->writer;
	*writer = *real;
	writer->purge = purge_or_keep;
	f->st->writer = writer;
}

/* --- steps ---------------------------------------------------------------- */

static void purge(struct fixture *f, struct purge_totals *ret)
{
	const struct purge_options o = {
		.store = f->st,
		.archive_id = f->a.descriptor.archive_id,
	};

	OK(purge_old(f->log, &o, ret, &err));
}

static void fold(struct fixture *f, int64_t settle, struct fold_totals *ret,
		 struct fold_names *names)
{
	const struct fold_options o = { .store = f->st,
					.archive_id =
						f->a.descriptor.archive_id,
					.settle = settle };

	OK(fold_log(f->log, &o, ret, names, &err));
}

static void finish(struct fixture *f, int64_t settle, struct fold_names *names,
		   struct finish_totals *ret)
{
	const struct finish_options o = { .store = f->st,
					  .archive_id =
						  f->a.descriptor.archive_id,
					  .settle = settle,
					  .has_names = fold_names_has,
					  .arg = names };

	OK(finish_erasures(f->log, &o, ret, &err));
}

static enum erasure_state state;

static void note_state(void *arg, const struct erasure_event *e)
{
	(void)arg;
	state = e->status.state;
}

static enum erasure_state state_of(struct fixture *f)
{
	const struct erasure_list_options o = { .store = f->st,
						.margin = ERASURE_MARGIN,
						.fn = note_state };
	struct erasure_counts n;

	state = ERASURE_DONE;
	OK(erasure_list(f->log, &o, &n, &err));
	return state;
}

static void no_finding(void *arg, const char *text)
{
	(void)arg;
	fail_msg("%s", text);
}

static void verify(struct fixture *f)
{
	struct erasure_verified v;

	OK(erasure_verify(f->log, f->st, no_finding, NULL, &v, &err));
}

/* --- tests ---------------------------------------------------------------- */

static void names_leave_the_log_when_the_shard_is_gone(void **st)
{
	struct purge_totals purged;
	struct fold_totals folded;
	struct fold_names names;
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	fold(&f, 0, &folded, &names);
	assert_int_equal(folded.checkpoints, 0);
	purge(&f, &purged);
	assert_int_equal(purged.purged, 1);
	/* Readers get time to see the checkpoint. */
	fold(&f, HOUR, &folded, &names);
	assert_int_equal(folded.checkpoints, 1);
	assert_int_equal(folded.removed, 0);
	assert_int_equal(names.n, 1);
	fold_names_release(&names);
	set_now(NOW + 2 * HOUR);
	fold(&f, HOUR, &folded, &names);
	assert_int_equal(folded.checkpoints, 0);
	assert_int_equal(folded.removed, 1);
	assert_int_equal(names.n, 0);
	/* It means the same. */
	assert_int_equal(oplog_count(f.log), 1);
	oplog_free(f.log);
	f.log = oplog_new();
	read_log(&f);
	assert_int_equal(oplog_count(f.log), 1);
	assert_string_equal(oplog_shard(f.log, 0)->key, f.new);
	end(&f);
}

static void many_records_are_folded_without_need(void **st)
{
	const struct fold_options o = { .min_many = 2 };
	struct fold_options opts = o;
	struct fold_totals folded;
	struct fold_names names;
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	opts.store = f.st;
	opts.archive_id = f.a.descriptor.archive_id;
	OK(fold_log(f.log, &opts, &folded, &names, &err));
	assert_int_equal(folded.checkpoints, 1);
	assert_int_equal(folded.removed, 3);
	read_log(&f);
	assert_int_equal(oplog_count(f.log), 1);
	OK(fold_log(f.log, &opts, &folded, &names, &err));
	assert_int_equal(folded.checkpoints, 0);
	assert_int_equal(folded.removed, 0);
	end(&f);
}

static void a_deletion_is_done_when_all_is_gone(void **st)
{
	uint8_t id[ERASURE_ID_LEN];
	struct finish_totals finished;
	struct purge_totals purged;
	struct fold_totals folded;
	struct fold_names names = { 0 };
	struct tidied tidied;
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	ask(&f, "gone", id);
	assert_int_equal(state_of(&f), ERASURE_VERIFIED);
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.open, 1);
	purge(&f, &purged);
	assert_int_equal(state_of(&f), ERASURE_PURGED);
	/* The log has names of it. */
	fold(&f, HOUR, &folded, &names);
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.open, 1);
	fold_names_release(&names);
	fold(&f, 0, &folded, &names);
	finish(&f, HOUR, &names, &finished);
	assert_int_equal(finished.open, 1);
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.finished, 1);
	assert_int_equal(finished.documents, 1);
	assert_int_equal(finished.suppressed, 1);
	assert_true(receipt_is_final(
		oplog_state_find_receipt(oplog_state(f.log), id)));
	OK(tidy_tombstones(f.st, f.log, f.a.descriptor.archive_id, &tidied,
			   &err));
	assert_int_equal(tidied.documents, 1);
	verify(&f);
	end(&f);
}

static void what_a_store_keeps_is_pending_and_tried_again(void **st)
{
	struct store_writer writer;
	uint8_t id[ERASURE_ID_LEN];
	struct finish_totals finished;
	struct purge_totals purged;
	struct fold_totals folded;
	struct fold_names names = { 0 };
	const struct receipt *r;
	struct fixture f;
	size_t n;

	(void)st;
	begin(&f, GRACE);
	take_over(&f, &writer);
	ask(&f, "gone", id);
	keeps = true;
	kept_until = NOW + 100 * HOUR;
	purge(&f, &purged);
	assert_int_equal(purged.pending, 1);
	assert_int_equal(state_of(&f), ERASURE_PENDING);
	r = oplog_state_find_receipt(oplog_state(f.log), id);
	assert_non_null(r);
	assert_false(receipt_is_final(r));
	/* Until when was not known then. */
	purge(&f, &purged);
	r = oplog_state_find_receipt(oplog_state(f.log), id);
	assert_int_equal(r->n_purged, 1);
	assert_int_equal(r->purged[0].how, RECEIPT_PENDING);
	assert_true(r->purged[0].until == kept_until);
	/* Said once is enough. */
	n = oplog_n_records(f.log);
	purge(&f, &purged);
	assert_int_equal(oplog_n_records(f.log), n);
	fold(&f, 0, &folded, &names);
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.open, 1);
	assert_int_equal(finished.documents, 0);
	set_now(NOW + 101 * HOUR);
	keeps = false;
	purge(&f, &purged);
	assert_int_equal(purged.purged, 1);
	fold(&f, 0, &folded, &names);
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.finished, 1);
	verify(&f);
	f.st->writer = real;
	end(&f);
}

static void what_nobody_ever_had_is_done_at_once(void **st)
{
	uint8_t id[ERASURE_ID_LEN];
	struct finish_totals finished;
	struct fold_names names = { 0 };
	const struct receipt *r;
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	ask(&f, "never", id);
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.finished, 1);
	r = oplog_state_find_receipt(oplog_state(f.log), id);
	assert_non_null(r);
	assert_int_equal(r->n_replaced, 0);
	end(&f);
}

static void what_counts_keeps_a_deletion_open(void **st)
{
	uint8_t id[ERASURE_ID_LEN];
	struct finish_totals finished;
	struct fold_names names = { 0 };
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	ask(&f, "kept", id);
	assert_int_equal(state_of(&f), ERASURE_HIDDEN);
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.open, 1);
	assert_int_equal(finished.documents, 0);
	end(&f);
}

static void a_run_that_began_before_keeps_a_deletion_open(void **st)
{
	uint8_t id[ERASURE_ID_LEN];
	struct finish_totals finished;
	struct fold_names names = { 0 };
	struct store_run *run = NULL;
	struct store *other = NULL;
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	OK(store_create(&other, f.a.dir, NULL, &err));
	OK(store_run_begin(other, STORE_RUN_PACK, &run, &err));
	ask(&f, "never", id);
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.open, 1);
	store_run_end(run, true);
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.finished, 1);
	store_close(other);
	end(&f);
}

static void a_run_that_only_deletes_keeps_none_open(void **st)
{
	uint8_t id[ERASURE_ID_LEN];
	struct finish_totals finished;
	struct fold_names names = { 0 };
	struct store_run *run = NULL;
	struct store *other = NULL;
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	OK(store_create(&other, f.a.dir, NULL, &err));
	OK(store_run_begin(other, STORE_RUN_TOMBSTONE, &run, &err));
	ask(&f, "never", id);
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.finished, 1);
	store_run_end(run, true);
	store_close(other);
	end(&f);
}

/* Shards that were looked through. */
static uint64_t look_for_returned(struct fixture *f, int64_t now)
{
	uint8_t secret[1][SUPPRESSION_SECRET_LEN];
	const struct returned_options o = {
		.store = f->st,
		.archive_id = f->a.descriptor.archive_id,
		.secrets = (const uint8_t(*)[SUPPRESSION_SECRET_LEN])secret,
		.n_secrets = 1,
	};
	struct returned r;

	OK(random_object_read(f->st, SUPPRESSION_KEY_OBJECT, secret[0], &err));
	set_now(now);
	OK(returned_delete(f->log, &o, &r, &err));
	assert_int_equal(r.deleted, 0);
	return r.shards;
}

static void what_was_looked_through_for_good_is_not_again(void **st)
{
	uint8_t id[ERASURE_ID_LEN];
	struct finish_totals finished;
	struct fold_names names = { 0 };
	struct oplog_record r = { .kind = OPLOG_SHARDS };
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	ask(&f, "never", id);
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.finished, 1);
	set_now(NOW + HOUR);
	r.shards = xcalloc(1, sizeof(*r.shards));
	r.shards[r.n_shards++] =
		copy_of(oplog_state_find(oplog_state(f.log), f.new));
	write_record(&f, &r);
	oplog_record_release(&r);
	/* A record of a clock that is behind may still come. */
	assert_int_equal(look_for_returned(&f, NOW + HOUR + SECOND), 1);
	assert_int_equal(look_for_returned(&f, NOW + 2 * HOUR), 1);
	assert_int_equal(look_for_returned(&f, NOW + 3 * HOUR), 0);
	assert_int_equal(look_for_returned(&f, NOW + 24 * HOUR), 0);
	end(&f);
}

static void add_shard_at(struct fixture *f, int64_t time)
{
	CLEANUP_BUF struct buf b = { .max = OPLOG_RECORD_MAX };
	struct shard_meta m =
		copy_of(oplog_state_find(oplog_state(f->log), f->new));
	struct oplog_record r = {
		.kind = OPLOG_SHARDS, .time = time, .shards = &m, .n_shards = 1
	};
	char name[96];
	bool existed;

	oplog_record_encode(&r, f->a.descriptor.archive_id, &b);
	OK(oplog_record_key(r.time, name, sizeof(name), &err));
	OK(store_put(f->st, name, b.p, b.len, &existed, &err));
	shard_meta_release(&m);
}

static void what_lists_show_late_is_looked_through(void **st)
{
	uint8_t id[ERASURE_ID_LEN];
	struct finish_totals finished;
	struct fold_names names = { 0 };
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	ask(&f, "never", id);
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.finished, 1);
	f.st->lists_lag = true;
	add_shard_at(&f, NOW + HOUR);
	assert_int_equal(look_for_returned(&f, NOW + HOUR + SECOND), 1);
	/* By a clock that is behind, and shown when it is as old as can be. */
	add_shard_at(&f, NOW + HOUR - CLOCK_SKEW_US - STORE_LISTS_LAG_US +
				 2 * SECOND);
	assert_int_equal(look_for_returned(&f, NOW + HOUR + 2 * SECOND), 2);
	end(&f);
}

static int64_t oldest;

static enum rc say_oldest(struct store *st, unsigned int kinds,
			  const struct store_run *own, int64_t *ret_us,
			  struct err *e)
{
	(void)st;
	(void)kinds;
	(void)own;
	(void)e;
	*ret_us = oldest;
	return RC_OK;
}

static void a_run_that_began_a_bit_later_may_be_older(void **st)
{
	struct store_writer writer;
	uint8_t id[ERASURE_ID_LEN];
	struct finish_totals finished;
	struct fold_names names = { 0 };
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	take_over(&f, &writer);
	writer.runs_oldest = say_oldest;
	ask(&f, "never", id);
	oldest = NOW + CLOCK_SKEW_US;
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.open, 1);
	oldest = NOW + CLOCK_SKEW_US + SECOND;
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.finished, 1);
	f.st->writer = real;
	end(&f);
}

static char *path_of(const struct fixture *f, const char *key)
{
	return xasprintf("%s/%s", f->a.dir, key);
}

/* The bytes of one shard under another key. */
static void copy_shard(struct fixture *f, const char *from, const char *to)
{
	CLEANUP_BUF struct buf b = { .max = 1 << 20 };
	bool existed;

	OK(store_read_all(f->st, from, b.max, &b, &err));
	OK(store_put(f->st, to, b.p, b.len, &existed, &err));
}

static char *other_key(const struct fixture *f, const char *key)
{
	char *other = xstrdup(key);

	(void)f;
	memset(other + strlen(other) - strlen("0123456789abcdef.des"), '0', 16);
	return other;
}

/* It is purged, and nothing but what else is there keeps it open. */
static void purge_all(struct fixture *f, uint8_t id[ERASURE_ID_LEN])
{
	struct purge_totals purged;
	struct fold_totals folded;
	struct fold_names names = { 0 };

	ask(f, "gone", id);
	purge(f, &purged);
	assert_int_equal(purged.purged, 1);
	fold(f, 0, &folded, &names);
	fold_names_release(&names);
	read_log(f);
}

static void expect_open(struct fixture *f, uint64_t strays)
{
	struct finish_totals finished;
	struct fold_names names = { 0 };

	finish(f, 0, &names, &finished);
	assert_int_equal(finished.finished, 0);
	assert_int_equal(finished.open, 1);
	assert_int_equal(finished.strays, strays);
}

static void expect_done(struct fixture *f)
{
	struct finish_totals finished;
	struct fold_names names = { 0 };

	finish(f, 0, &names, &finished);
	assert_int_equal(finished.finished, 1);
	assert_int_equal(finished.strays, 0);
}

static void a_shard_that_nothing_names_and_has_it_keeps_it_open(void **st)
{
	CLEANUP_FREE char *unnamed = NULL;
	CLEANUP_FREE char *harmless = NULL;
	CLEANUP_FREE char *path = NULL;
	uint8_t id[ERASURE_ID_LEN];
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	unnamed = other_key(&f, f.old);
	harmless = other_key(&f, f.new);
	harmless[strlen(harmless) - 5] = '1';
	copy_shard(&f, f.old, unnamed);
	copy_shard(&f, f.new, harmless);
	purge_all(&f, id);
	expect_open(&f, 1);
	OK(store_remove(f.st, unnamed, &err));
	/* Nor is it known what is in one that cannot be read. */
	path = path_of(&f, harmless);
	assert_int_equal(truncate(path, 100), 0);
	expect_open(&f, 1);
	OK(store_remove(f.st, harmless, &err));
	expect_done(&f);
	end(&f);
}

static void what_was_purged_and_is_back_keeps_it_open(void **st)
{
	CLEANUP_FREE char *kept = NULL;
	uint8_t id[ERASURE_ID_LEN];
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	kept = xstrdup("kept");
	copy_shard(&f, f.old, kept);
	purge_all(&f, id);
	copy_shard(&f, kept, f.old);
	expect_open(&f, 1);
	OK(store_remove(f.st, f.old, &err));
	expect_done(&f);
	end(&f);
}

/* A record before all others, which no other has as the one before it. */
static void say_of(struct fixture *f, const char *key, const char *uid)
{
	CLEANUP_BUF struct buf b = { .max = OPLOG_RECORD_MAX };
	struct shard_meta m =
		copy_of(oplog_state_find(oplog_state(f->log), key));
	struct oplog_record r = { .kind = OPLOG_SHARDS,
				  .time = ARCHIVE_TIME(99, 0),
				  .shards = &m,
				  .n_shards = 1 };
	char name[96];
	bool existed;

	free(m.first);
	free(m.last);
	m.first = xstrdup(uid);
	m.last = xstrdup(uid);
	m.first_len = m.last_len = strlen(uid);
	oplog_record_encode(&r, f->a.descriptor.archive_id, &b);
	assert_true(buf_ok(&b));
	OK(oplog_record_key(r.time, name, sizeof(name), &err));
	OK(store_put(f->st, name, b.p, b.len, &existed, &err));
	shard_meta_release(&m);
	oplog_free(f->log);
	f->log = oplog_new();
	oplog_keep_receipts(f->log);
	read_log(f);
}

static void the_log_is_not_believed_about_what_a_shard_holds(void **st)
{
	struct purge_totals purged;
	uint8_t id[ERASURE_ID_LEN];
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	purge(&f, &purged);
	say_of(&f, f.new, "another");
	assert_string_equal(oplog_shard(f.log, 0)->first, "another");
	ask(&f, "kept", id);
	set_now(NOW + HOUR);
	expect_open(&f, 1);
	end(&f);
}

static enum rc put_through(struct store *st, const char *key, const void *p,
			   size_t len, bool *ret_existed, struct err *err)
{
	const struct store_writer *mine = st->writer;
	enum rc rc;

	st->writer = real;
	rc = store_put(st, key, p, len, ret_existed, err);
	st->writer = mine;
	return rc;
}

/* Once. */
static enum rc put_and_hold(struct store *st, const char *key, const void *p,
			    size_t len, bool *ret_existed, struct err *err)
{
	static const char hold[] = "keep it";
	bool existed;

	st->writer = real;
	if (store_put(st, "holds/court", hold, sizeof(hold) - 1, &existed, err))
		return err->rc;
	return store_put(st, key, p, len, ret_existed, err);
}

static void a_hold_that_comes_meanwhile_is_thought_over(void **st)
{
	const struct finish_options o = { .settle = 0 };
	struct finish_options opts = o;
	struct store_writer writer;
	uint8_t id[ERASURE_ID_LEN];
	struct finish_totals finished;
	struct fold_names names = { 0 };
	const struct receipt *r;
	struct err why;
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	ask(&f, "never", id);
	take_over(&f, &writer);
	writer.put = put_and_hold;
	opts.store = f.st;
	opts.archive_id = f.a.descriptor.archive_id;
	opts.has_names = fold_names_has;
	opts.arg = &names;
	assert_int_equal(finish_erasures(f.log, &opts, &finished, &why),
			 RC_CHANGED);
	f.st->writer = real;
	read_log(&f);
	r = oplog_state_find_receipt(oplog_state(f.log), id);
	assert_true(!r || !receipt_is_final(r));
	/* Of this there is nothing that could be held. */
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.documents, 1);
	end(&f);
}

/* A round that fails when it has split a document. */
static enum rc put_no_salt(struct store *st, const char *key, const void *p,
			   size_t len, bool *ret_existed, struct err *err)
{
	if (!strncmp(key, "salts/", 6))
		return err_set(err, RC_IO, "%s: no room", key);
	return put_through(st, key, p, len, ret_existed, err);
}

static void what_is_left_of_a_document_is_written_once(void **st)
{
	static const char *const uids[] = { "gone", "never" };
	struct finish_options opts = { .settle = 0 };
	struct tombstone_removed removed;
	struct store_writer writer;
	struct finish_totals finished;
	struct fold_names names = { 0 };
	struct err why;
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	put(&f, "holds/1",
	    "{\"version\":1,\"kind\":\"hold\",\"matter\":\"M\","
	    "\"scope\":\"uid\",\"uid\":\"gone\"}");
	ask_all(&f, uids, 2);
	take_over(&f, &writer);
	writer.put = put_no_salt;
	opts.store = f.st;
	opts.archive_id = f.a.descriptor.archive_id;
	opts.has_names = fold_names_has;
	opts.arg = &names;
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(finish_erasures(f.log, &opts, &finished, &why),
				 RC_IO);
		assert_int_equal(finished.split, i ? 0 : 1);
		read_log(&f);
	}
	/* It is in two documents. */
	OK(tombstone_remove(f.st, f.log, f.a.descriptor.archive_id, uids, 1,
			    true, NULL, NULL, &removed, &err));
	assert_int_equal(removed.names, 1);
	f.st->writer = real;
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.split, 0);
	assert_int_equal(finished.documents, 1);
	assert_int_equal(finished.held, 2);
	finish(&f, 0, &names, &finished);
	assert_int_equal(finished.held, 1);
	end(&f);
}

/* --- names in versions of records ----------------------------------------- */

static char purged_key[128];

static enum rc note_purge(struct store *st, const char *key,
			  enum store_gone *ret, int64_t *ret_until,
			  struct err *err)
{
	snprintf(purged_key, sizeof(purged_key), "%s", key);
	return real->purge(st, key, ret, ret_until, err);
}

static void no_version_is_left_of_a_record_taken_back(void **st)
{
	struct oplog_record r = { .kind = OPLOG_SHARDS };
	struct store_writer writer;
	struct shard_meta m;
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	m = copy_of(oplog_shard(f.log, 0));
	r.shards = &m;
	r.n_shards = 1;
	write_record(&f, &r);
	take_over(&f, &writer);
	writer.purge = note_purge;
	purged_key[0] = '\0';
	OK(oplog_take_back(f.st, &r, f.a.descriptor.archive_id, &err));
	f.st->writer = real;
	assert_string_equal(purged_key + strlen("log/"), r.name);
	r.shards = NULL;
	r.n_shards = 0;
	oplog_record_release(&r);
	shard_meta_release(&m);
	end(&f);
}

static void tell_nobody(void *arg, const char *key, const char *what)
{
	(void)arg;
	(void)key;
	(void)what;
}

static void no_version_is_left_of_a_damaged_record(void **st)
{
	const char *key = "log/20261121T000000.000000Z-damaged.json";
	struct log_rest rest = { .damaged = &key, .n_damaged = 1 };
	struct store_writer writer;
	struct fixture f;

	(void)st;
	begin(&f, GRACE);
	put(&f, key, "{\"first\":\"a name\"");
	take_over(&f, &writer);
	writer.purge = note_purge;
	purged_key[0] = '\0';
	OK(log_rest_mend(&rest, f.st, f.a.descriptor.archive_id, false,
			 tell_nobody, NULL, &err));
	f.st->writer = real;
	assert_string_equal(purged_key, key);
	assert_false(is_there(&f, key));
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_leave_the_log_when_the_shard_is_gone),
		cmocka_unit_test(many_records_are_folded_without_need),
		cmocka_unit_test(a_deletion_is_done_when_all_is_gone),
		cmocka_unit_test(what_a_store_keeps_is_pending_and_tried_again),
		cmocka_unit_test(what_nobody_ever_had_is_done_at_once),
		cmocka_unit_test(what_counts_keeps_a_deletion_open),
		cmocka_unit_test(a_run_that_began_before_keeps_a_deletion_open),
		cmocka_unit_test(a_run_that_only_deletes_keeps_none_open),
		cmocka_unit_test(what_was_looked_through_for_good_is_not_again),
		cmocka_unit_test(what_lists_show_late_is_looked_through),
		cmocka_unit_test(a_run_that_began_a_bit_later_may_be_older),
		cmocka_unit_test(
			a_shard_that_nothing_names_and_has_it_keeps_it_open),
		cmocka_unit_test(what_was_purged_and_is_back_keeps_it_open),
		cmocka_unit_test(a_hold_that_comes_meanwhile_is_thought_over),
		cmocka_unit_test(
			the_log_is_not_believed_about_what_a_shard_holds),
		cmocka_unit_test(what_is_left_of_a_document_is_written_once),
		cmocka_unit_test(no_version_is_left_of_a_record_taken_back),
		cmocka_unit_test(no_version_is_left_of_a_damaged_record),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
