/* SPDX-License-Identifier: Apache-2.0 */
/* breaker.h - a circuit breaker: leaves a failing server alone, tries it again
 * later, and later still; pure state, times are told (ns that only grow).
 *
 *	pass = breaker_enter(&b, now);
 *	if (pass == BREAKER_NO)
 *		... go elsewhere ...
 *	... call the server ...
 *	breaker_leave(&b, pass, BREAKER_GOOD, now);
 *
 * Closed lets all calls through, until some in a row fail or one hangs.  Open
 * lets none through, until its backoff has passed; then half-open lets one call
 * through, the probe, whose result closes or opens.  The backoff doubles with
 * each failed probe and is cut by up to half at random.  Not locked.
 *
 * Source: Michael Nygard, "Release It!" (2007), chapter 5.
 */
#ifndef DESFS_STORE_BREAKER_H
#define DESFS_STORE_BREAKER_H

#include <stdint.h>

#include "base/compiler.h"

struct breaker_limits {
	unsigned int failures;   /* in a row that open it, at least 1 */
	uint64_t backoff_min_ns; /* the first one, at least 1 */
	uint64_t backoff_max_ns; /* at least backoff_min_ns */
};

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

enum breaker_pass { BREAKER_NO, BREAKER_CALL, BREAKER_PROBE };

enum breaker_result {
	BREAKER_GOOD,    /* the server answers */
	BREAKER_BAD,     /* it does not */
	BREAKER_HANGS,   /* and a call is long: one is enough */
	BREAKER_UNKNOWN, /* the call ended for a reason of ours */
};

struct breaker {
	struct breaker_limits limits;
	enum breaker_state state;
	unsigned int failures; /* in a row while closed */
	uint64_t backoff;      /* the next one */
	uint64_t until;        /* open: no probe before */
	uint64_t random;
};

/* Closed.  seed differs between breakers, so that they do not probe at the same
 * time.
 */
void breaker_init(struct breaker *b, const struct breaker_limits *limits,
		  uint64_t seed);

/* What is not BREAKER_NO is to be given back to breaker_leave. */
enum breaker_pass breaker_enter(struct breaker *b, uint64_t now) MUST_CHECK;
void breaker_leave(struct breaker *b, enum breaker_pass pass,
		   enum breaker_result result, uint64_t now);

/* ns until a probe may go; 0 unless open. */
uint64_t breaker_wait(const struct breaker *b, uint64_t now);

/* "closed", "open", "half-open". */
const char *breaker_state_name(enum breaker_state state);

#endif
