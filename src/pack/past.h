/* SPDX-License-Identifier: Apache-2.0 */
/* past.h - what the archive has already, and the time of this run that follows
 * from it.
 */
#ifndef DESFS_PACK_PAST_H
#define DESFS_PACK_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-format.h"

struct pack;
struct shard_meta;

/* A slot's part of a day, from which on a run of the same time goes on. */
struct past_part {
	uint32_t slot, day, part;
};

/* Read the log, open the volumes, set the stamps.  RC_USAGE: the options
 * contradict what is there; RC_NOENT: the log is lost, see lost-log.h.
 *
 * Of runs of one created_at, workers and what was begun before, each finds the
 * others' shards in the log or not, as it happens.  So that it makes no
 * difference they are left out of what was before the run; unless the archive
 * has something later, when this is a run as any other.
 */
enum rc past_open(struct pack *p, struct err *err) MUST_CHECK;

/* Only the parts and past_id, from the log; past_open begins anew.  past_id is
 * without but, n_but shards in the order of their keys.  ret_replaced has as
 * many: true for those that others took the place of.
 */
enum rc past_learn(struct pack *p, const struct shard_meta *but, size_t n_but,
		   bool *ret_replaced, struct err *err) MUST_CHECK;

/* RC_CHANGED: a key of p->shards is that of a shard that was replaced, so that
 * it never counts again; what this run has put there is removed if the log says
 * that the shard is.  Reads the log, unless no key
 * can be.
 */
enum rc past_check_replaced(struct pack *p, struct err *err) MUST_CHECK;

/* One more shard, by its key, in a number for a set of them. */
void past_id_add(uint8_t id[SHARD_ID_LEN], const char *key);

/* An archive of which nothing is there yet. */
enum rc past_none(struct pack *p, struct err *err) MUST_CHECK;

/* The parts of the slot that a run of this time has made already, by day. */
const struct past_part *past_parts(const struct pack *p, uint32_t slot,
				   size_t *ret_n);

void past_close(struct pack *p);

#endif
