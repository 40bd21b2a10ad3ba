/* SPDX-License-Identifier: Apache-2.0 */
/* retry.h - when to try again: exponential backoff with full jitter and a
 * budget; pure arithmetic.
 *
 * Waits are random, from nothing to RETRY_BASE doubled with each retry up to
 * RETRY_CAP.  Source: AWS Architecture Blog, "Exponential Backoff And Jitter"
 * (2015); RFC 9110, 10.2.3 Retry-After and 5.6.7 dates.
 */
#ifndef DESFS_NET_RETRY_H
#define DESFS_NET_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

#define RETRY_BASE_NS 50000000ULL  /* 50 ms */
#define RETRY_CAP_NS 5000000000ULL /* 5 s */

/* Shared by all calls of a store, so that a failing server is not hammered:
 * each retry takes a token, each success gives a fifth of one back.  A full
 * budget has 100, which are the retries that a dead server ever gets; then
 * calls have one try each.  A server may fail one request in six for ever.
 * These are the figures of the AWS SDKs' "standard" mode.  Any thread.
 */
#define RETRY_TOKENS 100
struct retry_budget {
	_Atomic int64_t tokens; /* thousandths */
};
void retry_budget_init(struct retry_budget *b);
void retry_budget_success(struct retry_budget *b);

/* One call.  The same seed gives the same waits. */
struct retry {
	struct retry_budget *budget;
	unsigned int n, max; /* retries made and allowed */
	uint64_t deadline;   /* of clock_mono_ns */
	uint64_t random;     /* state */
};
void retry_init(struct retry *r, struct retry_budget *budget, unsigned int max,
		uint64_t deadline, uint64_t seed);

/* After a failure that may pass: true and how long to wait (ns), or false when
 * there is no sense in another try: too many, no budget, or the deadline would
 * pass first.  retry_after: ns the server asked for, 0 for none; the wait is at
 * least that long.
 */
bool retry_next(struct retry *r, uint64_t now, uint64_t retry_after,
		uint64_t *ret_wait) MUST_CHECK;

/* Retry-After as seconds or as a date: ns from now (wall time ns); 0 for what
 * is neither.  At most an hour.
 */
uint64_t retry_after_parse(const char *text, int64_t wall_now);

#endif
