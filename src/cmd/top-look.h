/* SPDX-License-Identifier: Apache-2.0 */
/* top-look.h - one look at the counters of a mount.
 *
 * Two looks one after the other give rates and the quantiles of the time
 * between.  Memory is the look's; names are borrowed from it.
 */
#ifndef DESFS_CMD_TOP_LOOK_H
#define DESFS_CMD_TOP_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/latency.h"

#define LOOK_WORD 24

struct look_counter {
	const char *name;
	uint64_t value;
};

/* A kind of message. */
struct look_kind {
	char name[LOOK_WORD];
	bool is_message; /* durations are told of it */
	uint64_t n;
	struct latency_counts took;
};

/* The request that waits longest, where one may know. */
struct look_oldest {
	char kind[LOOK_WORD]; /* "": none */
	uint64_t age_ms, node;
	long pid;
};

struct look {
	uint64_t at; /* monotonic ns */
	char *text;
	struct look_counter *all; /* in the order of the text */
	size_t n, cap;
	struct look_kind *kinds;
	size_t n_kinds, cap_kinds;
	struct look_oldest oldest;
};

/* Read stats, and requests if allowed, in the control directory at path.
 * RC_NOENT: there is none.
 */
enum rc look_take(const char *path, struct look **ret,
		  struct err *err) MUST_CHECK;
void look_free(struct look *l);

/* A counter, 0 when it is not there or l is NULL. */
uint64_t look_value(const struct look *l, const char *name);

/* NULL when it is not there. */
const struct look_kind *look_kind(const struct look *l, const char *name);

/* How much a counter has grown since before; since the start when before is
 * NULL.
 */
uint64_t look_grown(const struct look *now, const struct look *before,
		    const char *name);

/* Between two looks, at least a little; 0 when before is NULL. */
double look_seconds(const struct look *now, const struct look *before);

/* Hits in a hundred tries since before; negative: there were none. */
double look_ratio(const struct look *now, const struct look *before,
		  const char *hits, const char *misses);

/* What is found in caches, by the names of hits and misses. */
struct look_cache {
	const char *label, *name, *hits, *misses;
};
extern const struct look_cache look_caches[];
extern const size_t look_n_caches;

#endif
