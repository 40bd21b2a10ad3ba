/* SPDX-License-Identifier: Apache-2.0 */
/* purge-rule.h - whether an old revision may be removed; a pure function of
 * what is known of it.
 *
 * Facts that nobody established are false, and then nothing is removed.
 */
#ifndef DESFS_REPACK_PURGE_RULE_H
#define DESFS_REPACK_PURGE_RULE_H

#include <stdbool.h>
#include <stdint.h>

enum purge_verdict {
	PURGE_YES,
	PURGE_COUNTS,     /* a record adds it, and none takes it away */
	PURGE_UNREAD,     /* no record that was read by its name says so */
	PURGE_HELD,       /* a hold covers it */
	PURGE_GRACE,      /* the grace period is not over */
	PURGE_RUN_ALIVE,  /* who began earlier may still win */
	PURGE_UNVERIFIED, /* what takes its place was not read whole */
	PURGE_LACKS,      /* what takes its place has not all of it */
};

/* For "counts", "unread", ... */
const char *purge_verdict_text(enum purge_verdict v);

#define PURGE_NO_RUN INT64_MAX

/* Times in microseconds. */
struct purge_facts {
	/* The valid record that replaces it; or, of what no record that counts
	 * names, the lost one that would have added it.
	 */
	bool is_replaced, is_lost;
	bool is_read;        /* that record, by its name, in this round */
	int64_t time, grace; /* and what it says */
	bool is_held;
	/* All that counts in its place, in every zone, every byte; or in that
	 * of what it was made of, when it is lost: it may be the only copy.
	 */
	bool is_verified;
	bool is_covered;    /* likewise: nothing of it is nowhere else */
	int64_t oldest_run; /* when it began; PURGE_NO_RUN */
	int64_t now;
};

/* The first reason against it, in the order of the enum: what costs least to
 * find out comes first, so that facts not needed any more may be left false.
 */
enum purge_verdict purge_rule(const struct purge_facts *f);

/* When the grace period is over, seen at now: a record from the future counts
 * from now on.
 */
int64_t purge_grace_end(int64_t time, int64_t grace, int64_t now);

#endif
