/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-state.c - the truth table of the states of a deletion. */
#include "config.h"

#include "erase/erasure-state.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "unit.h"

#define HOUR (INT64_C(3600) * 1000000)
#define ASKED (INT64_C(1795256130) * 1000000)
#define NEVER ERASURE_NEVER

/* A zone, in letters: g gone, v verified, h held, p pending until known, n
 * pending until nobody knows; a holder: R replaced, '-' not, then its zones
 * with ',' between them, '!' for none at all.  Up to three holders.
 */
static const struct {
	const char *says;
	const char *holders[3];
	bool is_hidden, has_receipt;
	enum erasure_state state;
} table[] = {
	{ "nothing in the log", { "-" }, 0, 0, ERASURE_ASKED },
	{ "nothing holds it, not in the log", { 0 }, 0, 0, ERASURE_ASKED },
	{ "repacked by chance, not in the log", { "Rv" }, 0, 0, ERASURE_ASKED },
	{ "a receipt without a record", { "Rg" }, 0, 1, ERASURE_ASKED },

	{ "in the log", { "-" }, 1, 0, ERASURE_HIDDEN },
	{ "in the log, two zones", { "-," }, 1, 0, ERASURE_HIDDEN },
	{ "one of two replaced", { "Rg", "-" }, 1, 0, ERASURE_HIDDEN },
	{ "the first of two", { "-", "Rg" }, 1, 0, ERASURE_HIDDEN },
	{ "under a hold, to be repacked", { "-h" }, 1, 0, ERASURE_HIDDEN },
	{ "locked, to be repacked", { "-p" }, 1, 0, ERASURE_HIDDEN },
	{ "gone from a zone, counting", { "-g" }, 1, 0, ERASURE_HIDDEN },
	{ "it came back after the receipt", { "-" }, 1, 1, ERASURE_HIDDEN },

	{ "replaced", { "R" }, 1, 0, ERASURE_REPACKED },
	{ "verified in one zone", { "Rv," }, 1, 0, ERASURE_REPACKED },
	{ "verified in the other", { "R,v" }, 1, 0, ERASURE_REPACKED },
	{ "one holder verified", { "Rv", "R" }, 1, 0, ERASURE_REPACKED },
	{ "held, not verified", { "Rh" }, 1, 0, ERASURE_REPACKED },
	{ "locked, not verified", { "Rp" }, 1, 0, ERASURE_REPACKED },
	{ "nobody looked at its zones",
	  { "R!", "Rg" },
	  1,
	  1,
	  ERASURE_REPACKED },
	{ "gone here, not verified there", { "Rg," }, 1, 0, ERASURE_REPACKED },

	{ "verified", { "Rv" }, 1, 0, ERASURE_VERIFIED },
	{ "verified everywhere", { "Rv,v", "Rv" }, 1, 0, ERASURE_VERIFIED },
	{ "gone from one zone", { "Rg,v" }, 1, 0, ERASURE_VERIFIED },
	{ "one can go, one is held", { "Rvh,v" }, 1, 0, ERASURE_VERIFIED },
	{ "one can go, one is locked",
	  { "Rvp", "Rv" },
	  1,
	  0,
	  ERASURE_VERIFIED },
	{ "of the rest one can go",
	  { "Rvh,vp", "Rg,v" },
	  1,
	  0,
	  ERASURE_VERIFIED },

	{ "held", { "Rvh" }, 1, 0, ERASURE_HELD },
	{ "held, the rest is gone", { "Rg,vh", "Rg" }, 1, 0, ERASURE_HELD },
	{ "held and locked", { "Rvhp" }, 1, 0, ERASURE_HELD },
	{ "held here, locked there", { "Rvh,vp" }, 1, 0, ERASURE_HELD },
	{ "held, and a receipt", { "Rvh" }, 1, 1, ERASURE_HELD },

	{ "locked", { "Rvp" }, 1, 0, ERASURE_PENDING },
	{ "kept as a version", { "Rvn" }, 1, 0, ERASURE_PENDING },
	{ "locked, the rest is gone",
	  { "Rg,vp", "Rg" },
	  1,
	  0,
	  ERASURE_PENDING },
	{ "locked, and a receipt", { "Rvp" }, 1, 1, ERASURE_PENDING },

	{ "gone", { "Rg" }, 1, 0, ERASURE_PURGED },
	{ "gone everywhere", { "Rg,g", "Rg" }, 1, 0, ERASURE_PURGED },
	{ "gone, though a hold says its name",
	  { "Rgh" },
	  1,
	  0,
	  ERASURE_PURGED },
	{ "gone, though a lock was there", { "Rgp" }, 1, 0, ERASURE_PURGED },
	{ "nothing ever held it", { 0 }, 1, 0, ERASURE_PURGED },

	{ "gone, with a receipt", { "Rg" }, 1, 1, ERASURE_DONE },
	{ "nothing held it, with a receipt", { 0 }, 1, 1, ERASURE_DONE },
};

struct made {
	struct erasure_zone zones[3][4];
	struct erasure_holder holders[3];
	size_t n;
};

static void make_zone(struct erasure_zone *z, char letter, int64_t until)
{
	switch (letter) {
	case 'g': z->is_gone = true; break;
	case 'v': z->is_verified = true; break;
	case 'h': z->is_held = true; break;
	case 'p':
		z->is_pending = true;
		z->pending_until = until;
		break;
	case 'n':
		z->is_pending = true;
		z->pending_until = NEVER;
		break;
	default: fail_msg("no such letter: %c", letter);
	}
}

static void make(struct made *m, const char *const holders[3], int64_t until)
{
	*m = (struct made){ .n = 0 };
	for (; m->n < 3 && holders[m->n]; m->n++) {
		struct erasure_holder *h = &m->holders[m->n];

		h->is_replaced = holders[m->n][0] == 'R';
		h->zones = m->zones[m->n];
		h->n_zones = 1;
		for (const char *s = holders[m->n] + 1; *s; s++) {
			if (*s == ',')
				h->n_zones++;
			else if (*s == '!')
				h->n_zones = 0;
			else
				make_zone(&m->zones[m->n][h->n_zones - 1], *s,
					  until);
		}
	}
}

static struct erasure_facts facts_of(const struct made *m, int64_t age)
{
	return (struct erasure_facts){
		.asked = ASKED,
		.hidden = ASKED + 1,
		.received = NEVER,
		.holders = m->holders,
		.n_holders = m->n,
		.now = ASKED + age,
		.margin = ERASURE_MARGIN,
	};
}

static void the_truth_table_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct made m;
		struct erasure_facts f;
		struct erasure_status got;

		make(&m, table[i].holders, ASKED + HOUR);
		f = facts_of(&m, 0);
		if (!table[i].is_hidden)
			f.hidden = NEVER;
		if (table[i].has_receipt)
			f.received = ASKED + 2;
		got = erasure_status_of(&f);
		if (got.state != table[i].state)
			fail_msg("%s: %s, not %s", table[i].says,
				 erasure_state_text(got.state),
				 erasure_state_text(table[i].state));
		assert_true(got.deadline == ASKED + 48 * HOUR);
	}
}

static const struct {
	const char *says;
	const char *holder;
	int64_t age;   /* microseconds */
	int64_t until; /* from asked on */
	bool has_receipt;
	bool is_in_danger;
} dangers[] = {
	{ "new", "-", 0, 0, 0, 0 },
	{ "before the margin", "-", 36 * HOUR - 1, 0, 0, 0 },
	{ "from the margin on", "-", 36 * HOUR, 0, 0, 1 },
	{ "over", "-", 49 * HOUR, 0, 0, 1 },
	{ "verified and in grace", "Rv", 35 * HOUR, 0, 0, 0 },
	{ "verified, at the margin", "Rv", 36 * HOUR, 0, 0, 1 },
	{ "purged without a receipt", "Rg", 36 * HOUR, 0, 0, 1 },
	{ "done long ago", "Rg", 9000 * HOUR, 0, 1, 0 },
	{ "held long ago", "Rvh", 9000 * HOUR, 0, 0, 0 },
	{ "held, not repacked", "-h", 40 * HOUR, 0, 0, 1 },
	{ "locked until then", "Rvp", 1, 48 * HOUR, 0, 0 },
	{ "locked, after the margin", "Rvp", 36 * HOUR, 48 * HOUR, 0, 1 },
	{ "locked for longer", "Rvp", 1, 48 * HOUR + 1, 0, 1 },
	{ "kept as a version", "Rvn", 1, 0, 0, 1 },
	{ "asked a little ahead", "-", -CLOCK_SKEW_US, 0, 0, 0 },
	{ "asked in the future", "-", -CLOCK_SKEW_US - 1, 0, 0, 1 },
	{ "done, asked in the future", "Rg", -HOUR, 0, 1, 0 },
};

static void danger_is_seen_before_the_deadline(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dangers); i++) {
		const char *holders[3] = { dangers[i].holder };
		struct made m;
		struct erasure_facts f;

		make(&m, holders, ASKED + dangers[i].until);
		f = facts_of(&m, dangers[i].age);
		if (dangers[i].has_receipt)
			f.received = ASKED + 2;
		if (erasure_status_of(&f).is_in_danger !=
		    dangers[i].is_in_danger)
			fail_msg("%s", dangers[i].says);
	}
}

static void age_counts_up_to_the_receipt(void **state)
{
	const char *holders[3] = { "Rg" };
	struct made m;
	struct erasure_facts f;

	(void)state;
	make(&m, holders, 0);
	f = facts_of(&m, 5 * HOUR);
	assert_true(erasure_status_of(&f).age == 5 * HOUR);
	f.received = ASKED + HOUR;
	assert_true(erasure_status_of(&f).age == HOUR);
	f = facts_of(&m, -5 * HOUR);
	assert_true(erasure_status_of(&f).age == 0);
}

static void pending_ends_with_the_last_that_is_left(void **state)
{
	const char *holders[3] = { "Rvp,vp", "Rgp" };
	struct made m;
	struct erasure_facts f;

	(void)state;
	make(&m, holders, ASKED + HOUR);
	m.zones[0][1].pending_until = ASKED + 2 * HOUR;
	m.zones[1][0].pending_until = ASKED + 3 * HOUR; /* it is gone */
	f = facts_of(&m, 0);
	assert_true(erasure_status_of(&f).pending_until == ASKED + 2 * HOUR);
	m.zones[0][0].pending_until = ASKED + 4 * HOUR;
	assert_true(erasure_status_of(&f).pending_until == ASKED + 4 * HOUR);
	m.zones[0][0].pending_until = NEVER;
	assert_true(erasure_status_of(&f).pending_until == NEVER);
	/* What can go again is not pending any more. */
	m.zones[0][0].is_pending = false;
	assert_int_equal(erasure_status_of(&f).state, ERASURE_VERIFIED);
	assert_true(erasure_status_of(&f).pending_until == NEVER);
}

/* A lock whose time has come lets go. */
static void a_lock_that_is_over_is_none(void **state)
{
	const char *holders[3] = { "Rvp" };
	struct made m;
	struct erasure_facts f;

	(void)state;
	make(&m, holders, ASKED + HOUR);
	f = facts_of(&m, HOUR);
	assert_int_equal(erasure_status_of(&f).state, ERASURE_PENDING);
	f = facts_of(&m, HOUR + 1);
	assert_int_equal(erasure_status_of(&f).state, ERASURE_VERIFIED);
}

static void what_a_hold_keeps_in_its_shard_is_held(void **state)
{
	const struct erasure_holder counts = { .is_replaced = false };
	struct erasure_facts f = { .asked = ASKED,
				   .hidden = NEVER,
				   .received = NEVER,
				   .holders = &counts,
				   .n_holders = 1,
				   .now = ASKED + 47 * HOUR,
				   .margin = ERASURE_MARGIN,
				   .is_held = true };

	(void)state;
	assert_int_equal(erasure_status_of(&f).state, ERASURE_ASKED);
	f.hidden = ASKED;
	assert_int_equal(erasure_status_of(&f).state, ERASURE_HELD);
	assert_false(erasure_status_of(&f).is_in_danger);
	f.is_held = false;
	assert_int_equal(erasure_status_of(&f).state, ERASURE_HIDDEN);
	assert_true(erasure_status_of(&f).is_in_danger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_truth_table_holds),
		cmocka_unit_test(danger_is_seen_before_the_deadline),
		cmocka_unit_test(age_counts_up_to_the_receipt),
		cmocka_unit_test(pending_ends_with_the_last_that_is_left),
		cmocka_unit_test(a_lock_that_is_over_is_none),
		cmocka_unit_test(what_a_hold_keeps_in_its_shard_is_held),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
