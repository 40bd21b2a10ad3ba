/* SPDX-License-Identifier: Apache-2.0 */
/* breaker.c - a circuit breaker: leaves a failing server alone for a while. */
#include "config.h"

#include "store/breaker.h"

#include "base/random.h"

void breaker_init(struct breaker *b, const struct breaker_limits *limits,
		  uint64_t seed)
{
	*b = (struct breaker){ .limits = *limits,
			       .backoff = limits->backoff_min_ns,
			       .random = seed };
}

static void open_it(struct breaker *b, uint64_t now)
{
	uint64_t half = b->backoff / 2;
	uint64_t max = b->limits.backoff_max_ns;

	b->state = BREAKER_OPEN;
	b->until =
		now + b->backoff - half + random_next(&b->random) % (half + 1);
	b->backoff = b->backoff > max / 2 ? max : b->backoff * 2;
}

static void close_it(struct breaker *b)
{
	b->state = BREAKER_CLOSED;
	b->failures = 0;
	b->backoff = b->limits.backoff_min_ns;
}

enum breaker_pass breaker_enter(struct breaker *b, uint64_t now)
{
	switch (b->state) {
	case BREAKER_CLOSED: return BREAKER_CALL;
	case BREAKER_HALF_OPEN: return BREAKER_NO;
	case BREAKER_OPEN: break;
	}
	if (now < b->until)
		return BREAKER_NO;
	b->state = BREAKER_HALF_OPEN;
	return BREAKER_PROBE;
}

static void leave_probe(struct breaker *b, enum breaker_result result,
			uint64_t now)
{
	switch (result) {
	case BREAKER_GOOD: close_it(b); break;
	case BREAKER_BAD:
	case BREAKER_HANGS: open_it(b, now); break;
	case BREAKER_UNKNOWN:
		/* The next call is the probe. */
		b->state = BREAKER_OPEN;
		b->until = now;
		break;
	}
}

void breaker_leave(struct breaker *b, enum breaker_pass pass,
		   enum breaker_result result, uint64_t now)
{
	if (pass == BREAKER_PROBE) {
		leave_probe(b, result, now);
		return;
	}
	/* What began before it opened tells of the past. */
	if (pass == BREAKER_NO || b->state != BREAKER_CLOSED)
		return;
	switch (result) {
	case BREAKER_GOOD: b->failures = 0; break;
	case BREAKER_BAD:
		if (++b->failures >= b->limits.failures)
			open_it(b, now);
		break;
	case BREAKER_HANGS: open_it(b, now); break;
	case BREAKER_UNKNOWN: break;
	}
}

uint64_t breaker_wait(const struct breaker *b, uint64_t now)
{
	return b->state == BREAKER_OPEN && b->until > now ? b->until - now : 0;
}

const char *breaker_state_name(enum breaker_state state)
{
	switch (state) {
	case BREAKER_CLOSED: return "closed";
	case BREAKER_OPEN: return "open";
	case BREAKER_HALF_OPEN: return "half-open";
	}
	return "unknown";
}
