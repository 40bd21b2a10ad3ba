/* SPDX-License-Identifier: Apache-2.0 */
/* zone-health.h - how one store of a zone does: its breaker, counts, latency.
 *
 *	pass = zone_health_enter(&h, clock_mono_ns());
 *	if (pass != BREAKER_NO) {
 *		struct zone_call call = { .pass = pass, .began = ... };
 *
 *		rc = ... ask the store ...
 *		verdict = zone_health_leave(&h, &call, rc, clock_mono_ns());
 *	}
 *
 * Safe from any thread; the lock is never held while somebody waits.  Times are
 * told, as in breaker.h.
 */
#ifndef DESFS_STORE_ZONE_HEALTH_H
#define DESFS_STORE_ZONE_HEALTH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/breaker.h"

/* A call that fails after this long has hung. */
#define ZONE_SLOW_NS UINT64_C(1000000000)

/* What a result says of the store. */
enum zone_verdict {
	ZONE_ANSWERED, /* the caller has what he wanted */
	ZONE_DAMAGED,  /* it lives, but this object is no good there */
	ZONE_DOWN,     /* no answer, or none for us */
	ZONE_OURS,     /* says nothing: wrong usage, out of memory, stopped */
};

/* Both of the middle ones mean: ask the next mirror. */
enum zone_verdict zone_verdict_of(enum rc rc);

struct zone_call {
	enum breaker_pass pass;
	uint64_t began;  /* of clock_mono_ns */
	bool is_instead; /* a store before this one could not answer */
};

struct zone_counts {
	uint64_t requests;  /* calls, whatever became of them */
	uint64_t failures;  /* those that were ZONE_DOWN */
	uint64_t damaged;   /* those that were ZONE_DAMAGED */
	uint64_t failovers; /* answered in place of a store before it */
};

struct zone_health {
	pthread_mutex_t lock; /* guards all below */
	struct breaker breaker;
	struct zone_counts counts;
	uint64_t latency_ns; /* of answers, averaged over the last ones */
};

void zone_health_init(struct zone_health *h,
		      const struct breaker_limits *limits, uint64_t seed);
void zone_health_release(struct zone_health *h);

/* What is not BREAKER_NO must be followed by zone_health_leave. */
enum breaker_pass zone_health_enter(struct zone_health *h,
				    uint64_t now) MUST_CHECK;
enum zone_verdict zone_health_leave(struct zone_health *h,
				    const struct zone_call *call, enum rc rc,
				    uint64_t now);

struct zone_health_view {
	struct zone_counts counts;
	enum breaker_state state;
	uint64_t wait_ns; /* until it may be tried again; 0 unless open */
	uint64_t latency_ns;
};
void zone_health_look(struct zone_health *h, uint64_t now,
		      struct zone_health_view *ret);

#endif
