/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-facts.h - what is known of an erasure, put to erasure-state.h. */
#ifndef DESFS_REPACK_ERASURE_FACTS_H
#define DESFS_REPACK_ERASURE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "erase/erasure-state.h"
#include "repack/holds.h"
#include "repack/old-set.h"
#include "repack/survey.h"
#include "volume/oplog.h"

/* Of one moment; survey has looked at all shards, old is marked. */
struct erasure_known {
	const struct oplog *log;
	const struct survey *survey;
	const struct old_set *old;
	const struct holds *holds;
	int64_t now, margin;
};

/* Why none of its versions may be left out of a shard; NULL: they may. */
const struct hold *erasure_hold(const struct erasure_known *k,
				const struct survey_erasure *e);
struct erasure_status erasure_facts_status(const struct erasure_known *k,
					   const struct survey_erasure *e);
/* When the log said that all is gone; ERASURE_NEVER. */
int64_t erasure_received(const struct oplog *log, const struct receipt *r);
/* The newest record that took something with it out of its place;
 * ERASURE_NEVER: there was nothing.
 */
int64_t erasure_last_replaced(const struct erasure_known *k,
			      const struct survey_erasure *e);

/* Whether what a slow run may still bring can be there by now: settle, us, after
 * the deletion and the last record that replaced something of it, and if the
 * oldest run that is alive began after these.
 */
bool erasure_is_settled(const struct erasure_known *k,
			const struct survey_erasure *e, int64_t settle,
			int64_t oldest_run);

#endif
