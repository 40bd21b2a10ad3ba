/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-state.c - tests of what the records of a log mean together. */
#include "config.h"

#include "volume/oplog-state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unit.h"

#define RECORDS_MAX 64
#define T0 INT64_C(1795256130000000)

/* A log in memory.  Shards are called by letters: 'a' to 'z'. */
struct fixture {
	struct oplog_record records[RECORDS_MAX];
	const struct oplog_record *at[RECORDS_MAX];
	size_t n;
	struct oplog_state *state;
};

static struct err err;

static int setup(void **state)
{
	*state = xcalloc(1, sizeof(struct fixture));
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	oplog_state_free(f->state);
	for (size_t i = 0; i < f->n; i++)
		oplog_record_release(&f->records[i]);
	free(f);
	return 0;
}

static struct oplog_record *record(struct fixture *f, enum oplog_kind kind,
				   int64_t time)
{
	struct oplog_record *r = &f->records[f->n];

	r->kind = kind;
	r->time = time;
	r->name = xasprintf("%020lld-%zu", (long long)time, f->n);
	f->at[f->n++] = r;
	return r;
}

static void set_meta(struct shard_meta *m, char letter)
{
	char key[SHARD_KEY_TEXT];

	*m = (struct shard_meta){ .size = 1000,
				  .root = { (uint8_t)letter },
				  .day = 20261121,
				  .n_bits = 4 };
	shard_key(m, key);
	m->key = xstrdup(key);
}

static void add_shards(struct oplog_record *r, const char *letters)
{
	r->n_shards = strlen(letters);
	r->shards = xcalloc(r->n_shards + 1, sizeof(*r->shards));
	for (size_t i = 0; i < r->n_shards; i++)
		set_meta(&r->shards[i], letters[i]);
}

static struct oplog_record *shards(struct fixture *f, int64_t time,
				   const char *letters)
{
	struct oplog_record *r = record(f, OPLOG_SHARDS, time);

	add_shards(r, letters);
	return r;
}

static struct oplog_record *repack(struct fixture *f, int64_t time,
				   const char *from, const char *to)
{
	struct oplog_record *r = record(f, OPLOG_REPACK, time);

	r->n_replaces = strlen(from);
	r->replaces = xcalloc(r->n_replaces + 1, sizeof(*r->replaces));
	for (size_t i = 0; i < r->n_replaces; i++) {
		struct shard_meta m;

		set_meta(&m, from[i]);
		r->replaces[i].key = m.key;
		memcpy(r->replaces[i].root, m.root, SHARD_ROOT_LEN);
	}
	add_shards(r, to);
	return r;
}

static const char *key_of(char letter)
{
	static char key[SHARD_KEY_TEXT];
	struct shard_meta m = { 0 };

	set_meta(&m, letter);
	memcpy(key, m.key, strlen(m.key) + 1);
	free(m.key);
	return key;
}

static char letter_of(const uint8_t *root)
{
	return (char)root[0];
}

/* "counting/replaced/garbage", in order. */
static const char *text_of(const struct oplog_state *s)
{
	static char text[256];
	size_t n = 0;

	for (size_t i = 0; i < oplog_state_n_counting(s); i++)
		text[n++] = letter_of(oplog_state_counting(s, i)->root);
	text[n++] = '/';
	for (int garbage = 0; garbage < 2; garbage++) {
		for (size_t i = 0; i < oplog_state_n_old(s); i++) {
			const struct oplog_old *o = oplog_state_old(s, i);

			if (o->is_garbage == garbage)
				text[n++] = letter_of(o->root);
		}
		text[n++] = garbage ? '\0' : '/';
	}
	return text;
}

static const struct oplog_state *meaning(struct fixture *f)
{
	oplog_state_free(f->state);
	f->state = oplog_state_new(f->at, f->n);
	assert_int_equal(oplog_state_check(f->state, &err), RC_OK);
	return f->state;
}

#define MEANS(f, text) assert_string_equal(text_of(meaning(f)), text)

/* --- shards --------------------------------------------------------------- */

static void shards_of_all_records_count_once(void **state)
{
	struct fixture *f = *state;

	MEANS(f, "//");
	shards(f, T0, "ba");
	shards(f, T0 + 1, "ca");
	MEANS(f, "abc//");
	assert_non_null(oplog_state_find(f->state, key_of('c')));
	assert_null(oplog_state_find(f->state, key_of('d')));
}

static void a_repack_puts_others_in_the_place(void **state)
{
	struct fixture *f = *state;
	const struct oplog_record *r;

	shards(f, T0, "ab");
	r = repack(f, T0 + 1, "a", "x");
	MEANS(f, "bx/a/");
	assert_ptr_equal(oplog_state_replaced_by(f->state, key_of('a')), r);
	assert_null(oplog_state_replaced_by(f->state, key_of('b')));
	assert_null(oplog_state_find(f->state, key_of('a')));
	assert_true(oplog_state_is_valid(f->state, r->name));
	assert_false(oplog_state_is_valid(f->state, f->records[0].name));
	assert_false(oplog_state_is_valid(f->state, "x"));
}

static void of_two_repacks_the_first_wins_whole(void **state)
{
	struct fixture *f = *state;
	const struct oplog_record *lost;

	shards(f, T0, "abc");
	repack(f, T0 + 1, "ab", "x");
	lost = repack(f, T0 + 2, "bc", "yz");
	MEANS(f, "cx/ab/yz");
	assert_false(oplog_state_is_valid(f->state, lost->name));
	for (size_t i = 0; i < oplog_state_n_old(f->state); i++) {
		const struct oplog_old *o = oplog_state_old(f->state, i);

		if (o->is_garbage)
			assert_ptr_equal(o->record, lost);
	}
}

static void at_one_time_the_name_decides(void **state)
{
	struct fixture *f = *state;

	shards(f, T0, "a");
	repack(f, T0 + 1, "a", "x");
	repack(f, T0 + 1, "a", "y");
	MEANS(f, "x/a/y");
}

static void an_earlier_one_that_turns_up_late_wins(void **state)
{
	struct fixture *f = *state;

	shards(f, T0, "ab");
	repack(f, T0 + 9, "ab", "x");
	MEANS(f, "x/ab/");
	repack(f, T0 + 5, "b", "y");
	MEANS(f, "ay/b/x");
}

static void what_is_not_known_yet_may_be_replaced(void **state)
{
	struct fixture *f = *state;

	repack(f, T0 + 1, "a", "x");
	MEANS(f, "x/a/");
	assert_null(oplog_state_old(f->state, 0)->meta);
	shards(f, T0 + 5, "a");
	MEANS(f, "x/a/");
	assert_non_null(oplog_state_old(f->state, 0)->meta);
}

static void what_was_replaced_never_counts_again(void **state)
{
	struct fixture *f = *state;

	shards(f, T0, "ab");
	repack(f, T0 + 1, "a", "x");
	shards(f, T0 + 2, "a");
	MEANS(f, "bx/a/");
	repack(f, T0 + 3, "b", "a");
	MEANS(f, "x/ab/");
}

static void many_become_one_and_one_many(void **state)
{
	struct fixture *f = *state;

	shards(f, T0, "abcd");
	repack(f, T0 + 1, "abc", "x");
	repack(f, T0 + 2, "d", "uvw");
	MEANS(f, "uvwx/abcd/");
	repack(f, T0 + 3, "u", "");
	MEANS(f, "vwx/abcdu/");
}

static void revisions_follow_each_other(void **state)
{
	struct fixture *f = *state;

	shards(f, T0, "a");
	repack(f, T0 + 1, "a", "b");
	repack(f, T0 + 2, "b", "c");
	repack(f, T0 + 3, "c", "d");
	MEANS(f, "d/abc/");
}

static void what_is_made_of_garbage_is_garbage(void **state)
{
	struct fixture *f = *state;

	shards(f, T0, "a");
	repack(f, T0 + 3, "a", "x");
	repack(f, T0 + 4, "x", "y");
	MEANS(f, "y/ax/");
	/* It wins now, and x was made in vain. */
	repack(f, T0 + 1, "a", "w");
	MEANS(f, "w/a/xy");
}

static void garbage_that_another_record_adds_counts(void **state)
{
	struct fixture *f = *state;

	shards(f, T0, "a");
	repack(f, T0 + 1, "a", "x");
	repack(f, T0 + 2, "a", "y");
	shards(f, T0 + 3, "y");
	MEANS(f, "xy/a/");
}

static void what_is_purged_everywhere_never_counts(void **state)
{
	struct fixture *f = *state;
	struct oplog_record *r = shards(f, T0, "ab");

	r->shards[0].is_purged = true;
	repack(f, T0 + 1, "a", "x");
	MEANS(f, "bx/a/");
	assert_true(oplog_state_old(f->state, 0)->is_purged);
	/* Even if nobody knows what took its place. */
	f->at[1] = f->at[--f->n];
	oplog_record_release(&f->records[1]);
	MEANS(f, "b//");
}

static void records_that_contradict_each_other_are_found(void **state)
{
	struct fixture *f = *state;

	shards(f, T0, "a");
	shards(f, T0 + 1, "a")->shards[0].size++;
	f->state = oplog_state_new(f->at, f->n);
	assert_int_equal(oplog_state_check(f->state, &err), RC_CORRUPT);
	f->records[1].shards[0].size--;
	f->records[1].shards[0].root[31]++;
	oplog_state_free(f->state);
	f->state = oplog_state_new(f->at, f->n);
	assert_int_equal(oplog_state_check(f->state, &err), RC_CORRUPT);
	assert_non_null(strstr(err.msg, key_of('a')));
}

/* --- the rest ------------------------------------------------------------- */

static void add_document(struct oplog_object **to, size_t *n, const char *key,
			 uint8_t hash)
{
	*to = realloc(*to, (*n + 1) * sizeof(**to));
	assert_non_null(*to);
	(*to)[(*n)++] = (struct oplog_object){ .key = xstrdup(key),
					       .count = 1,
					       .sha256 = { hash } };
}

static void tombstones_live_until_they_are_done(void **state)
{
	struct fixture *f = *state;
	struct oplog_record *r = record(f, OPLOG_TOMBSTONES, T0);
	const struct oplog_tombstone *t;

	add_document(&r->tombstones, &r->n_tombstones, "t/b", 1);
	add_document(&r->tombstones, &r->n_tombstones, "t/a", 2);
	assert_int_equal(oplog_state_n_tombstones(meaning(f)), 2);
	t = oplog_state_tombstone(f->state, 0);
	assert_string_equal(t->object->key, "t/a");
	assert_ptr_equal(t->record, r);
	assert_null(t->done);
	r = record(f, OPLOG_ERASED, T0 - 1);
	r->done = xcalloc(2, sizeof(*r->done));
	r->done[r->n_done++] = xstrdup("t/a");
	r->done[r->n_done++] = xstrdup("t/none");
	t = oplog_state_find_tombstone(meaning(f), "t/a");
	assert_ptr_equal(t->done, r);
	assert_null(oplog_state_find_tombstone(f->state, "t/b")->done);
	assert_null(oplog_state_find_tombstone(f->state, "t/none"));
	r = record(f, OPLOG_TOMBSTONES, T0 + 1);
	add_document(&r->tombstones, &r->n_tombstones, "t/b", 9);
	oplog_state_free(f->state);
	f->state = oplog_state_new(f->at, f->n);
	assert_int_equal(oplog_state_check(f->state, &err), RC_CORRUPT);
}

static void what_is_withdrawn_is_known_by_id(void **state)
{
	struct fixture *f = *state;
	struct oplog_record *r = record(f, OPLOG_WITHDRAWN, T0);
	uint8_t id[ERASURE_ID_LEN] = { 7 };

	r->withdrawn = xcalloc(2, sizeof(*r->withdrawn));
	r->withdrawn[0].b[0] = 9;
	r->withdrawn[1].b[0] = 7;
	r->n_withdrawn = 2;
	assert_true(oplog_state_is_withdrawn(meaning(f), id));
	assert_int_equal(oplog_state_n_withdrawn(f->state), 2);
	id[0] = 8;
	assert_false(oplog_state_is_withdrawn(f->state, id));
}

static void add_purged(struct oplog_record *r, char letter, const char *zone,
		       enum receipt_how how, int64_t time)
{
	struct oplog_purged *p;

	r->purged = realloc(r->purged, (r->n_purged + 1) * sizeof(*p));
	assert_non_null(r->purged);
	p = &r->purged[r->n_purged++];
	*p = (struct oplog_purged){ .key = xstrdup(key_of(letter)),
				    .zone = zone ? xstrdup(zone) : NULL,
				    .how = how,
				    .time = time };
}

static void purges_are_told_by_zone(void **state)
{
	struct fixture *f = *state;
	struct oplog_record *r = record(f, OPLOG_PURGED, T0);
	const struct oplog_purged *p;

	add_purged(r, 'a', "one", RECEIPT_PENDING, T0);
	add_purged(r, 'a', "two", RECEIPT_REMOVED, T0);
	add_purged(r, 'b', NULL, RECEIPT_PENDING, T0);
	r = record(f, OPLOG_PURGED, T0 + 5);
	add_purged(r, 'a', "one", RECEIPT_VERSION_REMOVED, T0 + 5);
	add_purged(r, 'a', "two", RECEIPT_PENDING, T0 + 5);
	add_purged(r, 'b', NULL, RECEIPT_PENDING, T0 + 5);
	assert_int_equal(oplog_state_n_purged(meaning(f)), 3);
	p = oplog_state_purged(f->state, key_of('a'), "one");
	assert_int_equal(p->how, RECEIPT_VERSION_REMOVED);
	p = oplog_state_purged(f->state, key_of('a'), "two");
	assert_int_equal(p->how, RECEIPT_REMOVED);
	p = oplog_state_purged(f->state, key_of('b'), NULL);
	assert_true(p->time == T0 + 5);
	assert_null(oplog_state_purged(f->state, key_of('b'), "one"));
	assert_null(oplog_state_purged(f->state, key_of('a'), NULL));
}

static void add_receipt(struct oplog_record *r, uint8_t id,
			enum receipt_how how)
{
	const struct receipt_root root = { { 1 } };
	struct receipt *x;

	r->receipts = realloc(r->receipts, (r->n_receipts + 1) * sizeof(*x));
	assert_non_null(r->receipts);
	x = &r->receipts[r->n_receipts++];
	*x = (struct receipt){ .id = { id }, .asked = r->time };
	receipt_add_purged(x, &root, NULL, how, 0, RECEIPT_UNKNOWN);
}

static void the_first_final_receipt_counts_else_the_latest(void **state)
{
	struct fixture *f = *state;
	const uint8_t one[ERASURE_ID_LEN] = { 1 }, two[ERASURE_ID_LEN] = { 2 },
		      three[ERASURE_ID_LEN] = { 3 };
	struct oplog_record *r = record(f, OPLOG_ERASED, T0);

	add_receipt(r, 1, RECEIPT_PENDING);
	add_receipt(r, 2, RECEIPT_PENDING);
	r = record(f, OPLOG_ERASED, T0 + 2);
	add_receipt(r, 1, RECEIPT_REMOVED);
	add_receipt(r, 2, RECEIPT_PENDING);
	r = record(f, OPLOG_ERASED, T0 + 3);
	add_receipt(r, 1, RECEIPT_REMOVED);
	assert_int_equal(oplog_state_n_receipts(meaning(f)), 2);
	assert_true(oplog_state_find_receipt(f->state, one)->asked == T0 + 2);
	assert_true(oplog_state_find_receipt(f->state, two)->asked == T0 + 2);
	assert_null(oplog_state_find_receipt(f->state, three));
}

static void suppressed_names_add_up(void **state)
{
	struct fixture *f = *state;
	struct oplog_record *r = record(f, OPLOG_ERASED, T0);

	add_document(&r->suppressed, &r->n_suppressed, "s/b", 1);
	r = record(f, OPLOG_ERASED, T0 + 1);
	add_document(&r->suppressed, &r->n_suppressed, "s/a", 1);
	add_document(&r->suppressed, &r->n_suppressed, "s/b", 1);
	assert_int_equal(oplog_state_n_suppressed(meaning(f)), 2);
	assert_string_equal(oplog_state_suppressed(f->state, 0)->key, "s/a");
}

/* --- the order ------------------------------------------------------------ */

static uint64_t seed = 1;

static unsigned int random_below(unsigned int n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned int)(seed >> 33) % n;
}

static void shuffle(const struct oplog_record **at, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = random_below((unsigned int)i);
		const struct oplog_record *r = at[i - 1];

		at[i - 1] = at[k];
		at[k] = r;
	}
}

/* Some letters of the alphabet's first n, each once, ascending. */
static void random_letters(char *ret, unsigned int n, unsigned int odds)
{
	size_t k = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (!random_below(odds))
			ret[k++] = (char)('a' + i);
	}
	ret[k] = '\0';
}

static void random_log(struct fixture *f)
{
	size_t n = 2 + random_below(20);
	char from[32], to[32];

	for (size_t i = 0; i < n; i++) {
		int64_t time = T0 + random_below(30);

		random_letters(to, 20, 6);
		random_letters(from, 20, 8);
		if (!from[0] || !random_below(2))
			shards(f, time, to);
		else
			repack(f, time, from, to);
	}
}

/* Counted by the rules alone, without any thought of speed. */
static void check_rules(const struct oplog_state *s)
{
	for (size_t i = 0; i < oplog_state_n_counting(s); i++) {
		const char *key = oplog_state_counting(s, i)->key;

		assert_null(oplog_state_replaced_by(s, key));
		assert_ptr_equal(oplog_state_find(s, key),
				 oplog_state_counting(s, i));
		if (i)
			assert_true(strcmp(oplog_state_counting(s, i - 1)->key,
					   key) < 0);
	}
	for (size_t i = 0; i < oplog_state_n_old(s); i++) {
		const struct oplog_old *o = oplog_state_old(s, i);
		const struct oplog_record *by =
			oplog_state_replaced_by(s, o->key);

		assert_null(oplog_state_find(s, o->key));
		assert_int_equal(!by, o->is_garbage);
		if (by)
			assert_true(oplog_state_is_valid(s, by->name));
	}
}

static void the_order_of_arrival_does_not_matter(void **state)
{
	for (unsigned int run = 0; run < 2000; run++) {
		struct fixture *f;
		char first[256];

		setup((void **)&f);
		random_log(f);
		memcpy(first, text_of(meaning(f)), sizeof(first));
		check_rules(f->state);
		for (int i = 0; i < 5; i++) {
			shuffle(f->at, f->n);
			if (strcmp(text_of(meaning(f)), first) != 0)
				fail_msg("run %u: %s is %s in another order",
					 run, first, text_of(f->state));
		}
		teardown((void **)&f);
	}
	(void)state;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shards_of_all_records_count_once),
		TEST(a_repack_puts_others_in_the_place),
		TEST(of_two_repacks_the_first_wins_whole),
		TEST(at_one_time_the_name_decides),
		TEST(an_earlier_one_that_turns_up_late_wins),
		TEST(what_is_not_known_yet_may_be_replaced),
		TEST(what_was_replaced_never_counts_again),
		TEST(many_become_one_and_one_many),
		TEST(revisions_follow_each_other),
		TEST(what_is_made_of_garbage_is_garbage),
		TEST(garbage_that_another_record_adds_counts),
		TEST(what_is_purged_everywhere_never_counts),
		TEST(records_that_contradict_each_other_are_found),
		TEST(tombstones_live_until_they_are_done),
		TEST(what_is_withdrawn_is_known_by_id),
		TEST(purges_are_told_by_zone),
		TEST(the_first_final_receipt_counts_else_the_latest),
		TEST(suppressed_names_add_up),
		cmocka_unit_test(the_order_of_arrival_does_not_matter),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
