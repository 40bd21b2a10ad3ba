/* SPDX-License-Identifier: Apache-2.0 */
/* finish.c - deletions are done when nothing is left, in whatever order it
 * goes; names leave the log.
 */
#include "config.h"

#include "repack/finish.h"

#include "base/clock.h"
#include "repack/erasure-list.h"
#include "repack/erasure-verify.h"
#include "repack/fold.h"
#include "repack/purge.h"
#include "repack/tidy.h"
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
		cmocka_unit_test(a_run_that_began_a_bit_later_may_be_older),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
