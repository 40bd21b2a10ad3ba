/* SPDX-License-Identifier: Apache-2.0 */
/* verify-log.c - what verify says of deletions: old revisions, records that
 * name others, documents, and what is deleted and still there.
 */
#include "config.h"

#include "verify/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "erase/suppression.h"
#include "erase/tombstone.h"
#include "shard/route.h"
#include "store/store-write.h"
#include "unit.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"

#define OK(call)                                 \
	do {                                     \
		struct err err;                  \
		if (call)                        \
			fail_msg("%s", err.msg); \
	} while (0)

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define GRACE 3600 /* seconds */
/* Log records of the archive are of day 100. */
#define NOW ARCHIVE_TIME(101, 0)

/* An archive whose first shard, with "gone" and "kept", was replaced by a
 * second one that has only "kept".
 */
struct fixture {
	struct archive a;
	struct store *st;
	struct oplog *log;
	char *old, *new;
};

static void set_now(int64_t us)
{
	clock_thaw();
	clock_freeze(1, us * 1000);
}

static void read_log(struct fixture *f)
{
	bool changed;

	oplog_want_all(f->log);
	OK(oplog_read(f->log, f->st, &changed, &err));
}

static void write_record(struct fixture *f, struct oplog_record *r)
{
	OK(oplog_write(f->log, f->st, r, f->a.descriptor.archive_id, &err));
	oplog_record_release(r);
	read_log(f);
}

static struct shard_meta copy_of(const struct shard_meta *m)
{
	struct shard_meta c = *m;

	c.key = xstrdup(m->key);
	c.first = xmemdup0(m->first, m->first_len);
	c.last = xmemdup0(m->last, m->last_len);
	return c;
}

/* A record in which to takes the place of from. */
static void replace(struct fixture *f, const struct oplog_replaced *from,
		    const struct shard_meta *to, int64_t grace)
{
	struct oplog_record r = { .kind = OPLOG_REPACK,
				  .grace = grace,
				  .why = OPLOG_DELETED };

	r.replaces = xcalloc(1, sizeof(*r.replaces));
	r.replaces[0] = *from;
	r.replaces[0].key = xstrdup(from->key);
	r.n_replaces = 1;
	r.shards = xcalloc(1, sizeof(*r.shards));
	r.shards[0] = copy_of(to);
	r.n_shards = r.cap = 1;
	write_record(f, &r);
}

static const struct archive_entry both[] = {
	{ .uid = "gone", .type = ENTRY_REG, .content = "secret" },
	{ .uid = "kept", .type = ENTRY_REG, .content = "public" },
};

static struct oplog_replaced replaced_of(const struct shard_meta *m)
{
	struct oplog_replaced r = { .key = m->key };

	memcpy(r.root, m->root, SHARD_ROOT_LEN);
	return r;
}

/* Without the record that replaces. */
static void begin_plain(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	archive_begin(&f->a, ROUTE_PARENT);
	archive_add(&f->a, 0, 1, both, 2);
	archive_add(&f->a, 0, 2, &both[1], 1);
	OK(store_create(&f->st, f->a.dir, NULL, &err));
	f->log = oplog_new();
	set_now(NOW - 2 * HOUR);
	read_log(f);
	for (size_t i = 0; i < 2; i++) {
		const struct shard_meta *m = oplog_shard(f->log, i);

		*(m->n_entries > 2 ? &f->old : &f->new) = xstrdup(m->key);
	}
}

static void begin(struct fixture *f, int64_t grace)
{
	struct oplog_replaced from;

	begin_plain(f);
	from = replaced_of(oplog_state_find(oplog_state(f->log), f->old));
	replace(f, &from, oplog_state_find(oplog_state(f->log), f->new), grace);
	set_now(NOW);
}

static void end(struct fixture *f)
{
	clock_thaw();
	oplog_free(f->log);
	store_close(f->st);
	archive_end(&f->a);
	free(f->old);
	free(f->new);
}

static void drop(struct fixture *f, const char *key)
{
	OK(store_remove(f->st, key, &err));
}

static void put(struct fixture *f, const char *key, const void *p, size_t len)
{
	bool existed;

	OK(store_put(f->st, key, p, len, &existed, &err));
}

/* --- what it says --------------------------------------------------------- */

struct seen {
	struct verify_totals t;
	char damage[4096], notes[4096]; /* a line each, "KEY: TEXT" */
};

static void see(void *arg, const struct finding *f)
{
	struct seen *s = arg;
	char *to = f->kind == FINDING_NOTE ? s->notes : s->damage;
	size_t len = strlen(to);

	if (f->kind == FINDING_DAMAGE || f->kind == FINDING_NOTE)
		snprintf(to + len, sizeof(s->notes) - len, "%s: %s\n", f->key,
			 f->text);
}

static struct seen *verify(struct fixture *f)
{
	static struct seen s;
	const struct verify_options o = { .deep = true, .fn = see, .arg = &s };

	s = (struct seen){ .t.shards = 0 };
	OK(verify_archive(f->a.dir, &o, &s.t, &err));
	return &s;
}

static void all_is_well(struct fixture *f)
{
	struct seen *s = verify(f);

	assert_string_equal(s->damage, "");
	assert_string_equal(s->notes, "");
}

static void only_notes(struct fixture *f, const char *key, const char *text)
{
	struct seen *s = verify(f);

	assert_string_equal(s->damage, "");
	assert_non_null(strstr(s->notes, key));
	assert_non_null(strstr(s->notes, text));
}

static void is_damage(struct fixture *f, const char *key, const char *text)
{
	struct seen *s = verify(f);

	if (!strstr(s->damage, key) || !strstr(s->damage, text))
		fail_msg("no '%s: %s' in:\n%s", key, text, s->damage);
}

/* --- while others are at work --------------------------------------------- */

struct race {
	struct fixture *f;
	struct seen seen;
	bool is_done;
};

/* On the first finding: the shard that counts is replaced and gone. */
static void replace_now(void *arg, const struct finding *f)
{
	struct race *x = arg;
	struct oplog_replaced from;
	const struct oplog_state *s = oplog_state(x->f->log);

	see(&x->seen, f);
	if (x->is_done)
		return;
	x->is_done = true;
	from = replaced_of(oplog_state_find(s, x->f->old));
	replace(x->f, &from, oplog_state_find(s, x->f->new), 0);
	drop(x->f, x->f->old);
}

static void what_is_replaced_meanwhile_is_no_damage(void **state)
{
	struct fixture f;
	struct race x = { .f = &f };
	const struct verify_options o = { .deep = true,
					  .fn = replace_now,
					  .arg = &x };

	(void)state;
	begin_plain(&f);
	/* Told before any shard is looked at. */
	put(&f, "20200101/20200101_0_0000_0123456789abcdef.des", "x", 1);
	OK(verify_archive(f.a.dir, &o, &x.seen.t, &err));
	assert_true(x.is_done);
	assert_string_equal(x.seen.damage, "");
	assert_non_null(strstr(x.seen.notes, "removed while this ran"));
	assert_int_equal(x.seen.t.shards, 1);
	end(&f);
}

/* --- old revisions -------------------------------------------------------- */

static void what_waits_for_its_purge_is_no_finding(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 24 * GRACE);
	all_is_well(&f);
	assert_int_equal(verify(&f)->t.shards, 1);
	assert_int_equal(verify(&f)->t.old_shards, 1);
	end(&f);
}

static void what_could_have_gone_is_a_note(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, GRACE);
	only_notes(&f, f.old, "grace period is over");
	end(&f);
}

static void tell_purged(struct fixture *f, const char *key,
			enum receipt_how how)
{
	struct oplog_record r = { .kind = OPLOG_PURGED };
	const struct oplog_state *s = oplog_state(f->log);

	r.purged = xcalloc(1, sizeof(*r.purged));
	r.n_purged = 1;
	r.purged[0] = (struct oplog_purged){ .key = xstrdup(key),
					     .how = how,
					     .time = NOW - HOUR,
					     .until = NOW + HOUR };
	for (size_t i = 0; i < oplog_state_n_old(s); i++)
		memcpy(r.purged[0].root, oplog_state_old(s, i)->root,
		       SHARD_ROOT_LEN);
	write_record(f, &r);
}

static void what_is_told_as_gone_and_is_there_is_damage(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, GRACE);
	tell_purged(&f, f.old, RECEIPT_REMOVED);
	is_damage(&f, f.old, "the log says it is gone since");
	drop(&f, f.old);
	all_is_well(&f);
	end(&f);
}

static void what_the_store_keeps_is_no_damage(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, GRACE);
	tell_purged(&f, f.old, RECEIPT_PENDING);
	only_notes(&f, f.old, "grace period is over");
	end(&f);
}

static void what_went_without_a_word_is_a_note(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, GRACE);
	drop(&f, f.old);
	only_notes(&f, f.old, "no log record says so");
	end(&f);
}

static void what_counts_and_is_not_there_is_damage(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 24 * GRACE);
	drop(&f, f.new);
	is_damage(&f, f.new, "it is not there");
	assert_int_equal(verify(&f)->t.missing_shards, 1);
	end(&f);
}

static void what_a_lost_repack_made_is_a_note(void **state)
{
	struct oplog_replaced from;
	struct shard_meta to;
	char key[SHARD_KEY_TEXT];
	struct fixture f;

	(void)state;
	begin(&f, 24 * GRACE);
	from = replaced_of(oplog_state_old(oplog_state(f.log), 0)->meta);
	/* A revision that nobody else has. */
	to = *oplog_state_find(oplog_state(f.log), f.new);
	to.revision = 7;
	shard_key(&to, key);
	to.key = key;
	replace(&f, &from, &to, GRACE);
	put(&f, key, "any", 3);
	only_notes(&f, key, "lost against another");
	end(&f);
}

/* --- records -------------------------------------------------------------- */

static void a_record_that_another_names_and_is_gone_is_damage(void **state)
{
	struct oplog_prev prev;
	struct fixture f;
	char *key;

	(void)state;
	begin(&f, 24 * GRACE);
	oplog_newest(f.log, &prev);
	key = xasprintf("log/%s", prev.name);
	tell_purged(&f, f.old, RECEIPT_PENDING);
	all_is_well(&f);
	drop(&f, key);
	is_damage(&f, key + 4, "");
	free(key);
	end(&f);
}

/* --- documents ------------------------------------------------------------ */

/* Ask for uid; its key is to be freed. */
static char *ask(struct fixture *f, const char *uid, int64_t time,
		 bool is_recorded)
{
	CLEANUP(tombstone_release) struct tombstone t = { .time = time };
	CLEANUP_BUF struct buf b = { .max = TOMBSTONE_MAX };
	struct oplog_record r = { .kind = OPLOG_TOMBSTONES };
	uint8_t id[ERASURE_ID_LEN];
	char key[TOMBSTONE_KEY_TEXT];

	memset(id, uid[0], sizeof(id));
	memcpy(t.archive_id, f->a.descriptor.archive_id, SHARD_ID_LEN);
	tombstone_add(&t, id, uid, strlen(uid), ERASURE_UNTIL, t.time);
	OK(tombstone_encode(&t, &b, &err));
	OK(tombstone_key(t.time, key, &err));
	put(f, key, b.p, b.len);
	if (!is_recorded)
		return xstrdup(key);
	r.tombstones = xcalloc(1, sizeof(*r.tombstones));
	r.n_tombstones = 1;
	r.tombstones[0].key = xstrdup(key);
	r.tombstones[0].count = 1;
	sha256_of(b.p, b.len, r.tombstones[0].sha256);
	write_record(f, &r);
	return xstrdup(key);
}

static void what_is_deleted_and_still_there_is_counted(void **state)
{
	struct fixture f;
	char *key;

	(void)state;
	begin_plain(&f);
	key = ask(&f, "gone", NOW - HOUR, true);
	set_now(NOW);
	only_notes(&f, "tombstones", "1 entries are deleted");
	assert_int_equal(verify(&f)->t.deleted, 1);
	assert_int_equal(verify(&f)->t.overdue, 0);
	assert_null(strstr(verify(&f)->notes, "gone'"));
	free(key);
	end(&f);
}

static void after_48_hours_it_is_an_error(void **state)
{
	struct fixture f;
	char *key;

	(void)state;
	begin_plain(&f);
	key = ask(&f, "gone", NOW - HOUR, true);
	set_now(NOW + 46 * HOUR);
	only_notes(&f, "tombstones", "1 entries are deleted");
	set_now(NOW + 48 * HOUR);
	is_damage(&f, "tombstones", "1 of them were to be gone");
	assert_int_equal(verify(&f)->t.overdue, 1);
	/* Unless somebody has ordered to keep it. */
	put(&f, "holds/court", "{}", 2);
	only_notes(&f, "tombstones", "if no hold keeps them");
	end(&f);
	free(key);
}

static void what_is_taken_back_is_not_deleted(void **state)
{
	struct oplog_record r = { .kind = OPLOG_WITHDRAWN };
	struct fixture f;
	char *key;

	(void)state;
	begin_plain(&f);
	key = ask(&f, "gone", NOW - HOUR, true);
	r.withdrawn = xcalloc(1, sizeof(*r.withdrawn));
	r.n_withdrawn = 1;
	memset(r.withdrawn[0].b, 'g', ERASURE_ID_LEN);
	write_record(&f, &r);
	set_now(NOW + 48 * HOUR);
	assert_int_equal(verify(&f)->t.deleted, 0);
	assert_int_equal(verify(&f)->t.overdue, 0);
	free(key);
	end(&f);
}

static void a_document_that_is_gone_is_damage(void **state)
{
	struct fixture f;
	char *key;

	(void)state;
	begin(&f, 24 * GRACE);
	key = ask(&f, "gone", NOW - HOUR, true);
	all_is_well(&f);
	drop(&f, key);
	is_damage(&f, "", key);
	free(key);
	end(&f);
}

static void a_document_of_other_bytes_is_damage(void **state)
{
	CLEANUP_BUF struct buf b = { .max = TOMBSTONE_MAX };
	struct fixture f;
	char *key;

	(void)state;
	begin(&f, 24 * GRACE);
	key = ask(&f, "gone", NOW - HOUR, true);
	OK(store_read_all(f.st, key, TOMBSTONE_MAX, &b, &err));
	drop(&f, key);
	b.p[b.len / 2] ^= 1;
	put(&f, key, b.p, b.len);
	is_damage(&f, "", key);
	free(key);
	end(&f);
}

static void a_document_that_no_record_names_is_a_note(void **state)
{
	struct fixture f;
	char *key;

	(void)state;
	begin(&f, 24 * GRACE);
	key = ask(&f, "kept", NOW - HOUR, false);
	only_notes(&f, key, "nothing is deleted by it");
	free(key);
	end(&f);
}

static void a_suppression_list_is_compared_with_the_log(void **state)
{
	CLEANUP_BUF struct buf b = { .max = SUPPRESSION_MAX };
	static const uint8_t secret[SUPPRESSION_SECRET_LEN] = { 1 };
	struct oplog_record r = { .kind = OPLOG_ERASED };
	struct suppression_hash hash;
	struct suppression s = { .time = NOW };
	char key[SUPPRESSION_KEY_TEXT];
	struct fixture f;

	(void)state;
	begin(&f, 24 * GRACE);
	memcpy(s.archive_id, f.a.descriptor.archive_id, SHARD_ID_LEN);
	suppression_key_id(secret, s.key_id);
	suppression_hash(secret, "gone", 4, &hash);
	suppression_add(&s, &hash);
	suppression_sort(&s);
	OK(suppression_encode(&s, &b, &err));
	OK(suppression_key(s.time, key, &err));
	put(&f, key, b.p, b.len);
	only_notes(&f, key, "no log record names it");
	r.suppressed = xcalloc(1, sizeof(*r.suppressed));
	r.n_suppressed = 1;
	r.suppressed[0].key = xstrdup(key);
	r.suppressed[0].count = 1;
	sha256_of(b.p, b.len, r.suppressed[0].sha256);
	write_record(&f, &r);
	all_is_well(&f);
	drop(&f, key);
	is_damage(&f, key, "");
	suppression_release(&s);
	end(&f);
}

static void salts_and_holds_are_parts_of_the_archive(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 24 * GRACE);
	put(&f, "holds/court", "{}", 2);
	put(&f, "salts/00112233445566778899aabbccddeeff", "x", 1);
	all_is_well(&f);
	put(&f, "stray", "x", 1);
	only_notes(&f, "stray", "no part of the archive");
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_replaced_meanwhile_is_no_damage),
		cmocka_unit_test(what_waits_for_its_purge_is_no_finding),
		cmocka_unit_test(what_could_have_gone_is_a_note),
		cmocka_unit_test(what_is_told_as_gone_and_is_there_is_damage),
		cmocka_unit_test(what_the_store_keeps_is_no_damage),
		cmocka_unit_test(what_went_without_a_word_is_a_note),
		cmocka_unit_test(what_counts_and_is_not_there_is_damage),
		cmocka_unit_test(what_a_lost_repack_made_is_a_note),
		cmocka_unit_test(
			a_record_that_another_names_and_is_gone_is_damage),
		cmocka_unit_test(what_is_deleted_and_still_there_is_counted),
		cmocka_unit_test(after_48_hours_it_is_an_error),
		cmocka_unit_test(what_is_taken_back_is_not_deleted),
		cmocka_unit_test(a_document_that_is_gone_is_damage),
		cmocka_unit_test(a_document_of_other_bytes_is_damage),
		cmocka_unit_test(a_document_that_no_record_names_is_a_note),
		cmocka_unit_test(a_suppression_list_is_compared_with_the_log),
		cmocka_unit_test(salts_and_holds_are_parts_of_the_archive),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
