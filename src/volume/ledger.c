/* SPDX-License-Identifier: Apache-2.0 */
/* ledger.c - whether guesses come true; pure policy. */
#include "config.h"

#include "volume/ledger.h"

#define PAST 16u
/* So many of so many probes tell that it pays again. */
#define AGAIN_OF 8u
#define AGAIN 6u

void ledger_init(struct ledger *l, unsigned int cap, unsigned int least,
		 bool is_given_up)
{
	*l = (struct ledger){ .cap = cap < LEDGER_MAX ? cap : LEDGER_MAX,
			      .least = least,
			      .is_given_up = is_given_up };
}

static unsigned int count_true(const struct ledger *l, unsigned int n)
{
	return (unsigned int)__builtin_popcount(l->past &
						((UINT32_C(1) << n) - 1));
}

static void turn(struct ledger *l, bool is_given_up)
{
	l->is_given_up = is_given_up;
	l->n_past = 0;
	l->tries = 0;
}

static void judge(struct ledger *l, bool came_true)
{
	l->past = (uint16_t)(l->past << 1 | came_true);
	if (l->n_past < PAST)
		l->n_past++;
	if (l->is_given_up) {
		if (l->n_past >= AGAIN_OF && count_true(l, AGAIN_OF) >= AGAIN)
			turn(l, false);
	} else if (l->n_past == PAST && count_true(l, PAST) < l->least) {
		turn(l, true);
	}
}

bool ledger_may(struct ledger *l)
{
	return !l->is_given_up || l->tries++ % LEDGER_PROBE == LEDGER_PROBE - 1;
}

static int find(const struct ledger *l, uint64_t guess)
{
	for (unsigned int i = 0; l->n_open && i < l->cap; i++) {
		if (l->open[i] == guess)
			return (int)i;
	}
	return -1;
}

void ledger_add(struct ledger *l, uint64_t guess)
{
	uint64_t *at = &l->open[l->next];

	if (find(l, guess) >= 0)
		return;
	l->next = (l->next + 1) % l->cap;
	if (*at) {
		l->n_false++;
		judge(l, false);
	} else {
		l->n_open++;
	}
	*at = guess;
}

void ledger_fail(struct ledger *l)
{
	judge(l, false);
}

bool ledger_forget(struct ledger *l, uint64_t guess)
{
	int i = find(l, guess);

	if (i < 0)
		return false;
	l->open[i] = 0;
	l->n_open--;
	return true;
}

bool ledger_happened(struct ledger *l, uint64_t what)
{
	if (!ledger_forget(l, what))
		return false;
	l->n_true++;
	judge(l, true);
	return true;
}
