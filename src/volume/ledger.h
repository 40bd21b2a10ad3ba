/* SPDX-License-Identifier: Apache-2.0 */
/* ledger.h - whether guesses come true; pure policy.
 *
 * A guess is a number.  The last ones are open until they come true or are
 * pushed out by newer ones, which counts against the kind of guess that the
 * ledger is for.  When too few of the last 16 came true the kind is given up:
 * then only every LEDGER_PROBEth guess may be tried, until most of these come
 * true again.
 *
 * No clock, no locks: the owner serialises.
 */
#ifndef DESFS_VOLUME_LEDGER_H
#define DESFS_VOLUME_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#define LEDGER_MAX 128u
#define LEDGER_PROBE 16u

struct ledger {
	unsigned int cap;   /* open guesses at a time, at most LEDGER_MAX */
	unsigned int least; /* of 16 that must come true */
	bool is_given_up;   /* may be true at first: evidence comes first */
	unsigned int tries; /* asked for since it was given up */
	uint16_t past;      /* the last outcomes, newest lowest; 1: came true */
	unsigned int n_past;
	unsigned int n_open, next;
	uint64_t open[LEDGER_MAX]; /* a ring; 0: none */
	uint64_t n_true, n_false;
};

/* Zeroed, then this. */
void ledger_init(struct ledger *l, unsigned int cap, unsigned int least,
		 bool is_given_up);

/* Whether to try a guess; asked once a guess. */
bool ledger_may(struct ledger *l);

/* A guess is made.  The same one twice counts once. */
void ledger_add(struct ledger *l, uint64_t guess);

/* It is no guess after all: true when it was open. */
bool ledger_forget(struct ledger *l, uint64_t guess);

/* A guess of which it is known at once that it does not pay. */
void ledger_fail(struct ledger *l);

/* Something happened: true when it is one of the open guesses, which is closed
 * then.
 */
bool ledger_happened(struct ledger *l, uint64_t what);

/* The number of a pair, never 0. */
static inline uint64_t ledger_number(uint64_t a, uint64_t b)
{
	uint64_t h = (a + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ b;

	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return h ? h : 1;
}

#endif
