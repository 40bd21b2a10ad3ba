/* SPDX-License-Identifier: Apache-2.0 */
/* zone-health.c - how one store of a zone does. */
#include "config.h"

#include "store/zone-health.h"

#include "base/cleanup.h"

/* The weight of an answer in the average is one in this many. */
#define LATENCY_WEIGHT 8

enum zone_verdict zone_verdict_of(enum rc rc)
{
	switch (rc) {
	case RC_OK: return ZONE_ANSWERED;
	case RC_IO:
	case RC_TIMEOUT:
	case RC_ACCESS:
	case RC_NOSPACE: return ZONE_DOWN;
	case RC_NOENT:
	case RC_NOTDIR:
	case RC_EXISTS:
	case RC_CORRUPT:
	case RC_CHANGED:
	case RC_UNSUPPORTED:
	case RC_PARTIAL:
	case RC_LIMIT:
	case RC_STALE:
	case RC_DELETED: return ZONE_DAMAGED;
	case RC_USAGE:
	case RC_NOMEM:
	case RC_STOPPED:
	case RC_COUNT: break;
	}
	return ZONE_OURS;
}

/* A store that says it has not the object answers as it should.  Other damage
 * may be a server's that answers everything with the same page: it neither
 * opens nor closes.
 */
static enum breaker_result result_of(enum rc rc, uint64_t took)
{
	switch (zone_verdict_of(rc)) {
	case ZONE_ANSWERED: return BREAKER_GOOD;
	case ZONE_DAMAGED:
		return rc == RC_NOENT ? BREAKER_GOOD : BREAKER_UNKNOWN;
	case ZONE_DOWN:
		return rc == RC_TIMEOUT || took >= ZONE_SLOW_NS ? BREAKER_HANGS
								: BREAKER_BAD;
	case ZONE_OURS: break;
	}
	return BREAKER_UNKNOWN;
}

void zone_health_init(struct zone_health *h,
		      const struct breaker_limits *limits, uint64_t seed)
{
	*h = (struct zone_health){ .latency_ns = 0 };
	pthread_mutex_init(&h->lock, NULL);
	breaker_init(&h->breaker, limits, seed);
}

void zone_health_release(struct zone_health *h)
{
	pthread_mutex_destroy(&h->lock);
}

enum breaker_pass zone_health_enter(struct zone_health *h, uint64_t now)
{
	LOCK_SCOPE(&h->lock);
	return breaker_enter(&h->breaker, now);
}

static void note_latency(struct zone_health *h, uint64_t took)
{
	if (!h->latency_ns)
		h->latency_ns = took;
	else
		h->latency_ns = h->latency_ns - h->latency_ns / LATENCY_WEIGHT +
				took / LATENCY_WEIGHT;
}

enum zone_verdict zone_health_leave(struct zone_health *h,
				    const struct zone_call *call, enum rc rc,
				    uint64_t now)
{
	enum zone_verdict verdict = zone_verdict_of(rc);
	uint64_t took = now > call->began ? now - call->began : 0;
	LOCK_SCOPE(&h->lock);

	breaker_leave(&h->breaker, call->pass, result_of(rc, took), now);
	h->counts.requests++;
	switch (verdict) {
	case ZONE_ANSWERED:
		h->counts.failovers += call->is_instead;
		note_latency(h, took);
		break;
	case ZONE_DAMAGED: h->counts.damaged++; break;
	case ZONE_DOWN: h->counts.failures++; break;
	case ZONE_OURS: break;
	}
	return verdict;
}

void zone_health_look(struct zone_health *h, uint64_t now,
		      struct zone_health_view *ret)
{
	LOCK_SCOPE(&h->lock);
	*ret = (struct zone_health_view){
		.counts = h->counts,
		.state = h->breaker.state,
		.wait_ns = breaker_wait(&h->breaker, now),
		.latency_ns = h->latency_ns,
	};
}
